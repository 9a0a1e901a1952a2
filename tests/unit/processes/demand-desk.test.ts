import { expect, test } from 'vitest';
import { priorities } from '#edge/domain/output.ts';
import { cooler, heater, load, plan, startRoom } from './demand-desk-room.ts';

/* The desk that keeps a demand limit: what it holds, for how long, what it gives back, and what people are told. */

test('it sheds in order with a hold that ends by itself, says why, and gives back what was there before', () => {
  const { holds, campus, clock, open, pass } = startRoom();
  using desk = open();
  pass(desk, 120);
  expect(holds.size).toBe(0);
  campus.kilowatts = 112;
  pass(desk, 180);
  const [hold] = [...holds.values()];
  expect(hold).toMatchObject({ owner: 'demand:main', ref: heater, value: false, priority: 12 });
  expect(hold?.until).toBeLessThanOrEqual(clock.now() + 1_800_000);
  expect(hold?.reason).toContain('100 kW');
  const [now] = desk.now();
  expect(now?.sheds.map(({ ref }) => ref)).toContain(heater);
  expect(now).toMatchObject({ meter: 'main', limit: 100, status: 'shedding' });

  campus.kilowatts = 40;
  pass(desk, 1_200);
  expect(campus.on).toEqual(
    new Map([
      [heater, true],
      [cooler, true],
    ]),
  );
  // Given back, and then nobody's: not held on for ever.
  pass(desk, 120);
  expect(holds.size).toBe(0);
  expect(desk.now()[0]?.windows.length).toBeGreaterThan(0);
});

test('a load that somebody had switched off is not switched on by the end of a shortage', () => {
  const { campus, holds, open, pass } = startRoom();
  campus.on.set(heater, false);
  using desk = open();
  campus.kilowatts = 135;
  pass(desk, 240);
  expect([...holds.values()].map(({ ref }) => ref)).toEqual([cooler]);
  campus.kilowatts = 40;
  pass(desk, 1_500);
  expect(campus.on.get(heater)).toBe(false);
  expect(campus.on.get(cooler)).toBe(true);
});

test('it remembers over a restart what it shed, and lets go of what no plan stands for', () => {
  const { campus, holds, room, open, pass } = startRoom();
  {
    using desk = open();
    campus.kilowatts = 112;
    pass(desk, 240);
  }
  expect(holds.size).toBeGreaterThan(0);
  const before = [...holds.values()].map(({ ref, until }) => ({ ref, until }));
  {
    using desk = open();
    pass(desk, 10);
    expect([...holds.values()].map(({ ref }) => ref)).toEqual(before.map(({ ref }) => ref));
    campus.kilowatts = 40;
    pass(desk, 1_800);
    expect(campus.on.get(heater)).toBe(true);
    campus.kilowatts = 112;
    pass(desk, 900);
    expect(holds.size).toBeGreaterThan(0);
  }
  // What it knew is lost: what it held is not its own any more, and it was on.
  room.stored = {};
  campus.kilowatts = 40;
  using desk = open();
  pass(desk, 15);
  expect(holds.size).toBe(0);
  expect([...campus.on.values()]).toEqual([true, true]);
});

test('people hear when nothing is left to shed, and when nobody guards the limit; and when it is over', () => {
  const { campus, decisions, open, pass } = startRoom();
  using desk = open();
  campus.kilowatts = 200;
  pass(desk, 300);
  expect(decisions).toMatchObject([{ kind: 'raise', source: 'demand:main', class: 'high' }]);
  campus.kilowatts = 30;
  pass(desk, 900);
  expect(decisions.at(-1)).toMatchObject({ kind: 'return', source: 'demand:main' });
  decisions.length = 0;
  campus.kilowatts = null;
  pass(desk, 240);
  expect(decisions).toEqual([]);
  pass(desk, 300);
  expect(decisions).toMatchObject([{ kind: 'raise', source: 'demand:main', class: 'medium' }]);
  campus.kilowatts = 30;
  pass(desk, 300);
  expect(decisions.at(-1)).toMatchObject({ kind: 'return' });
});

test('a campus without a limit is left alone', () => {
  const { holds, open, pass } = startRoom([]);
  using desk = open();
  pass(desk, 60);
  expect([desk.now(), holds.size]).toEqual([[], 0]);
});

