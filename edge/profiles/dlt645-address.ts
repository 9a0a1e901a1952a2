import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';

const identifier = z.string().regex(/^[0-9A-F]{8}$/);

const schema = z.strictObject({
  /** Data identifier, DI3 DI2 DI1 DI0 as printed; on the wire DI0 goes first. */
  di: identifier,
  /** Bytes of the value. */
  length: z.int().min(1).max(200),
  format: z.enum(['bcd', 'digits', 'text', 'bits', 'time']),
  scale: z.number(),
  /** The top bit of the highest byte is a minus. */
  signed: z.boolean(),
  /** Of a status word, 0 is the lowest: the value is a boolean. */
  bit: z.int().min(0).max(63).optional(),
  /** The bit is set where the value is false. */
  invert: z.literal(true).optional(),
  /** Where the data of its own identifier hold more than the value: its first byte, and all of them. */
  part: z.strictObject({ offset: z.int().min(0), length: z.int().min(1) }).optional(),
  /** The same value within the data of another identifier: its first byte there, and the fewest bytes these data may have. */
  block: z.strictObject({ di: identifier, offset: z.int().min(0), length: z.int().min(1) }).optional(),
  /** Data in hex, highest byte first, by which the meter says "no value". */
  invalid: z.array(z.string()).optional(),
  /** Control code 1C: first byte of what closes and what opens, and how long the command is good for, ms. */
  write: z
    .strictObject({ command: z.literal('relay'), on: z.int(), off: z.int(), expiry: z.int().min(1_000) })
    .optional(),
});

/** What `Point.address` holds for DL/T 645: everything the driver needs and nobody else reads. */
export type Dlt645Address = z.infer<typeof schema>;

/** Throws PROFILE_ADDRESS naming the key that is wrong. */
export function parseDlt645Address(address: unknown): Dlt645Address {
  const result = schema.safeParse(address);
  if (!result.success) throw new CodedError('PROFILE_ADDRESS', describeIssues(result.error));
  return result.data;
}
