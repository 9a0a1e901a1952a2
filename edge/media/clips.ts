import type { FootageRange } from '#edge/domain/recording.ts';

/*
 * What of a rolling past is to be kept: from a little before something happened until a little after it was over. Pure; times are ms
 * since epoch on our own clock.
 */

export interface ClipTimes {
  readonly preRoll: number;
  readonly postRoll: number;
}

/** Something happened at a camera; `active` as in domain/event.ts: true begins, false ends, absent is a pulse. */
export interface ClipCause {
  readonly type: string;
  readonly time: number;
  readonly active?: boolean;
}

/** An event that never ends (cameras get stuck on) is kept no longer than this after its last word, ms. */
export const longestUnended = 600_000;
/** Windows of one camera; more are merged into their neighbours. */
const mostWindows = 256;
/** Windows are forgotten when they have been over for so long: nothing of the rolling past is as old, ms. */
const memory = 3_600_000;

/** The windows of one camera that are to be kept, merged where they touch. */
export class ClipWindows {
  #settled: FootageRange[];
  /** Types that have begun and not ended: where their window begins, and until when it goes if nothing more is heard. */
  readonly #unended = new Map<string, FootageRange>();

  constructor(windows: readonly FootageRange[] = []) {
    this.#settled = mergeRanges(windows);
  }

  get windows(): readonly FootageRange[] {
    return mergeRanges([...this.#settled, ...this.#unended.values()]);
  }

  note({ type, time, active }: ClipCause, { preRoll, postRoll }: ClipTimes): void {
    const from = this.#unended.get(type)?.from ?? time - preRoll;
    this.#unended.delete(type);
    const isBeginning = active === true && this.#unended.size < mostWindows;
    if (isBeginning) this.#unended.set(type, { from, to: time + longestUnended });
    else this.add({ from, to: time + postRoll });
  }

  /** Keep this too: a person, an incident or the one-key alarm wants it. */
  add(range: FootageRange): void {
    this.#settled = mergeRanges([...this.#settled, range]);
    const [first, second, ...rest] = this.#settled;
    if (this.#settled.length <= mostWindows || first === undefined || second === undefined) return;
    this.#settled = [{ from: first.from, to: second.to }, ...rest];
  }

  /** Is any of [from, to) to be kept? */
  wants({ from, to }: FootageRange): boolean {
    return this.windows.some((window) => window.from < to && window.to > from);
  }

  forget(now: number): void {
    this.#settled = this.#settled.filter(({ to }) => to > now - memory);
    for (const [type, window] of this.#unended) {
      if (window.to > now) continue;
      this.#unended.delete(type);
      this.add(window);
    }
  }
}

/** Sorted, and one where they touch. */
export function mergeRanges(ranges: readonly FootageRange[]): FootageRange[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of ranges.filter((range) => range.to > range.from).sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}
