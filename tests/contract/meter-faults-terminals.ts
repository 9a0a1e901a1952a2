import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { within } from '#edge/runtime/lifecycle.ts';

/* Serial ports of the operating system (pseudo terminals) that can be pulled out, joined to TCP servers. */

const python = 'python3';
const script = new URL('../fixtures/modbus/pty_lines.py', import.meta.url).pathname;

/** null: there are pseudo terminals here; else why not. */
export function whyNoTerminals(): string | null {
  if (process.platform !== 'linux') return 'pseudo terminals need Linux';
  return spawnSync(python, ['-c', 'import pty'], { timeout: 20_000 }).status === 0 ? null : 'there is no python3';
}

export interface Terminals extends AsyncDisposable {
  /** As the ports that were given. */
  readonly paths: readonly string[];
  unplug(index: number): void;
}

export async function startTerminals(ports: readonly number[]): Promise<Terminals> {
  const folder = await mkdtemp(join(tmpdir(), 'campus-lines-'));
  const child = spawn(python, [script, folder, ...ports.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => {});
  const end = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', () => resolve());
    child.once('exit', (code) => reject(new Error(`the terminals ended with ${code}`)));
  });
  await within(20_000, 'pseudo terminals', ready);
  return {
    paths: ports.map((_, i) => join(folder, `line-${i}`)),
    unplug: (index) => void child.stdin.write(`unplug ${index}\n`),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await end;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
