const slice = 5_000;
const slices = 12;

/** How much of the last minute a line was busy. Times are monotonic ms. */
export class BusyMeter {
  readonly #busy = new Float64Array(slices);
  readonly #began: number;
  #slice: number;
  #running = 0;
  #since = 0;

  constructor(now: number) {
    this.#began = now;
    this.#slice = Math.floor(now / slice);
  }

  start(now: number): void {
    if (this.#running++ === 0) this.#since = now;
  }

  end(now: number): void {
    if (--this.#running > 0) return;
    this.#add(now);
  }

  /** 0 to 1. */
  share(now: number): number {
    if (this.#running > 0) {
      this.#add(now);
      this.#since = now;
    } else this.#turn(now);
    const span = Math.min(now - this.#began, (slices - 1) * slice + (now % slice));
    const total = this.#busy.reduce((sum, ms) => sum + ms, 0);
    return span <= 0 ? 0 : Math.min(1, total / span);
  }

  /** What began in an earlier slice is counted in the one it ends in: a request is short against a slice. */
  #add(now: number): void {
    this.#turn(now);
    const index = this.#slice % slices;
    this.#busy[index] = (this.#busy[index] ?? 0) + (now - this.#since);
  }

  #turn(now: number): void {
    const present = Math.floor(now / slice);
    for (let passed = Math.max(this.#slice + 1, present - slices + 1); passed <= present; passed++) {
      this.#busy[passed % slices] = 0;
    }
    this.#slice = present;
  }
}
