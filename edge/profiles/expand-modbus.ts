import type { ValueType } from '#edge/domain/device.ts';
import type { Name } from '#edge/domain/place.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Expanded } from './expanded.ts';
import { usualLabel } from './labels.ts';
import { type ModbusAddress, parseModbusAddress, type RegisterPlace, registerCount } from './modbus-address.ts';
import type { ModbusPlace, ModbusProfile, ModbusValue, ModbusVariant } from './modbus-profile.ts';

/* A Modbus profile -> its points' names and where each is, in every variant. */

type Placed = Omit<ModbusPlace, 'model'> &
  Pick<ModbusValue, 'model' | 'scale_from' | 'stride' | 'enum' | 'text' | 'bit'>;
type Override = NonNullable<ModbusVariant['values'][string]>;

export function suffixes(
  name: string,
  value: { readonly phases?: 3 | undefined; readonly count?: number | undefined },
): { name: string; suffix: string }[] {
  // `power_l` beside a total named `power` becomes power_l1 .. power_l3.
  const stem = value.phases !== undefined && name.endsWith('_l') ? name.slice(0, -2) : name;
  const many = (words: string[]) =>
    words.map((word) => ({ name: `${stem}_${word.toLowerCase()}`, suffix: ` ${word}` }));
  if (value.phases !== undefined) return many(['L1', 'L2', 'L3']);
  if (value.count !== undefined) return many(Array.from({ length: value.count }, (_, i) => String(i + 1)));
  return [{ name, suffix: '' }];
}

function placeOf(profile: ModbusProfile, value: Placed, index: number): RegisterPlace {
  const table = value.fc ?? profile.bus.fc;
  const isBit = table === 'coil' || table === 'discrete';
  const as = value.as ?? (isBit ? 'bool' : 'u16');
  const length = isBit ? 1 : registerCount(as);
  const invalid = value.invalid === undefined ? [] : [value.invalid].flat();
  const plain = as.startsWith('str(') ? 'str' : as === 'bits' ? 'u16' : as === 'bits32' ? 'u32' : as;
  return {
    table,
    // An offset within a SunSpec model is what the model's own description says, whatever the manual counts from.
    at: value.at - (value.model === undefined ? profile.bus.base : 0) + index * (value.stride ?? length),
    length,
    format: {
      as: plain as RegisterPlace['format']['as'],
      order: value.order ?? profile.bus.order,
      scale: value.scale ?? 1,
      offset: value.offset ?? 0,
      ...(value.enum === undefined ? {} : { enum: value.enum }),
      ...(value.bit === undefined ? {} : { bit: value.bit }),
      invalid: invalid.map((pattern) => BigInt(pattern).toString()),
      ...(value.text === undefined ? {} : { text: value.text }),
      ...(value.encode === undefined ? {} : { pf4q: true }),
    },
    ...(value.model === undefined ? {} : { models: value.model }),
  };
}

/** Where something is that is read but no point: a name plate. Throws PROFILE_ADDRESS. */
export function readAddress(profile: ModbusProfile, read: ModbusPlace): ModbusAddress {
  return parseModbusAddress(placeOf(profile, read, 0));
}

/** The registers behind the names of `scale_from`. Of several of a kind (phases) the first stands for all. */
function factorsOf(profile: ModbusProfile, names: Override['scale_from']): { scaleFrom?: RegisterPlace[] } {
  if (names === undefined || names === null) return {};
  const scaleFrom = [names].flat().map((name) => {
    const factor = Object.hasOwn(profile.factors, name) ? profile.factors[name] : undefined;
    const found = factor ?? (Object.hasOwn(profile.values, name) ? profile.values[name] : undefined);
    if (found === undefined) throw new CodedError('PROFILE_ADDRESS', `scale_from: there is no factor "${name}"`);
    return placeOf(profile, found, 0);
  });
  return { scaleFrom };
}

function scaledPlaceOf(profile: ModbusProfile, value: Placed, names: Override['scale_from'], index: number) {
  return { ...placeOf(profile, value, index), ...factorsOf(profile, names) };
}

type ScaledPlace = ReturnType<typeof scaledPlaceOf>;

