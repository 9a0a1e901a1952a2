import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues, duration } from '#edge/runtime/site.ts';

/*
 * How a meter on a slow line is reached: a serial port of this machine, or a serial server in front of the line. What is not said
 * of the line (baud, parity) is what the profile says the meters come with.
 */

const host = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[^\s/]+$/, 'must be a host name or an address');
const baud = z.int().min(300).max(1_000_000).optional();

const serial = z.strictObject({
  path: z.string().min(1),
  baud,
  dataBits: z.union([z.literal(7), z.literal(8)]).optional(),
  parity: z.enum(['none', 'even', 'odd']).optional(),
  stopBits: z.union([z.literal(1), z.literal(2)]).optional(),
});
/** `baud` of the line behind the server: how long an answer takes on it. */
const tcp = z.strictObject({ host, port: z.int().min(1).max(65_535), baud });

/** Keys that every meter's address has besides its way. */
const timing = {
  /** How long the meter may think; the time that the bytes take on the line comes on top. */
  timeout: duration.optional(),
  /** After a timeout the meter is not asked again for so long: a late answer must not stand for the next one. */
  lateWindow: duration.default(1_000),
};

/** The schemas of `device.address` of a protocol: by serial port, and by TCP. */
export function meterAddress<T extends z.ZodRawShape>(own: T) {
  return {
    serial: z.strictObject({ serial, ...timing, ...own }),
    tcp: z.strictObject({ tcp, ...timing, ...own }),
  };
}

export type MeterWay = { readonly serial: z.infer<typeof serial> } | { readonly tcp: z.infer<typeof tcp> };

/** Throws DEVICE_CONFIG with one line per mistake, each naming its key (`address.serial.path: ...`). */
export function parseMeterAddress<S, T>(schemas: { serial: z.ZodType<S>; tcp: z.ZodType<T> }, input: unknown): S | T {
  const ways = (['serial', 'tcp'] as const).filter(
    (way) => typeof input === 'object' && input !== null && way in input,
  );
  const [way] = ways;
  if (way === undefined || ways.length > 1) {
    throw new CodedError('DEVICE_CONFIG', 'address: must have exactly one of serial and tcp');
  }
  const result = schemas[way].safeParse(input);
  if (result.success) return result.data;
  const lines = describeIssues(result.error).split('\n');
  throw new CodedError('DEVICE_CONFIG', lines.map((line) => `address.${line}`).join('\n'));
}

export interface LineShape {
  readonly baud: number;
  readonly dataBits: 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
}

/** What the profile says of the line, e.g. `2400 8E1`, with what the site says instead. */
export function lineOf(way: MeterWay, factory: string): LineShape {
  const [, baudText = '2400', bits, letter = 'E', stops] = /^(\d+) ([78])([NEO])([12])$/.exec(factory) ?? [];
  const own: z.infer<typeof serial> = 'serial' in way ? way.serial : { path: '', baud: way.tcp.baud };
  return {
    baud: own.baud ?? Number(baudText),
    dataBits: own.dataBits ?? (bits === '7' ? 7 : 8),
    parity: own.parity ?? (letter === 'N' ? 'none' : letter === 'O' ? 'odd' : 'even'),
    stopBits: own.stopBits ?? (stops === '2' ? 2 : 1),
  };
}

/** The devices of each line of one protocol. One that is asked as "whoever is there" must be alone, or answers collide. */
export class Tenants {
  readonly #lines = new Map<string, Map<string, { readonly isAnybody: boolean }>>();

  /** Returns how to leave. Throws DEVICE_CONFIG naming the device that is there. */
  enter(line: string, device: string, isAnybody: boolean): () => void {
    const there = this.#lines.get(line) ?? new Map<string, { readonly isAnybody: boolean }>();
    for (const [other, known] of there) {
      if (other === device || !(isAnybody || known.isAnybody)) continue;
      throw new CodedError(
        'DEVICE_CONFIG',
        `address.meter: only a meter alone on its line can be asked without its number, and ${other} is there too`,
      );
    }
    const tenant = { isAnybody };
    there.set(device, tenant);
    this.#lines.set(line, there);
    return () => {
      if (there.get(device) === tenant) there.delete(device);
      if (there.size === 0 && this.#lines.get(line) === there) this.#lines.delete(line);
    };
  }
}
