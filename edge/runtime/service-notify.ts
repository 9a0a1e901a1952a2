import { execFile } from 'node:child_process';
import type { ProcessStatus } from '#edge/domain/health.ts';
import type { Clock } from './clock.ts';
import { Ticker } from './lifecycle.ts';

/*
 * What systemd is told (sd_notify(3)): ready once every process has been, and then, twice per WatchdogSec, that the
 * loop of the supervisor turns (it hears and kills the others itself). Node has no Unix datagram sockets, so systemd's own `systemd-notify` says it;
 * the unit needs NotifyAccess=all. Without NOTIFY_SOCKET this does nothing.
 */

const sayPatience = 5_000;
/** A process that takes longer than this to become ready keeps nobody waiting: the page says what is wrong with it. */
const readyPatience = 90_000;

export function startServiceNotify(
  supervisor: { status(): readonly ProcessStatus[] },
  clock: Clock,
): Disposable | null {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdog = '' } = process.env;
  if (socket === undefined) return null;
  const started = clock.monotonic();
  const say = (...words: string[]): void => {
    const env = { PATH: process.env.PATH, NOTIFY_SOCKET: socket };
    // Who cannot be told sees the service fail to start, and systemd says why.
    execFile('systemd-notify', words, { env, timeout: sayPatience }, () => {});
  };
  let isReady = false;
  const half = Number(watchdog) / 2_000;
  let nextBeat = 0;
  return new Ticker(500, () => {
    const processes = supervisor.status();
    const waiting = processes.filter(({ state }) => state === 'starting').map(({ name }) => name);
    const now = clock.monotonic();
    if (!isReady && (waiting.length === 0 || now - started > readyPatience)) {
      isReady = true;
      say('--ready', `--status=${processes.length} processes`);
    }
    // From the supervisor's main loop on purpose: it is the one that nobody else watches; it watches the others itself.
    if (half > 0 && now >= nextBeat) {
      nextBeat = now + half;
      say('WATCHDOG=1');
    }
  });
}
