import type { Point } from '#edge/domain/device.ts';
import type { Value } from '#edge/domain/reading.ts';
import { isRecord } from './payload.ts';

/** Where a value of an MQTT device lives, as its profile says. */
export interface PointAddress {
  /** JSON path in the device's message: `temperature`, `ENERGY.Power`; `$online` is what the device's availability says. */
  readonly at: string;
  readonly map?: ReadonlyMap<string, Value>;
  /** Engineering value = raw * scale + offset, for numbers. */
  readonly scale: number;
  readonly offset: number;
}

export const onlinePath = '$online';

/** Null for points of other protocols (a Modbus register): their driver has decoded them before we hear of them. */
export function parsePointAddress(point: Point): PointAddress | null {
  const { address } = point;
  if (!isRecord(address) || typeof address.at !== 'string') return null;
  const entries = isRecord(address.map) ? Object.entries(address.map) : [];
  const map = new Map(entries.filter((entry): entry is [string, Value] => isValue(entry[1])));
  return {
    at: address.at,
    ...(map.size > 0 ? { map } : {}),
    scale: typeof address.scale === 'number' ? address.scale : 1,
    offset: typeof address.offset === 'number' ? address.offset : 0,
  };
}

function isValue(value: unknown): value is Value {
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string';
}
