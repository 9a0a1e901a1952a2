import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { CameraFootage } from './footage.ts';
import { recoverPart } from './footage-load.ts';
import type { FootageFile, FootageKind } from './footage-names.ts';

/** Bytes that wait for disks, over all cameras: one slow disk must not fill the memory. */
export interface WriteBudget {
  waiting: number;
  readonly most: number;
}

export interface LaneOptions {
  readonly footage: CameraFootage;
  readonly budget: WriteBudget;
  readonly clock: Clock;
  readonly log: Log;
  /** The disk took something. */
  readonly onWritten: () => void;
  /** A file is whole and in its place. */
  readonly onFinished: (file: FootageFile, isSpool: boolean) => void;
  /** The disk refused: what was being written is closed, and nothing is written until the next `begin`. */
  readonly onFailed: (error: unknown) => void;
}

/** A file from its first byte to its name. */
interface Writing {
  readonly from: number;
  readonly isSpool: boolean;
  readonly path: string;
  readonly handle: FileHandle;
  /** Whole fragments on disk, and how far they reach. */
  bytes: number;
  to: number;
}

interface Chunk {
  readonly bytes: Buffer;
  /** Footage reaches to here once this is written, ms since epoch; null: there is nothing to see yet. */
  readonly to: number | null;
}

/** Written at once when there is so much; else once a second, bytes. */
const enough = 262_144;

/** The disk side of one camera's recorder: one thing at a time, in order. What waits is counted; who fills it looks at that. */
export class RecorderLane {
  readonly #options: LaneOptions;
  #pending: Chunk[] = [];
  #pendingBytes = 0;
  #queued = 0;
  #tail: Promise<void> = Promise.resolve();
  #writing: Writing | null = null;
  /** When the disk was asked what it has not answered yet, monotonic ms. */
  #askedAt: number | null = null;
  /** Files that a refusing disk let us neither finish nor name. */
  #stranded: { readonly path: string; readonly isSpool: boolean }[] = [];

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Bytes that wait for the disk. */
  get waiting(): number {
    return this.#queued + this.#pendingBytes;
  }

  /** How long the disk has not answered, ms. */
  get silence(): number {
    return this.#askedAt === null ? 0 : this.#options.clock.monotonic() - this.#askedAt;
  }

  begin(from: number, isSpool: boolean, init: Buffer): void {
    this.run(() => this.#open(from, isSpool));
    this.append([init], null);
  }

  append(chunks: readonly Buffer[], to: number | null): void {
    for (const [i, bytes] of chunks.entries()) {
      this.#pending.push({ bytes, to: i === chunks.length - 1 ? to : null });
      this.#pendingBytes += bytes.length;
      this.#options.budget.waiting += bytes.length;
    }
    if (this.#pendingBytes >= enough) this.flush();
  }

  flush(): void {
    if (this.#pending.length === 0) return;
    const chunks = this.#pending;
    const size = this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#queued += size;
    this.run(async () => {
      try {
        await this.#write(chunks, size);
      } finally {
        this.#queued -= size;
        this.#options.budget.waiting -= size;
      }
    });
  }

  /** Closes the file and gives it its name; `to` null: what is on disk says how far it reaches. */
  finish(to: number | null, kind: FootageKind, isSpool: boolean): void {
    this.flush();
    this.run(() => this.#finish(to, kind, isSpool));
  }

  /** Something else that must wait its turn. What it throws is the disk's refusal. */
  run(task: () => Promise<void>): void {
    this.#tail = this.#tail.then(async () => {
      this.#askedAt = this.#options.clock.monotonic();
      try {
        await task();
      } catch (error) {
        await this.#fail(error);
      } finally {
        this.#askedAt = null;
      }
    });
  }

  /** When everything asked for so far is done. */
  idle(): Promise<void> {
    return this.#tail;
  }

  async #open(from: number, isSpool: boolean): Promise<void> {
    const { footage } = this.#options;
    const path = footage.partPathOf(from, isSpool);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const handle = await open(path, 'wx', 0o600);
    this.#writing = { from, isSpool, path, handle, bytes: 0, to: from };
    await this.#mendStranded();
  }

  async #write(chunks: readonly Chunk[], size: number): Promise<void> {
    const writing = this.#writing;
    if (writing === null) return;
    let left = chunks.map(({ bytes }) => bytes);
    for (let sent = 0; sent < size; ) {
      const { bytesWritten } = await writing.handle.writev(left, writing.bytes + sent);
      sent += bytesWritten;
      if (sent < size) left = after(left, bytesWritten);
    }
    writing.bytes += size;
    this.#options.onWritten();
    writing.to = chunks.findLast(({ to }) => to !== null)?.to ?? writing.to;
    const { footage } = this.#options;
    const { from, to, path, bytes } = writing;
    if (!writing.isSpool && to > from) footage.open = { from, to, path, bytes };
  }

  async #finish(to: number | null, kind: FootageKind, isSpool: boolean): Promise<void> {
    const writing = this.#writing;
    if (writing === null) return;
    const { footage, onFinished } = this.#options;
    if (writing.to === writing.from) return await this.#discard(writing);
    await writing.handle.sync();
    await writing.handle.close();
    const end = Math.max(writing.from + 1, to ?? writing.to);
    const file: FootageFile = { from: writing.from, to: end, bytes: writing.bytes, kind };
    const target = isSpool ? footage.spoolPathOf(file) : footage.pathOf(file);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await rename(writing.path, target);
    this.#writing = null;
    footage.open = null;
    if (isSpool) footage.spool = [...footage.spool, file];
    else footage.files.add(file);
    onFinished(file, isSpool);
  }

  async #discard(writing: Writing): Promise<void> {
    this.#writing = null;
    this.#options.footage.open = null;
    await writing.handle.close();
    await rm(writing.path, { force: true });
  }

  /** Whatever is whole of the file stays. A full disk still cuts and renames; one that refuses even this keeps it for later. */
  async #fail(error: unknown): Promise<void> {
    const writing = this.#writing;
    this.#writing = null;
    this.#options.footage.open = null;
    if (writing !== null) {
      await writing.handle.close().catch(() => {}); // it may be closed already, or the disk is gone
      this.#strand(writing);
      await this.#mendStranded();
    }
    this.#options.onFailed(error);
  }

  #strand({ path, isSpool }: Writing): void {
    this.#stranded.push({ path, isSpool });
    // The rest is found by name at the next start.
    if (this.#stranded.length > 64) this.#stranded.shift();
  }

  async #mendStranded(): Promise<void> {
    const { footage, log, onFinished } = this.#options;
    const stranded = this.#stranded;
    this.#stranded = [];
    for (const { path, isSpool } of stranded) {
      try {
        const file = await recoverPart(footage, path, isSpool);
        if (file === null) continue;
        if (isSpool) footage.spool = [...footage.spool, file];
        onFinished(file, isSpool);
      } catch (error) {
        log.warn({ camera: footage.camera, problem: messageOf(error) }, 'unfinished footage waits for its disk');
        this.#stranded.push({ path, isSpool });
      }
    }
  }
}

/** What is left of these when the first so many bytes are written. */
function after(chunks: readonly Buffer[], written: number): Buffer[] {
  let skip = written;
  const left: Buffer[] = [];
  for (const chunk of chunks) {
    if (skip >= chunk.length) skip -= chunk.length;
    else {
      left.push(chunk.subarray(skip));
      skip = 0;
    }
  }
  return left;
}
