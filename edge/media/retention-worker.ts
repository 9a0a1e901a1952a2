import { randomUUID } from 'node:crypto';
import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { writeDurably } from '#edge/runtime/durable-file.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Footage } from './footage.ts';
import { removeEmptyDays } from './footage-load.ts';
import type { FootageFile } from './footage-names.ts';
import type { DeletionAudit } from './retention-audit.ts';
import { DeletionClock } from './retention-clock.ts';
import { type Deletion, planRetention, type RetentionLimits, type RetentionPlan } from './retention-plan.ts';
import type { Knowledge, ProtectedFootage } from './retention-protected.ts';

export interface RetentionOptions {
  readonly footage: Footage;
  /** Also of cameras that the site file no longer has: their footage grows old like all. */
  readonly planOf: (camera: DeviceId) => { readonly days: number; readonly quota: number | null };
  readonly limits: Omit<RetentionLimits, 'spare'>;
  readonly kept: ProtectedFootage;
  readonly audit: DeletionAudit;
  readonly clock: Clock;
  /** runtime/clock-sync.ts */
  readonly synchronised: () => Promise<boolean | null>;
  /** Free bytes where footage lies; default: asks the file system. null: nobody can say. */
  readonly freeBytes?: () => Promise<number | null>;
  readonly log: Log;
}

export interface RetentionState {
  readonly freeBytes: number | null;
  readonly protectedBytes: number;
  /** Bytes a limit demands and nothing may give. */
  readonly short: number;
  /** Why nothing is deleted now, for people; '' when nothing stands in the way. */
  readonly message: string;
}

/** What is too old goes once in so long, so that the audit has few lines; what a limit demands goes at once, ms. */
const ageEvery = 3_600_000;
/** A file that is written now and says that it is older than this was written while our clock was behind, ms. */
export const behind = 300_000;
/** And one that says it is of so much later, while it was ahead: it would outlive everything else, ms. */
const ahead = 86_400_000;
const mostBehind = 20_000;
const batchSize = 500;
const mostRefused = 20;
const mostSpare = 256e6;

const stateFile = z.object({
  age: z.number(),
  wall: z.number(),
  late: z.array(z.tuple([z.string(), z.number(), z.number()])).max(mostBehind),
});

/** Deletes what has to go, in order, and says so. `run` it once a minute. */
export class RetentionWorker {
  readonly #options: RetentionOptions;
  readonly #judge: DeletionClock;
  /** Files written while our clock was behind: when they were really written, by camera and start. */
  readonly #late: Map<DeviceId, Map<number, number>>;
  #state: RetentionState = { freeBytes: null, protectedBytes: 0, short: 0, message: '' };
  #agedAt = Number.NEGATIVE_INFINITY;
  #saved = '';
  #running: Promise<void> | null = null;

  /** `openRetention` reads what is remembered. */
  constructor(options: RetentionOptions, judge: DeletionClock, late: Map<DeviceId, Map<number, number>>) {
    this.#options = options;
    this.#judge = judge;
    this.#late = late;
  }

  get state(): RetentionState {
    return this.#state;
  }

  /** A file has come that our clock, being behind or far ahead, named wrongly: it is as young as it is. */
  noteFinished(camera: DeviceId, file: FootageFile): void {
    const { age } = this.#judge.state;
    if (age - file.to < behind && file.from - age < ahead) return;
    const files = this.#late.get(camera) ?? new Map<number, number>();
    if (files.size >= mostBehind / 16) return;
    files.set(file.from, age);
    this.#late.set(camera, files);
  }

