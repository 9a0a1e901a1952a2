import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import type { Clock } from './clock.ts';

/** Whether anybody sets this box's clock, and who said so. */
export interface ClockSync {
  /** null: nothing on this box can say. */
  readonly synchronised: boolean | null;
  readonly source: 'kernel' | 'systemd-timesyncd' | 'chrony' | 'ntpd' | 'timedatectl' | 'unknown';
}

export interface ClockSyncOptions {
  readonly clock: Clock;
  /** Where systemd-timesyncd keeps its state while it runs. */
  readonly timesyncFolder?: string;
  readonly perl?: string;
  readonly chronyc?: string;
  readonly ntpq?: string;
  readonly timedatectl?: string;
  /** How long an answer counts, ms. */
  readonly keepMs?: number;
  readonly timeoutMs?: number;
}

/**
 * Asks who knows; never throws, needs no rights, and does not care whether time comes over IPv4, IPv6 or a receiver. First the kernel:
 * whoever disciplines its clock clears STA_UNSYNC (adjtimex(2)), and the kernel sets it again when somebody puts the clock on by hand,
 * after suspend, and when nothing has been heard for so long that the error may be 16 s. Where it says no, a daemon may still say yes:
 * chrony without `rtcsync` leaves the flag alone. Where no daemon is there at all, nobody knows.
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
  const { timesyncFolder = '/run/systemd/timesync', timeoutMs = 2_000 } = options;
  const kernel = await askKernel(options.perl ?? 'perl', timeoutMs);
  if (kernel === true) return { synchronised: true, source: 'kernel' };
  const chrony = await askChrony(options.chronyc ?? 'chronyc', timeoutMs);
  if (chrony !== 'silent') return { synchronised: chrony, source: 'chrony' };
  const ntpd = await askNtpd(options.ntpq ?? 'ntpq', timeoutMs);
  if (ntpd !== 'silent') return { synchronised: ntpd, source: 'ntpd' };
  // It touches its mark when it has set the clock (systemd-timesyncd.service(8), FILES), and leaves it there whatever comes: where the
  // kernel was asked, its word is newer.
  if (exists(timesyncFolder))
    return { synchronised: kernel ?? exists(`${timesyncFolder}/synchronized`), source: 'systemd-timesyncd' };
  return askTimedatectl(options.timedatectl ?? 'timedatectl', timeoutMs);
}

/**
 * adjtimex(2) asked with `modes` 0, which anybody may. Node has no system calls; perl-base is essential to Debian. `struct timex` of
 * 64-bit Linux: maxerror at 24, status at 40. Prints `<status> <maxerror in us>`.
 */
const adjtimex =
  'use POSIX; my $n = {x86_64 => 159, aarch64 => 171, riscv64 => 171}->{(POSIX::uname())[4]} or exit 1;' +
  'my $b = "\\0" x 208; syscall($n, $b) >= 0 or exit 1; my ($m, $e, $s) = unpack("x24 q q l", $b); print "$s $m\\n"';
const unsynchronised = 0x40;

/** null: it could not be asked. */
async function askKernel(perl: string, timeout: number): Promise<boolean | null> {
  const found = /^(\d+) \d+$/.exec((await say(perl, ['-e', adjtimex], timeout))?.trim() ?? '');
  return found === null ? null : (Number(found[1]) & unsynchronised) === 0;
}

/** Who is served by `local` alone declares his own clock right: chrony calls that normal, and it is worth nothing here (chrony.conf(5)). */
const itself = '7F7F0101';

/** `silent`: it does not run. null: it runs, and nobody sets it. */
async function askChrony(chronyc: string, timeout: number): Promise<boolean | null | 'silent'> {
  const fields = (await say(chronyc, ['-n', '-c', 'tracking'], timeout))?.trim().split(',') ?? [];
  const leap = fields.at(-1);
  if (fields.length < 14 || leap === undefined || leap === '') return 'silent';
  if (fields[0] === itself) return null;
  return leap !== 'Not synchronised';
}

/** ntpd and ntpsec: `leap=00` to `10`, and `11` while nobody sets it (ntpq(1), rv). Its own clock again: 127.127.1. */
async function askNtpd(ntpq: string, timeout: number): Promise<boolean | null | 'silent'> {
  const said = await say(ntpq, ['-n', '-c', 'rv 0 leap,refid'], timeout);
  const leap = /\bleap=(\d\d)\b/.exec(said ?? '')?.[1];
  if (leap === undefined) return 'silent';
  if (/\brefid=(?:127\.127\.1\.|LOCL|LOCAL)/.test(said ?? '')) return null;
  return leap !== '11';
}

/** The kernel's flag again, and whether a service for it is on at all: without one a no says only that nobody cares. */
async function askTimedatectl(timedatectl: string, timeout: number): Promise<ClockSync> {
  const said = await say(timedatectl, ['show', '--property=NTPSynchronized', '--property=NTP'], timeout);
  if (/^NTPSynchronized=yes$/m.test(said ?? '')) return { synchronised: true, source: 'timedatectl' };
  if (/^NTPSynchronized=no$/m.test(said ?? '') && /^NTP=yes$/m.test(said ?? ''))
    return { synchronised: false, source: 'timedatectl' };
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
