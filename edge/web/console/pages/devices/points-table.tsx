import { Segmented } from 'antd';
import { useMemo } from 'react';
import type { PointView } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { QualityBadge, ToneBadge } from '../../kit/badges.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { usePreference } from '../../kit/preferences.ts';
import { isTripped, pointLabel, valueText } from '../../kit/values.ts';
import { useReading } from '../../use-live.tsx';
import { HistoryLink } from './history-link.tsx';
import { useQualities } from './qualities.ts';
import { worstFirst } from './why.ts';
import { words } from './words.ts';

type Order = 'profile' | 'worst';

/** Values of a device as they are now. Only the cells that change are drawn again. */
export function PointsPanel({ points }: { readonly points: readonly PointView[] }) {
  const say = useWords(words);
  const [order, setOrder] = usePreference<Order>('devices.order', ['profile', 'worst']);
  const judged = useQualities(points);
  const isGood = judged.every(({ quality }) => quality === 'good');
  const sorted = useMemo(() => {
    if (order === 'profile') return points;
    const at = new Map(points.map((point) => [point.id, point]));
    return worstFirst(judged).flatMap(({ ref }) => at.get(ref) ?? []);
  }, [order, points, judged]);
  const choice = (
    <Segmented<Order>
      size="small"
      aria-label={say.order}
      value={order}
      onChange={setOrder}
      options={[
        { value: 'profile', label: say.orderProfile },
        { value: 'worst', label: say.orderWorst },
      ]}
    />
  );
  return (
    <Panel title={say.points} extra={isGood ? <ToneBadge tone="good">{say.allGood}</ToneBadge> : choice}>
      <table className="devices-table devices-points">
        <thead>
          <tr>
            <th scope="col">{say.name}</th>
            <th scope="col" className="devices-right">
              {say.value}
            </th>
            <th scope="col">{say.quality}</th>
            <th scope="col">{say.updated}</th>
            <th scope="col">
              <span className="kit-unseen">{say.history}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((point) => (
            <PointRow key={point.id} point={point} />
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function PointRow({ point }: { readonly point: PointView }) {
  const language = useLanguage();
  const reading = useReading(point.id);
  const name = pointLabel(point.point, point.label, language);
  const quality = reading?.quality ?? 'bad';
  const time = reading === undefined || reading.value === null ? 0 : reading.sourceTime;
  const marks = [
    'devices-right devices-value',
    quality === 'good' ? '' : 'kit-stale',
    isTripped(reading?.value ?? null, point.point) ? 'devices-tripped' : '',
  ];
  return (
    <tr data-point={point.id} data-quality={quality}>
      <th scope="row">{name}</th>
      <td className={marks.join(' ')}>{valueText(reading?.value, point.unit, point.point, language)}</td>
      <td>
        <QualityBadge quality={quality} reason={reading === undefined ? 'never-read' : reading.reason} showGood />
        <Age time={time} className="devices-age-below kit-soft" />
      </td>
      <td className="kit-soft devices-age">
        <Age time={time} />
      </td>
      <td className="devices-right">
        <HistoryLink point={point.id} name={name} />
      </td>
    </tr>
  );
}
