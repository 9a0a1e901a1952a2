import { useQuery } from '@tanstack/react-query';
import { api, errorDetail, errorText } from '../../api.ts';
import { type AlarmClass, AlarmClassBadge } from '../../kit/badges.tsx';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { stateWords } from '../../kit/state-words.ts';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useZoneName } from '../../names.ts';
import { useSession } from '../../session.tsx';
import { Channels } from './channels.tsx';
import { NoticeList } from './notice-list.tsx';
import { clockText, type Ladder, type Notify, stepText } from './notice-words.ts';
import { words } from './words.ts';
import './notices.css';

/** `#/notices`: channels and how they fare, who is told when, and what became of each notice. */
export function Page() {
  const say = useWords(words);
  const { zones } = useSession();
  return (
    <div className="notices">
      <PageHeader title={say.title} about={say.about} />
      {zones === 'all' ? (
        <Notices />
      ) : (
        <div className="kit-panel">
          <EmptyState title={say.wholeOnly}>{say.wholeOnlyHelp}</EmptyState>
        </div>
      )}
    </div>
  );
}

function Notices() {
  const say = useWords(words);
  const language = useLanguage();
  const notify = useQuery({
    queryKey: ['notify'],
    queryFn: ({ signal }) => api.get<Notify>('notify', signal),
    refetchInterval: 10_000,
  });
  if (notify.isPending) return <PageSkeleton />;
  if (notify.data === undefined) {
    return (
      <ErrorState
        message={errorText(notify.error, language)}
        detail={errorDetail(notify.error)}
        onRetry={() => void notify.refetch()}
      />
    );
  }
  const { channels } = notify.data;
  if (channels.length === 0) {
    return (
      <div className="kit-panel">
        <EmptyState title={say.channelsNone}>{say.channelsNoneHelp}</EmptyState>
      </div>
    );
  }
  return (
    <>
      <Channels channels={channels} />
      <Ladders notify={notify.data} />
      <NoticeList channels={channels} />
    </>
  );
}

function isClass(text: string): text is AlarmClass {
  return ['critical', 'high', 'medium', 'low'].includes(text);
}

/** Who is told when, as sentences. */
function Ladders({ notify }: { readonly notify: Notify }) {
  const say = useWords(words);
  const { ladders } = notify;
  return (
    <Panel title={say.ladders} extra={<span className="kit-soft">{say.laddersHelp}</span>}>
      {ladders.length === 0 ? (
        <p className="notices-none">{say.laddersNone}</p>
      ) : (
        <>
          <ul className="notices-ladders">
            {ladders.map((ladder) => (
              <LadderCard key={ladder.id} ladder={ladder} notify={notify} />
            ))}
          </ul>
          <Restraint notify={notify} />
        </>
      )}
    </Panel>
  );
}

function LadderCard({ ladder, notify }: { readonly ladder: Ladder; readonly notify: Notify }) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const formats = useFormats();
  const zoneName = useZoneName();
  const { classes, zones, sources, steps, repeat } = ladder;
  const where = zones === null ? say.everywhere : say.zones(zones.map((zone) => zoneName(zone)).join(say.and));
  const duration = (ms: number) => formats.duration(ms);
  return (
    <li data-ladder={ladder.id}>
      <h3>{name(ladder.name)}</h3>
      <p className="notices-classes">
        <span className="kit-soft">{say.applies}</span>
        {classes.filter(isClass).map((one) => (
          <AlarmClassBadge key={one} alarmClass={one} />
        ))}
        <span data-where={zones === null ? 'all' : zones.join(' ')}>{where}</span>
        {sources !== null && <span>{say.sources(sources.join(say.and))}</span>}
      </p>
      <ol>
        {steps.map((step, index) => (
          <li key={index}>{stepText(step, notify.channels, language, duration)}</li>
        ))}
      </ol>
      <p className="notices-repeat kit-soft">
        {repeat.times === 0 ? say.repeatsNot : say.repeats(duration(repeat.every), repeat.times)}
      </p>
    </li>
  );
}

/** What is put off or gathered, whatever the ladder. */
function Restraint({ notify }: { readonly notify: Notify }) {
  const say = useWords(words);
  const classNames = useWords(stateWords);
  const { quietHours, perHour } = notify;
  const except = quietHours?.except.filter(isClass).map((one) => classNames[`class:${one}`]) ?? [];
  return (
    <p className="notices-restraint" data-quiet={quietHours !== null}>
      {quietHours === null ? say.quietNone : say.quiet(clockText(quietHours.from), clockText(quietHours.to))}
      {except.length > 0 && ` ${say.quietExcept(except.join(say.and))}`}
      {perHour !== null && ` ${say.perHour(perHour)}`}
    </p>
  );
}
