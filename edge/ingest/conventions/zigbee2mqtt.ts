import type { Claim, Convention, Desk, Turn } from '../desk.ts';
import { isRecord, own, parseJson, parseJsonOrText } from '../payload.ts';
import type { DeviceEntry } from '../registry.ts';
import { judgeSourceTime, parseDeviceTime } from '../source-time.ts';

/*
 * Zigbee2MQTT (https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html): one JSON state per device under
 * `<base>/<friendly name>`, and friendly names may contain `/`. Availability came as a bare word before 1.17 and as
 * `{"state": "online"}` since; both are still met.
 */

/** What Zigbee2MQTT tells about itself below `<base>/bridge/`; only `state` is read (`devices` may be large). */
const bridge = 'bridge';
/** Commands to a device, and the copies of `action` that Zigbee2MQTT 1.x made for Home Assistant. */
const ignoredBelow = new Set(['set', 'get', 'action']);

export interface ZigbeeName {
  readonly base: string;
  readonly name: string;
  readonly entry: DeviceEntry;
}

export function createZigbee2mqtt(desk: Desk, names: readonly ZigbeeName[], zone: string): Convention {
  const bases = new Set(names.map((name) => name.base)).add('zigbee2mqtt');
  const byTopic = new Map(names.map(({ base, name, entry }) => [`${base}/${name}`, entry]));
  const bridgeDown = new Set<string>();

  const acceptBridge = (turn: Turn, base: string, rest: string): Claim => {
    if (rest !== `${bridge}/state`) return 'taken';
    const online = parseOnline(turn);
    if (online === null) return { kind: 'malformed', key: `${base}/${rest}`, message: 'neither online nor offline' };
    if (online !== bridgeDown.has(base)) return 'taken';
    if (online) bridgeDown.delete(base);
    else bridgeDown.add(base);
    const entries = names.filter((name) => name.base === base).map((name) => name.entry);
    for (const entry of entries) {
      if (!online) desk.silence(turn, entry.slots.values());
      else if (entry.online !== false) desk.revive(turn, entry.slots.values());
    }
    const data = { bridge: base, devices: entries.length };
    desk.event(turn, null, { type: 'bridge_offline', active: !online, data });
    return 'taken';
  };
  return {
    accept(turn) {
      const { topic } = turn.message;
      const exact = byTopic.get(topic);
      if (exact !== undefined) return acceptState(desk, turn, exact, zone);
      const base = baseOf(topic, bases);
      if (base === null) return 'not-mine';
      const rest = topic.slice(base.length + 1);
      if (rest.startsWith(`${bridge}/`)) return acceptBridge(turn, base, rest);
      return acceptBelow(desk, turn, byTopic) ?? unknown(base, rest);
    },
  };
}

function baseOf(topic: string, bases: ReadonlySet<string>): string | null {
  for (let end = topic.indexOf('/'); end > 0; end = topic.indexOf('/', end + 1)) {
    if (bases.has(topic.slice(0, end))) return topic.slice(0, end);
  }
  return null;
}

function acceptState(desk: Desk, turn: Turn, entry: DeviceEntry, zone: string): Claim {
  // An empty payload clears a retained state: the device was renamed or removed in Zigbee2MQTT.
  if (turn.message.payload.length === 0) {
    desk.presence(turn, entry, false);
    return 'taken';
  }
  const parsed = parseJson(turn.message.payload);
  if (!parsed.ok || !isRecord(parsed.value)) {
    const message = parsed.ok ? 'state must be a JSON object' : parsed.why;
    return { kind: 'malformed', key: `${entry.device.id}/state`, message };
  }
  const state = parsed.value;
  const time = lastSeen(own(state, 'last_seen'), zone, turn.now);
  desk.hearPaths(turn, entry, state, { nulls: 'skip', ...(time === undefined ? {} : { sourceTime: time }) });
  const action = own(state, 'action');
  // Zigbee2MQTT 1.x sent an empty action after each press.
  if (typeof action === 'string' && action !== '') {
    desk.event(turn, entry, {
      type: 'button',
      data: { action: action.slice(0, 256) },
      ...(time === undefined ? {} : { sourceTime: time }),
    });
  }
  return 'taken';
}

/** `<device>/availability`, commands, and the single attributes of `output: attribute`. */
function acceptBelow(desk: Desk, turn: Turn, byTopic: ReadonlyMap<string, DeviceEntry>): Claim | null {
  const { topic } = turn.message;
  for (let cut = topic.lastIndexOf('/'); cut > 0; cut = topic.lastIndexOf('/', cut - 1)) {
    const entry = byTopic.get(topic.slice(0, cut));
    if (entry === undefined) continue;
    const rest = topic.slice(cut + 1);
    if (rest === 'availability') {
      const online = parseOnline(turn);
      if (online === null) {
        return { kind: 'malformed', key: `${entry.device.id}/availability`, message: 'neither online nor offline' };
      }
      desk.presence(turn, entry, online);
    } else if (!ignoredBelow.has(rest.split('/')[0] ?? '')) {
      const parsed = parseJsonOrText(turn.message.payload);
      if (!parsed.ok) return { kind: 'malformed', key: `${entry.device.id}/${rest}`, message: parsed.why };
      desk.hearPaths(turn, entry, Object.fromEntries([[rest, parsed.value]]), { nulls: 'skip' });
    }
    return 'taken';
  }
  return null;
}

function unknown(base: string, rest: string): Claim {
  const name = rest.replace(/\/(availability|action|[sg]et(\/.*)?)$/, '');
  return {
    kind: 'unknown-device',
    key: `${base}/${name}`,
    message: `no device with address {zigbee2mqtt: "${name}"} in the site file`,
  };
}

/** `{"state": "online"}` or the bare word; null when it is neither. */
function parseOnline(turn: Turn): boolean | null {
  const parsed = parseJsonOrText(turn.message.payload);
  const word = parsed.ok ? (own(parsed.value, 'state') ?? parsed.value) : null;
  return word === 'online' ? true : word === 'offline' ? false : null;
}

/**
 * `last_seen` (off by default) in its three forms: ISO 8601, ISO 8601 local, epoch ms. A cached state that is sent
 * again at a start carries the time at which the device was really heard.
 */
function lastSeen(value: unknown, zone: string, now: number): number | undefined {
  const time =
    typeof value === 'number' ? value : typeof value === 'string' ? parseDeviceTime(value, zone, now) : Number.NaN;
  return judgeSourceTime(time, now).own ? time : undefined;
}