  /** One at a time: who asks while it runs gets that run. Never throws: what the disk refuses is logged and tried again. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    const { kept, audit, log } = this.#options;
    try {
      const knowledge = await kept.refresh(this.#judge.state.age);
      const freeBytes = await (this.#options.freeBytes ?? (() => freeSpace(this.#options.footage.folder)))();
      const synchronised = await this.#options.synchronised();
      const { clock } = this.#options;
      const verdict = this.#judge.look({ now: clock.now(), monotonic: clock.monotonic(), synchronised });
      const obstacle = obstacleOf(knowledge, verdict.why, audit.hasRoom);
      const isAging = knowledge === 'fresh' && clock.monotonic() - this.#agedAt >= ageEvery;
      const plan = this.#plan(isAging && obstacle === '' ? verdict.ageNow : null, freeBytes);
      this.#state = { freeBytes, protectedBytes: plan.protectedBytes, short: plan.short, message: obstacle };
      if (obstacle === '') {
        await this.#delete(plan.deletions);
        if (isAging && !plan.more) this.#agedAt = clock.monotonic();
      }
      await audit.send();
      await this.#save();
    } catch (error) {
      // A bulkhead: a disk that refuses must not end the process that plays live pictures.
      log.error({ code: codeOf(error), error }, 'footage could not be tidied; tried again in a minute');
    }
  }

  #plan(ageNow: number | null, freeBytes: number | null): RetentionPlan {
    const { footage, planOf, limits, kept } = this.#options;
    const spare = Math.min(mostSpare, footage.bytes * 0.02);
    const cameras = footage.cameras.map(({ camera, files }) => ({
      camera,
      files,
      ...planOf(camera),
      ranges: kept.ranges(camera),
      writtenAt: this.#late.get(camera) ?? new Map<number, number>(),
    }));
    return planRetention(cameras, { ...limits, spare }, { ageNow, freeBytes });
  }

  async #delete(deletions: readonly Deletion[]): Promise<void> {
    if (deletions.length === 0) return;
    const { audit, footage, log } = this.#options;
    const run = randomUUID().slice(0, 8);
    let count = 0;
    const refused: unknown[] = [];
    for (let i = 0; i < deletions.length; i += batchSize) {
      const batch = deletions.slice(i, i + batchSize);
      await audit.begin(run, batch);
      const gone: Deletion[] = [];
      for (const deletion of batch) {
        try {
          if (await footage.remove(deletion.camera, deletion.file)) gone.push(deletion);
          this.#late.get(deletion.camera)?.delete(deletion.file.from);
        } catch (error) {
          refused.push(error);
          // One file that is none of ours or cannot be removed holds up nothing; a disk that refuses is not asked a thousand times.
          if (refused.length >= mostRefused) break;
        }
      }
      await audit.done(gone);
      count += gone.length;
      if (refused.length >= mostRefused) throw refused[0];
    }
    await removeEmptyDays(footage, log);
    log.info({ files: count, run }, 'old footage is deleted');
    if (refused.length > 0)
      log.error({ files: refused.length, code: codeOf(refused[0]) }, 'footage that had to go cannot be removed');
  }

  async #save(): Promise<void> {
    const { age, wall } = this.#judge.state;
    const late = [...this.#late].flatMap(([camera, files]) => [...files].map(([from, time]) => [camera, from, time]));
    // Ten minutes of it may be lost: footage then grows old that much later.
    const about = JSON.stringify([Math.floor(age / 600_000), late]);
    if (about === this.#saved) return;
    await writeDurably(join(this.#options.footage.folder, 'retention.json'), JSON.stringify({ age, wall, late }));
    this.#saved = about;
  }
}

/** Reads what an earlier run remembered of the clock and of its deletions. */
export async function openRetention(options: RetentionOptions): Promise<RetentionWorker> {
  const { footage, clock, synchronised, log, audit } = options;
  await audit.open((camera, from) => footage.of(camera).files.has(from));
  const look = { now: clock.now(), monotonic: clock.monotonic(), synchronised: await synchronised() };
  const known = await readState(join(footage.folder, 'retention.json'), log);
  const newest = Math.max(...footage.cameras.map(({ files }) => files.at(files.size - 1)?.to ?? 0), 0);
  // Footage but no memory: the clock is believed no further than the newest of it.
  const state = known ?? (newest === 0 ? null : { age: newest, wall: newest, late: [] });
  const late = new Map<DeviceId, Map<number, number>>();
  for (const [camera, from, time] of state?.late ?? []) {
    const files = late.get(camera as DeviceId) ?? new Map<number, number>();
    late.set(camera as DeviceId, files.set(from, time));
  }
  return new RetentionWorker(options, new DeletionClock(state, look), late);
}

async function readState(file: string, log: Log): Promise<z.infer<typeof stateFile> | null> {
  try {
    return stateFile.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') log.error({ code: codeOf(error) }, 'retention.json cannot be read');
    return null;
  }
}

function obstacleOf(knowledge: Knowledge, clockWords: string, hasRoom: boolean): string {
  if (knowledge === 'unknown') return 'core has not said yet which footage is to be kept: nothing is deleted';
  if (clockWords !== '') return clockWords;
  return hasRoom ? '' : 'the audit does not take what was deleted: nothing more is deleted';
}

async function freeSpace(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return null; // the folder is gone or the disk does not answer: recording says so
  }
}
