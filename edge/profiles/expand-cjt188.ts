import type { ValueType } from '#edge/domain/device.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { type Cjt188Address, parseCjt188Address } from './cjt188-address.ts';
import type { Cjt188Field, Cjt188Profile, Cjt188Value } from './cjt188-profile.ts';
import type { Expanded } from './expanded.ts';
import { usualLabel } from './labels.ts';
import { toUcum } from './units.ts';

/* A CJ/T 188 profile -> its points' names and where each is in the one answer. */

interface Field {
  readonly at: number;
  readonly length: number;
  readonly scale: number;
  readonly unitByte: boolean;
}

const field = (at: number, length: number, scale: number, unitByte: boolean): Field => ({
  at,
  length,
  scale,
  unitByte,
});

/** Answer to 901F of water and gas meters (CJ/T 188-2004, table of data of meters of type 10H..1FH and 30H..3FH). */
const waterFields: Readonly<Partial<Record<Cjt188Field, Field>>> = {
  total: field(0, 4, 0.01, true),
  settle: field(5, 4, 0.01, true),
  time: field(10, 7, 1, false),
  status: field(17, 2, 1, false),
};

/** Of heat and cold meters (20H..2FH). */
const heatFields: Readonly<Record<Cjt188Field, Field>> = {
  settle: field(0, 4, 0.01, true),
  energy: field(5, 4, 0.01, true),
  power: field(10, 4, 0.01, true),
  flow: field(15, 4, 0.0001, true),
  total: field(20, 4, 0.01, true),
  supply: field(25, 3, 0.01, false),
  return: field(28, 3, 0.01, false),
  hours: field(31, 3, 1, false),
  time: field(34, 7, 1, false),
  status: field(41, 2, 1, false),
};

function fieldOf(profile: Cjt188Profile, value: Cjt188Value): Field {
  const isHeat = profile.bus.type >= 0x20 && profile.bus.type <= 0x2f;
  const usual = isHeat ? heatFields[value.at] : waterFields[value.at];
  if (usual !== undefined) return usual;
  if (value.byte !== undefined && value.length !== undefined) return field(value.byte, value.length, 1, false);
  const type = profile.bus.type.toString(16);
  throw new CodedError('PROFILE_ADDRESS', `a meter of type 0x${type} has no "${value.at}": say byte and length`);
}

function cjt188Address(profile: Cjt188Profile, value: Cjt188Value): Cjt188Address {
  const usual = fieldOf(profile, value);
  const format = value.at === 'status' || value.at === 'time' ? value.at : 'bcd';
  const hasUnit = value.unit_byte ?? usual.unitByte;
  return parseCjt188Address({
    di: profile.bus.di,
    field: value.at,
    at: value.byte ?? usual.at,
    length: value.length ?? usual.length,
    format,
    scale: value.scale ?? usual.scale,
    order: profile.bus.value_order,
    ...(hasUnit ? { unitByte: true } : {}),
    unit: toUcum(value.unit ?? ''),
    ...(value.bit === undefined ? {} : { bit: value.bit }),
    ...(value.width === undefined ? {} : { width: value.width }),
    ...(value.enum === undefined ? {} : { enum: value.enum }),
  });
}

function typeOf({ format, enum: words }: Cjt188Address): ValueType {
  if (format === 'time' || words !== undefined) return 'text';
  return format === 'status' ? 'boolean' : 'number';
}

export function expandCjt188(profile: Cjt188Profile): Expanded[] {
  return Object.entries(profile.values).map(([name, value]): Expanded => {
    const address = cjt188Address(profile, value);
    return { name, label: value.label ?? usualLabel(name), type: typeOf(address), value, address };
  });
}
