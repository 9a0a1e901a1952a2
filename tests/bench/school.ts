import type { ZoneId } from '#edge/domain/ids.ts';
import type { ItemClass, SchoolEntries, SchoolItem, SlotKind } from '#edge/domain/school.ts';
import { conflictsOf } from '#edge/school/conflicts.ts';
import { addDays, datesFrom } from '#edge/school/dates.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { occurrencesOf } from '#edge/school/occurrences.ts';
import { officialYears } from '#edge/school/official-holidays.ts';
import { compilePlan, type SchoolPlan } from '#edge/school/plan.ts';
import { usualNumbers, usualTimetable } from '#edge/school/usual-timetable.ts';
import { type BenchLine, type BenchOptions, median } from './bench-line.ts';

/* The school day of 40 classes: a year simulated from nothing, and fourteen days worked out again after a change. */

const both = (text: string) => ({ zh: text, en: text });
const from = '2025-09-01';
const days = 365;
const ahead = 14;
const grades = 3;
const items = 60;
/** A class room each, the playground, the gate, and so on. */
const zones = Array.from({ length: 44 }, (_, n) => `zone-${n}` as ZoneId);

const kinds: readonly SlotKind[] = [
  'lesson',
  'break',
  'long-break',
  'eye-exercise',
  'lunch',
  'dismissal',
  'reading',
  'activity',
];
const classes: readonly ItemClass[] = ['bell', 'bell', 'exercise', 'programme', 'screen', 'mode'];

/** A quarter of the items follows every slot of a kind, the others ring once a day; each grade has items and times of its own. */
function itemOf(n: number): SchoolItem {
  const kind = kinds[n % kinds.length] ?? 'lesson';
  const slot = n % 4 === 0 ? { kind } : n % 2 === 0 ? `lesson-${(n % 7) + 1}` : `break-${(n % 3) + 1}`;
  return {
    ...{ part: 'item', name: both(`Item ${n}`), class: classes[n % classes.length] ?? 'bell', enabled: true },
    layer: n % 5 === 0 ? `grade-${(n % grades) + 1}` : 'campus',
    when:
      n % 11 === 0 ? { at: 7 * 3_600 + n * 60 } : { slot, edge: n % 3 === 0 ? 'end' : 'start', offset: (n % 5) * 60 },
    days: { kinds: [], weekdays: n % 7 === 0 ? [1, 3, 5] : [], ...(n % 13 === 0 ? { weather: 'dry' as const } : {}) },
    do: { kind: 'sound', clip: `clip-${n % 9}`, zones: [], seconds: 10 + (n % 4) * 20 },
  };
}

function schoolOf40Classes(): SchoolEntries {
  const timetables = ['primary', 'junior', 'senior'] as const;
  const season = (layer: string, timetable: string, first: string, last: string) => ({
    ...{ part: 'season' as const, name: both(`${layer} ${first}`), layer, from: first, to: last },
    weekly: [{ days: [1, 2, 3, 4, 5] as const, timetable }],
  });
  const perGrade = Array.from({ length: grades }, (_, n) => n + 1);
  return Object.fromEntries([
    ['autumn', { part: 'term', name: both('Autumn'), from, weeks: 22 }],
    ['spring', { part: 'term', name: both('Spring'), from: '2026-02-23', weeks: 21 }],
    ...timetables.map((stage) => [stage, usualTimetable(both(stage), usualNumbers[stage])] as const),
    ['summer-times', usualTimetable(both('Summer'), { ...usualNumbers.junior, afternoonStart: 14.5 * 3_600 })],
    ['short', usualTimetable(both('Short'), { ...usualNumbers.junior, lessonsPm: 1, activity: 0 })],
    ['winter', season('campus', 'junior', from, '2026-04-30')],
    ['summer', season('campus', 'summer-times', '2026-05-01', '2026-08-31')],
    ...perGrade.map((n) => [
      `grade-${n}`,
      {
        ...{ part: 'layer', name: both(`Grade ${n}`), kind: 'grade', parent: null },
        zones: zones.slice((n - 1) * 13, n * 13),
      },
    ]),
    ['grade-1-times', season('grade-1', 'primary', from, '2026-08-31')],
    ['grade-3-times', season('grade-3', 'senior', from, '2026-08-31')],
    ...Array.from({ length: items }, (_, n) => [`item-${n}`, itemOf(n)] as const),
  ]);
}

const surroundings = { holidays: officialYears, zones };

function simulate(plan: SchoolPlan, first: string, count: number): number {
  let happened = 0;
  for (const date of datesFrom(first, addDays(first, count - 1))) {
    const occurrences = occurrencesOf(plan, date, []);
    conflictsOf(plan, date, occurrences);
    happened += occurrences.length;
  }
  return happened;
}

function measure(runs: number, what: () => void): number[] {
  return Array.from({ length: runs }, () => {
    const began = performance.now();
    what();
    return performance.now() - began;
  });
}

export async function run({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  const runs = quick ? 3 : 9;
  const entries = schoolOf40Classes();
  let happened = 0;
  const year = measure(runs, () => {
    // A new clock each time: what it asks of the system belongs to the price.
    const plan = compilePlan(entries, { ...surroundings, clock: createSchoolClock('Asia/Shanghai') });
    happened = simulate(plan, from, days);
  });
  say(`${happened} occurrences in a year`);
  const clock = createSchoolClock('Asia/Shanghai');
  const change = measure(runs * 3, () => {
    const changed = { ...entries, 'item-1': { ...itemOf(1), name: both(`Changed ${happened}`) } };
    simulate(compilePlan(changed, { ...surroundings, clock }), '2026-03-02', ahead);
  });
  const note = `${items} items, 5 timetables, ${grades} grades, ${zones.length} zones; with conflicts; median of ${runs}, the first included`;
  return [
    {
      ...{ bench: 'school', what: 'a year of a school of 40 classes simulated from its entries' },
      ours: { value: median(year), unit: 'ms' },
      goal: { of: 'figure', atMost: 2_000 },
      note: `${note}; ${happened} occurrences, slowest ${Math.max(...year).toFixed(0)} ms`,
    },
    {
      ...{ bench: 'school', what: 'an item is changed and fourteen days are worked out again' },
      ours: { value: median(change), unit: 'ms' },
      goal: { of: 'figure', atMost: 100 },
      note: `${note}; slowest ${Math.max(...change).toFixed(0)} ms`,
    },
  ];
}
