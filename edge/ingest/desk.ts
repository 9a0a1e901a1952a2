import type { InboundMessage } from '#edge/bus/bus.ts';
import type { InboxEntry } from '#edge/domain/audit.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { eventIdFor } from './event-id.ts';
import type { InboxKind, InboxLimiter } from './inbox.ts';
import type { Heard, JudgeCounts, Judged, Moment } from './judge.ts';
import { judge, settleBad, settleKept } from './judge.ts';
import { excerptOf, valueAt } from './payload.ts';
import { onlinePath } from './point-address.ts';
import type { DeviceEntry, Registry, Slot } from './registry.ts';
import { judgeSourceTime } from './source-time.ts';

/** One message on its way through ingest, and what has come of it so far. */
export interface Turn extends Moment, Judged {
  readonly message: InboundMessage;
  readonly events: CampusEvent[];
  readonly inbox: InboxEntry[];
}

export type Happening = Pick<CampusEvent, 'type'> &
  Partial<Pick<CampusEvent, 'id' | 'active' | 'sourceTime' | 'snapshot' | 'time' | 'data'>>;

/** What a convention does with a message: nothing of its own, a device of the site, or one that nobody declared. */
export type Claim = 'not-mine' | 'taken' | { readonly kind: InboxKind; readonly key: string; readonly message: string };

/** One sensor convention. Called for every message from the network; must be quick to say `not-mine`. */
export interface Convention {
  accept(turn: Turn): Claim;
}

/** What conventions put what they understood on. */
export interface Desk {
  hear(turn: Turn, slot: Slot, heard: Heard): void;
  /** Every point of the device whose `at` is found in `root`; `nulls: skip` where null means "nothing yet". */
  hearPaths(turn: Turn, entry: DeviceEntry, root: unknown, how: PathRules): void;
  /** The device (or some of its points) went away or came back, as its availability topic or last will says. */
  presence(turn: Turn, entry: DeviceEntry, online: boolean): void;
  silence(turn: Turn, slots: Iterable<Slot>): void;
  /** After a silence the kept values stand again, as kept values: something may have been missed. */
  revive(turn: Turn, slots: Iterable<Slot>): void;
  event(turn: Turn, entry: DeviceEntry | null, happening: Happening): void;
  note(turn: Turn, kind: InboxKind, key: string, message: string): void;
}

export interface PathRules {
  readonly sourceTime?: number;
  readonly nulls: 'skip' | 'failure';
  readonly convert?: (slot: Slot) => ((value: number) => number) | undefined;
}

export function createDesk(registry: Registry, clock: Clock, limiter: InboxLimiter, counts: JudgeCounts): Desk {
  const hear = (turn: Turn, slot: Slot, heard: Heard) => judge(registry, slot, heard, turn, turn, counts);

  const event = (turn: Turn, entry: DeviceEntry | null, happening: Happening) => {
    const { message, now } = turn;
    const source = judgeSourceTime(happening.sourceTime, now);
    const own = source.own ? source.time : undefined;
    const id =
      happening.id ??
      (own === undefined
        ? newHappeningId(clock)
        : eventIdFor(clock, message.topic, message.payload, happening.sourceTime));
    turn.events.push({
      id,
      type: happening.type,
      ...(entry === null ? {} : { device: entry.device.id, zone: entry.device.zone }),
      ...(happening.active === undefined ? {} : { active: happening.active }),
      time: happening.time ?? now,
      ...(own === undefined ? {} : { sourceTime: own }),
      data: happening.data ?? {},
      ...(happening.snapshot === undefined ? {} : { snapshot: happening.snapshot }),
    });
  };
  const silence = (turn: Turn, slots: Iterable<Slot>) => {
    for (const slot of slots) if (!isPresence(slot)) settleBad(registry, slot, 'no-communication', turn, turn);
  };
  const revive = (turn: Turn, slots: Iterable<Slot>) => {
    for (const slot of slots) {
      if (slot.reading.reason !== 'no-communication') continue;
      if (slot.reading.value === null) settleKept(registry, slot, 'bad', 'never-read', turn, turn);
      else settleKept(registry, slot, 'uncertain', 'last-usable-value', turn, turn);
    }
  };
  const presence = (turn: Turn, entry: DeviceEntry, online: boolean) => {
    const before = entry.online;
    entry.online = online;
    if (!online) silence(turn, entry.slots.values());
    else if (before === false) revive(turn, entry.slots.values());
    for (const slot of entry.slots.values()) if (isPresence(slot)) hear(turn, slot, { raw: online, encoded: true });
    if (before !== online && (before !== null || !online))
      event(turn, entry, { type: 'device_offline', active: !online });
  };
  return {
    hear,
    event,
    silence,
    revive,
    presence,
    hearPaths(turn, entry, root, rules) {
      for (const slot of entry.slots.values()) {
        if (slot.address === null || isPresence(slot)) continue;
        const raw = valueAt(root, slot.address.at);
        if (raw === undefined || (raw === null && rules.nulls === 'skip')) continue;
        const convert = rules.convert?.(slot);
        hear(turn, slot, {
          raw,
          encoded: true,
          ...(rules.sourceTime === undefined ? {} : { sourceTime: rules.sourceTime }),
          ...(convert === undefined ? {} : { convert }),
        });
      }
    },
    note(turn, kind, key, message) {
      const { client, topic, payload } = turn.message;
      const entry = { kind, client, topic, key, message, excerpt: excerptOf(payload), time: turn.now };
      const admitted = limiter.admit(entry, turn.monotonic);
      if (admitted !== null) turn.inbox.push(admitted);
    },
  };
}

function isPresence(slot: Slot): boolean {
  return slot.address?.at === onlinePath;
}

/** Event data from a stranger's object: at most 16 primitive values, at most 256 characters each. */
export function eventData(pairs: Iterable<readonly [string, unknown]>): Readonly<Record<string, Value>> {
  const kept: [string, Value][] = [];
  for (const [key, value] of pairs) {
    if (kept.length === 16) break;
    if (key.length > 64 || key === '__proto__') continue;
    if (typeof value === 'string') kept.push([key, value.slice(0, 256)]);
    else if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
      kept.push([key, value]);
  }
  return Object.fromEntries(kept);
}
