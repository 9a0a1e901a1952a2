/** What nobody waits for gathers so long, ms. */
const patientFor = 1_000;

/**
 * Says when a small group of readings may be written. SQLite writes whole pages, so a commit of one reading costs the flash
 * some 12 KB: a hundred sensors that report once a second would wear it with 100 GB a day. So small groups go at once only
 * while a stock of commits lasts, which refills slowly; after that they gather. A group that is large enough for its pages,
 * or that carries anything a person or a rule relies on, never asks.
 */
export class CommitPace implements Disposable {
  readonly #interval: number;
  readonly #stock: number;
  readonly #refilled: () => void;
  #left: number;
  #timer: NodeJS.Timeout | null = null;
  #resting: { readonly group: object; readonly timer: NodeJS.Timeout; over: boolean } | null = null;

  /** `perSecond` commits are added, up to `stock`; `refilled` is called after each. */
  constructor(perSecond: number, stock: number, refilled: () => void) {
    this.#interval = 1_000 / perSecond;
    this.#stock = stock;
    this.#left = stock;
    this.#refilled = refilled;
  }

  /** Takes one from the stock; false when it is empty. */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    this.#arm();
    return true;
  }

  /** Whether a group that may wait has waited long enough since this was first asked; `refilled` is called when it has. */
  rested(group: object): boolean {
    if (this.#resting?.group !== group) {
      if (this.#resting !== null) clearTimeout(this.#resting.timer);
      const timer = setTimeout(() => {
        if (this.#resting?.group === group) this.#resting.over = true;
        this.#refilled();
      }, patientFor);
      this.#resting = { group, timer, over: false };
    }
    return this.#resting.over;
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#left += 1;
      if (this.#left < this.#stock) this.#arm();
      this.#refilled();
    }, this.#interval);
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#resting !== null) clearTimeout(this.#resting.timer);
  }
}
