import { useQuery } from '@tanstack/react-query';
import { api, errorDetail, errorText } from '../../api.ts';
import { type AlarmClass, AlarmClassBadge } from '../../kit/badges.tsx';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useSession } from '../../session.tsx';
import { Channels } from './channels.tsx';
import { NoticeList } from './notice-list.tsx';
import { type Channel, type Ladder, type Notify, stepText } from './notice-words.ts';
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
  const { channels, ladders } = notify.data;
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
      <Ladders ladders={ladders} channels={channels} />
      <NoticeList channels={channels} />
    </>
  );
}

function isClass(text: string): text is AlarmClass {
  return ['critical', 'high', 'medium', 'low'].includes(text);
}

/** Who is told when, as sentences. */
function Ladders({
  ladders,
  channels,
}: {
  readonly ladders: readonly Ladder[];
  readonly channels: readonly Channel[];
}) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const formats = useFormats();
  return (
    <Panel title={say.ladders} extra={<span className="kit-soft">{say.laddersHelp}</span>}>
      {ladders.length === 0 ? (
        <p className="notices-none">{say.laddersNone}</p>
      ) : (
        <ul className="notices-ladders">
          {ladders.map((ladder) => (
            <li key={ladder.id} data-ladder={ladder.id}>
              <h3>{name(ladder.name)}</h3>
              <p className="notices-classes">
                <span className="kit-soft">{say.applies}</span>
                {ladder.classes.filter(isClass).map((one) => (
                  <AlarmClassBadge key={one} alarmClass={one} />
                ))}
              </p>
              <ol>
                {ladder.steps.map((step, index) => (
                  <li key={index}>{stepText(step, channels, language, (ms) => formats.duration(ms))}</li>
                ))}
              </ol>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
