import { Segmented } from 'antd';
import { useCallback, useMemo, useSyncExternalStore } from 'react';
import type { PointView } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { QualityBadge } from '../../kit/badges.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { usePreference } from '../../kit/preferences.ts';
import { EmptyState } from '../../kit/states.tsx';
import { isTripped, pointLabel, valueText } from '../../kit/values.ts';
import { doubted, useLink, useLive, useReading } from '../../use-live.tsx';
import { pointHash } from './address.ts';
import type { DeviceEntry } from './tree.ts';
import { complaintsOf, worstFirst } from './why.ts';
import { WhyBox } from './why-box.tsx';
import { words } from './words.ts';

type Order = 'profile' | 'worst';

/** Every value of a device as it is now. Only the cells that change are drawn again. */
export function PointsPanel({
  device,
  points,
}: {
  readonly device: DeviceEntry;
  readonly points: readonly PointView[];
}) {
  const say = useWords(words);
  const [order, setOrder] = usePreference<Order>('devices.order', ['profile', 'worst']);
  const judged = useQualities(points);
  const complaints = useMemo(() => complaintsOf(judged), [judged]);
  const sorted = useMemo(() => {
    if (order === 'profile') return points;
    const at = new Map(points.map((point) => [point.id, point]));
    return worstFirst(judged).flatMap(({ ref }) => at.get(ref) ?? []);
  }, [order, points, judged]);
  if (points.length === 0) {
    return (
      <Panel title={say.points}>
        <EmptyState title={say.noPoints}>{say.noPointsHelp}</EmptyState>
      </Panel>
    );
  }
  return (
    <Panel
      title={say.points}
      extra={
        complaints.length === 0 ? (
          <span className="kit-badge kit-tone-good">{say.allGood}</span>
        ) : (
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
        )
      }
    >
      <WhyBox device={device} points={points} complaints={complaints} />
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
  const say = useWords(words);
  const language = useLanguage();
  const reading = useReading(point.id);
  const name = pointLabel(point.point, point.label, language);
  const quality = reading?.quality ?? 'bad';
  const isAlarming = isTripped(reading?.value ?? null, point.point);
  return (
    <tr data-point={point.id} data-quality={quality}>
      <th scope="row">{name}</th>
      <td
        className={`devices-right devices-value${quality === 'good' ? '' : ' kit-stale'}${isAlarming ? ' devices-tripped' : ''}`}
      >
        {valueText(reading?.value, point.unit, point.point, language)}
      </td>
      <td>
        <QualityBadge quality={quality} reason={reading === undefined ? 'never-read' : reading.reason} showGood />
      </td>
      <td className="kit-soft devices-age">
        <Age time={reading?.sourceTime ?? 0} />
      </td>
      <td className="devices-right">
        <a className="devices-history" href={pointHash(point.id)} title={say.openHistory(name)}>
          <span className="kit-unseen">{say.openHistory(name)}</span>
          <svg
            viewBox="0 0 20 20"
            width="18"
            height="18"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.6"
            aria-hidden="true"
            focusable="false"
          >
            <path d="M2.500 16.500h15M3 12l4-4 3.500 3L17 4" strokeLinecap="round" strokeLinejoin="round" />
          </svg>
        </a>
      </td>
    </tr>
  );
}

interface Judged {
  readonly ref: string;
  readonly quality: 'good' | 'uncertain' | 'bad';
  readonly reason: string | null;
}

/** Qualities of these points; the same object until one of them changes, however often the values do. */
function useQualities(points: readonly PointView[]): readonly Judged[] {
  const live = useLive();
  const { state } = useLink();
  const subscribe = useCallback(
    (listener: () => void) => {
      const ends = points.map(({ id }) => live.readings.subscribe(id, listener));
      return () => {
        for (const end of ends) end();
      };
    },
    [live, points],
  );
  const judge = (): readonly Judged[] =>
    points.map(({ id }) => {
      const reading = live.readings.get(id);
      if (reading === undefined) return { ref: id, quality: 'bad', reason: 'never-read' };
      const { quality, reason } = doubted(reading, state);
      return { ref: id, quality, reason };
    });
  const text = useSyncExternalStore(subscribe, () =>
    judge()
      .map(({ ref, quality, reason }) => `${ref} ${quality} ${reason}`)
      .join('\n'),
  );
  // The text says that something has changed.
  return useMemo(judge, [text]);
}

/** When something of a device was heard last, ms since epoch; 0: never. */
export function useLastHeard(points: readonly PointView[]): number {
  const live = useLive();
  const subscribe = useCallback(
    (listener: () => void) => {
      const ends = points.map(({ id }) => live.readings.subscribe(id, listener));
      return () => {
        for (const end of ends) end();
      };
    },
    [live, points],
  );
  return useSyncExternalStore(subscribe, () =>
    Math.max(0, ...points.map(({ id }) => live.readings.get(id)?.receivedTime ?? 0)),
  );
}