test('a load that came to be protected while core was away is given back at once', () => {
  const { campus, holds, room, open, pass } = startRoom();
  {
    using desk = open();
    campus.kilowatts = 112;
    pass(desk, 240);
  }
  expect(campus.on.get(heater)).toBe(false);
  room.demand = [{ ...plan, protected: { ...plan.protected, outputs: [heater] } }];
  using desk = open();
  pass(desk, 10);
  expect(campus.on.get(heater)).toBe(true);
  expect([...holds.values()].filter(({ ref }) => ref === heater)).toEqual([]);
  pass(desk, 300);
  expect(campus.on.get(heater)).toBe(true);
});

test('what a limit held that the site has no more comes back, and nothing of it is remembered', () => {
  const { campus, holds, room, open, pass } = startRoom();
  {
    using desk = open();
    campus.kilowatts = 150;
    pass(desk, 300);
  }
  expect([...campus.on.values()]).toEqual([false, false]);
  room.demand = [];
  using desk = open();
  pass(desk, 30);
  expect([...campus.on.values()]).toEqual([true, true]);
  expect(holds.size).toBe(0);
  expect(room.stored).toEqual({});
});

test('loads whose time ran out while core was away come back one after the other', () => {
  const { campus, holds, open, pass } = startRoom();
  {
    using desk = open();
    campus.kilowatts = 150;
    pass(desk, 300);
  }
  pass(null, 3_600);
  // Relays keep what they have when nobody holds them.
  expect([holds.size, ...campus.on.values()]).toEqual([0, false, false]);
  campus.kilowatts = 60;
  using desk = open();
  pass(desk, 5);
  expect([...campus.on.values()].filter((on) => on)).toHaveLength(1);
  pass(desk, 15);
  expect([...campus.on.values()]).toEqual([true, true]);
  pass(desk, 60);
  expect(holds.size).toBe(0);
});

test('a give-back is no wish against a schedule that has switched off meanwhile', () => {
  const { campus, take, open, pass } = startRoom();
  using desk = open();
  campus.kilowatts = 112;
  pass(desk, 240);
  expect(campus.on.get(heater)).toBe(false);
  take('schedule:evening', heater, false, priorities.schedule);
  campus.kilowatts = 40;
  pass(desk, 1_500);
  expect(campus.switched.filter((one) => one.startsWith('relay_8'))).toEqual(['relay_8 off']);
});

test('a wish that came and ended while the load was shed is what the load becomes', () => {
  const { campus, take, open, pass } = startRoom();
  using desk = open();
  campus.kilowatts = 112;
  pass(desk, 240);
  // A person wants it off, for five minutes: without a limit it would be off after that.
  take('request:web', heater, false, priorities.operator, 300_000);
  pass(desk, 120);
  campus.kilowatts = 40;
  pass(desk, 1_500);
  expect(campus.on.get(heater)).toBe(false);
  expect(campus.on.get(cooler)).toBe(true);
});

test('a person who takes a load that is shed has it at once, the limit says so and sheds another one', () => {
  const { campus, take, open, pass } = startRoom();
  using desk = open();
  campus.kilowatts = 112;
  pass(desk, 180);
  expect(campus.on.get(heater)).toBe(false);
  take('request:web', heater, true, priorities.operator);
  pass(desk, 5);
  expect(campus.on.get(heater)).toBe(true);
  expect(desk.now()[0]?.sheds).toMatchObject([{ ref: heater, defies: true }]);
  pass(desk, 90);
  expect(campus.on.get(cooler)).toBe(false);
  // And nothing is taken from a person in vain: it is not shed a second time while he has it.
  campus.kilowatts = 40;
  pass(desk, 1_200);
  campus.kilowatts = 130;
  pass(desk, 300);
  expect(desk.now()[0]?.sheds.map(({ ref }) => ref)).toEqual([cooler]);
});

test('a relay that is away while its load comes back is told when it is there again, after a restart too', () => {
  const { campus, holds, open, pass } = startRoom();
  {
    using desk = open();
    campus.kilowatts = 112;
    pass(desk, 240);
    expect(campus.on.get(heater)).toBe(false);
    campus.isAway = true;
    campus.kilowatts = 40;
    pass(desk, 1_500);
    expect(desk.now()[0]?.sheds).toEqual([]);
  }
  pass(null, 600);
  using desk = open();
  pass(desk, 600);
  expect(campus.on.get(heater)).toBe(false);
  campus.isAway = false;
  pass(desk, 10);
  expect(campus.on.get(heater)).toBe(true);
  expect(holds.size).toBe(0);
});

