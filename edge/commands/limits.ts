import type { Priority } from '#edge/domain/output.ts';
import { priorities } from '#edge/domain/output.ts';
import { isOn, isSameValue, rateDue } from './movement.ts';
import type { Output, Want } from './output.ts';

/*
 * What protects the load and the mains from being switched too soon. Life safety waits for nothing. In BACnet minimum on and off
 * times sit at level 6 of the priority array (ASHRAE 135, 19.2.3): what is critical (5) is above them. So an overload may switch
 * a compressor off before its minimum on time is over, and pays no heed to the rate. But no more than life safety itself may
 * start it again within its minimum off time: a compressor that starts against its head pressure stalls, and whatever wanted it
 * running has then lost it for good.
 */

export interface Wait {
  readonly for: 'minimum-on' | 'minimum-off' | 'rate' | 'stagger' | 'device';
  /** Monotonic ms; null: not known. */
  readonly until: number | null;
}

/** How strong a wish is against limits: the fail-safe value is nobody's wish, however urgently it is told. */
export function strengthOf({ owner, priority }: Pick<Want, 'owner' | 'priority'>): Priority {
  return owner === null ? priorities.schedule : priority;
}

/** What must be waited for before this may be told; null: nothing. */
export function limitOf(output: Output, want: Want, now: number): Wait | null {
  const strength = strengthOf(want);
  if (strength === priorities.lifeSafety) return null;
  return (
    minimumOff(output, want, now) ?? minimumOn(output, want, now) ?? rate(output, want, now) ?? turn(output, want, now)
  );
}

function minimumOff({ rule, moved }: Output, { value }: Want, now: number): Wait | null {
  const { minOff = 0 } = rule;
  if (minOff === 0 || !isOn(value)) return null;
  const wasOn = moved.value !== null && isOn(moved.value);
  // It ran, and may have lost its supply: then it stands still since it is back, at the latest.
  const offSince = wasOn ? moved.doubt : moved.since;
  if (offSince === null || now >= offSince + minOff) return null;
  return { for: 'minimum-off', until: offSince + minOff };
}

function minimumOn({ rule, moved }: Output, want: Want, now: number): Wait | null {
  const { minOn = 0 } = rule;
  if (minOn === 0 || isOn(want.value) || strengthOf(want) <= priorities.critical) return null;
  if (moved.value !== null && !isOn(moved.value)) return null;
  return now >= moved.since + minOn ? null : { for: 'minimum-on', until: moved.since + minOn };
}

function rate(output: Output, want: Want, now: number): Wait | null {
  if (strengthOf(want) <= priorities.critical || isSameValue(output, output.moved.value, want.value)) return null;
  const due = rateDue(output);
  return now >= due ? null : { for: 'rate', until: due };
}

function turn(output: Output, want: Want, now: number): Wait | null {
  if (now >= output.turnAt || !startsLoad(output, want)) return null;
  return { for: 'stagger', until: output.turnAt };
}

/** After a power cut: would this draw its inrush now? What is known to run draws none; sound and set points never do. */
export function startsLoad({ rule, moved }: Output, want: Want): boolean {
  const { value } = want;
  if (strengthOf(want) <= priorities.critical || !isOn(value)) return false;
  if (typeof value === 'string' || (typeof value === 'number' && (rule.min ?? 0) > 0)) return false;
  return !(moved.value !== null && isOn(moved.value) && moved.doubt === null);
}

/** Turns of the loads of a zone, which hang on one feeder. */
export interface Turns {
  /** Gives it its turn, the first at once. Who has one already keeps it: a device that comes and goes must not push the others back. */
  queue(output: Output, now: number): void;
}

/** `gap`: between two turns in a zone, ms. */
export function createTurns(gap: number): Turns {
  const last = new Map<string, { readonly output: Output; readonly at: number }>();
  return {
    queue: (output, now) => {
      if (output.turnAt > now) return;
      const { zone } = output.place.device;
      const before = last.get(zone);
      // Nobody has started since its own turn.
      const isNext = before === undefined || before.output === output;
      output.turnAt = isNext ? now : Math.max(now, before.at + gap);
      last.set(zone, { output, at: output.turnAt });
    },
  };
}
