import type { DeviceId, PointName, SpaceId, ZoneId } from './ids.ts';
import type { Name } from './place.ts';
import type { Value } from './reading.ts';

export type ValueType = 'number' | 'boolean' | 'text';

/** Classes, not seconds: the site file says how many seconds each takes. `watch` points are never polled. */
export type PollClass = 'fast' | 'normal' | 'slow' | 'once' | 'watch';

/** How an energy or volume counter may move; anything else is `uncertain/counter-step`. */
export interface CounterRule {
  /** Value at which the meter starts again at 0, in the point's unit. */
  readonly wrap?: number;
  /** Fastest believable rise, in the point's unit per hour. */
  readonly maxRate?: number;
}

export interface WriteRule {
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  /** Read back this long after the write, and until `verifyWithin`, ms. */
  readonly verifyAfter: number;
  readonly verifyWithin: number;
  /** Least pause between two writes to this point, ms. */
  readonly minGap: number;
  /** What the output does when nobody holds it: keep what it has, or this value. */
  readonly failSafe: Value | 'keep';
  /** Once on (or off) it stays so for this long, ms; 0 or absent: no limit. Life safety (priority 1) does not wait. */
  readonly minOn?: number;
  readonly minOff?: number;
  /** Switchings within any hour; weaker wishes than priority 5 wait for the next one. Absent: no limit. */
  readonly maxPerHour?: number;
  /** What a switch turned on the device itself means: it is respected as an operator's hold for this long, ms; 0 or absent: it is put back. */
  readonly localOverride?: number;
  /** A push button (a camera's picture): pulsed by `commands`, never held and never asserted again. */
  readonly momentary?: true;
}

/** One value of a device: what it means (here) and where it lives (`address`, known to its driver only). */
export interface Point {
  readonly name: PointName;
  readonly label: Name;
  readonly type: ValueType;
  /** UCUM code; '1' for a pure number, '' for boolean and text. */
  readonly unit: string;
  readonly poll: PollClass;
  /** Believable values; outside is uncertain/out-of-range. */
  readonly range?: readonly [number, number];
  readonly counter?: CounterRule;
  /** A change smaller than this is not stored or published again, in the point's unit. */
  readonly deadband: number;
  /** Silence after which the value is only the last usable one, ms; 0 = never (event-like points). */
  readonly staleAfter: number;
  /** Not every device of the model has it: until it is heard for the first time nobody misses it. */
  readonly optional?: true;
  /** Present on outputs only. */
  readonly write?: WriteRule;
  /** Protocol address as the profile gives it; parsed by the driver or the sensor convention. */
  readonly address: unknown;
}

export interface Device {
  readonly id: DeviceId;
  readonly name: Name;
  /** Path below device-profiles without the ending, e.g. `meter/eastron-sdm630`. */
  readonly profile: string;
  /** `modbus`, `onvif`, `broadcast`, `mqtt`: from the profile. */
  readonly protocol: string;
  readonly zone: ZoneId;
  readonly space?: SpaceId;
  /** What people call it to choose it by in rules, e.g. `classroom`; absent: none. */
  readonly tags?: readonly string[];
  readonly points: readonly Point[];
  /** Site data (host, port, unit id, topic ...); parsed by the driver or the sensor convention. */
  readonly address: unknown;
}

/** Spoken by loudspeakers alone. */
const soundProtocols: ReadonlySet<string> = new Set(['broadcast', 'sip', 'http-pa', 'line', 'snapcast']);

/** Is it a loudspeaker, whatever it speaks? */
export function speaksToLoudspeakers(protocol: string | undefined): boolean {
  return protocol !== undefined && soundProtocols.has(protocol);
}
