import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';

/* Shapes of clips between core and `broadcast`. */

const name = z.string().regex(slugPattern);

export const clipListingsSchema = z
  .array(z.strictObject({ name, file: z.string().regex(/^[0-9a-f]{64}\.wav$/), ahead: z.boolean() }))
  .max(4_096);

export const clipFactsSchema = z
  .array(
    z.strictObject({
      name,
      length: z.int().min(0).max(86_400_000).nullable(),
      problem: z.string().max(300).nullable(),
    }),
  )
  .max(8_192);
