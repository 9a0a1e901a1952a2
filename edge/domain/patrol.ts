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
