import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/*
 * `<data>/restored.json`: this folder came from a back-up and core has not started on it yet. Core then counts anew
 * towards the city, says so in the audit, and takes the mark away.
 */

export const restoredMark = 'restored.json';

const schema = z.strictObject({
  version: z.literal(1),
  /** When the back-up was made, and when it was restored; ms since epoch. */
  time: z.number(),
  restored: z.number(),
  auditHead: z.string().nullable(),
});
export type RestoredMark = Omit<z.infer<typeof schema>, 'version'>;

/** null: there is no such mark, or nobody can read it. */
export function readRestoredMark(data: string): RestoredMark | null {
  try {
    const { version: _, ...mark } = schema.parse(JSON.parse(readFileSync(join(data, restoredMark), 'utf8')));
    return mark;
  } catch {
    return null;
  }
}

export function removeRestoredMark(data: string): void {
  rmSync(join(data, restoredMark), { force: true });
}
