import { expect, test } from 'vitest';
import type { PointRef } from '#edge/domain/ids.ts';
import type { SchoolPower, TimetablePiece, Weekday } from '#edge/domain/school.ts';
import { weekdayOf } from '#edge/school/dates.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { officialYears } from '#edge/school/official-holidays.ts';
import { compilePlan } from '#edge/school/plan.ts';
import { decidePower, noPowerMemory, type PowerMemory } from '#edge/school/power.ts';
import { needsAround } from '#edge/school/power-plan.ts';
import { dayOf } from '#edge/school/resolve-day.ts';

/*
 * An autumn term in a classroom with an air conditioner, minute by minute: what the schedule does to the room, to its own minimum times
 * and to the bill, against leaving it on and against a plain weekly timer. The room is one capacity behind one resistance; pupils warm it.
 */

const minute = 60_000;
const day = 24 * 60 * minute;
/** 2026-09-01 00:00 in Asia/Shanghai, a Tuesday; to the end of January. */
const begin = Date.UTC(2026, 7, 31, 16);
const days = 150;
const warmth = 'room/temperature' as PointRef;
const people = 'room/people' as PointRef;
const pieces = [
  ...[piece('lesson-1', 40, 8, 30), piece('lesson-2', 40, 9, 25), piece('lesson-3', 40, 10, 35)],
  ...[piece('lesson-5', 40, 14, 0), piece('lesson-6', 40, 14, 55), piece('lesson-7', 40, 15, 50)],
];

function at(hours: number, minutes: number): number {
  return (hours * 60 + minutes) * 60;
}

function piece(id: string, minutes: number, hour: number, past: number): TimetablePiece {
  return { id, kind: 'lesson', name: { zh: id, en: id }, minutes, at: at(hour, past) };
}

const name = { zh: '秋季', en: 'Autumn' };
const workdays: readonly Weekday[] = [1, 2, 3, 4, 5];

const heater: SchoolPower = {
  ...{ part: 'power', name: { zh: '203 空调', en: 'Air 203' }, layer: 'campus', kind: 'air' },
  ...{ outputs: ['room/air' as PointRef], on: true, off: false, weekly: [], months: [11, 12, 1, 2] },
  slots: { kinds: ['lesson'], before: 0, after: 0 },
  days: { kinds: [], weekdays: [] },
  occupancy: { ref: people, offAfter: 15, toStart: 'schedule' },
  // Too hopeful: it has to learn that the room warms more slowly.
  prepare: { temperature: warmth, mode: 'heat', setpoint: 18, tolerance: 1, rate: 6, earliest: 360 },
  ...{ setback: null, minimumOn: 10, minimumOff: 5 },
};

interface Room {
  temperature: number;
}
/** kWh per K: air, furniture and the inner skin of the walls of 60 m2. */
const capacity = 2.2;
/** kW per K through walls and windows. */
const loss = 0.09;
/** kW of heat, and of current for it. */
const heat = 8;
const draw = 2.7;
const pupils = 2.2;

/** One minute; answers the kWh of current. The unit keeps its setpoint by itself. */
function warm(room: Room, outside: number, isOn: boolean, hasPupils: boolean): number {
  const isHeating = isOn && room.temperature < 18.5;
  const power = (isHeating ? heat : 0) + (hasPupils ? pupils : 0) - loss * (room.temperature - outside);
  room.temperature += power / 60 / capacity;
  return isHeating ? draw / 60 : 0;
}

/** Cel outside: from 24 in September to 3 in January, with nights, and days that differ (fixed seed). */
function weather(seed: number): (time: number) => number {
  const noise = Array.from({ length: days + 2 }, (_, i) => 3 * Math.sin(seed + i * 12.9898) * Math.cos(i * 0.7 + seed));
  return (time) => {
    const passed = (time - begin) / day;
    const season = 13.5 + 10.5 * Math.cos((Math.PI * passed) / 140);
    const daily = 4 * Math.sin((2 * Math.PI * ((time - begin) % day)) / day - (Math.PI * 2) / 3);
    return season + daily + (noise[Math.floor(passed)] ?? 0);
  };
}

const clock = createSchoolClock('Asia/Shanghai');
const plan = compilePlan(
  {
    autumn: { part: 'term', name, from: '2026-08-31', weeks: 21, opens: '2026-09-01', closes: '2027-01-22' },
    winter: {
      ...{ part: 'season', name, layer: 'campus', from: '2026-08-31', to: '2027-01-31' },
      weekly: [{ days: workdays, timetable: 'lessons' }],
    },
    lessons: { part: 'timetable', name, start: at(8, 30), pieces },
    // 国庆 and 中秋 come with the official days; whose lessons the weekends worked for them have, the school says.
    'as-friday': {
      part: 'days',
      name,
      layer: 'campus',
      from: '2026-09-20',
      to: '2026-09-20',
      kind: 'make-up',
      useWeekday: 5,
    },
    'as-wednesday': {
      part: 'days',
      name,
      layer: 'campus',
      from: '2026-10-10',
      to: '2026-10-10',
      kind: 'make-up',
      useWeekday: 3,
    },
    'sports-day': { part: 'days', name, layer: 'campus', from: '2026-11-13', to: '2026-11-13', kind: 'event' },
    'new-year': { part: 'days', name, layer: 'campus', from: '2027-01-01', to: '2027-01-01', kind: 'holiday' },
    heater,
  },
  { clock, holidays: officialYears, zones: [] },
);

