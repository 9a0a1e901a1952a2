import type { Clock } from '#edge/runtime/clock.ts';

const span = 5_000;
const step = 500;

/** Pictures and bytes a second over the last five seconds. */
export class StreamMeter {
  readonly #clock: Clock;
  #slots: { readonly begin: number; pictures: number; bytes: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  count(bytes: number): void {
    const now = this.#clock.monotonic();
    let last = this.#slots.at(-1);
    if (last === undefined || now - last.begin >= step) {
      last = { begin: now, pictures: 0, bytes: 0 };
      this.#slots.push(last);
      while ((this.#slots[0]?.begin ?? now) < now - span) this.#slots.shift();
    }
    last.pictures += 1;
    last.bytes += bytes;
  }

  reset(): void {
    this.#slots = [];
  }

  /** null: too little has come to tell. */
  rates(): { readonly pictures: number; readonly bytes: number } | null {
    const now = this.#clock.monotonic();
    const recent = this.#slots.filter(({ begin }) => begin >= now - span);
    const [first] = recent;
    // What came in the running slot is not all that will come in it.
    if (first === undefined || now - first.begin < 2 * step) return null;
    const seconds = (now - first.begin) / 1000;
    const sum = (of: 'pictures' | 'bytes') => recent.reduce((total, slot) => total + slot[of], 0);
    return { pictures: sum('pictures') / seconds, bytes: sum('bytes') / seconds };
  }
}
