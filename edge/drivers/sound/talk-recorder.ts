import type { FileHandle } from 'node:fs/promises';
import { type RecordingNote, recordingBytesPerMs, recordingHeaderBytes } from '#edge/domain/voice-recording.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { Backoff } from '#edge/runtime/lifecycle.ts';
import { startFrameResampling } from './live-resample.ts';
import { recordingHeader, writeSizes } from './talk-file.ts';

/*
 * One talk on its way to disk. A sample's place in the file is its time: what came late, not at all, or not to disk is silence there.
 * Nothing here makes the voice wait: what the disk does not take waits in memory, up to a bound.
 */

export interface RecorderOptions {
  /** Opens the file, new; tried again where the disk refuses. */
  readonly open: () => Promise<FileHandle>;
  readonly note: RecordingNote;
  readonly clock: Clock;
  /** The disk refuses, and takes it again (null). */
  readonly onProblem: (problem: string | null) => void;
  /** On disk, header and all. */
  readonly onWritten: (bytes: number) => void;
}

/** Written so often, ms; what a killed process loses. */
const flushEvery = 500;
/** Synced so often, ms: what a power cut loses. */
const syncEvery = 10_000;
/** Sound that waits for a disk, bytes: 20 s. */
const mostWaiting = 20_000 * recordingBytesPerMs;
/** So much later than its place, and there was a pause, ms: less is the network's jitter. */
const jitter = 300;
/** How long the end may wait for a disk, ms. */
const endPatience = 5_000;

interface Piece {
  /** Bytes from the first sample on. */
  readonly at: number;
  readonly bytes: Buffer;
}

export class TalkRecorder implements AsyncDisposable {
  readonly #options: RecorderOptions;
  readonly #resample = startFrameResampling(48_000, 16_000);
  readonly #backoff = new Backoff({ first: 500, cap: 10_000 });
  readonly #timer: NodeJS.Timeout;
  #pieces: Piece[] = [];
  #waiting = 0;
  /** Where the next sample goes, and how far the file reaches. */
  #place = 0;
  #written = 0;
  #dropped = 0;
  #begun: number | null = null;
  #handle: FileHandle | null = null;
  #flushing: Promise<void> | null = null;
  #retryAt = 0;
  #syncAt: number;
  #isOver = false;
  problem: string | null = null;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#syncAt = options.clock.monotonic() + syncEvery;
    this.#timer = setInterval(() => this.#flush(), flushEvery);
  }

  /** ms on disk. */
  get recorded(): number {
    return Math.floor(this.#written / recordingBytesPerMs);
  }

  /** ms that a disk did not take in time. */
  get lost(): number {
    return Math.floor(this.#dropped / recordingBytesPerMs);
  }

  /** One frame of 20 ms at 48 kHz. Never waits. */
  take(frame: Int16Array): void {
    if (this.#isOver) return;
    const pcm = this.#resample(frame);
    const bytes = Buffer.alloc(pcm.length * 2);
    for (const [index, sample] of pcm.entries()) bytes.writeInt16LE(sample, index * 2);
    const now = this.#options.clock.monotonic();
    this.#begun ??= now;
    const elapsed = Math.floor(now - this.#begun) * recordingBytesPerMs;
    if (elapsed - this.#place > jitter * recordingBytesPerMs) this.#place = elapsed;
    const at = this.#place;
    this.#place += bytes.length;
    if (this.#waiting + bytes.length > mostWaiting) {
      this.#dropped += bytes.length;
      return;
    }
    this.#pieces.push({ at, bytes });
    this.#waiting += bytes.length;
  }

  /** Everything that a disk takes within 5 s is there; then it is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, endPatience);
    });
    await Promise.race([this.#finish(), late]);
    clearTimeout(timer);
    this.#dropped += this.#waiting;
    this.#pieces = [];
  }

  async #finish(): Promise<void> {
    await this.#flushing;
    await this.#write();
    try {
      await this.#handle?.sync();
    } catch (error) {
      this.#fail(error);
    }
    // A refusing disk may refuse this too; the next start mends what is there.
    await this.#handle?.close().catch(() => {});
    this.#handle = null;
  }

  #flush(): void {
    if (this.#flushing !== null || this.#pieces.length === 0 || this.#options.clock.monotonic() < this.#retryAt) return;
    this.#flushing = this.#write().finally(() => {
      this.#flushing = null;
    });
  }

  /** Never rejects. What fails stays in its place, and is written there again. */
  async #write(): Promise<void> {
    const { note, clock, onWritten } = this.#options;
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    try {
      this.#handle ??= await this.#openFile(note);
      let end = this.#written;
      for (const { at, bytes } of joined(pieces)) {
        await writeWhole(this.#handle, bytes, recordingHeaderBytes + at);
        end = at + bytes.length;
      }
      await writeSizes(this.#handle, end);
      if (clock.monotonic() >= this.#syncAt) {
        await this.#handle.datasync();
        this.#syncAt = clock.monotonic() + syncEvery;
      }
      // Others came meanwhile: they are behind these.
      this.#pieces = this.#pieces.slice(pieces.length);
      this.#waiting = this.#pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
      this.#written = end;
      this.#backoff.reset();
      onWritten(recordingHeaderBytes + end);
      if (this.problem !== null) this.#tell(null);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #openFile(note: RecordingNote): Promise<FileHandle> {
    const handle = await this.#options.open();
    try {
      await writeWhole(handle, recordingHeader(note, 0), 0);
      return handle;
    } catch (error) {
      await handle.close().catch(() => {});
      throw error;
    }
  }

  #fail(error: unknown): void {
    this.#retryAt = this.#options.clock.monotonic() + this.#backoff.next();
    if (this.problem === null) this.#tell(messageOf(error));
  }

  #tell(problem: string | null): void {
    this.problem = problem;
    this.#options.onProblem(problem);
  }
}

/** What follows without a pause is one piece: one call a flush. */
function joined(pieces: readonly Piece[]): readonly Piece[] {
  const runs: { at: number; parts: Buffer[]; end: number }[] = [];
  for (const { at, bytes } of pieces) {
    const last = runs.at(-1);
    if (last === undefined || last.end !== at) runs.push({ at, parts: [bytes], end: at + bytes.length });
    else {
      last.parts.push(bytes);
      last.end += bytes.length;
    }
  }
  return runs.map(({ at, parts }) => ({ at, bytes: Buffer.concat(parts) }));
}

async function writeWhole(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
