import { decodeEvent, decodeSamples } from '#edge/bus/codec.ts';
import { parseTopic } from '#edge/bus/topics.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { Claim, Convention, Desk, Turn } from '../desk.ts';
import { createGivenIds } from '../event-id.ts';
import { isRecord, own, parseJson } from '../payload.ts';
import type { DeviceEntry, Registry } from '../registry.ts';
import { parseDeviceTime } from '../source-time.ts';

/*
 * v1/in: our driver processes, and devices that speak our plain JSON. A device with a profile of its own may also send
 * a plain object (`{"temperature": 21.5, "co2": 640, "t": 1790000000000}`), which its profile's paths read.
 */
export function createPlain(desk: Desk, registry: Registry, zone: string): Convention {
  const givenId = createGivenIds();
  return {
    accept(turn) {
      const topic = parseTopic(turn.message.topic);
      if (topic === null || (topic.kind !== 'samples' && topic.kind !== 'event')) return 'not-mine';
      const entry = registry.find(topic.device);
      if (entry === undefined) {
        return { kind: 'unknown-device', key: topic.device, message: `no device "${topic.device}" in the site file` };
      }
      return topic.kind === 'event' ? acceptEvent(desk, turn, entry, givenId) : acceptSamples(desk, turn, entry, zone);
    },
  };
}

function acceptSamples(desk: Desk, turn: Turn, entry: DeviceEntry, zone: string): Claim {
  if (entry.device.protocol === 'mqtt') {
    const parsed = parseJson(turn.message.payload);
    if (!parsed.ok) return malformed(entry, 'samples', parsed.why);
    if (isRecord(parsed.value) && !Array.isArray(own(parsed.value, 's'))) {
      return acceptObject(desk, turn, entry, parsed.value, zone);
    }
  }
  const decoded = decodeSamples(turn.message.payload);
  if (!decoded.ok) return malformed(entry, 'samples', decoded.message);
  hearSamples(desk, turn, entry, decoded.value);
  return 'taken';
}

/** Samples by point name; a name the profile does not have goes to the inbox, the others count. */
export function hearSamples(desk: Desk, turn: Turn, entry: DeviceEntry, samples: readonly Sample[]): void {
  for (const sample of samples) {
    const slot = entry.slots.get(sample.point);
    if (slot === undefined) {
      const key = `${entry.device.id}/${sample.point}`;
      desk.note(turn, 'unknown-point', key, `profile ${entry.device.profile} has no point "${sample.point}"`);
      continue;
    }
    desk.hear(turn, slot, {
      raw: sample.value,
      quality: sample.quality,
      ...(sample.reason === undefined ? {} : { reason: sample.reason }),
      ...(sample.sourceTime === undefined ? {} : { sourceTime: sample.sourceTime }),
      encoded: false,
    });
  }
}

function acceptObject(
  desk: Desk,
  turn: Turn,
  entry: DeviceEntry,
  object: Readonly<Record<string, unknown>>,
  zone: string,
): Claim {
  const given = own(object, 't') ?? own(object, 'time');
  const time =
    typeof given === 'number' ? given : typeof given === 'string' ? parseDeviceTime(given, zone, turn.now) : null;
  desk.hearPaths(turn, entry, object, { nulls: 'failure', ...(time === null ? {} : { sourceTime: time }) });
  return 'taken';
}

function acceptEvent(desk: Desk, turn: Turn, entry: DeviceEntry, givenId: ReturnType<typeof createGivenIds>): Claim {
  const decoded = decodeEvent(turn.message.payload);
  if (!decoded.ok) return malformed(entry, 'event', decoded.message);
  const { time, sourceTime, snapshot, id: given, ...what } = decoded.value;
  const { topic, payload } = turn.message;
  const id = given === undefined ? null : givenId(given, topic, payload);
  if (given !== undefined && id === null) {
    const message = `event id ${given} was given to another event before; this one gets its own`;
    desk.note(turn, 'malformed', `${entry.device.id}/event-id`, message);
  }
  const event = { ...what, ...(id === null ? {} : { id }) };
  if (entry.device.protocol === 'mqtt') {
    // A plain device's `t` is its own clock, and it has no folder of pictures to point into.
    const source = sourceTime ?? time;
    desk.event(turn, entry, { ...event, ...(source === undefined ? {} : { sourceTime: source }) });
    return 'taken';
  }
  desk.event(turn, entry, {
    ...event,
    // A driver's clock is ours, unless somebody has set it since.
    ...(time === undefined || time > turn.now ? {} : { time }),
    ...(sourceTime === undefined ? {} : { sourceTime }),
    ...(snapshot === undefined ? {} : { snapshot }),
  });
  return 'taken';
}

function malformed(entry: DeviceEntry, what: string, message: string): Claim {
  return { kind: 'malformed', key: `${entry.device.id}/${what}`, message };
}
