import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { EnergyMeterPageView } from '../../../energy-schemas.ts';
import { deviceHash, hashOf, pointHash, useAddress } from '../../address.ts';
import { ApiError, api, errorDetail, errorText, query } from '../../api.ts';
import { CardTable } from '../../kit/card-table.tsx';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorBoundary, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { useCampus } from '../../use-live.tsx';
import { stateOf } from '../energy/course-scale.ts';
import { usePlan } from '../energy/data.ts';
import { useFigures } from '../energy/figures.ts';
import { Findings } from '../energy/findings.tsx';
import { mediumText, subItemText } from '../energy/terms.ts';
import { type Course, CourseBars, useDoubt, useSpanText } from './course-bars.tsx';
import { useOpenSteps } from './data.ts';
import { Below } from './meter-below.tsx';
import { CostParts } from './meter-cost.tsx';
import { MeterFigures } from './meter-figures.tsx';
import { MeterHealth } from './meter-health.tsx';
import { Phases } from './meter-phases.tsx';
import { PeriodBar } from './period-bar.tsx';
import { kindOf } from './period-date.ts';
import { words } from './words.ts';

type View = EnergyMeterPageView;

/** `#/energy/meters/<id>?kind=week&date=2026-11-16`: everything about one meter. */
export function MeterPage({ id }: { readonly id: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const { query: asked, path } = useAddress();
  const kind = kindOf(asked.get('kind'));
  const date = asked.get('date') ?? '';
  const page = useQuery({
    queryKey: ['energy', 'meter', id, kind, date],
    queryFn: ({ signal }) => api.get<View>(`energy/meters/${encodeURIComponent(id)}${query({ kind, date })}`, signal),
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
      <PeriodBar
        path={path}
        period={{ kind, date }}
        first={isHere ? view.first : undefined}
        last={isHere ? view.last : undefined}
        isRunning={now() < view.to}
      />
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
  const [isTable, setTable] = useState(false);
  const { course, kind, meter } = view;
  const step = { day: say.courseDay, week: say.courseWeek, month: say.courseMonth }[kind];
  const isEmpty = course.every(({ amount }) => amount === null);
  return (
    <Panel
      className="meters-course-panel"
      title={
        <>
          {say.course} <span className="kit-soft meters-unit">{`${unitText(meter.unit)} · ${step}`}</span>
        </>
      }
      extra={
        <button type="button" className="kit-plain-button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          {isTable ? say.asChart : say.asTable}
        </button>
      }
    >
      {isEmpty ? (
        <EmptyState title={say.noCourse} />
      ) : isTable ? (
        <CourseTable view={view} />
      ) : (
        <CourseBars
          course={course}
          unit={meter.unit}
          kind={kind}
          now={now()}
          label={say.courseLabel(name(meter.name), unitText(meter.unit))}
        />
      )}
    </Panel>
  );
}

function CourseTable({ view: { course, kind, meter } }: { readonly view: View }) {
  const say = useWords(words);
  const figures = useFigures();
  const spanText = useSpanText(kind);
  return (
    <CardTable<Course[number]>
      label={say.course}
      rows={course.filter((one) => stateOf(one, now()) !== 'future')}
      keyOf={({ from }) => String(from)}
      minWidth={380}
      columns={[
        { key: 'time', title: say.time, render: (one) => <span className="kit-number">{spanText(one)}</span> },
        {
          key: 'amount',
          title: say.amount,
          align: 'right',
          render: (one) => <AmountCell one={one} unit={meter.unit} />,
        },
        {
          key: 'usual',
          title: say.legendBaseline,
          align: 'right',
          render: ({ baseline }) => <span className="kit-number">{figures.amount(baseline, meter.unit)}</span>,
        },
      ]}
    />
  );
}

function AmountCell({ one, unit }: { readonly one: Course[number]; readonly unit: 'kW.h' | 'm3' }) {
  const figures = useFigures();
  const doubt = useDoubt(stateOf(one, now()), one.known);
  return (
    <span className="kit-number">
      {figures.amount(one.amount, unit)}
      {doubt !== null && <span className="meters-note">{doubt}</span>}
    </span>
  );
}
