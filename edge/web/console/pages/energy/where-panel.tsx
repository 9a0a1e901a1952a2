import { Segmented } from 'antd';
import { lazy, Suspense, useCallback, useMemo } from 'react';
import type { EnergyPlanView, EnergyReportView } from '../../../energy-schemas.ts';
import { Panel } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { usePreference } from '../../kit/preferences.ts';
import { EmptyState, PageSkeleton } from '../../kit/states.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { nameIn } from '../../kit/words.ts';
import { fairlyKnown, type MediumReport } from './data.ts';
import { useFigures } from './figures.ts';
import { type Node, type Streams as Picture, streamsOf } from './flows.ts';
import { MeterTable } from './meter-table.tsx';
import { Parts } from './parts.tsx';
import { mediumText, subItemText } from './terms.ts';
import { words } from './words.ts';

const Sankey = lazy(async () => ({ default: (await import('./sankey.tsx')).Sankey }));

type View = 'flow' | 'parts' | 'table';

/** Where an amount goes: as streams, as parts of a whole, or as the tree of meters. A phone is too narrow for streams. */
export function WherePanel({
  plan,
  report,
  medium,
}: {
  readonly plan: EnergyPlanView;
  readonly report: EnergyReportView;
  readonly medium: MediumReport;
}) {
  const say = useWords(words);
  const isPhone = useMedia(phoneQuery);
  const [wanted, setView] = usePreference<View>('energy-where', ['flow', 'parts', 'table']);
  const picture = useMemo(() => streamsOf(medium.flows, plan.meters), [medium.flows, plan.meters]);
  const hasFlow = !isPhone && picture.streams.length > 0;
  const view = wanted === 'flow' && !hasFlow ? 'parts' : wanted;
  const choices = [
    ...(hasFlow ? [{ value: 'flow' as const, label: say.asFlow }] : []),
    { value: 'parts' as const, label: say.asParts },
    { value: 'table' as const, label: say.asTable },
  ];
  const isKnown = medium.total.value !== null && medium.total.value > 0;
  return (
    <Panel
      title={say.where}
      className="energy-where"
      extra={<Segmented<View> aria-label={say.view} value={view} onChange={setView} options={choices} />}
    >
      <div data-view={view}>
        {!isKnown ? (
          <EmptyState title={say.nothingYet}>{say.nothingYetHelp}</EmptyState>
        ) : view === 'flow' ? (
          <Streams plan={plan} medium={medium} picture={picture} />
        ) : view === 'parts' ? (
          <Parts medium={medium} currency={report.currency} />
        ) : (
          <MeterTable medium={medium} currency={report.currency} />
        )}
        {isKnown && <Unaccounted medium={medium} />}
      </div>
    </Panel>
  );
}

function Streams({
  plan,
  medium,
  picture,
}: {
  readonly plan: EnergyPlanView;
  readonly medium: MediumReport;
  readonly picture: Picture;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const figures = useFigures();
  const { terms } = figures;
  const nameOf = useCallback(
    ({ what, id, paint }: Node) => {
      if (what === 'meter') return nameIn(language, plan.meters.find((meter) => meter.id === id)?.name) || id;
      if (what === 'unaccounted') return terms.unaccounted;
      return what === 'medium' || paint === 'none' || paint === 'unaccounted'
        ? mediumText(terms, medium.medium)
        : subItemText(terms, paint);
    },
    [plan.meters, language, terms, medium.medium],
  );
  const amountText = useCallback((amount: number) => figures.amount(amount, medium.unit), [figures, medium.unit]);
  return (
    <Suspense fallback={<PageSkeleton />}>
      <Sankey
        picture={picture}
        nameOf={nameOf}
        amountText={amountText}
        label={say.flowSays(figures.amount(medium.total.value, medium.unit))}
      />
    </Suspense>
  );
}

/** Meters may count whole kW.h: of less than so many the difference says nothing. */
const leastJudged = 20;

export function Unaccounted({ medium }: { readonly medium: MediumReport }) {
  const say = useWords(words);
  const figures = useFigures();
  const { unaccounted } = medium;
  // Of nothing there is no share.
  if (unaccounted === null || unaccounted.amount === null || unaccounted.share === null) return null;
  const { value, known } = medium.total;
  const isJudged = known >= fairlyKnown && (value ?? 0) >= leastJudged;
  const isOver = isJudged && unaccounted.tolerance !== null && Math.abs(unaccounted.amount) > unaccounted.tolerance;
  const [said, over] =
    unaccounted.amount < 0 ? [say.unaccountedLess, say.unaccountedLessOver] : [say.unaccountedIs, say.unaccountedOver];
  return (
    <p className="energy-unaccounted" data-over={isOver}>
      {said(figures.amount(Math.abs(unaccounted.amount), medium.unit), figures.percent(Math.abs(unaccounted.share)))}{' '}
      {!isJudged ? say.unaccountedEarly : isOver ? over : say.unaccountedWithin}
    </p>
  );
}
