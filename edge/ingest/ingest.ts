import type { InboundMessage } from '#edge/bus/bus.ts';
import type { InboxEntry } from '#edge/domain/audit.ts';
import type { Device } from '#edge/domain/device.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import type { Reading, Reason, Sample } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { readAddresses } from './addresses.ts';
import type { DiscoveryState } from './conventions/homeassistant.ts';
import { createHomeAssistant, discoveryState } from './conventions/homeassistant.ts';
import { createPlain, hearSamples } from './conventions/plain.ts';
import { createTasmota } from './conventions/tasmota.ts';
import { createZigbee2mqtt } from './conventions/zigbee2mqtt.ts';
import { startCounter } from './counter.ts';
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
  /** Last readings of before the restart; all are only last usable values now. Returns every point as it stands. */
  restore(readings: Iterable<Reading>): readonly Reading[];
  /** State from `Accepted.discovered`, as it was stored; call it before `restore`. False when it is not one. */
  restoreDiscovery(state: unknown): boolean;
  /** Takes the counter's present course as true (a person confirmed a meter swap). False when it has no other course. */
  rebaseCounter(ref: PointRef): boolean;
  readonly registry: Pick<Registry, 'devices' | 'find' | 'slot'>;
  /** Site devices whose address cannot be used, and why. */
  readonly broken: readonly { readonly device: DeviceId; readonly message: string }[];
  counts(): IngestCounts;
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
    for (const { slot, value } of turn.swaps) {
      const data = { point: slot.point.name, believed: slot.counter?.base ?? 0, reads: value };
      desk.event(turn, registry.find(slot.device.id) ?? null, { type: 'meter_swap_suspected', data });
    }
    totals.readings += turn.readings.length + turn.late.length;
    totals.events += turn.events.length;
    totals.inbox += turn.inbox.length;
    const { readings, late, events, inbox } = turn;
    if (!discoveryChanged) return { readings, late, events, inbox };
    discoveryChanged = false;
    return { readings, late, events, inbox, discovered: homeassistant.state() };
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
    restore(readings) {
      restoreReadings(registry, readings, clock);
      return [...registry.latest.values()];
    },
    restoreDiscovery(state) {
      const checked = discoveryState.safeParse(state);
      if (!checked.success) return false;
      homeassistant.restore(checked.data);
      discoveryChanged = false;
      return true;
    },
    rebaseCounter(ref) {
      const slot = registry.slot(ref);
      const other = slot?.counter?.other;
      if (slot === undefined || other === undefined || other === null) return false;
      slot.counter = startCounter(other.value, other.at);
      return true;
    },
    registry,
    broken,
    counts: () => ({ ...totals, ...judged, inboxSuppressed: limiter.suppressed }),
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
    swaps: [],
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
    if (slot.point.counter !== undefined && typeof reading.value === 'number') {
      slot.counter = startCounter(reading.value, reading.sourceTime);
    }
  }
}

function slotType(type: Device['points'][number]['type']): string {
  return type === 'text' ? 'string' : type;
}
