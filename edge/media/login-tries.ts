import type { Clock } from '#edge/runtime/clock.ts';

/** Cameras lock accounts after five to seven wrong passwords (Hikvision), and the driver of events has two tries of its own. */
const allowed = 2;
/** ms; Hikvision locks for as long. */
const holdTime = 1_800_000;
/** While another stream of the camera finds out whether the password is right, ms. */
const soon = 2_000;

/** How often a camera has refused the password for its video: one count for all its streams, however often they are wanted. */
export class LoginTries {
  readonly #clock: Clock;
  readonly #hold: number;
  #version = '';
  #refused = 0;
  #heldUntil = 0;
  /** Connections that may still be refused. */
  #inDoubt = 0;

  constructor(clock: Clock, hold = holdTime) {
    this.#clock = clock;
    this.#hold = hold;
  }

  /** A try, to be disposed when it is over; else how long none may be made, ms. */
  take(version: string): Disposable | { readonly left: number } {
    if (version !== this.#version) this.#begin(version);
    const left = this.#heldUntil - this.#clock.monotonic();
    if (this.#refused >= allowed && left > 0) return { left };
    if (this.#refused > 0 && this.#inDoubt > 0) return { left: soon };
    // After a hold there is one try, and then the next hold.
    this.#inDoubt += 1;
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (!isOver) this.#inDoubt -= 1;
        isOver = true;
      },
    };
  }

  /** Answers with how long it is left alone now, ms; 0: it may be tried once more. */
  refuse(version: string): number {
    if (version !== this.#version) return 0;
    this.#refused += 1;
    if (this.#refused < allowed) return 0;
    this.#heldUntil = this.#clock.monotonic() + this.#hold;
    return this.#hold;
  }

  /** The camera has let us in. */
  accept(version: string): void {
    if (version === this.#version) this.#refused = 0;
  }

  get hasRefused(): boolean {
    return this.#refused > 0;
  }

  /** A refused password has been replaced. */
  isOther(version: string): boolean {
    return this.#refused > 0 && version !== this.#version;
  }

  #begin(version: string): void {
    this.#version = version;
    this.#refused = 0;
    this.#heldUntil = 0;
  }
}
