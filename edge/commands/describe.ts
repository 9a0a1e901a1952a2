import type { Forbid, Hold, OutputState } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import { arbitrate, barring } from '#edge/rules/priorities.ts';
import { clip } from '#edge/rules/words.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { maxReason } from './check-request.ts';
import type { Wait } from './limits.ts';
import type { Output } from './output.ts';

/** Owner of the hold that stands for a hand on the device itself. */
export const localOwner = 'local';

/** The answer to "why?": who has it, until when and what then, who is below, what waits and what is forbidden. */
export function describeOutput(output: Output, wait: Wait | null, clock: Clock): OutputState {
  const now = clock.now();
  const { winner, stack } = arbitrate(output.holds, now, output.forbids);
  const failSafe = restOf(output);
  const local = stack.find(({ owner }) => owner === localOwner);
  return {
    ref: output.ref,
    value: winner?.value ?? failSafe,
    holder: winner?.owner ?? null,
    priority: winner?.priority ?? null,
    reason: winner === null ? reasonWithoutHolder(output, stack) : reasonOf(winner),
    since: output.since,
    until: winner?.until ?? null,
    stack,
    confirmed: output.confirmed,
    next: nextOf(output, winner),
    waiting: wait === null ? null : { for: wait.for, until: wallTime(wait.until, clock) },
    forbidden: output.forbids,
    local: local === undefined ? output.noted : { value: local.value, since: local.since },
  };
}

/** Only the end of the hold on top changes anything by itself: then the strongest of those that still stand, or the fail-safe value. */
function nextOf(output: Output, winner: Hold | null): OutputState['next'] {
  if (winner === null || winner.until === null) return null;
  const at = winner.until;
  const then = arbitrate(output.holds, at, output.forbids).winner;
  return { value: then?.value ?? restOf(output), holder: then?.owner ?? null, at };
}

/** What it has when nobody holds it; null: it keeps what it has. */
function restOf({ rule, forbids }: Output): Value | null {
  return rule.failSafe === 'keep' || barring(forbids, rule.failSafe, 'failsafe') !== null ? null : rule.failSafe;
}

function reasonOf({ owner, priority, reason }: Hold): string {
  return clip(`${owner} at ${priority}: ${reason}`, maxReason);
}

function reasonWithoutHolder({ rule: { failSafe }, forbids }: Output, stack: readonly Hold[]): string {
  const barred = stack
    .map(({ value, priority }) => barring(forbids, value, priority))
    .find((forbid) => forbid !== null);
  const why = barred === undefined ? 'nobody holds it' : `what is asked for is forbidden (${forbidText(barred)})`;
  if (failSafe === 'keep') return clip(`${why}: it keeps what it has`, maxReason);
  const forbid = barring(forbids, failSafe, 'failsafe');
  if (forbid === null) return clip(`${why}: its fail-safe value is ${JSON.stringify(failSafe)}`, maxReason);
  return clip(`${why}, and so is its fail-safe value (${forbidText(forbid)}): it keeps what it has`, maxReason);
}

export function forbidText({ owner, value, priority, reason }: Forbid): string {
  return `${owner} forbids ${JSON.stringify(value)} below priority ${priority}: ${reason}`;
}

function wallTime(monotonic: number | null, clock: Clock): number | null {
  return monotonic === null ? null : Math.round(clock.now() + monotonic - clock.monotonic());
}
