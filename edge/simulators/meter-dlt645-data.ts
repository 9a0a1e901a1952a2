import type { ElectricFace } from './meter-electric.ts';
import { bcd, bcdDigits, meterClock, signedBcd } from './meter-frames.ts';

/*
 * What a DL/T 645-2007 meter keeps under which data identifier (annex A). `DI3DI2DI1DI0` as printed, upper case. FF in the place
 * of a phase, a tariff or a settlement day is the block of all of them.
 */

const ascii = (text: string, bytes: number) =>
  Buffer.from(text.padEnd(bytes, '\0').slice(0, bytes), 'latin1').reverse();

/** XXXXXX.XX kWh. Group 0 is the combined, 1 the import, 2 the export; rate 0 the total, 1 to 4 尖峰平谷; day 0 now, 1 to 12 month ends. */
function energy(face: ElectricFace, group: number, rate: number, day: number): Buffer {
  if (group === 2) return bcd(0, 4);
  const hundredths = day === 0 ? face.energy(rate) : (face.settled(day)?.[rate] ?? 0);
  return group === 0 ? signedBcd(hundredths, 4) : bcd(hundredths, 4);
}

function energies(face: ElectricFace, di: string): Buffer | null {
  const group = Number.parseInt(di.slice(2, 4), 16);
  const rate = di.slice(4, 6);
  const day = di.slice(6, 8);
  const rates = rate === 'FF' ? [0, 1, 2, 3, 4] : [Number.parseInt(rate, 16)];
  const days = day === 'FF' ? Array.from({ length: 13 }, (_, i) => i) : [Number.parseInt(day, 16)];
  if (group > 2 || rates.some((one) => one > 4) || days.some((one) => one > 12)) return null;
  return Buffer.concat(days.flatMap((one) => rates.map((each) => energy(face, group, each, one))));
}

/** Instantaneous values, per phase: which bytes each phase takes. Powers begin with the total. */
const perPhase: Readonly<Record<string, (face: ElectricFace, phase: number) => Buffer>> = {
  '0201': (face, phase) => bcd((face.voltage[phase - 1] ?? 0) * 10, 2),
  '0202': (face, phase) => signedBcd((face.current[phase - 1] ?? 0) * 1000, 3),
  '0203': (face, phase) => signedBcd(watts(face, phase) * 10, 3),
  '0204': (face, phase) => signedBcd(watts(face, phase) * Math.tan(Math.acos(face.powerFactor)) * 10, 3),
  '0205': (face, phase) => signedBcd((watts(face, phase) / face.powerFactor) * 10, 3),
  '0206': (face) => signedBcd(face.powerFactor * 1000, 2),
};
const withTotal: ReadonlySet<string> = new Set(['0203', '0204', '0205', '0206']);

function watts(face: ElectricFace, phase: number): number {
  return phase === 0 ? face.power.reduce((sum, one) => sum + one, 0) : (face.power[phase - 1] ?? 0);
}

function instantaneous(face: ElectricFace, di: string): Buffer | null {
  const group = di.slice(0, 4);
  const encode = perPhase[group];
  if (encode === undefined || di.slice(6) !== '00') return null;
  const first = withTotal.has(group) ? 0 : 1;
  if (di.slice(4, 6) === 'FF') {
    return Buffer.concat([0, 1, 2, 3].slice(first).map((phase) => encode(face, phase)));
  }
  const phase = Number.parseInt(di.slice(4, 6), 16);
  return phase < first || phase > 3 ? null : encode(face, phase);
}

/** YYMMDDhhmm, low byte first. */
function stamp(time: number): Buffer {
  const { year, month, day, hour, minute } = meterClock(time);
  return Buffer.concat([minute, hour, day, month, year % 100].map((part) => bcd(part, 1)));
}

function block(values: readonly number[]): Buffer {
  return Buffer.concat(values.map((value) => bcd(value, 4)));
}

/** Frozen: at a command (01), at the full hour (04), at midnight (06). The last byte counts back from 1. */
function frozen(face: ElectricFace, di: string): Buffer | null {
  const kinds: Readonly<Record<string, 'command' | 'hour' | 'day'>> = { '01': 'command', '04': 'hour', '06': 'day' };
  const kind = kinds[di.slice(2, 4)];
  const back = Number.parseInt(di.slice(6), 16);
  const found = kind === undefined ? undefined : face.frozen(kind, back);
  if (found === undefined) return null;
  if (di.slice(4, 6) === '00') return stamp(found.time);
  if (di.slice(4, 6) !== '01') return null;
  return kind === 'hour' ? block(found.energies.slice(0, 1)) : block(found.energies);
}

export interface NamePlate {
  /** 12 digits. */
  readonly address: string;
  /** 12 digits: what is printed on the case. */
  readonly serial: string;
  readonly model: string;
}

function single(face: ElectricFace, plate: NamePlate, now: number, isOpen: boolean, di: string): Buffer | null {
  const { year, month, day, weekday, hour, minute, second } = meterClock(now);
  const status3 = Buffer.from([isOpen ? 0x10 : 0, 0]);
  switch (di) {
    case '02800002':
      return bcd(face.frequency * 100, 2);
    case '02800004': // mean active power of the last minute
      return signedBcd(watts(face, 0) * 10, 3);
    case '02800007': // inside the case, 0.1 degrees
      return signedBcd(234, 2);
    case '02800008': // clock battery, 0.01 V
      return bcd(365, 2);
    case '04000101':
      return Buffer.concat([weekday, day, month, year % 100].map((part) => bcd(part, 1)));
    case '04000102':
      return Buffer.concat([second, minute, hour].map((part) => bcd(part, 1)));
    case '04000401':
      return bcdDigits(plate.address);
    case '04000402':
      return bcdDigits(plate.serial);
    case '0400040B':
      return ascii(plate.model, 10);
    case '04000503':
      return status3;
    case '04000501': // batteries and directions
    case '04000502':
    case '04000504': // faults of the phases
    case '04000505':
    case '04000506':
    case '04000507':
      return Buffer.alloc(2);
    case '040005FF':
      return Buffer.concat([Buffer.alloc(4), status3, Buffer.alloc(8)]);
    case '01010000':
      return Buffer.concat([bcd(face.demand.kilowatts * 10_000, 3), stamp(face.demand.time)]);
    default:
      return null;
  }
}

/** The bytes of a data identifier, low byte first, without the identifier; null: this meter does not have it. */
export function dlt645Data(
  face: ElectricFace,
  plate: NamePlate,
  state: { readonly now: number; readonly isOpen: boolean },
  di: string,
): Buffer | null {
  if (di.startsWith('00')) return energies(face, di);
  if (di.startsWith('05')) return frozen(face, di);
  return instantaneous(face, di) ?? single(face, plate, state.now, state.isOpen, di);
}