const dateOf = (n: number) => clock.dateOf(begin + n * day);
const isSchool = (n: number) => ['school', 'make-up'].includes(dayOf(plan, dateOf(n), 'campus').kind);

interface Outcome {
  readonly kWh: number;
  readonly alwaysOn: number;
  readonly timer: number;
  /** Minutes on of days without school. */
  readonly onWhileOff: number;
  /** Length of each stretch on and off, minutes, and what it was then on a day that is in the months of heating. */
  readonly stretches: readonly { readonly on: boolean; readonly minutes: number }[];
  /** At 08:30 of each school day of heating, Cel. */
  readonly mornings: readonly number[];
  /** Minutes of pre-heat of each of these days. */
  readonly leads: readonly number[];
}

function live(seed: number): Outcome {
  const outside = weather(seed);
  const [ours, always, timer] = [{ temperature: 22 }, { temperature: 22 }, { temperature: 22 }];
  let memory: PowerMemory = noPowerMemory;
  let kWh = 0;
  let alwaysOn = 0;
  let timed = 0;
  let onWhileOff = 0;
  let changed = begin;
  const stretches: { on: boolean; minutes: number }[] = [];
  const mornings: number[] = [];
  const leads: number[] = [];
  for (let n = 0; n < days; n++) {
    const needs = needsAround(plan, heater, dateOf(n), 1);
    let lead = 0;
    for (let m = 0; m < 24 * 60; m++) {
      const now = begin + n * day + m * minute;
      const second = m * 60;
      // The class is there from a little before to a little after; the fifth day of each fortnight it is on the playground in the afternoon.
      const isThere =
        isSchool(n) &&
        second >= at(8, 20) &&
        second < at(n % 10 === 4 ? 12 : 16, 35) &&
        !(second > at(11, 20) && second < at(13, 50));
      const scene = { now, read: (ref: PointRef) => (ref === people ? isThere : ours.temperature) };
      const before = memory.on;
      const { decision, memory: after } = decidePower(heater, needs, scene, memory);
      memory = after;
      if (before !== null && before !== decision.on) {
        stretches.push({ on: before, minutes: (now - changed) / minute });
        changed = now;
      }
      if (decision.on && second < at(8, 30)) lead++;
      if (decision.on && !isSchool(n)) onWhileOff++;
      const isMonth = [11, 12, 1, 2].includes(Number(dateOf(n).slice(5, 7)));
      if (second === at(8, 30) && isSchool(n) && isMonth) {
        mornings.push(ours.temperature);
        leads.push(lead);
      }
      kWh += warm(ours, outside(now), decision.on, isThere);
      alwaysOn += warm(always, outside(now), isMonth, isThere);
      // Monday to Friday from seven to six, as such timers are set, holidays or not.
      timed += warm(
        timer,
        outside(now),
        isMonth && weekdayOf(dateOf(n)) <= 5 && second >= at(7, 0) && second < at(18, 0),
        isThere,
      );
    }
  }
  return { kWh, alwaysOn, timer: timed, onWhileOff, stretches, mornings, leads };
}

test.each([1, 2, 3])(
  'over a term (weather %i) rooms are warm at the first lesson, holidays are cold, minimum times are kept',
  (seed) => {
    const { kWh, alwaysOn, timer, onWhileOff, stretches, mornings, leads } = live(seed);
    expect(plan.mistakes.filter(({ entry }) => plan.entries[entry] === undefined)).toEqual([]);
    expect(mornings.length).toBeGreaterThan(50);
    expect(stretches.length).toBeGreaterThan(100);
    // The first mornings teach it.
    const taught = mornings.slice(5);
    const warmEnough = taught.filter((temperature) => temperature >= 17).length / taught.length;
    const coldest = Math.min(...taught);
    expect(warmEnough).toBeGreaterThan(0.95);
    expect(coldest).toBeGreaterThan(16);
    expect(onWhileOff).toBe(0);
    expect(stretches.filter(({ on, minutes }) => minutes < (on ? heater.minimumOn : heater.minimumOff))).toEqual([]);
    expect(kWh).toBeLessThan(timer);
    expect(timer).toBeLessThan(alwaysOn);
    const saving = (than: number) => `${Math.round(100 * (1 - kWh / than))} %`;
    console.log(
      `weather ${seed}: ${kWh.toFixed(0)} kWh; always on ${alwaysOn.toFixed(0)} (saved ${saving(alwaysOn)}), weekly timer ${timer.toFixed(0)} (saved ${saving(timer)}); ` +
        `${Math.round(100 * warmEnough)} % of ${taught.length} mornings at 17 or more, coldest ${coldest.toFixed(1)}; pre-heat ${Math.min(...leads)} to ${Math.max(...leads)} min`,
    );
  },
);
