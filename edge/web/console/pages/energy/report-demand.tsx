import type { EnergyReportView } from '../../../energy-schemas.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { CardTable } from '../../kit/card-table.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { useFigures } from './figures.ts';
import { reportWords } from './report-words.ts';

type DemandRow = EnergyReportView['demand'][number];
type FactorRow = EnergyReportView['powerFactor'][number];

export function DemandTable({
  demand,
  currency,
}: {
  readonly demand: readonly DemandRow[];
  readonly currency: string | null;
}) {
  const say = useWords(reportWords);
  const name = useName();
  const formats = useFormats();
  const figures = useFigures();
  const kw = (value: number | null) => figures.power(value, 'electricity');
  return (
    <Panel title={say.demand}>
      <p className="energy-plain kit-soft">{say.demandHelp}</p>
      <CardTable<DemandRow>
        label={say.demand}
        rows={demand}
        keyOf={({ meter }) => meter}
        minWidth={480}
        columns={[
          { key: 'meter', title: say.meter, render: (row) => name(row.name) },
          {
            key: 'highest',
            title: say.highest,
            align: 'right',
            render: ({ highest, limit }) => (
              <span className="energy-amount kit-number">
                {kw(highest)}{' '}
                {highest !== null && limit !== null && (
                  <ToneBadge tone={highest > limit ? 'bad' : 'good'}>
                    {highest > limit ? say.exceeded : say.within}
                  </ToneBadge>
                )}
              </span>
            ),
          },
          { key: 'limit', title: say.limit, align: 'right', render: ({ limit }) => kw(limit) },
          {
            key: 'at',
            title: say.at,
            render: ({ at }) => (at === null ? '—' : `${formats.date(at)} ${formats.shortTime(at)}`),
          },
          { key: 'charge', title: say.charge, align: 'right', render: ({ charge }) => figures.money(charge, currency) },
        ]}
      />
    </Panel>
  );
}

export function PowerFactorTable({ powerFactor }: { readonly powerFactor: readonly FactorRow[] }) {
  const say = useWords(reportWords);
  const name = useName();
  const figures = useFigures();
  const effect = (share: number | null) => {
    if (share === null) return say.adjustmentUnknown;
    if (share === 0) return say.adjustmentNone;
    return share > 0 ? say.adjustmentUp(figures.percent(share)) : say.adjustmentDown(figures.percent(-share));
  };
  return (
    <Panel title={say.powerFactor}>
      <CardTable<FactorRow>
        label={say.powerFactor}
        rows={powerFactor}
        keyOf={({ meter }) => meter}
        minWidth={420}
        columns={[
          { key: 'meter', title: say.meter, render: (row) => name(row.name) },
          {
            key: 'value',
            title: say.value,
            align: 'right',
            render: ({ value }) => (value === null ? '—' : value.toFixed(3)),
          },
          {
            key: 'standard',
            title: say.standard,
            align: 'right',
            render: ({ standard }) => standard.toFixed(2),
          },
          { key: 'effect', title: say.adjustment, align: 'right', render: ({ adjustment }) => effect(adjustment) },
        ]}
      />
    </Panel>
  );
}
