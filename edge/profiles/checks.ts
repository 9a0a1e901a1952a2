import type { Value } from '#edge/domain/reading.ts';
import type { Decoded } from './decode.ts';
import { readAddress } from './expand-modbus.ts';
import type { ModbusAddress } from './modbus-address.ts';
import type { ModbusProfile, ProfileCheck } from './modbus-profile.ts';

/** A name plate to ask: where it is, and what it must say. */
export interface Plate {
  readonly address: ModbusAddress;
  readonly is?: readonly Value[];
  readonly in?: readonly [number, number];
}

/** The reads among the checks of a profile or of one of its variants. */
export function platesOf(profile: ModbusProfile, checks: readonly ProfileCheck[]): Plate[] {
  return checks.flatMap((check): Plate[] => {
    if (!('read' in check)) return [];
    return [
      {
        address: readAddress(profile, check.read),
        ...(check.is === undefined ? {} : { is: check.is }),
        ...(check.in === undefined ? {} : { in: check.in }),
      },
    ];
  });
}

/** The SunSpec models a device must have: one of each list. */
export function modelsOf(checks: readonly ProfileCheck[]): (readonly number[])[] {
  return checks.flatMap((check) => ('model' in check ? [check.model] : []));
}

/** What is wrong with what a plate says, in a sentence; null: nothing. */
export function judgePlate(plate: Plate, { value }: Decoded): string | null {
  const where = `${plate.address.table} ${plate.address.at}`;
  if (value === null) return `${where} says nothing`;
  if (plate.is !== undefined && !plate.is.includes(value)) {
    return `${where} says ${JSON.stringify(value)}, not ${plate.is.map((one) => JSON.stringify(one)).join(' or ')}`;
  }
  if (plate.in === undefined) return null;
  const [low, high] = plate.in;
  const isWithin = typeof value === 'number' && value >= low && value <= high;
  return isWithin ? null : `${where} says ${JSON.stringify(value)}, not between ${low} and ${high}`;
}
