import type { Emergency, EmergencyCause } from '#edge/domain/emergency.ts';
import type { HappeningId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { causeKey } from './emergency-causes.ts';

interface End {
  /** As it was said: ms since epoch. */
  readonly until: number;
  /** By the clock that never steps. */
  readonly at: number;
}

/** When those who ask for an emergency are over, by the clock that never steps, reckoned in the moment in which their end was heard here. */
export class EmergencyEnds {
  readonly #clock: Clock;
  readonly #known = new Map<HappeningId, ReadonlyMap<string, End>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hear({ id, causes, cleared }: Emergency): void {
    const before = this.#known.get(id);
    const ends = causes.flatMap(({ origin, until }): [string, End][] => {
      if (until === null) return [];
      const key = causeKey(origin);
      const known = before?.get(key);
      const at = this.#clock.monotonic() + (until - this.#clock.now());
      return [[key, known?.until === until ? known : { until, at }]];
    });
    if (cleared !== null || ends.length === 0) this.#known.delete(id);
    else this.#known.set(id, new Map(ends));
  }

  isOver({ id }: Emergency, { origin }: EmergencyCause): boolean {
    const end = this.#known.get(id)?.get(causeKey(origin));
    return end !== undefined && end.at <= this.#clock.monotonic();
  }
}
