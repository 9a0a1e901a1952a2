/*
 * Go-back-N of one lane: a window of frames after the city's watermark; without progress everything after the watermark
 * is sent again, ever more slowly. Pure state: times are given in (monotonic ms), nothing is sent here.
 */

export interface LaneSenderLimits {
  /** Frames on their way. */
  readonly window: number;
  /** First pause before sending again, and the longest, ms. */
  readonly resendAfter: number;
  readonly resendCap: number;
}

export const laneSenderLimits: LaneSenderLimits = { window: 16, resendAfter: 1_500, resendCap: 60_000 };

/** What an acknowledgement did: moved the watermark on, moved it back (a restored city), or nothing. */
export type Advance = 'progress' | 'back' | 'same';

export class LaneSender {
  readonly epoch: number;
  readonly #limits: LaneSenderLimits;
  #watermark: number;
  #next: number;
  #since: number;
  #attempt = 0;
  /** Frames sent again, since this session began. */
  resent = 0;

  constructor(epoch: number, watermark: number, now: number, limits: LaneSenderLimits) {
    this.epoch = epoch;
    this.#watermark = watermark;
    this.#next = watermark + 1;
    this.#since = now;
    this.#limits = limits;
  }

  get watermark(): number {
    return this.#watermark;
  }

  /** The sequence to send next. */
  get next(): number {
    return this.#next;
  }

  get inFlight(): number {
    return this.#next - 1 - this.#watermark;
  }

  /** Frames that may be sent now, given the city's credit. */
  room(credit: number): number {
    return Math.max(0, Math.min(this.#limits.window, credit) - this.inFlight);
  }

  /** Everything up to `seq` is on its way. The time without progress counts from the first of a window. */
  sent(seq: number, now: number): void {
    if (this.inFlight === 0) this.#since = now;
    this.#next = Math.max(this.#next, seq + 1);
  }

  acknowledged(watermark: number, now: number): Advance {
    if (watermark === this.#watermark) return 'same';
    const advance = watermark > this.#watermark ? 'progress' : 'back';
    this.#watermark = watermark;
    this.#next = advance === 'back' ? watermark + 1 : Math.max(this.#next, watermark + 1);
    this.#since = now;
    this.#attempt = 0;
    return advance;
  }

  /** The city misses `expect`: go back there. What it missed may be long acknowledged, if it was restored. */
  missed(expect: number, now: number): Advance {
    const advance = this.acknowledged(expect - 1, now);
    this.resent += this.inFlight;
    this.#next = expect;
    return advance;
  }

  /** Goes back to the watermark when there was no progress for too long; true when it did. */
  expire(now: number): boolean {
    if (this.inFlight === 0) return false;
    const { resendAfter, resendCap } = this.#limits;
    if (now - this.#since < Math.min(resendCap, resendAfter * 2 ** Math.min(this.#attempt, 20))) return false;
    this.resent += this.inFlight;
    this.#next = this.#watermark + 1;
    this.#since = now;
    this.#attempt += 1;
    return true;
  }
}
