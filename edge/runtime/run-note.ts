import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from './clock.ts';

/*
 * `<data>/campus.json`: how this campus was last started. The `campus` command finds the site file by it, whether the
 * campus runs or not.
 */

const schema = z.strictObject({
  version: z.literal(1),
  /** Absolute path of the site file. */
  site: z.string().min(1),
  /** Ports that the command line put in place of the file's; null: none. */
  httpPort: z.int().nullable(),
  mqttPort: z.int().nullable(),
  /** When, ms since epoch. */
  started: z.number(),
});
export type RunNote = Omit<z.infer<typeof schema>, 'version'>;

const noteFile = (data: string): string => join(data, 'campus.json');

/** A full disk must not keep a campus from starting: who cannot find the note asks for the site file. */
export function writeRunNote(data: string, note: Omit<RunNote, 'started'>, clock: Clock): void {
  try {
    const text = JSON.stringify({ version: 1, ...note, started: clock.now() });
    writeFileSync(noteFile(data), `${text}\n`, { mode: 0o600 });
  } catch {
    // see above
  }
}

/** null: no campus was started on this folder yet, or the note cannot be read. */
export function readRunNote(data: string): RunNote | null {
  try {
    const { version: _, ...note } = schema.parse(JSON.parse(readFileSync(noteFile(data), 'utf8')));
    return note;
  } catch {
    return null;
  }
}
