import type { Point } from '#edge/domain/device.ts';
import type { Desk, Turn } from '../desk.ts';
import { parseJson, parseJsonOrText, textOf, valueAtKeys } from '../payload.ts';
import type { DeviceEntry, Registry, Slot } from '../registry.ts';
import { converter, ucumOf } from '../stated-unit.ts';
import type { Availability, Entity } from './ha-config.ts';
import { objectName, pointNameOf, pointOf } from './ha-point.ts';

export const discoveredProfile = 'sensor/discovered';
const maxPointsPerDevice = 64;

/** An entity tied to a point. */
export interface Bound {
  readonly client: string;
  readonly entity: Entity;
  readonly entry: DeviceEntry;
  readonly slot: Slot;
  /** The point was made by this announcement and goes with it. */
  readonly made: boolean;
  /** What each availability topic said last. */
  readonly said: Map<string, boolean>;
  online: boolean | null;
}

/** The point an entity belongs to: one the profile has, or a new one of its name; else why not. */
export function tie(
  registry: Registry,
  entry: DeviceEntry,
  entity: Entity,
  client: string,
  kept: string | undefined,
): Bound | string {
  const wanted = [kept, pointNameOf(entity), objectName(entity)].filter((name) => name !== null && name !== undefined);
  const tied = (slot: Slot, made: boolean): Bound => ({
    client,
    entity,
    entry,
    slot,
    made,
    said: new Map(),
    online: null,
  });
  if (entry.device.profile !== discoveredProfile) {
    const slot = [...entry.slots.values()].find(
      ({ address }) => address !== null && (address.at === entity.objectId || wanted.includes(address.at)),
    );
    return slot === undefined
      ? `profile ${entry.device.profile} has no value at "${entity.objectId}"`
      : tied(slot, false);
  }
  if (entry.slots.size >= maxPointsPerDevice) return `${entry.device.id} has ${maxPointsPerDevice} points already`;
  const name = wanted.find((candidate) => !entry.slots.has(candidate));
  if (name === undefined) return `no free point name for "${entity.objectId}" (${wanted.join(', ') || 'none'})`;
  return tied(registry.addPoint(entry, pointOf(entity, name)), true);
}

/** An announcement that changed (a new label, another topic) does not make its points forget what they know. */
export function inherit(registry: Registry, { slot, made }: Bound, old: readonly Bound[]): void {
  const before = old.find((one) => one.made && one.slot.ref === slot.ref)?.slot;
  if (!made || before === undefined) return;
  if (before.point.unit !== slot.point.unit || before.point.type !== slot.point.type) return;
  slot.heardAt = before.heardAt;
  registry.settle(slot, before.reading);
}

export function acceptState(desk: Desk, turn: Turn, bound: Bound): void {
  const { entity, slot } = bound;
  const parsed =
    entity.path === null ? { ok: true, value: textOf(turn.message.payload) } : parseJson(turn.message.payload);
  const key = `${slot.device.id}/${entity.objectId}`;
  if (!parsed.ok) {
    desk.note(turn, 'malformed', key, `${slot.point.name}: payload is not JSON`);
    return;
  }
  const raw = entity.path === null ? parsed.value : valueAtKeys(parsed.value, entity.path);
  // One state topic often serves many entities, and not each message has all of them.
  if (raw === undefined) return;
  const value = slot.point.type === 'boolean' ? onOff(entity, raw) : raw;
  const convert = statedConverter(entity, slot.point);
  if (convert === null) {
    desk.hear(turn, slot, { raw: null, quality: 'bad', reason: 'configuration-error', encoded: false });
    return;
  }
  desk.hear(turn, slot, { raw: value, encoded: !bound.made, convert });
}

function onOff(entity: Entity, raw: unknown): unknown {
  if (typeof raw !== 'string' && typeof raw !== 'number' && typeof raw !== 'boolean') return raw;
  // JSON's true is `True` to a template and `true` in a payload_on.
  const said = String(raw).toLowerCase();
  if (said === entity.payloadOn.toLowerCase()) return true;
  return said === entity.payloadOff.toLowerCase() ? false : raw;
}

/** From the stated unit to the point's; null when a profile expects another kind of quantity. */
function statedConverter(entity: Entity, point: Point): ((value: number) => number) | null {
  const stated = entity.unit === null || point.type !== 'number' ? null : ucumOf(entity.unit);
  return stated === null || point.unit.startsWith('{') || point.unit === '1'
    ? (value) => value
    : converter(stated, point.unit);
}

export function acceptAvailability(desk: Desk, turn: Turn, bound: Bound): void {
  const { entity, slot } = bound;
  const parsed = parseJsonOrText(turn.message.payload);
  for (const one of entity.availability) {
    if (one.topic !== turn.message.topic || !parsed.ok) continue;
    const said = wordAt(one, parsed.value);
    if (said === one.available) bound.said.set(one.topic, true);
    if (said === one.notAvailable) bound.said.set(one.topic, false);
    const before = bound.online;
    bound.online = verdict(bound, one.topic);
    if (bound.online === false) desk.silence(turn, [slot]);
    else if (bound.online && before === false) desk.revive(turn, [slot]);
  }
}

function wordAt(one: Availability, payload: unknown): string | null {
  const value = one.path === null ? payload : valueAtKeys(payload, one.path);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

function verdict(bound: Bound, latest: string): boolean | null {
  const { availability, availabilityMode } = bound.entity;
  const said = availability.map((one) => bound.said.get(one.topic) ?? null);
  if (availabilityMode === 'latest') return bound.said.get(latest) ?? bound.online;
  if (availabilityMode === 'any') return said.includes(true) ? true : said.includes(null) ? null : false;
  return said.includes(false) ? false : said.includes(null) ? null : true;
}

/** A device is online while any of its entities is. */
export function tellPresence(desk: Desk, turn: Turn, touched: readonly Bound[], all: readonly Bound[]): void {
  for (const entry of new Set(touched.map((bound) => bound.entry))) {
    const states = all.filter((bound) => bound.entry === entry).map((bound) => bound.online);
    const online = states.includes(true) ? true : states.includes(false) ? false : null;
    if (online !== null && online !== entry.online) desk.presence(turn, entry, online);
  }
}
