import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { type Rate, samplesIn } from './codecs.ts';
import { type FrameResampler, startFrameResampling } from './live-resample.ts';

/* Somebody speaks: sound that comes in bits, when the network brings it, and is heard in frames of 20 ms. */

/** The end where sound comes in. */
export interface LiveWriter extends Disposable {
  /** Mono, any number of samples at the session's rate. Never waits: what is too much is dropped, oldest first, and counted. */
  push(pcm: Int16Array): void;
  /** What was pushed is heard to its end; then the loudspeakers fall silent. Disposing it does the same. */
  end(): void;
  figures(): LiveFigures;
}

export interface LiveFigures {
  /** Frames of 20 ms. */
  readonly waiting: number;
  readonly heard: number;
  /** Silent because nothing had come in time. */
  readonly underruns: number;
  /** Thrown away: too much at once, or the sender's clock is faster than ours. */
  readonly dropped: number;
}

/** The end where loudspeakers listen. */
export interface LiveSource {
  readonly session: string;
  /** 20 ms at 48 kHz; null: over. The same tick gives the same. */
  frame(tick: number): Int16Array | null;
  isOver(tick: number): boolean;
  figures(): LiveFigures;
}

export interface LiveSources {
  /** Opens a session for whoever speaks. Throws LIVE_TAKEN, LIVE_FULL. */
  open(session: string, rate?: Rate): LiveWriter;
  /** Listens to a session, also to one that nobody opened yet: silence, and over after 10 s without. */
  listen(session: string): LiveSource;
}

const liveRate: Rate = 48_000;
/** What is collected before it is heard: the jitter of a browser over a school's wireless network. */
const prefill = 3;
/** More than this is never waiting: half a second late is no conversation. */
const mostWaiting = 25;
/** If it is never fewer than this for 5 s, the sender's clock is faster: one is left out. */
const tooMany = 6;
const driftFrames = 250;
/** Nobody opened it, or nothing came for so long: it is over, ms. */
const patience = 10_000;
const mostSessions = 32;
/** Ticks that a stream which catches up may ask for again. */
const remembered = 8;

export function createLiveSources(clock: Clock): LiveSources {
  const sessions = new Map<string, LiveSession>();

  function find(session: string): LiveSession {
    for (const [name, known] of sessions) if (known.isForgotten()) sessions.delete(name);
    const known = sessions.get(session);
    if (known !== undefined) return known;
    if (sessions.size >= mostSessions) {
      throw new CodedError('LIVE_FULL', `${mostSessions} live sessions are open, which is the most`);
    }
    const opened = new LiveSession(session, clock);
    sessions.set(session, opened);
    return opened;
  }

  return {
    open(session, rate = liveRate) {
      return find(session).write(rate);
    },
    listen: find,
  };
}

class LiveSession implements LiveSource {
  readonly session: string;
  readonly #clock: Clock;
  readonly #queue: Int16Array[] = [];
  readonly #ring = new Map<number, Int16Array>();
  readonly #silence = new Int16Array(samplesIn(liveRate));
  #state: 'awaited' | 'open' | 'ended' = 'awaited';
  #lastPush: number;
  #isFilling = true;
  #fewest = Number.POSITIVE_INFINITY;
  #sinceDrift = 0;
  #heard = 0;
  #underruns = 0;
  #dropped = 0;
  #overAt: number | null = null;

  constructor(session: string, clock: Clock) {
    this.session = session;
    this.#clock = clock;
    this.#lastPush = clock.monotonic();
  }

  write(rate: Rate): LiveWriter {
    if (this.#state !== 'awaited') throw new CodedError('LIVE_TAKEN', `somebody speaks on "${this.session}" already`);
    this.#state = 'open';
    this.#lastPush = this.#clock.monotonic();
    const resample: FrameResampler = startFrameResampling(rate, liveRate);
    let held = new Int16Array(0);
    const size = samplesIn(rate);
    const end = () => {
      if (this.#state !== 'open') return;
      this.#state = 'ended';
      this.#lastPush = this.#clock.monotonic();
    };
    return {
      push: (pcm) => {
        if (this.#state !== 'open') return;
        this.#lastPush = this.#clock.monotonic();
        // Half a second is the most that is of use.
        const joined = new Int16Array(held.length + pcm.length);
        joined.set(held);
        joined.set(pcm, held.length);
        let at = 0;
        for (; at + size <= joined.length; at += size) this.#take(resample(joined.slice(at, at + size)));
        held = joined.slice(at);
      },
      end,
      figures: () => this.figures(),
      [Symbol.dispose]: end,
    };
  }

  #take(frame: Int16Array): void {
    this.#queue.push(frame);
    if (this.#queue.length <= mostWaiting) return;
    this.#queue.shift();
    this.#dropped++;
  }

  frame(tick: number): Int16Array | null {
    const known = this.#ring.get(tick);
    if (known !== undefined) return known;
    if (this.isOver(tick)) return null;
    const frame = this.#next();
    if (frame === null) {
      this.#overAt = tick;
      return null;
    }
    this.#ring.set(tick, frame);
    const [oldest] = this.#ring.keys();
    if (this.#ring.size > remembered && oldest !== undefined) this.#ring.delete(oldest);
    return frame;
  }

  isOver(tick: number): boolean {
    return this.#overAt !== null && tick >= this.#overAt;
  }

  #next(): Int16Array | null {
    const waiting = this.#queue.length;
    if (waiting === 0 && this.#state === 'ended') return null;
    if (this.#clock.monotonic() - this.#lastPush > patience) return null;
    if (this.#isFilling && waiting < prefill && this.#state !== 'ended') return this.#silence;
    this.#isFilling = false;
    this.#leaveOut(waiting);
    const frame = this.#queue.shift();
    if (frame === undefined) {
      this.#isFilling = true;
      this.#underruns++;
      return this.#silence;
    }
    this.#heard++;
    return frame;
  }

  #leaveOut(waiting: number): void {
    this.#fewest = Math.min(this.#fewest, waiting);
    if (++this.#sinceDrift < driftFrames) return;
    if (this.#fewest > tooMany) {
      this.#queue.shift();
      this.#dropped++;
    }
    this.#fewest = Number.POSITIVE_INFINITY;
    this.#sinceDrift = 0;
  }

  /** Nobody will miss it. */
  isForgotten(): boolean {
    const age = this.#clock.monotonic() - this.#lastPush;
    return this.#state === 'open' ? age > 6 * patience : age > 2 * patience;
  }

  figures(): LiveFigures {
    const [heard, underruns, dropped] = [this.#heard, this.#underruns, this.#dropped];
    return { waiting: this.#queue.length, heard, underruns, dropped };
  }
}
