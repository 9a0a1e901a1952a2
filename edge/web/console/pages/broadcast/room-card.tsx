import { type DragEvent, memo, type PointerEvent, useState } from 'react';
import { SignIcon } from '../../kit/icons.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { useTicking } from '../../kit/ticker.ts';
import type { Room } from './data.ts';
import { quietWord, usePhrases } from './sentences.ts';
import { clipMime } from './shelf.tsx';
import { SoundClassBadge, weightOf } from './sound-class.tsx';
import { words } from './words.ts';

export interface CardActs {
  toggle(device: string, isRange: boolean): void;
  open(device: string): void;
  drop(clip: string, devices: readonly string[]): void;
}

/** One loudspeaker. Drawn again only when its room or being chosen changes: there may be hundreds. */
export const RoomCard = memo(function RoomCard({
  room,
  isChosen,
  mayDrop,
  acts,
}: {
  readonly room: Room;
  readonly isChosen: boolean;
  readonly mayDrop: boolean;
  readonly acts: CardActs;
}) {
  const say = useWords(words);
  const name = useName();
  const phrases = usePhrases();
  const [isOver, setOver] = useState(false);
  const tone = toneOf(room);
  const drop = mayDrop && {
    onDragOver: (event: DragEvent) => {
      if (!event.dataTransfer.types.includes(clipMime)) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      event.stopPropagation();
      setOver(false);
      const clip = event.dataTransfer.getData(clipMime);
      if (clip !== '') acts.drop(clip, [room.device]);
    },
  };
  // A press on a card is no beginning of a box.
  const stay = (event: PointerEvent) => event.stopPropagation();
  return (
    <article
      className={`broadcast-card broadcast-is-${tone}${isOver ? ' broadcast-over' : ''}`}
      data-room={room.device}
      data-tone={tone}
      onPointerDown={stay}
      {...drop}
    >
      <button
        type="button"
        className="broadcast-pick"
        aria-pressed={isChosen}
        onClick={(event) => acts.toggle(room.device, event.shiftKey)}
      >
        <span className="broadcast-name">
          <span className="broadcast-tick" aria-hidden="true" />
          <strong>{name(room.name)}</strong>
        </span>
        <RoomSound room={room} />
        <span className="broadcast-why kit-soft">{phrases.room(room)}</span>
        <RoomMarks room={room} />
      </button>
      <button
        type="button"
        className="broadcast-info"
        data-act="why"
        aria-label={say.detailsOf(name(room.name))}
        title={say.details}
        onClick={() => acts.open(room.device)}
      >
        <span aria-hidden="true">{'?'}</span>
      </button>
      <Progress room={room} />
    </article>
  );
});

export function toneOf({ reason, playing, quiet }: Room): string {
  if (reason === 'outside' || reason === 'silenced-outside') return 'held';
  if (playing !== null) return weightOf(playing.class);
  return quiet === null ? 'idle' : 'quiet';
}

/** What sounds; nothing where the sentence below says it all. */
function RoomSound({ room: { playing, outside, reason } }: { readonly room: Room }) {
  const say = useWords(words);
  const name = useName();
  if (reason === 'outside' && outside !== null)
    return (
      <span className="broadcast-sound">
        <SoundClassBadge of={outside.class} />
      </span>
    );
  if (playing === null) return null;
  return (
    <span className="broadcast-sound">
      <SoundClassBadge of={playing.class} />
      {playing.drill && <b className="broadcast-drill">{say.drill}</b>}
      <span className="broadcast-what">{name(playing.name)}</span>
    </span>
  );
}

function RoomMarks({ room: { playing, proof, waiting, level, online, trouble, quiet } }: { readonly room: Room }) {
  const say = useWords(words);
  return (
    <span className="broadcast-marks">
      {playing !== null && (
        <span className={`broadcast-proof broadcast-proof-${proof}`} title={say.proofHelp}>
          {say[`proof:${proof}`]}
        </span>
      )}
      {playing !== null && level !== null && <span className="kit-number">{say.level(Math.round(level.level))}</span>}
      {level?.cap && <span>{say.capped(level.cap.most)}</span>}
      {waiting.length > 0 && <span>{say.waiting(waiting.length)}</span>}
      {quiet !== null && playing !== null && <span>{quietWord(quiet.kind, say)}</span>}
      {online === false && (
        <span className="broadcast-bad">
          <SignIcon sign="cross" size={11} />
          {say.offline}
        </span>
      )}
      {trouble !== null && (
        <span className="broadcast-bad">
          <SignIcon sign="triangle" size={12} />
          {say.trouble}
        </span>
      )}
    </span>
  );
}

/** Whole percents, looked at each second: two hundred of them cost next to nothing, and nothing moves between. */
function Progress({ room: { playing } }: { readonly room: Room }) {
  const began = playing?.state === 'playing' ? playing.began : null;
  const length = playing?.length ?? 0;
  const percent = useTicking((now) =>
    began === null || length <= 0 ? -1 : Math.max(0, Math.min(100, Math.floor(((now - began) / length) * 100))),
  );
  if (percent < 0) return null;
  return <span className="broadcast-progress" aria-hidden="true" style={{ transform: `scaleX(${percent / 100})` }} />;
}
