import type { Hold } from '#edge/domain/output.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { maxSeconds } from './check-request.ts';
import type { Output } from './output.ts';
import { putHold } from './priority-array.ts';
import type { Recorder } from './recorder.ts';

/** Puts stored holds back; those of outputs that are gone are forgotten, on disk too. */
export function restore(
  holds: readonly Hold[],
  outputs: ReadonlyMap<string, Output>,
  recorder: Recorder,
  clock: Clock,
): void {
  for (const hold of holds) {
    const output = outputs.get(hold.ref);
    if (output !== undefined) {
      output.holds = putHold(output.holds, capped(hold, clock.now())).holds;
      continue;
    }
    const what = `relinquish ${hold.ref}`;
    const why = 'there is no such output any more';
    recorder.holdsChanged(hold.ref);
    recorder.audit({ time: clock.now(), who: hold.owner, from: 'core', what, why, result: 'dropped at the start' });
  }
}

/** A clock that is behind (a dead battery, before NTP) must not make a wish of yesterday last for years. */
function capped(hold: Hold, now: number): Hold {
  const latest = now + maxSeconds * 1000;
  return hold.until === null || hold.until <= latest ? hold : { ...hold, until: latest };
}
