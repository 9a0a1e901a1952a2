import { CodedError } from '#edge/runtime/errors.ts';
import { ModbusError } from './errors.ts';

/** Reads registers; rejects as the line does. */
export type ReadRegisters = (at: number, length: number) => Promise<Buffer>;

const marker = 'SunS';
const endModel = 0xffff;
/** No device known has more than some twenty. */
const maxModels = 64;

/**
 * The models of a SunSpec device and where each begins (SunSpec Device Information Model Specification): behind the marker
 * they stand in a row, each with its id, its length and so many registers. Empty: no marker at any of these places. Rejects
 * with SUNSPEC_CHAIN when the row does not end, or as the line does.
 */
export async function walkModels(read: ReadRegisters, markers: readonly number[]): Promise<Map<number, number>> {
  for (const start of markers) {
    if (await isMarker(read, start)) return walk(read, start + 2);
  }
  return new Map();
}

async function isMarker(read: ReadRegisters, at: number): Promise<boolean> {
  try {
    return (await read(at, 2)).toString('latin1') === marker;
  } catch (error) {
    if (error instanceof ModbusError && error.outcome === 'exception' && [1, 2, 3].includes(error.exception))
      return false;
    throw error;
  }
}

async function walk(read: ReadRegisters, first: number): Promise<Map<number, number>> {
  const models = new Map<number, number>();
  let at = first;
  for (let seen = 0; seen < maxModels && at < 0xfffe; seen++) {
    const header = await read(at, 2);
    const id = header.readUInt16BE(0);
    if (id === endModel) return models;
    // Of several of one kind (strings, batteries) the first stands for all.
    if (!models.has(id)) models.set(id, at);
    at += 2 + header.readUInt16BE(2);
  }
  throw new CodedError('SUNSPEC_CHAIN', `the row of SunSpec models from register ${first} has no end`);
}
