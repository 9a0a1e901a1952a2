import type { Clock } from '#edge/runtime/clock.ts';
import type { Heard, Report } from './rtcp.ts';

/* Who says that it hears one stream, and who has stopped saying so. */

export interface Verdict {
  /** `unknown`: nobody has said anything (most receivers never do); `failed`: those who did say so no longer. */
  readonly state: 'unknown' | 'heard' | 'failed';
  /** For people: the last evidence. '' without any. */
  readonly evidence: string;
}

interface Receiver {
  last: number;
  /** When it last said that more had arrived. */
  progress: number;
  highest: number;
  lost: number;
  /** Its longest pause between two reports, ms. */
  pause: number;
  isGone: boolean;
}

/** A receiver is given up when it missed two of its reports; these bounds, ms. */
const pauses = 2.5;
const shortestWait = 2_000;
const longestWait = 16_000;
/** Half of what was sent must have arrived for it to count as heard. */
const mostLost = 0.5;
/** Receivers of one group that are remembered. */
const mostReceivers = 256;

export class Listeners {
  readonly #clock: Clock;
  readonly #receivers = new Map<number, Receiver>();
  #ssrc: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Another stream begins: what was said of the last one says nothing of it. */
  begin(ssrc: number): void {
    this.#ssrc = ssrc;
    this.#receivers.clear();
  }

  take({ reports, gone }: Heard): void {
    for (const report of reports) if (report.about === this.#ssrc) this.#take(report);
    for (const ssrc of gone) {
      const receiver = this.#receivers.get(ssrc);
      if (receiver !== undefined) receiver.isGone = true;
    }
  }

  #take({ from, highest, lost }: Report): void {
    const now = this.#clock.monotonic();
    const known = this.#receivers.get(from);
    if (known === undefined) {
      if (this.#receivers.size >= mostReceivers) return;
      const progress = lost > mostLost ? Number.NEGATIVE_INFINITY : now;
      this.#receivers.set(from, { last: now, progress, highest, lost, pause: 0, isGone: false });
      return;
    }
    known.pause = Math.max(known.pause, now - known.last);
    known.last = now;
    known.lost = lost;
    known.isGone = false;
    if (highest === known.highest || lost > mostLost) return;
    known.highest = highest;
    known.progress = now;
  }

  verdict(): Verdict {
    const now = this.#clock.monotonic();
    const all = [...this.#receivers.values()];
    const [first] = all;
    if (first === undefined) return { state: 'unknown', evidence: '' };
    const hearing = all.filter((receiver) => isHearing(receiver, now));
    if (hearing.length === 0) return { state: 'failed', evidence: whyNot(first, now) };
    const lost = Math.max(...hearing.map((receiver) => receiver.lost));
    const who = hearing.length === 1 ? 'a receiver reports' : `${hearing.length} receivers report`;
    const others = all.length === hearing.length ? '' : `; ${all.length - hearing.length} no longer`;
    return { state: 'heard', evidence: `${who} that it arrives (RTCP), ${Math.round(lost * 100)} % lost${others}` };
  }
}

function isHearing(receiver: Receiver, now: number): boolean {
  return !receiver.isGone && now - receiver.progress <= patienceWith(receiver);
}

function patienceWith({ pause }: Receiver): number {
  // After one report nothing is known of its pace; 5 s is the usual one (RFC 3550 section 6.2).
  if (pause === 0) return longestWait;
  return Math.min(longestWait, Math.max(shortestWait, pause * pauses));
}

function whyNot(receiver: Receiver, now: number): string {
  if (receiver.isGone) return 'the receiver said good-bye (RTCP)';
  const silence = Math.round((now - receiver.last) / 1000);
  if (now - receiver.last > patienceWith(receiver)) return `the receiver has not reported for ${silence} s (RTCP)`;
  return `the receiver reports that nothing arrives any more (RTCP)`;
}
