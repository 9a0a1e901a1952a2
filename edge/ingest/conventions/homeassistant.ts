import { z } from 'zod';
import type { Device } from '#edge/domain/device.ts';
import type { Claim, Convention, Desk, Turn } from '../desk.ts';
import { settleBad } from '../judge.ts';
import { parseJson, textOf } from '../payload.ts';
import type { DeviceEntry, Registry } from '../registry.ts';
import type { Bound } from './ha-bound.ts';
import { acceptAvailability, acceptState, inherit, tellPresence, tie } from './ha-bound.ts';
import type { ConfigTopic, Entity } from './ha-config.ts';
import { discoveryPrefix, parseConfigTopic, parseEntities } from './ha-config.ts';

/*
 * Devices that announce themselves. A site device `{homeassistant: <id>}` gets its points from what it announces; what
 * nobody declared goes to the inbox, with its name, so that a person can declare it. Announcements are kept across a
 * restart, because most devices make them once per connection and some once in their life.
 */

const maxConfigs = 1_000;
const maxConfigBytes = 16_384;
/** Announced by devices nobody declared: remembered so that their states are not a second unknown. */
const maxStrangers = 500;

export interface HomeAssistantName {
  readonly id: string;
  readonly entry: DeviceEntry;
}

/** Opaque to others: what must survive a restart. */
export const discoveryState = z.object({
  configs: z
    .array(
      z.object({ topic: z.string(), client: z.string(), text: z.string(), points: z.record(z.string(), z.string()) }),
    )
    .max(maxConfigs),
});
export type DiscoveryState = z.infer<typeof discoveryState>;

export interface HomeAssistant extends Convention {
  state(): DiscoveryState;
  /** Announcements of before the restart; unknown or changed site devices are left out. */
  restore(state: DiscoveryState): void;
}

/** One announcement that is in force. */
interface Config {
  readonly topic: string;
  readonly client: string;
  readonly text: string;
  readonly bound: Bound[];
}

export interface DiscoveryHooks {
  /** True for a topic that a site device already speaks on in another convention. */
  isDeclared(topic: string): boolean;
  /** `state()` would say something else now. */
  onChanged(): void;
  /** The points of a device came or went. */
  onDeviceChanged(device: Device): void;
}

