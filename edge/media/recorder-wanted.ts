import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { type FootageRange, type RecordingMode, recordingModes } from '#edge/domain/recording.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';

/*
 * When a camera should have been recorded: without it nobody can say what share of that was. Changes of mode are few, a line of a
 * small file beside the footage each; time in which this process was down counts as the mode that was set.
 */

const change = z.object({ time: z.number(), mode: z.enum(recordingModes) });
type Change = z.infer<typeof change>;
const mostChanges = 4_000;
const changesFile = z.array(change).max(mostChanges);

export class WantedTimes {
  readonly #file: string;
  readonly #log: Log;
  #changes: readonly Change[] = [];

  /** `folder`: the camera's. */
  constructor(folder: string, log: Log) {
    this.#file = join(folder, 'modes.json');
    this.#log = log;
  }

  /** What was wanted before this start; a file that cannot be read is begun anew. */
  async load(): Promise<void> {
    try {
      this.#changes = changesFile.parse(JSON.parse(await readFile(this.#file, 'utf8')));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#log.warn({ code: codeOf(error) }, 'modes.json cannot be read');
    }
  }

  /** From now on it is this. Where the clock was put back, what was noted beyond is forgotten. */
  async note(mode: RecordingMode, now: number): Promise<void> {
    const before = this.#changes.filter(({ time }) => time < now);
    if (before.at(-1)?.mode === mode && before.length === this.#changes.length) return;
    const isSame = before.at(-1)?.mode === mode;
    this.#changes = [...before, ...(isSame ? [] : [{ time: now, mode }])].slice(-mostChanges);
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
      await writeFile(this.#file, JSON.stringify(this.#changes), { mode: 0o600 });
    } catch (error) {
      // It says so with the next change; until then the figures hold as long as this process does.
      this.#log.warn({ code: codeOf(error) }, 'the mode of recording could not be noted');
    }
  }

  /** When of [from, to) everything should have been recorded. */
  continuous(from: number, to: number): FootageRange[] {
    return this.#changes.flatMap(({ time, mode }, i) => {
      const begin = Math.max(from, time);
      const end = Math.min(to, this.#changes[i + 1]?.time ?? to);
      return mode === 'continuous' && end > begin ? [{ from: begin, to: end }] : [];
    });
  }
}
