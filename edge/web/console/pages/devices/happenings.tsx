import { useQuery } from '@tanstack/react-query';
import { Image } from 'antd';
import { useCallback, useEffect, useState } from 'react';
import { api, type EventView } from '../../api.ts';
import { domainText } from '../../domain-words.ts';
import { fromHere } from '../../kit/download.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useRight } from '../../session.tsx';
import { useEvents } from '../../use-live.tsx';
import type { DeviceEntry } from './tree.ts';
import { words } from './words.ts';

const mostEvents = 30;
const mostPictures = 8;

/** What happened at a device lately; of a camera with its pictures. */
export function Happenings({ device }: { readonly device: DeviceEntry }) {
  const say = useWords(words);
  const events = useDeviceEvents(device.id);
  const mayLook = useRight('pictures');
  if (events.length === 0 && device.kind !== 'camera') return null;
  const pictures = mayLook ? events.filter(({ snapshot }) => snapshot !== undefined).slice(0, mostPictures) : [];
  return (
    <Panel title={say.events}>
      {pictures.length > 0 && (
        <Image.PreviewGroup>
          <ul className="devices-pictures">
            {pictures.map((event) => (
              <li key={event.id}>
                <Picture event={event} />
              </li>
            ))}
          </ul>
        </Image.PreviewGroup>
      )}
      {events.length === 0 ? <p className="kit-soft">{say.noEvents}</p> : <EventList events={events} />}
    </Panel>
  );
}

function useDeviceEvents(device: string): readonly EventView[] {
  const [heard, setHeard] = useState<readonly EventView[]>([]);
  const before = useQuery({
    queryKey: ['events', device],
    queryFn: ({ signal }) =>
      api.get<readonly EventView[]>(
        `events?newest=true&limit=${mostEvents}&device=${encodeURIComponent(device)}`,
        signal,
      ),
    staleTime: 5_000,
  });
  useEvents(
    useCallback(
      (event: EventView) => {
        if (event.device === device) setHeard((known) => [event, ...known].slice(0, mostEvents));
      },
      [device],
    ),
  );
  const all = new Map([...heard, ...(before.data ?? [])].map((event) => [event.id, event]));
  return [...all.values()].sort((a, b) => b.time - a.time).slice(0, mostEvents);
}

function EventList({ events }: { readonly events: readonly EventView[] }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  return (
    <ul className="devices-events">
      {events.slice(0, 12).map((event) => (
        <li key={event.id}>
          <time className="kit-soft kit-number">{formats.moment(event.time, now())}</time>
          <span>{domainText('event', event.type, language)}</span>
          {event.active !== undefined && (
            <span className="kit-soft">{event.active ? say.eventBegins : say.eventEnds}</span>
          )}
        </li>
      ))}
    </ul>
  );
}

/** How often, and how many times, a picture is asked for that has not come yet: it follows its event by a second or two. */
const pictureEvery = 1_500;
const mostTries = 5;

function Picture({ event }: { readonly event: EventView }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const [tries, setTries] = useState(0);
  const [isMissing, setMissing] = useState(false);
  useEffect(() => {
    if (!isMissing || tries >= mostTries) return;
    const timer = setTimeout(() => {
      setMissing(false);
      setTries(tries + 1);
    }, pictureEvery);
    return () => clearTimeout(timer);
  }, [isMissing, tries]);
  const what = domainText('event', event.type, language);
  const when = formats.moment(event.time, now());
  return (
    <figure className="devices-picture">
      {isMissing ? (
        <span className="devices-picture-none kit-soft">{tries >= mostTries ? say.noPicture : say.pictureComing}</span>
      ) : (
        <Image
          key={tries}
          src={fromHere(`api/v1/events/${event.id}/snapshot`)}
          alt={say.pictureOf(what, when)}
          width="100%"
          onError={() => setMissing(true)}
        />
      )}
      <figcaption>
        <span>{what}</span> <span className="kit-soft">{when}</span>
      </figcaption>
    </figure>
  );
}