export function createHomeAssistant(
  desk: Desk,
  registry: Registry,
  names: readonly HomeAssistantName[],
  hooks: DiscoveryHooks,
): HomeAssistant {
  const byId = new Map(names.map(({ id, entry }) => [id, entry]));
  const configs = new Map<string, Config>();
  const byState = new Map<string, Set<Bound>>();
  const byAvailability = new Map<string, Set<Bound>>();
  const strangers = new Map<string, string>();

  const link = (bound: Bound) => {
    add(byState, bound.entity.stateTopic, bound);
    for (const { topic } of bound.entity.availability) add(byAvailability, topic, bound);
  };
  const unlink = (bound: Bound) => {
    remove(byState, bound.entity.stateTopic, bound);
    for (const { topic } of bound.entity.availability) remove(byAvailability, topic, bound);
    if (bound.made) registry.removePoint(bound.entry, bound.slot);
  };
  const drop = (topic: string): ReadonlySet<DeviceEntry> => {
    const config = configs.get(topic);
    configs.delete(topic);
    for (const bound of config?.bound ?? []) unlink(bound);
    return new Set(config?.bound.filter((bound) => bound.made).map((bound) => bound.entry));
  };

  /** The device that any of the entities belongs to; one message speaks of one device. */
  const ownerOf = (entities: readonly Entity[]): DeviceEntry | undefined => {
    for (const id of entities.flatMap((entity) => entity.ids)) {
      const entry = byId.get(id);
      if (entry !== undefined) return entry;
    }
    return undefined;
  };

  /** Ties the entities of one config to points; says in a list of sentences what could not be tied. */
  const announce = (
    config: Omit<Config, 'bound'>,
    topic: ConfigTopic,
    payload: unknown,
    keep: Readonly<Record<string, string>>,
  ): { entry: DeviceEntry | undefined; entities: readonly Entity[]; refused: string[] } => {
    const results = parseEntities(topic, payload);
    const entities = results.flatMap((result) => (result.ok ? [result.entity] : []));
    const refused = results.flatMap((result) => (result.ok ? [] : [result.why]));
    const entry = ownerOf(entities);
    if (entry === undefined) return { entry, entities, refused };
    const old = configs.get(config.topic)?.bound ?? [];
    const before = drop(config.topic);
    const bound: Bound[] = [];
    for (const entity of entities) {
      const tied = tie(
        registry,
        entry,
        entity,
        config.client,
        Object.hasOwn(keep, entity.objectId) ? keep[entity.objectId] : undefined,
      );
      if (typeof tied === 'string') refused.push(tied);
      else {
        bound.push(tied);
        link(tied);
        inherit(registry, tied, old);
      }
    }
    configs.set(config.topic, { ...config, bound });
    hooks.onChanged();
    if (before.size > 0 || bound.some((one) => one.made)) hooks.onDeviceChanged(entry.device);
    return { entry, entities, refused };
  };

  const acceptConfig = (turn: Turn, topic: ConfigTopic): Claim => {
    const { message } = turn;
    const known = configs.get(message.topic);
    if (known !== undefined && known.client !== message.client) {
      return problem(topic, `announced by client ${known.client} before: another client cannot change it`);
    }
    if (message.payload.length === 0) {
      for (const { made, slot } of known?.bound ?? []) {
        if (made) settleBad(registry, slot, 'configuration-error', turn, turn);
      }
      if (known !== undefined) hooks.onChanged();
      for (const entry of drop(message.topic)) hooks.onDeviceChanged(entry.device);
      return 'taken';
    }
    const text = textOf(message.payload);
    if (text !== null && text === known?.text) return 'taken';
    if (message.payload.length > maxConfigBytes && topic.component !== 'device') {
      return problem(topic, `config of ${message.payload.length} bytes; at most ${maxConfigBytes} are read`);
    }
    const parsed = parseJson(message.payload);
    if (text === null || !parsed.ok)
      return { ...problem(topic, parsed.ok ? 'cannot be read' : parsed.why), kind: 'malformed' };
    if (known === undefined && configs.size >= maxConfigs)
      return problem(topic, `more than ${maxConfigs} announcements`);
    const keep = known === undefined ? {} : pointsOf(known);
    const config = { topic: message.topic, client: message.client, text };
    const { entry, entities, refused } = announce(config, topic, parsed.value, keep);
    if (entry !== undefined) {
      for (const [i, why] of refused.entries())
        desk.note(turn, 'unknown-point', `${keyOf(topic)}${i === 0 ? '' : `#${i}`}`, why);
      return 'taken';
    }
    if (entities[0] === undefined) return problem(topic, refused[0] ?? 'announces nothing');
    // Zigbee2MQTT and Tasmota announce their devices here as well.
    if (entities.every((entity) => hooks.isDeclared(entity.stateTopic))) return 'taken';
    return stranger(entities[0], entities);
  };

  const stranger = (first: Entity, entities: readonly Entity[]): Claim => {
    const id = first.ids[0] ?? first.objectId;
    const key = `${discoveryPrefix}/${id}`;
    for (const { stateTopic, availability } of entities) {
      for (const topic of [stateTopic, ...availability.map((one) => one.topic)]) {
        if (strangers.size < maxStrangers) strangers.set(topic, key);
      }
    }
    return { kind: 'unknown-device', key, message: undeclared(id, first.deviceName) };
  };

  return {
    accept(turn) {
      const { topic, client } = turn.message;
      const ours = (set: Set<Bound> | undefined) => [...(set ?? [])].filter((bound) => bound.client === client);
      // Only the client that announced a topic may speak on it: nobody announces his way into another's values.
      const states = ours(byState.get(topic));
      const availabilities = ours(byAvailability.get(topic));
      if (states.length > 0 || availabilities.length > 0) {
        for (const bound of availabilities) acceptAvailability(desk, turn, bound);
        if (availabilities.length > 0)
          tellPresence(
            desk,
            turn,
            availabilities,
            [...configs.values()].flatMap((config) => config.bound),
          );
        for (const bound of states) acceptState(desk, turn, bound);
        return 'taken';
      }
      const key = strangers.get(topic);
      if (key !== undefined) return { kind: 'unknown-device', key, message: undeclared(key, key) };
      if (!topic.startsWith(`${discoveryPrefix}/`)) return 'not-mine';
      const config = parseConfigTopic(topic);
      // `homeassistant/status` and the like: Home Assistant's own birth message.
      return config === null ? 'taken' : acceptConfig(turn, config);
    },
    state: () => ({
      configs: [...configs.values()].map((config) => ({
        topic: config.topic,
        client: config.client,
        text: config.text,
        points: pointsOf(config),
      })),
    }),
    restore(state) {
      for (const { points, ...config } of state.configs) {
        const topic = parseConfigTopic(config.topic);
        const parsed = parseJson(Buffer.from(config.text));
        if (topic !== null && parsed.ok) announce(config, topic, parsed.value, points);
      }
    },
  };
}

function pointsOf(config: Config): Record<string, string> {
  return Object.fromEntries(config.bound.map((bound) => [bound.entity.objectId, bound.slot.point.name]));
}

function keyOf(topic: ConfigTopic): string {
  return [discoveryPrefix, topic.component, topic.node, topic.objectId].filter((part) => part !== null).join('/');
}

function problem(topic: ConfigTopic, message: string): Exclude<Claim, string> {
  return { kind: 'unknown-point', key: keyOf(topic), message };
}

function undeclared(id: string, name: string): string {
  return `${name} announces itself; no device with address {homeassistant: "${id}"} in the site file`;
}

function add(map: Map<string, Set<Bound>>, key: string, bound: Bound): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([bound]));
  else set.add(bound);
}

function remove(map: Map<string, Set<Bound>>, key: string, bound: Bound): void {
  const set = map.get(key);
  set?.delete(bound);
  if (set?.size === 0) map.delete(key);
}
