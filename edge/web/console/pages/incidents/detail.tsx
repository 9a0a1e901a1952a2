import { Button } from 'antd';
import { type ReactNode, useState } from 'react';
import { hashOf } from '../../address.ts';
import { ApiError, errorDetail, errorText } from '../../api.ts';
import { AlarmClassBadge } from '../../kit/badges.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { useDeviceName } from '../../names.ts';
import { useRight } from '../../session.tsx';
import { useCampus } from '../../use-live.tsx';
import type { IncidentActs } from './acts.ts';
import { Cases } from './cases.tsx';
import { Course, NoteField } from './course.tsx';
import { type IncidentPage, useIncident, type Whole } from './data.ts';
import type { Asking } from './dialogs.tsx';
import { Countdown, StateWords } from './incident-row.tsx';
import { Pictures } from './pictures.tsx';
import { useIncidentTexts } from './texts.ts';
import { words } from './words.ts';

export interface DetailProps {
  readonly id: string;
  readonly acts: IncidentActs;
  readonly hrefOf: (id: string) => string;
  readonly onAsk: (asking: Asking) => void;
  /** The list, whose keys these are, is not there. */
  readonly isAlone: boolean;
}

/** Everything about one incident: what to do first, then what is known. */
export function Detail(props: DetailProps) {
  const say = useWords(words);
  const language = useLanguage();
  const asked = useIncident(props.id);
  if (asked.data !== undefined) return <Incident {...props} page={asked.data} />;
  if (asked.isPending) return <PageSkeleton />;
  const { error } = asked;
  if (error instanceof ApiError && (error.status === 404 || error.status === 400)) {
    return <EmptyState title={say.missing}>{say.missingHelp}</EmptyState>;
  }
  return (
    <ErrorState message={errorText(error, language)} detail={errorDetail(error)} onRetry={() => void asked.refetch()} />
  );
}

function Incident(props: DetailProps & { readonly page: IncidentPage }) {
  const { page, acts } = props;
  const { incident } = page;
  const say = useWords(words);
  const { titleOf } = useIncidentTexts();
  const mayLook = useRight('pictures');
  const mayTake = useRight('evidence');
  return (
    <article
      className={`incidents-detail incidents-${incident.class}`}
      data-detail={incident.id}
      data-state={incident.state}
    >
      {props.isAlone && <DetailKeys {...props} incident={incident} mayTake={mayTake} />}
      <header>
        <p className="incidents-signs">
          <AlarmClassBadge alarmClass={incident.class} /> <StateWords incident={incident} />
          {incident.state === 'new' && incident.escalatesAt !== null && <Countdown at={incident.escalatesAt} />}
        </p>
        <h2>{titleOf(incident)}</h2>
        <Times incident={incident} />
      </header>
      <Acts {...props} incident={incident} />
      {mayLook ? <Pictures key={incident.id} page={page} /> : <p className="kit-soft">{say.noPictureRight}</p>}
      <Part title={say.cameras}>
        <Devices incident={incident} />
      </Part>
      <Part title={say.footage}>
        <Footage page={page} />
      </Part>
      {mayTake && (
        <Part title={say.cases}>
          <Cases incident={incident} acts={acts} onExport={() => props.onAsk({ what: 'export', incident })} />
        </Part>
      )}
      <Part title={say.course}>
        {incident.state !== 'resolved' && <NoteField key={incident.id} id={incident.id} acts={acts} />}
        <Course incident={incident} />
      </Part>
      <Part title={say.events}>
        <Events page={page} />
      </Part>
    </article>
  );
}

