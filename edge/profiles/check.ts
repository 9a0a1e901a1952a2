import type { Value } from '#edge/domain/reading.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { parseCjt188Address } from './cjt188-address.ts';
import type { Decoded } from './decode.ts';
import { decodeBit, decodeRegisters } from './decode.ts';
import { decodeCjt188 } from './decode-cjt188.ts';
import { decodeDlt645 } from './decode-dlt645.ts';
import { parseDlt645Address } from './dlt645-address.ts';
import { encodeRegisters } from './encode.ts';
import { expandValues } from './expand.ts';
import type { Expanded } from './expanded.ts';
import { loadProfile } from './load.ts';
import { inVariant, type ModbusAddress, parseModbusAddress } from './modbus-address.ts';
import type { Profile, TestVector } from './profile.ts';

export interface CheckedProfile {
  readonly profile: Profile;
  /** Test vectors that passed. */
  readonly passed: number;
  /** One sentence per vector that did not. */
  readonly failures: readonly string[];
}

/** Loads a profile and decodes its test vectors; no device needed. Throws what `loadProfile` throws. */
export async function checkProfile(folder: string, path: string): Promise<CheckedProfile> {
  const profile = await loadProfile(folder, path);
  const { passed, failures } = runVectors(profile);
  return { profile, passed, failures };
}

/** Decodes the test vectors of a profile; one whose protocol has none passes none. */
export function runVectors(profile: Profile): Omit<CheckedProfile, 'profile'> {
  const values = new Map(expandValues(profile).map((value) => [value.name, value]));
  const verdicts = vectorsOf(profile).map(({ name, run }, i) => {
    const value = values.get(name);
    const wrong = value === undefined ? 'there is no such value' : run(value);
    return wrong === null ? null : `test[${i}] ${name}: ${wrong}`;
  });
  const failures = verdicts.filter((verdict) => verdict !== null);
  return { passed: verdicts.length - failures.length, failures };
}

interface Vector {
  readonly name: string;
  /** null when it passes. */
  run(value: Expanded): string | null;
}

function vectorsOf(profile: Profile): Vector[] {
  switch (profile.protocol) {
    case 'modbus':
      return profile.test.map((vector) => ({ name: vector.value, run: (value) => runModbus(vector, value) }));
    case 'dlt645':
      return profile.test.map((vector) => ({
        name: vector.value,
        run: ({ address, value: { range } }) =>
          judge(vector, decodeDlt645(parseDlt645Address(address), bytesOf(vector.hex), { range, block: vector.block })),
      }));
    case 'cjt188':
      return profile.test.map((vector) => ({
        name: vector.value,
        run: ({ address, value: { range } }) =>
          judge(vector, decodeCjt188(parseCjt188Address(address), bytesOf(vector.hex), range)),
      }));
    default:
      return [];
  }
}

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');

type Expectation = Pick<TestVector, 'hex' | 'is' | 'quality'>;

function judge({ hex, is, quality }: Expectation, decoded: Decoded): string | null {
  const why = decoded.reason === undefined ? '' : ` (${decoded.quality}/${decoded.reason})`;
  if (!same(decoded.value, is)) return `${hex} is ${decoded.value}${why}, not ${is}`;
  return decoded.quality === quality ? null : `${hex} is ${decoded.quality}, not ${quality}`;
}

function runModbus(vector: TestVector, { address: at, value }: Expanded): string | null {
  const address = addressOf(vector, parseModbusAddress(at));
  if (address === null) return `is not in the variant ${vector.variant}`;
  const bytes = bytesOf(vector.hex);
  const isBit = address.table === 'coil' || address.table === 'discrete';
  const needs = isBit ? Math.ceil((address.block?.length ?? 1) / 8) : address.length * 2;
  if (bytes.length !== needs) return `has ${bytes.length} bytes, needs ${needs}`;
  if (address.scaleFrom !== undefined && vector.factor === undefined)
    return 'needs `factor`: it is scaled by a register';
  if (address.scaleFrom === undefined && vector.factor !== undefined) return 'has a `factor` and is not scaled by any';
  const decoded: Decoded = isBit
    ? decodeBit(bytes, address.at - (address.block?.at ?? address.at))
    : decodeRegisters(address.format, bytes, value.range, vector.factor);
  const wrong = judge(vector, decoded);
  if (wrong !== null || !vector.write || isBit || vector.is === null) return wrong;
  return runWrite(vector, address, vector.is, bytes);
}

function runWrite({ hex, factor }: TestVector, address: ModbusAddress, value: Value, bytes: Buffer): string | null {
  try {
    const written = encodeRegisters(address.format, address.length, value, factor);
    return written.equals(bytes) ? null : `${value} is written as ${written.toString('hex')}, not ${hex}`;
  } catch (error) {
    return messageOf(error);
  }
}

function addressOf({ variant }: TestVector, address: ModbusAddress): ModbusAddress | null {
  return variant === undefined ? address : inVariant(address, variant);
}

function same(actual: Value | null, expected: Value | null): boolean {
  if (typeof actual !== 'number' || typeof expected !== 'number') return actual === expected;
  return Math.abs(actual - expected) <= Math.abs(expected) * 1e-9;
}
