import type { AlarmClass } from './alarm.ts';
import type { HappeningId } from './ids.ts';
import type { Name } from './place.ts';

/**
 * Words on their way to people outside the console. One row per recipient and channel: queued by core on disk before anything is
 * sent, sent and retried by the `notify` process, and what became of it is seen.
 */
export interface Notice {
  readonly id: HappeningId;
  /** What it is about: `alarm:<id>`, `rule:<instance>`, `flow:<tab>/<node>`, `test`. */
  readonly about: string;
  readonly class: AlarmClass;
  readonly title: Name;
  readonly text: Name;
  /** Channel of the site file. */
  readonly channel: string;
  /** Recipient of the site file; null for a channel that is one address itself (a robot of a group chat). */
  readonly recipient: string | null;
  /** Escalation step it belongs to; 0 is the first. */
  readonly step: number;
  readonly created: number;
  /** Not before then (quiet hours), ms since epoch. */
  readonly notBefore: number;
  /** Of no use after that: it is given up, and that is seen. */
  readonly expires: number;
  readonly state: NoticeState;
  readonly attempts: number;
  /** When it is tried next, or when it was settled. */
  readonly at: number;
  /** What the last attempt met, for people; '' before the first. */
  readonly detail: string;
}

/** `delivered`: the far end took it (that a person read it is known by acknowledging the alarm). `merged`: told in another's stead. */
export type NoticeState = 'queued' | 'delivered' | 'failed' | 'expired' | 'merged';

/** Of a ladder that says nothing of it: when all were told and nobody has acknowledged, they are told again so often. `every` in ms. */
export const usualRepeat = { every: 900_000, times: 8 } as const;
