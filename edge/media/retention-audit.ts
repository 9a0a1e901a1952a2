import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { DeviceId } from '#edge/domain/ids.ts';
import { writeDurably } from '#edge/runtime/durable-file.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { type Deletion, type DeletionReason, deletionReasons } from './retention-plan.ts';

/*
 * Every deleted byte is in exactly one line of the audit. What is about to be deleted is written down before the first file goes, and
 * what went when the last has gone; after a crash in between the files themselves say which it was. Lines wait here until core has them.
 */

const entry = z.object({
  camera: z.string(),
  from: z.number(),
  to: z.number(),
  bytes: z.number(),
  why: z.enum(deletionReasons),
});
const line = entry.extend({ files: z.number(), run: z.string() });
const journal = z.object({ run: z.string(), open: z.array(entry).max(10_000), lines: z.array(line).max(10_000) });

type Entry = z.infer<typeof entry>;
type Line = z.infer<typeof line>;
type Journal = z.infer<typeof journal>;

export interface DeletionAuditOptions {
  /** The footage folder. */
  readonly folder: string;
  readonly call: (method: string, params: object) => Promise<unknown>;
  readonly log: Log;
}

const words: Readonly<Record<DeletionReason, string>> = {
  age: 'older than the days it has to be kept',
  'camera-quota': 'the quota of this camera is used up',
  quota: 'the quota of all footage is used up',
  'free-space': 'the disk would be full',
  'protected-quota': 'kept footage is more than its quota, and the disk would be full',
};

/** On a disk that others have filled to the last byte there must be room to write down what is deleted, bytes. */
const reserveSize = 262_144;

/** Lines that wait for core; more, and nothing is deleted until it takes them. */
const mostLines = 1_000;

export class DeletionAudit {
  readonly #options: DeletionAuditOptions;
  #journal: Journal = { run: '', open: [], lines: [] };

  constructor(options: DeletionAuditOptions) {
    this.#options = options;
  }

  /** False: core has not taken so many lines that no more may be made. */
  get hasRoom(): boolean {
    return this.#journal.lines.length < mostLines;
  }

  get waiting(): number {
    return this.#journal.lines.length;
  }

  /** Reads what a dead run left; `isThere` says whether a file it was going to delete is still there. */
  async open(isThere: (camera: DeviceId, from: number) => boolean): Promise<void> {
    try {
      this.#journal = journal.parse(JSON.parse(await readFile(this.#file, 'utf8')));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#options.log.error({ code: codeOf(error) }, 'deletions.json cannot be read');
    }
    const gone = this.#journal.open.filter(({ camera, from }) => !isThere(camera as DeviceId, from));
    // On a disk that takes nothing it is remembered, and written down with what is deleted next.
    if (this.#journal.open.length > 0)
      await this.#close(gone).catch((error: unknown) =>
        this.#options.log.error({ code: codeOf(error) }, 'deletions.json cannot be written'),
      );
    await this.#makeReserve();
  }

  /** On disk when it resolves: these are about to go. */
  async begin(run: string, deletions: readonly Deletion[]): Promise<void> {
    const open = deletions.map(({ camera, file: { from, to, bytes }, why }) => ({ camera, from, to, bytes, why }));
    this.#journal = { ...this.#journal, run, open };
    await this.#save();
  }

  /** These have gone, the others have not. */
  async done(deleted: readonly Deletion[]): Promise<void> {
    const gone = new Set(deleted.map(({ camera, file }) => `${camera}/${file.from}`));
    await this.#close(this.#journal.open.filter(({ camera, from }) => gone.has(`${camera}/${from}`)));
    await this.#makeReserve();
  }

  /** Hands core what waits; what it does not take waits on. */
  async send(): Promise<void> {
    const { lines } = this.#journal;
    if (lines.length === 0) return;
    let sent = 0;
    try {
      for (const each of lines) {
        await this.#options.call('audit', inWords(each));
        sent++;
      }
    } catch (error) {
      this.#options.log.warn({ code: codeOf(error), waiting: lines.length - sent }, 'deletions wait for the audit');
    }
    if (sent === 0) return;
    this.#journal = { ...this.#journal, lines: lines.slice(sent) };
    await this.#save();
  }

  get #file(): string {
    return join(this.#options.folder, 'deletions.json');
  }

  async #close(gone: readonly Entry[]): Promise<void> {
    const { run } = this.#journal;
    this.#journal = { run, open: [], lines: mergedLines(this.#journal.lines, gone, run) };
    await this.#save();
  }

  async #save(): Promise<void> {
    const text = JSON.stringify(this.#journal);
    try {
      await writeDurably(this.#file, text);
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC' && codeOf(error) !== 'EDQUOT') throw error;
      await rm(this.#reserve, { force: true });
      await writeDurably(this.#file, text);
    }
  }

  get #reserve(): string {
    return join(this.#options.folder, '.reserve');
  }

  async #makeReserve(): Promise<void> {
    const size = await stat(this.#reserve).then(
      (found) => found.size,
      () => 0,
    );
    if (size === reserveSize) return;
    // Not a hole: bytes that are there. Where there is no room for it now there is after the next deletion.
    await writeFile(this.#reserve, Buffer.alloc(reserveSize, 1), { mode: 0o600 }).catch(() => {});
  }
}

/** One line per camera, reason and run. */
function mergedLines(lines: readonly Line[], gone: readonly Entry[], run: string): Line[] {
  const merged = lines.map((each) => ({ ...each }));
  for (const { camera, from, to, bytes, why } of gone) {
    const same = merged.find((each) => each.camera === camera && each.why === why && each.run === run);
    if (same === undefined) merged.push({ camera, from, to, bytes, why, files: 1, run });
    else {
      same.from = Math.min(same.from, from);
      same.to = Math.max(same.to, to);
      same.bytes += bytes;
      same.files++;
    }
  }
  return merged;
}

function inWords({ camera, from, to, bytes, files, why, run }: Line): object {
  const iso = (time: number) => new Date(time).toISOString();
  return {
    who: 'process:media',
    from: 'media',
    what: `footage.delete ${camera} ${iso(from)} to ${iso(to)}`,
    why: words[why],
    result: `${files} files, ${bytes} bytes, run ${run}`,
  };
}
