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
