import { hashOf } from '../../address.ts';
import { CardTable } from '../../kit/card-table.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { type Amount, type MediumReport, wholeKnown } from './data.ts';
import { useFigures } from './figures.ts';
import { words } from './words.ts';

type Row = MediumReport['meters'][number];

/** The tree of the meters, each below the one it hangs on: amount, what is known of it, share, cost, and the period before. */
export function MeterTable({ medium, currency }: { readonly medium: MediumReport; readonly currency: string | null }) {
  const say = useWords(words);
  const name = useName();
  const figures = useFigures();
  return (
    <CardTable<Row>
      label={say.meter}
      rows={medium.meters}
      keyOf={({ meter }) => meter}
      minWidth={560}
      columns={[
        {
          key: 'meter',
          title: say.meter,
          render: (row) => (
            <span className="energy-tree" data-depth={Math.min(6, row.depth)}>
              <a href={hashOf(`/energy/meters/${row.meter}`)}>{name(row.name)}</a>
            </span>
          ),
        },
        {
          key: 'amount',
          title: say.amount,
          align: 'right',
          render: (row) => <AmountText amount={row.amount} unit={medium.unit} />,
        },
        { key: 'share', title: say.share, align: 'right', render: ({ share }) => figures.percent(share) },
        ...(currency === null
          ? []
          : [
              {
                key: 'cost',
                title: say.cost,
                align: 'right' as const,
                render: ({ cost }: Row) => figures.money(cost, currency),
              },
            ]),
        {
          key: 'before',
          title: say.before,
          align: 'right',
          render: (row) => (
            <span className="kit-number">
              {figures.amount(row.before.value, medium.unit)}
              <ChangeText amount={row.amount} before={row.before} />
            </span>
          ),
        },
      ]}
    />
  );
}

/** `38.2 kWh`, and how much of its time is known where that is not all of it. */
export function AmountText({ amount, unit }: { readonly amount: Amount; readonly unit: MediumReport['unit'] }) {
  const figures = useFigures();
  const { value, known, estimated } = amount;
  return (
    <span className="kit-number energy-amount">
      {figures.amount(value, unit)}
      {value !== null && known < wholeKnown && <small className="energy-known">{figures.known(known)}</small>}
      {value !== null && estimated > value * 0.01 && (
        <small className="energy-known">{figures.terms.estimated(figures.amount(estimated, unit))}</small>
      )}
    </span>
  );
}

/** Compared only where both are known well enough. */
function ChangeText({ amount, before }: { readonly amount: Amount; readonly before: Amount }) {
  const figures = useFigures();
  if (Math.min(amount.known, before.known) < 0.9) return null;
  const change = figures.change(amount.value, before.value);
  if (change === null) return null;
  const sign = { more: '▲', less: '▼', same: '' }[change.way];
  return <small className="energy-change">{`${sign} ${change.text}`}</small>;
}
