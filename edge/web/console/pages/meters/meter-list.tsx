import type { EnergyMeterView, EnergyNowView } from '../../../energy-schemas.ts';
import { hashOf } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { QualityBadge, ToneBadge } from '../../kit/badges.tsx';
import { type CardColumn, CardTable } from '../../kit/card-table.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { fairlyKnown, useEnergyNow, usePlan } from '../energy/data.ts';
import { useFigures } from '../energy/figures.ts';
import { AmountText } from '../energy/meter-table.tsx';
import { mediumText } from '../energy/terms.ts';
import { ChangeText } from './meter-figures.tsx';
import { treeOf } from './meter-tree.ts';
import { words } from './words.ts';

interface Row {
  readonly meter: EnergyMeterView;
  readonly depth: number;
  readonly now: EnergyNowView['meters'][number] | undefined;
}

/** Every meter with what it takes now, each medium as its tree. */
export function MeterList() {
  const say = useWords(words);
  const language = useLanguage();
  const { terms } = useFigures();
  const plan = usePlan();
  const now = useEnergyNow();
  if (plan.isPending) return <PageSkeleton />;
  if (plan.isError) {
    return (
      <ErrorState
        message={errorText(plan.error, language)}
        detail={errorDetail(plan.error)}
        onRetry={() => void plan.refetch()}
      />
    );
  }
  if (plan.data.meters.length === 0) {
    return (
      <div className="kit-panel">
        <EmptyState title={say.noMeters}>{say.noMetersHelp}</EmptyState>
      </div>
    );
  }
  const byId = new Map(now.data?.meters.map((one) => [one.meter, one]));
  return (
    <>
      {treeOf(plan.data.meters).map(({ medium, rows }) => (
        <Panel key={medium} title={mediumText(terms, medium)} className="meters-tree">
          <MeterRows
            label={mediumText(terms, medium)}
            rows={rows.map(({ meter, depth }) => ({ meter, depth, now: byId.get(meter.id) }))}
            currency={now.data?.currency ?? null}
          />
        </Panel>
      ))}
      {plan.data.problems.length > 0 && (
        <details className="kit-panel meters-problems">
          <summary>{say.planProblems(plan.data.problems.length)}</summary>
          <ul>
            {plan.data.problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function MeterRows({
  label,
  rows,
  currency,
}: {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly currency: string | null;
}) {
  const say = useWords(words);
  const name = useName();
  const figures = useFigures();
  const columns: CardColumn<Row>[] = [
    {
      key: 'meter',
      title: say.meter,
      render: ({ meter, depth }) => (
        <span className="meters-branch" data-depth={Math.min(depth, 5)}>
          <a href={hashOf(`/energy/meters/${meter.id}`)} data-meter-link={meter.id}>
            {name(meter.name)}
          </a>
        </span>
      ),
    },
    {
      key: 'now',
      title: say.now,
      align: 'right',
      width: 120,
      render: ({ meter, now }) => <span className="kit-number">{figures.power(now?.power ?? null, meter.medium)}</span>,
    },
    {
      key: 'today',
      title: say.today,
      align: 'right',
      width: 150,
      render: ({ meter, now }) => (now === undefined ? '—' : <AmountText amount={now.today} unit={meter.unit} />),
    },
    { key: 'expected', title: say.expected, align: 'right', width: 170, render: (row) => <Expected row={row} /> },
    {
      key: 'cost',
      title: say.costToday,
      align: 'right',
      width: 120,
      render: ({ now }) => <span className="kit-number">{figures.money(now?.cost ?? null, currency)}</span>,
    },
    { key: 'state', title: say.state, width: 150, render: (row) => <MeterState row={row} /> },
  ];
  return <CardTable label={label} columns={columns} rows={rows} keyOf={({ meter }) => meter.id} minWidth={820} />;
}

function Expected({ row: { meter, now } }: { readonly row: Row }) {
  const figures = useFigures();
  if (now === undefined || now.expected === null) return '—';
  return (
    <span className="kit-number">
      {figures.amount(now.expected, meter.unit)}
      {now.today.known >= fairlyKnown && (
        <span className="meters-note">
          <ChangeText value={now.today.value} usual={now.expected} />
        </span>
      )}
    </span>
  );
}

function MeterState({ row: { meter, now } }: { readonly row: Row }) {
  const say = useWords(words);
  if (meter.kind === 'missing') {
    return (
      <ToneBadge tone="bad" title={meter.problem ?? ''}>
        {say.missing}
      </ToneBadge>
    );
  }
  if (meter.kind === 'virtual') return <ToneBadge tone="plain">{say.virtual}</ToneBadge>;
  const quality = now?.quality;
  if (quality !== 'good' && quality !== 'uncertain' && quality !== 'bad') return null;
  return <QualityBadge quality={quality} showGood />;
}
