import { useName, useWords } from '../../kit/language.tsx';
import { type MediumReport, wholeKnown } from './data.ts';
import { useFigures } from './figures.ts';
import { subItemText } from './terms.ts';
import { words } from './words.ts';

/* The whole as one bar of its parts, by what it is used for and by who uses it. Each part has a hatch of its own, and its name below. */

interface Part {
  readonly key: string;
  readonly name: string;
  readonly paint: string;
  readonly amount: Pick<MediumReport['total'], 'value' | 'known'>;
  readonly share: number | null;
  readonly cost: number | null;
}

const buildingPaints = ['b0', 'b1', 'b2', 'b3', 'b4', 'b5'] as const;

export function Parts({ medium, currency }: { readonly medium: MediumReport; readonly currency: string | null }) {
  const say = useWords(words);
  const name = useName();
  const { terms } = useFigures();
  const subItems = medium.subItems.map((one) => ({
    ...one,
    key: one.subItem ?? 'none',
    name: `${subItemText(terms, one.subItem)}${one.code === null ? '' : ` · ${one.code}`}`,
    paint: one.subItem ?? 'none',
  }));
  const buildings = medium.buildings.map((one, index) => ({
    ...one,
    key: one.building ?? 'none',
    name: name(one.name),
    paint: one.building === null ? 'none' : (buildingPaints[index % buildingPaints.length] ?? 'none'),
  }));
  return (
    <div className="energy-parts">
      {subItems.length > 0 && <Stack title={say.bySubItem} parts={subItems} unit={medium.unit} currency={currency} />}
      {buildings.length > 0 && (
        <Stack title={say.byBuilding} parts={buildings} unit={medium.unit} currency={currency} />
      )}
    </div>
  );
}

/** What today costs, by the periods of the tariff: most of a bill can be moved rather than saved. */
export function CostParts({ medium, currency }: { readonly medium: MediumReport; readonly currency: string | null }) {
  const say = useWords(words);
  const name = useName();
  const figures = useFigures();
  const { costParts, unit } = medium;
  const total = costParts.reduce((sum, { cost }) => sum + cost, 0);
  if (costParts.length < 2 || !(total > 0)) return null;
  const parts = costParts.map((one, index) => ({
    key: `${one.name.en} ${one.price}`,
    name: say.pricedAt(name(one.name), figures.money(one.price, currency), figures.unit(unit)),
    paint: buildingPaints[index % buildingPaints.length] ?? 'none',
    amount: { value: one.amount, known: 1 },
    share: one.cost / total,
    cost: one.cost,
  }));
  return <Stack title={say.costParts} parts={parts} unit={unit} currency={currency} by="cost" />;
}

interface StackProps {
  readonly title: string;
  readonly parts: readonly Part[];
  readonly unit: MediumReport['unit'];
  readonly currency: string | null;
  /** What the lengths are of. */
  readonly by?: 'amount' | 'cost';
}

function Stack({ title, parts, unit, currency, by = 'amount' }: StackProps) {
  const figures = useFigures();
  const weightOf = ({ amount, cost }: Part) => Math.max(0, (by === 'cost' ? cost : amount.value) ?? 0);
  const sorted = parts.toSorted((a, b) => weightOf(b) - weightOf(a));
  const total = sorted.reduce((sum, part) => sum + weightOf(part), 0);
  return (
    <section className="energy-stacked">
      <h3>{title}</h3>
      <div className="energy-stack" aria-hidden="true">
        {sorted.map((part) => (
          <span
            key={part.key}
            data-paint={part.paint}
            style={{ width: `${total > 0 ? (weightOf(part) / total) * 100 : 0}%` }}
          />
        ))}
      </div>
      <ul className="energy-stack-list">
        {sorted.map(({ key, name, paint, amount, share, cost }) => (
          <li key={key}>
            <span className="energy-swatch" data-paint={paint} aria-hidden="true" />
            <span className="energy-stack-name">{name}</span>
            <span className="kit-number">{figures.amount(amount.value, unit)}</span>
            <span className="kit-number energy-stack-share">{figures.percent(share)}</span>
            <span className="kit-number kit-soft energy-stack-cost" data-by={by}>
              {cost === null ? '' : figures.money(cost, currency)}
            </span>
            {amount.known < wholeKnown && amount.value !== null && (
              <span className="kit-soft energy-stack-known">{figures.known(amount.known)}</span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
