import { Tabs } from 'antd';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useTicking } from '../../kit/ticker.ts';
import { useRight, useSession } from '../../session.tsx';
import { type EntriesView, useEntries } from '../school-day/data.ts';
import { dateOf } from '../school-day/dates.ts';
import { useNaming } from '../school-day/naming.ts';
import { mistakeText } from '../school-day/reason-words.ts';
import { Calendar } from './calendar.tsx';
import { Exams } from './exams.tsx';
import { Files } from './files.tsx';
import { Items } from './items.tsx';
import { Timetables } from './timetables.tsx';
import { words } from './words.ts';
import './schoolplan.css';

/* `#/school-plan`: the draft. `?month=2026-09&layer=campus`: its calendar; `?tab=timetables`, `items`, `exams`, `files`. */

const tabs = ['calendar', 'timetables', 'items', 'exams', 'files'] as const;

export function Page() {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const today = useTicking((now) => dateOf(now, formats.timeZone));
  const { query } = useAddress();
  const entries = useEntries();
  const mayEdit = useRight('school');
  const { zones } = useSession();
  const tab = tabs.find((one) => one === query.get('tab')) ?? 'calendar';
  const given = query.get('month') ?? '';
  const month = /^\d{4}-(0[1-9]|1[0-2])$/.test(given) ? given : today.slice(0, 7);
  if (entries.isError)
    return (
      <ErrorState
        message={errorText(entries.error, language)}
        detail={errorDetail(entries.error)}
        onRetry={() => void entries.refetch()}
      />
    );
  if (entries.isPending) return <PageSkeleton />;
  const { data } = entries;
  const edits = mayEdit && zones === 'all';
  const shown = {
    calendar: <Calendar entries={data} month={month} layer={query.get('layer') ?? 'campus'} today={today} />,
    timetables: <Timetables entries={data} mayEdit={edits} />,
    items: <Items entries={data} mayEdit={edits} />,
    exams: <Exams entries={data} mayEdit={edits} today={today} />,
    files: <Files entries={data} mayEdit={edits} today={today} />,
  };
  return (
    <div className="schoolplan">
      <PageHeader title={say.title} about={edits ? say.about : say.readOnly} />
      <Standing entries={data} />
      <Tabs
        activeKey={tab}
        onChange={(key) => goTo(hashOf('/school-plan', key === 'calendar' ? {} : { tab: key }), 'replace')}
        destroyOnHidden
        items={tabs.map((key) => ({ key, label: say[key], children: shown[key] }))}
      />
    </div>
  );
}

/** Whether the draft can be signed, and what keeps it from that. */
function Standing({ entries }: { readonly entries: EntriesView }) {
  const say = useWords(words);
  const language = useLanguage();
  const naming = useNaming();
  const wrong = entries.mistakes.filter(({ weight }) => weight === 'mistake');
  const rest = entries.mistakes.length - wrong.length;
  return (
    <div className="schoolplan-standing" data-mistakes={wrong.length}>
      <p role="status">
        {wrong.length === 0 ? say.draftClean : <strong>{say.draftWrong(wrong.length)}</strong>}{' '}
        {rest > 0 && say.draftWarn(rest)}{' '}
        <a href={hashOf('/school-day/sign')} data-act="to-sign">
          {say.toSign}
        </a>
      </p>
      {entries.mistakes.length > 0 && (
        <details>
          <summary>{say.showWrong}</summary>
          <ul>
            {entries.mistakes.slice(0, 50).map(({ entry, path, code, params, weight }) => (
              <li key={`${entry} ${path} ${code}`} data-weight={weight}>
                {entry === '' ? '' : `${naming.entry(entry)}: `}
                {mistakeText(code, language)}
                {aboutText(params)} <span className="kit-soft">{path}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

/** What it is about, as it stands in the entry: an id, a date, a number. */
function aboutText(params: Readonly<Record<string, unknown>>): string {
  const about = Object.values(params).filter((one) => typeof one === 'string' || typeof one === 'number');
  return about.length === 0 ? '' : ` (${about.slice(0, 2).join(', ')})`;
}
