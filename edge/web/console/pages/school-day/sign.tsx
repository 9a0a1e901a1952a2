import { useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Checkbox, Input } from 'antd';
import { useId, useState } from 'react';
import { goTo, hashOf } from '../../address.ts';
import { api, errorDetail, errorText, query } from '../../api.ts';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { pairIn } from '../../kit/words.ts';
import { useSession } from '../../session.tsx';
import { Changes } from './changes.tsx';
import { ConflictList } from './conflicts.tsx';
import {
  askAnew,
  type ComparedDay,
  type EntriesView,
  type EntryView,
  isChangedMeanwhile,
  type PlanView,
  useEntries,
} from './data.ts';
import { addDays, daysBetween, isDate, longDateText } from './dates.ts';
import { useNaming } from './naming.ts';
import { mistakeText } from './reason-words.ts';
import { unconfirmedText } from './why.tsx';
import { words } from './words.ts';

/** As the box has it: nobody signs for more days than he can look through. */
const mostDays = 31;
const usualDays = 14;

/** What somebody signs: read in one go, the entries first, so that nothing is signed that was not shown. */
interface Sheet {
  readonly entries: EntriesView;
  readonly plan: PlanView;
  readonly changes: readonly ComparedDay[];
}

async function readSheet(from: string, to: string, signal: AbortSignal): Promise<Sheet> {
  const entries = await api.get<EntriesView>('school/entries', signal);
  const span = { from, to };
  const [plan, compared] = await Promise.all([
    api.get<PlanView>(`school/plan${query({ of: 'draft', ...span })}`, signal),
    api.get<{ readonly days: readonly ComparedDay[] }>(
      `school/compare${query({ before: 'signed', after: 'draft', ...span })}`,
      signal,
    ),
  ]);
  return { entries, plan, changes: compared.days };
}

