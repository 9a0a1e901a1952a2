import type { Emergency } from '#edge/domain/emergency.ts';
import type { HappeningId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { BroadcastDeskPort } from './broadcast-port.ts';
import { type EmergencyPlan, soundOf } from './emergency-plans.ts';
import { alarmSource } from './emergency-words.ts';

/* Clips that are said once in the midst of an emergency, whose own sound waits for them and then goes on. */

export interface Interjection {
  readonly text: string;
  /** Nothing of it is said later than this. */
  readonly until: number;
}

/** What does not begin within this, because something stronger sounds, is not said, ms. */
const patience = 500;

/** What sounds for it from now on; null: nothing of it was said and all is as it was. Throws what `play` throws. */
export function interjected(
  one: Emergency,
  clips: readonly string[],
  { until }: Interjection,
  plan: EmergencyPlan,
  { sound, clock }: { readonly sound: Pick<BroadcastDeskPort, 'play' | 'stop' | 'lengthOf'>; readonly clock: Clock },
): readonly HappeningId[] | null {
  const zones = one.zones.filter((zone) => !one.silent.includes(zone));
  if (one.items.length === 0 || zones.length === 0) return null;
  const by = alarmSource(one.id);
  const common = { class: plan.class, name: one.name, zones, drill: one.drill, by } as const;
  // Equals wait for each other: what is said takes its place in the line first, then the line moves up, then the plan stands behind it.
  const said = sound.play({
    ...{ ...common, source: { kind: 'clips', clips, loop: false }, why: 'countdown' },
    ...{ interruption: 'drop', patience: clock.now() + patience, until },
  });
  if (said.item === null) return null;
  for (const item of one.items) sound.stop(item, { by, why: 'a number of the countdown' });
  const again = sound.play({
    ...{ ...common, ...soundOf(plan, { isWarning: false, lengthOf: (clip) => sound.lengthOf(clip), drillWord: null }) },
    ...{ until: null, why: one.why === '' ? one.name.en : one.why },
  });
  return again.item === null ? [said.item] : [said.item, again.item];
}
