import type { Alarm } from '#edge/domain/alarm.ts';
import type { Calendar } from '#edge/domain/calendar.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { CampusIndex } from './campus-index.ts';

/** An instance of a rule whose alarm another rule waits for. */
export interface Watched {
  readonly instance: string;
  readonly source: string;
  /** Its trip was confirmed since the start. */
  readonly live: boolean;
}

/** What one step sees: the same for every instance. */
export interface Scene {
  /** ms since epoch. */
  readonly now: number;
  readonly monotonic: number;
  readonly latest: ReadonlyMap<PointRef, Reading>;
  readonly events: readonly CampusEvent[];
  readonly openAlarms: ReadonlyMap<string, Alarm>;
  readonly modes: ReadonlySet<string>;
  readonly calendar: Calendar;
  readonly index: CampusIndex;
  readonly blindAfter: number;
  readonly startGrace: number;
  readonly isShadow: boolean;
  /** From when `startGrace` counts for whoever is looked at for the first time: the start, or now for a rule that came later. */
  readonly bornAt: number;
  readonly watched: (rule: string) => readonly Watched[];
}

/** What judging one instance brings to light. */
export interface Findings {
  /** Events heard now that make a leaf true. */
  readonly heard: CampusEvent[];
  /** When time alone may change something, monotonic ms. */
  wakeAt: number | null;
  /** When the time of day may, ms since epoch. */
  wakeTime: number | null;
}

export interface Verdict {
  /** Is it a reason to fire? Never on what is only remembered from before the start. */
  readonly trip: boolean;
  /** Is it a reason to stay fired? Remembered verdicts count. */
  readonly stand: boolean;
  /** Would it stand if everything remembered were forgotten? */
  readonly now: boolean;
  /** Has it been confirmed since the start by values, events or alarms? */
  readonly fresh: boolean;
}

export const no: Verdict = { trip: false, stand: false, now: false, fresh: false };

export function wakeBy(findings: Findings, at: number): void {
  if (findings.wakeAt === null || at < findings.wakeAt) findings.wakeAt = at;
}

export function wakeByTime(findings: Findings, time: number): void {
  if (!Number.isFinite(time)) return;
  if (findings.wakeTime === null || time < findings.wakeTime) findings.wakeTime = time;
}
