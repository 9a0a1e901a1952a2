import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  backgroundOf,
  emptyRoom,
  hear,
  hearingWords,
  isNotHeard,
  type LevelSample,
  learnRoom,
  type RoomMemory,
} from '#edge/rules/sound-listening.ts';

/* A sensor as a witness. What it hears is energy: the room's own noise and the loudspeaker's add up. */

const start = 1_700_000_000_000;
const wish = { margin: 8, expected: 65 };
const together = (...levels: readonly number[]) =>
  10 * Math.log10(levels.reduce((sum, level) => sum + 10 ** (level / 10), 0));

/** A room for `minutes`, a sample a second. */
function roomOf(levels: (second: number) => number, seconds = 120): RoomMemory {
  let room = emptyRoom;
  for (let n = 0; n < seconds; n++) {
    const at = start + n * 1_000;
    room = learnRoom(room, { at, level: levels(n) }, false, at);
  }
  return room;
}
const begun = start + 200_000;
const during = (levels: readonly number[], every = 1_000): LevelSample[] =>
  levels.map((level, n) => ({ at: begun + 200 + n * every, level }));
const judged = (room: RoomMemory, samples: readonly LevelSample[], more: Partial<typeof wish> = {}) => {
  const now = (samples.at(-1)?.at ?? begun) + 10;
  return hear(backgroundOf(room, now), { ...wish, ...more }, { begun, samples, now });
};
const quiet = (n: number) => 38 + (n % 3);

describe('a sensor in a room', () => {
  test('hears what stands above the room, after two samples', () => {
    expect(judged(roomOf(quiet), during([70]))).toMatchObject({ verdict: 'unsure' });
    const heard = judged(roomOf(quiet), during([70, 71]));
    expect(heard).toMatchObject({ verdict: 'heard', level: 71, above: 32 });
    expect(hearingWords(heard, 'noise-201')).toBe('sound level sensor noise-201: 71 dB(A), 32 dB above the room');
  });

  test('names a silent loudspeaker in a quiet room within 5 s, and says so in words that are known again', () => {
    const samples = during([39, 40, 38, 39, 40]);
    expect(judged(roomOf(quiet), samples.slice(0, 3))).toMatchObject({ verdict: 'unsure', why: 'waiting' });
    const silent = judged(roomOf(quiet), samples);
    expect(silent).toMatchObject({ verdict: 'not-heard', usual: 39 });
    expect(samples.at(-1)?.at).toBeLessThan(begun + 5_000);
    expect(isNotHeard(hearingWords(silent, 'noise-201'))).toBe(true);
    expect(isNotHeard('it did not answer')).toBe(false);
  });

  test('takes a pause between two words for no silence', () => {
    expect(judged(roomOf(quiet), during([39, 39, 70, 39, 39, 39, 39, 39]))).toMatchObject({ verdict: 'unsure' });
    expect(judged(roomOf(quiet), during([39, 39, 70, 39, 72]))).toMatchObject({ verdict: 'heard' });
  });

  test.each([
    ['is noisy', roomOf((n) => 62 + (n % 5)), 'noisy'],
    ['is now quiet and now loud', roomOf((n) => (n % 4 === 0 ? 62 : 40)), 'noisy'],
    ['is not known yet', roomOf(quiet, 5), 'learning'],
    ['never moves', roomOf(() => 39), 'frozen'],
  ])('accuses nobody where the room %s', (_, room, why) => {
    expect(judged(room, during([39, 39, 39, 39, 39, 39, 39, 39]))).toMatchObject({ verdict: 'unsure', why });
  });

  test('accuses nobody of what was told to be quiet', () => {
    const low = judged(roomOf(quiet), during([39, 40, 38, 39, 40, 38]), { expected: 45 });
    expect(low).toMatchObject({ verdict: 'unsure', why: 'noisy' });
  });

  test('one slow sample is no evidence, and neither is one of before the sound', () => {
    expect(judged(roomOf(quiet), [{ at: begun + 6_000, level: 39 }])).toMatchObject({ verdict: 'unsure' });
    expect(judged(roomOf(quiet), [{ at: begun - 10, level: 39 }])).toMatchObject({ verdict: 'unsure', why: 'waiting' });
  });

  test('learns its room only while nothing plays, and forgets none of it through a long lesson of music', () => {
    let room = roomOf(quiet);
    const known = room.samples.length;
    for (let n = 0; n < 2_000; n++) {
      const at = begun + n * 1_000;
      room = learnRoom(room, { at, level: 75 }, true, at);
    }
    expect(room.samples).toHaveLength(known);
    const after = begun + 2_000_000;
    expect(backgroundOf(room, after)).toMatchObject({ usual: 39 });
    // What still rings is not the room.
    expect(learnRoom(room, { at: after, level: 70 }, false, after).samples).toHaveLength(known);
    expect(learnRoom(room, { at: after + 5_000, level: 40 }, false, after + 5_000).samples.length).toBeLessThan(known);
  });

  test('stands by its word on a room whose doors slam: a few loud samples change nothing', () => {
    const room = roomOf((n) => (n % 20 === 7 ? 80 : quiet(n)));
    expect(judged(room, during([68, 69, 70]))).toMatchObject({ verdict: 'heard' });
    expect(judged(room, during([39, 40, 38, 39, 40, 39]))).toMatchObject({ verdict: 'not-heard' });
  });
});

