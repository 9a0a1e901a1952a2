import { z } from 'zod';
import { duration } from '#edge/runtime/site.ts';
import { header, hex, meaning, serialLine, slug, values, vector, verified, write } from './profile-fields.ts';

/* DL/T 645-2007: each value has a data identifier DI3 DI2 DI1 DI0; its data come low byte first, 33H taken off by the driver. */

const di = z
  .string('must be eight hex digits in quotes such as "00010000"')
  .regex(/^[0-9A-Fa-f]{8}$/, 'must be eight hex digits in quotes such as "00010000"')
  .transform((text) => text.toUpperCase())
  .describe('DI3 DI2 DI1 DI0 as the standard prints them, in quotes: "00010000"');

const dlt645Value = z.strictObject({
  ...meaning,
  at: di,
  length: z.int().min(1).max(200).optional().describe('Bytes of this value; default 4'),
  as: z
    .enum(['bcd', 'digits', 'text', 'bits', 'time'])
    .optional()
    .describe(
      'bcd: a number; digits: BCD that is a name, as text; text: ASCII; bits: a status word; time: a date or time',
    ),
  scale: z.number().positive().optional().describe('0.01 for XXXXXX.XX'),
  signed: z.boolean().optional().describe('The top bit of the highest byte is a minus'),
  byte: z.int().min(0).max(199).optional().describe('Begins at this byte of the data; default 0'),
  data: z
    .int()
    .min(1)
    .max(200)
    .optional()
    .describe('Bytes the identifier has in all, when they are more than this value'),
  bit: z.int().min(0).max(63).optional().describe('One bit of a status word as a boolean; with as: bits'),
  bits: z
    .record(z.string().regex(/^([1-5]?\d|6[0-3])$/), slug)
    .optional()
    .describe('Bit number -> point name; with as: bits'),
  invert: z.literal(true).optional().describe('The bit is set where the value is false'),
  block: di.optional().describe('Identifier whose data hold this value too: one request for many'),
  index: z.int().min(0).max(63).optional().describe('Which of the equally long values of the block; default 0'),
  phases: z.literal(3).optional().describe('_l1 .. _l3: DI1 and index rise by one'),
  invalid: z.array(hex).min(1).optional().describe('Data, highest byte first, by which the meter says "no value"'),
  verified: verified.optional(),
  write: z
    .strictObject({
      ...write,
      command: z.literal('relay').describe('Control code 1C'),
      on: z.enum(['1B', '1C']).default('1B').describe('1B: closing allowed (by hand at the meter), 1C: closes at once'),
      off: z.literal('1A').default('1A'),
      expiry: duration.prefault('5min').describe('The meter drops a command that reaches it later'),
    })
    .optional(),
});

const bus = z
  .strictObject({
    version: z.literal(2007).default(2007),
    address: z
      .enum(['given', 'read'])
      .default('given')
      .describe('given: the site says the meter number; read: ask for it (only one meter on the line)'),
    preamble: z.int().min(0).max(4).default(4).describe('FE bytes ahead of a request'),
    block: z.boolean().default(true).describe('The meter answers block identifiers (with FF)'),
    pause: duration.prefault('0ms').describe('Least pause between two requests to this meter'),
    timeout: duration.optional().describe('Wait for an answer so long at least'),
    serial: serialLine.default('2400 8E1'),
  })
  .prefault({});

const testVector = z.strictObject({
  ...vector,
  hex: hex.describe('Data behind the identifier as on the wire, low byte first, 33H taken off'),
  block: z.boolean().default(false).describe('`hex` is the data of the block'),
});

export const dlt645Profile = z.strictObject({
  ...header,
  protocol: z.literal('dlt645'),
  bus,
  values: values(dlt645Value),
  test: z.array(testVector).min(1),
});

export type Dlt645Profile = z.infer<typeof dlt645Profile>;
export type Dlt645Value = Dlt645Profile['values'][string];
export type Dlt645Vector = z.infer<typeof testVector>;
