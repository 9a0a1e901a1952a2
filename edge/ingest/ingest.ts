import type { InboundMessage } from '#edge/bus/bus.ts';
import type { InboxEntry } from '#edge/domain/audit.ts';
import type { CounterStep } from '#edge/domain/counter.ts';
import type { Device } from '#edge/domain/device.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import type { Reading, Reason, Sample } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { Log } from '#edge/runtime/log.ts';
import { readAddresses } from './addresses.ts';
import type { DiscoveryState } from './conventions/homeassistant.ts';
import { createHomeAssistant, discoveryState } from './conventions/homeassistant.ts';
import { createPlain, hearSamples } from './conventions/plain.ts';
import { createTasmota } from './conventions/tasmota.ts';
import { createZigbee2mqtt } from './conventions/zigbee2mqtt.ts';
import { startCounter } from './counter.ts';
import {
  acceptHeld,
  decideHeld,
  heldStep,
  leaveHeld,
  rejectHeld,
  restoreCounters,
  type StepNews,
  type StoredCounters,
  stepNews,
} from './counter-steps.ts';
import type { Claim, Convention, Desk, Turn } from './desk.ts';
import { createDesk } from './desk.ts';
import { createInboxLimiter } from './inbox.ts';
import type { JudgeCounts } from './judge.ts';
import { settleBad } from './judge.ts';
import type { Registry } from './registry.ts';
import { createRegistry } from './registry.ts';
import { tickStaleness } from './staleness.ts';

export interface IngestOptions {
  readonly devices: readonly Device[];
  readonly clock: Clock;
  readonly log: Log;
  /** IANA zone of the campus: devices print local times. */
  readonly timeZone: string;
  /** A device's points came or went by discovery; `device` has them as they now are. */
  readonly onDeviceChanged?: (device: Device) => void;
}

/** What came of one message. */
export interface Accepted {
  /** To store and publish: each is now the latest of its point. */
  readonly readings: readonly Reading[];
  /** History that came late: to store, never to publish. */
  readonly late: readonly Reading[];
  /** What meters showed while their counter was not believed: to store beside it, never to publish. */
  readonly raw: readonly Reading[];
  /** Counter steps that opened, changed or ended by themselves: to store. */
  readonly steps: readonly StepNews[];
  readonly events: readonly CampusEvent[];
  readonly inbox: readonly InboxEntry[];
  /** Present when an announcement changed: store it, and give it to `restoreDiscovery` at the next start. */
  readonly discovered?: DiscoveryState;
}

export interface IngestCounts extends Readonly<JudgeCounts> {
  readonly messages: number;
  readonly readings: number;
  readonly events: number;
  readonly inbox: number;
  /** Inbox entries held back because their key had been heard within the last minute. */
  readonly inboxSuppressed: number;
  /** Messages on which ingest itself failed: a bug, in the log with its message. */
  readonly failures: number;
}

/** Sample -> reading. Synchronous, never throws, keeps what is latest of every point. */
export interface Ingest {
  accept(message: InboundMessage): Accepted;
  acceptSamples(device: DeviceId, samples: readonly Sample[]): Accepted;
  /** Readings that turned stale by now; call it about once a second. */
  tick(now: number): readonly Reading[];
  /** Nobody speaks for these devices any more (their driver process died): all their points turn bad. */
  markDevices(devices: readonly DeviceId[], reason: Reason): readonly Reading[];
  latest(): ReadonlyMap<PointRef, Reading>;
  /**
   * Last readings of before the restart; all are only last usable values now. Returns every point as it stands. Counters go on from
   * what was last believed of them, which `counters` knows; without it from their last reading, unless that was none to believe.
   */
  restore(readings: Iterable<Reading>, counters?: StoredCounters): readonly Reading[];
  /** State from `Accepted.discovered`, as it was stored; call it before `restore`. False when it is not one. */
  restoreDiscovery(state: unknown): boolean;
  readonly counters: Counters;
  readonly registry: Pick<Registry, 'devices' | 'find' | 'slot'>;
  /** Site devices whose address cannot be used, and why. */
  readonly broken: readonly { readonly device: DeviceId; readonly message: string }[];
  counts(): IngestCounts;
}

