import type { Varbind } from 'net-snmp';
import type { PointName } from '#edge/domain/ids.ts';
import type { SnmpAddress } from '#edge/profiles/snmp-address.ts';
import { countOf, type Decoded, noValue, scaled } from './decode.ts';

interface Mark {
  readonly count: bigint;
  /** Monotonic ms. */
  readonly at: number;
  readonly last: number | null;
}

/** Agents count in caches of their own: two readings closer than this say nothing new. */
const leastApart = 500;
/** A counter of 32 bits at 1 Gbit/s wraps within 34 s: after a longer pause nobody knows how often it did. */
const wrapsKnown = 60_000;
const wrap = 2n ** 32n;

/** Counters as what they rise by in a second. */
export class Rates {
  readonly #marks = new Map<PointName, Mark>();

  /** The agent started again: its counters begin at 0. */
  reset(): void {
    this.#marks.clear();
  }

  /** `at`: when the answer came, monotonic ms. The first count has no rate: `never-read`. */
  take(point: PointName, address: SnmpAddress, varbind: Varbind, at: number): Decoded {
    const found = countOf(varbind);
    if (found === null) return noValue('communication-error');
    const before = this.#marks.get(point);
    if (before !== undefined && at - before.at < leastApart) {
      return before.last === null ? noValue('never-read') : { value: before.last, quality: 'good' };
    }
    const rise = before === undefined ? null : riseOf(before, found, at);
    const last =
      rise === null || before === undefined ? null : scaled((Number(rise) / (at - before.at)) * 1_000, address);
    this.#marks.set(point, { count: found.count, at, last });
    return last === null ? noValue('never-read') : { value: last, quality: 'good' };
  }
}

/** null when it cannot be known. A counter of 64 bits that fell was set back. */
function riseOf(before: Mark, { count, wraps }: { count: bigint; wraps: boolean }, at: number): bigint | null {
  if (count >= before.count) return count - before.count;
  return wraps && at - before.at <= wrapsKnown ? count + wrap - before.count : null;
}
