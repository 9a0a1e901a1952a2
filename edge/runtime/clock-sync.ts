import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import type { Clock } from './clock.ts';

/** Whether anybody sets this box's clock, and who said so. */
export interface ClockSync {
  /** null: nothing on this box can say. */
  readonly synchronised: boolean | null;
  readonly source: 'systemd-timesyncd' | 'chrony' | 'timedatectl' | 'unknown';
}

export interface ClockSyncOptions {
  readonly clock: Clock;
  /** Where systemd-timesyncd keeps its state while it runs. */
  readonly timesyncFolder?: string;
  readonly chronyc?: string;
  readonly timedatectl?: string;
  /** How long an answer counts, ms. */
  readonly keepMs?: number;
  readonly timeoutMs?: number;
}

/**
 * Asks who knows. Node cannot call adjtimex(2), which has the answer; so, in this order: systemd-timesyncd touches
 * `synchronized` in its folder when it has set the clock (systemd-timesyncd.service(8), FILES); chrony is asked for its
 * leap status (chronyc(1), tracking); timedatectl passes on the kernel's own flag (NTPSynchronized). Never throws.
 */
export function createClockSync(options: ClockSyncOptions): () => Promise<ClockSync> {
  const { clock, keepMs = 30_000 } = options;
  let asked: { readonly at: number; readonly answer: Promise<ClockSync> } | null = null;
  return () => {
    const now = clock.monotonic();
    if (asked === null || now - asked.at >= keepMs) asked = { at: now, answer: ask(options) };
    return asked.answer;
  };
}

async function ask(options: ClockSyncOptions): Promise<ClockSync> {
  const { timesyncFolder = '/run/systemd/timesync', chronyc = 'chronyc', timedatectl = 'timedatectl' } = options;
  const { timeoutMs = 2_000 } = options;
  if (exists(timesyncFolder)) {
    return { synchronised: exists(`${timesyncFolder}/synchronized`), source: 'systemd-timesyncd' };
  }
  const tracking = await say(chronyc, ['-c', 'tracking'], timeoutMs);
  const leap = tracking?.trim().split(',').at(-1);
  if (leap !== undefined && leap !== '') return { synchronised: leap !== 'Not synchronised', source: 'chrony' };
  const flag = (await say(timedatectl, ['show', '--property=NTPSynchronized', '--value'], timeoutMs))?.trim();
  if (flag === 'yes' || flag === 'no') return { synchronised: flag === 'yes', source: 'timedatectl' };
  return { synchronised: null, source: 'unknown' };
}

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // A folder on the way may not be read: then it says nothing.
    return false;
  }
}

/** What a program prints; null when there is none, or when it fails or takes too long. */
function say(program: string, args: readonly string[], timeout: number): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout, killSignal: 'SIGKILL', maxBuffer: 64_000 }, (error, stdout) =>
      resolve(error === null ? stdout : null),
    );
  });
}