/** Where the value is in each variant; absent when all variants have it alike. */
function variantsOf(profile: ModbusProfile, name: string, value: ModbusValue, index: number) {
  const all = profile.variants ?? [];
  if (!all.some((variant) => Object.hasOwn(variant.values, name))) return undefined;
  return Object.fromEntries(
    all.map((variant): [string, ScaledPlace | null] => {
      const other = Object.hasOwn(variant.values, name) ? variant.values[name] : {};
      if (other === null || other === undefined) return [variant.variant, null];
      const { scale_from: names = value.scale_from, ...place } = other;
      const given = Object.fromEntries(Object.entries(place).filter(([, one]) => one !== undefined));
      return [variant.variant, scaledPlaceOf(profile, { ...value, ...given }, names, index)];
    }),
  );
}

function writeOf(profile: ModbusProfile, value: ModbusValue, { table, length }: RegisterPlace) {
  if (value.write === undefined) return {};
  const { fc, verify, boot } = value.write;
  const other = verify?.read === undefined ? undefined : profile.values[verify.read];
  return {
    write: {
      fc: fc ?? (table === 'coil' ? 5 : length === 1 ? 6 : 16),
      retry: verify?.retry ?? 1,
      ...(boot === 'off' ? { boot } : {}),
      ...(other === undefined ? {} : { readBack: placeOf(profile, other, 0) }),
    },
  };
}

function modbusAddress(profile: ModbusProfile, name: string, value: ModbusValue, index: number): ModbusAddress {
  const variants = variantsOf(profile, name, value, index);
  const first = variants === undefined ? undefined : Object.values(variants).find((place) => place !== null);
  const place = first ?? scaledPlaceOf(profile, value, value.scale_from, index);
  const forbidden = value.write?.forbidden;
  return parseModbusAddress({
    ...place,
    format: { ...place.format, ...(forbidden === undefined ? {} : { forbidden }) },
    ...(value.read_block === undefined
      ? {}
      : { block: { at: value.read_block[0] - profile.bus.base, length: value.read_block[1] } }),
    ...(variants === undefined ? {} : { variants }),
    ...writeOf(profile, value, place),
  });
}

function typeOf({ as, text, enum: words }: ModbusAddress['format']): ValueType {
  if (as === 'bool') return 'boolean';
  return as === 'str' || words !== undefined || text === true ? 'text' : 'number';
}

function expandBits(profile: ModbusProfile, name: string, value: ModbusValue): Expanded[] {
  const address = modbusAddress(profile, name, value, 0);
  const single = <T extends RegisterPlace>(place: T, bit: number): T => ({
    ...place,
    format: { ...place.format, as: 'bool', bit },
  });
  return Object.entries(value.bits ?? {}).map(([bit, bitName]): Expanded => {
    const variants = Object.entries(address.variants ?? {}).map(([variant, place]): [string, typeof place] => [
      variant,
      place === null ? null : single(place, Number(bit)),
    ]);
    return {
      name: bitName,
      label: usualLabel(bitName),
      type: 'boolean',
      value,
      address: {
        ...single(address, Number(bit)),
        ...(address.variants === undefined ? {} : { variants: Object.fromEntries(variants) }),
      },
    };
  });
}

/** What a check reads and keeps: the serial number as a point, by which a swapped meter is known. */
function expandSaved(profile: ModbusProfile): Expanded[] {
  return profile.check.flatMap((check): Expanded[] => {
    if (!('read' in check) || check.save === undefined) return [];
    const value: ModbusValue = { ...check.read, text: true, poll: 'once' };
    const address = modbusAddress(profile, check.save, value, 0);
    return [{ name: check.save, label: usualLabel(check.save), type: 'text', value, address }];
  });
}

export function expandModbus(profile: ModbusProfile): Expanded[] {
  const points = Object.entries(profile.values).flatMap(([name, value]): Expanded[] => {
    if (value.bits !== undefined) return expandBits(profile, name, value);
    const base: Name = value.label ?? usualLabel(name);
    return suffixes(name, value).map(({ name: full, suffix }, index): Expanded => {
      const address = modbusAddress(profile, name, value, index);
      const isRare = Object.values(address.variants ?? {}).some((place) => place === null);
      return {
        name: full,
        label: { zh: base.zh + suffix, en: base.en + suffix },
        type: typeOf(address.format),
        value: isRare ? { ...value, optional: true } : value,
        address,
      };
    });
  });
  return [...points, ...expandSaved(profile)];
}
