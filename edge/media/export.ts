import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { PictureMask } from '#edge/runtime/site-cameras.ts';
import { type ExportedFile, writeExport } from './export-write.ts';
import type { Footage } from './footage.ts';
import type { FootageFfmpeg } from './picture-ffmpeg.ts';

/* Footage as files that can be taken away: jobs that go on while somebody asks how they are, and are gone a while after. */

export interface ExportRequest {
  readonly cameras: readonly DeviceId[];
  /** ms since epoch, `to` exclusive. */
  readonly from: number;
  readonly to: number;
  /** With what only few may see covered. */
  readonly isMasked: boolean;
}

export interface ExportJob {
  readonly id: string;
  readonly state: 'waiting' | 'running' | 'ready' | 'failed';
  /** 0 to 1. */
  readonly progress: number;
  /** What went wrong, for people; ''. */
  readonly message: string;
  readonly cameras: readonly DeviceId[];
  readonly from: number;
  readonly to: number;
  readonly isMasked: boolean;
  /** Of those cameras that have footage; complete when `ready`. */
  readonly files: readonly ExportedFile[];
}

export interface ExportsOptions {
  readonly footage: Footage;
  readonly ffmpeg: () => FootageFfmpeg | null;
  readonly masksOf: (camera: DeviceId) => readonly PictureMask[];
  readonly nameOf: (camera: DeviceId) => string;
  /** Bytes that may be written now; null: nobody can say. */
  readonly room: () => number | null;
  readonly clock: Clock;
  readonly log: Log;
}

interface Job {
  job: ExportJob;
  touched: number;
  /** Bytes that it will write, and has written. */
  readonly size: number;
  written: number;
  readonly ending: AbortController;
}

const atOnce = 2;
const mostJobs = 12;
export const mostCameras = 16;
export const longestExport = 12 * 3_600_000;
const mostBytes = 20e9;
/** Who has gone does not ask any more: a job that runs ends after so long, one that is done goes, ms. */
const patience = { running: 60_000, ready: 900_000 };

export class Exports implements AsyncDisposable {
  readonly #options: ExportsOptions;
  readonly #jobs = new Map<string, Job>();
  readonly #ticker: Ticker;
  #running = 0;

  /** `folder`s of a dead run are removed before the first job. */
  constructor(options: ExportsOptions) {
    this.#options = options;
    this.#ticker = new Ticker(5_000, () => this.tidy());
  }

