import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { type TryView, trySchema } from '#edge/web/place-schemas.ts';

/*
 * `campus device try` in a process of its own: a device that answers nonsense, a driver that hangs or eats memory ends
 * that process and nothing else. The address travels by standard input: others on this machine see command lines.
 */

const program = join(import.meta.dirname, '../../cli/main.ts');
const patience = 20_000;
const heapMb = 128;
const mostOutput = 1_000_000;
const mostAtOnce = 2;

export interface TryOptions {
  readonly program?: string;
  readonly patience?: number;
}

/** Throws TOO_MANY_REQUESTS when two run already. What is wrong with the device, or ends the process, is the answer. */
export function createTryProfile(options: TryOptions = {}) {
  let running = 0;
  return async (profile: string, address: object, signal: AbortSignal): Promise<TryView> => {
    if (running >= mostAtOnce) {
      throw new CodedError('TOO_MANY_REQUESTS', 'two devices are being tried already: wait a moment');
    }
    running++;
    const started = performance.now();
    try {
      return trySchema.parse(JSON.parse(await run(options, profile, address, signal)));
    } catch (error) {
      const message = `trying it ended without an answer: ${messageOf(error).slice(0, 200)}`;
      return { ok: false, message, ms: Math.round(performance.now() - started), points: [] };
    } finally {
      running--;
    }
  };
}

function run(options: TryOptions, profile: string, address: object, signal: AbortSignal): Promise<string> {
  const flags = [`--max-old-space-size=${heapMb}`, '--disable-warning=ExperimentalWarning', '--disable-sigusr1'];
  const words = ['device', 'try', profile, '--address-stdin', '--json', '--lang', 'en'];
  return new Promise((resolve, reject) => {
    // A group of its own, so that whatever it starts ends with it.
    const child = spawn(process.execPath, [...flags, options.program ?? program, ...words], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      env: {},
    });
    let out = '';
    let problem = '';
    const end = () => killGroup(child.pid);
    const late = setTimeout(() => {
      problem = `nothing came within ${(options.patience ?? patience) / 1000} s`;
      end();
    }, options.patience ?? patience);
    signal.addEventListener('abort', end, { once: true });
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
      if (out.length > mostOutput) end();
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (problem.length < 1_000) problem += chunk;
    });
    child.stdin.on('error', () => {}); // it ended before it read
    child.stdin.end(JSON.stringify(address));
    const settle = (finish: () => void) => {
      clearTimeout(late);
      signal.removeEventListener('abort', end);
      end();
      finish();
    };
    child.on('error', (error) => settle(() => reject(error)));
    child.on('close', () => {
      const isAnswer = out.startsWith('{') && out.length <= mostOutput;
      settle(() => (isAnswer ? resolve(out) : reject(new Error(lastLine(problem)))));
    });
    if (signal.aborted) end();
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It and all its own are gone.
  }
}

/** The line that says what went wrong: a crash prints its source before and its version after it. */
function lastLine(text: string): string {
  const lines = text.trim().split('\n');
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? '';
}
