import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { messageOf } from './errors.ts';
import type { Log } from './log.ts';

/* What the operating system does for the supervisor. None of it may throw: the supervisor has nobody above it. */

export interface Spawned {
  /** Absolute path of the composition root. */
  readonly module: string;
  /** V8 heap cap; a leak ends the child, not the box. */
  readonly heapMb: number;
  /** Cap of resident memory: buffers are not on the heap. */
  readonly memoryMb?: number;
  /** 0 (default) to 19. */
  readonly nice?: number;
  /** More flags for Node, e.g. its permission model. */
  readonly nodeFlags?: readonly string[];
}

/** Starts a child of ours; its outcome comes as the events of the process, also when it could not be started. */
export function spawnChild({ module, heapMb, nodeFlags = [] }: Spawned): ChildProcess | Error {
  const flags = [
    `--max-old-space-size=${heapMb}`,
    '--disable-warning=ExperimentalWarning',
    // Otherwise any process of this user opens a debugger in us, by one signal.
    '--disable-sigusr1',
    ...nodeFlags,
  ];
  try {
    return fork(module, [], {
      execArgv: flags,
      env: childEnvironment(nodeFlags),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
}

/** Children get no more of our environment than programs need to run: no secret travels that way. */
function childEnvironment(nodeFlags: readonly string[]): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = {};
  // Whoever lives under the permission model must not write what the others will run.
  const cache = nodeFlags.includes('--permission') ? [] : ['NODE_COMPILE_CACHE'];
  for (const name of ['PATH', 'HOME', 'TZ', 'LANG', 'TMPDIR', ...cache]) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

/** Gives the child its place: behind the others for the CPU, and before them when the kernel must end somebody. */
export function placeChild(pid: number, { nice = 0 }: Spawned, log: Log): void {
  if (nice === 0) return;
  try {
    setPriority(pid, Math.min(nice, constants.priority.PRIORITY_LOW));
    writeFileSync(`/proc/${pid}/oom_score_adj`, '800');
  } catch (error) {
    log.warn({ error, pid }, 'a process keeps the priority of the others');
  }
}

/** A pid file that cannot be written (a full disk) costs the cleaning up after the next crash, no more. */
export function writePidFile(file: string, pid: number, log: Log): void {
  try {
    writeFileSync(file, String(pid), { mode: 0o600 });
  } catch (error) {
    log.warn({ error, pid }, 'the pid file of a process could not be written');
  }
}

export function removePidFile(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // killStale finds out that no such process is there
  }
}

/** A child whose loop spins cannot notice that its supervisor was killed; the next supervisor ends it. Linux only. */
export function killStale(pidFile: string, module: string, log: Log): void {
  let pid: number;
  try {
    pid = Number(readFileSync(pidFile, 'utf8'));
    if (!Number.isInteger(pid) || pid <= 1 || pid === process.pid) return;
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(module)) return;
  } catch {
    return; // no pid file, or no such process: nothing is left over
  }
  log.warn({ pid }, 'a process of an earlier run is still there and is killed');
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended between the two looks
  }
}

/** Resident memory as the kernel counts it, bytes: a hog does not get to tell. null where there is no /proc. */
export function residentMemory(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}
