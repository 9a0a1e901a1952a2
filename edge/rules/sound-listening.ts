/*
 * A sound-level sensor as a witness: does the room get louder while a loudspeaker plays? Pure: times and levels are given.
 * It may say `heard`, and, where the room is quiet enough to be sure, `not-heard`. Everything else is `unsure`: a noisy class accuses
 * no loudspeaker. Levels are dB(A), times ms.
 */

export interface LevelSample {
  readonly at: number;
  readonly level: number;
}

export interface ListenerWish {
  /** The level must stand so far above the room's own, dB. */
  readonly margin: number;
  /** What the sensor reads at the least when its loudspeaker plays as loud as was asked for. */
  readonly expected: number;
}

/** What the room sounds like by itself. */
export interface Background {
  readonly usual: number;
  /** Nine of ten samples are not louder. */
  readonly loud: number;
  /** Not one sample differs from another: its sensor may hang. */
  readonly isFrozen: boolean;
}

export type Hearing =
  | { readonly verdict: 'heard'; readonly level: number; readonly above: number }
  | { readonly verdict: 'not-heard'; readonly level: number; readonly usual: number }
  | { readonly verdict: 'unsure'; readonly why: UnsureWhy; readonly level: number | null };
/** `learning`: the room is not known yet. `waiting`: too little was measured. `shared`: another sound is in the same room. */
export type UnsureWhy = 'learning' | 'waiting' | 'noisy' | 'frozen' | 'between' | 'shared';

/** What is remembered of the quiet room: the last minutes of it, kept through a long lesson of music. */
const memory = 5 * 60_000;
const oldest = 60 * 60_000;
const mostKept = 400;
/** Less says nothing of a room. */
const fewest = 6;
const shortest = 20_000;
/** So many that do not move at all are a sensor that hangs. */
const frozenFrom = 20;
/** A loudspeaker begins, and a sensor looks, within this. */
const begins = 1_500;
/** Silence for so long is no pause between two words. */
export const silentFor = 4_000;
/** Two looks at a room that are so far apart are two. */
const apart = 2_000;
/** So long after a sound the room is its own again. */
const echoes = 3_000;
/** A room whose own noise wanders further than this hides a loudspeaker. */
const widest = 10;

/** The samples of a room while nothing plays in it, in order of time. */
export interface RoomMemory {
  readonly samples: readonly LevelSample[];
  /** When something last played here; null: not since the beginning. */
  readonly played: number | null;
}
export const emptyRoom: RoomMemory = { samples: [], played: null };

/** One more moment of a room; `sample` is null where nothing new was measured. */
export function learnRoom(room: RoomMemory, sample: LevelSample | null, isPlaying: boolean, now: number): RoomMemory {
  if (isPlaying) return { ...room, played: now };
  if (sample === null || (room.played !== null && sample.at < room.played + echoes)) return room;
  const last = room.samples.at(-1);
  // A clock that was set back begins anew: old times mean nothing any more.
  if (last !== undefined && sample.at < last.at) return { samples: [sample], played: null };
  const from = sample.at - memory;
  return { ...room, samples: [...room.samples.filter(({ at }) => at >= from).slice(1 - mostKept), sample] };
}

/** null: too little is known of it. */
export function backgroundOf({ samples }: RoomMemory, now: number): Background | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || samples.length < fewest) return null;
  if (last.at - first.at < shortest || now - last.at > oldest) return null;
  const levels = samples.map(({ level }) => level).toSorted((a, b) => a - b);
  return {
    ...{ usual: quantile(levels, 0.5), loud: quantile(levels, 0.9) },
    isFrozen: levels.length >= frozenFrom && levels[0] === levels.at(-1),
  };
}

/**
 * What the samples since a loudspeaker began say. To be heard, two of them stand out from the room; to be not heard, none does, the room
 * is quiet enough that one would, and they cover more than a pause.
 */
export function hear(
  background: Background | null,
  { margin, expected }: ListenerWish,
  { begun, samples, now }: { readonly begun: number; readonly samples: readonly LevelSample[]; readonly now: number },
): Hearing {
  const mine = samples.filter(({ at }) => at >= begun && at <= now);
  const loudest = mine.reduce<number | null>((most, { level }) => Math.max(most ?? level, level), null);
  const unsure = (why: UnsureWhy): Hearing => ({ verdict: 'unsure', why, level: loudest });
  if (background === null) return unsure('learning');
  if (background.isFrozen && mine.every(({ level }) => level === background.usual)) return unsure('frozen');
  if (loudest === null) return unsure('waiting');
  const stands = Math.max(background.usual + margin, background.loud + margin / 2);
  const above = mine.filter(({ level }) => level >= stands);
  if (above.length >= 2) {
    const level = quantile(
      above.map((one) => one.level).toSorted((a, b) => a - b),
      0.5,
    );
    return { verdict: 'heard', level, above: level - background.usual };
  }
  if (background.loud - background.usual > widest || stands > expected) return unsure('noisy');
  // A room that is a little louder than before hides it, or hears it badly: neither is said.
  if (loudest >= background.usual + margin / 2) return unsure('between');
  const settled = mine.filter(({ at }) => at >= begun + begins);
  const [first, last] = [settled[0], settled.at(-1)];
  if (first === undefined || last === undefined) return unsure('waiting');
  const isLong = settled.length >= 2 && last.at - first.at >= apart && now - begun >= silentFor;
  return isLong ? { verdict: 'not-heard', level: loudest, usual: background.usual } : unsure('waiting');
}

/** Of sorted numbers, at least one. */
function quantile(sorted: readonly number[], part: number): number {
  const at = Math.min(sorted.length - 1, Math.floor(part * sorted.length));
  return sorted[at] ?? Number.NaN;
}

/** How this is said; a console puts it into other languages. */
export function hearingWords(hearing: Hearing, sensor: string): string {
  const level = hearing.level === null ? '' : `${Math.round(hearing.level)} dB(A)`;
  switch (hearing.verdict) {
    case 'heard':
      return `sound level sensor ${sensor}: ${level}, ${Math.round(hearing.above)} dB above the room`;
    case 'not-heard':
      return `not heard by sound level sensor ${sensor}: ${level}, the room itself has ${Math.round(hearing.usual)} dB(A)`;
    case 'unsure':
      return `sound level sensor ${sensor} cannot tell: ${unsureWords[hearing.why]}`;
  }
}

const unsureWords: Readonly<Record<UnsureWhy, string>> = {
  learning: 'it does not know the room yet',
  waiting: 'it has measured too little',
  noisy: 'the room is too loud',
  frozen: 'its value does not move',
  between: 'the room is only a little louder',
  shared: 'something else sounds in the room',
};

/** A reason that a loudspeaker is silent though it said yes. */
export function isNotHeard(reason: string): boolean {
  return /^not heard by sound level sensor /.test(reason);
}
