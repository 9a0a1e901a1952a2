import type { Quality, Reading, Reason, Value } from '#edge/domain/reading.ts';
import type { Slot } from './registry.ts';
import type { SourceTime } from './source-time.ts';

/** A sample of the point's own type, in its unit. */
export interface Decoded {
  readonly value: Value | null;
  readonly quality: Quality;
  readonly reason?: Reason;
}

/** The reading that a sample makes; `doubt` is what we found out about it. */
export function assemble(
  slot: Slot,
  decoded: Decoded,
  doubt: Reason | undefined,
  source: SourceTime,
  receivedTime: number,
): Reading {
  const reason = decoded.reason ?? doubt ?? (source.trusted ? undefined : 'clock');
  return {
    ref: slot.ref,
    device: slot.device.id,
    point: slot.point.name,
    value: decoded.value,
    unit: slot.point.unit,
    quality: reason === undefined ? decoded.quality : 'uncertain',
    ...(reason === undefined ? {} : { reason }),
    sourceTime: source.time,
    receivedTime,
  };
}
