import { z } from 'zod';
import { duration } from '#edge/runtime/site.ts';
import {
  amount,
  header,
  hex,
  meaning,
  name,
  percent,
  serialLine,
  slug,
  span,
  value,
  values,
  vector,
  verified,
  verifyFields,
  writeWith,
} from './profile-fields.ts';

/* A Modbus profile. `at` is always where the manual and the wire agree: 0-based unless the header says `base: 1`. */

const registerAddress = z.int().min(0).max(65_536);
const table = z.enum(['coil', 'discrete', 'holding', 'input']).describe('Which of the four tables');
const order = z
  .enum(['ABCD', 'CDAB', 'BADC', 'DCBA'])
  .describe('Where the most significant byte A of 32 bits travels; 64 bits alike over four words');
const encoding = z
  .string()
  .regex(
    /^(u16|s16|u32|s32|u64|s64|f32|f64|bool|bits|bits32|bcd|bcd32|sunssf|str\(([1-9]|[1-9]\d|1[01]\d|12[0-5])\))$/,
    'must be one of u16 s16 u32 s32 u64 s64 f32 f64 bool bits bits32 bcd bcd32 sunssf str(<registers>)',
  )
  .describe('u16 s16 u32 s32 u64 s64 f32 f64 bool bits bits32 bcd bcd32 sunssf str(<registers>)');
const bitPattern = z.union([
  z.int().min(0),
  z.string().regex(/^0x[0-9a-fA-F]{1,16}$/, 'must be a number or a text such as "0x8000000000000000"'),
]);
const models = z
  .array(z.int().min(1).max(65_534))
  .min(1)
  .max(8)
  .describe('SunSpec models that have it, the first found; `at` then counts from the register with the model id');

/** Where a register is and how its bytes become a value. */
const place = {
  at: registerAddress.describe('0-based address on the wire (or base 1, see bus.base)'),
  fc: table.optional(),
  as: encoding.optional(),
  order: order.optional(),
  scale: z.number().optional().describe('Raw number times this'),
  offset: z.number().optional().describe('Added after scaling'),
  encode: z
    .literal('pf4q')
    .optional()
    .describe('Power factor over four quadrants: beyond 1 it leads and means 2 - |v| (Schneider)'),
  invalid: z
    .union([bitPattern, z.array(bitPattern).max(16)])
    .optional()
    .describe('Raw patterns by which the device says "no value": bad, never a number'),
  model: models.optional(),
};

const scaleFrom = z
  .union([slug, z.array(slug).min(1).max(4)])
  .describe(
    'Values or factors of this device by whose product it is multiplied: a SunSpec scale factor, CT and PT ratio',
  );

const modbusWrite = {
  ...writeWith(
    z.strictObject({
      ...verifyFields,
      read: slug.optional().describe('Read back this value instead of what was written'),
    }),
  ),
  fc: z.union([z.literal(5), z.literal(6), z.literal(15), z.literal(16)]).optional(),
  boot: z
    .enum(['keep', 'off'])
    .default('keep')
    .describe('What the device does with it when its own power returns: what it was before, or off'),
  forbidden: z.array(value).min(1).optional().describe('Never written, although the device would take it'),
};

const modbusValue = z.strictObject({
  ...meaning,
  ...place,
  verified: verified.optional(),
  scale_from: scaleFrom.optional(),
  text: z.literal(true).optional().describe('A number that is a name (serial number): text, with all its digits'),
  enum: z
    .record(z.string().regex(/^-?\d+$/), slug)
    .optional()
    .describe('Raw number -> word; the value is then text'),
  bits: z
    .record(z.string().regex(/^([12]?\d|3[01])$/), slug)
    .optional()
    .describe('Bit number -> point name; with as: bits or bits32'),
  bit: z.int().min(0).max(15).optional().describe('One bit of a register as a boolean; with as: bool on registers'),
  phases: z
    .literal(3)
    .optional()
    .describe('Three values in a row, named <name>_l1 .. _l3 (power_l -> power_l1 .. power_l3)'),
  count: z.int().min(2).max(256).optional().describe('So many values in a row, named <name>_1 .. _n'),
  stride: z.int().min(1).optional().describe('Registers (or coils) from one to the next; default: their own length'),
  read_block: z
    .tuple([registerAddress, z.int().min(1).max(2000)])
    .optional()
    .describe('Always read this whole block [at, count]: several clones cannot read a part'),
  write: z.strictObject(modbusWrite).optional(),
});

