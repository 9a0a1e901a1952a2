import { Segmented } from 'antd';
import { useState } from 'react';
import type { EnergyNowView, EnergyPlanView, EnergyReportView } from '../../../energy-schemas.ts';
import { errorDetail, errorText } from '../../api.ts';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorBoundary, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { BasePanel } from './base-panel.tsx';
import { useCourse } from './course-panel.tsx';
import { type Kind, type MediumReport, useEnergyNow, useFindings, usePlan, useReport } from './data.ts';
import { DemandPanel } from './demand-panel.tsx';
import { useFigures } from './figures.ts';
import { Findings } from './findings.tsx';
import { MediaCards } from './media-cards.tsx';
import { Nothing, Problems } from './nothing.tsx';
import { NowStrip } from './now-strip.tsx';
import { CostParts } from './parts.tsx';
import { kinds } from './period.ts';
import { RankingPanel } from './ranking-panel.tsx';
import { mediumText } from './terms.ts';
import { WherePanel } from './where-panel.tsx';
import { words } from './words.ts';

export function Overview() {
  const say = useWords(words);
  const language = useLanguage();
  const plan = usePlan();
  const now = useEnergyNow();
  const report = useReport('day');
  const header = (
    <PageHeader
      title={say.title}
      about={say.about}
      actions={
        <a className="kit-button" href="#/energy/report">
          {say.toReport}
        </a>
      }
    />
  );
  const failed = [plan, now, report].find(({ isError, data }) => isError && data === undefined);
  return (
    <div className="energy">
      {header}
      {failed !== undefined ? (
        <ErrorState
          message={errorText(failed.error, language)}
          detail={errorDetail(failed.error)}
          onRetry={() => void failed.refetch()}
        />
      ) : plan.data === undefined ? (
        <PageSkeleton />
      ) : plan.data.meters.length === 0 ? (
        <Nothing plan={plan.data} />
      ) : now.data === undefined || report.data === undefined ? (
        <PageSkeleton />
      ) : (
        <Standing plan={plan.data} now={now.data} report={report.data} />
      )}
    </div>
  );
}

interface StandingProps {
  readonly plan: EnergyPlanView;
  readonly now: EnergyNowView;
  readonly report: EnergyReportView;
}

/** Electricity first; what is metered without it is told as well. */
function Standing({ plan, now, report }: StandingProps) {
  const say = useWords(words);
  const main = report.media.find(({ medium }) => medium === 'electricity') ?? report.media[0];
  if (main === undefined) return <Nothing plan={plan} />;
  const others = report.media.filter((medium) => medium !== main);
  return (
    <>
      <Problems problems={plan.problems} />
      {report.partial && <p className="kit-soft energy-partial">{say.partial}</p>}
      <ErrorBoundary name="now">
        <NowStrip now={now} meters={plan.meters} main={main} report={report} />
      </ErrorBoundary>
      <div className="energy-grid">
        <Demands plan={plan} now={now} />
        <ErrorBoundary name="today">
          <Today medium={main} now={now.time} currency={report.currency} isOnly={plan.demand.length === 0} />
        </ErrorBoundary>
        <ErrorBoundary name="findings">
          <FindingsPanel />
        </ErrorBoundary>
        <div className="energy-side">
          <ErrorBoundary name="base">
            <BasePanel medium={main} />
          </ErrorBoundary>
          {others.length > 0 && <MediaCards others={others} now={now} meters={plan.meters} />}
        </div>
        <ErrorBoundary name="where">
          <Where plan={plan} today={report} />
        </ErrorBoundary>
      </div>
    </>
  );
}

