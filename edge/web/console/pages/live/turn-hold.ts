/* Holding a key or button turns a camera, letting go stops it. */

/** Pan, tilt, zoom: -1 to 1. */
export type Velocity = readonly [pan: number, tilt: number, zoom: number];

/** Half the speed: a gatehouse wants to follow somebody, not to miss him. */
export const moves = {
  up: [0, 0.5, 0],
  left: [-0.5, 0, 0],
  right: [0.5, 0, 0],
  down: [0, -0.5, 0],
  zoomIn: [0, 0, 0.5],
  zoomOut: [0, 0, -0.5],
} as const satisfies Readonly<Record<string, Velocity>>;
export type Move = keyof typeof moves;

/** A camera stops by itself half a second after it was last asked to move. */
const repeatEvery = 300;
/** No stop overtakes the movement that it ends, unless that is not answered for so long, ms. */
const stopWaits = 250;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export interface TurnHoldOptions {
  /** Asks once; false: it was not done, and there is no use in asking on. */
  readonly ask: (velocity: Velocity) => Promise<boolean>;
  /** What is held now, for the screen. */
  readonly onHeld: (move: Move | null) => void;
}

/** Repeats the movement that is held, one request at a time, and stops it when it is let go of. */
export class TurnHold implements Disposable {
  readonly #options: TurnHoldOptions;
  #held: Move | null = null;
  #asked: Promise<boolean> | null = null;

  constructor(options: TurnHoldOptions) {
    this.#options = options;
  }

  /** Another movement that is held already gives way. */
  begin(move: Move): void {
    const isNew = this.#held === null;
    if (this.#held === move) return;
    this.#hold(move);
    if (isNew && this.#asked === null) void this.#repeat();
  }

  /** Of `move` only when it is the one that is held: of two keys the one pressed later counts. */
  end(move: Move | null = this.#held): void {
    if (this.#held === null || this.#held !== move) return;
    this.#hold(null);
    void this.#stop();
  }

  [Symbol.dispose](): void {
    this.end();
  }

  #hold(move: Move | null): void {
    this.#held = move;
    this.#options.onHeld(move);
  }

  async #repeat(): Promise<void> {
    while (this.#held !== null) {
      this.#asked = this.#options.ask(moves[this.#held]);
      const [isDone] = await Promise.all([this.#asked, pause(repeatEvery)]);
      if (!isDone) this.end();
    }
    this.#asked = null;
  }

  async #stop(): Promise<void> {
    await Promise.race([this.#asked, pause(stopWaits)]);
    if (this.#held === null) await this.#options.ask([0, 0, 0]);
  }
}
