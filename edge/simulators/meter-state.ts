import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { codeOf } from '#edge/runtime/errors.ts';

/*
 * Meters on a wall go on counting while nobody reads them, and are where they were when somebody does again. So are those of the
 * demo: a start of it that showed less than the one before would be a swapped meter to whoever keeps the history.
 */

const whole = z.string().regex(/^-?\d{1,30}$/);
const counter = z.object({ truth: whole, rest: whole, zero: whole, serial: z.string().max(64) });
const state = z.object({
  /** Until when everything is counted, ms. */
  time: z.int().min(0),
  meters: z.record(
    z.string(),
    z.object({
      counters: z.array(counter).max(5).readonly(),
      months: z.array(z.array(z.number()).max(5).readonly()).max(12).readonly(),
    }),
  ),
  losses: counter,
  water: z.object({ dormitory: counter, main: counter }),
  settled: z.object({ dormitory: z.number(), main: z.number() }),
});
export type SchoolState = z.infer<typeof state>;

/** What an earlier run left; null: there was none, or it cannot be read, and the meters begin anew. */
export async function loadSchoolState(file: string): Promise<SchoolState | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    return state.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The old one stays until the new one is whole. */
export async function saveSchoolState(file: string, school: { readonly state: SchoolState }): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(school.state), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
