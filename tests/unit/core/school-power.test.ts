import { expect, test } from 'vitest';
import type { DeviceId, PointName, PointRef } from '#edge/domain/ids.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { SchoolOverride, SchoolPower } from '#edge/domain/school.ts';
import type { SchoolMoment } from '#edge/processes/core/school-desk.ts';
import { PowerDesk, schoolPowerState } from '#edge/processes/core/school-power.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { officialYears } from '#edge/school/official-holidays.ts';
import { compilePlan } from '#edge/school/plan.ts';
import { Desk, ref } from '../commands/desk.ts';

/* Circuits by the school day, through the real commands: relay_1 is the light of room 203 on a Monday, from 10:00 in Shanghai on. */

const light = ref('relay-1/relay_1');
const presence = ref('room-203/occupied');
const clock = createSchoolClock('Asia/Shanghai');
const hours = (hour: number, minute = 0) => (hour * 60 + minute) * 60;

const circuit: SchoolPower = {
  ...{ part: 'power', name: { zh: '203 照明', en: 'Light 203' }, layer: 'campus', kind: 'light', outputs: [light] },
  ...{ on: true, off: false, slots: null, months: [], prepare: null, setback: null, minimumOn: 0, minimumOff: 0 },
  weekly: [{ days: [1], from: hours(10, 5), to: hours(11) }],
  days: { kinds: ['school', 'vacation'], weekdays: [] },
  occupancy: { ref: presence, offAfter: 10, toStart: 'schedule' },
};

function planOf(...circuits: readonly SchoolPower[]) {
  const entries = Object.fromEntries(circuits.map((one, i) => [`light-${i + 203}`, one]));
  return compilePlan(entries, { clock, holidays: officialYears, zones: [] });
}

function open(desk: Desk, stored: unknown = undefined) {
  const room = {
    desk,
    plan: planOf(circuit) as ReturnType<typeof planOf> | null,
    paused: null as SchoolMoment['paused'],
    overrides: [] as readonly SchoolOverride[],
    readings: {} as Record<string, Value>,
    state: stored,
  };
  const latest = () =>
    new Map(
      Object.entries(room.readings).map(([text, value]) => {
        const place = { ref: text as PointRef, device: 'room-203' as DeviceId, point: 'occupied' as PointName };
        const time = desk.clock.now();
        const reading: Reading = { ...place, value, unit: '', quality: 'good', sourceTime: time, receivedTime: time };
        return [reading.ref, reading];
      }),
    );
  const power = new PowerDesk({
    ...{ commands: desk.commands, latest, stored, clock: desk.clock },
    commit: ({ state }) => {
      room.state = state?.[schoolPowerState];
    },
  });
  return {
    room,
    power,
    /** Looks, and lets so many minutes go by, looking every ten seconds. */
    async pass(minutes: number): Promise<void> {
      for (let left = minutes * 6; ; left--) {
        power.tick({
          ...{
            now: desk.clock.now(),
            date: clock.dateOf(desk.clock.now()),
            overrides: room.overrides,
            paused: room.paused,
          },
          planOn: () => room.plan,
        });
        desk.obey();
        if (left <= 0) break;
        await desk.pass(10_000);
      }
    },
  };
}

const holdOn = (desk: Desk) => desk.commands.outputs().find((output) => output.ref === light)?.stack ?? [];

test('a light is held off and on by the hours, with who holds it and why', async () => {
  const desk = new Desk();
  const { room, power, pass } = open(desk);
  await pass(0);
  expect(holdOn(desk)).toMatchObject([{ owner: 'schedule:light-203', value: false, priority: 15 }]);
  expect(holdOn(desk)[0]?.reason).toBe('203 照明：不在使用时段 / Light 203: not needed now');
  room.readings[presence] = true;
  await pass(5);
  expect(holdOn(desk)).toMatchObject([{ owner: 'schedule:light-203', value: true }]);
  expect(holdOn(desk)[0]?.reason).toBe('203 照明：每周定时，有人 / Light 203: weekly times, somebody is there');
  expect(desk.state(light).confirmed).toMatchObject({ value: true, outcome: 'done' });
  room.readings[presence] = false;
  await pass(10);
  expect(holdOn(desk)).toMatchObject([{ value: false }]);
  const [told] = power.now() ?? [];
  expect(told).toMatchObject({ entry: 'light-203', decision: { value: false, why: [{ code: 'empty' }] } });
  expect(told?.power).toEqual(circuit);
});

test('what it will do until tomorrow night is told beforehand', async () => {
  const desk = new Desk();
  const { room, power, pass } = open(desk);
  room.readings[presence] = false;
  await pass(0);
  const [told] = power.now() ?? [];
  expect(told?.next.map(({ at, decision }) => [clock.secondOf(at), decision.value])).toEqual([
    [hours(10, 5), true],
    // People are not left in the dark: ten minutes after the last one.
    [hours(11, 10), false],
  ]);
  expect(told?.next[0]?.decision.why.at(-1)).toEqual({ code: 'assumed-occupied' });
});

test('a person overrides it for an hour, and then it is again as the schedule says', async () => {
  const desk = new Desk();
  const { room, pass } = open(desk);
  room.readings[presence] = true;
  await pass(5);
  await desk.ask(light, false, { client: 'web', seconds: 600 });
  await pass(1);
  expect(desk.state(light)).toMatchObject({ value: false, holder: 'request:web', next: { value: true } });
  await pass(10);
  expect(desk.state(light)).toMatchObject({ value: true, holder: 'schedule:light-203' });
});

