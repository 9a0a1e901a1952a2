import type { Reading } from '#edge/domain/reading.ts';
import type { Moment } from './judge.ts';
import { settleKept } from './judge.ts';
import type { Registry } from './registry.ts';

/** A stale value is kept as the last usable one until so many times `staleAfter` have passed, then it is bad. */
const badAfter = 4;

/** What turned stale by `moment`. Ages are monotonic: setting the clock makes nothing old. */
export function tickStaleness(registry: Registry, moment: Moment): Reading[] {
  const readings: Reading[] = [];
  const out = { readings };
  for (const slot of registry.slots()) {
    const { staleAfter } = slot.point;
    if (staleAfter <= 0 || slot.reading.quality === 'bad') continue;
    const age = moment.monotonic - slot.heardAt;
    if (age > badAfter * staleAfter) settleKept(registry, slot, 'bad', 'no-communication', moment, out);
    else if (age > staleAfter) settleKept(registry, slot, 'uncertain', 'last-usable-value', moment, out);
  }
  return readings;
}
