import { type LocalDate, lastSecond, type SchoolOverride, type SchoolReason, type Slot } from '#edge/domain/school.ts';
import { holds, inEffect, reasonOf, type Saying } from './overrides.ts';
import type { SchoolPlan } from './plan.ts';
import { dayOf, type ResolvedDay } from './resolve-day.ts';

/**
 * What a date is for a layer with the shifts of the day: each edge of a slot moves as a bell at that time would, so that lights, labels and
 * what hangs on slots stay with their bells. A slot that is under way when the shift begins ends later.
 */
export function shiftedDayOf(
  plan: SchoolPlan,
  date: LocalDate,
  layer: string,
  overrides: readonly SchoolOverride[],
): ResolvedDay {
  const day = dayOf(plan, date, layer);
  if (!overrides.some(({ what }) => what.kind === 'shift' && what.date === date)) return day;
  const shifts = inEffect(plan, date, overrides).shift.filter((one) => plan.layers.isBelow(day.layer, one.layer));
  if (shifts.length === 0 || day.slots.length === 0) return day;
  const moved = (second: number): number => {
    const { at } = plan.clock.timeOf(date, Math.min(second, lastSecond));
    const meant = shifts.filter((one) => second >= one.what.after && holds(one, at));
    return meant.reduce((sum, { what }) => sum + what.seconds, second);
  };
  const slots = day.slots.flatMap((slot): Slot[] => {
    const from = moved(slot.from);
    const to = Math.min(lastSecond, Math.max(from, moved(slot.to)));
    // Where no bell is rung there is no lesson.
    return from < 0 || from > lastSecond ? [] : [{ ...slot, from, to }];
  });
  const isSame = slots.every((slot, n) => slot.from === day.slots[n]?.from && slot.to === day.slots[n]?.to);
  return isSame && slots.length === day.slots.length ? day : { ...day, slots, why: [...day.why, ...shifts.map(whyOf)] };
}

function whyOf(saying: Saying<'shift'>): SchoolReason {
  return reasonOf('shift', saying, { seconds: saying.what.seconds });
}
