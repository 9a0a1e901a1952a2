/** The only place that asks what time it is. Tests inject `ManualClock`. */
export interface Clock {
  /** Wall clock, ms since epoch UTC. */
  now(): number;
  /** Never steps; ms since an arbitrary start. For timeouts, back-off and pacing. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** A clock that moves only when told to. */
export class ManualClock implements Clock {
  #now: number;
  #monotonic = 0;

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  advance(ms: number): void {
    this.#now += ms;
    this.#monotonic += ms;
  }

  /** The wall clock jumps (NTP, a person); the monotonic one does not. */
  step(ms: number): void {
    this.#now += ms;
  }
}
