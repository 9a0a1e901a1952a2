import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import { duration } from '#edge/runtime/site.ts';
import { isKnownUnit } from './units.ts';

/* What profiles of every protocol are made of. The descriptions are what an editor shows beside the cursor. */

export const name = z
  .strictObject({ zh: z.string().min(1), en: z.string().min(1) })
  .describe('In both languages: {zh: ..., en: ...}');
export const slug = z.string().regex(slugPattern, 'must be a slug: a-z, 0-9, _ or -, at most 63 characters');
export const value = z.union([z.number(), z.boolean(), z.string().max(256)]);
const unit = z
  .string()
  .refine(isKnownUnit, { error: (issue) => `unknown unit "${String(issue.input)}"` })
  .describe('As people write it (kWh, °C, %RH) or in UCUM');

/** A number, or one with a suffix: `40k`, `-1.5M`. */
export const amount = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(\.\d+)?[kM]$/, 'must be a number such as 40000 or 40k')
    .transform((text) => Number(text.slice(0, -1)) * (text.endsWith('k') ? 1e3 : 1e6)),
]);
export const span = z.tuple([amount, amount]).refine(([low, high]) => low <= high, 'must be [low, high]');
export const percent = z
  .string()
  .regex(/^\d+(\.\d+)?%$/, 'must be a percentage such as 3%')
  .transform((text) => Number(text.slice(0, -1)) / 100);

export const verified = z
  .enum(['two-sources', 'one-source'])
  .describe('How many independent sources agree on address, encoding and scale');

const counter = z
  .strictObject({
    wrap: amount.optional().describe('Value at which it starts again at 0: the first one it cannot show'),
    max_rate: z
      .union([z.number().positive(), z.string()])
      .optional()
      .describe('Fastest believable rise: a number in the unit per hour, or a power or flow such as 120kW or 5m³/h'),
    reset: z
      .literal('ask')
      .optional()
      .describe('What a counter that shows 0 or less than before means: a person decides. There is no other choice.'),
  })
  .describe('It only ever rises; any other course is uncertain until it is decided');

/** What a value means, whatever protocol brings it. */
export const meaning = {
  label: name.optional(),
  unit: unit.optional(),
  range: span.optional().describe('Believable values; outside it is uncertain, never dropped'),
  deadband: amount.optional().describe('A smaller change is not stored or published again'),
  optional: z
    .literal(true)
    .optional()
    .describe('Not every device of the model has it: until it is heard for the first time nobody misses it'),
  stale: duration
    .optional()
    .describe(
      'Silence after which it is only the last usable value. Default 2.5 polls, at least 10 s; never for watch',
    ),
  poll: z
    .enum(['fast', 'normal', 'slow', 'once', 'watch'])
    .optional()
    .describe('A class; the site file says how many seconds it lasts'),
  counter: counter.optional(),
};

const verify = {
  after: duration.optional().describe('Read back so long after the write; default 200ms'),
  within: duration.optional().describe('It must have happened by then; default 2s'),
  retry: z.int().min(0).max(3).optional().describe('Writes again at most so often; default 1'),
};

/** `verify` may be wider for a protocol that can read the state elsewhere. */
export const writeWith = <T extends z.ZodType>(verifyShape: T) => ({
  range: span.optional(),
  step: z.number().positive().optional(),
  verify: verifyShape.optional(),
  min_gap: duration.optional().describe('Least pause between two writes'),
  fail_safe: value.default('keep').describe('What the output does when nobody holds it: keep, or this value'),
  min_on: duration
    .optional()
    .describe('Once on it stays so for so long: compressors, pumps, lamps that must cool. Life safety does not wait'),
  min_off: duration.optional().describe('Once off it stays so for so long'),
  max_per_hour: z
    .int()
    .min(1)
    .max(3_600)
    .optional()
    .describe('Switchings within any hour, for contacts that wear. Safety does not count'),
  local_override: duration
    .optional()
    .describe('For how long a switch turned on the device itself is respected; 0s, as without it: it is put back'),
  momentary: z.literal(true).optional().describe('A push button: it is pressed, never held'),
});

export const write = writeWith(z.strictObject(verify));
export const verifyFields = verify;

export const hex = z
  .string()
  .regex(/^[0-9a-fA-F]{2}(\s*[0-9a-fA-F]{2})*$/, 'must be bytes in hex, quoted, such as "43 66 33 33"');

/** Raw bytes and what they mean. */
export const vector = {
  value: slug.describe('Name of a value after expansion: voltage_l1, relay_8'),
  is: value.nullable().describe('What it means; null: no value'),
  quality: z.enum(['good', 'uncertain', 'bad']).default('good'),
};

export const serialLine = z
  .string()
  .regex(/^\d{3,6} [78][NEO][12]$/, 'must be such as 9600 8N1')
  .describe('Factory setting of its line, e.g. 9600 8N1');

export const header = {
  profile: z.string().regex(slugPattern, 'must be a slug').describe('The name of the file without its ending'),
  name,
  kind: z
    .string()
    .regex(/^[a-z][a-z_]{1,30}$/, 'must be one word such as meter, relay, camera, speaker or sensor')
    .describe('What it is: meter, relay, ac, inverter, water, heat, sensor, camera, speaker ...'),
  source: z.array(z.string().min(1)).default([]).describe("Where the facts come from: manuals, other projects' maps"),
};

export function values<T extends z.ZodType>(one: T) {
  return z.record(slug, one).refine((all) => Object.keys(all).length > 0, 'must have at least one value');
}
