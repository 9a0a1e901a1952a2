import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Source } from './meter.ts';

/** Bytes of the note; always written whole. */
const size = 512;
const idle = Buffer.alloc(size, ' ');
/** Notes that are kept ready. */
const mostReady = 10_000;

/**
 * Which node runs, on a page of the kernel's memory: what a process that is killed in an endless loop leaves behind. Written
 * before a node's code begins (about 2 us) and wiped in the next turn of the loop, so that a kill from outside blames nobody.
 */
export class CrashNote implements Disposable {
  readonly #file: number | null;
  readonly #ready = new Map<Source, Buffer>();
  #written: Source | null = null;
  #running: Source | null = null;
  #wiping: NodeJS.Immediate | null = null;

  /** Without a disk to write to it says nothing. */
  constructor(stateFolder: string, log: Log) {
    let file: number | null = null;
    try {
      file = openSync(noteFile(stateFolder), 'w', 0o600);
    } catch (error) {
      log.warn({ problem: messageOf(error) }, 'which node runs cannot be noted: a hanging flow will have no name');
    }
    this.#file = file;
    this.#write(idle);
  }

  run(source: Source | null): void {
    this.#running = source;
    if (source === null) {
      // Not at once: most turns run one node many times.
      this.#wiping ??= setImmediate(() => {
        this.#wiping = null;
        if (this.#running !== null || this.#written === null) return;
        this.#written = null;
        this.#write(idle);
      });
    } else if (source !== this.#written) {
      this.#written = source;
      this.#write(this.#textOf(source));
    }
  }

  #textOf(source: Source): Buffer {
    const known = this.#ready.get(source);
    if (known !== undefined) return known;
    const text = Buffer.alloc(size, ' ');
    text.write(JSON.stringify([source.tab, source.node, source.type, source.name.slice(0, 60)]));
    if (this.#ready.size >= mostReady) this.#ready.clear();
    this.#ready.set(source, text);
    return text;
  }

  #write(text: Buffer): void {
    if (this.#file === null) return;
    try {
      writeSync(this.#file, text, 0, size, 0);
    } catch {
      // A full disk: the note is a comfort, not a duty.
    }
  }

  /** Ended in order: nobody is to blame. */
  [Symbol.dispose](): void {
    if (this.#wiping !== null) clearImmediate(this.#wiping);
    this.#write(idle);
    if (this.#file !== null) closeSync(this.#file);
  }
}

/** Whose code ran when the last process ended; null: nobody's, or it ended in order. Call it before a new note is begun. */
export function readCrashNote(stateFolder: string): Source | null {
  try {
    const text = readFileSync(noteFile(stateFolder), 'utf8').trim();
    const [tab, node, type, name]: unknown[] = text === '' ? [] : JSON.parse(text);
    const isWhole = [tab, node, type, name].every((part) => typeof part === 'string' && part.length <= 300);
    return isWhole ? { tab: String(tab), node: String(node), type: String(type), name: String(name) } : null;
  } catch {
    // Not there yet, torn, or written by a function node: it says nothing then.
    return null;
  }
}

function noteFile(stateFolder: string): string {
  return join(stateFolder, 'running');
}
