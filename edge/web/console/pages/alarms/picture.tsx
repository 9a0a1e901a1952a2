import { Image } from 'antd';
import { useState } from 'react';
import { fromHere } from '../../kit/download.tsx';
import { useWords } from '../../kit/language.tsx';
import { words } from './words.ts';

/** A picture may follow its event by a second or two, ms between tries. */
const pause = 1_500;
const mostTries = 4;

function useTries(): readonly [number, () => void] {
  const [tries, setTries] = useState(0);
  return [tries, () => void setTimeout(() => setTries((count) => count + 1), pause)];
}

/** The picture of the event that raised an alarm, to be looked at closely; says so when there is none. */
export function Picture({ event }: { readonly event: string }) {
  const say = useWords(words);
  const [tries, again] = useTries();
  if (tries >= mostTries) return <p className="kit-soft">{say.noPicture}</p>;
  return (
    <div className="alarms-picture">
      <Image
        key={tries}
        src={fromHere(`api/v1/events/${event}/snapshot`)}
        alt={say.picture}
        width="100%"
        onError={again}
      />
    </div>
  );
}

/** Small, in a line of the list; nothing when there is none. */
export function Thumbnail({ event }: { readonly event: string }) {
  const say = useWords(words);
  const [tries, again] = useTries();
  if (tries >= mostTries) return null;
  return (
    <img
      key={tries}
      className="alarms-thumbnail"
      src={fromHere(`api/v1/events/${event}/snapshot`)}
      alt={say.picture}
      width={80}
      height={60}
      loading="lazy"
      onError={again}
    />
  );
}
