import type { PointRef } from '#edge/domain/ids.ts';
import type { LocalDate, SchoolOverride } from '#edge/domain/school.ts';
import { addDays } from './dates.ts';
import type { SchoolPlan } from './plan.ts';
import { noPowerMemory } from './power.ts';
import { type PowerChange, powerThrough } from './power-ahead.ts';
import { joinNeeds } from './power-needs.ts';
import { needsOn, powersOf } from './power-plan.ts';

/** What a circuit does on a date, as far as can be said beforehand. */
export interface CircuitDay {
  readonly entry: string;
  readonly outputs: readonly PointRef[];
  /** The first is how the day begins, at its midnight; the others are when it is switched. What is assumed is among the reasons. */
  readonly changes: readonly PowerChange[];
}

/**
 * Every circuit through a date. Rooms are taken to be occupied while they are needed, no temperature is known, and the day before was as
 * its plan says: its minimum times reach into this one.
 */
export function circuitsOn(
  planOn: (date: LocalDate) => SchoolPlan | null,
  date: LocalDate,
  overrides: readonly SchoolOverride[],
): readonly CircuitDay[] {
  const plan = planOn(date);
  if (plan === null) return [];
  const { from, to } = plan.clock.dayOf(date);
  const begin = plan.clock.dayOf(addDays(date, -1)).from;
  // Whoever knows what is signed for a date may have to look it up: once each.
  const around = [-2, -1, 0, 1].map((distance) => addDays(date, distance)).map((one) => [one, planOn(one)] as const);
  return powersOf(plan).map((power) => {
    const days = around.map(([one, of]) => {
      const same = of?.entries[power.id];
      return of === null || same?.part !== 'power' ? [] : needsOn(of, same, one, overrides);
    });
    const scene = { now: begin, read: () => null };
    const all = powerThrough(power, joinNeeds(power, days), scene, noPowerMemory, to);
    const before = all.findLast(({ at }) => at <= from);
    const first = before === undefined ? [] : [{ ...before, at: from }];
    return { entry: power.id, outputs: power.outputs, changes: [...first, ...all.filter(({ at }) => at > from)] };
  });
}
