/* The one clock that all pictures follow: a moment of the campus that goes on at a rate, or is held. Pure but for who asks when. */

export const rates = [0.25, 0.5, 1, 2, 4, 8, 16] as const;
export type Rate = (typeof rates)[number];

export class StepClock {
  #time: number;
  #rate: Rate = 1;
  #isRunning = false;
  /** When `#time` was true, ms of the monotonic clock. */
  #since = 0;

  constructor(time: number) {
    this.#time = time;
  }

  get rate(): Rate {
    return this.#rate;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  timeAt(monotonic: number): number {
    return this.#isRunning ? this.#time + (monotonic - this.#since) * this.#rate : this.#time;
  }

  set(time: number, monotonic: number): void {
    this.#time = time;
    this.#since = monotonic;
  }

  run(isRunning: boolean, monotonic: number): void {
    if (isRunning === this.#isRunning) return;
    this.set(this.timeAt(monotonic), monotonic);
    this.#isRunning = isRunning;
  }

  setRate(rate: Rate, monotonic: number): void {
    this.set(this.timeAt(monotonic), monotonic);
    this.#rate = rate;
  }
}

/** The next faster or slower rate; the present one at either end. */
export function rateBeside(rate: Rate, by: 1 | -1): Rate {
  return rates[rates.indexOf(rate) + by] ?? rate;
}
