/** Something that wants to be looked at when a time has come. At most one time each. */
export interface Sleeper {
  at: number;
  /** Its place in the list; -1: in none. */
  slot: number;
}

export function newSleeper(): Sleeper {
  return { at: 0, slot: -1 };
}

/** Who is due next: a binary heap in which a sleeper is moved instead of being put in twice, so that it never outgrows the rules. */
export class WakeList<T extends { readonly [K in Key]: Sleeper }, Key extends string> {
  readonly #heap: T[] = [];
  readonly #key: Key;

  constructor(key: Key) {
    this.#key = key;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest time; null: nobody sleeps. */
  get next(): number | null {
    const first = this.#heap[0];
    return first === undefined ? null : first[this.#key].at;
  }

  /** null: nothing to wait for any more. */
  set(one: T, at: number | null): void {
    const sleeper = one[this.#key];
    if (at === null) {
      if (sleeper.slot >= 0) this.#take(sleeper.slot);
      return;
    }
    if (sleeper.slot < 0) {
      sleeper.slot = this.#heap.length;
      this.#heap.push(one);
    } else if (sleeper.at === at) return;
    sleeper.at = at;
    this.#up(sleeper.slot);
    this.#down(sleeper.slot);
  }

  /** Takes out everybody whose time has come, in no particular order. */
  due(time: number): T[] {
    const due: T[] = [];
    for (let first = this.#heap[0]; first !== undefined && first[this.#key].at <= time; first = this.#heap[0]) {
      this.#take(0);
      due.push(first);
    }
    return due;
  }

  #take(slot: number): void {
    const one = this.#heap[slot];
    const last = this.#heap.pop();
    if (one === undefined || last === undefined) return;
    one[this.#key].slot = -1;
    if (last === one) return;
    this.#put(last, slot);
    this.#up(slot);
    this.#down(last[this.#key].slot);
  }

  #put(one: T, slot: number): void {
    this.#heap[slot] = one;
    one[this.#key].slot = slot;
  }

  #up(from: number): void {
    let slot = from;
    const one = this.#heap[slot];
    if (one === undefined) return;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      const above = this.#heap[parent];
      if (above === undefined || above[this.#key].at <= one[this.#key].at) break;
      this.#put(above, slot);
      slot = parent;
    }
    this.#put(one, slot);
  }

  #down(from: number): void {
    let slot = from;
    const one = this.#heap[slot];
    if (one === undefined) return;
    for (;;) {
      const left = this.#heap[2 * slot + 1];
      const right = this.#heap[2 * slot + 2];
      if (left === undefined) break;
      const child = right !== undefined && right[this.#key].at < left[this.#key].at ? right : left;
      if (child[this.#key].at >= one[this.#key].at) break;
      const next = child[this.#key].slot;
      this.#put(child, slot);
      slot = next;
    }
    this.#put(one, slot);
  }
}
