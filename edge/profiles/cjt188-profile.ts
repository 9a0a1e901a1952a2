import { z } from 'zod';
import { duration } from '#edge/runtime/site.ts';
import { header, hex, meaning, serialLine, slug, values, vector, verified } from './profile-fields.ts';

/*
 * CJ/T 188-2004: one answer (DI 901F) holds everything a meter shows. Which byte is what follows from the type of meter
 * (10..1F and 30..3F: water, gas; 20..2F: heat, cold); makers who differ say `byte` and `length`.
 */

export const cjt188Fields = [
  'total',
  'settle',
  'energy',
  'power',
  'flow',
  'supply',
  'return',
  'hours',
  'time',
  'status',
] as const;

const cjt188Value = z.strictObject({
  ...meaning,
  at: z
    .enum(cjt188Fields)
    .describe(
      'total: volume; settle: at the settlement day; energy, power, flow, supply, return, hours: heat meters; time; status',
    ),
  byte: z.int().min(0).max(250).optional().describe('First byte behind DI and SER, where the maker differs'),
  length: z.int().min(1).max(16).optional().describe('Bytes without the unit, where the maker differs'),
  scale: z.number().positive().optional().describe('Where the maker differs from the standard'),
  unit_byte: z.boolean().optional().describe('A byte with the unit follows, where the maker differs'),
  bit: z.int().min(0).max(15).optional().describe('Of the status: bit 0 is the lowest of the first byte'),
  width: z.int().min(2).max(8).optional().describe('So many bits from `bit`; with `enum`'),
  enum: z.record(z.string().regex(/^\d+$/), slug).optional().describe('Number in these bits -> word'),
  verified: verified.optional(),
});

const bus = z
  .strictObject({
    type: z
      .int()
      .min(0x10)
      .max(0x4f)
      .describe('0x10 cold water, 0x11 hot water, 0x12 drinking, 0x13 reclaimed, 0x20 heat, 0x21 cold, 0x30 gas'),
    di: z
      .string('must be four hex digits in quotes')
      .regex(/^[0-9A-Fa-f]{4}$/, 'must be four hex digits in quotes such as "901F"')
      .transform((text) => text.toUpperCase())
      .default('901F'),
    di_order: z
      .enum(['1F90', '901F'])
      .default('1F90')
      .describe('How 901F goes over the wire: low byte first as in the standard, or as some makers send it'),
    value_order: z.enum(['low', 'high']).default('low').describe('Which byte of a number comes first'),
    preamble: z.int().min(0).max(4).default(4).describe('FE bytes ahead of a request'),
    pause: duration.prefault('0ms').describe('Least pause between two requests to this meter'),
    timeout: duration.optional().describe('Wait for an answer so long at least'),
    serial: serialLine.default('2400 8E1'),
  })
  .describe('The line and how this maker speaks');

const testVector = z.strictObject({
  ...vector,
  hex: hex.describe('Data of the answer behind DI and SER, as on the wire'),
});

export const cjt188Profile = z.strictObject({
  ...header,
  protocol: z.literal('cjt188'),
  bus,
  values: values(cjt188Value),
  test: z.array(testVector).min(1),
});

export type Cjt188Profile = z.infer<typeof cjt188Profile>;
export type Cjt188Value = Cjt188Profile['values'][string];
export type Cjt188Field = (typeof cjt188Fields)[number];
