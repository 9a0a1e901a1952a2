import {
  type ItemClass,
  itemClasses,
  type LocalDate,
  type Occurrence,
  type SchoolOverride,
} from '#edge/domain/school.ts';
import { quietOfExams, silenceForExams } from './exam-quiet.ts';
import { inEffect, leaveOut, shiftAll, withQuiet, withWeather } from './overrides.ts';
import type { SchoolPlan } from './plan.ts';
import { type Planned, plannedOn } from './planned.ts';

const weight = new Map<ItemClass, number>(itemClasses.map((name, n) => [name, n]));

/**
 * Everything that happens on a date, ascending by `at`, then by weight of class (exam first), then by key. What is not done is among it
 * with the reason in `silenced`. An occurrence whose zones are empty happens nowhere.
 */
export function occurrencesOf(
  plan: SchoolPlan,
  date: LocalDate,
  overrides: readonly SchoolOverride[],
): readonly Occurrence[] {
  const said = inEffect(plan, date, overrides);
  const shifted = shiftAll(plan, plannedOn(plan, date).all, said);
  const quiet = quietOfExams(plan, date, shifted);
  return shifted
    .flatMap((one) => withWeather(plan, one, said) ?? [])
    .map((one) => leaveOut(one, said))
    .map((one) => withQuiet(plan, one, said))
    .map((one) => silenceForExams(one, quiet))
    .map(bare)
    .toSorted(byTime);
}

function bare({ weather: _, isCommand: __, ...occurrence }: Planned): Occurrence {
  return occurrence;
}

function byTime(a: Occurrence, b: Occurrence): number {
  const heavier = (weight.get(a.class) ?? 0) - (weight.get(b.class) ?? 0);
  return a.at - b.at || heavier || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}
