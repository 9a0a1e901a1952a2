import { describe, expect, test } from 'vitest';
import type { PointRef } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { SchoolPower, SchoolReasonCode, Slot } from '#edge/domain/school.ts';
import { decidePower, noPowerMemory, type PowerMemory } from '#edge/school/power.ts';
import { powerAhead } from '#edge/school/power-ahead.ts';
import { needsOf, type PowerNeed } from '#edge/school/power-needs.ts';
import { leadOf } from '#edge/school/power-prepare.ts';

const minute = 60_000;
const hour = 60 * minute;
/** A Monday, 00:00 of the campus. */
const midnight = Date.UTC(2026, 10, 22, 16);
const day = { date: '2026-11-23', weekday: 1 as const };
const lamp = 'lamp/relay' as PointRef;
const presence = 'room-203/occupied' as PointRef;
const warmth = 'room-203/temperature' as PointRef;
const at = (text: string) => midnight + (Number(text.slice(0, 2)) * 60 + Number(text.slice(3))) * minute;
const second = (text: string) => (at(text) - midnight) / 1_000;
const timeOf = (value: number) => midnight + value * 1_000;
const slot = (id: string, kind: Slot['kind'], from: string, to: string): Slot => ({
  ...{ id, kind, name: { zh: id, en: id } },
  ...{ from: second(from), to: second(to) },
});
const slots = [
  slot('lesson-1', 'lesson', '08:30', '09:10'),
  slot('break-1', 'break', '09:10', '09:25'),
  slot('lesson-2', 'lesson', '09:25', '10:05'),
  slot('lunch', 'lunch', '12:00', '13:30'),
  slot('lesson-5', 'lesson', '14:00', '14:40'),
];

function circuit(change: Partial<SchoolPower> = {}): SchoolPower {
  return {
    ...{ part: 'power', name: { zh: '203 照明', en: 'Light 203' }, layer: 'campus', kind: 'socket', outputs: [lamp] },
    ...{ on: true, off: false, slots: { kinds: ['lesson'], before: 10, after: 5 }, weekly: [], months: [] },
    days: { kinds: [], weekdays: [] },
    ...{ occupancy: null, prepare: null, setback: null, minimumOn: 0, minimumOff: 0, ...change },
  };
}

const needs = (power: SchoolPower, isMeant = true) => needsOf(power, { ...day, slots }, isMeant, timeOf);
const clock = (time: number) => new Date(time - midnight).toISOString().slice(11, 16);
const spans = (all: readonly PowerNeed[]) => all.map(({ from, to }) => `${clock(from)}-${clock(to)}`);

/** Asks at a time, with what the sensors say then. */
function ask(
  power: SchoolPower,
  time: string,
  readings: Readonly<Record<string, Value>> = {},
  memory: PowerMemory = noPowerMemory,
) {
  const answer = decidePower(power, needs(power), { now: at(time), read: (ref) => readings[ref] ?? null }, memory);
  const { value, why, until } = answer.decision;
  const codes: SchoolReasonCode[] = why.map(({ code }) => code);
  return { value, codes, until: until === null ? null : clock(until), memory: answer.memory };
}

describe('when a circuit is needed', () => {
  test('slots of its kinds with what lies before and after, those near each other as one', () => {
    expect(spans(needs(circuit()))).toEqual(['08:20-10:10', '13:50-14:45']);
    expect(spans(needs(circuit({ minimumOff: 240 })))).toEqual(['08:20-14:45']);
    expect(spans(needs(circuit({ slots: { kinds: ['lesson'], before: 0, after: 0 } })))).toEqual([
      ...['08:30-09:10', '09:25-10:05', '14:00-14:40'],
    ]);
  });

  test('stretches of the week, and both', () => {
    const weekly = [{ days: [1 as const], from: second('18:00'), to: second('19:30') }];
    expect(spans(needs(circuit({ slots: null, weekly })))).toEqual(['18:00-19:30']);
    expect(spans(needs(circuit({ weekly })))).toEqual(['08:20-10:10', '13:50-14:45', '18:00-19:30']);
    expect(spans(needs(circuit({ slots: null, weekly: [{ ...weekly[0], days: [2] } as never] })))).toEqual([]);
  });

  test('not on days that are not meant, and not in months in which it is not used', () => {
    expect(needs(circuit(), false)).toEqual([]);
    expect(needs(circuit({ months: [5, 6, 7] }))).toEqual([]);
    expect(needs(circuit({ months: [11] }))).toHaveLength(2);
  });
});

