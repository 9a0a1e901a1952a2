import type { Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { ModbusAddress, RegisterPlace } from '#edge/profiles/modbus-address.ts';
import { inVariant, parseModbusAddress } from '#edge/profiles/modbus-address.ts';

/** A point and where it is in this very device. */
export interface Item {
  readonly point: Point;
  readonly address: ModbusAddress;
}

/** Which of the products that its profile describes a device is. */
export interface Identity {
  /** null: of all variants only what they have in common. */
  readonly variant: string | null;
  /** SunSpec model -> register that holds its id. */
  readonly models: ReadonlyMap<number, number>;
}

export const plain: Identity = { variant: null, models: new Map() };

/** A place within a SunSpec model -> where it is in this device; null: it has none of its models. */
export function located<P extends RegisterPlace>(place: P, { models }: Identity): P | null {
  if (place.models === undefined) return place;
  for (const id of place.models) {
    const base = models.get(id);
    if (base !== undefined) return { ...place, at: base + place.at };
  }
  return null;
}

/** Where a value is in this device; null: it does not have it. */
export function addressIn(address: ModbusAddress, identity: Identity): ModbusAddress | null {
  const own = inVariant(address, identity.variant ?? '');
  const found = own === null ? null : located(own, identity);
  if (found?.scaleFrom === undefined) return found;
  const scaleFrom = found.scaleFrom.map((factor) => located(factor, identity));
  return scaleFrom.includes(null) ? null : { ...found, scaleFrom: scaleFrom.filter((factor) => factor !== null) };
}

/** The points that this device has. */
export function layoutIn(items: readonly Item[], identity: Identity): ReadonlyMap<PointName, Item> {
  return new Map(
    items.flatMap((item): [PointName, Item][] => {
      const { point, address } = item;
      const here = addressIn(address, identity);
      if (here === null) return [];
      return [[point.name, here === address ? item : { point, address: here }]];
    }),
  );
}

/** Devices of one product share their points. */
const parsed = new WeakMap<object, ModbusAddress>();

/** Throws PROFILE_ADDRESS. */
export function parsedAddress(address: unknown): ModbusAddress {
  if (typeof address !== 'object' || address === null) return parseModbusAddress(address);
  const known = parsed.get(address) ?? parseModbusAddress(address);
  parsed.set(address, known);
  return known;
}
