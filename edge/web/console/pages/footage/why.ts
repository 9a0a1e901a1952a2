import type { Range } from './coverage.ts';

/* Why there is no footage of a moment, as far as is known. Pure. */

export interface Recording {
  readonly mode: 'continuous' | 'event' | 'off';
  readonly state: 'recording' | 'waiting' | 'stopped' | 'off';
  readonly since: number;
  readonly oldest: number | null;
}

export type WhyNothing =
  /** It has not happened yet, or is being written. */
  | 'future'
  | 'off'
  /** Before the oldest footage: it was let go as it should be, or nothing was recorded yet. */
  | 'let-go'
  | 'never'
  /** The disk refuses. */
  | 'stopped'
  /** There is no stream now. */
  | 'waiting'
  /** Only events are recorded, and there was none. */
  | 'no-event'
  /** Nobody heard the camera at that time. */
  | 'unheard'
  | 'unknown';

export interface Moment {
  readonly time: number;
  readonly now: number;
  /** null: nobody says (no right to know, or media has said nothing). */
  readonly recording: Recording | null;
  /** When the camera was not listened to. */
  readonly deaf: readonly Range[];
}

/** What is written is on the disk some seconds after it happened. */
const writing = 8_000;

export function whyNothing({ time, now, recording, deaf }: Moment): WhyNothing {
  if (time >= now - writing) return 'future';
  if (recording !== null) {
    if (recording.mode === 'off' && (recording.oldest === null || time >= recording.since)) return 'off';
    if (recording.oldest === null) return stateAt(recording, time) ?? 'never';
    if (time < recording.oldest) return 'let-go';
    const state = stateAt(recording, time);
    if (state !== null) return state;
    if (recording.mode === 'event') return 'no-event';
  }
  return deaf.some(({ from, to }) => time >= from && time < to) ? 'unheard' : 'unknown';
}

function stateAt({ state, since }: Recording, time: number): 'stopped' | 'waiting' | null {
  if (time < since) return null;
  return state === 'stopped' || state === 'waiting' ? state : null;
}
