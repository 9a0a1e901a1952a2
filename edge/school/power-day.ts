import type { PointRef } from '#edge/domain/ids.ts';
import type { DayConflict, LocalDate, Occurrence, SchoolOverride, SchoolPower } from '#edge/domain/school.ts';
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
  isAsked: (power: SchoolPower) => boolean = () => true,
): readonly CircuitDay[] {
  const plan = planOn(date);
  if (plan === null) return [];
  const { from, to } = plan.clock.dayOf(date);
  const begin = plan.clock.dayOf(addDays(date, -1)).from;
  // Whoever knows what is signed for a date may have to look it up: once each.
  const around = [-2, -1, 0, 1].map((distance) => addDays(date, distance)).map((one) => [one, planOn(one)] as const);
  const powers = powersOf(plan).filter(isAsked);
  return powers.map((power) => {
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

/**
 * Where an item holds an output of a circuit that would have it otherwise meanwhile: the later of the two has it, and the other comes back
 * when that is over. `all`: what happens on the date.
 */
export function circuitConflicts(
  planOn: (date: LocalDate) => SchoolPlan | null,
  date: LocalDate,
  overrides: readonly SchoolOverride[],
  all: readonly Occurrence[],
): readonly DayConflict[] {
  const holds = all.flatMap(({ key, at, silenced, do: action }) =>
    silenced === null && action.kind === 'hold'
      ? action.outputs.map((output) => ({ ...output, key, from: at, to: at + action.seconds * 1_000 }))
      : [],
  );
  const held = new Set(holds.map(({ ref }) => ref));
  if (held.size === 0) return [];
  const circuits = circuitsOn(planOn, date, overrides, ({ outputs }) => outputs.some((ref) => held.has(ref)));
  return circuits.flatMap(({ entry, outputs, changes }) =>
    holds
      .filter(({ ref }) => outputs.includes(ref))
      .filter(({ from, to, value }) => {
        const before = changes.findLast(({ at }) => at <= from);
        const during = changes.filter(({ at }) => at > from && at < to);
        return [...(before === undefined ? [] : [before]), ...during].some(({ decision }) => decision.value !== value);
      })
      .map(({ key, ref }): DayConflict => ({ code: 'output-twice', date, of: [key, entry], params: { ref } })),
  );
}
