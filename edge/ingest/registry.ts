import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import { pointRef } from '#edge/domain/ids.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { CounterState } from './counter.ts';
import { type CounterPast, createCounterPast } from './counter-past.ts';
import type { PointAddress } from './point-address.ts';
import { parsePointAddress } from './point-address.ts';

/** One point and what ingest knows of it. */
export interface Slot {
  readonly device: Device;
  readonly point: Point;
  readonly ref: PointRef;
  /** Only for devices that speak MQTT themselves. */
  readonly address: PointAddress | null;
  /** What `latest()` says. */
  reading: Reading;
  /** Monotonic ms at which the value was last known to be true. */
  heardAt: number;
  counter: CounterState | null;
  /** Of a counter: believed reads, for what comes late. */
  readonly past: CounterPast;
  /** Id of the step at which it is held. */
  stepId: string | null;
  /** The last step that ended by itself, and when (monotonic). */
  lastStep: { readonly id: string; readonly at: number } | null;
  /** What the meter showed when that was last stored beside the believed value. */
  shown: number | null;
  /** Of the point `serial`: the last one that was good. */
  serial: string | null;
  /** The last few values that came with a time of their own: a QoS 1 resend brings them again. */
  readonly recent: { readonly time: number; readonly value: Value }[];
  /** How far behind us the device's clock seems to be, and since when (monotonic), while its samples look late. */
  lag: { readonly behind: number; readonly since: number } | null;
}

/** One site device. Its points may come and go by discovery. */
export interface DeviceEntry {
  device: Device;
  readonly slots: Map<string, Slot>;
  /** What its availability topic (or last will) said last; null when it never said anything. */
  online: boolean | null;
}

/** Every device of the site and every point, kept in step with `latest`. */
export interface Registry {
  readonly latest: ReadonlyMap<PointRef, Reading>;
  devices(): readonly Device[];
  entries(): Iterable<DeviceEntry>;
  slots(): Iterable<Slot>;
  find(device: string): DeviceEntry | undefined;
  slot(ref: PointRef): Slot | undefined;
  /** The only way to change what `latest` says. */
  settle(slot: Slot, reading: Reading): void;
  addPoint(entry: DeviceEntry, point: Point): Slot;
  removePoint(entry: DeviceEntry, slot: Slot): void;
}

/** `now` and `monotonic`: the moment of the start; every point is `bad/never-read` until something is heard. */
export function createRegistry(devices: readonly Device[], now: number, monotonic: number): Registry {
  const latest = new Map<PointRef, Reading>();
  const entries = new Map<string, DeviceEntry>();
  const slots = new Map<PointRef, Slot>();

  const open = (entry: DeviceEntry, point: Point): Slot => {
    const slot = newSlot(entry.device, point, now, monotonic);
    entry.slots.set(point.name, slot);
    slots.set(slot.ref, slot);
    latest.set(slot.ref, slot.reading);
    return slot;
  };
  for (const device of devices) {
    const entry: DeviceEntry = { device, slots: new Map(), online: null };
    entries.set(device.id, entry);
    for (const point of device.points) open(entry, point);
  }
  const replacePoints = (entry: DeviceEntry) => {
    entry.device = { ...entry.device, points: [...entry.slots.values()].map((slot) => slot.point) };
  };
  return {
    latest,
    devices: () => [...entries.values()].map((entry) => entry.device),
    entries: () => entries.values(),
    slots: () => slots.values(),
    find: (device) => entries.get(device),
    slot: (ref) => slots.get(ref),
    settle(slot, reading) {
      slot.reading = reading;
      if (slots.get(slot.ref) === slot) latest.set(slot.ref, reading);
    },
    addPoint(entry, point) {
      const slot = open(entry, point);
      replacePoints(entry);
      return slot;
    },
    removePoint(entry, slot) {
      entry.slots.delete(slot.point.name);
      slots.delete(slot.ref);
      latest.delete(slot.ref);
      replacePoints(entry);
    },
  };
}

function newSlot(device: Device, point: Point, now: number, monotonic: number): Slot {
  const ref = pointRef(device.id, point.name);
  return {
    device,
    point,
    ref,
    address: device.protocol === 'mqtt' ? parsePointAddress(point) : null,
    reading: neverRead(device.id, point, ref, now),
    heardAt: monotonic,
    counter: null,
    past: createCounterPast(),
    stepId: null,
    lastStep: null,
    shown: null,
    serial: null,
    recent: [],
    lag: null,
  };
}

function neverRead(device: DeviceId, point: Point, ref: PointRef, now: number): Reading {
  return {
    ref,
    device,
    point: point.name,
    value: null,
    unit: point.unit,
    quality: 'bad',
    reason: 'never-read',
    sourceTime: now,
    receivedTime: now,
  };
}
