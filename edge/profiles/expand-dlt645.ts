import type { ValueType } from '#edge/domain/device.ts';
import { type Dlt645Address, parseDlt645Address } from './dlt645-address.ts';
import type { Dlt645Profile, Dlt645Value } from './dlt645-profile.ts';
import { suffixes } from './expand-modbus.ts';
import type { Expanded } from './expanded.ts';
import { usualLabel } from './labels.ts';

/* A DL/T 645 profile -> its points' names and where each is. */

const defaultLength = 4;

/** DI1 rises by one from phase to phase: 02010100, 02010200, 02010300. */
function identifierOf(di: string, index: number): string {
  const di1 = Number.parseInt(di.slice(4, 6), 16) + index;
  return di.slice(0, 4) + di1.toString(16).toUpperCase().padStart(2, '0') + di.slice(6);
}

const placeIn = (value: Dlt645Value, index: number) => ((value.index ?? 0) + index) * (value.length ?? defaultLength);

/** Bytes that the data of a block have at least, for all values that the profile wants of it. */
function blockLengths(profile: Dlt645Profile): Map<string, number> {
  const lengths = new Map<string, number>();
  for (const value of Object.values(profile.values)) {
    if (value.block === undefined) continue;
    const end = placeIn(value, (value.phases ?? 1) - 1) + (value.length ?? defaultLength);
    lengths.set(value.block, Math.max(end, lengths.get(value.block) ?? 0));
  }
  return lengths;
}

function dlt645Address(value: Dlt645Value, index: number, blocks: ReadonlyMap<string, number>): Dlt645Address {
  const length = value.length ?? defaultLength;
  const { data, write } = value;
  return parseDlt645Address({
    di: identifierOf(value.at, index),
    length,
    format: value.as ?? 'bcd',
    scale: value.scale ?? 1,
    signed: value.signed ?? false,
    ...(value.bit === undefined ? {} : { bit: value.bit }),
    ...(value.invert === undefined ? {} : { invert: true }),
    ...(data === undefined ? {} : { part: { offset: value.byte ?? 0, length: data } }),
    ...(value.block === undefined
      ? {}
      : { block: { di: value.block, offset: placeIn(value, index), length: blocks.get(value.block) ?? length } }),
    ...(value.invalid === undefined
      ? {}
      : { invalid: value.invalid.map((bytes) => bytes.replaceAll(/\s/g, '').toUpperCase()) }),
    ...(write === undefined
      ? {}
      : {
          write: {
            command: write.command,
            on: Number.parseInt(write.on, 16),
            off: Number.parseInt(write.off, 16),
            expiry: write.expiry,
          },
        }),
  });
}

function typeOf({ format, bit }: Dlt645Address): ValueType {
  if (format === 'bits') return bit === undefined ? 'number' : 'boolean';
  return format === 'bcd' ? 'number' : 'text';
}

export function expandDlt645(profile: Dlt645Profile): Expanded[] {
  const blocks = blockLengths(profile);
  return Object.entries(profile.values).flatMap(([name, value]): Expanded[] => {
    if (value.bits !== undefined) {
      return Object.entries(value.bits).map(([bit, bitName]): Expanded => {
        const address = dlt645Address({ ...value, bit: Number(bit) }, 0, blocks);
        return { name: bitName, label: usualLabel(bitName), type: 'boolean', value, address };
      });
    }
    const base = value.label ?? usualLabel(name);
    return suffixes(name, value).map(({ name: full, suffix }, index): Expanded => {
      const address = dlt645Address(value, index, blocks);
      const label = { zh: base.zh + suffix, en: base.en + suffix };
      return { name: full, label, type: typeOf(address), value, address };
    });
  });
}