test.each([
  ['a year on', 365 * 86_400_000],
  ['a year back', -365 * 86_400_000],
  ['an hour on', 3_600_000],
  ['an hour back', -3_600_000],
])('a load comes back though the clock is put %s, while it is shed and while its relay is away', (_, by) => {
  const { clock, campus, open, pass } = startRoom();
  using desk = open();
  campus.kilowatts = 112;
  pass(desk, 240);
  expect(campus.switched).toEqual(['relay_8 off']);
  clock.step(by);
  pass(desk, 60);
  expect(campus.switched).toEqual(['relay_8 off']);
  campus.isAway = true;
  campus.kilowatts = 40;
  pass(desk, 600);
  clock.step(by);
  pass(desk, 60);
  campus.isAway = false;
  pass(desk, 120);
  expect(campus.on.get(heater)).toBe(true);
});

test('core killed between what it wrote down and what it did does what it wrote down', () => {
  const { campus, holds, open, pass } = startRoom();
  {
    using desk = open();
    campus.kilowatts = 112;
    pass(desk, 180);
  }
  // The state is on disk, the hold is not.
  holds.clear();
  campus.on.set(heater, true);
  using desk = open();
  pass(desk, 5);
  expect(campus.on.get(heater)).toBe(false);
  campus.kilowatts = 40;
  pass(desk, 1_500);
  expect(campus.on.get(heater)).toBe(true);
});

test('an alarm of before a restart ends when its cause has', () => {
  const { campus, decisions, open, pass } = startRoom();
  {
    using desk = open();
    campus.kilowatts = 200;
    pass(desk, 300);
    expect(decisions).toMatchObject([{ kind: 'raise', class: 'high' }]);
  }
  campus.kilowatts = 30;
  using desk = open();
  pass(desk, 120);
  expect(decisions.slice(1)).toMatchObject([{ kind: 'return', source: 'demand:main' }]);
});

test('a meter whose clock runs ahead is read as of when it was heard, one that is hours behind is not believed', () => {
  const ahead = startRoom();
  ahead.campus.ahead = 45_000;
  using desk = ahead.open();
  ahead.campus.kilowatts = 112;
  ahead.pass(desk, 240);
  // One load is enough, and the effect of it is not looked for before it can show.
  expect(ahead.campus.switched).toEqual(['relay_8 off']);
  const behind = startRoom();
  behind.campus.ahead = -7_200_000;
  behind.campus.kilowatts = 200;
  using blind = behind.open();
  behind.pass(blind, 400);
  expect(blind.now()[0]?.status).toBe('blind');
  expect(behind.decisions).toMatchObject([{ kind: 'raise', class: 'medium' }]);
  expect(behind.campus.switched).toEqual([]);
});

test('a load that nobody can command is not counted on', () => {
  const { campus, decisions, open, pass } = startRoom();
  campus.known = [cooler];
  using desk = open();
  campus.kilowatts = 150;
  pass(desk, 300);
  expect(desk.now()[0]?.sheds.map(({ ref }) => ref)).toEqual([cooler]);
  expect(decisions).toMatchObject([{ kind: 'raise', class: 'high' }]);
});

test('two limits that share a load never push it on against each other', () => {
  const other = { ...plan, meter: 'other', limit: 50, tiers: [{ ...plan.tiers[0], loads: [load(heater)] }] };
  const { campus, holds, open, pass, take } = startRoom();
  using desk = open();
  campus.kilowatts = 112;
  pass(desk, 240);
  // The site check refuses it; a hold of another limit stands all the same.
  take(`demand:${other.meter}`, heater, false, priorities.automation);
  campus.kilowatts = 40;
  pass(desk, 1_500);
  expect(campus.on.get(heater)).toBe(false);
  expect([...holds.values()].map(({ owner }) => owner)).toEqual(['demand:other']);
});

test('what stands is not said again with every look', () => {
  const { campus, room, open, pass } = startRoom();
  using desk = open();
  campus.kilowatts = 112;
  pass(desk, 180);
  expect(campus.on.get(heater)).toBe(false);
  room.told = 0;
  pass(desk, 60);
  expect(room.told).toBe(0);
});
