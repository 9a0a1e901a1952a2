import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { within } from '#edge/runtime/lifecycle.ts';

/* What every bench needs around it: a folder, free ports, child processes that end with it. */

export interface Folder extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryFolder(name: string): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), `campus-${name}-`));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
  };
}

/** Ports that were free a moment ago: held open together while they are chosen, so that all differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await within(15_000, `ending process ${child.pid}`, exited);
}

/** A script of ours in a process of its own: it gets `order` in one message and answers in messages. */
export class Script implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #answers: Record<string, unknown>[] = [];
  #wake: () => void = () => {};

  constructor(file: string, nodeFlags: readonly string[] = []) {
    const execArgv = ['--disable-warning=ExperimentalWarning', ...nodeFlags];
    this.#child = fork(join(import.meta.dirname, file), { execArgv });
    this.#child.on('message', (answer: Record<string, unknown>) => {
      this.#answers.push(answer);
      this.#wake();
    });
    this.#child.on('exit', () => this.#wake());
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ask(order: object, ms = 60_000): Promise<Record<string, unknown>> {
    this.#child.send(order);
    const answered = async () => {
      while (this.#answers.length === 0) {
        if (this.#child.exitCode !== null) throw new Error(`the process ended with code ${this.#child.exitCode}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      return this.#answers.shift() ?? {};
    };
    const answer = await within(ms, `an answer to ${JSON.stringify(order).slice(0, 60)}`, answered());
    if (typeof answer.error === 'string') throw new Error(answer.error);
    return answer;
  }

  /** It ends by itself when it can: then Node writes down what it compiled, and the next start finds it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    try {
      if (this.#child.connected) this.#child.disconnect();
      await within(2_000, 'its end', exited);
    } catch {
      await endProcess(this.#child);
    }
  }
}

/** The other side of `Script`: answers each order with what `work` returns, or with its error. */
export function serveOrders(work: (order: Record<string, unknown>) => Promise<object>): void {
  process.on('message', (order: Record<string, unknown>) => {
    work(order).then(
      (answer) => process.send?.(answer),
      (error: unknown) =>
        process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.on('disconnect', () => process.exit());
}

/** A program of the system, quiet, ended with the bench. */
export function startProgram(file: string, args: readonly string[]): ChildProcess & AsyncDisposable {
  const child = spawn(file, [...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  return Object.assign(child, { [Symbol.asyncDispose]: () => endProcess(child) });
}

/** CPU time that a process has used since it started, ms; null where there is no /proc. */
export async function cpuTimeOf(pid: number): Promise<number | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // After the command's closing bracket: state is field 3, utime and stime are 14 and 15, in ticks of 10 ms.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return null;
  }
}

/** Looks until it is so, every 5 ms or `every`; throws what it waited for. */
export async function until(
  what: string,
  ms: number,
  isSo: () => boolean | Promise<boolean>,
  every = 5,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${ms / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
