import type { DeviceId, HappeningId, ZoneId } from './ids.ts';
import type { Value } from './reading.ts';

/** Something happened. Stored with synchronous=FULL before anyone is told. */
export interface CampusEvent {
  readonly id: HappeningId;
  /** Normalised: `motion`, `person`, `line_cross`, `tamper`, `button`, `device_offline`, `process_crash` ... */
  readonly type: string;
  readonly device?: DeviceId;
  readonly zone?: ZoneId;
  /** false marks the end of a state (`motion` over); absent for a pulse. */
  readonly active?: boolean;
  /** When core (or the driver) heard it, ms since epoch UTC: authoritative. */
  readonly time: number;
  /** The device's own clock, if it gave one. */
  readonly sourceTime?: number;
  /** At most 16 keys, values at most 256 characters. Never a picture, never a person's name. */
  readonly data: Readonly<Record<string, Value>>;
  /** Path below <data>/snapshots, e.g. `2026-11-22/<id>.jpg`. Never leaves the campus. */
  readonly snapshot?: string;
}
