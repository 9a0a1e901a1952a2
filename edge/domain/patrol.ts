import type { DeviceId, HappeningId, PointRef, ZoneId } from './ids.ts';
import type { Name } from './place.ts';

/** A place that the national rule wants looked after (GB/T 29315-2022): gate, dormitory, laboratory store ... */
export interface KeyPlace {
  readonly id: string;
  readonly name: Name;
  readonly zone: ZoneId;
  readonly cameras: readonly DeviceId[];
  /** Ids of its one-key alarms. */
  readonly panic: readonly string[];
  /** Patrols a day, default 5. */
  readonly patrols: number;
}

export interface PatrolCheckIn {
  readonly id: HappeningId;
  readonly place: string;
  readonly time: number;
  readonly who: string;
  readonly name: string;
  readonly way: 'qr' | 'card' | 'desk';
  readonly note: string;
}

/** A one-key alarm: a supervised line, so that a cut wire is an alarm too. */
export interface PanicButton {
  readonly id: string;
  readonly name: Name;
  readonly zone: ZoneId;
  /** Pressed is `true` (or the text `alarm`); bad quality, or the texts `open` and `short`, are a cut wire. */
  readonly input: PointRef;
  /** What is said, where. */
  readonly sound: { readonly clip: string; readonly zones: readonly ZoneId[] | 'all' } | null;
  readonly cameras: readonly { readonly device: DeviceId; readonly preset: string | null }[];
}

/** Check-ins at one place that follow each other sooner are one patrol, ms: who shows a code five times has not gone round five times. */
export const patrolsApart = 20 * 60_000;

/** How many patrols check-ins of one place amount to. */
export function patrolsDone(checkIns: readonly Pick<PatrolCheckIn, 'time'>[]): number {
  let done = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const time of checkIns.map((one) => one.time).sort((a, b) => a - b)) {
    if (time - last < patrolsApart) continue;
    done += 1;
    last = time;
  }
  return done;
}
