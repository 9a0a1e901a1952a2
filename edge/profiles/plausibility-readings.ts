import { decodeFactor, decodeRegisters } from './decode.ts';
import { expandValues } from './expand.ts';
import {
  inVariant,
  type ModbusAddress,
  parseModbusAddress,
  type RegisterFormat,
  type Table,
} from './modbus-address.ts';
import type { ModbusProfile } from './modbus-profile.ts';
import type { Quantity, Value } from './plausibility-snapshot.ts';
import { slotOf, unitOf } from './plausibility-snapshot.ts';

/* The same registers read as if the profile were wrong in a way that manuals often are. */

/** What was read of a device's registers. */
export interface Registers {
  /** Bytes in wire order; null: not read, or the device does not give them. */
  read(table: Table, at: number, length: number): Buffer | null;
}

export type Order = RegisterFormat['order'];

/** How the profile would have to be read; `order` is relative: what has to be turned round besides what the profile turns round. */
export interface Reading {
  readonly order: Order;
  readonly shift: -1 | 0 | 1;
  /** Registers are in the other table: input for holding. */
  readonly isOtherTable: boolean;
  readonly variant: string | null;
}

const orders: readonly Order[] = ['ABCD', 'CDAB', 'BADC', 'DCBA'];

/** Two orders one after the other: words turned round, bytes turned round, both or neither. */
export function composed(first: Order, second: Order): Order {
  const index = orders.indexOf(first) ^ orders.indexOf(second);
  return orders[index] ?? 'ABCD';
}

/** Of an electricity meter by Modbus: what it measures and where. */
export interface Place extends Quantity {
  readonly address: ModbusAddress;
}

/** Values that plausibility knows something about. */
export function placesOf(profile: ModbusProfile): readonly Place[] {
  return expandValues(profile).flatMap(({ name, type, value, address }): Place[] => {
    if (type !== 'number') return [];
    const place = {
      name,
      unit: unitOf(value.unit),
      address: parseModbusAddress(address),
      ...(value.range === undefined ? {} : { range: value.range }),
    };
    const isRegister = place.address.table === 'holding' || place.address.table === 'input';
    return isRegister && place.address.models === undefined && slotOf(place) !== null ? [place] : [];
  });
}

const simple: Reading = { order: 'ABCD', shift: 0, isOtherTable: false, variant: null };

/** Every way to read it, the way the profile says first; of several variants each. */
export function readingsOf(profile: ModbusProfile, pinned: string | null): readonly Reading[] {
  const variants = (profile.variants ?? []).map(({ variant }) => variant);
  const all = pinned !== null && variants.includes(pinned) ? [pinned] : variants.length === 0 ? [null] : variants;
  return all.flatMap((variant) =>
    [false, true].flatMap((isOtherTable) =>
      ([0, 1, -1] as const).flatMap((shift) =>
        orders.map((order): Reading => ({ ...simple, order, shift, isOtherTable, variant })),
      ),
    ),
  );
}

export const isAsSaid = ({ order, shift, isOtherTable }: Reading): boolean =>
  order === 'ABCD' && shift === 0 && !isOtherTable;

/** How many things would be wrong with the profile. */
export const changesIn = ({ order, shift, isOtherTable }: Reading): number =>
  (order === 'ABCD' ? 0 : 1) + (shift === 0 ? 0 : 1) + (isOtherTable ? 1 : 0);

/**
 * Floats in a row, one register off, are nearly right with their words turned round: the upper half of each then stands where it
 * should, and only digits behind the second are another's.
 */
export function areTwins(a: Reading, b: Reading): boolean {
  if (a.isOtherTable !== b.isOtherTable || a.variant !== b.variant) return false;
  return Math.abs(a.shift - b.shift) === 1 && composed(a.order, b.order) === 'CDAB';
}

const otherTable = (table: Table): Table => (table === 'holding' ? 'input' : table === 'input' ? 'holding' : table);

/** Where a value would be; null: nowhere. */
export function addressBy(address: ModbusAddress, reading: Reading): ModbusAddress | null {
  const own = inVariant(address, reading.variant ?? '');
  if (own === null) return null;
  const moved = <T extends Pick<ModbusAddress, 'table' | 'at' | 'format'>>(place: T): T => ({
    ...place,
    table: reading.isOtherTable ? otherTable(place.table) : place.table,
    at: place.at + reading.shift,
    format: { ...place.format, order: composed(place.format.order, reading.order) },
  });
  const here = moved(own);
  if (here.at < 0 || here.at + here.length > 65_536) return null;
  return own.scaleFrom === undefined ? here : { ...here, scaleFrom: own.scaleFrom.map(moved) };
}

/** What the value says when it is read so; null: it cannot be had, or the device says that it has none. */
export function valueBy({ address }: Place, reading: Reading, registers: Registers): Value | null {
  const here = addressBy(address, reading);
  if (here === null) return null;
  const bytes = registers.read(here.table, here.at, here.length);
  if (bytes === null) return null;
  let factor = 1;
  for (const place of here.scaleFrom ?? []) {
    const said = registers.read(place.table, place.at, place.length);
    const by = said === null ? null : decodeFactor(place.format, said);
    if (by === null) return null;
    factor *= by;
  }
  const { value } = decodeRegisters(here.format, bytes, undefined, factor);
  if (typeof value !== 'number') return null;
  const isFloat = here.format.as === 'f32' || here.format.as === 'f64';
  const step = Math.abs(here.format.scale * factor);
  if (!isFloat) return { value, step };
  // A float has no step of its own, unless it carries a scaled integer; kW as W is no scaled integer.
  const size = step === 0 ? 0 : Math.abs(value / step);
  // Half a float is short too: its lower bytes are then 0.
  const isShort = !hasZeroWord(bytes) && value !== 0 && Number(size.toPrecision(6)) === Number(size.toPrecision(12));
  return { value, step: Math.max(Math.abs(value) * 1e-6, step < 1 ? step : 0), isShort };
}

const hasZeroWord = (bytes: Buffer) =>
  Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16BE(2 * i)).includes(0);

/** What has to be read of a device so that every reading of its registers can be judged: one register more on either side. */
export function spansWanted(
  places: readonly Place[],
  variants: readonly string[],
): readonly { readonly table: Table; readonly at: number; readonly length: number }[] {
  const all = places.flatMap(({ address }) =>
    (variants.length === 0 ? [''] : variants).flatMap((variant) => {
      const own = inVariant(address, variant);
      return own === null ? [] : [own, ...(own.scaleFrom ?? [])];
    }),
  );
  return all.flatMap(({ table, at, length }) =>
    [table, otherTable(table)].map((one) => {
      const first = Math.max(0, at - 1);
      return { table: one, at: first, length: Math.min(65_536, at + length + 1) - first };
    }),
  );
}
