import type { Claim, Convention, Desk, Turn } from '../desk.ts';
import { repairJson } from '../lenient-json.ts';
import type { Parsed } from '../payload.ts';
import { isRecord, own, parseJson, textOf } from '../payload.ts';
import type { DeviceEntry, Slot } from '../registry.ts';
import { parseDeviceTime } from '../source-time.ts';
import { converter } from '../stated-unit.ts';

/*
 * Tasmota (https://tasmota.github.io/docs/MQTT/): `tele/<topic>/SENSOR|STATE|LWT` and `stat/<topic>/RESULT|POWER`. The
 * order of prefix and topic is a setting (FullTopic), so both orders are understood. `Time` is local without an offset.
 */

const prefixes = ['tele', 'stat'];
const state = /^(SENSOR|STATE|RESULT|STATUS(8|10|11)?)$/;
/** A relay's state as a bare word: `stat/<topic>/POWER1` -> `ON`. */
const bare = /^POWER\d{0,2}$/;

export interface TasmotaName {
  readonly topic: string;
  readonly entry: DeviceEntry;
}

export function createTasmota(desk: Desk, names: readonly TasmotaName[], zone: string): Convention {
  const byTopic = new Map(
    names.flatMap(({ topic, entry }) =>
      prefixes.flatMap((prefix): [string, DeviceEntry][] => [
        [`${prefix}/${topic}`, entry],
        [`${topic}/${prefix}`, entry],
      ]),
    ),
  );
  return {
    accept(turn) {
      const { topic } = turn.message;
      const cut = topic.lastIndexOf('/');
      const kind = topic.slice(cut + 1);
      const entry = byTopic.get(topic.slice(0, Math.max(0, cut)));
      if (entry !== undefined) return acceptKind(desk, turn, entry, kind, zone);
      const first = topic.slice(0, topic.indexOf('/'));
      if (!prefixes.includes(first) || cut <= first.length) return 'not-mine';
      const name = topic.slice(first.length + 1, cut);
      return {
        kind: 'unknown-device',
        key: `tasmota/${name}`,
        message: `no device with address {tasmota: "${name}"} in the site file`,
      };
    },
  };
}

function acceptKind(desk: Desk, turn: Turn, entry: DeviceEntry, kind: string, zone: string): Claim {
  if (kind === 'LWT') {
    const word = textOf(turn.message.payload);
    if (word !== 'Online' && word !== 'Offline') {
      return { kind: 'malformed', key: `${entry.device.id}/LWT`, message: 'neither Online nor Offline' };
    }
    desk.presence(turn, entry, word === 'Online');
    return 'taken';
  }
  if (bare.test(kind)) {
    desk.hearPaths(turn, entry, Object.fromEntries([[kind, textOf(turn.message.payload)]]), { nulls: 'failure' });
    return 'taken';
  }
  // INFO1..3, UPTIME, LOGGING and the like say nothing of a point.
  return state.test(kind) ? acceptState(desk, turn, entry, kind, zone) : 'taken';
}

function acceptState(desk: Desk, turn: Turn, entry: DeviceEntry, kind: string, zone: string): Claim {
  const parsed = parseLenient(turn.message.payload);
  if (!parsed.ok || !isRecord(parsed.value)) {
    const message = parsed.ok ? 'must be a JSON object' : parsed.why;
    return { kind: 'malformed', key: `${entry.device.id}/${kind}`, message };
  }
  const root = own(parsed.value, 'StatusSNS') ?? own(parsed.value, 'StatusSTS') ?? parsed.value;
  const time = own(root, 'Time');
  const fahrenheit = own(root, 'TempUnit') === 'F' ? (converter('[degF]', 'Cel') ?? undefined) : undefined;
  desk.hearPaths(turn, entry, root, {
    // The driver of a dead sensor prints null (or nan).
    nulls: 'failure',
    ...(typeof time === 'string' ? { sourceTime: parseDeviceTime(time, zone, turn.now) } : {}),
    ...(fahrenheit === undefined
      ? {}
      : { convert: (slot: Slot) => (slot.point.unit === 'Cel' ? fahrenheit : undefined) }),
  });
  return 'taken';
}

function parseLenient(payload: Buffer): Parsed {
  const strict = parseJson(payload);
  const text = strict.ok ? null : textOf(payload);
  if (text === null || !text.trimStart().startsWith('{')) return strict;
  try {
    return { ok: true, value: JSON.parse(repairJson(text)) };
  } catch {
    // What the strict parser said names the place in the original.
    return strict;
  }
}
