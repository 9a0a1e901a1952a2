import { constants } from 'node:fs';
import { mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type RecordingNote, recordingFile } from '#edge/domain/voice-recording.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { mendRecording } from './talk-file.ts';
import { TalkRecorder } from './talk-recorder.ts';
import {
  planRecordings,
  type RecordingLimits,
  recordingLimits,
  roomFor,
  type StoredRecording,
} from './talk-retention.ts';

export interface RecordingsOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: RecordingLimits;
  /** Pause between two looks at what is old, ms. */
  readonly lookEvery?: number;
}

export interface RecordingFigures {
  readonly files: number;
  readonly bytes: number;
  /** Since the start of this process. */
  readonly deleted: number;
  readonly deletedBytes: number;
}

const hourly = 3_600_000;
/** The wall clock went so much another way than time passed: it was set, and nothing goes for its age at this look, ms. */
const clockStep = 60_000;

/** The recordings of a campus: what is there, what comes to it, and what goes. */
export class Recordings implements AsyncDisposable {
  readonly #options: RecordingsOptions;
  readonly #limits: RecordingLimits;
  readonly #stored = new Map<string, StoredRecording>();
  /** By file: these are not deleted. */
  readonly #open = new Map<string, TalkRecorder>();
  readonly #ticker: Ticker;
  #offset: number;
  #deleted = 0;
  #deletedBytes = 0;

  constructor(options: RecordingsOptions) {
    this.#options = options;
    this.#limits = options.limits ?? recordingLimits;
    this.#offset = options.clock.now() - options.clock.monotonic();
    this.#ticker = new Ticker(options.lookEvery ?? hourly, () => this.tidy());
  }

  /**
   * Looks at what is there, mends what a killed process left, and deletes what is to go. Never rejects: what cannot be read stays as it
   * is, and is logged.
   */
  async load(): Promise<void> {
    const { folder, log } = this.#options;
    let mended = 0;
    for (const file of await this.#names()) {
      try {
        const found = await mendRecording(join(folder, file));
        if (found === null) continue;
        this.#stored.set(file, { file, note: found.note, bytes: found.bytes });
        if (found.wasMended) mended += 1;
      } catch (error) {
        log.error({ file, problem: messageOf(error) }, 'a recording cannot be read');
      }
    }
    if (mended > 0) log.warn({ mended }, 'recordings that were cut off are whole again');
    await this.tidy();
  }

  async #names(): Promise<readonly string[]> {
    const { folder, log } = this.#options;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return (await readdir(folder)).filter((file) => file.endsWith('.wav'));
    } catch (error) {
      log.error({ folder, problem: messageOf(error) }, 'the folder of recordings cannot be read');
      return [];
    }
  }

  /** Begins the recording of an item. A disk that refuses does not throw: the recorder says so. */
  begin(item: string, note: RecordingNote): TalkRecorder {
    const { folder, clock, log } = this.#options;
    const file = recordingFile(item);
    // Never through a link, never over what is there; but one that we began and could not write goes on.
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
    let isOurs = false;
    const recorder: TalkRecorder = new TalkRecorder({
      note,
      clock,
      open: async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const handle = await open(join(folder, file), isOurs ? flags : flags | constants.O_EXCL, 0o600);
        isOurs = true;
        return handle;
      },
      onProblem: (problem) => {
        if (problem === null) log.warn({ file, lost: recorder.lost }, 'a recording can be written again');
        else log.error({ file, problem }, 'a recording cannot be written: the voice goes on');
      },
      onWritten: (bytes) => this.#stored.set(file, { file, note, bytes }),
    });
    this.#open.set(file, recorder);
    return recorder;
  }

  /** Resolves when it is closed. */
  async end(item: string): Promise<void> {
    const file = recordingFile(item);
    const recorder = this.#open.get(file);
    if (recorder === undefined) return;
    await recorder[Symbol.asyncDispose]();
    this.#open.delete(file);
    if (recorder.lost > 0) this.#options.log.error({ lost: recorder.lost }, 'a part of a recording could not be kept');
    await this.tidy();
  }

  /** Deletes what is to go; each deletion is counted and logged. Never rejects for a file that does not let itself be deleted. */
  async tidy(): Promise<void> {
    const { folder, clock, log } = this.#options;
    const offset = clock.now() - clock.monotonic();
    const wasSet = Math.abs(offset - this.#offset) > clockStep;
    this.#offset = offset;
    const whole = [...this.#stored.values()].filter(({ file }) => !this.#open.has(file));
    const limits = { ...this.#limits, bytes: roomFor(whole, await freeBytes(folder), this.#limits) };
    const plan = planRecordings(whole, wasSet ? null : clock.now(), limits);
    for (const { file, bytes, reason } of plan) {
      try {
        await rm(join(folder, file));
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') {
          log.error({ file, problem: messageOf(error) }, 'a recording cannot be deleted');
          continue;
        }
      }
      this.#stored.delete(file);
      this.#deleted += 1;
      this.#deletedBytes += bytes;
      log.info({ file, bytes, reason }, 'a recording is deleted');
    }
  }

  figures(): RecordingFigures {
    const all = [...this.#stored.values()];
    const bytes = all.reduce((sum, one) => sum + one.bytes, 0);
    return { files: all.length, bytes, deleted: this.#deleted, deletedBytes: this.#deletedBytes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ticker[Symbol.dispose]();
    await Promise.all([...this.#open.values()].map((recorder) => recorder[Symbol.asyncDispose]()));
    this.#open.clear();
  }
}

/** null: the disk does not say. */
async function freeBytes(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}