/** The keys of the list, where details have taken its place. */
function DetailKeys({
  incident,
  acts,
  onAsk,
  mayTake,
}: DetailProps & { readonly incident: Whole; readonly mayTake: boolean }) {
  const say = useWords(words);
  const isOpen = incident.state !== 'resolved' && !acts.isAway;
  useShortcut('a', say.keySeen, () => void acts.see([incident]));
  useShortcut('c', say.keyClaim, () => {
    if (isOpen && incident.claimedBy === null) void acts.claim(incident);
  });
  useShortcut('r', say.keyResolve, () => {
    if (isOpen && incident.emergency === null) onAsk({ what: 'resolve', incident });
  });
  useShortcut('e', say.keyExport, () => {
    if (mayTake && !acts.isAway) onAsk({ what: 'export', incident });
  });
  return null;
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="incidents-part">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Times({ incident: { from, to, count, seenBy, mergedInto } }: { readonly incident: Whole }) {
  const say = useWords(words);
  const formats = useFormats();
  const moments = [
    `${say.from} ${formats.moment(from, now())}`,
    ...(to - from >= 1_000
      ? [`${say.to} ${formats.moment(to, now())}`, `${say.lasted} ${formats.duration(to - from)}`]
      : []),
    say.times(count),
    ...(seenBy === null ? [] : [say.seenBy(seenBy.name)]),
  ];
  return (
    <>
      <p className="kit-soft">{moments.join(' · ')}</p>
      {mergedInto !== undefined && (
        <p>
          {say.mergedInto} <a href={hashOf(`/incidents/${mergedInto}`)}>{say.mergedLink}</a>
        </p>
      )}
    </>
  );
}

/** What can be done now, the next thing first. */
function Acts({ incident, acts, onAsk }: DetailProps & { readonly incident: Whole }) {
  const say = useWords(words);
  const { state, claimedBy, emergency, mergedInto } = incident;
  const isOpen = state !== 'resolved';
  const isMine = acts.isMine(incident);
  const off = { disabled: acts.isAway };
  const key = (letter: string) => <kbd className="incidents-key">{letter}</kbd>;
  return (
    <section className="incidents-do">
      {emergency !== null && isOpen && <p>{say.emergencyHelp}</p>}
      {claimedBy !== null && isOpen && !isMine && <p>{say.takeHelp(claimedBy.name)}</p>}
      <div className="kit-actions">
        {isOpen && claimedBy === null && (
          <Button
            type="primary"
            {...off}
            loading={acts.isBusy}
            data-act="claim"
            onClick={() => void acts.claim(incident)}
          >
            {say.claim} {key('C')}
          </Button>
        )}
        {isOpen && claimedBy !== null && !isMine && (
          <Button {...off} loading={acts.isBusy} data-act="take" onClick={() => void acts.claim(incident, true)}>
            {say.take}
          </Button>
        )}
        {isOpen && emergency === null && (
          <Button
            type={claimedBy === null ? 'default' : 'primary'}
            {...off}
            data-act="resolve"
            onClick={() => onAsk({ what: 'resolve', incident })}
          >
            {say.resolve} {key('R')}
          </Button>
        )}
        {incident.seenBy === null && (
          <Button {...off} data-act="see" onClick={() => void acts.see([incident])}>
            {say.see} {key('A')}
          </Button>
        )}
        {state === 'claimed' && isMine && (
          <Button {...off} data-act="release" onClick={() => onAsk({ what: 'release', incident })}>
            {say.release}
          </Button>
        )}
        {(state === 'new' || state === 'claimed') && (
          <Button {...off} data-act="escalate" onClick={() => onAsk({ what: 'escalate', incident })}>
            {say.escalate}
          </Button>
        )}
        {isOpen && emergency === null && (
          <Button {...off} data-act="merge" onClick={() => onAsk({ what: 'merge', incident })}>
            {say.merge}
          </Button>
        )}
        {!isOpen && mergedInto === undefined && (
          <Button {...off} data-act="reopen" onClick={() => onAsk({ what: 'reopen', incident })}>
            {say.reopen}
          </Button>
        )}
      </div>
      {acts.isAway && <p className="kit-soft">{say.away}</p>}
    </section>
  );
}

/** Before what happened, ms: what led to it is seen too. */
const lead = 10_000;

function Devices({ incident: { devices, from } }: { readonly incident: Whole }) {
  const say = useWords(words);
  const deviceName = useDeviceName();
  const mayWatch = useRight('live');
  const mayPlay = useRight('playback');
  const cameras = new Set(useCampus()?.devices.flatMap(({ id, kind }) => (kind === 'camera' ? [id] : [])));
  return (
    <ul className="incidents-links">
      {devices.map((device) => (
        <li key={device}>
          <a href={hashOf(`/devices/${device}`)}>{deviceName(device)}</a>
          {mayWatch && cameras.has(device) && (
            <a className="kit-button" data-way="live" href={hashOf(`/live/${device}`)}>
              {say.live}
            </a>
          )}
          {mayPlay && cameras.has(device) && (
            <a
              className="kit-button"
              data-way="footage"
              href={hashOf('/footage', { cameras: device, at: String(from - lead) })}
            >
              {say.playback}
            </a>
          )}
        </li>
      ))}
    </ul>
  );
}

function Footage({ page: { clips } }: { readonly page: IncidentPage }) {
  const say = useWords(words);
  const formats = useFormats();
  const deviceName = useDeviceName();
  const mayPlay = useRight('playback');
  if (clips.length === 0) return <p className="kit-soft">{say.noFootage}</p>;
  return (
    <ul className="incidents-links">
      {clips.map((clip) => {
        const time = `${formats.moment(clip.from, now())} · ${formats.duration(clip.to - clip.from)}`;
        const href = hashOf('/footage', { cameras: clip.camera, at: String(clip.from) });
        return (
          <li key={clip.id} data-clip={clip.state}>
            <span>{deviceName(clip.camera)}</span>
            {mayPlay && clip.state !== 'missing' ? <a href={href}>{time}</a> : <span>{time}</span>}
            <span className="kit-soft">
              {[say[`why:${clip.why}`], say[`clip:${clip.state}`], clip.isProtected ? say.isKept : '', clip.note]
                .filter((text) => text !== '')
                .join(' · ')}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** Most lines that are shown at first. */
const fewEvents = 12;

function Events({ page: { events, incident } }: { readonly page: IncidentPage }) {
  const say = useWords(words);
  const formats = useFormats();
  const deviceName = useDeviceName();
  const { typeText } = useIncidentTexts();
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? events : events.slice(0, fewEvents);
  return (
    <>
      <ol className="incidents-events">
        {shown.map((event) => (
          <li key={event.id}>
            <span className="kit-number kit-soft">{formats.moment(event.time, now())}</span>
            <span>{typeText(event.type)}</span>
            <span className="kit-soft">{event.device === undefined ? '' : deviceName(event.device)}</span>
          </li>
        ))}
      </ol>
      {shown.length < incident.count && (
        <p className="kit-soft">
          {say.eventsMore(shown.length, incident.count)}{' '}
          {!isWhole && events.length > fewEvents && (
            <Button type="link" size="small" onClick={() => setWhole(true)}>
              {say.more}
            </Button>
          )}
        </p>
      )}
    </>
  );
}
