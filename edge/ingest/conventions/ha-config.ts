import { isRecord } from '../payload.ts';

/*
 * Home Assistant's discovery messages (https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery): what ESPHome,
 * Zigbee2MQTT, Tasmota and hundreds of others announce themselves with. Templates are Jinja there; only plain paths
 * are read here, because a template engine that runs strangers' programs has no place in core.
 */

/** One value that a device announced. */
export interface Entity {
  readonly component: string;
  readonly objectId: string;
  /** What a site device may be addressed by: the node id of the topic and the identifiers of the device. */
  readonly ids: readonly string[];
  readonly deviceName: string;
  readonly name: string | null;
  readonly deviceClass: string | null;
  readonly unit: string | null;
  readonly stateTopic: string;
  /** Keys below the payload's JSON; null = the payload is the value. */
  readonly path: readonly string[] | null;
  readonly payloadOn: string;
  readonly payloadOff: string;
  /** ms; null when it never expires. */
  readonly expireAfter: number | null;
  readonly availability: readonly Availability[];
  readonly availabilityMode: 'all' | 'any' | 'latest';
}

export interface Availability {
  readonly topic: string;
  readonly available: string;
  readonly notAvailable: string;
  readonly path: readonly string[] | null;
}

export interface ConfigTopic {
  readonly component: string;
  readonly node: string | null;
  readonly objectId: string;
}

export type EntityResult =
  | { readonly ok: true; readonly entity: Entity }
  | { readonly ok: false; readonly why: string };

export const discoveryPrefix = 'homeassistant';
const maxName = 64;
const maxTopicLength = 256;
export const maxComponents = 64;
const readable = new Set(['sensor', 'binary_sensor', 'switch', 'number']);

/* Long because it is a table: the abbreviations of the keys we read, as Home Assistant documents them. */
const longKeys: Readonly<Record<string, string>> = {
  avty: 'availability',
  avty_mode: 'availability_mode',
  avty_t: 'availability_topic',
  avty_tpl: 'availability_template',
  cmps: 'components',
  dev: 'device',
  dev_cla: 'device_class',
  exp_aft: 'expire_after',
  pl_avail: 'payload_available',
  pl_not_avail: 'payload_not_available',
  pl_off: 'payload_off',
  pl_on: 'payload_on',
  p: 'platform',
  stat_off: 'state_off',
  stat_on: 'state_on',
  stat_t: 'state_topic',
  unit_of_meas: 'unit_of_measurement',
  val_tpl: 'value_template',
};
const longDeviceKeys: Readonly<Record<string, string>> = { ids: 'identifiers' };
const longAvailabilityKeys: Readonly<Record<string, string>> = {
  ...longKeys,
  t: 'topic',
  val_tpl: 'value_template',
};

type Config = ReadonlyMap<string, unknown>;

/** `homeassistant/<component>/[<node>/]<object>/config`; null for anything else below the prefix. */
export function parseConfigTopic(topic: string): ConfigTopic | null {
  const [prefix, component, ...rest] = topic.split('/');
  if (prefix !== discoveryPrefix || component === undefined || rest.pop() !== 'config') return null;
  const [first, second, more] = rest;
  if (first === undefined || first === '' || more !== undefined) return null;
  return second === undefined
    ? { component, node: null, objectId: first }
    : { component, node: first, objectId: second };
}

/** The entities of one config payload: one, or each of a device's components. */
export function parseEntities(topic: ConfigTopic, payload: unknown): EntityResult[] {
  if (!isRecord(payload)) return [{ ok: false, why: 'the config must be a JSON object' }];
  const config = expand(payload, longKeys);
  if (topic.component !== 'device') return [parseEntity(topic, config)];
  const components = config.get('components');
  if (!isRecord(components)) return [{ ok: false, why: 'a device config must have components' }];
  return Object.entries(components)
    .slice(0, maxComponents)
    .map(([id, part]) => {
      if (!isRecord(part)) return { ok: false, why: `components.${id.slice(0, maxName)}: must be an object` };
      const own = expand(part, longKeys);
      const component = own.get('platform');
      const inner: ConfigTopic = {
        component: typeof component === 'string' ? component : '',
        node: topic.node ?? topic.objectId,
        objectId: id.slice(0, maxName),
      };
      return parseEntity(inner, new Map([...config, ...own]));
    });
}

