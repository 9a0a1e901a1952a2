import { createHash } from 'node:crypto';
import type { HappeningId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';

/**
 * The id of an event whose device gave none. With a source time it follows from the message itself, so that a QoS 1
 * resend (even across a restart of ours) is the same event and stored once; without one every message is a new event.
 */
export function eventIdFor(clock: Clock, topic: string, payload: Buffer, sourceTime: number | undefined): HappeningId {
  if (sourceTime === undefined) return newHappeningId(clock);
  const hash = createHash('sha256').update(topic).update('\0').update(payload).digest();
  // The layout of UUIDv7 (RFC 9562): 48 bits of time, version, variant; the hash stands where randomness would.
  hash.writeUIntBE(sourceTime, 0, 6);
  hash[6] = 0x70 | ((hash[6] ?? 0) & 0x0f);
  hash[8] = 0x80 | ((hash[8] ?? 0) & 0x3f);
  const hex = hash.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as HappeningId;
}

/** So many ids are remembered: a resend comes within seconds. */
const maxGiven = 2_000;

/**
 * The id that a device gave its event, while it means one event only. The store keeps the first of an id and passes over
 * the others as resends, so firmware that numbers all its events alike would lose all but one, acknowledged and silent:
 * another message under a known id gets an id of its own.
 */
export function createGivenIds(): (id: HappeningId, topic: string, payload: Buffer) => HappeningId | null {
  const known = new Map<HappeningId, string>();
  return (id, topic, payload) => {
    const digest = createHash('sha256').update(topic).update('\0').update(payload).digest('base64');
    const before = known.get(id);
    if (before !== undefined) return before === digest ? id : null;
    known.set(id, digest);
    const [oldest] = known.keys();
    if (known.size > maxGiven && oldest !== undefined) known.delete(oldest);
    return id;
  };
}
