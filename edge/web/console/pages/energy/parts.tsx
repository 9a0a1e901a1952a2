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
  readonly amount: MediumReport['total'];
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

function Stack({
  title,
  parts,
  unit,
  currency,
}: {
  readonly title: string;
  readonly parts: readonly Part[];
  readonly unit: MediumReport['unit'];
  readonly currency: string | null;
}) {
  const figures = useFigures();
  const sorted = parts.toSorted((a, b) => (b.amount.value ?? -1) - (a.amount.value ?? -1));
  const total = sorted.reduce((sum, { amount }) => sum + Math.max(0, amount.value ?? 0), 0);
  return (
    <section>
      <h3>{title}</h3>
      <div className="energy-stack" aria-hidden="true">
        {sorted.map(({ key, paint, amount }) => (
          <span
            key={key}
            data-paint={paint}
            style={{ width: `${total > 0 ? (Math.max(0, amount.value ?? 0) / total) * 100 : 0}%` }}
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
            <span className="kit-number kit-soft energy-stack-cost">
              {cost === null ? '' : figures.money(cost, currency)}
            </span>
            {amount.known < wholeKnown && amount.value !== null && (
              <span className="kit-soft energy-stack-known">{figures.terms.known(figures.percent(amount.known))}</span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
