import type { LocalDate, Parity, SchoolDays, SchoolReason, Slot, Weekday } from '#edge/domain/school.ts';
import type { SchoolPlan } from './plan.ts';
import type { Named } from './plan-parts.ts';

/* Which timetable a day has: as painted, or as the season of the layer says, or else that of its parents. */

export interface LessonsAsked {
  readonly date: LocalDate;
  readonly layer: string;
  readonly parity: Parity | null;
  /** null: none, unless a timetable is painted. */
  readonly lessonsOf: Weekday | null;
  readonly painted: Named<SchoolDays> | null;
}

export interface Lessons {
  readonly timetable: string | null;
  readonly slots: readonly Slot[];
  readonly why: readonly SchoolReason[];
}

const none: Lessons = { timetable: null, slots: [], why: [] };

export function timetableOf(plan: SchoolPlan, asked: LessonsAsked): Lessons {
  const { painted, lessonsOf } = asked;
  if (painted?.timetable !== undefined) return use(plan, painted.timetable, []);
  if (lessonsOf === null) return none;
  let sawSeason: string | null = null;
  for (const level of plan.layers.chain(asked.layer)) {
    const season = plan.seasons.get(level)?.find(({ from, to }) => asked.date >= from && asked.date <= to);
    if (season === undefined) continue;
    sawSeason ??= season.id;
    const rule = season.weekly.find(
      ({ days, parity }) => days.includes(lessonsOf) && (parity === undefined || parity === asked.parity),
    );
    if (rule === undefined) continue;
    const why: SchoolReason[] = [{ code: 'season', entry: season.id }];
    if (level !== asked.layer) why.push({ code: 'inherited', params: { layer: level } });
    return use(plan, rule.timetable, why);
  }
  if (sawSeason === null) return { ...none, why: [{ code: 'no-season' }] };
  return { ...none, why: [{ code: 'no-timetable', entry: sawSeason, params: { weekday: lessonsOf } }] };
}

/** A timetable with mistakes was left out of the plan: the day has none, and says so. */
function use({ timetables }: SchoolPlan, id: string, why: readonly SchoolReason[]): Lessons {
  const slots = timetables.get(id);
  if (slots === undefined) return { ...none, why: [...why, { code: 'no-timetable', entry: id }] };
  return { timetable: id, slots, why: [...why, { code: 'timetable', entry: id }] };
}
