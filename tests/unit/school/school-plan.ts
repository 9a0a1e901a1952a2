import type { ZoneId } from '#edge/domain/ids.ts';
import type {
  Anchor,
  DayFilter,
  SchoolDays,
  SchoolEntries,
  SchoolExam,
  SchoolItem,
  SchoolLayer,
  SchoolOverride,
  SchoolSeason,
  SchoolTimetable,
} from '#edge/domain/school.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { officialYears } from '#edge/school/official-holidays.ts';
import { compilePlan, type SchoolPlan, type Surroundings } from '#edge/school/plan.ts';

/* A school small enough to know by heart: two lessons, a bell at the start of each, an autumn term that begins on 2026-08-31. */

export const both = (text: string) => ({ zh: text, en: text });
export const zone = (id: string) => id as ZoneId;
export const zones = ['hall', 'east', 'west', 'field'].map(zone);
export const hour = 3_600;

export function timetable(start: number, lessons = 2): SchoolTimetable {
  const pieces = Array.from({ length: lessons }, (_, n) => [
    { id: `lesson-${n + 1}`, kind: 'lesson' as const, name: both(`Lesson ${n + 1}`), minutes: 40 },
    { id: `break-${n + 1}`, kind: 'break' as const, name: both('Break'), minutes: 10 },
  ]);
  return { part: 'timetable', name: both(`From ${start}`), start, pieces: pieces.flat() };
}

export function season(more: Partial<SchoolSeason> = {}): SchoolSeason {
  return {
    ...{ part: 'season', name: both('Autumn'), layer: 'campus', from: '2026-08-31', to: '2027-01-17' },
    weekly: [{ days: [1, 2, 3, 4, 5], timetable: 'usual' }],
    ...more,
  };
}

export function days(from: string, more: Partial<SchoolDays> = {}): SchoolDays {
  return { part: 'days', name: both(`Day ${from}`), layer: 'campus', from, to: from, kind: 'event', ...more };
}

export function layer(zonesOf: readonly string[], more: Partial<SchoolLayer> = {}): SchoolLayer {
  return {
    part: 'layer',
    name: both(`Layer ${zonesOf}`),
    kind: 'grade',
    parent: null,
    zones: zonesOf.map(zone),
    ...more,
  };
}

export const everyDay: DayFilter = { kinds: [], weekdays: [] };
export const atLessons: Anchor = { slot: { kind: 'lesson' }, edge: 'start', offset: 0 };

export function item(more: Partial<SchoolItem> = {}): SchoolItem {
  return {
    ...{
      part: 'item',
      name: both('Bell'),
      class: 'bell',
      layer: 'campus',
      when: atLessons,
      days: everyDay,
      enabled: true,
    },
    do: { kind: 'sound', clip: 'bell', zones: [], seconds: 10 },
    ...more,
  };
}

export function exam(more: Partial<SchoolExam> = {}): SchoolExam {
  return {
    ...{ part: 'exam', name: both('Mid-term'), layer: 'campus', zones: [zone('east')], template: 'sichuan' },
    papers: [{ name: both('Chinese'), date: '2026-11-11', at: 9 * hour, minutes: 150 }],
    ...{ clips: { 'entry-bell': 'long-bell' }, quietBefore: 5, quietAfter: 5 },
    ...more,
  };
}

export const autumn: SchoolEntries = {
  term: { part: 'term', name: both('Autumn term'), from: '2026-08-31', weeks: 20 },
  usual: timetable(8 * hour),
  late: timetable(9 * hour),
  season: season(),
  bell: item(),
};

export function plan(more: SchoolEntries = {}, surroundings: Partial<Surroundings> = {}): SchoolPlan {
  const base = { clock: createSchoolClock('Asia/Shanghai'), holidays: officialYears, zones };
  return compilePlan({ ...autumn, ...more }, { ...base, ...surroundings });
}

let made = 0;

/** From a second of a day in Shanghai (UTC+8, no summer time) up to another. */
export function override(
  what: SchoolOverride['what'],
  date: string,
  [from, until]: readonly [number, number] = [0, 86_400],
  on = 'campus',
): SchoolOverride {
  const midnight = Date.parse(`${date}T00:00:00+08:00`);
  made += 1;
  return {
    ...{ id: `override-${made}`, what, layer: on, from: midnight + from * 1_000, until: midnight + until * 1_000 },
    ...{ by: 'clerk', why: 'because' },
  };
}
