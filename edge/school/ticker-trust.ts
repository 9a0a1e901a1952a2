/*
 * Whether the wall clock may be believed. A clock is believed when a source says that it is set, or when somebody said that this box has
 * no such source and its clock has run steadily for a while. A jump ends that at once: whoever put the clock on cannot have asked first.
 * Monotonic times do not count suspend (CLOCK_MONOTONIC), so a box that slept looks like one whose clock jumped forward: it is the same to us.
 */

/** What is known of the clock from outside. `asOf`: when that was asked, monotonic ms. */
export interface ClockWord {
  /** `synchronised`: a source says so. `vouched`: nothing says, and somebody said that this box's clock is good. */
  readonly says: 'synchronised' | 'vouched' | 'unknown';
  readonly asOf: number;
}

export type Distrust = 'start' | 'jumped' | 'before-build' | 'unsynchronised';

export type ClockEvent =
  /** `by`: ms that the wall clock went further than time did; negative: back. */
  | { readonly kind: 'jumped'; readonly by: number }
  | { readonly kind: 'paused'; readonly why: Distrust }
  | { readonly kind: 'resumed'; readonly why: Distrust; readonly after: number };

export interface TrustOptions {
  /** No clock is right that shows less: when this program was built. ms since epoch. */
  readonly builtAt: number;
  /** So long a vouched clock must have run steadily, ms. */
  readonly steadyFor: number;
  /** Without a word for so long a clock has drifted by seconds, ms: a crystal loses up to 2 s a day. */
  readonly holdOver: number;
}

export const usualTrust: Omit<TrustOptions, 'builtAt'> = { steadyFor: 5 * 60_000, holdOver: 3 * 86_400_000 };

/** More than that is a jump, ms. NTP slews by less in this window: chrony's fastest is 83 ms a second. */
export const jump = 2_000;
const window = 10_000;
/** A restart that takes no longer, of a clock that went on from where it was, is no reason for doubt, ms. */
const shortRestart = 10 * 60_000;

export interface Trust {
  /** null: believed. */
  readonly lost: { readonly why: Distrust; readonly at: number } | null;
  look(now: { readonly wall: number; readonly monotonic: number; readonly word: ClockWord }): readonly ClockEvent[];
}

/** `lastSeen`: what the clock showed before the restart, ms since epoch; null: nobody knows. */
export function createTrust(options: TrustOptions, lastSeen: number | null): Trust {
  let lost: Trust['lost'] = null;
  let isNew = true;
  let anchor = { offset: 0, at: 0 };
  let wordAt = Number.NEGATIVE_INFINITY;

  /** Every step within the window counts together, so that ten of 300 ms are a jump too. */
  const jumped = (offset: number, monotonic: number): number => {
    const by = offset - anchor.offset;
    if (Math.abs(by) > jump || monotonic - anchor.at >= window) anchor = { offset, at: monotonic };
    return Math.abs(by) > jump ? by : 0;
  };
  const doubt = (why: Distrust, at: number): readonly ClockEvent[] => {
    const before = lost;
    lost = { why, at };
    return before?.why === why ? [] : [{ kind: 'paused', why }];
  };
  const isGood = (wall: number, monotonic: number, { says, asOf }: ClockWord): boolean => {
    if (lost === null || wall < options.builtAt) return false;
    if (says === 'synchronised') return asOf >= lost.at;
    if (says !== 'vouched') return false;
    if (monotonic - lost.at >= options.steadyFor) return true;
    return lost.why === 'start' && lastSeen !== null && wall >= lastSeen && wall - lastSeen <= shortRestart;
  };

  return {
    get lost() {
      return lost;
    },
    look: ({ wall, monotonic, word }) => {
      const events: ClockEvent[] = [];
      const offset = wall - monotonic;
      if (isNew) {
        isNew = false;
        anchor = { offset, at: monotonic };
        // Said only if it lasts: most starts are believed in their first look.
        lost = { why: 'start', at: monotonic };
        if (!isGood(wall, monotonic, { ...word, asOf: monotonic })) events.push({ kind: 'paused', why: 'start' });
        else lost = null;
        wordAt = monotonic;
        if (lost === null) return events;
      }
      const by = jumped(offset, monotonic);
      if (by !== 0) events.push({ kind: 'jumped', by }, ...doubt('jumped', monotonic));
      if (word.says !== 'unknown') wordAt = Math.max(wordAt, word.says === 'vouched' ? monotonic : word.asOf);
      if (lost === null && wall < options.builtAt) events.push(...doubt('before-build', monotonic));
      if (lost === null && monotonic - wordAt > options.holdOver) events.push(...doubt('unsynchronised', monotonic));
      if (lost !== null && isGood(wall, monotonic, word)) {
        events.push({ kind: 'resumed', why: lost.why, after: monotonic - lost.at });
        lost = null;
        wordAt = monotonic;
      }
      return events;
    },
  };
}