/** Counters that are held at a step (decision 22). */
export interface Counters {
  /** Of every point that is held, as it stands now: `open` ones and those that a person has rejected. */
  held(): readonly CounterStep[];
  /** A decision about its step is being written down: until `accept`, `reject` or `leave` what its meter shows is noted and changes nothing. */
  decide(ref: PointRef): void;
  leave(ref: PointRef): void;
  /** The point counts on from what its meter shows. Returns its reading, which is now the latest; null: it is not held. */
  accept(ref: PointRef): Reading | null;
  /** The point stays where it is until its meter agrees with it again. */
  reject(ref: PointRef): void;
}

export function createIngest(options: IngestOptions): Ingest {
  const { clock, log, timeZone } = options;
  const registry = createRegistry(options.devices, clock.now(), clock.monotonic());
  const limiter = createInboxLimiter();
  const judged: JudgeCounts = { unchanged: 0, duplicates: 0, late: 0 };
  const totals = { messages: 0, readings: 0, events: 0, inbox: 0, failures: 0 };
  const desk = createDesk(registry, clock, limiter, judged);
  let discoveryChanged = false;

  const { names, broken } = readAddresses(registry);
  for (const { device, message } of broken) {
    log.warn({ device, message }, 'sensor address is not usable');
    const turn = newTurn(clock, nobody);
    for (const slot of registry.find(device)?.slots.values() ?? [])
      settleBad(registry, slot, 'configuration-error', turn, turn);
  }
  const declared = new Set([
    ...names.zigbee.map(({ base, name }) => `${base}/${name}`),
    ...names.tasmota.flatMap(({ topic }) => ['SENSOR', 'STATE', 'RESULT'].map((kind) => `tele/${topic}/${kind}`)),
  ]);
  const homeassistant = createHomeAssistant(desk, registry, names.homeassistant, {
    isDeclared: (topic) => declared.has(topic),
    onChanged: () => {
      discoveryChanged = true;
    },
    onDeviceChanged: (device) => options.onDeviceChanged?.(device),
  });
  const conventions: readonly Convention[] = [
    createPlain(desk, registry, timeZone),
    createZigbee2mqtt(desk, names.zigbee, timeZone),
    createTasmota(desk, names.tasmota, timeZone),
    homeassistant,
  ];

  /** The bulkhead: whatever one message does, the next one is heard. */
  const take = (message: InboundMessage, work: (turn: Turn) => void): Accepted => {
    const turn = newTurn(clock, message);
    totals.messages++;
    try {
      work(turn);
    } catch (error) {
      totals.failures++;
      log.error({ error, topic: message.topic, client: message.client }, 'ingest failed on a message');
      desk.note(turn, 'malformed', message.topic, `could not be taken in: ${messageOf(error)}`);
    }
    return finish(turn);
  };
  const finish = (turn: Turn): Accepted => {
    const steps = stepNews(turn.steps, () => newHappeningId(clock), turn.monotonic);
    for (const { news, step } of steps) if (news === 'opened') suspect(turn, step);
    totals.readings += turn.readings.length + turn.late.length;
    totals.events += turn.events.length;
    totals.inbox += turn.inbox.length;
    const { readings, late, raw, events, inbox } = turn;
    if (!discoveryChanged) return { readings, late, raw, steps, events, inbox };
    discoveryChanged = false;
    return { readings, late, raw, steps, events, inbox, discovered: homeassistant.state() };
  };
  const suspect = (turn: Turn, { ref, from, last }: CounterStep) => {
    const slot = registry.slot(ref);
    if (slot === undefined) return;
    const data = { point: slot.point.name, believed: from, reads: last };
    desk.event(turn, registry.find(slot.device.id) ?? null, { type: 'meter_swap_suspected', data });
  };

  return {
    accept: (message) => take(message, (turn) => dispatch(turn, conventions, desk.note)),
    acceptSamples: (device, samples) =>
      take({ ...nobody, topic: device }, (turn) => {
        const entry = registry.find(device);
        if (entry === undefined) desk.note(turn, 'unknown-device', device, `no device "${device}" in the site file`);
        else hearSamples(desk, turn, entry, samples);
      }),
    tick: (now) => tickStaleness(registry, { now, monotonic: clock.monotonic() }),
    markDevices(devices, reason) {
      const turn = newTurn(clock, nobody);
      for (const device of devices) {
        for (const slot of registry.find(device)?.slots.values() ?? []) settleBad(registry, slot, reason, turn, turn);
      }
      return turn.readings;
    },
    latest: () => registry.latest,
    restore(readings, counters) {
      restoreReadings(registry, readings, clock);
      if (counters !== undefined) restoreCounters(registry, counters);
      return [...registry.latest.values()];
    },
    restoreDiscovery(state) {
      const checked = discoveryState.safeParse(state);
      if (!checked.success) return false;
      homeassistant.restore(checked.data);
      discoveryChanged = false;
      return true;
    },
    counters: countersOf(registry, clock),
    registry,
    broken,
    counts: () => ({ ...totals, ...judged, inboxSuppressed: limiter.suppressed }),
  };
}

