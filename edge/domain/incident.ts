import type { AlarmClass } from './alarm.ts';
import type { DeviceId, HappeningId, ZoneId } from './ids.ts';

/*
 * An incident: what happened at one place within one time, as several cameras and sensors saw it. It is shared by all staff; who
 * looked, who took it, what came of it and what was handed over stay with it.
 */

export const incidentStates = ['new', 'claimed', 'escalated', 'resolved'] as const;
export type IncidentState = (typeof incidentStates)[number];

/** What came of it. */
export const incidentOutcomes = ['handled', 'false-alarm', 'test', 'police', 'handed-over', 'no-action'] as const;
export type IncidentOutcome = (typeof incidentOutcomes)[number];

/** One line of its course: who did what when. */
export interface IncidentEntry {
  readonly time: number;
  /** `person:<id>`, `token:<id>`, `process:core`. */
  readonly who: string;
  /** The name as it was then, for the hand-over; '' for processes. */
  readonly name: string;
  readonly what:
    | 'opened'
    | 'grew'
    | 'seen'
    | 'claimed'
    | 'released'
    | 'noted'
    | 'escalated'
    | 'resolved'
    | 'reopened'
    | 'merged'
    | 'bookmarked'
    | 'exported';
  readonly text: string;
}

export interface Incident {
  readonly id: HappeningId;
  readonly state: IncidentState;
  readonly class: AlarmClass;
  readonly zone: ZoneId | null;
  /** Event types in it, the gravest first, e.g. `intrusion`, `person`. */
  readonly types: readonly string[];
  readonly devices: readonly DeviceId[];
  /** First and last happening, ms; `closed` ends grouping. */
  readonly from: number;
  readonly to: number;
  /** Nothing is added any more: the time of its group is over, or somebody resolved it. */
  readonly isClosed: boolean;
  /** Newest first, at most 200; `count` is the true number. */
  readonly events: readonly HappeningId[];
  readonly count: number;
  /** Picture of the gravest event, below <data>/snapshots; null: none. */
  readonly picture: string | null;
  readonly claimedBy: { readonly who: string; readonly name: string; readonly time: number } | null;
  /** Who has looked at it; anybody's look makes it seen for all. */
  readonly seenBy: { readonly who: string; readonly name: string; readonly time: number } | null;
  /** When it is escalated unless somebody claims it, ms; null: not. */
  readonly escalatesAt: number | null;
  readonly outcome: IncidentOutcome | null;
  readonly note: string;
  /** It is part of that one now: what was seen here goes on there. */
  readonly mergedInto?: HappeningId;
  /** Set by the one-key alarm; such an incident is ended by its own reset only. */
  readonly emergency: string | null;
  /** At most 500 lines. */
  readonly course: readonly IncidentEntry[];
  readonly rev: number;
}

/** As it is told to everybody who may hear: without what people wrote, which is in the store only. */
export type IncidentBrief = Omit<Incident, 'events' | 'note' | 'course'>;

/** Which happenings make an incident: event types, where, and how grave. The first rule that fits counts. */
export interface GroupingRule {
  /** Event types (globs). */
  readonly types: readonly string[];
  readonly zones: readonly ZoneId[] | 'all';
  readonly devices: readonly DeviceId[] | 'all';
  /** Only while this calendar label or mode holds, e.g. `closed`; null: always. */
  readonly during: string | null;
  readonly class: AlarmClass;
  /** A further happening of the zone within this time after the last one belongs to it, ms; and an incident grows no longer than `longest`. */
  readonly within: number;
  readonly longest: number;
  /** Unclaimed for so long it is escalated, ms; null: never. */
  readonly escalateAfter: number | null;
}
