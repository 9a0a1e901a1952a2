/*
 * The seconds that are left until the strong waves of an earthquake are here, said aloud: which clip at which moment. A number that could
 * not be right any more is left out: people count with it.
 */

/** Clips by the number that they say. */
export type CountClips = ReadonlyMap<number, string>;

export interface CountRun {
  /** The first number of it. */
  readonly from: number;
  readonly to: number;
  /** ms before the arrival at which it begins. */
  readonly left: number;
  readonly clips: readonly string[];
  /** ms; how long all of it is. */
  readonly length: number;
}

/** A clip of one second, give or take what nobody hears: the next number follows it without a break. */
const second = 1_000;
const tolerance = 30;
/** Names of clips in one order to a loudspeaker (`longestOrder` of domain/broadcast.ts leaves so much). */
const longestNames = 140;

/** null: no number is left to be said. `left`: ms until the arrival. */
export function nextCount(clips: CountClips, lengthOf: (clip: string) => number | null, left: number): CountRun | null {
  const from = [...clips.keys()]
    .sort((a, b) => b - a)
    .find((number) => number * second <= left && lengthIn(number) > 0);
  if (from === undefined) return null;
  const run: string[] = [];
  let [number, length] = [from, 0];
  for (;;) {
    const clip = clips.get(number);
    if (clip === undefined || lengthIn(number) === 0 || [...run, clip].join('+').length > longestNames) break;
    run.push(clip);
    length += lengthIn(number);
    number--;
    // Only what takes a second may be followed at once: anything else would say the wrong time.
    if (Math.abs(lengthIn(number + 1) - second) > tolerance) break;
  }
  return { from, to: number + 1, left: from * second, clips: run, length };

  function lengthIn(of: number): number {
    const clip = clips.get(of);
    return (clip === undefined ? null : lengthOf(clip)) ?? 0;
  }
}