function countersOf(registry: Registry, clock: Clock): Counters {
  return {
    held: () => [...registry.slots()].flatMap((slot) => heldStep(slot) ?? []),
    accept(ref) {
      const slot = registry.slot(ref);
      const now = slot === undefined ? null : acceptHeld(slot);
      if (slot === undefined || now === null) return null;
      const { reason, ...known } = slot.reading;
      const times = { sourceTime: now.at, receivedTime: clock.now() };
      // A meter that is silent meanwhile is not good for having been accepted.
      const next: Reading =
        reason === 'counter-step'
          ? { ...known, value: now.value, quality: 'good', ...times }
          : { ...slot.reading, value: now.value, ...times };
      registry.settle(slot, next);
      return next;
    },
    reject(ref) {
      const slot = registry.slot(ref);
      if (slot !== undefined) rejectHeld(slot);
    },
    decide(ref) {
      const slot = registry.slot(ref);
      if (slot !== undefined) decideHeld(slot);
    },
    leave(ref) {
      const slot = registry.slot(ref);
      if (slot !== undefined) leaveHeld(slot);
    },
  };
}

/** Our own hand: what comes without a message. */
const nobody: InboundMessage = { client: 'core', topic: '', payload: Buffer.alloc(0), qos: 0, retain: false };

function newTurn(clock: Clock, message: InboundMessage): Turn {
  return {
    message,
    now: clock.now(),
    monotonic: clock.monotonic(),
    readings: [],
    late: [],
    raw: [],
    steps: [],
    events: [],
    inbox: [],
  };
}

/** A topic may concern two conventions (an announced Tasmota plug): the inbox hears of it only when nobody took it. */
function dispatch(turn: Turn, conventions: readonly Convention[], note: Desk['note']): void {
  let unclaimed: Exclude<Claim, string> | null = null;
  for (const convention of conventions) {
    const claim = convention.accept(turn);
    if (claim === 'taken') return;
    if (claim !== 'not-mine') unclaimed ??= claim;
  }
  const { topic } = turn.message;
  const message = 'no device of the site file speaks on this topic';
  const claim = unclaimed ?? { kind: 'unknown-topic', key: topic, message };
  note(turn, claim.kind, claim.key, claim.message);
}

function restoreReadings(registry: Registry, readings: Iterable<Reading>, clock: Clock): void {
  for (const reading of readings) {
    const slot = registry.slot(reading.ref);
    if (slot === undefined || reading.value === null || typeof reading.value !== slotType(slot.point.type)) continue;
    if (reading.unit !== slot.point.unit) continue;
    registry.settle(slot, { ...reading, quality: 'uncertain', reason: 'last-usable-value' });
    // Stale from the start; bad when as long again passes as any other stale value is kept.
    slot.heardAt = clock.monotonic() - slot.point.staleAfter;
    if (slot.point.counter !== undefined && typeof reading.value === 'number' && reading.reason !== 'out-of-range') {
      slot.counter = startCounter(reading.value, reading.sourceTime);
    }
  }
}

function slotType(type: Device['points'][number]['type']): string {
  return type === 'text' ? 'string' : type;
}
