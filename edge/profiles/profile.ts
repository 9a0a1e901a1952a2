import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import { duration } from '#edge/runtime/site.ts';
import { isKnownUnit } from './units.ts';

/*
 * The profile file: one product, no site data. Strict: an unknown key is an error with its path.
 * `at` is always where the manual and the wire agree: 0-based unless the header says `base: 1`.
 */

const name = z.strictObject({ zh: z.string().min(1), en: z.string().min(1) });
const slug = z.string().regex(slugPattern, 'must be a slug: a-z, 0-9, _ or -, at most 63 characters');
const value = z.union([z.number(), z.boolean(), z.string().max(256)]);
const unit = z.string().refine(isKnownUnit, { error: (issue) => `unknown unit "${String(issue.input)}"` });

/** A number, or one with a suffix: `40k`, `-1.5M`. */
const amount = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(\.\d+)?[kM]$/, 'must be a number such as 40000 or 40k')
    .transform((text) => Number(text.slice(0, -1)) * (text.endsWith('k') ? 1e3 : 1e6)),
]);
const span = z.tuple([amount, amount]).refine(([low, high]) => low <= high, 'must be [low, high]');
const percent = z
  .string()
  .regex(/^\d+(\.\d+)?%$/, 'must be a percentage such as 3%')
  .transform((text) => Number(text.slice(0, -1)) / 100);

/** What a value means, whatever protocol brings it. */
const meaning = {
  label: name.optional(),
  unit: unit.optional(),
  range: span.optional(),
  deadband: amount.optional(),
  /** Not every device of this model has it: until it is heard for the first time nobody misses it. */
  optional: z.literal(true).optional(),
  /** Silence after which it is only the last usable value. Default 2.5 polls, at least 10 s; never for `watch`. */
  stale: duration.optional(),
  poll: z.enum(['fast', 'normal', 'slow', 'once', 'watch']).optional(),
  counter: z
    .strictObject({
      /** Value at which the meter starts again at 0. */
      wrap: amount.optional(),
      /** Fastest believable rise: a number in the point's unit per hour, or a power such as `120kW`. */
      max_rate: z.union([z.number().positive(), z.string()]).optional(),
    })
    .optional(),
};

const write = {
  range: span.optional(),
  step: z.number().positive().optional(),
  verify: z
    .strictObject({ after: duration.optional(), within: duration.optional(), retry: z.int().min(0).max(3).optional() })
    .optional(),
  /** Least pause between two writes. */
  min_gap: duration.optional(),
  /** What the output does when nobody holds it. */
  fail_safe: value.default('keep'),
  /** Once on (off) it stays so for so long: compressors, pumps, lamps that must cool. Life safety does not wait. */
  min_on: duration.optional(),
  min_off: duration.optional(),
  /** Switchings within any hour, for contacts that wear. Safety does not count. */
  max_per_hour: z.int().min(1).max(3_600).optional(),
  /** For how long a switch turned on the device itself is respected; 0s, as without it: it is put back. */
  local_override: duration.optional(),
  /** A push button (the picture of a camera): it is pressed, never held. */
  momentary: z.literal(true).optional(),
};

const registerAddress = z.int().min(0).max(65_536);
const table = z.enum(['coil', 'discrete', 'holding', 'input']);
const order = z.enum(['ABCD', 'CDAB', 'BADC', 'DCBA']);
const encoding = z
  .string()
  .regex(
    /^(u16|s16|u32|s32|u64|s64|f32|f64|bool|bits|bcd|bcd32|str\(([1-9]|[1-9]\d|1[01]\d|12[0-5])\))$/,
    'must be one of u16 s16 u32 s32 u64 s64 f32 f64 bool bits bcd bcd32 str(<registers>)',
  );
const bitPattern = z.union([
  z.int().min(0),
  z.string().regex(/^0x[0-9a-fA-F]{1,16}$/, 'must be a number or a text such as "0x8000000000000000"'),
]);

const modbusValue = z.strictObject({
  ...meaning,
  at: registerAddress,
  fc: table.optional(),
  as: encoding.optional(),
  order: order.optional(),
  scale: z.number().optional(),
  offset: z.number().optional(),
  /** Raw number -> word; the value is then text. */
  enum: z.record(z.string().regex(/^-?\d+$/), slug).optional(),
  /** Bit number -> point name; `as: bits` only. */
  bits: z.record(z.string().regex(/^([0-9]|1[0-5])$/), slug).optional(),
  /** One bit of a register as a boolean; `as: bool` on registers only. */
  bit: z.int().min(0).max(15).optional(),
  /** Raw patterns by which the device says "no value". */
  invalid: z.union([bitPattern, z.array(bitPattern).min(1)]).optional(),
  /** Three values in a row, named <name>_l1 .. _l3 (`power_l` -> power_l1 .. power_l3). */
  phases: z.literal(3).optional(),
  /** So many values in a row, named <name>_1 .. _n. */
  count: z.int().min(2).max(256).optional(),
  /** Registers (or coils) from one of them to the next; default: their own length. */
  stride: z.int().min(1).optional(),
  /** Always read this whole block [at, count]: several clones cannot read a part (home-assistant/core#61043). */
  read_block: z.tuple([registerAddress, z.int().min(1).max(2000)]).optional(),
  write: z
    .strictObject({ ...write, fc: z.union([z.literal(5), z.literal(6), z.literal(15), z.literal(16)]).optional() })
    .optional(),
});