describe('whatever the room is', () => {
  const rooms = fc.record({
    usual: fc.double({ min: 25, max: 85, noNaN: true }),
    spread: fc.double({ min: 0.1, max: 15, noNaN: true }),
    before: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 60, maxLength: 90 }),
    later: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 4, maxLength: 20 }),
  });

  test('a loudspeaker that plays as loud as the site says is never accused, even when the class falls silent for it', () => {
    fc.assert(
      fc.property(rooms, fc.double({ min: 0, max: 40, noNaN: true }), ({ usual, spread, before, later }, hush) => {
        const room = roomOf((n) => usual + spread * (before[n % before.length] ?? 0), before.length);
        const samples = during(later.map((part) => together(wish.expected, usual - hush + spread * part)));
        expect(judged(room, samples).verdict).not.toBe('not-heard');
      }),
      { seed: 11, numRuns: 3_000 },
    );
  });

  test('a silent loudspeaker in a room that goes on as before is never said to be heard', () => {
    fc.assert(
      fc.property(rooms, ({ usual, spread, before }) => {
        const room = roomOf((n) => usual + spread * (before[n % before.length] ?? 0), before.length);
        const nine = before.toSorted((a, b) => a - b)[Math.floor(before.length * 0.9)] ?? 1;
        // The same room: nothing louder than what nine of ten samples were.
        const samples = during(before.slice(0, 12).map((part) => usual + spread * Math.min(part, nine)));
        expect(judged(room, samples).verdict).not.toBe('heard');
      }),
      { seed: 12, numRuns: 3_000 },
    );
  });

  test('a silent loudspeaker in a quiet steady room is named, and one that is loud in it is heard', () => {
    const steady = fc.record({
      usual: fc.double({ min: 25, max: 50, noNaN: true }),
      parts: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 60, maxLength: 60 }),
    });
    fc.assert(
      fc.property(steady, ({ usual, parts }) => {
        const room = roomOf((n) => usual + 1.5 * (parts[n] ?? 0), 60);
        const own = parts.slice(0, 6).map((part) => usual + 1.5 * part);
        const isFrozen = new Set(room.samples.map(({ level }) => level)).size === 1;
        if (!isFrozen) expect(judged(room, during(own)).verdict).toBe('not-heard');
        const loud = own.map((level) => together(level, wish.expected));
        expect(judged(room, during(loud)).verdict).toBe('heard');
      }),
      { seed: 13, numRuns: 1_000 },
    );
  });
});
