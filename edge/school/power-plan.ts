import type { LocalDate, SchoolOverride, SchoolPower } from '#edge/domain/school.ts';
import { addDays } from './dates.ts';
import { isMeant } from './day-filter.ts';
import type { SchoolPlan } from './plan.ts';
import { type Named, named, partsOf } from './plan-parts.ts';
import { joinNeeds, needsOf, type PowerNeed } from './power-needs.ts';
import { shiftedDayOf } from './shifted-day.ts';

/** The circuits of a plan. */
export function powersOf(plan: SchoolPlan): readonly Named<SchoolPower>[] {
  return named(partsOf(new Map(Object.entries(plan.entries)), 'power'));
}

/** When a circuit is needed on a date. */
export function needsOn(
  plan: SchoolPlan,
  power: SchoolPower,
  date: LocalDate,
  overrides: readonly SchoolOverride[] = [],
): readonly PowerNeed[] {
  const day = shiftedDayOf(plan, date, power.layer, overrides);
  return needsOf(power, day, isMeant(power.days, day), (second) => plan.clock.timeOf(date, second).at);
}

/** From the day before a date to `ahead` days after it, as `decidePower` wants it. */
export function needsAround(
  plan: SchoolPlan,
  power: SchoolPower,
  date: LocalDate,
  ahead: number,
  overrides: readonly SchoolOverride[] = [],
): readonly PowerNeed[] {
  const dates = Array.from({ length: ahead + 2 }, (_, i) => addDays(date, i - 1));
  return joinNeeds(
    power,
    dates.map((one) => needsOn(plan, power, one, overrides)),
  );
}
