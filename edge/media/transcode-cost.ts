import { readFileSync } from 'node:fs';
import type { Clock } from '#edge/runtime/clock.ts';

/** A tick of /proc is 10 ms on every Linux that Node runs on (proc(5), USER_HZ). */
const tick = 10;

/** What children cost together, of one core. */
export class CpuMeter {
  readonly #clock: Clock;
  readonly #watched = new Map<number, number>();
  /** Of children that ended since the last look, ms. */
  #ended = 0;
  #lookedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lookedAt = clock.monotonic();
  }

  /** Counts a child until it is disposed of, which must be before the child is waited for. */
  watch(pid: number | undefined): Disposable {
    if (pid === undefined) return { [Symbol.dispose]: () => {} };
    this.#watched.set(pid, 0);
    return {
      [Symbol.dispose]: () => {
        this.#ended += Math.max(0, (cpuOf(pid) ?? 0) - (this.#watched.get(pid) ?? 0));
        this.#watched.delete(pid);
      },
    };
  }

  /** % of a core since the last call; null: nothing can be said, as without /proc. */
  share(): number | null {
    const now = this.#clock.monotonic();
    const took = now - this.#lookedAt;
    let used = this.#ended;
    let isKnown = true;
    for (const [pid, before] of this.#watched) {
      const cpu = cpuOf(pid);
      isKnown &&= cpu !== null;
      used += Math.max(0, (cpu ?? before) - before);
      this.#watched.set(pid, cpu ?? before);
    }
    this.#ended = 0;
    this.#lookedAt = now;
    return took <= 0 || !isKnown ? null : Math.round((used / took) * 1000) / 10;
  }
}

/** CPU time since its start, ms; null: it is gone, or there is no /proc. */
function cpuOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the command's closing bracket comes field 3; utime and stime are 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return tick * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return null;
  }
}