export function SignPage({
  today,
  from: first,
  to: last,
}: {
  readonly today: string;
  readonly from: string;
  readonly to: string;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const { rights, zones } = useSession();
  const from = isDate(first) && first >= today ? first : today;
  const wanted = isDate(last) && last >= from ? last : addDays(from, usualDays - 1);
  const to = daysBetween(today, wanted) > mostDays ? addDays(today, mostDays) : wanted;
  const sheet = useQuery({
    queryKey: ['school-sheet', from, to],
    queryFn: ({ signal }) => readSheet(from, to, signal),
    staleTime: Number.POSITIVE_INFINITY,
    // Anew each time somebody comes to sign; never behind his back while he reads.
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const back = <Button href={hashOf('/school-day', { tab: 'ahead' })}>‹ {say.backToAhead}</Button>;
  const mayNot = !rights.includes('sign') || zones !== 'all';
  return (
    <div className="schoolday schoolday-signing">
      <PageHeader title={say.signTitle} about={say.signAbout} actions={back} />
      {mayNot ? (
        <div className="kit-panel">
          <EmptyState title={say.maySignNot}>{say.maySignNotHelp}</EmptyState>
        </div>
      ) : (
        <>
          <SpanChoice today={today} from={from} to={to} />
          {sheet.isPending ? (
            <PageSkeleton />
          ) : sheet.isError ? (
            <ErrorState
              message={errorText(sheet.error, language)}
              detail={errorDetail(sheet.error)}
              onRetry={() => void sheet.refetch()}
            />
          ) : (
            <SheetView
              key={`${from} ${to}`}
              sheet={sheet.data}
              from={from}
              to={to}
              isReading={sheet.isFetching}
              onRead={() => sheet.refetch()}
            />
          )}
        </>
      )}
    </div>
  );
}

function SpanChoice({ today, from, to }: { readonly today: string; readonly from: string; readonly to: string }) {
  const say = useWords(words);
  const ids = useId();
  const show = (next: { readonly from: string; readonly to: string }) =>
    goTo(hashOf('/school-day/sign', { from: next.from, to: next.to }), 'replace');
  const most = addDays(today, mostDays);
  return (
    <div className="schoolday-choosing">
      <div className="kit-field">
        <label htmlFor={`${ids}-from`}>{say.signFrom}</label>
        <input
          id={`${ids}-from`}
          className="schoolday-input"
          type="date"
          min={today}
          max={most}
          value={from}
          onChange={(event) => isDate(event.target.value) && show({ from: event.target.value, to })}
        />
      </div>
      <div className="kit-field">
        <label htmlFor={`${ids}-to`}>{say.signTo}</label>
        <input
          id={`${ids}-to`}
          className="schoolday-input"
          type="date"
          min={from}
          max={most}
          value={to}
          onChange={(event) => isDate(event.target.value) && show({ from, to: event.target.value })}
        />
      </div>
      <p className="kit-soft">{say.signSpan(String(daysBetween(from, to) + 1))}</p>
    </div>
  );
}

interface Changed {
  readonly id: string;
  readonly now: EntryView | null;
}

/** Entries that are other than those of the sheet. */
function changedSince(sheet: EntriesView, now: EntriesView | undefined): readonly Changed[] {
  if (now === undefined) return [];
  const seen = new Map(sheet.entries.map(({ id, rev }) => [id, rev]));
  const others = now.entries.filter(({ id, rev }) => seen.get(id) !== rev).map((one) => ({ id: one.id, now: one }));
  const ids = new Set(now.entries.map(({ id }) => id));
  const gone = sheet.entries.filter(({ id }) => !ids.has(id)).map(({ id }) => ({ id, now: null }));
  return [...others, ...gone];
}

function SheetView({
  sheet,
  from,
  to,
  isReading,
  onRead,
}: {
  readonly sheet: Sheet;
  readonly from: string;
  readonly to: string;
  readonly isReading: boolean;
  readonly onRead: () => Promise<unknown>;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const naming = useNaming();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const ids = useId();
  const draft = useEntries();
  const [accepted, setAccepted] = useState<ReadonlySet<string>>(new Set());
  const [why, setWhy] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const others = changedSince(sheet.entries, draft.data);
  const mistakes = sheet.entries.mistakes.filter(({ weight }) => weight === 'mistake');
  const { assumptions } = sheet.plan;
  const open = assumptions.filter(({ name }) => !accepted.has(name));
  const conflicts = sheet.plan.days.flatMap((day) => day.conflicts);
  const isEmpty = sheet.entries.entries.length === 0;

  const sign = async () => {
    if (open.length > 0) return setProblem(say.acceptFirst(String(open.length)));
    if (why.trim() === '') return setProblem(say.whyFirst);
    setBusy(true);
    setProblem('');
    try {
      const revs = Object.fromEntries(sheet.entries.entries.map(({ id, rev }) => [id, rev]));
      const accept = assumptions.map(({ name }) => name);
      await api.post('school/releases', { from, to, revs, accept, why: why.trim() });
      await askAnew(queries);
      void message.success(say.signDone(from, to));
      goTo(hashOf('/school-day', { tab: 'ahead' }));
    } catch (error) {
      setProblem(isChangedMeanwhile(error) ? say.changedMeanwhile : signProblem(error));
      await queries.invalidateQueries({ queryKey: ['school', 'entries'] });
    } finally {
      setBusy(false);
    }
    return undefined;
  };
  const signProblem = (error: unknown) => {
    const detail = errorDetail(error);
    return `${errorText(error, language)}${detail === '' ? '' : say.inBrackets(detail)}`;
  };
  const redo = async () => {
    setProblem('');
    setAccepted(new Set());
    await onRead();
  };

  if (isEmpty)
    return (
      <div className="kit-panel">
        <EmptyState title={say.noDraft}>{say.noDraftHelp}</EmptyState>
      </div>
    );
  return (
    <>
      {others.length > 0 && <Others others={others} isReading={isReading} onRedo={redo} />}
      {mistakes.length > 0 && (
        <div className="schoolday-loud" role="alert" data-mistakes={mistakes.length}>
          <SignIcon sign="octagon" size={18} />
          <div>
            <strong>{say.mistakes(String(mistakes.length))}</strong>
            <ul>
              {mistakes.slice(0, 12).map(({ entry, path, code }) => (
                <li key={`${entry} ${path} ${code}`}>
                  {entry === ''
                    ? mistakeText(code, language)
                    : pairIn(language, naming.entry(entry), mistakeText(code, language))}{' '}
                  {path !== '' && <code>{path}</code>}
                </li>
              ))}
            </ul>
            <a href="#/school-plan">{say.toPlan}</a>
          </div>
        </div>
      )}
      <ConflictList conflicts={conflicts} hasDates />
      <Panel
        title={say.whatChanges}
        extra={<span className="kit-soft">{say.changedDays(String(sheet.changes.length))}</span>}
      >
        <div className="schoolday-panelbody">
          <Changes days={sheet.changes} />
        </div>
      </Panel>
      {assumptions.length > 0 && (
        <section className="schoolday-loud schoolday-accept" aria-label={say.assumptions}>
          <SignIcon sign="triangle" size={18} />
          <div>
            <strong>{say.assumptions}</strong>
            <p>{say.assumptionsHelp}</p>
            <ul>
              {assumptions.map(({ name, reason }) => (
                <li key={name}>
                  <Checkbox
                    checked={accepted.has(name)}
                    data-accept={name}
                    onChange={(event) => {
                      const next = new Set(accepted);
                      if (event.target.checked) next.add(name);
                      else next.delete(name);
                      setAccepted(next);
                    }}
                  >
                    {say.accept(unconfirmedText(reason, naming))}
                  </Checkbox>
                </li>
              ))}
            </ul>
          </div>
        </section>
      )}
      <form
        className="kit-panel schoolday-signform"
        onSubmit={(event) => {
          event.preventDefault();
          void sign();
        }}
      >
        <div className="kit-field">
          <label htmlFor={`${ids}-why`}>{say.signWhy}</label>
          <Input
            id={`${ids}-why`}
            value={why}
            maxLength={300}
            aria-required
            onChange={(event) => setWhy(event.target.value)}
          />
        </div>
        <p className="kit-soft">{say.signWill(longDateText(from, language), longDateText(to, language))}</p>
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
        <Button
          type="primary"
          size="large"
          htmlType="submit"
          data-act="sign-now"
          loading={isBusy}
          disabled={mistakes.length > 0 || others.length > 0 || isReading}
        >
          {say.signNow}
        </Button>
      </form>
    </>
  );
}

/** The draft is another by now: who changed what, and a button to look at it anew. */
function Others({
  others,
  isReading,
  onRedo,
}: {
  readonly others: readonly Changed[];
  readonly isReading: boolean;
  readonly onRedo: () => Promise<void>;
}) {
  const say = useWords(words);
  const naming = useNaming();
  const formats = useFormats();
  return (
    <div className="schoolday-loud" role="alert" data-changed-meanwhile={others.length}>
      <SignIcon sign="triangle" size={18} />
      <div>
        <strong>{say.draftChanged}</strong>
        <ul>
          {others.slice(0, 12).map(({ id, now }) => (
            <li key={id}>
              {now === null
                ? say.entryGone(naming.entry(id))
                : say.entryChanged(naming.entry(id), naming.who(now.who), formats.clock(now.time))}
            </li>
          ))}
        </ul>
        <Button data-act="redo" loading={isReading} onClick={() => void onRedo()}>
          {say.lookAgain}
        </Button>
      </div>
    </div>
  );
}
