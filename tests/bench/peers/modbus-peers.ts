import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { within } from '#edge/runtime/lifecycle.ts';
import { endProcess } from '../rig.ts';

/* Modbus clients that nobody here wrote, each in a process of its own, told by lines when to read and for how long. */

export interface Measured {
  /** Blocks a second. */
  readonly rate: number;
  /** CPU time of the client's process for one block, us. */
  readonly cpu: number;
}

export interface Peer {
  readonly name: string;
  /** What it is and how it reads, for the note. */
  readonly how: string;
  /** The command that reads; or why there is none here. */
  readonly command: readonly string[] | { readonly missing: string };
}

const here = import.meta.dirname;
/** Debian's: a Python of the user's own knows nothing of python3-pymodbus. */
const python = '/usr/bin/python3';

/** Compiles the client of libmodbus into the folder. */
function libmodbus(folder: string): Peer['command'] {
  const program = join(folder, 'modbus_client');
  const args = ['-O2', '-o', program, join(here, 'modbus_client.c'), '-lmodbus', '-lpthread'];
  const { status, error, stderr } = spawnSync('gcc', args, { encoding: 'utf8', timeout: 60_000 });
  if (error !== undefined) return { missing: `gcc does not run: ${error.message}` };
  if (status === 0) return [program];
  return { missing: `nothing compiles against libmodbus (apt install libmodbus-dev): ${stderr.split('\n')[0]}` };
}

function pymodbus(): Peer['command'] {
  const probe = spawnSync(python, ['-c', 'import pymodbus.client'], { encoding: 'utf8', timeout: 20_000 });
  if (probe.status === 0) return [python, join(here, 'modbus_client.py')];
  return { missing: `${python} has no pymodbus (apt install python3-pymodbus)` };
}

export function modbusPeers(folder: string): readonly Peer[] {
  return [
    { name: 'libmodbus', how: 'libmodbus (C), a thread that blocks for each connection', command: libmodbus(folder) },
    { name: 'pymodbus', how: 'pymodbus of Debian, asyncio, a task for each connection', command: pymodbus() },
  ];
}

export interface Block {
  readonly at: number;
  readonly length: number;
}

/** One of them at work. */
export class PeerClient implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#lines = lines;
  }

  /** Connected to all of them. */
  static async start(command: readonly string[], block: Block, ports: readonly number[]): Promise<PeerClient> {
    const [file = '', ...args] = [...command, String(block.at), String(block.length), ...ports.map(String)];
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    // Whoever waits for its next line hears that it is gone.
    child.on('error', () => child.stdout.destroy());
    child.stdin.on('error', () => {});
    const client = new PeerClient(child, createInterface({ input: child.stdout })[Symbol.asyncIterator]());
    try {
      await client.#line(20_000);
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
    return client;
  }

  async measure(ms: number): Promise<Measured> {
    this.#child.stdin?.write(`${ms}\n`);
    const line = await this.#line(ms + 20_000);
    const [blocks = Number.NaN, passed = Number.NaN, cpu = Number.NaN] = line.split(' ').map(Number);
    return { rate: (1000 * blocks) / passed, cpu: cpu / blocks };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return endProcess(this.#child);
  }

  /** Its next line; throws when it ended instead. */
  async #line(ms: number): Promise<string> {
    const next = await within(ms, `a line of ${this.#child.spawnfile}`, this.#lines.next());
    if (next.done === true) throw new Error(`${this.#child.spawnfile} ended before it said anything`);
    return next.value;
  }
}
