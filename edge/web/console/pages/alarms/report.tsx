import { useQuery } from '@tanstack/react-query';
import { Segmented } from 'antd';
import type { ReactNode } from 'react';
import type { z } from 'zod';
import type { alarmReportSchema } from '../../../rule-schemas.ts';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { api, errorDetail, errorText, query } from '../../api.ts';
import { AlarmClassBadge, type Tone, ToneBadge } from '../../kit/badges.tsx';
import { PageHeader } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { classes } from './filter.ts';
import { type Verdict, verdictOf } from './report-bars.ts';
import { RateChart } from './report-chart.tsx';
import { Chattering, Shelf, Standing, Top } from './report-lists.tsx';
import { reportWords } from './report-words.ts';
import './report.css';

/* `#/alarms/report?days=7`: how well the alarms serve those who must act on them. */

export type Report = z.infer<typeof alarmReportSchema>;

const windows = [1, 7, 30, 90] as const;
const day = 86_400_000;
const tones: Readonly<Record<Verdict, Tone>> = { good: 'good', many: 'wait', over: 'bad' };

export function AlarmReport() {
  const say = useWords(reportWords);
  const language = useLanguage();
  const given = useAddress().query.get('days');
  const days = windows.find((one) => String(one) === given) ?? 7;
  const report = useQuery({
    queryKey: ['alarm-report', days],
    queryFn: async ({ signal }) => {
      // The box's own clock says what "now" is.
      const { time } = await api.get<{ readonly time: number }>('now', signal);
      return api.get<Report>(`alarms/report${query({ from: time - days * day, to: time })}`, signal);
    },
    staleTime: 30_000,
  });
  return (
    <div className="alarms-report">
      <PageHeader
        title={say.title}
        about={say.about}
        actions={
          <a className="kit-button" href="#/alarms">
            ← {say.back}
          </a>
        }
      />
      <Segmented<number>
        aria-label={say.window}
        value={days}
        onChange={(next) => goTo(hashOf('/alarms/report', { days: String(next) }), 'replace')}
        options={windows.map((one) => ({ value: one, label: say.days(one) }))}
      />
      {report.isPending ? (
        <PageSkeleton />
      ) : report.isError ? (
        <ErrorState
          message={errorText(report.error, language)}
          detail={errorDetail(report.error)}
          onRetry={() => void report.refetch()}
        />
      ) : report.data.total === 0 && report.data.standing.length === 0 ? (
        <div className="kit-panel">
          <EmptyState title={say.none}>{say.noneHelp}</EmptyState>
        </div>
      ) : (
        <Figures report={report.data} />
      )}
    </div>
  );
}

function Figures({ report }: { readonly report: Report }) {
  const say = useWords(reportWords);
  const formats = useFormats();
  const { rate, acknowledge } = report;
  const verdict = verdictOf(rate.mean, rate.target);
  const verdicts = { good: say.verdictGood, many: say.verdictMany, over: say.verdictOver } as const;
  // A few in a month are not none.
  const meanText = (mean: number) => (mean > 0 && mean < 0.01 ? '< 0.01' : formats.number(mean, 2));
  const lasts = (ms: number | null) => (ms === null ? say.noTime : formats.duration(ms));
  return (
    <>
      <p className="alarms-report-verdict">
        <ToneBadge tone={tones[verdict]}>{verdicts[verdict]}</ToneBadge>
        <span className="kit-soft">{say.from(formats.dateTime(report.from), formats.dateTime(report.to))}</span>
      </p>
      <dl className="alarms-report-figures">
        <Figure name={say.rate} value={say.alarms(meanText(rate.mean))} help={say.target(String(rate.target))} />
        <Figure name={say.worst} value={say.alarms(formats.number(rate.worst, 0))} />
        <Figure name={say.over} value={formats.percent(rate.over)} />
        <Figure name={say.flood} value={formats.percent(rate.flood)} help={say.floodHelp} />
        <Figure
          name={say.total}
          value={say.alarms(formats.number(report.total, 0))}
          {...(report.suppressed > 0 ? { help: say.suppressed(formats.number(report.suppressed, 0)) } : {})}
        />
        <Figure name={say.acknowledge} value={lasts(acknowledge.median)} help={say.median} />
        <Figure name={say.p90} value={lasts(acknowledge.p90)} />
        <Figure name={say.never} value={say.alarms(formats.number(acknowledge.never, 0))} />
      </dl>
      <RateChart report={report} />
      <ul className="alarms-report-classes" aria-label={say.classes}>
        {classes.map((one) => (
          <li key={one}>
            <AlarmClassBadge alarmClass={one} />{' '}
            <span className="kit-number">{formats.number(report.byClass[one] ?? 0, 0)}</span>
          </li>
        ))}
      </ul>
      <div className="alarms-report-lists">
        <Top top={report.top} />
        <Chattering chattering={report.chattering} />
        <Standing standing={report.standing} />
        <Shelf shelved={report.shelved} shelf={report.shelf} />
      </div>
    </>
  );
}

function Figure({ name, value, help }: { readonly name: string; readonly value: ReactNode; readonly help?: string }) {
  return (
    <div className="kit-panel">
      <dt>{name}</dt>
      <dd className="kit-number">{value}</dd>
      {help !== undefined && <dd className="kit-soft">{help}</dd>}
    </div>
  );
}
