import { Button, Tabs } from 'antd';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { useTicking } from '../../kit/ticker.ts';
import { Ahead } from './ahead.tsx';
import { dateOf, isDate } from './dates.ts';
import { DaySheet } from './day-sheet.tsx';
import { Notices } from './notices.tsx';
import { Releases } from './releases.tsx';
import { SignPage } from './sign.tsx';
import { Simulator } from './simulator.tsx';
import { Today } from './today.tsx';
import { words } from './words.ts';
import './schoolday.css';

/*
 * `#/school-day`: what the school day is today. `?tab=ahead`, `?tab=simulator&date=2026-12-01&of=draft&layer=campus&with=signed`,
 * `?tab=releases`; `/school-day/sign?from=&to=`: signing; `/school-day/sheet?date=&of=&layer=`: a day on paper.
 */

const tabs = ['today', 'ahead', 'simulator', 'releases'] as const;

export function Page() {
  const { path, query } = useAddress();
  const formats = useFormats();
  const today = useTicking((now) => dateOf(now, formats.timeZone));
  const given = query.get('date');
  const date = isDate(given) ? given : today;
  if (path === '/school-day/sign')
    return <SignPage today={today} from={query.get('from') ?? ''} to={query.get('to') ?? ''} />;
  if (path === '/school-day/sheet')
    return <DaySheet date={date} of={query.get('of') ?? 'signed'} layer={query.get('layer') ?? 'campus'} />;
  return <Main today={today} date={date} query={query} />;
}

function Main({
  today,
  date,
  query,
}: {
  readonly today: string;
  readonly date: string;
  readonly query: URLSearchParams;
}) {
  const say = useWords(words);
  const tab = tabs.find((one) => one === query.get('tab')) ?? 'today';
  return (
    <div className="schoolday">
      <PageHeader
        title={say.title}
        about={say.about}
        // The simulator has one of its own, for the date that it shows.
        {...(tab === 'simulator' ? {} : { actions: <Button href={hashOf('/school-day/sheet')}>{say.print}</Button> })}
      />
      <Notices />
      <Tabs
        activeKey={tab}
        onChange={(key) => goTo(hashOf('/school-day', key === 'today' ? {} : { tab: key }), 'replace')}
        destroyOnHidden
        items={[
          { key: 'today', label: say.today, children: <Today today={today} /> },
          { key: 'ahead', label: say.ahead, children: <Ahead today={today} /> },
          {
            key: 'simulator',
            label: say.simulator,
            children: (
              <Simulator
                date={date}
                of={query.get('of') ?? 'draft'}
                layer={query.get('layer') ?? ''}
                other={query.get('with') ?? ''}
              />
            ),
          },
          { key: 'releases', label: say.releases, children: <Releases /> },
        ]}
      />
    </div>
  );
}
