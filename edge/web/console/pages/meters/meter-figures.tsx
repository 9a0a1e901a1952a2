import type { ReactNode } from 'react';
import type { EnergyMeterPageView } from '../../../energy-schemas.ts';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { fairlyKnown, wholeKnown } from '../energy/data.ts';
import { useFigures } from '../energy/figures.ts';
import { words } from './words.ts';

type View = EnergyMeterPageView;

/** The period in a few large figures; what is not known is said, not made up. */
export function MeterFigures({ view }: { readonly view: View }) {
  const say = useWords(words);
  const formats = useFormats();
  const figures = useFigures();
  const { meter, total, before, baseline, cost, currency, highest, base, powerFactor } = view;
  const isRunning = now() < view.to;
  const isWhole = Math.min(total.known, before.known) >= fairlyKnown;
  const quarterText = (time: number) =>
    view.kind === 'day' ? formats.shortTime(time) : `${formats.shortDate(time)} ${formats.shortTime(time)}`;
  const flows = meter.medium === 'water' || meter.medium === 'gas';
  return (
    <dl className="meters-figures" aria-label={say.figures}>
      <Figure name={isRunning ? say.totalRunning : say.total} value={figures.amount(total.value, meter.unit)} isMain>
        <Doubts amount={total} unit={meter.unit} />
      </Figure>
      <Figure name={isRunning ? say.beforeRunning : say.before} value={figures.amount(before.value, meter.unit)}>
        {isWhole ? (
          <ChangeText value={total.value} usual={before.value} />
        ) : before.value !== null && before.known < wholeKnown ? (
          figures.terms.known(figures.percent(before.known))
        ) : null}
      </Figure>
      <Figure name={say.usual} value={figures.amount(baseline, meter.unit)}>
        {total.known >= fairlyKnown ? <ChangeText value={total.value} usual={baseline} /> : null}
      </Figure>
      {currency !== null && <Figure name={say.cost} value={figures.money(cost, currency)} />}
      <Figure name={flows ? say.highestFlow : say.highest} value={figures.power(highest.value, meter.medium)}>
        {highest.time !== null && say.at(quarterText(highest.time))}
      </Figure>
      <Figure name={say.nightBase} value={figures.power(base.night, meter.medium)}>
        {base.share !== null && say.ofAll(figures.percent(base.share))}
      </Figure>
      {view.kind !== 'day' && <Figure name={say.weekendBase} value={figures.power(base.weekend, meter.medium)} />}
      {meter.medium === 'electricity' && meter.kind === 'real' && (
        <Figure name={say.powerFactor} value={powerFactor === null ? '—' : formats.number(powerFactor, 2)} />
      )}
    </dl>
  );
}

function Figure({
  name,
  value,
  isMain = false,
  children,
}: {
  readonly name: string;
  readonly value: string;
  readonly isMain?: boolean;
  readonly children?: ReactNode;
}) {
  return (
    <div data-main={isMain}>
      <dt>{name}</dt>
      <dd className="kit-number meters-figure">{value}</dd>
      {children !== null && children !== undefined && children !== false && <dd className="kit-soft">{children}</dd>}
    </div>
  );
}

/** How much of the time is known, and how much of the amount is a guess in time. */
export function Doubts({ amount, unit }: { readonly amount: View['total']; readonly unit: View['meter']['unit'] }) {
  const say = useWords(words);
  const figures = useFigures();
  const { value, known, estimated } = amount;
  const parts = [
    value !== null && known < wholeKnown ? say.knownOf(figures.percent(known)) : '',
    value !== null && estimated > value * 0.01 ? say.guessed(figures.amount(estimated, unit)) : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? null : <span className="meters-doubt">{parts.join(say.semicolon)}</span>;
}

const signs = { more: '▲ ', less: '▼ ', same: '' } as const;

export function ChangeText({ value, usual }: { readonly value: number | null; readonly usual: number | null }) {
  const figures = useFigures();
  const change = figures.change(value, usual);
  if (change === null) return null;
  return (
    <span className="meters-change" data-way={change.way}>
      {signs[change.way]}
      {change.text}
    </span>
  );
}
