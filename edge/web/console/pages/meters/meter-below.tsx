import type { EnergyMeterPageView } from '../../../energy-schemas.ts';
import { hashOf } from '../../address.ts';
import { Panel } from '../../kit/frame.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { fairlyKnown } from '../energy/data.ts';
import { useFigures } from '../energy/figures.ts';
import { AmountText } from '../energy/meter-table.tsx';
import { words } from './words.ts';

/** What the meters below took of it, largest first, and what none of them explains. Nothing hangs below: nothing is shown. */
export function Below({ view: { meter, total, below } }: { readonly view: EnergyMeterPageView }) {
  const say = useWords(words);
  const name = useName();
  const figures = useFigures();
  if (below.length === 0) return null;
  const sorted = below.toSorted((a, b) => (b.amount.value ?? -1) - (a.amount.value ?? -1));
  const sum = below.reduce<number | null>(
    (all, { amount }) => (all === null || amount.value === null ? null : all + amount.value),
    0,
  );
  // Gaps at different times would look like a difference.
  const isWhole = [total, ...below.map(({ amount }) => amount)].every(({ known }) => known >= fairlyKnown);
  const rest = sum === null || total.value === null || !isWhole ? null : total.value - sum;
  const most = Math.max(total.value ?? 0, ...below.map(({ amount }) => amount.value ?? 0), 1e-6);
  const share = rest === null || total.value === null || total.value <= 0 ? null : rest / total.value;
  return (
    <Panel title={say.below} className="meters-below">
      <ul>
        {sorted.map((one) => (
          <li key={one.meter}>
            <a href={hashOf(`/energy/meters/${one.meter}`)}>{name(one.name)}</a>
            <AmountText amount={one.amount} unit={meter.unit} />
            <span className="meters-phase-bar" aria-hidden="true">
              <span style={{ width: `${(Math.max(0, one.amount.value ?? 0) / most) * 100}%` }} />
            </span>
          </li>
        ))}
        <li className="meters-rest" data-rest={rest === null ? 'unknown' : rest < 0 ? 'over' : 'known'}>
          <span>{say.unexplained}</span>
          <span className="kit-number">
            {rest === null ? figures.terms.unknown : figures.amount(rest, meter.unit)}
            {share !== null && <small className="kit-soft"> {figures.percent(share)}</small>}
          </span>
          <span className="meters-phase-bar meters-rest-bar" aria-hidden="true">
            <span style={{ width: `${(Math.max(0, rest ?? 0) / most) * 100}%` }} />
          </span>
        </li>
      </ul>
      <p className="kit-soft meters-help">
        {!isWhole ? say.unexplainedGaps : share !== null && share < -0.01 ? say.unexplainedOver : say.unexplainedHelp}
      </p>
    </Panel>
  );
}
