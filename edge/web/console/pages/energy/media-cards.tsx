import type { EnergyMeterView, EnergyNowView } from '../../../energy-schemas.ts';
import { hashOf } from '../../address.ts';
import { useWords } from '../../kit/language.tsx';
import { fairlyKnown, type MediumReport, rootsOf, wholeKnown, wholeOf } from './data.ts';
import { useFigures } from './figures.ts';
import { mediumText } from './terms.ts';
import { words } from './words.ts';

const field = { width: 240, height: 44 } as const;

/** Water, gas, heat and cold: a card each with today, what is usual, and what flows at night. */
export function MediaCards({
  others,
  now,
  meters,
}: {
  readonly others: readonly MediumReport[];
  readonly now: EnergyNowView;
  readonly meters: readonly EnergyMeterView[];
}) {
  const say = useWords(words);
  return (
    <section className="energy-media" aria-label={say.others}>
      {others.map((medium) => (
        <MediumCard key={medium.medium} medium={medium} now={now} meters={meters} />
      ))}
    </section>
  );
}

function MediumCard({
  medium,
  now,
  meters,
}: {
  readonly medium: MediumReport;
  readonly now: EnergyNowView;
  readonly meters: readonly EnergyMeterView[];
}) {
  const say = useWords(words);
  const figures = useFigures();
  const { terms } = figures;
  const roots = rootsOf(meters, medium.medium);
  const whole = wholeOf(now.meters, roots);
  const { today, expected, cost, power } = whole;
  const change = today.known < fairlyKnown ? null : figures.change(today.value, expected);
  const facts = [
    power === null ? null : `${say.flow} ${figures.power(power, medium.medium)}`,
    medium.base.night === null ? null : say.nightFlow(figures.power(medium.base.night, medium.medium)),
    cost === null ? null : figures.money(cost, now.currency),
    today.value !== null && today.known < wholeKnown ? figures.known(today.known) : null,
  ].filter((one) => one !== null);
  const [root] = roots;
  return (
    <section className="kit-panel energy-medium" data-medium={medium.medium}>
      <h2>
        {root === undefined ? (
          mediumText(terms, medium.medium)
        ) : (
          <a href={hashOf(`/energy/meters/${root.id}`)}>{mediumText(terms, medium.medium)}</a>
        )}
      </h2>
      <p className="energy-figure-value energy-medium-value kit-number">
        {figures.number(today.value)}
        {today.value !== null && <small>{figures.unit(medium.unit)}</small>}
      </p>
      <p className="kit-soft">
        {expected === null ? say.usualUnknown : say.expected(figures.amount(expected, medium.unit))}
        {change !== null && change.way !== 'same' && ` · ${change.way === 'more' ? '▲' : '▼'} ${change.text}`}
      </p>
      <Spark medium={medium} now={now.time} />
      <p className="kit-soft kit-number">{facts.join(' · ')}</p>
    </section>
  );
}

/** The hours of today, small; the card's figures say what matters. */
function Spark({ medium: { course }, now }: { readonly medium: MediumReport; readonly now: number }) {
  const most = Math.max(Number.MIN_VALUE, ...course.map(({ amount }) => amount ?? 0));
  const step = field.width / Math.max(1, course.length);
  return (
    <svg
      className="energy-spark"
      viewBox={`0 0 ${field.width} ${field.height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <line x1="0" x2={field.width} y1={field.height} y2={field.height} className="energy-spark-base" />
      {course.map(({ from, amount }, index) => {
        if (from >= now) return null;
        const height = amount === null ? field.height : Math.max(1, (amount / most) * (field.height - 2));
        return (
          <rect
            key={from}
            x={index * step + 1}
            width={Math.max(1, step - 2)}
            y={field.height - height}
            height={height}
            className={amount === null ? 'energy-spark-unknown' : 'energy-spark-known'}
          />
        );
      })}
    </svg>
  );
}