function Demands({ plan, now }: Pick<StandingProps, 'plan' | 'now'>) {
  const say = useWords(words);
  const name = useName();
  if (plan.demand.length === 0) return null;
  if (now.demand.length === 0) {
    return (
      <Panel title={say.demand} className="energy-demand">
        <EmptyState title={say.demandAway} />
      </Panel>
    );
  }
  return now.demand.map((demand) => {
    const meter = plan.meters.find(({ id }) => id === demand.meter);
    return (
      <ErrorBoundary key={demand.meter} name={demand.meter}>
        <DemandPanel
          demand={demand}
          highest={now.highest.find((one) => one.meter === demand.meter)}
          title={meter === undefined ? say.demand : say.demandOf(name(meter.name))}
        />
      </ErrorBoundary>
    );
  });
}

interface TodayProps {
  readonly medium: MediumReport;
  readonly now: number;
  readonly currency: string | null;
  /** Nothing stands beside it. */
  readonly isOnly: boolean;
}

function Today({ medium, now, currency, isOnly }: TodayProps) {
  const say = useWords(words);
  const { terms } = useFigures();
  const { course, unit, total } = medium;
  const { button, shown } = useCourse({ course, unit, kind: 'day', now, total: total.value, height: 250, fills: true });
  const isKnown = course.some(({ amount, baseline }) => (amount ?? baseline ?? 0) > 0);
  return (
    <Panel
      title={medium.medium === 'electricity' ? say.today : say.todayOf(mediumText(terms, medium.medium))}
      className={`energy-today ${isOnly ? 'energy-wide' : ''}`}
      extra={isKnown && button}
    >
      {isKnown ? shown : <EmptyState title={say.nothingYet}>{say.nothingYetHelp}</EmptyState>}
      <CostParts medium={medium} currency={currency} />
    </Panel>
  );
}

function FindingsPanel() {
  const say = useWords(words);
  const figures = useFigures();
  const language = useLanguage();
  const asked = useFindings();
  const findings = asked.data ?? [];
  const cost = findings.reduce((sum, { costPerDay }) => sum + (costPerDay ?? 0), 0);
  const currency = findings.find(({ costPerDay }) => costPerDay !== null)?.currency ?? null;
  return (
    <Panel
      title={say.findings}
      className="energy-odd"
      extra={cost > 0 && <span className="kit-number">{say.findingsCost(figures.money(cost, currency))}</span>}
    >
      {asked.isPending ? (
        <PageSkeleton />
      ) : asked.isError && asked.data === undefined ? (
        <ErrorState
          message={errorText(asked.error, language)}
          detail={errorDetail(asked.error)}
          onRetry={() => void asked.refetch()}
        />
      ) : findings.length === 0 ? (
        <EmptyState title={say.noFindings}>{say.noFindingsHelp}</EmptyState>
      ) : (
        <Findings findings={findings} />
      )}
    </Panel>
  );
}

/** Where it goes and who takes most, of a period and a medium that one chooses. */
function Where({ plan, today }: { readonly plan: EnergyPlanView; readonly today: EnergyReportView }) {
  const say = useWords(words);
  const { terms } = useFigures();
  const [kind, setKind] = useState<Kind>('day');
  const [wanted, setMedium] = useState<MediumReport['medium']>('electricity');
  const asked = useReport(kind);
  const report = asked.data ?? today;
  const medium = report.media.find((one) => one.medium === wanted) ?? report.media[0];
  if (medium === undefined) return null;
  return (
    <div className="energy-wide energy-where-all" data-kind={report.kind} aria-busy={asked.isFetching}>
      <div className="energy-choices">
        <Segmented<Kind>
          aria-label={say.period}
          value={kind}
          onChange={setKind}
          options={kinds.map((one) => ({ value: one, label: say[one] }))}
        />
        {report.media.length > 1 && (
          <Segmented<MediumReport['medium']>
            aria-label={say.medium}
            value={medium.medium}
            onChange={setMedium}
            options={report.media.map((one) => ({ value: one.medium, label: mediumText(terms, one.medium) }))}
          />
        )}
      </div>
      <div className="energy-grid">
        <WherePanel plan={plan} report={report} medium={medium} />
        <RankingPanel medium={medium} buildings={plan.buildings} />
      </div>
    </div>
  );
}
