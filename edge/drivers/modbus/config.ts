import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues, duration } from '#edge/runtime/site.ts';

const host = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[^\s/]+$/, 'must be a host name or an address');
const tcp = z.strictObject({ host, port: z.int().min(1).max(65_535).default(502) });
const baud = z.int().min(300).max(1_000_000);

const shared = {
  /** How long one request may take. A serial line at 9600 needs 150 ms for 60 registers before the device thinks. */
  timeout: duration.default(1_000),
  /** RTU only: after a timeout the unit is not asked again for so long, because a late answer cannot be told from the next. */
  lateWindow: duration.default(1_000),
  /** Which of the maps of its profile the device has, where the profile's own checks cannot tell. */
  variant: z.string().min(1).max(64).optional(),
};
/** 248..255 are reserved on a serial line; over TCP 255 and 0 address the device itself. */
const rtuUnit = z.int().min(0, 'must be 1..247 (0 is broadcast)').max(247, 'must be 1..247');

const schema = z.union([
  z.strictObject({ tcp, unit: z.int().min(0).max(255).default(1), ...shared }),
  z.strictObject({
    rtuOverTcp: tcp.extend({
      /** Speed of the line behind the gateway; decides what a gap between registers costs. */
      baud: baud.default(9600),
    }),
    unit: rtuUnit,
    ...shared,
  }),
  z.strictObject({
    serial: z.strictObject({
      path: z.string().min(1),
      baud: baud.default(9600),
      dataBits: z.union([z.literal(7), z.literal(8)]).default(8),
      parity: z.enum(['none', 'even', 'odd']).default('none'),
      stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
    }),
    unit: rtuUnit,
    ...shared,
  }),
]);

/** `{tcp: {host, port}, unit}`, `{rtuOverTcp: {host, port}, unit}` or `{serial: {path, baud, ...}, unit}`. */
export type ModbusConfig = z.infer<typeof schema>;

const ways = ['tcp', 'rtuOverTcp', 'serial'] as const;

/** Throws DEVICE_CONFIG with one line per mistake, each naming its key (`address.tcp.port: ...`). */
export function parseModbusConfig(input: unknown): ModbusConfig {
  const given = ways.filter((way) => typeof input === 'object' && input !== null && way in input);
  const index = given.length === 1 ? ways.indexOf(given[0] ?? 'tcp') : -1;
  const option = schema.options[index];
  if (option === undefined) {
    throw new CodedError('DEVICE_CONFIG', 'address: must have exactly one of tcp, rtuOverTcp and serial');
  }
  const result = option.safeParse(input);
  if (result.success) return result.data;
  const lines = describeIssues(result.error).split('\n');
  throw new CodedError('DEVICE_CONFIG', lines.map((line) => `address.${line}`).join('\n'));
}
