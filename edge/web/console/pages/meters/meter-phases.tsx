import type { EnergyMeterPageView } from '../../../energy-schemas.ts';
import type { PointView } from '../../api.ts';
import { QualityBadge, ToneBadge } from '../../kit/badges.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { valueText } from '../../kit/values.ts';
import { usePoints, useReading } from '../../use-live.tsx';
import { useFigures } from '../energy/figures.ts';
import { words } from './words.ts';

/** Above it people should spread the loads (what the box tells of as a finding begins higher). */
const uneven = 0.15;
const measures = ['voltage', 'current', 'power'] as const;
const legs = ['_l1', '_l2', '_l3'] as const;

/** Mean power of each phase as bars, how uneven they are, and what flows now. */
export function Phases({ view: { meter, phases } }: { readonly view: EnergyMeterPageView }) {
  const say = useWords(words);
  const points = usePoints() ?? [];
  const own = points.filter(({ device }) => device === meter.device);
  const isThree = own.some(({ point }) => /_l[123]$/.test(point));
  const columns = isThree ? legs : ([''] as const);
  const rows = measures
    .map((measure) => ({ measure, cells: columns.map((leg) => own.find(({ point }) => point === `${measure}${leg}`)) }))
    .filter(({ cells }) => cells.some((cell) => cell !== undefined));
  if (phases === null && rows.length === 0) return null;
  return (
    <Panel title={isThree ? say.phases : say.liveAlone} className="meters-phases" extra={<Imbalance phases={phases} />}>
      {phases?.means.some((mean) => mean !== null) === true && <PhaseBars means={phases.means} />}
      {phases !== null && (phases.imbalance ?? 0) > uneven && <p className="meters-uneven">{say.imbalanceBad}</p>}
      {rows.length > 0 && (
        <table className="meters-live">
          <caption>{say.liveAlone}</caption>
          {isThree && (
            <thead>
              <tr>
                <td />
                {legs.map((leg) => (
                  <th key={leg} scope="col">
                    {leg.slice(1).toUpperCase()}
                  </th>
                ))}
              </tr>
            </thead>
          )}
          <tbody>
            {rows.map(({ measure, cells }) => (
              <tr key={measure}>
                <th scope="row">{say[measure]}</th>
                {cells.map((cell, index) => (
                  <td key={legs[index] ?? ''} data-live={cell?.id}>
                    {cell === undefined ? '—' : <Live point={cell} />}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

function Imbalance({ phases }: { readonly phases: EnergyMeterPageView['phases'] }) {
  const say = useWords(words);
  const { percent } = useFigures();
  if (phases === null || phases.imbalance === null) return null;
  const isBad = phases.imbalance > uneven;
  return (
    <ToneBadge tone={isBad ? 'wait' : 'good'} title={isBad ? say.imbalanceBad : say.imbalanceGood}>
      {say.imbalance(percent(phases.imbalance))}
    </ToneBadge>
  );
}

function PhaseBars({ means }: { readonly means: readonly (number | null)[] }) {
  const say = useWords(words);
  const figures = useFigures();
  const most = Math.max(...means.map((mean) => Math.abs(mean ?? 0)), 1e-6);
  return (
    <ul className="meters-phase-bars" aria-label={say.phasesMean}>
      {means.map((mean, index) => (
        <li key={legs[index] ?? index}>
          <span>{say.phase(index + 1)}</span>
          <span className="meters-phase-bar" aria-hidden="true">
            <span style={{ width: `${(Math.abs(mean ?? 0) / most) * 100}%` }} />
          </span>
          <span className="kit-number">{figures.power(mean, 'electricity')}</span>
        </li>
      ))}
    </ul>
  );
}

function Live({ point }: { readonly point: PointView }) {
  const language = useLanguage();
  const reading = useReading(point.id);
  if (reading === undefined) return '—';
  return (
    <span className={`kit-number ${reading.quality === 'good' ? '' : 'kit-stale'}`}>
      {valueText(reading.value, point.unit, point.point, language)}{' '}
      <QualityBadge quality={reading.quality} reason={reading.reason} />
    </span>
  );
}
