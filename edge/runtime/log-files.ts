import { appendFileSync, constants, mkdirSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from './clock.ts';
import { codeOf, messageOf } from './errors.ts';

/*
 * The log in files, for the page that shows it: `<folder>/<process>.log`, then `.1` and `.2`, older with each number. A
 * bulkhead: a disk that is full or hangs costs lines here and nothing else. So nothing waits for a write, what waits is
 * bounded, and what was lost is counted and said in the next line that finds room.
 */

/** One file, bytes; together with the two older ones a process keeps at most three times this. */
export const logFileBytes = 2_000_000;
export const olderLogFiles = 2;
/** Longest line that is kept, bytes. */
export const longestLogLine = 8_000;
const mostWaiting = 256_000;
/** After a failure the disk is left alone for so long, ms. */
const pause = 10_000;

export interface LogFileOptions {
  readonly folder: string;
  /** The process; the name of the file. */
  readonly name: string;
  readonly clock: Clock;
  readonly fileBytes?: number;
}

export class LogFile implements AsyncDisposable {
  readonly #options: LogFileOptions;
  readonly #path: string;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #handle: FileHandle | null = null;
  #size = 0;
  #lost = 0;
  #unsaid = 0;
  #why = '';
  #retryAt = 0;
  /** On their way to the disk. */
  #inFlight: readonly string[] = [];
  #writing: Promise<void> | null = null;
  readonly #atExit = () => this.#rescue();

  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#path = join(options.folder, `${options.name}.log`);
    process.on('exit', this.#atExit);
    // The supervisor is the first to come here: a child under Node's permission model may not make folders.
    this.#makeFolder();
  }

  /** Lines that are in no file, since the start. */
  get lost(): number {
    return this.#lost;
  }

  /** Takes a line with its end; returns at once. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (bytes > longestLogLine || this.#waitingBytes + bytes > mostWaiting) {
      this.#lose(1, bytes > longestLogLine ? 'longer than a line may be' : 'the disk does not keep up');
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    this.#writing ??= this.#drain();
  }

  /** Waits for what is being written. */
  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#atExit);
    await this.#writing;
    await this.#handle?.close().catch(() => {});
    this.#handle = null;
  }

  async #drain(): Promise<void> {
    // Whoever writes several lines in one turn has them written together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#inFlight = lines;
      this.#waiting = [];
      this.#waitingBytes = 0;
      try {
        await this.#append(lines);
      } catch (error) {
        this.#lose(lines.length, messageOf(error));
        this.#retryAt = this.#options.clock.monotonic() + pause;
        await this.#handle?.close().catch(() => {});
        this.#handle = null;
      }
      this.#inFlight = [];
    }
    this.#writing = null;
  }

  async #append(lines: readonly string[]): Promise<void> {
    if (this.#options.clock.monotonic() < this.#retryAt) {
      this.#lose(lines.length, this.#why);
      return;
    }
    const { fileBytes = logFileBytes } = this.#options;
    this.#handle ??= await this.#open();
    if (this.#size >= fileBytes) await this.#rotate();
    const said = this.#unsaid;
    const text = (said === 0 ? '' : this.#lostLine(said)) + lines.join('');
    const { bytesWritten } = await this.#handle.write(text);
    this.#size += bytesWritten;
    if (bytesWritten < Buffer.byteLength(text)) throw new Error('the disk took a part of it only');
    this.#unsaid -= said;
  }

  async #open(): Promise<FileHandle> {
    // A link that somebody planted is not followed.
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
    const handle = await open(this.#path, flags, 0o600).catch(async (error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
      await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
      return open(this.#path, flags, 0o600);
    });
    this.#size = (await handle.stat()).size;
    // Half a line of a killed process stays half a line.
    if (this.#size > 0) await handle.write('\n');
    return handle;
  }

  #makeFolder(): void {
    try {
      mkdirSync(this.#options.folder, { recursive: true, mode: 0o700 });
    } catch {
      // Opening the file says what is wrong, and counts.
    }
  }

  async #rotate(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
    await rm(`${this.#path}.${olderLogFiles}`, { force: true });
    for (let n = olderLogFiles - 1; n >= 0; n--) {
      await rename(n === 0 ? this.#path : `${this.#path}.${n}`, `${this.#path}.${n + 1}`).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw error;
      });
    }
    this.#handle = await this.#open();
  }

  #lose(lines: number, why: string): void {
    this.#lost += lines;
    this.#unsaid += lines;
    this.#why = why;
  }

  #lostLine(lost: number): string {
    const { name, clock } = this.#options;
    const time = new Date(clock.now()).toISOString();
    const msg = 'lines are missing from the log file';
    return `${JSON.stringify({ level: 40, time, process: name, lost, why: this.#why, msg })}\n`;
  }

  /** The last words of a process that ends by a fault: nobody waits for anything any more. */
  #rescue(): void {
    const lines = [...this.#inFlight, ...this.#waiting];
    if (lines.length === 0 || this.#options.clock.monotonic() < this.#retryAt) return;
    try {
      appendFileSync(this.#path, lines.join(''), { mode: 0o600 });
    } catch {
      // They are on standard error too.
    }
  }
}
