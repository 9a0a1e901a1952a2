/*
 * When was this picture? A camera's stream has a clock of its own that begins anywhere and runs a little wrong; ours says when bytes
 * arrived, late by what the network took. Footage lies at our time, without holes where there are none.
 */

/** Most that a correction may stretch or squeeze footage: what crystals and sloppy timestamps need, nobody sees it. */
const slew = 0.01;
/** What is further off is no drift: one of the clocks was set, or the stream's times are wrong, ms. */
const jump = 2_000;

/** Where a file begins, and whether it follows the one before without a gap. */
export interface Placed {
  readonly wall: number;
  readonly isSeamless: boolean;
}

/** Puts the times of one generation of a stream onto our clock. Both in ms. */
export class StreamClock {
  readonly #anchor: { offset: number; since: number };
  /** Least lateness since the last correction: bytes may be late, never early. */
  #least = Number.POSITIVE_INFINITY;

  /** The first fragment. */
  constructor(time: number, arrived: number) {
    this.#anchor = { offset: arrived - time, since: time };
  }

  observe(time: number, arrived: number): void {
    this.#least = Math.min(this.#least, arrived - time - this.#anchor.offset);
  }

  wallOf(time: number): number {
    return Math.round(time + this.#anchor.offset);
  }

  /** Our clock was set: what comes from now on lies there. */
  shift(by: number): void {
    this.#anchor.offset += by;
  }

  /** A file ends and the next begins with the fragment of this time: the moment to correct what has drifted. */
  place(time: number): Placed {
    const off = Number.isFinite(this.#least) ? this.#least : 0;
    this.#least = Number.POSITIVE_INFINITY;
    const passed = Math.max(0, time - this.#anchor.since);
    this.#anchor.since = time;
    const isJump = Math.abs(off) > jump;
    const most = passed * slew;
    this.#anchor.offset += isJump ? off : Math.min(most, Math.max(-most, off));
    return { wall: this.wallOf(time), isSeamless: !isJump };
  }
}
