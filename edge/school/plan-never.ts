import type { SchoolItem } from '#edge/domain/school.ts';
import { isAnchored } from './anchor.ts';
import { addDays, datesFrom } from './dates.ts';
import { isMeant } from './day-filter.ts';
import type { SchoolPlan } from './plan.ts';
import type { Findings } from './plan-mistake.ts';
import type { Named } from './plan-parts.ts';
import { dayOf } from './resolve-day.ts';

/*
 * Items that never happen. The year that is looked at ends with the last term (what comes after it nobody has planned). Most items
 * happen in the first week of it; only those that never do cost a year.
 */

const daysOfYear = 366;

export function warnOfNever(plan: SchoolPlan, findings: Findings): void {
  const ends = plan.terms.map(({ from, weeks }) => addDays(from, weeks * 7 - 1));
  const last = ends.reduce((a, b) => (b > a ? b : a), '');
  if (last === '') return;
  let waiting = plan.items.filter(({ enabled }) => enabled);
  for (const date of datesFrom(addDays(last, 1 - daysOfYear), last)) {
    if (waiting.length === 0) return;
    waiting = waiting.filter((item) => !happens(plan, item, date));
  }
  for (const { id } of waiting)
    findings.warning(id)('days', 'never', { from: addDays(last, 1 - daysOfYear), to: last });
}

/** In its own layer, or in one below. */
function happens(plan: SchoolPlan, item: Named<SchoolItem>, date: string): boolean {
  return plan.layers.all
    .filter((layer) => plan.layers.isBelow(layer, item.layer))
    .some((layer) => {
      const day = dayOf(plan, date, layer);
      return isMeant(item.days, day) && isAnchored(item.when, day.slots);
    });
}
