import type { Clock } from '#edge/runtime/clock.ts';
import { bcd, bcdDigits, cjt188Frame, meterClock, openCjt188 } from './meter-frames.ts';

/*
 * A CJ/T 188-2004 meter on a line: water (10 to 13), heat and cold (20, 21), gas (30). Makers disagree on the order of the data
 * identifier's bytes (90 1F or 1F 90) and on where a heat meter puts the unit; both are seen in published frames.
 */

/** Unit codes of the standard. */
export const cjt188Units = {
  Wh: 0x02,
  kWh: 0x05,
  MWh: 0x08,
  GJ: 0x11,
  W: 0x14,
  kW: 0x17,
  L: 0x29,
  m3: 0x2c,
  'L/h': 0x32,
  'm3/h': 0x35,
} as const;
type Unit = keyof typeof cjt188Units;

/** What the meter shows. Whole numbers of the last digit: 0.01 m3, 0.01 kWh, 0.01 kW, 0.01 m3/h, 0.01 Cel. */
export interface FlowFace {
  /** Volume: of water and gas, and what went through a heat meter. */
  volume(): number;
  /** At the end of the last month. */
  settled(): number;
  /** Heat meters only. */
  readonly heat?: () => {
    readonly energy: number;
    readonly settled: number;
    readonly power: number;
    readonly flow: number;
    readonly supply: number;
    readonly return: number;
    /** Whole hours at work. */
    readonly hours: number;
  };
}

export interface Cjt188Options {
  readonly clock: Clock;
  readonly face: FlowFace;
  readonly type: number;
  /** 14 digits, A6 to A0: maker's code (4) and number (10). */
  readonly address: string;
  /** Order in which the bytes of a data identifier go over the wire; `any` answers as it was asked. */
  readonly diOrder?: '901F' | '1F90' | 'any';
  /** Of heat meters: before the number or behind it. */
  readonly unitAt?: 'behind' | 'before';
  readonly heatUnit?: 'kWh' | 'MWh' | 'GJ';
  readonly hasValve?: boolean;
}

export interface Cjt188Meter {
  readonly name: string;
  readonly protocol: 'cjt188';
  hear(frame: Buffer): Buffer | null;
  readonly valve: () => 'open' | 'closed';
  /** `raw`: both bytes as they are, whatever the standard says of them; makers do. */
  setStatus(status: {
    readonly battery?: 'low' | 'good';
    readonly valve?: 'stuck' | 'works';
    readonly raw?: readonly [number, number];
  }): void;
}

const wild = 0xaa;

function number(value: number, unit: Unit, unitAt: 'behind' | 'before'): Buffer {
  const code = Buffer.from([cjt188Units[unit]]);
  return unitAt === 'behind' ? Buffer.concat([bcd(value, 4), code]) : Buffer.concat([code, bcd(value, 4)]);
}

/** ss mm hh DD MM YY YY, each low byte first: 2015 is 15 20. */
function clockBytes(now: number): Buffer {
  const { year, month, day, hour, minute, second } = meterClock(now);
  return Buffer.concat([bcd(second, 1), bcd(minute, 1), bcd(hour, 1), bcd(day, 1), bcd(month, 1), bcd(year, 2)]);
}

function reading({ face, heatUnit = 'kWh', unitAt = 'behind' }: Cjt188Options): Buffer {
  const heat = face.heat?.();
  if (heat === undefined) {
    return Buffer.concat([number(face.volume(), 'm3', 'behind'), number(face.settled(), 'm3', 'behind')]);
  }
  return Buffer.concat([
    number(heat.settled, heatUnit, unitAt),
    number(heat.energy, heatUnit, unitAt),
    number(heat.power, 'kW', unitAt),
    number(heat.flow, 'm3/h', unitAt),
    number(face.volume(), 'm3', unitAt),
    bcd(heat.supply, 3),
    bcd(heat.return, 3),
    bcd(heat.hours, 3),
  ]);
}

export function createCjt188Meter(options: Cjt188Options): Cjt188Meter {
  const { clock, type, diOrder = 'any', hasValve = false } = options;
  const own = bcdDigits(options.address);
  let valve: 'open' | 'closed' = 'open';
  let isStuck = false;
  let isLow = false;
  let raw: readonly [number, number] | null = null;
  /** D1 D0: valve 00 open, 01 closed, 11 faulty; D2: battery low. */
  const status = () => Buffer.from(raw ?? [(isStuck ? 3 : valve === 'closed' ? 1 : 0) | (isLow ? 4 : 0), 0]);

  const turnValve = (to: number | undefined): boolean => {
    if (!hasValve || (to !== 0x55 && to !== 0x99)) return false;
    if (!isStuck) valve = to === 0x55 ? 'open' : 'closed';
    return true;
  };
  /** The identifier as printed, whichever way it came; null: not in this meter's order. */
  const identifier = (data: Buffer): string | null => {
    const sent = data.subarray(0, 2).toString('hex').toUpperCase();
    const turned = Buffer.from(data.subarray(0, 2)).reverse().toString('hex').toUpperCase();
    if (diOrder === '901F') return sent;
    if (diOrder === '1F90') return turned;
    return ['901F', '810A', 'A017'].includes(sent) ? sent : turned;
  };
  const answer = (control: number, data: Buffer): Buffer | null => {
    const head = data.subarray(0, 3);
    const di = identifier(data);
    if (control === 0x01 && di === '901F') {
      return Buffer.concat([head, reading(options), clockBytes(clock.now()), status()]);
    }
    if (control === 0x03 && di === '810A') return head;
    if (control === 0x04 && di === 'A017' && turnValve(data[3])) return Buffer.concat([head, status()]);
    return null;
  };

  return {
    name: options.address,
    protocol: 'cjt188',
    hear(frame) {
      const { type: wanted, address, control, data } = openCjt188(frame);
      const isWild = address.every((byte) => byte === wild);
      const isOwn = isWild ? control !== 0x04 : address.equals(own);
      if (!isOwn || (wanted !== type && wanted !== wild) || control >= 0x80) return null;
      const said = answer(control, data);
      // Refused: C + C0 with the serial number of the question and the status.
      if (said === null) return cjt188Frame(type, own, control | 0xc0, Buffer.concat([data.subarray(2, 3), status()]));
      return cjt188Frame(type, own, control | 0x80, said);
    },
    valve: () => valve,
    setStatus(next) {
      if (next.battery !== undefined) isLow = next.battery === 'low';
      if (next.valve !== undefined) isStuck = next.valve === 'stuck';
      raw = next.raw ?? raw;
    },
  };
}
