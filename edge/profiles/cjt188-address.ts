import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';

const schema = z.strictObject({
  /** Data identifier as printed; how it goes over the wire the profile's `bus.di_order` says. */
  di: z.string().regex(/^[0-9A-F]{4}$/),
  field: z.string(),
  /** First byte, counted behind DI (2 bytes) and SER (1 byte). */
  at: z.int().min(0),
  /** Bytes of the value, without the unit behind it. */
  length: z.int().min(1),
  format: z.enum(['bcd', 'status', 'time']),
  scale: z.number(),
  order: z.enum(['low', 'high']),
  /** A byte with the unit follows the value; it is converted to `unit`. */
  unitByte: z.boolean().optional(),
  /** UCUM code that the value is wanted in. */
  unit: z.string(),
  /** Of a status: lowest bit and how many; more than one bit is a word of `enum`. */
  bit: z.int().min(0).max(15).optional(),
  width: z.int().min(1).max(8).optional(),
  enum: z.record(z.string(), z.string()).optional(),
});

/** What `Point.address` holds for CJ/T 188: everything the driver needs and nobody else reads. */
export type Cjt188Address = z.infer<typeof schema>;

/** Throws PROFILE_ADDRESS naming the key that is wrong. */
export function parseCjt188Address(address: unknown): Cjt188Address {
  const result = schema.safeParse(address);
  if (!result.success) throw new CodedError('PROFILE_ADDRESS', describeIssues(result.error));
  return result.data;
}
