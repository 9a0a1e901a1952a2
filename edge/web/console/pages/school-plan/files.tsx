import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Checkbox, Input, Select } from 'antd';
import { useId, useState } from 'react';
import { type DayKind, dayKinds, type SchoolDays } from '#edge/domain/school.ts';
import { api, errorText, query } from '../../api.ts';
import { DownloadLink } from '../../kit/download.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useRight } from '../../session.tsx';
import { askAnew, type EntriesView } from '../school-day/data.ts';
import { addDays } from '../school-day/dates.ts';
import { dayKindText } from '../school-day/reason-words.ts';
import { detailOf } from './entry-editor.tsx';
import { Field, Section } from './fields.tsx';
import { type DraftChange, idMaker } from './month-days.ts';
import { words } from './words.ts';

/** As `school/ics-import.ts` gives it. */
interface Import {
  readonly drafts: readonly { readonly uid: string; readonly line: number; readonly days: SchoolDays }[];
  readonly timed: readonly unknown[];
  readonly refused: readonly unknown[];
}

/** Calendars and tables out of the plan, and other calendars into it. */
export function Files({
  entries,
  mayEdit,
  today,
}: {
  readonly entries: EntriesView;
  readonly mayEdit: boolean;
  readonly today: string;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const mayExport = useRight('export');
  const span = (days: number) => query({ of: 'draft', from: today, to: addDays(today, days - 1), language });
  return (
    <div className="schoolplan-two">
      {mayExport && (
        <Section title={say.exportTitle}>
          <div className="kit-actions">
            <DownloadLink href={`api/v1/school/days.ics${span(366)}`}>{say.exportDays}</DownloadLink>
            <DownloadLink href={`api/v1/school/bells.ics${span(14)}`}>{say.exportBells}</DownloadLink>
            <DownloadLink href={`api/v1/school/days.csv${span(366)}`}>{say.exportDaysCsv}</DownloadLink>
            <DownloadLink href={`api/v1/school/bells.csv${span(14)}`}>{say.exportBellsCsv}</DownloadLink>
          </div>
        </Section>
      )}
      {mayEdit && <ImportCalendar entries={entries} today={today} />}
    </div>
  );
}

function ImportCalendar({ entries, today }: { readonly entries: EntriesView; readonly today: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const queries = useQueryClient();
  const ids = useId();
  const { message } = App.useApp();
  const [text, setText] = useState('');
  const [found, setFound] = useState<Import | null>(null);
  const [left, setLeft] = useState<ReadonlySet<number>>(new Set());
  const [kinds, setKinds] = useState<Readonly<Record<number, DayKind>>>({});
  const [problems, setProblems] = useState<readonly string[]>([]);
  const attempt = async (act: () => Promise<void>) => {
    setProblems([]);
    try {
      await act();
    } catch (error) {
      setProblems([errorText(error, language), ...detailOf(error)]);
    }
  };
  const read = () =>
    attempt(async () => {
      const answer = await api.post<Import>('school/calendar-import', {
        ...{ text, layer: 'campus', from: addDays(today, -200), to: addDays(today, 500) },
      });
      setFound(answer);
      setLeft(new Set());
    });
  const take = (taken: readonly { readonly days: SchoolDays; readonly at: number }[]) =>
    attempt(async () => {
      const newId = idMaker(
        'days',
        entries.entries.map(({ id }) => id),
      );
      const changes = taken.map(
        ({ days, at }): DraftChange => ({ id: newId(), rev: 0, body: { ...days, kind: kinds[at] ?? days.kind } }),
      );
      await api.post('school/entries', { changes, why: '' });
      await askAnew(queries);
      void message.success(say.paintedDone);
      setFound(null);
    });
  const taken = (found?.drafts ?? []).flatMap(({ days }, at) => (left.has(at) ? [] : [{ days, at }]));
  return (
    <Section title={say.importIcs}>
      <p className="kit-soft">{say.importIcsHelp}</p>
      <div className="kit-field">
        <label htmlFor={`${ids}-file`}>{say.choose}</label>
        <input
          id={`${ids}-file`}
          type="file"
          accept=".ics,text/calendar"
          onChange={(event) => void event.target.files?.[0]?.text().then(setText)}
        />
      </div>
      <Field label={say.importText}>
        {(id) => <Input.TextArea id={id} rows={4} value={text} onChange={(event) => setText(event.target.value)} />}
      </Field>
      <div className="kit-form-error" role="alert">
        {problems.map((problem) => (
          <p key={problem}>{problem}</p>
        ))}
      </div>
      <div className="kit-actions">
        <Button onClick={() => void read()} disabled={text.trim() === ''} data-act="read">
          {say.readFile}
        </Button>
      </div>
      {found !== null && (
        <>
          {found.drafts.length === 0 && <p>{say.importNone}</p>}
          {found.timed.length > 0 && <p className="kit-soft">{say.importTimed(found.timed.length)}</p>}
          {found.refused.length > 0 && <p className="kit-soft">{say.importRefused(found.refused.length)}</p>}
          <ul className="schoolplan-list">
            {found.drafts.map(({ uid, line, days }, at) => (
              <li key={`${uid} ${line}`} data-import={at}>
                <Checkbox
                  checked={!left.has(at)}
                  onChange={(event) => {
                    const next = new Set(left);
                    if (event.target.checked) next.delete(at);
                    else next.add(at);
                    setLeft(next);
                  }}
                >
                  {name(days.name)}
                </Checkbox>
                <span className="kit-soft">{say.paintTitle(days.from, days.to)}</span>
                <Select<DayKind>
                  aria-label={`${name(days.name)} ${say.importKind}`}
                  value={kinds[at] ?? days.kind}
                  onChange={(kind) => setKinds({ ...kinds, [at]: kind })}
                  options={dayKinds.map((kind) => ({ value: kind, label: dayKindText(kind, language) }))}
                  popupMatchSelectWidth={false}
                />
              </li>
            ))}
          </ul>
          {found.drafts.length > 0 && (
            <div className="kit-actions">
              <Button type="primary" disabled={taken.length === 0} onClick={() => void take(taken)} data-act="take">
                {say.importTake(taken.length)}
              </Button>
            </div>
          )}
        </>
      )}
    </Section>
  );
}