const check = z.union([
  z.strictObject({ value: slug, in: span }),
  /** The sum of the values is within a share of another (or within `floor`, in its unit, when that is more). */
  z.strictObject({ sum: z.array(slug).min(2), near: slug, within: percent, floor: amount.default(0) }),
]);

const hex = z
  .string()
  .regex(/^[0-9a-fA-F]{2}(\s*[0-9a-fA-F]{2})*$/, 'must be bytes in hex, quoted, such as "43 66 33 33"');

/** Raw bytes and what they mean. For a coil they are the bytes of its `read_block`. */
const testVector = z.strictObject({
  value: slug,
  hex,
  is: value.nullable(),
  quality: z.enum(['good', 'uncertain', 'bad']).default('good'),
  /** Also encode `is` and expect the same bytes. */
  write: z.boolean().default(false),
});

const foreignValue = z.strictObject({
  ...meaning,
  at: z.string().min(1).max(256),
  type: z.enum(['number', 'boolean', 'text']).default('number'),
  /** What the device says -> what it means, e.g. `{online: true, offline: false}`. */
  map: z.record(z.string(), value).optional(),
  scale: z.number().optional(),
  offset: z.number().optional(),
  write: z.strictObject(write).optional(),
});

/** `1.3.6.1.2.1.1.3.0`: a scalar with its .0, a column of a table without an index. */
const oid = z
  .string()
  .regex(/^[012](\.(0|[1-9]\d{0,9})){2,60}$/, 'must be an OID in numbers such as 1.3.6.1.2.1.1.3.0');

const snmpValue = z.strictObject({
  ...meaning,
  at: oid,
  /** Rows of a table: `interface` by ifIndex (RFC 2863), `poe` by group and port (RFC 3621); the site says where they start. */
  rows: z.enum(['interface', 'poe']).optional(),
  /** So many rows, named <name>_1 .. _n. */
  count: z.int().min(1).max(128).optional(),
  type: z.enum(['number', 'boolean', 'text']).default('number'),
  /** What the agent says -> what it means, e.g. `{1: true, 2: false}`. */
  map: z.record(z.string(), value).optional(),
  scale: z.number().optional(),
  offset: z.number().optional(),
  /** A counter of 32 or 64 bits as what it rises by in a second (then scaled). */
  rate: z.literal(true).optional(),
  write: z.strictObject(write).optional(),
});

const header = {
  profile: z.string().regex(slugPattern, 'must be a slug'),
  name,
  kind: z.string().regex(/^[a-z][a-z_]{1,30}$/, 'must be one word such as meter, relay, camera, speaker or sensor'),
  /** Where the facts come from: manuals, other projects' maps. */
  source: z.array(z.string().min(1)).default([]),
};

function values<T extends z.ZodType>(one: T) {
  return z.record(slug, one).refine((all) => Object.keys(all).length > 0, 'must have at least one value');
}

const foreign = { ...header, values: values(foreignValue) };

export const profileSchema = z.discriminatedUnion('protocol', [
  z.strictObject({
    ...header,
    protocol: z.literal('modbus'),
    bus: z
      .strictObject({
        fc: table.default('holding'),
        order: order.default('ABCD'),
        /** Manuals that count registers from 1 say `base: 1`. */
        base: z.union([z.literal(0), z.literal(1)]).default(0),
        /** Most registers one read may ask for. */
        max: z.int().min(1).max(125).default(125),
        /** Unasked registers worth reading through: `auto` decides by cost, a number is a limit. */
        gap: z.union([z.literal('auto'), z.int().min(0).max(124)]).default('auto'),
        /** Least pause between two requests to this device. */
        pause: duration.prefault('0ms'),
        /** Factory setting of its line, e.g. `9600 8N1`. */
        serial: z
          .string()
          .regex(/^\d{3,6} [78][NEO][12]$/, 'must be such as 9600 8N1')
          .optional(),
      })
      .prefault({}),
    check: z.array(check).default([]),
    values: values(modbusValue),
    test: z.array(testVector).min(1),
  }),
  z.strictObject({ ...foreign, protocol: z.literal('onvif') }),
  z.strictObject({ ...foreign, protocol: z.literal('broadcast') }),
  z.strictObject({ ...foreign, protocol: z.literal('mqtt') }),
  z.strictObject({ ...foreign, protocol: z.literal('ping') }),
  z.strictObject({ ...header, protocol: z.literal('snmp'), values: values(snmpValue) }),
]);

export type Profile = z.infer<typeof profileSchema>;
export type ModbusProfile = Extract<Profile, { protocol: 'modbus' }>;
export type ModbusValue = ModbusProfile['values'][string];
export type ForeignValue = z.infer<typeof foreignValue>;
export type SnmpProfile = Extract<Profile, { protocol: 'snmp' }>;
export type SnmpValue = z.infer<typeof snmpValue>;
export type ProfileCheck = z.infer<typeof check>;
export type TestVector = z.infer<typeof testVector>;
