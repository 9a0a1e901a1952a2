import type { DeviceId, PointName, PointRef } from './ids.ts';

/** What a point can carry. Pictures and sound are never values. Text is at most 256 characters. */
export type Value = number | boolean | string;

/** May I use it? (OPC UA Part 8) */
export type Quality = 'good' | 'uncertain' | 'bad';

/** Why a quality is not good. The words follow OPC UA status codes. */
export const reasons = [
  'never-read', // Bad_NotConnected: nothing was heard since the start
  'no-communication', // Bad_NoCommunication: the device does not answer, or its driver is down
  'communication-error', // Bad_CommunicationError: it answers, but not correctly (CRC, garbage)
  'configuration-error', // Bad_ConfigurationError: the device refuses this point, or its profile is broken
  'device-failure', // Bad_DeviceFailure: the device says so itself (exception 4, invalid pattern)
  'held', // Bad_OutOfService: asking is suspended on purpose (wrong password, quarantine)
  'last-usable-value', // Uncertain_LastUsableValue: a kept value, not heard again for too long
  'out-of-range', // Uncertain_EngineeringUnitsExceeded
  'not-accurate', // Uncertain_SensorNotAccurate: a profile check failed
  'counter-step', // Uncertain: an energy counter moved in a way its meter cannot
  'clock', // Uncertain: the source time cannot be trusted, the received time stands in for it
] as const;
export type Reason = (typeof reasons)[number];

/** Raw from a driver or a device, decoded by its profile but not yet judged. */
export interface Sample {
  readonly point: PointName;
  /** null when the quality is bad and no value was had. */
  readonly value: Value | null;
  readonly quality: Quality;
  readonly reason?: Reason;
  /** The device's clock, ms since epoch UTC; absent when the device has none. */
  readonly sourceTime?: number;
}

/** An engineering value: what everybody but the drivers sees. */
export interface Reading {
  readonly ref: PointRef;
  readonly device: DeviceId;
  readonly point: PointName;
  /** Last usable value; null when there never was one. */
  readonly value: Value | null;
  /** UCUM code; '1' for a pure number, '' for boolean and text. */
  readonly unit: string;
  readonly quality: Quality;
  readonly reason?: Reason;
  /** When the value was true, ms since epoch UTC. Stays when a value is only kept. */
  readonly sourceTime: number;
  /** When core heard it, ms since epoch UTC. */
  readonly receivedTime: number;
}
