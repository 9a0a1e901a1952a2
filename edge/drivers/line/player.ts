import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { messageOf } from '#edge/runtime/errors.ts';
import { type FoundProgram, findProgram, programEnvironment } from '#edge/runtime/programs.ts';
import { type LineConfig, type Program, programs } from './config.ts';

/* The programme that gives samples to the sound card: ours never loads a library that may hang in a driver. */

/** Of what is written to it: 16 bit, little-endian, one channel. */
export const rate = 48_000;

export interface PlayerEnd {
  /** What it said, in one line; '' where it said nothing. */
  readonly said: string;
  /** It played all that it got, and nothing was wrong. */
  readonly isClean: boolean;
}

const mostSaid = 4_096;
const longestWords = 200;
/** A card that takes nothing for so long is stuck, in bytes that wait on our side: half a second. */
const mostWaiting = rate;

export type LineProgram = FoundProgram<Program>;

/** null: neither is installed. */
export function findPlayer(wanted: LineConfig['program'], path?: string): Promise<LineProgram | null> {
  return findProgram(wanted === 'auto' ? programs : [wanted], path);
}

export function playerArguments(program: Program, { device, buffer }: LineConfig, input: '-' | '/dev/null'): string[] {
  if (program === 'aplay') {
    const times = [`--buffer-time=${buffer * 1000}`, `--period-time=${Math.floor(buffer / 4) * 1000}`];
    return ['-q', '-t', 'raw', '-f', 'S16_LE', '-r', `${rate}`, '-c', '1', ...times, '-D', device, input];
  }
  const quick = ['-fflags', 'nobuffer', '-probesize', '32', '-analyzeduration', '0'];
  const source = ['-f', 's16le', '-ar', `${rate}`, '-ac', '1', '-i', input === '-' ? 'pipe:0' : input];
  return ['-hide_banner', '-nostats', '-loglevel', 'error', ...quick, ...source, '-f', 'alsa', device];
}

/** One run of the programme. It ends by itself when we end: its input is a pipe from us. */
export class Player {
  readonly #child: ChildProcessByStdio<Writable, null, Readable>;
  readonly ended: Promise<PlayerEnd>;
  #said = '';
  #hasEnded = false;

  constructor({ program, file }: LineProgram, config: LineConfig, input: '-' | '/dev/null' = '-') {
    const env = programEnvironment(config.config === undefined ? {} : { ALSA_CONFIG_PATH: config.config });
    this.#child = spawn(file, playerArguments(program, config, input), { stdio: ['pipe', 'ignore', 'pipe'], env });
    this.ended = new Promise((resolve) => {
      const end = (isClean: boolean, why = '') => {
        this.#hasEnded = true;
        resolve({ isClean, said: wordsOf(why === '' ? this.#said : why) });
      };
      this.#child.once('error', (error) => end(false, messageOf(error)));
      this.#child.once('close', (code) => end(code === 0 && !/error/i.test(this.#said)));
    });
    // One that cannot be started may have no pipes.
    if (this.#child.pid === undefined) return;
    this.#child.stdin.on('error', () => {}); // it ended first: `ended` says so
    this.#child.stderr.on('error', () => {});
    this.#child.stderr.setEncoding('utf8');
    this.#child.stderr.on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-mostSaid);
    });
  }

  /** undefined: it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** false: the card takes nothing any more. */
  write(samples: Buffer): boolean {
    if (this.#hasEnded || this.#child.pid === undefined || this.#child.stdin.writableLength > mostWaiting) return false;
    this.#child.stdin.write(samples);
    return true;
  }

  /** Plays what it has, and ends. */
  finish(): void {
    if (this.#child.pid !== undefined) this.#child.stdin.end();
  }

  /** Silent at once: the kernel drops what the card has not played. */
  cut(why = ''): void {
    if (this.#hasEnded) return;
    this.#said += why;
    this.#child.kill('SIGKILL');
  }
}

/** `aplay: main:831: audio open error: No such file or directory` -> what people need of it. */
function wordsOf(said: string): string {
  const lines = said
    .split('\n')
    .map((line) => line.replace(/^aplay: \w+:\d+: |^\[\w+ @ 0x[0-9a-f]+\] /, '').trim())
    .filter((line) => line !== '');
  const own = lines.filter((line) => !line.startsWith('ALSA lib'));
  return (own.length > 0 ? own : lines).join('; ').slice(0, longestWords);
}
