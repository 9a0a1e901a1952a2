import type { Clock } from '#edge/runtime/clock.ts';

/** Somebody with packets waiting. */
export interface Source {
  /** Hands on packets that cost at most about `budget`; returns what they cost. Calls `offer` again when it has more. */
  handOver(budget: number): number;
}

/** Most that one client may do in one turn of the event loop while others wait, packets. */
const share = 64;
/** The budget of a turn moves between these, packets. */
const leastBudget = 16;
const mostBudget = 1024;
/** A turn of the loop longer than this halves the budget, ms; one shorter than a third of it doubles it. */
const longTurn = 30;
/** Messages of all clients together that wait for their commit. */
const mostInFlight = 4_096;
/** How often clients over their rate are asked again, ms. */
const retryEvery = 20;

/**
 * Lets clients in by turns. Without it a flood of 500 publishers keeps aedes parsing for seconds while timers wait;
 * with it a turn of the event loop takes packets only up to a budget, which follows how long turns really take
 * (a packet may fan out to one subscriber or to a thousand).
 */
export class Intake implements Disposable {
  readonly #clock: Clock;
  readonly #waiting = new Set<Source>();
  readonly #delayed = new Set<Source>();
  #budget = 256;
  #began = 0;
  #busy = false;
  #inFlight = 0;
  #immediate: NodeJS.Immediate | null = null;
  #retry: NodeJS.Timeout | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asks for a turn; asking twice is asking once. */
  offer(source: Source): void {
    this.#waiting.add(source);
    this.#immediate ??= setImmediate(() => this.#turn());
  }

  /** A message waits for its commit from now on. All that a group commit frees is done in one turn: hence the bound. */
  begin(): void {
    this.#inFlight += 1;
  }

  /** The commit is over. */
  end(): void {
    this.#inFlight -= 1;
    if (this.#waiting.size > 0) this.#immediate ??= setImmediate(() => this.#turn());
  }

  /** Asks for a turn a little later: the source is over its rate. */
  offerLater(source: Source): void {
    this.#delayed.add(source);
    this.#retry ??= setTimeout(() => {
      this.#retry = null;
      const sources = [...this.#delayed];
      this.#delayed.clear();
      for (const delayed of sources) this.offer(delayed);
    }, retryEvery);
  }

  remove(source: Source): void {
    this.#waiting.delete(source);
    this.#delayed.delete(source);
  }

  [Symbol.dispose](): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#waiting.clear();
    this.#delayed.clear();
  }

  #turn(): void {
    this.#immediate = null;
    this.#adapt();
    let left = Math.min(this.#budget, mostInFlight - this.#inFlight);
    if (left <= 0) {
      this.#busy = false;
      return; // `end` asks for the next turn
    }
    for (const source of this.#waiting) {
      this.#waiting.delete(source);
      left -= source.handOver(Math.min(left, share));
      if (left <= 0) break;
    }
    this.#busy = this.#waiting.size > 0;
    if (this.#busy) this.#immediate ??= setImmediate(() => this.#turn());
  }

  #adapt(): void {
    const now = this.#clock.monotonic();
    const turn = now - this.#began;
    this.#began = now;
    if (!this.#busy) return;
    if (turn > longTurn) this.#budget = Math.max(leastBudget, this.#budget >> 1);
    else if (turn < longTurn / 3) this.#budget = Math.min(mostBudget, this.#budget * 2);
  }
}
