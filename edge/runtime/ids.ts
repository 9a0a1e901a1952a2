import { randomBytes } from 'node:crypto';
import type { HappeningId } from '#edge/domain/ids.ts';
import type { Clock } from './clock.ts';

/** A new UUIDv7 (RFC 9562): ordered by time, so that happenings sort as they happened. */
export function newHappeningId(clock: Clock): HappeningId {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(clock.now(), 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as HappeningId;
}
