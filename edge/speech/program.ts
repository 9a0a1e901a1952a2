import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';

/* A program that is run once: with a time limit, in a process group of its own, below all else that runs here. */

export interface ProgramJob {
  /** A path, or a name looked for in PATH. */
  readonly path: string;
  readonly args: readonly string[];
  readonly folder?: string;
  /** On its standard input, which then ends. */
  readonly input?: string;
  /** ms */
  readonly patience: number;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of standard output that are kept; more ends it. */
  readonly mostOutput?: number;
}

export interface ProgramEnd {
  /** null: ended by a signal of somebody else. */
  readonly code: number | null;
  readonly out: string;
  /** The last it said on standard error. */
  readonly said: string;
}

const mostSaid = 8_192;
const usualOutput = 1_000_000;

/**
 * Runs it to its end, whatever that is. Throws PROGRAM_MISSING when it cannot be started, TIMEOUT after `patience`, PROGRAM_LOUD when it
 * says too much, and the reason of the signal; its whole group has been killed then.
 */
export function runProgram(job: ProgramJob): Promise<ProgramEnd> {
  const { path, args, folder, input = '', patience, signal, mostOutput = usualOutput } = job;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = spawn(path, [...args], { stdio: ['pipe', 'pipe', 'pipe'], detached: true, cwd: folder });
    const out: Buffer[] = [];
    let heard = 0;
    let said = '';
    let failure: unknown = null;
    const fail = (why: unknown) => {
      failure ??= why;
      killGroup(child.pid);
    };
    const stop = () => fail(signal?.reason);
    const late = setTimeout(
      () => fail(new CodedError('TIMEOUT', `${path} took longer than ${patience / 1_000} s`)),
      patience,
    );
    signal?.addEventListener('abort', stop, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      heard += chunk.length;
      if (heard <= mostOutput) out.push(chunk);
      else fail(new CodedError('PROGRAM_LOUD', `${path} said more than ${mostOutput} bytes`));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-mostSaid);
    });
    child.stdin.on('error', () => {}); // it ended before it read all
    child.stdin.end(input);
    lowerPriority(child.pid);
    const settle = () => {
      clearTimeout(late);
      signal?.removeEventListener('abort', stop);
    };
    child.once('error', (error) => {
      settle();
      reject(new CodedError('PROGRAM_MISSING', `${path} cannot be started: ${messageOf(error)}`, { cause: error }));
    });
    child.once('close', (code) => {
      settle();
      if (failure !== null) reject(failure);
      else resolve({ code, out: Buffer.concat(out).toString('utf8'), said });
    });
  });
}

/** The last words of a program, for people: no paths of this machine. */
export function lastWords({ code, said }: Pick<ProgramEnd, 'code' | 'said'>, paths: readonly string[] = []): string {
  const lines = said
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-2);
  const text = paths.reduce((words, path) => words.replaceAll(path, 'the file'), lines.join('; '));
  return text.slice(0, 300) || (code === null ? 'it was killed' : `it ended with ${code}`);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ended meanwhile
  }
}

/** A bell in the next room must not stutter because somebody makes a clip. */
function lowerPriority(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // ended meanwhile
  }
}