function parseEntity(topic: ConfigTopic, config: Config): EntityResult {
  const { component, objectId } = topic;
  if (!readable.has(component)) return { ok: false, why: `component "${component.slice(0, maxName)}" is not read` };
  const base = text(config, '~') ?? '';
  const stateTopic = resolveBase(text(config, 'state_topic'), base);
  if (stateTopic === null) return { ok: false, why: 'state_topic is missing or is no topic' };
  const template = config.get('value_template');
  const path = parseTemplate(template);
  if (path === undefined) {
    return { ok: false, why: `value_template ${JSON.stringify(String(template).slice(0, 120))} is not a plain path` };
  }
  const availability = parseAvailability(config, base);
  if (typeof availability === 'string') return { ok: false, why: availability };
  const device = expand(record(config.get('device')), longDeviceKeys);
  const identifiers = [device.get('identifiers')].flat().filter((id) => typeof id === 'string');
  const named = topic.node !== null || identifiers.length > 0;
  const expire = config.get('expire_after');
  const mode = config.get('availability_mode');
  const entity: Entity = {
    component,
    objectId: objectId.slice(0, maxName),
    ids: [...(topic.node === null ? [] : [topic.node]), ...identifiers, ...(named ? [] : [objectId])]
      .slice(0, 8)
      .map((id) => id.slice(0, 200)),
    deviceName: (text(device, 'name') ?? topic.node ?? objectId).slice(0, maxName),
    name: text(config, 'name')?.slice(0, maxName) ?? null,
    deviceClass: text(config, 'device_class')?.slice(0, maxName) ?? null,
    unit: text(config, 'unit_of_measurement')?.slice(0, 32) ?? null,
    stateTopic,
    path,
    payloadOn: word(config, component === 'switch' ? ['state_on', 'payload_on'] : ['payload_on'], 'ON'),
    payloadOff: word(config, component === 'switch' ? ['state_off', 'payload_off'] : ['payload_off'], 'OFF'),
    expireAfter: typeof expire === 'number' && expire > 0 ? Math.min(expire * 1000, 7 * 86_400_000) : null,
    availability,
    availabilityMode: mode === 'all' || mode === 'any' ? mode : 'latest',
  };
  return { ok: true, entity };
}

function parseAvailability(config: Config, base: string): readonly Availability[] | string {
  const single = text(config, 'availability_topic');
  const list = config.get('availability');
  const given: Config[] = Array.isArray(list)
    ? list.slice(0, 8).map((one) => expand(record(one), longAvailabilityKeys))
    : isRecord(list)
      ? [expand(list, longAvailabilityKeys)]
      : [];
  if (single !== null) {
    const own = new Map(config).set('topic', single).set('value_template', config.get('availability_template'));
    given.push(own);
  }
  const all: Availability[] = [];
  for (const one of given) {
    const topic = resolveBase(text(one, 'topic'), base);
    const path = parseTemplate(one.get('value_template'));
    if (topic === null || path === undefined) return 'availability has no topic, or its template is not a plain path';
    all.push({
      topic,
      available: word(one, ['payload_available'], 'online'),
      notAvailable: word(one, ['payload_not_available'], 'offline'),
      path,
    });
  }
  return all;
}

const template = /^\s*\{\{-?\s*value(_json((?:\.[A-Za-z_]\w*|\[\s*(?:'[^'\]]*'|"[^"\]]*"|\d+)\s*\])*))?\s*-?\}\}\s*$/;
const step = /\.([A-Za-z_]\w*)|\[\s*(?:'([^'\]]*)'|"([^"\]]*)"|(\d+))\s*\]/g;

/** `{{ value_json.a['b'] }}` -> ['a', 'b']; null when the payload is the value; undefined when it is a program. */
export function parseTemplate(given: unknown): readonly string[] | null | undefined {
  if (given === undefined || given === null || given === '') return null;
  if (typeof given !== 'string' || given.length > 256) return undefined;
  const match = template.exec(given);
  if (match === null) return undefined;
  const [, json, path = ''] = match;
  if (json === undefined) return null;
  return [...path.matchAll(step)].map(([, dotted, single, double, index]) => dotted ?? single ?? double ?? index ?? '');
}

function expand(given: Readonly<Record<string, unknown>>, keys: Readonly<Record<string, string>>): Config {
  return new Map(
    Object.entries(given).map(([key, value]) => [Object.hasOwn(keys, key) ? (keys[key] ?? key) : key, value]),
  );
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

function text(config: Config, key: string): string | null {
  const value = config.get(key);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** A payload word; JSON's true and false are what a template would print for them. */
function word(config: Config, keys: readonly string[], otherwise: string): string {
  for (const key of keys) {
    const value = config.get(key);
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  }
  return otherwise;
}

/** `~` at the start or the end of a topic stands for the base topic. */
function resolveBase(topic: string | null, base: string): string | null {
  if (topic === null) return null;
  const full = topic.startsWith('~') ? base + topic.slice(1) : topic.endsWith('~') ? topic.slice(0, -1) + base : topic;
  return full.length > 0 && full.length <= maxTopicLength && !/[+#]/.test(full) ? full : null;
}
