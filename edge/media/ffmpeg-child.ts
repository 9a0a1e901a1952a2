import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import { withoutSecrets } from './ffmpeg-words.ts';

export interface FfmpegOptions {
  readonly path: string;
  /** The name in the list of processes, by which one that was left behind is known (`ffmpeg-orphans.ts`). */
  readonly title: string;
  /** Seen by everybody on this machine: no address with a password in it. */
  readonly args: readonly string[];
  /** What the child reads as `pipe:3`: for what nobody else may see. */
  readonly secretInput?: string;
  /** Texts that must not stand in what it says. */
  readonly secrets?: readonly string[];
  /** null: its output ended. */
  readonly onOutput: (chunk: Buffer) => void;
}

export interface FfmpegEnd {
  /** null: ended by a signal. */
  readonly code: number | null;
  /** The last it said, without addresses' passwords. */
  readonly said: string;
}

const mostSaid = 8_192;
/** An ffmpeg that waits for a socket ends at SIGTERM within milliseconds; one that hangs in a driver does not. */
const patience = 2_000;
/** While it waits for a socket the first SIGTERM is only noted; the second interrupts it (ffmpeg.c, decode_interrupt_cb), ms. */
const insistAfter = 400;

/** One ffmpeg, in a process group of its own. Disposing it ends the group: SIGTERM, and SIGKILL after 2 s. */
export class FfmpegChild implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ended: Promise<FfmpegEnd>;
  #said = '';
  #hasEnded = false;

  constructor({ path, title, args, secretInput, secrets = [], onOutput }: FfmpegOptions) {
    // A group of its own, so that whatever it may start goes with it; no PATH search, no shell.
    this.#child = spawn(path, [...args], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'], argv0: title, detached: true });
    // Before all else: one that cannot be started may have no pipes, and says so here.
    this.ended = new Promise((resolve) => {
      const end = (code: number | null, why = '') => {
        this.#hasEnded = true;
        resolve({ code, said: withoutSecrets(why + this.#said, secrets) });
      };
      this.#child.once('error', (error) => end(null, messageOf(error)));
      this.#child.once('close', (code) => end(code));
    });
    this.stdin.on('error', () => {}); // it ended first: `ended` says so
    this.#child.stdout.on('error', () => {});
    this.#child.stderr.on('error', () => {});
    this.#child.stdout.on('data', onOutput);
    this.#child.stderr.setEncoding('utf8');
    this.#child.stderr.on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-mostSaid);
    });
    const secret = this.#child.stdio[3];
    if (secret !== null && secret !== undefined && 'end' in secret) {
      secret.on('error', () => {});
      secret.end(secretInput ?? '');
    }
    lowerPriority(this.#child.pid);
  }

  /** undefined: it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get stdin(): Writable {
    return this.#child.stdin;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return;
    this.#signal('SIGTERM');
    const insist = setTimeout(() => this.#signal('SIGTERM'), insistAfter);
    try {
      await within(patience, 'the end of ffmpeg', this.ended);
    } catch {
      this.#signal('SIGKILL');
      await within(patience, 'the end of ffmpeg after SIGKILL', this.ended).catch(() => {}); // a process that waits for a dead disk ends with the disk
    } finally {
      clearTimeout(insist);
    }
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#hasEnded) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // ended meanwhile
    }
  }
}

/** Pictures wait for events and rules, never the other way round. */
function lowerPriority(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // ended meanwhile
  }
}
