import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, codeOf, messageOf } from './errors.ts';

const choose = 'choose another folder with --data';

/**
 * Makes the data folder ours: it exists, only this user may look into it, and no other supervisor runs on it. Throws
 * DATA_FOLDER or DATA_IN_USE. Must come before anything is changed there: the processes of a supervisor that lives are
 * not to be taken for leftovers. A lock whose process is gone is taken over.
 */
export function lockDataFolder(folder: string): Disposable {
  const file = join(folder, 'supervisor.lock');
  const own = describeProcess(process.pid) ?? String(process.pid);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if ((statSync(folder).mode & 0o077) !== 0) chmodSync(folder, 0o700);
    takeLock(file, own);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError('DATA_FOLDER', `cannot use the data folder ${folder}: ${messageOf(error)}; ${choose}`, {
      cause: error,
    });
  }
  return {
    [Symbol.dispose]() {
      if (readLock(file) === own) rmSync(file, { force: true });
    },
  };
}

function takeLock(file: string, own: string): void {
  const draft = `${file}.${process.pid}`;
  rmSync(draft, { force: true });
  writeFileSync(draft, `${own}\n`, { mode: 0o600, flush: true });
  try {
    // Two attempts: the second is for a lock that was left behind by a process that is gone.
    if (isLinked(draft, file)) return;
    removeDeadLock(file, draft);
    if (!isLinked(draft, file)) throw inUse(file, readLock(file));
  } finally {
    rmSync(draft, { force: true });
  }
}

function isLinked(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function removeDeadLock(file: string, draft: string): void {
  const held = readLock(file);
  if (isAlive(held)) throw inUse(file, held);
  const taken = `${draft}.dead`;
  renameSync(file, taken);
  // Another supervisor that starts in the same moment may have taken over first: then this is its lock, and goes back.
  const moved = readLock(taken);
  if (moved !== held && isAlive(moved)) isLinked(taken, file);
  rmSync(taken, { force: true });
}

function inUse(file: string, held: string): CodedError {
  const pid = held.split(' ')[0];
  const what = `the data folder ${join(file, '..')} is in use by process ${pid}: stop that one first, or ${choose}`;
  return new CodedError('DATA_IN_USE', what);
}

function readLock(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/** Numbers of processes come again, and after a reboot soon: the time of its start tells one from the other. */
function isAlive(held: string): boolean {
  const pid = Number(held.split(' ')[0]);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const now = describeProcess(pid);
  if (now !== null) return now === held;
  try {
    process.kill(pid, 0); // there is no /proc here, or it hides the processes of others
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** `<pid> <start, ticks since boot> <boot>`; null where there is no /proc, or no such process. */
function describeProcess(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything, spaces too: field 22 is the 20th behind it (man 5 proc_pid_stat).
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${pid} ${start} ${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`;
  } catch {
    return null;
  }
}
