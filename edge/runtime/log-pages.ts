import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, codeOf } from './errors.ts';
import { longestLogLine, olderLogFiles } from './log-files.ts';

/*
 * Reads the files of log-files.ts backwards, newest line first over all processes, in memory that does not grow with
 * them. What stands in a line was said by anybody (flows run other people's code): it is passed on as text.
 */

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type ReadLevel = (typeof logLevels)[number];

export interface LogLine {
  readonly time: number;
  readonly level: ReadLevel;
  readonly process: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface LogQuestion {
  /** null: all of them. */
  readonly process: string | null;
  /** This level and those above. */
  readonly level: ReadLevel;
  readonly limit: number;
  /** From `LogPage.before`. */
  readonly before: string | null;
}

export interface LogPage {
  /** Newest first; fewer than `limit` when the search took too long. */
  readonly lines: readonly LogLine[];
  /** null: that was the oldest. */
  readonly before: string | null;
}

const chunkBytes = 64 * 1024;
/** One page looks at no more than this, all files together, bytes. */
const mostRead = 16_000_000;
const mostProcesses = 32;
const fileName = /^([a-z][a-z0-9-]{0,40})\.log$/;

/** Throws BAD_CURSOR for a `before` that was never given out. A file that cannot be read has no lines. */
export async function readLogPage(folder: string, question: LogQuestion): Promise<LogPage> {
  const places = question.before === null ? null : parseCursor(question.before);
  const names = (await processesOf(folder)).filter((name) => question.process === null || name === question.process);
  await using stack = new AsyncDisposableStack();
  const budget = { left: mostRead };
  const wanted = logLevels.indexOf(question.level);
  const tails = names.map((name) => stack.use(new Tail(folder, name, places?.get(name) ?? null, wanted, budget)));
  // A process that the cursor does not know began to write after the page before this one.
  const open = places === null ? tails : tails.filter(({ name }) => places.has(name));
  await Promise.all(open.map((tail) => tail.advance()));
  const lines: LogLine[] = [];
  // A search that ended early may not be overtaken by what is older.
  while (lines.length < question.limit && !open.some(({ isCut }) => isCut)) {
    const next = newest(open);
    if (next?.head == null) break;
    lines.push(next.head);
    await next.advance();
  }
  const isEnd = open.every(({ isOver }) => isOver);
  return { lines, before: isEnd ? null : formatCursor(open) };
}

function newest(tails: readonly Tail[]): Tail | null {
  let found: Tail | null = null;
  for (const tail of tails) {
    if (tail.head !== null && (found?.head == null || tail.head.time > found.head.time)) found = tail;
  }
  return found;
}

async function processesOf(folder: string): Promise<string[]> {
  try {
    const names = (await readdir(folder)).flatMap((name) => fileName.exec(name)?.[1] ?? []);
    return names.sort().slice(0, mostProcesses);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** A file by its inode (it may be renamed between two pages), and the end of the line that comes next. */
interface Place {
  readonly inode: number;
  readonly offset: number;
}

function formatCursor(tails: readonly Tail[]): string {
  return tails
    .flatMap(({ name, place }) => (place === null ? [] : [`${name}.${place.inode}.${place.offset}`]))
    .join('~');
}

function parseCursor(text: string): Map<string, Place> {
  const parts = text.split('~').map((part) => /^([a-z][a-z0-9-]{0,40})\.(\d{1,15})\.(\d{1,12})$/.exec(part));
  if (parts.length > mostProcesses || parts.includes(null)) {
    throw new CodedError('BAD_CURSOR', 'before: must be the `before` of an earlier page');
  }
  return new Map(parts.map((found) => [found?.[1] ?? '', { inode: Number(found?.[2]), offset: Number(found?.[3]) }]));
}

/** The lines of one process from some place back to its oldest. */
class Tail implements AsyncDisposable {
  readonly name: string;
  /** The next line that was asked for; null: none, or the search ended. */
  head: LogLine | null = null;
  /** Where the next page begins: at the head, or where the search ended. */
  place: Place | null = null;
  readonly #folder: string;
  readonly #wanted: number;
  readonly #budget: { left: number };
  #from: Place | null;
  #older = 0;
  #file: BackwardLines | null = null;

  constructor(folder: string, name: string, from: Place | null, wanted: number, budget: { left: number }) {
    this.#folder = folder;
    this.name = name;
    this.#from = from;
    this.#wanted = wanted;
    this.#budget = budget;
  }

  get isOver(): boolean {
    return this.place === null;
  }

  /** The search ended before a line was found. */
  get isCut(): boolean {
    return this.head === null && this.place !== null;
  }

  async advance(): Promise<void> {
    this.head = null;
    this.place = null;
    for (;;) {
      this.#file ??= await this.#next();
      if (this.#file === null) return;
      const { inode } = this.#file;
      const found = await this.#file.previous(this.#budget);
      if (found === 'enough') {
        this.place = { inode, offset: this.#file.offset };
        return;
      }
      if (found === null) {
        await this.#file[Symbol.asyncDispose]();
        this.#file = null;
        continue;
      }
      const line = parseLine(found.text, this.name);
      if (line === null || logLevels.indexOf(line.level) < this.#wanted) continue;
      this.head = line;
      this.place = { inode, offset: found.end };
      return;
    }
  }

  /** The newest file that is not older than the cursor's, then each older one. */
  async #next(): Promise<BackwardLines | null> {
    while (this.#older <= olderLogFiles) {
      const path = join(this.#folder, `${this.name}.log${this.#older === 0 ? '' : `.${this.#older}`}`);
      this.#older++;
      const file = await openBackwards(path);
      if (file === null) continue;
      if (this.#from === null) return file;
      if (file.inode === this.#from.inode) {
        file.startAt(this.#from.offset);
        this.#from = null;
        return file;
      }
      await file[Symbol.asyncDispose]();
    }
    return null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.[Symbol.asyncDispose]();
  }
}

async function openBackwards(path: string): Promise<BackwardLines | null> {
  let handle: FileHandle;
  try {
    // Neither a link that a process planted nor a pipe that never answers.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  const found = await handle.stat();
  if (found.isFile()) return new BackwardLines(handle, found.ino, found.size);
  await handle.close();
  return null;
}

/** The lines of a file from its end on. Never holds more than one chunk and one line. */
class BackwardLines implements AsyncDisposable {
  readonly inode: number;
  /** Everything before this is still to come. */
  offset: number;
  readonly #handle: FileHandle;
  #chunk: Buffer = Buffer.alloc(0);
  #start: number;

  constructor(handle: FileHandle, inode: number, size: number) {
    this.#handle = handle;
    this.inode = inode;
    this.offset = size;
    this.#start = size;
  }

  startAt(offset: number): void {
    this.offset = Math.min(offset, this.offset);
    this.#start = this.offset;
  }

  /** null at the beginning; `enough` when the budget is used up. Lines that are too long are left out. */
  async previous(budget: { left: number }): Promise<{ readonly text: string; readonly end: number } | 'enough' | null> {
    while (this.offset > 0) {
      const end = this.offset;
      const cut = this.#chunk.lastIndexOf(0x0a, end - this.#start - 2);
      if (end - this.#start >= 2 && cut >= 0) {
        this.offset = this.#start + cut + 1;
        return { text: this.#chunk.toString('utf8', cut + 1, end - this.#start), end };
      }
      if (this.#start === 0) {
        this.offset = 0;
        return { text: this.#chunk.toString('utf8', 0, end), end };
      }
      if (end - this.#start > longestLogLine + chunkBytes) {
        this.offset = this.#start; // nobody writes such a line: go on before it
        continue;
      }
      if (budget.left <= 0) return 'enough';
      await this.#readBefore(end, budget);
    }
    return null;
  }

  async #readBefore(end: number, budget: { left: number }): Promise<void> {
    const from = Math.max(0, this.#start - chunkBytes);
    const bytes = Buffer.alloc(this.#start - from);
    const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, from);
    budget.left -= bytes.length;
    const kept = this.#chunk.subarray(0, end - this.#start);
    // A file that was cut meanwhile reads short: what is missing are zeros, and no line.
    this.#chunk = Buffer.concat([bytes.fill(0, bytesRead), kept]);
    this.#start = from;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

const levelOf = (level: unknown): ReadLevel =>
  typeof level !== 'number' || level >= 50 ? 'error' : level >= 40 ? 'warn' : level >= 30 ? 'info' : 'debug';

/** null for what is no line of ours (half a line of a killed process). The file says whose it is, not the line. */
function parseLine(text: string, process: string): LogLine | null {
  if (text.length > 2 * longestLogLine || !text.startsWith('{')) return null;
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof line !== 'object' || line === null) return null;
  const { time, level, msg, process: _, ...fields } = line as Readonly<Record<string, unknown>>;
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(at)) return null;
  return { time: at, level: levelOf(level), process, message: typeof msg === 'string' ? msg : '', fields };
}
