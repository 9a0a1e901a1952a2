import { connect } from 'node:net';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { Echo } from './icmp.ts';
import type { Target } from './targets.ts';

const probes = 3;
const pause = 200;
const patience = 1_000;
/** Refused is an answer: somebody is there to refuse. */
const answers = new Set(['ECONNREFUSED', 'ECONNRESET']);

/** Three connections, closed at once. What listens, or whether anything does, does not matter. */
export async function knock({ host, port }: Target, clock: Clock, signal: AbortSignal): Promise<Echo> {
  const times: number[] = [];
  let sent = 0;
  while (sent < probes && !signal.aborted) {
    if (sent > 0) await delay(pause, signal);
    const began = clock.monotonic();
    sent++;
    if (await answersOnce(host, port, signal)) times.push(clock.monotonic() - began);
  }
  const latency = times.length === 0 ? null : times.reduce((sum, time) => sum + time, 0) / times.length;
  return { sent, received: times.length, latency };
}

function answersOnce(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const socket = connect({ host, port });
    const end = (isThere: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      // Reset, not closed: nothing stays behind at the other side, and no port of ours waits.
      socket.resetAndDestroy();
      resolve(isThere);
    };
    const giveUp = () => end(false);
    const timer = setTimeout(giveUp, patience);
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('connect', () => end(true));
    // Stays: a late error of a destroyed socket is nobody's news.
    socket.on('error', (error) => end(answers.has(codeOf(error))));
  });
}