test('nothing is written while nothing changes, and a hold is said again before it ends', async () => {
  const desk = new Desk();
  const { pass } = open(desk);
  await pass(0);
  const until = holdOn(desk)[0]?.until ?? 0;
  expect(until - desk.clock.now()).toBe(12 * 3_600_000);
  await desk.settle();
  const written = desk.batches.length;
  await pass(4);
  expect(desk.batches.length).toBe(written);
  desk.clock.advance(7 * 3_600_000);
  await pass(0);
  expect(holdOn(desk)[0]?.until).toBeGreaterThan(until);
});

test('what is signed no more lets go, also when core was away meanwhile', async () => {
  const desk = new Desk();
  const first = open(desk);
  first.room.plan = planOf(circuit, { ...circuit, outputs: [ref('relay-1/relay_2')] });
  await first.pass(0);
  expect(desk.state('relay-1/relay_2').holder).toBe('schedule:light-204');
  first.room.plan = planOf(circuit);
  await first.pass(0);
  expect(desk.state('relay-1/relay_2').holder).toBeNull();
  expect(holdOn(desk)).toHaveLength(1);
  const restored = holdOn(desk);
  const later = new Desk({ restored, clock: desk.clock });
  const second = open(later, first.room.state);
  second.room.plan = null;
  await second.pass(0);
  expect(holdOn(later)).toEqual([]);
  expect(second.power.now()).toEqual([]);
});

test('with a clock that nobody believes nothing is decided and nothing let go', async () => {
  const desk = new Desk();
  const { room, power, pass } = open(desk);
  room.paused = 'jumped';
  await pass(1);
  expect(holdOn(desk)).toEqual([]);
  expect(power.now()).toBeNull();
  room.paused = null;
  await pass(0);
  room.paused = 'unsynchronised';
  room.plan = null;
  await pass(10);
  expect(holdOn(desk)).toMatchObject([{ value: false }]);
});

test('what was learnt and since when outlives a restart; what is unreadable of it does not stop anything', async () => {
  const desk = new Desk();
  const first = open(desk);
  first.room.readings[presence] = true;
  await first.pass(6);
  expect(first.room.state).toMatchObject({ 'light-203': { memory: { on: true }, refs: [light] } });
  const second = open(desk, { ...(first.room.state as object), broken: { memory: 7 } });
  second.room.readings[presence] = true;
  await second.pass(0);
  expect(second.power.now()?.[0]?.decision).toMatchObject({ on: true, since: first.power.now()?.[0]?.decision.since });
  expect(open(desk, 'rubbish').power.now()).toBeNull();
});

test('why it is on follows also where what it is stays the same', async () => {
  const desk = new Desk();
  const { room, pass } = open(desk);
  room.readings[presence] = true;
  await pass(6);
  expect(holdOn(desk)[0]?.reason).toContain('somebody is there');
  room.readings[presence] = false;
  await pass(2);
  expect(holdOn(desk)).toMatchObject([{ value: true, reason: '203 照明：每周定时 / Light 203: weekly times' }]);
});

test('somebody who comes and goes all the time is not told of each time', async () => {
  const desk = new Desk();
  const { room, pass } = open(desk);
  room.readings[presence] = true;
  await pass(6);
  const told = new Set<number | undefined>();
  await desk.settle();
  const before = desk.batches.length;
  for (let n = 0; n < 30; n++) {
    room.readings[presence] = n % 2 === 0;
    await pass(0);
    await desk.pass(10_000);
    told.add(holdOn(desk)[0]?.until ?? undefined);
  }
  expect(told.size).toBeLessThanOrEqual(6);
  expect(desk.batches.length - before).toBeLessThanOrEqual(6);
});

test('a day that is shifted takes its lights along, and their bells', async () => {
  const desk = new Desk();
  const { room, pass } = open(desk);
  const { occupancy: _, ...rest } = circuit;
  const name = { zh: '一', en: 'one' };
  const slots = { kinds: ['lesson'], before: 0, after: 0 } as const;
  room.plan = compilePlan(
    {
      term: { part: 'term', name, from: '2026-08-31', weeks: 20 },
      usual: {
        ...{ part: 'timetable', name, start: hours(10, 5) },
        pieces: [{ id: 'lesson-1', kind: 'lesson', name, minutes: 40 }],
      },
      season: {
        ...{ part: 'season', name, layer: 'campus', from: '2026-08-31', to: '2027-01-17' },
        weekly: [{ days: [1, 2, 3, 4, 5], timetable: 'usual' }],
      },
      'light-203': { ...rest, occupancy: null, weekly: [], slots },
    },
    { clock, holidays: officialYears, zones: [] },
  );
  const from = desk.clock.now();
  const what = { kind: 'shift', date: '2026-11-23', after: hours(10), seconds: 1_200 } as const;
  const said = { id: 'x', what, layer: 'campus', from, until: from + 14 * 3_600_000, by: 'person:lin', why: 'rain' };
  room.overrides = [said];
  await pass(6);
  expect(holdOn(desk)).toMatchObject([{ value: false }]);
  await pass(20);
  expect(holdOn(desk)).toMatchObject([{ value: true }]);
  await pass(38);
  expect(holdOn(desk)).toMatchObject([{ value: true }]);
  await pass(3);
  expect(holdOn(desk)).toMatchObject([{ value: false }]);
});
