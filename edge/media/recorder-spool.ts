import { readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { FootageRange } from '#edge/domain/recording.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { type ClipCause, type ClipTimes, ClipWindows } from './clips.ts';
import type { CameraFootage } from './footage.ts';
import { type FootageFile, spoolFolder } from './footage-names.ts';
import type { RecorderLane } from './recorder-lane.ts';

export interface SpoolOptions {
  readonly footage: CameraFootage;
  readonly lane: RecorderLane;
  readonly times: ClipTimes;
  readonly clock: Clock;
}

/** Kept beyond the pre-roll: what must be kept may be told only a minute later, ms. */
const margin = 100_000;
/** A spool that has not grown for so long belongs to no pre-roll any more, ms. */
const stale = 300_000;
const rangesFile = z.array(z.strictObject({ from: z.number(), to: z.number() })).max(1_000);

/** The rolling past of a camera that records events only: what windows touch is moved to its day, the rest is thrown away. */
export class RecorderSpool {
  readonly #options: SpoolOptions;
  readonly #windows: ClipWindows;
  #saved = '';
  #grownAt: number;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#windows = new ClipWindows(readWindows(this.#file));
    this.#grownAt = options.clock.monotonic();
    // What a dead run had promised to keep may still lie here.
    if (options.footage.spool.length > 0) this.#sweep();
  }

  note(cause: ClipCause): void {
    this.#windows.note(cause, this.#options.times);
    this.#changed();
  }

  keep(ranges: readonly FootageRange[]): void {
    const reach = this.#options.clock.now() - this.#options.times.preRoll - margin - stale;
    const fresh = ranges.filter((range) => range.to > reach && !this.#windows.windows.some((one) => holds(one, range)));
    if (fresh.length === 0) return;
    for (const range of fresh) this.#windows.add(range);
    this.#changed();
  }

  wants(range: FootageRange): boolean {
    return this.#windows.wants(range);
  }

  /** A file has come to it. */
  grown(): void {
    this.#grownAt = this.#options.clock.monotonic();
    this.#sweep();
  }

  tick(): void {
    const { clock, footage } = this.#options;
    this.#windows.forget(clock.now());
    if (footage.spool.length > 0 && clock.monotonic() - this.#grownAt > stale) this.#sweep();
  }

  get #file(): string {
    return join(this.#options.footage.folder, spoolFolder, 'windows.json');
  }

  #changed(): void {
    if (this.#options.footage.spool.length > 0) this.#sweep();
    const text = JSON.stringify(this.#windows.windows);
    if (text === this.#saved) return;
    this.#saved = text;
    // For our own crash, not for a power cut: what it was about is in the spool, and that much of it would be lost anyway.
    this.#options.lane.run(async () => {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
      await writeFile(this.#file, text, { mode: 0o600 });
    });
  }

  #sweep(): void {
    this.#options.lane.run(async () => {
      const { footage, clock, times } = this.#options;
      for (const file of footage.spool.filter((one) => this.#windows.wants(one))) await this.#move(file);
      const isStale = clock.monotonic() - this.#grownAt > stale;
      const old = olderThan(footage.spool, isStale ? 0 : times.preRoll + margin);
      for (const file of old) await rm(footage.spoolPathOf(file), { force: true });
      footage.spool = footage.spool.filter((file) => !old.includes(file));
    });
  }

  async #move(file: FootageFile): Promise<void> {
    const { footage } = this.#options;
    const from = footage.files.freeStart(file.from);
    const kept: FootageFile = { ...file, from, to: Math.max(file.to, from + 1), kind: 'event' };
    const target = footage.pathOf(kept);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await rename(footage.spoolPathOf(file), target);
    footage.spool = footage.spool.filter((one) => one !== file);
    footage.files.add(kept);
  }
}

/** What is there beyond the newest so many ms of footage. By amount, not by time: a clock that was put back makes nothing old. */
function olderThan(spool: readonly FootageFile[], keep: number): FootageFile[] {
  let kept = 0;
  return spool.toReversed().filter(({ from, to }) => {
    const isOld = kept >= keep;
    kept += to - from;
    return isOld;
  });
}

function holds(outer: FootageRange, inner: FootageRange): boolean {
  return outer.from <= inner.from && outer.to >= inner.to;
}

function readWindows(file: string): FootageRange[] {
  try {
    return rangesFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return []; // none yet, or half a file: nothing was promised that could still be kept
  }
}