  get folder(): string {
    return join(this.#options.footage.folder, '.exports');
  }

  /** What a killed process had half written. */
  async clear(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true }).catch((error: unknown) => {
      this.#options.log.warn({ code: codeOf(error) }, 'exports of an earlier run could not be removed');
    });
  }

  /** Throws BAD_EXPORT, FOOTAGE_NOT_FOUND, EXPORT_NO_ROOM, MEDIA_BUSY, MEDIA_NO_FFMPEG. */
  create(request: ExportRequest): ExportJob {
    const { clock, ffmpeg, room } = this.#options;
    const size = this.#sizeOf(request);
    if (ffmpeg() === null) throw new CodedError('MEDIA_NO_FFMPEG', 'no ffmpeg was found on this machine');
    if (this.#jobs.size >= mostJobs)
      throw new CodedError('MEDIA_BUSY', 'too many exports are under way: try again later');
    // What others are still going to write is theirs: below its floor the disk takes footage for it.
    if (size > (room() ?? Number.POSITIVE_INFINITY) - this.#promised()) {
      throw new CodedError('EXPORT_NO_ROOM', `there is no room on the disk for ${size} bytes more`);
    }
    const id = randomUUID();
    const job: ExportJob = { id, state: 'waiting', progress: 0, message: '', files: [], ...request };
    this.#jobs.set(id, { job, touched: clock.monotonic(), size, written: 0, ending: new AbortController() });
    this.#next();
    return job;
  }

  /** Throws EXPORT_NOT_FOUND. Asking keeps it alive. */
  get(id: string): ExportJob {
    const found = this.#find(id);
    found.touched = this.#options.clock.monotonic();
    return found.job;
  }

  /** The path of one of its files. Throws EXPORT_NOT_FOUND. */
  fileOf(id: string, index: number): { readonly path: string; readonly file: ExportedFile } {
    const { state, files } = this.get(id);
    const file = state === 'ready' ? files[index] : undefined;
    if (file === undefined) throw new CodedError('EXPORT_NOT_FOUND', `export ${id} has no file ${index} (yet)`);
    return { path: join(this.folder, id, file.file), file };
  }

  /** Ends it, and removes what it made. */
  async cancel(id: string): Promise<void> {
    const found = this.#jobs.get(id);
    if (found === undefined) return;
    this.#jobs.delete(id);
    found.ending.abort();
    await rm(join(this.folder, id), { recursive: true, force: true });
  }

  /** Removes what nobody asks for any more. */
  async tidy(): Promise<void> {
    const now = this.#options.clock.monotonic();
    for (const [id, { job, touched }] of this.#jobs) {
      const isDone = job.state === 'ready' || job.state === 'failed';
      if (now - touched > (isDone ? patience.ready : patience.running)) await this.cancel(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ticker[Symbol.dispose]();
    await Promise.all([...this.#jobs.keys()].map((id) => this.cancel(id)));
  }

  #sizeOf({ cameras, from, to }: ExportRequest): number {
    if (cameras.length < 1 || cameras.length > mostCameras || new Set(cameras).size !== cameras.length) {
      throw new CodedError('BAD_EXPORT', `an export is of 1 to ${mostCameras} cameras, each once`);
    }
    if (to <= from || to - from > longestExport) throw new CodedError('BAD_EXPORT', 'an export is of at most 12 hours');
    const { footage } = this.#options;
    const size = cameras
      .flatMap((camera) => footage.segments(camera, from, to))
      .reduce((sum, { bytes }) => sum + bytes, 0);
    if (size === 0) throw new CodedError('FOOTAGE_NOT_FOUND', 'there is no footage of these cameras in this time');
    if (size > mostBytes) throw new CodedError('BAD_EXPORT', `this is ${size} bytes, an export at most ${mostBytes}`);
    return size;
  }

  #promised(): number {
    const isUnderWay = ({ job }: Job) => job.state === 'waiting' || job.state === 'running';
    return [...this.#jobs.values()]
      .filter(isUnderWay)
      .reduce((sum, { size, written }) => sum + Math.max(0, size - written), 0);
  }

  #find(id: string): Job {
    const found = this.#jobs.get(id);
    if (found === undefined) throw new CodedError('EXPORT_NOT_FOUND', `there is no export ${id} (any more)`);
    return found;
  }

  #next(): void {
    const waiting = [...this.#jobs.values()].find(({ job }) => job.state === 'waiting');
    if (waiting === undefined || this.#running >= atOnce) return;
    this.#running++;
    waiting.job = { ...waiting.job, state: 'running' };
    void this.#work(waiting).finally(() => {
      this.#running--;
      this.#next();
    });
  }

  /** Never rejects: what went wrong is the job's state. */
  async #work(work: Job): Promise<void> {
    const { log } = this.#options;
    const { id } = work.job;
    try {
      const files = await this.#write(work);
      work.job = { ...work.job, state: 'ready', progress: 1, files };
    } catch (error) {
      if (!work.ending.signal.aborted) log.error({ error }, 'footage could not be taken out');
      const message = codeOf(error) === 'ENOSPC' ? 'the disk is full' : messageOf(error).slice(0, 300);
      work.job = { ...work.job, state: 'failed', message };
    }
    const isWanted = this.#jobs.has(id) && work.job.state === 'ready';
    if (!isWanted) await rm(join(this.folder, id), { recursive: true, force: true }).catch(() => {}); // the next start clears it
  }

  async #write(work: Job): Promise<ExportedFile[]> {
    const { footage, ffmpeg: find, masksOf, nameOf } = this.#options;
    const ffmpeg = find();
    if (ffmpeg === null) throw new CodedError('MEDIA_NO_FFMPEG', 'no ffmpeg was found on this machine');
    const { id, cameras, from, to, isMasked } = work.job;
    const folder = join(this.folder, id);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const total = this.#sizeOf(work.job);
    let done = 0;
    const onProgress = (bytes: number) => {
      done += bytes;
      work.written = done;
      work.job = { ...work.job, progress: Math.min(0.99, done / total) };
    };
    const files: ExportedFile[] = [];
    for (const camera of cameras) {
      const masks = isMasked ? masksOf(camera) : [];
      const wish = { camera, from, to, name: nameOf(camera), masks };
      files.push(...(await writeExport(wish, { footage, ffmpeg, folder, signal: work.ending.signal, onProgress })));
    }
    return files;
  }
}