describe('what it does', () => {
  test('without a sensor it follows the lessons, and says by which', () => {
    expect(ask(circuit(), '08:00')).toMatchObject({ value: false, codes: ['no-need'], until: '08:20' });
    expect(ask(circuit(), '08:20')).toMatchObject({ value: true, codes: ['slot', 'slot'], until: '10:10' });
    expect(ask(circuit(), '10:10')).toMatchObject({ value: false, until: '13:50' });
    expect(ask(circuit(), '23:00')).toMatchObject({ value: false, until: null });
  });

  test('the last one out turns it off, and whoever comes turns it on', () => {
    const power = circuit({ occupancy: { ref: presence, offAfter: 10, toStart: 'schedule' } });
    const there = ask(power, '08:40', { [presence]: true });
    expect(there).toMatchObject({ value: true, codes: ['slot', 'slot', 'occupied'] });
    const gone = ask(power, '08:45', { [presence]: false }, there.memory);
    expect(gone).toMatchObject({ value: true, until: '08:50' });
    const empty = ask(power, '08:50', { [presence]: 0 }, gone.memory);
    expect(empty).toMatchObject({ value: false, codes: ['empty'] });
    expect(ask(power, '08:55', { [presence]: 1 }, empty.memory)).toMatchObject({ value: true });
  });

  test('nobody comes to the lesson: off after the pause, or never on where somebody has to come first', () => {
    const wait = circuit({ occupancy: { ref: presence, offAfter: 10, toStart: 'schedule' } });
    expect(ask(wait, '08:35', { [presence]: false })).toMatchObject({ value: true, until: '08:40' });
    expect(ask(wait, '08:40', { [presence]: false })).toMatchObject({ value: false, codes: ['empty'] });
    const needed = circuit({ occupancy: { ref: presence, offAfter: 10, toStart: 'needed' } });
    expect(ask(needed, '08:35', { [presence]: false })).toMatchObject({ value: false, codes: ['empty'] });
    expect(ask(needed, '08:35', { [presence]: true })).toMatchObject({ value: true });
    expect(ask(needed, '07:35', { [presence]: true })).toMatchObject({ value: false, codes: ['no-need'] });
  });

  test('a sensor that says nothing leaves the lesson its light', () => {
    const power = circuit({ occupancy: { ref: presence, offAfter: 10, toStart: 'needed' } });
    expect(ask(power, '08:35')).toMatchObject({ value: true, codes: ['slot', 'slot', 'no-reading'] });
    expect(ask(power, '11:00')).toMatchObject({ value: false });
  });

  test('people are not left in the dark when lessons are over; a socket goes off', () => {
    const occupancy = { ref: presence, offAfter: 10, toStart: 'schedule' as const };
    const light = circuit({ kind: 'light', occupancy });
    const late = ask(light, '14:44', { [presence]: true });
    const stays = ask(light, '14:50', { [presence]: true }, late.memory);
    expect(stays).toMatchObject({ value: true, codes: ['occupied'] });
    const left = ask(light, '14:55', { [presence]: false }, stays.memory);
    expect(left).toMatchObject({ value: true, until: '15:00' });
    expect(ask(light, '15:00', { [presence]: false }, left.memory)).toMatchObject({ value: false });
    const socket = circuit({ occupancy });
    expect(ask(socket, '14:50', { [presence]: true }, ask(socket, '14:44', { [presence]: true }).memory)).toMatchObject(
      { value: false },
    );
    // One that was off is not turned on for somebody who passes at night.
    expect(ask(light, '22:00', { [presence]: true }, { ...noPowerMemory, on: false })).toMatchObject({ value: false });
  });

  test('minimum times are kept whatever is wished, and a clock that was put back does not make them endless', () => {
    const power = circuit({ minimumOn: 30, minimumOff: 20, slots: { kinds: ['lesson'], before: 0, after: 0 } });
    const on = { ...noPowerMemory, on: true, since: at('10:00') };
    expect(ask(power, '10:06', {}, on)).toMatchObject({
      value: true,
      codes: ['minimum-on', 'no-need'],
      until: '10:30',
    });
    expect(ask(power, '10:30', {}, on)).toMatchObject({ value: false });
    const off = { ...noPowerMemory, on: false, since: at('08:20') };
    expect(ask(power, '08:31', {}, off)).toMatchObject({ value: false, codes: ['minimum-off', 'slot', 'slot'] });
    expect(ask(power, '08:40', {}, off)).toMatchObject({ value: true });
    const future = ask(power, '10:10', {}, { ...on, since: at('20:00') });
    expect(future).toMatchObject({ value: true, until: '10:40' });
    expect(ask(power, '10:40', {}, future.memory)).toMatchObject({ value: false });
  });

  test('outside its times it is set back rather than off where there is a setback', () => {
    const power = circuit({ kind: 'air', on: 20, off: 0, setback: { value: 8 } });
    expect(ask(power, '23:00')).toMatchObject({ value: 8, codes: ['no-need', 'setback'] });
    expect(ask(power, '09:00')).toMatchObject({ value: 20 });
  });
});

