/**
 * What may be sent within sliding windows. A part of each is kept for critical words: after a flood of small ones, the fire
 * must not wait for its minute.
 */
export class Pace {
  readonly #windows: readonly { readonly most: number; readonly within: number; readonly times: number[] }[];

  /** [messages, within ms] each. */
  constructor(limits: readonly (readonly [number, number])[]) {
    this.#windows = limits.map(([most, within]) => ({ most, within, times: [] }));
  }

  /** `now` is monotonic, ms. */
  allows(now: number, isCritical: boolean): boolean {
    return this.#windows.every(({ most, within, times }) => {
      while (times[0] !== undefined && times[0] <= now - within) times.shift();
      return times.length < (isCritical ? most : most - reserveOf(most));
    });
  }

  note(now: number): void {
    for (const { times, most } of this.#windows) {
      times.push(now);
      // Only the newest count, whatever was sent before the limits were known.
      if (times.length > most) times.shift();
    }
  }
}

/** A quarter, where there is something to keep. */
function reserveOf(most: number): number {
  return most < 4 ? 0 : Math.floor(most / 4);
}
