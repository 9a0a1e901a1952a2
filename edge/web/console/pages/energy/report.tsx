import type { ReactNode } from 'react';
import type { EnergyReportView } from '../../../energy-schemas.ts';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { ApiError, errorDetail, errorText } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { DownloadLink } from '../../kit/download.tsx';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useRight } from '../../session.tsx';
import { type Kind, useReport, wholeKnown } from './data.ts';
import { useFigures } from './figures.ts';
import { Findings } from './findings.tsx';
import { isDate, kinds, partsOf, weekOf } from './period.ts';
import { PeriodPicker } from './period-picker.tsx';
import { MediumSection } from './report-medium.tsx';
import { reportWords } from './report-words.ts';
import './report.css';

/* `#/energy/report?kind=month&date=2026-11-01`: one day, week or month in all its figures, for the screen, for paper, as a file. */

export function Report() {
  const say = useWords(reportWords);
  const language = useLanguage();
  const { query } = useAddress();
  const kind = kinds.find((one) => one === query.get('kind')) ?? 'day';
  const given = query.get('date');
  const date = isDate(given) ? given : undefined;
  const asked = useReport(kind, date);
  const report = asked.data;
  const open = (next: Kind, at: string | undefined) =>
    goTo(hashOf('/energy/report', { kind: next, date: at ?? '' }), 'replace');
  return (
    <div className="energy energy-report" aria-busy={asked.isPlaceholderData}>
      <PageHeader title={say.title} actions={<Actions kind={kind} date={date} />} />
      <PeriodPicker kind={kind} date={date} shown={report} names={say} onOpen={open} />
      {asked.isPending ? (
        <PageSkeleton />
      ) : asked.error instanceof ApiError && asked.error.code === 'bad-date' ? (
        <div className="kit-panel">
          <EmptyState title={say.toCome}>{say.toComeHelp}</EmptyState>
        </div>
      ) : report === undefined || (asked.isError && !asked.isPlaceholderData && asked.data === undefined) ? (
        <ErrorState
          message={errorText(asked.error, language)}
          detail={errorDetail(asked.error)}
          onRetry={() => void asked.refetch()}
        />
      ) : (
        <Sheet report={report} />
      )}
    </div>
  );
}

function Actions({ kind, date }: { readonly kind: Kind; readonly date: string | undefined }) {
  const say = useWords(reportWords);
  const language = useLanguage();
  const mayExport = useRight('export');
  const parts = new URLSearchParams({ kind, ...(date === undefined ? {} : { date }), language }).toString();
  return (
    <>
      <a className="kit-button" href="#/energy">
        ← {say.back}
      </a>
      <button type="button" className="kit-button" onClick={() => print()}>
        {say.print}
      </button>
      {mayExport && (
        <>
          <DownloadLink href={`api/v1/energy/report.csv?${parts}`}>{say.csv}</DownloadLink>
          <DownloadLink href={`api/v1/energy/report.pdf?${parts}`}>{say.pdf}</DownloadLink>
        </>
      )}
    </>
  );
}

/** The name of a period: `2026 年 11 月`. */
export function usePeriodTitle(): (report: Pick<EnergyReportView, 'kind' | 'first' | 'last'>) => string {
  const say = useWords(reportWords);
  return ({ kind, first, last }) => {
    const { year, month, day, weekday } = partsOf(first);
    if (kind === 'day') return say.dayTitle(String(year), String(month), String(day), String(weekday));
    if (kind === 'month') return say.monthTitle(String(year), String(month));
    const { year: ofYear, week } = weekOf(first);
    return say.weekTitle(String(ofYear), String(week), first, last);
  };
}

function Sheet({ report }: { readonly report: EnergyReportView }) {
  const say = useWords(reportWords);
  const name = useName();
  const figures = useFigures();
  const titleOf = usePeriodTitle();
  const { media, completeness, running, partial, findings, gaps } = report;
  const isWhole = completeness >= wholeKnown;
  const isKnown = media.some(({ total }) => total.value !== null);
  return (
    <article className="energy-sheet" data-period={`${report.kind} ${report.first}`}>
      <header>
        <h2>{say.sheet(name(report.campus), titleOf(report))}</h2>
        <p>
          <span className="kit-soft">{running ? say.running : say.over}</span>
          <ToneBadge tone={isWhole ? 'good' : 'wait'}>
            {isWhole ? say.whole : `${say.completeness} ${figures.percent(completeness)}`}
          </ToneBadge>
          {partial && <ToneBadge tone="plain">{say.partial}</ToneBadge>}
        </p>
      </header>
      {isKnown ? (
        media.map((medium) => <MediumSection key={medium.medium} medium={medium} report={report} />)
      ) : (
        <div className="kit-panel">
          <EmptyState title={say.none}>{say.noneHelp}</EmptyState>
        </div>
      )}
      <Panel title={say.findings}>
        {findings.length === 0 ? (
          <p className="energy-plain kit-soft">{say.noFindings}</p>
        ) : (
          <Findings findings={findings} />
        )}
      </Panel>
      {gaps.length > 0 && (
        <Panel title={say.gapsTitle}>
          <p className="energy-plain">{say.gapsHelp}</p>
          <ul className="energy-gaps">
            {gaps.map((gap) => (
              <li key={gap.meter}>
                <a href={hashOf(`/energy/meters/${gap.meter}`)}>{name(gap.name)}</a>
                <span className="kit-number">{figures.known(gap.known)}</span>
                <Share share={gap.known} />
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </article>
  );
}

/** A share as a bar beside its number; what is missing is hatched. */
export function Share({ share, children }: { readonly share: number; readonly children?: ReactNode }) {
  return (
    <span className="energy-share" aria-hidden="true">
      <span style={{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }} />
      {children}
    </span>
  );
}
