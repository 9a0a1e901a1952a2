import { expect, test } from 'vitest';
import type { PointRef } from '#edge/domain/ids.ts';
import type { SchoolPower, Slot, Weekday } from '#edge/domain/school.ts';
import { decidePower, noPowerMemory, type PowerMemory } from '#edge/school/power.ts';
import { joinNeeds, needsOf, type PowerNeed } from '#edge/school/power-needs.ts';

/*
 * An autumn term in a classroom with an air conditioner, minute by minute: what the schedule does to the room, to its own minimum times
 * and to the bill, against leaving it on and against a plain weekly timer. The room is one capacity behind one resistance; pupils warm it.
 */

const minute = 60_000;
const day = 24 * 60 * minute;
/** 2026-09-01 00:00 in Asia/Shanghai, a Tuesday; to the end of January. */
const begin = Date.UTC(2026, 7, 31, 16);
const days = 150;
/** 国庆 and 中秋 of the notice for 2026, the weekends worked for them, and the winter vacation of this school. */
const off = new Set([
  '2026-09-25',
  '2026-09-26',
  '2026-09-27',
  '2026-10-01',
  '2026-10-02',
  '2026-10-03',
  '2026-10-04',
  '2026-10-05',
  '2026-10-06',
  '2026-10-07',
  '2027-01-01',
]);
const worked = new Set(['2026-09-20', '2026-10-10']);
const vacationFrom = '2027-01-23';

const warmth = 'room/temperature' as PointRef;
const people = 'room/people' as PointRef;
const at = (hours: number, minutes: number) => (hours * 60 + minutes) * 60;
const lesson = (id: string, from: number, to: number): Slot => ({
  id,
  kind: 'lesson',
  name: { zh: id, en: id },
  from,
  to,
});
const slots = [
  ...[
    lesson('lesson-1', at(8, 30), at(9, 10)),
    lesson('lesson-2', at(9, 25), at(10, 5)),
    lesson('lesson-3', at(10, 35), at(11, 15)),
  ],
  ...[
    lesson('lesson-5', at(14, 0), at(14, 40)),
    lesson('lesson-6', at(14, 55), at(15, 35)),
    lesson('lesson-7', at(15, 50), at(16, 30)),
  ],
];

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

const dateOf = (n: number) => new Date(begin + n * day + 8 * 3_600_000).toISOString().slice(0, 10);
const weekdayOf = (n: number): Weekday => (((n + 1) % 7) + 1) as Weekday;

function isSchool(n: number): boolean {
  const date = dateOf(n);
  if (date >= vacationFrom || off.has(date)) return false;
  return worked.has(date) || weekdayOf(n) <= 5;
}

function needsAround(n: number): readonly PowerNeed[] {
  const of = (k: number) =>
    needsOf(
      heater,
      { date: dateOf(k), weekday: weekdayOf(k), slots },
      isSchool(k),
      (second) => begin + k * day + second * 1_000,
    );
  return joinNeeds(heater, [n - 1, n, n + 1].map(of));
}

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
    const needs = needsAround(n);
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
        isMonth && weekdayOf(n) <= 5 && second >= at(7, 0) && second < at(18, 0),
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
