import { ModbusError } from '#edge/drivers/modbus/errors.ts';
import { readExchange } from '#edge/drivers/modbus/exchange.ts';
import { walkModels } from '#edge/drivers/modbus/sunspec.ts';
import { judgePlate, platesOf } from '#edge/profiles/checks.ts';
import { decodeRegisters } from '#edge/profiles/decode.ts';
import { fitOf } from '#edge/profiles/plausibility.ts';
import { placesOf, type Registers } from '#edge/profiles/plausibility-readings.ts';
import type { ModbusProfile, Profile } from '#edge/profiles/profile.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import { type Asked, readSpans, type Span } from './profile-try-registers.ts';
import type { ScanLine } from './scan-line.ts';

/* Which profile fits a unit that answers: its name plates, its SunSpec models, or that all its values make a circuit. */

export interface FittingProfile {
  readonly path: string;
  /** `plate`: it says so itself. `values`: all of its quantities fit together. `kind`: it is a meter of that kind. */
  readonly by: 'plate' | 'sunspec' | 'values' | 'kind';
  readonly bits: number;
}

export interface SunSpecUnit {
  readonly manufacturer: string;
  readonly model: string;
  readonly serial: string;
  readonly models: readonly number[];
}

export interface Identified {
  readonly fits: readonly FittingProfile[];
  readonly sunspec: SunSpecUnit | null;
}

/** A device that is silent instead of refusing is not asked for ever. */
const mostSilences = 6;
/** What speaks less for a profile than this much below the best is not told. */
const closeBits = 4;

interface UnitReader {
  readonly ask: (span: Span) => Promise<Asked>;
  readonly isGivenUp: () => boolean;
}

function readerOf(line: ScanLine, unit: number): UnitReader {
  const known = new Map<string, Asked>();
  let silences = 0;
  const isGivenUp = () => silences >= mostSilences || line.signal.aborted;
  return {
    isGivenUp,
    async ask({ table, at, length }) {
      const key = `${table}:${at}+${length}`;
      const before = known.get(key);
      if (before !== undefined) return before;
      if (isGivenUp()) return 'silent';
      const exchange = readExchange(unit, table, at, length);
      const heard = await line.ask(line.numbered ? exchange.tcp : exchange.rtu);
      if (!('frame' in heard)) silences++;
      const said: Asked = !('frame' in heard)
        ? 'silent'
        : heard.is === 'refused'
          ? 'refused'
          : exchange.parse(heard.frame);
      known.set(key, said);
      return said;
    },
  };
}

/** Asks the unit for what tells the profiles apart. Only reads. */
export async function identifyUnit(
  line: ScanLine,
  unit: number,
  profiles: ReadonlyMap<string, Profile>,
): Promise<Identified> {
  const reader = readerOf(line, unit);
  const sunspec = await sunSpecOf(reader);
  if (sunspec !== null) {
    const isInverter = sunspec.models.some((model) => (model >= 101 && model <= 103) || (model >= 111 && model <= 113));
    const fits = isInverter ? [{ path: 'inverter/sunspec-inverter', by: 'sunspec' as const, bits: 32 }] : [];
    return { fits, sunspec };
  }
  const modbus = [...profiles].flatMap(([path, profile]) => (profile.protocol === 'modbus' ? [{ path, profile }] : []));
  for (const { path, profile } of modbus) {
    if (await saysItIs(reader, profile)) return { fits: [{ path, by: 'plate', bits: 32 }], sunspec: null };
  }
  const fits: FittingProfile[] = [];
  for (const { path, profile } of modbus) {
    if (reader.isGivenUp()) break;
    const fit = fitOf(await registersFor(reader, line, profile), profile);
    if (fit?.fits === true) fits.push({ path, by: 'values', bits: fit.bits });
  }
  const best = Math.max(0, ...fits.map(({ bits }) => bits));
  return { fits: fits.filter(({ bits }) => bits >= best - closeBits).sort((a, b) => b.bits - a.bits), sunspec: null };
}

/** A name plate that must say one of a few words, and says it. */
async function saysItIs(reader: UnitReader, profile: ModbusProfile): Promise<boolean> {
  const plates = platesOf(profile, profile.check).filter(
    ({ is, address }) => is !== undefined && address.models === undefined,
  );
  if (plates.length === 0) return false;
  for (const plate of plates) {
    const { table, at, length, format } = plate.address;
    const said = await reader.ask({ table, at, length });
    if (!Buffer.isBuffer(said) || judgePlate(plate, decodeRegisters(format, said)) !== null) return false;
  }
  return true;
}

function registersFor(reader: UnitReader, line: ScanLine, profile: ModbusProfile): Promise<Registers> {
  const variants = [null, ...(profile.variants ?? []).map(({ variant }) => variant)];
  const spans = placesOf(profile).flatMap(({ address }) =>
    variants.flatMap((variant): Span[] => {
      const own = variant === null ? address : address.variants?.[variant];
      if (own === null || own === undefined) return [];
      return [own, ...(own.scaleFrom ?? [])].map(({ table, at, length }) => ({ table, at, length }));
    }),
  );
  return readSpans(reader.ask, spans, Math.min(profile.bus.max, 80), line.signal);
}

const markers = [40_000, 50_000, 0];
const text = (bytes: Buffer, from: number) =>
  bytes
    .subarray(2 * from, 2 * (from + 16))
    .toString('latin1')
    .split('\0', 1)[0]
    ?.trim() ?? '';

async function sunSpecOf(reader: UnitReader): Promise<SunSpecUnit | null> {
  const read = async (at: number, length: number): Promise<Buffer> => {
    const said = await reader.ask({ table: 'holding', at, length });
    if (Buffer.isBuffer(said)) return said;
    throw new ModbusError('exception', `register ${at} is not given`, { exception: 2 });
  };
  try {
    const models = await walkModels(read, markers);
    const common = models.get(1);
    if (models.size === 0 || common === undefined) return null;
    const plate = await read(common, 66);
    return {
      manufacturer: text(plate, 2),
      model: text(plate, 18),
      serial: text(plate, 50),
      models: [...models.keys()],
    };
  } catch (error) {
    // A marker without models behind it is no SunSpec device.
    if (error instanceof ModbusError || codeOf(error) === 'SUNSPEC_CHAIN') return null;
    throw error;
  }
}
