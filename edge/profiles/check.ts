import type { Value } from '#edge/domain/reading.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Decoded } from './decode.ts';
import { decodeBit, decodeRegisters } from './decode.ts';
import { encodeRegisters } from './encode.ts';
import { expandValues } from './expand.ts';
import { loadProfile } from './load.ts';
import { parseModbusAddress } from './modbus-address.ts';
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
  const vectors = profile.protocol === 'modbus' ? profile.test : [];
  const failures = vectors.flatMap((vector, i) => {
    const wrong = runVector(profile, vector);
    return wrong === null ? [] : [`test[${i}] ${vector.value}: ${wrong}`];
  });
  return { profile, passed: vectors.length - failures.length, failures };
}

/** null when it passes. */
function runVector(profile: Profile, vector: TestVector): string | null {
  const found = expandValues(profile).find((value) => value.name === vector.value);
  if (found === undefined) return 'there is no such value';
  const address = parseModbusAddress(found.address);
  const bytes = Buffer.from(vector.hex.replaceAll(/\s/g, ''), 'hex');
  const isBit = address.table === 'coil' || address.table === 'discrete';
  const needs = isBit ? Math.ceil((address.block?.length ?? 1) / 8) : address.length * 2;
  if (bytes.length !== needs) return `has ${bytes.length} bytes, needs ${needs}`;
  const decoded: Decoded = isBit
    ? decodeBit(bytes, address.at - (address.block?.at ?? address.at))
    : decodeRegisters(address.format, bytes, found.value.range);
  if (!same(decoded.value, vector.is)) return `${vector.hex} is ${decoded.value}, not ${vector.is}`;
  if (decoded.quality !== vector.quality) return `${vector.hex} is ${decoded.quality}, not ${vector.quality}`;
  if (!vector.write || isBit || vector.is === null) return null;
  try {
    const written = encodeRegisters(address.format, address.length, vector.is);
    return written.equals(bytes) ? null : `${vector.is} is written as ${written.toString('hex')}, not ${vector.hex}`;
  } catch (error) {
    return messageOf(error);
  }
}

function same(actual: Value | null, expected: Value | null): boolean {
  if (typeof actual !== 'number' || typeof expected !== 'number') return actual === expected;
  return Math.abs(actual - expected) <= Math.abs(expected) * 1e-9;
}
