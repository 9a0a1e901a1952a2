import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { createPortal } from 'react-dom';
import { api } from '../../api.ts';
import { fromHere } from '../../kit/download.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { useMedia } from '../../kit/theme.tsx';
import type { IncidentPage, IncidentView } from './data.ts';
import { words } from './words.ts';

/* Pictures of an incident: small in the list, as a run of pictures under the pointer, large on its page. */

/** A picture may follow its event by some seconds; the box itself waits nearly one for it at each try. ms before each further try. */
const pauses = [300, 700, 1_500, 3_000] as const;
/** One of the run, ms. */
const step = 650;
const mostInRun = 10;
/** The pointer rests before anything is asked for, ms. */
const rest = 180;

export function pictureAddress(event: string): string {
  return fromHere(`api/v1/events/${event}/snapshot`);
}

/** What cannot be shown yet is said, and tried again; a broken picture is never drawn. */
function Shot({
  event,
  className,
  label,
}: {
  readonly event: string;
  readonly className: string;
  readonly label: string;
}) {
  const say = useWords(words);
  const [tries, setTries] = useState(0);
  const [isMissing, setMissing] = useState(false);
  useEffect(() => {
    const pause = pauses[tries];
    if (!isMissing || pause === undefined) return;
    const timer = setTimeout(() => {
      setTries(tries + 1);
      setMissing(false);
    }, pause);
    return () => clearTimeout(timer);
  }, [isMissing, tries]);
  if (isMissing) return <span className={`${className} incidents-nothing`}>{say.noPicture}</span>;
  const failed = () => setMissing(true);
  return <img className={className} src={pictureAddress(event)} alt={label} loading="lazy" onError={failed} />;
}

/** The small picture of a line; the run of its pictures beside it while the pointer rests on it. */
export function Thumbnail({ incident }: { readonly incident: IncidentView }) {
  const say = useWords(words);
  const canHover = useMedia('(hover: hover) and (pointer: fine)');
  const [at, setAt] = useState<DOMRect | null>(null);
  const [timer, setTimer] = useState<ReturnType<typeof setTimeout>>();
  if (incident.picture === null) return <span className="incidents-thumbnail incidents-nothing">{say.noPicture}</span>;
  const leave = () => {
    clearTimeout(timer);
    setAt(null);
  };
  return (
    <span
      className="incidents-thumbnail-place"
      onPointerEnter={(event) => {
        const place = event.currentTarget;
        if (canHover) setTimer(setTimeout(() => setAt(place.getBoundingClientRect()), rest));
      }}
      onPointerLeave={leave}
    >
      <Shot key={incident.picture} event={incident.picture} className="incidents-thumbnail" label={say.picture} />
      {at !== null && createPortal(<Run incident={incident} at={at} />, document.body)}
    </span>
  );
}

/** The events of an incident that have pictures, first to last. */
export function withPictures({ events }: Pick<IncidentPage, 'events'>): IncidentPage['events'] {
  return events.filter(({ snapshot }) => snapshot !== undefined).toReversed();
}

function Run({ incident, at }: { readonly incident: IncidentView; readonly at: DOMRect }) {
  const say = useWords(words);
  const isCalm = useMedia('(prefers-reduced-motion: reduce)');
  const { data } = useQuery({
    queryKey: ['incidents', 'run', incident.id, incident.count],
    queryFn: ({ signal }) => api.get<IncidentPage>(`incidents/${incident.id}`, signal),
    staleTime: 30_000,
  });
  const shots = (data === undefined ? [] : withPictures(data)).slice(-mostInRun).map(({ id }) => id);
  const [index, setIndex] = useState(0);
  useEffect(() => {
    if (isCalm || shots.length < 2) return;
    const timer = setInterval(() => setIndex((before) => before + 1), step);
    return () => clearInterval(timer);
  }, [isCalm, shots.length]);
  const shot = shots[index % Math.max(1, shots.length)] ?? incident.picture;
  if (shot === null) return null;
  const top = Math.max(8, Math.min(at.top - 40, innerHeight - 300));
  return (
    <div className="incidents-run" style={{ left: at.right + 12, top }} data-run={incident.id}>
      <img src={pictureAddress(shot)} alt={say.picture} />
      {shots.length > 1 && (
        <span className="incidents-run-marks" aria-hidden="true">
          {shots.map((id) => (
            <i key={id} data-on={id === shot} />
          ))}
        </span>
      )}
    </div>
  );
}

/** All pictures of an incident, one at a time, beginning with that of the gravest event. */
export function Pictures({ page }: { readonly page: IncidentPage }) {
  const say = useWords(words);
  const formats = useFormats();
  const shots = withPictures(page);
  const [chosen, setChosen] = useState<string | null>(null);
  const shown = chosen ?? page.incident.picture ?? shots.at(-1)?.id;
  if (shown === undefined) return <p className="kit-soft">{say.noPicture}</p>;
  const index = shots.findIndex(({ id }) => id === shown);
  const go = (step: 1 | -1) => setChosen(shots[index + step]?.id ?? shown);
  const time = shots[index]?.time;
  return (
    <figure className="incidents-pictures">
      <a href={pictureAddress(shown)} target="_blank" rel="noopener">
        <Shot key={shown} event={shown} className="incidents-picture" label={say.picture} />
      </a>
      {shots.length > 1 && index >= 0 && (
        <figcaption>
          <button type="button" className="kit-button" disabled={index <= 0} onClick={() => go(-1)}>
            ‹ {say.before}
          </button>
          <span className="kit-number">
            {time === undefined ? '' : formats.clock(time)} · {say.pictureOf(index + 1, shots.length)}
          </span>
          <button type="button" className="kit-button" disabled={index >= shots.length - 1} onClick={() => go(1)}>
            {say.after} ›
          </button>
        </figcaption>
      )}
    </figure>
  );
}