/** Read for its own sake: a name plate, a ratio, the register that tells two variants apart. */
const read = z.strictObject(place);

const check = z.union([
  z.strictObject({ value: slug, in: span }),
  /** The sum of the values is within a share of another (or within `floor`, in its unit, when that is more). */
  z.strictObject({ sum: z.array(slug).min(2), near: slug, within: percent, floor: amount.default(0) }),
  z
    .strictObject({
      read,
      is: z.array(value).min(1).max(64).optional().describe('It must say one of these: a type code, a name'),
      in: span.optional().describe('It must lie between these'),
      save: z.literal('serial').optional().describe('Becomes the point `serial`: another one means another meter'),
    })
    .describe('A name plate: asked before the first value'),
  z.strictObject({ model: models }).describe('The device has one of these SunSpec models'),
]);

/** What a variant says otherwise of a value: where it is, never what it means. */
const variantValue = z.strictObject({
  ...place,
  at: registerAddress.optional(),
  verified: verified.optional(),
  scale_from: z.union([scaleFrom, z.null()]).optional(),
  stride: z.int().min(1).optional(),
});

const variant = z
  .strictObject({
    variant: slug.describe('Name by which a site pins it: address: { variant: ... }'),
    name,
    check: z.array(check).min(1).describe('The first variant all of whose checks pass is what the device is'),
    values: z
      .record(slug, variantValue.nullable())
      .describe('What is elsewhere in this variant; null: it does not have that value'),
  })
  .describe('Products with one name and several maps');

const bus = z
  .strictObject({
    fc: table.default('holding'),
    order: order.default('ABCD'),
    base: z
      .union([z.literal(0), z.literal(1)])
      .default(0)
      .describe('1 for manuals that count registers from 1'),
    max: z.int().min(1).max(125).default(125).describe('Most registers one read may ask for'),
    gap: z
      .union([z.literal('auto'), z.int().min(0).max(124)])
      .default('auto')
      .describe('Unasked registers worth reading through: auto decides by cost, a number is a limit'),
    barriers: z
      .array(registerAddress)
      .max(64)
      .default([])
      .describe('No read may run from below one of these addresses over it'),
    pause: duration.prefault('0ms').describe('Least pause between two requests to this device'),
    after_connect: duration.prefault('0ms').describe('Pause after connecting, before the first request'),
    timeout: duration.optional().describe('Wait for an answer so long at least, for devices slower than usual'),
    sunspec: z
      .array(registerAddress)
      .min(1)
      .max(8)
      .optional()
      .describe(
        'Where the marker SunS may be, in the order to try; values with `model` are found by walking from there',
      ),
    serial: serialLine.optional(),
  })
  .prefault({});

/** For a coil `hex` are the bytes of its `read_block`. */
const testVector = z.strictObject({
  ...vector,
  hex: hex.describe('Bytes of the registers as they come over the wire'),
  factor: z.number().optional().describe('Product of what scale_from names'),
  variant: slug.optional().describe('As this variant has it'),
  write: z.boolean().default(false).describe('Also encode `is` and expect the same bytes'),
});

export const modbusProfile = z.strictObject({
  ...header,
  protocol: z.literal('modbus'),
  bus,
  factors: z
    .record(slug, z.strictObject({ ...place, verified: verified.optional() }))
    .default({})
    .describe('Registers that are no values but scale some (scale_from): CT ratio, sunssf'),
  check: z.array(check).default([]).describe('Until these pass no value is good'),
  variants: z.array(variant).min(2).max(8).optional(),
  values: values(modbusValue),
  test: z.array(testVector).min(1).describe('Raw bytes and what they mean: every encoding, a negative, an invalid'),
});

export type ModbusProfile = z.infer<typeof modbusProfile>;
export type ModbusValue = ModbusProfile['values'][string];
export type ModbusPlace = z.infer<typeof read>;
export type ModbusVariant = z.infer<typeof variant>;
export type ProfileCheck = z.infer<typeof check>;
export type TestVector = z.infer<typeof testVector>;