describe('pre-heat', () => {
  const prepare = { temperature: warmth, mode: 'heat', setpoint: 18, tolerance: 1, rate: 4, earliest: 120 } as const;
  const air = circuit({ kind: 'air', slots: { kinds: ['lesson'], before: 0, after: 0 }, prepare });

  test('starts as early as its degrees need, and not before it may', () => {
    expect(leadOf(prepare, 17.5, [])).toBe(0);
    // 4 Cel per hour and a tenth in reserve: 15.5 lacks 2 (half of the tolerance is given).
    expect(leadOf(prepare, 15.5, []) / minute).toBeCloseTo(33, 5);
    expect(leadOf(prepare, -10, []) / minute).toBe(120);
    expect(leadOf({ ...prepare, mode: 'cool', setpoint: 26 }, 28.5, []) / minute).toBeCloseTo(33, 5);
  });

  test('is on from then to the lesson with its reason, and without a thermometer as early as it may', () => {
    expect(ask(air, '07:50', { [warmth]: 15.5 })).toMatchObject({ value: false, until: '07:57' });
    const begun = ask(air, '07:57', { [warmth]: 15.5 });
    expect(begun).toMatchObject({ value: true, codes: ['preparing'], until: '08:30' });
    // It goes on when it is warm, so that it is still so at half past.
    expect(ask(air, '08:20', { [warmth]: 18 }, begun.memory)).toMatchObject({ value: true, codes: ['preparing'] });
    expect(ask(air, '06:30')).toMatchObject({ value: true, codes: ['preparing', 'no-reading'] });
    expect(ask(air, '06:29')).toMatchObject({ value: false });
  });

  test('learns from a start how long the next one takes', () => {
    const begun = ask(air, '07:57', { [warmth]: 15.5 });
    const due = ask(air, '08:30', { [warmth]: 16.6 }, begun.memory);
    expect(due.memory.runs).toEqual([{ gap: 2, pace: expect.closeTo(30, 1) }]);
    expect(leadOf(prepare, 15.5, due.memory.runs) / minute).toBeCloseTo(66, 0);
    // A unit that is broken teaches nothing.
    const cold = ask(air, '08:30', { [warmth]: 15.5 }, begun.memory);
    expect(cold.memory.runs).toEqual([]);
  });

  test('a lesson that is painted away takes its start with it', () => {
    const begun = ask(air, '08:00', { [warmth]: 15 });
    expect(begun.value).toBe(true);
    const scene = { now: at('08:05'), read: () => 15 };
    const after = decidePower(air, needs(air).slice(1), scene, begun.memory);
    expect(after.decision.on).toBe(false);
    expect(after.memory.run).toBeNull();
  });
});

test('the day ahead is told with what it assumes', () => {
  const power = circuit({ occupancy: { ref: presence, offAfter: 10, toStart: 'needed' } });
  const scene = { now: at('07:00'), read: () => false };
  const changes = powerAhead(power, needs(power), scene, noPowerMemory, at('23:59'));
  expect(changes.map(({ at, decision }) => `${clock(at)} ${decision.value}`)).toEqual([
    ...['08:20 true', '10:10 false', '13:50 true', '14:45 false'],
  ]);
  expect(changes[0]?.decision.why.map(({ code }) => code)).toEqual(['slot', 'slot', 'occupied', 'assumed-occupied']);
  const prepare = { temperature: warmth, mode: 'heat', setpoint: 18, tolerance: 1, rate: 4, earliest: 120 } as const;
  const air = circuit({ kind: 'air', prepare });
  const warm = powerAhead(air, needs(air), { now: at('02:00'), read: () => 15.5 }, noPowerMemory, at('12:00'));
  expect(warm.map(({ at, decision }) => `${clock(at)} ${decision.value}`)).toEqual(['07:57 true', '10:10 false']);
  expect(warm[0]?.decision.why.map(({ code }) => code)).toEqual(['preparing', 'assumed-temperature']);
  expect(at('08:30') - (warm[0]?.at ?? 0)).toBeLessThan(hour);
});
