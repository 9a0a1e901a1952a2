import { useQuery } from '@tanstack/react-query';
import type { EnergyMeterPageView } from '../../../energy-schemas.ts';
import { deviceHash, goTo, hashOf, pointHash, useAddress } from '../../address.ts';
import { ApiError, api, errorDetail, errorText, query } from '../../api.ts';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorBoundary, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { useCampus } from '../../use-live.tsx';
import { useCourse } from '../energy/course-panel.tsx';
import { type Kind, usePlan } from '../energy/data.ts';
import { useFigures } from '../energy/figures.ts';
import { Findings } from '../energy/findings.tsx';
import { isDate, kinds } from '../energy/period.ts';
import { PeriodPicker } from '../energy/period-picker.tsx';
import { mediumText, subItemText } from '../energy/terms.ts';
import { useOpenSteps } from './data.ts';
import { Below } from './meter-below.tsx';
import { CostParts } from './meter-cost.tsx';
import { MeterFigures } from './meter-figures.tsx';
import { MeterHealth } from './meter-health.tsx';
import { Phases } from './meter-phases.tsx';
import { words } from './words.ts';

type View = EnergyMeterPageView;

/** `#/energy/meters/<id>?kind=week&date=2026-11-16`: everything about one meter. */
export function MeterPage({ id }: { readonly id: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const { query: asked, path } = useAddress();
  const kind = kinds.find((one) => one === asked.get('kind')) ?? 'day';
  const given = asked.get('date');
  const date = isDate(given) ? given : undefined;
  const open = (next: Kind, day: string | undefined) =>
    goTo(hashOf(path, { kind: next === 'day' ? '' : next, date: day ?? '' }), 'replace');
  const page = useQuery({
    queryKey: ['energy', 'meter', id, kind, date],
    queryFn: ({ signal }) =>
      api.get<View>(`energy/meters/${encodeURIComponent(id)}${query({ kind, date: date ?? '' })}`, signal),
    refetchInterval: kind === 'day' ? 60_000 : 300_000,
    // Asking again makes no meter of none.
    retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status === 404),
    placeholderData: (before) => (before?.meter.id === id ? before : undefined),
  });
  if (page.data === undefined) {
    if (page.error === null) return <PageSkeleton />;
    if (page.error instanceof ApiError && page.error.status === 404) {
      return (
        <EmptyState title={say.unknownMeter} action={<a href={hashOf('/energy/meters')}>{say.back}</a>}>
          {say.unknownMeterHelp}
        </EmptyState>
      );
    }
    return (
      <ErrorState
        message={errorText(page.error, language)}
        detail={errorDetail(page.error)}
        onRetry={() => void page.refetch()}
      />
    );
  }
  const view = page.data;
  const isHere = view.kind === kind;
  return (
    <article className="meters-meter" data-meter={id} aria-busy={page.isPlaceholderData}>
      <MeterHead view={view} />
      <div className="meters-period">
        <PeriodPicker
          kind={kind}
          date={date}
          shown={isHere ? { ...view, running: now() < view.to } : undefined}
          names={say}
          onOpen={open}
        />
        {isHere && kind !== 'day' && (
          <span className="kit-number meters-period-name" aria-live="polite">
            {say.span(shortOf(view.first), shortOf(view.last))}
          </span>
        )}
      </div>
      <ErrorBoundary name={id}>
        <StepNotice energy={view.meter.energy} />
        <MeterFigures view={view} />
        <CoursePanel view={view} />
        <div className="meters-columns">
          {view.meter.medium === 'electricity' && view.meter.kind === 'real' && <Phases view={view} />}
          <CostParts view={view} />
          <Below view={view} />
          <Panel title={say.findings} className="meters-findings">
            {view.findings.length === 0 ? (
              <p className="kit-soft meters-well">{say.noFindings}</p>
            ) : (
              <Findings findings={view.findings} />
            )}
          </Panel>
          <MeterHealth meter={view.meter} />
        </div>
      </ErrorBoundary>
    </article>
  );
}

const shortOf = (date: string) => date.replaceAll('-', '/');

/** What it is, for whom, below which; and where to look further. */
function MeterHead({ view: { meter } }: { readonly view: View }) {
  const say = useWords(words);
  const name = useName();
  const { terms } = useFigures();
  const plan = usePlan().data;
  const campus = useCampus();
  const nameOf = (id: string) => name(plan?.meters.find((one) => one.id === id)?.name) || id;
  const buildings = meter.buildings.map(
    ({ building }) => name(campus?.buildings.find(({ id }) => id === building)?.name) || building,
  );
  const facts = [
    `${mediumText(terms, meter.medium)} ${meter.code}`,
    meter.subItem === null ? '' : subItemText(terms, meter.subItem),
    buildings.length > 0 ? buildings.join(say.comma) : say.wholeCampus,
  ].filter((fact) => fact !== '');
  return (
    <PageHeader
      title={name(meter.name)}
      about={
        <>
          {facts.join(' · ')}
          {meter.under !== null && (
            <>
              {' · '}
              <a href={hashOf(`/energy/meters/${meter.under}`)}>{say.under(nameOf(meter.under))}</a>
            </>
          )}
          {meter.terms.length > 0 &&
            ` · ${say.sumOf(meter.terms.map((term, index) => `${index === 0 && term.sign === 1 ? '' : term.sign === 1 ? '+ ' : '− '}${nameOf(term.meter)}`).join(' '))}`}
          {meter.problem !== null && <strong className="meters-problem"> · {meter.problem}</strong>}
        </>
      }
      actions={
        <>
          {meter.device !== null && (
            <a className="kit-button" href={deviceHash(meter.device)}>
              {say.openDevice}
            </a>
          )}
          {meter.energy !== null && (
            <>
              <a className="kit-button" href={pointHash(meter.energy)}>
                {say.openHistory}
              </a>
              <a className="kit-button" href={hashOf('/energy/counters', { ref: meter.energy })}>
                {say.counters}
              </a>
            </>
          )}
        </>
      }
    />
  );
}

/** A counter that stands still counts too little: said before any figure. */
function StepNotice({ energy }: { readonly energy: string | null }) {
  const say = useWords(words);
  const steps = useOpenSteps();
  if (energy === null || !steps.data?.some(({ ref }) => ref === energy)) return null;
  return (
    <p className="kit-banner" data-notice="step">
      {say.stepOpen} <a href={hashOf('/energy/counters', { ref: energy })}>{say.stepOpenLink}</a>
    </p>
  );
}

function CoursePanel({ view }: { readonly view: View }) {
  const say = useWords(words);
  const name = useName();
  const { unit: unitText } = useFigures();
  const { course, kind, meter, total } = view;
  const step = { day: say.courseDay, week: say.courseWeek, month: say.courseMonth }[kind];
  const label = say.courseLabel(name(meter.name), unitText(meter.unit));
  const { button, shown } = useCourse({ course, unit: meter.unit, kind, now: now(), total: total.value, label });
  const isEmpty = course.every(({ amount }) => amount === null);
  return (
    <Panel
      className="meters-course-panel"
      title={
        <>
          {say.course} <span className="kit-soft meters-unit">{`${unitText(meter.unit)} · ${step}`}</span>
        </>
      }
      extra={isEmpty ? null : button}
    >
      {isEmpty ? <EmptyState title={say.noCourse} /> : shown}
    </Panel>
  );
}
