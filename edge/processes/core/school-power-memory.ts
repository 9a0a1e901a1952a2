import { z } from 'zod';
import { type PointRef, splitPointRef } from '#edge/domain/ids.ts';
import type { KeptPower } from './school-power.ts';

const time = z.number();
const schema = z.strictObject({
  memory: z.strictObject({
    on: z.boolean().nullable(),
    since: time,
    lastOccupied: time.nullable(),
    run: z.strictObject({ due: time, from: time, temperature: z.number().nullable() }).nullable(),
    runs: z.array(z.strictObject({ gap: z.number(), pace: z.number() })).max(50),
  }),
  refs: z.array(
    z
      .string()
      .refine((ref) => splitPointRef(ref) !== null)
      .transform((ref) => ref as PointRef),
  ),
});

/** What was written at the last stop. A circuit whose part of it is not as it should be begins anew. */
export function readPowerMemories(stored: unknown): Map<string, KeptPower> {
  const found = new Map<string, KeptPower>();
  if (typeof stored !== 'object' || stored === null) return found;
  for (const [id, one] of Object.entries(stored)) {
    const read = schema.safeParse(one);
    if (read.success) found.set(id, read.data);
  }
  return found;
}
