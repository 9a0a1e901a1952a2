import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '#edge/runtime/clock.ts';
import { School } from '#edge/simulators/meter-campus.ts';
import { ExactCounter } from '#edge/simulators/meter-counter.ts';
import { circuits, dayKindOf, loads, outdoorTemperature, schoolPower } from '#edge/simulators/meter-school.ts';
import { loadSchoolState, saveSchoolState } from '#edge/simulators/meter-state.ts';

const hour = 3_600_000;
const day = 24 * hour;
const at = (text: string) => Date.parse(`${text}+08:00`);
const allOn = { circuits: circuits.map(() => true), isOverloaded: false };
const subs = ['canteen', 'dormitory', 'teaching', 'data-room', 'air-conditioning', 'motive', 'street-lights'] as const;

/** kW of a load, or of all. */
function kilowatts(time: string, load?: (typeof loads)[number]): number {
  const power = schoolPower(at(time), 1, allOn);
  return (load === undefined ? loads : [load]).flatMap((one) => power[one]).reduce((sum, mW) => sum + mW, 0) / 1e6;
}

describe('what a school draws', () => {
  test('is the same for the same time and seed, and another for another', () => {
    const now = at('2026-11-23T10:07:11');
    expect(schoolPower(now, 1, allOn)).toEqual(schoolPower(now, 1, allOn));
    expect(schoolPower(now, 1, allOn)).not.toEqual(schoolPower(now, 2, allOn));
  });

  test('follows lessons, meals, boarders, the dark, the weather and the calendar', () => {
    const lesson = kilowatts('2026-11-23T10:05', 'teaching');
    expect(lesson).toBeGreaterThan(3 * kilowatts('2026-11-23T03:00', 'teaching'));
    expect(lesson).toBeGreaterThan(4 * kilowatts('2026-11-22T10:05', 'teaching'));
    expect(kilowatts('2026-11-23T11:30', 'canteen')).toBeGreaterThan(5 * kilowatts('2026-11-23T14:30', 'canteen'));
    expect(kilowatts('2026-11-23T20:30', 'dormitory')).toBeGreaterThan(4 * kilowatts('2026-11-23T10:00', 'dormitory'));
    expect(kilowatts('2026-11-23T20:00', 'street-lights')).toBeGreaterThan(1.4);
    expect(kilowatts('2026-11-23T12:00', 'street-lights')).toBeLessThan(0.05);
    const hot = Array.from({ length: 20 }, (_, i) =>
      kilowatts(`2026-07-0${1 + (i % 3)}T14:${20 + i}`, 'air-conditioning'),
    );
    expect(Math.max(...hot)).toBeGreaterThan(5);
    expect(kilowatts('2026-04-15T14:30', 'air-conditioning')).toBeLessThan(1);
    expect(
      ['2026-11-23', '2026-11-22', '2026-10-02', '2026-08-01'].map((date) => dayKindOf(at(`${date}T12:00`))),
    ).toEqual(['school', 'weekend', 'holiday', 'vacation']);
    expect(outdoorTemperature(at('2026-07-25T15:00'), 1)).toBeGreaterThan(25);
    expect(outdoorTemperature(at('2026-01-10T05:00'), 1)).toBeLessThan(10);
  });

  test('never trips its own mains in a year, and does at any hour once it is overloaded', () => {
    const amperes = (now: number, isOverloaded: boolean) => {
      const power = schoolPower(now, 1, { ...allOn, isOverloaded });
      return Math.max(
        ...[0, 1, 2].map(
          (phase) => loads.reduce((sum, load) => sum + (power[load][phase] ?? 0), 0) / 1000 / 228 / 0.925,
        ),
      );
    };
    const start = at('2026-01-01T00:00');
    const times = Array.from({ length: 365 * 48 }, (_, i) => start + (i * hour) / 2 + 7 * 60_000);
    expect(Math.max(...times.map((now) => amperes(now, false)))).toBeLessThan(95);
    expect(Math.min(...times.filter((_, i) => i % 48 < 12).map((now) => amperes(now, true)))).toBeGreaterThan(105);
  });
});

describe('the meters of the school', () => {
  const school = (start = '2026-11-22T22:00') => {
    const clock = new ManualClock(at(start));
    return { clock, school: new School({ clock, step: 10_000 }) };
  };

  test('the main meter counts what the others count and what is lost, however they are looked at', () => {
    const { clock, school: one } = school();
    for (let i = 0; i < 500; i++) {
      clock.advance(97_531 + 1_000 * i);
      one.advance();
      if (i === 200) one.switch(7, false);
    }
    const parts = subs.reduce((sum, name) => sum + one.meters[name].total.truth, one.losses.truth);
    // Each keeps less than a thousandth of a Wh for later.
    expect(Number(one.meters.main.total.truth - parts)).toBeGreaterThanOrEqual(0);
    expect(Number(one.meters.main.total.truth - parts)).toBeLessThan(8);
    const main = one.meters.main.power.reduce((sum, watts) => sum + watts, 0);
    const others = subs.flatMap((name) => [...one.meters[name].power]).reduce((sum, watts) => sum + watts, 0);
    expect(main / others).toBeCloseTo(1.014, 3);
  });

  test('count the same whether somebody looks every second or once a day', () => {
    const [often, rarely] = [school(), school()];
    for (let i = 0; i < 3_000; i++) {
      often.clock.advance(7_000 + (i % 3) * 501);
      often.school.advance();
    }
    rarely.clock.advance(often.clock.now() - rarely.clock.now());
    rarely.school.advance();
    for (const name of [...subs, 'main'] as const) {
      expect(rarely.school.meters[name].total.truth).toBe(often.school.meters[name].total.truth);
    }
    expect(rarely.school.water.main.truth).toBe(often.school.water.main.truth);
  });

  test('show what flowed, day by day, to their last digit; the tariffs of the meter add up to its total', () => {
    const { clock, school: one } = school('2026-11-22T00:00');
    const { main } = one.meters;
    let shown = main.energy(0);
    for (let i = 1; i <= 4; i++) {
      clock.advance(day);
      const now = one.advance().meters.main.energy(0);
      const midnight = clock.now();
      const truth = i === 1 ? main.total.truth : (main.total.between(midnight - day, midnight) ?? -1n);
      expect(Math.abs(now - shown - Number(truth) / 10_000)).toBeLessThan(1);
      expect(main.frozen('day', 1)).toMatchObject({
        time: midnight,
        energies: [now, expect.anything(), expect.anything(), expect.anything(), expect.anything()],
      });
      shown = now;
    }
    const rates = [1, 2, 3, 4].reduce((sum, rate) => sum + main.energy(rate), 0);
    expect(shown - rates).toBeGreaterThanOrEqual(0);
    expect(shown - rates).toBeLessThan(4);
    expect(main.demand.kilowatts).toBeGreaterThan(25);
  });

  test('a clock that is set back makes nothing flow twice, and forward makes it flow once', () => {
    const { clock, school: one } = school();
    clock.advance(hour);
    const before = one.advance().meters.main.total.truth;
    clock.step(-hour);
    expect(one.advance().meters.main.total.truth).toBe(before);
    clock.step(hour);
    expect(Number(one.advance().meters.main.total.truth)).toBeGreaterThan(Number(before));
  });

  test('go on where they were, with what flowed while nobody ran them, and a swapped one stays swapped', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'meters-'));
    try {
      const file = join(folder, 'meters.json');
      expect(await loadSchoolState(file)).toBeNull();
      const { clock, school: first } = school();
      clock.advance(hour);
      first.advance();
      first.replace('motive');
      await saveSchoolState(file, first);
      const shown = first.meters.main.energy(0);
      clock.advance(5 * hour);
      const second = new School({ clock, step: 10_000, state: await loadSchoolState(file) });
      second.advance();
      first.advance();
      expect(second.state).toEqual(first.state);
      expect(second.meters.main.energy(0)).toBeGreaterThan(shown + 1_000);
      expect(second.meters.motive.serial).toBe(first.meters.motive.serial);
      writeFileSync(file, '{"time": 1');
      expect(await loadSchoolState(file)).toBeNull();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('a circuit that is cut, a relay that opens and a meter without power take their load off the main meter', () => {
    const { clock, school: one } = school('2026-11-23T10:05');
    const main = () => one.meters.main.power.reduce((sum, watts) => sum + watts, 0);
    clock.advance(5_000);
    one.advance();
    const all = main();
    one.switch(0, false);
    const fewer = main();
    one.feed('canteen', false);
    const still = main();
    one.meters.dormitory.supply(false, clock.now());
    clock.advance(10_000);
    one.advance();
    expect([all > fewer, fewer > still, still > main()]).toEqual([true, true, true]);
    expect(one.meters.canteen.power).toEqual([0, 0, 0]);
  });

  test('the boarding house drips at night, until the pipe is mended', () => {
    const { clock, school: one } = school('2026-11-23T02:00');
    const night = () => {
      const before = one.water.dormitory.truth;
      clock.advance(hour);
      return Number(one.advance().water.dormitory.truth - before) / 1e6;
    };
    expect(night()).toBeGreaterThan(0.1);
    one.setLeak(false);
    expect(night()).toBeLessThan(0.03);
  });
});

describe('a counter', () => {
  const make = (start = 0, wrap = 10_000) => new ExactCounter({ resolution: 10_000, wrap, serial: 'old', start });
  /** 1 kW for so many hours: 100 steps of 10 Wh each. */
  const run = (counter: ExactCounter, hours: number) => counter.add(1_000_000, hours * hour, 1);

  test('loses nothing in division: a third of a thousandth a thousand times is what it is', () => {
    const counter = make();
    for (let i = 0; i < 3_000; i++) counter.add(1_000, 1_200, 1);
    expect(counter.truth).toBe(1_000n);
  });

  test('rolls over at its width while the truth goes on', () => {
    const counter = make(9_950);
    run(counter, 1);
    expect([counter.shown(0), counter.truth]).toEqual([50, 1_000_000n]);
  });

  test('swapped it begins at 0 with another number, and both parts are known', () => {
    const counter = make(5_000);
    run(counter, 2);
    counter.swap('new', 77);
    expect([counter.shown(77), counter.serial]).toEqual([0, 'new']);
    run(counter, 1);
    expect([counter.shown(77), counter.truth]).toEqual([100, 3_000_000n]);
    expect(counter.marks).toEqual([{ time: 77, kind: 'swap', truth: 2_000_000n, shown: 5_200, serial: 'old' }]);
  });

  test('stuck it stands still; freed it catches up, or what flowed meanwhile is lost to it', () => {
    for (const [missed, shown] of [
      ['caught-up', 300],
      ['lost', 200],
    ] as const) {
      const counter = make();
      run(counter, 1);
      counter.stick(1);
      run(counter, 1);
      expect(counter.shown(1)).toBe(100);
      counter.free(2, missed);
      run(counter, 1);
      expect([counter.shown(2), counter.truth]).toEqual([shown, 3_000_000n]);
    }
  });

  test('back from a power failure it may show 0 for a moment', () => {
    const counter = make();
    run(counter, 1);
    counter.power(false, 1_000);
    expect(counter.isDead).toBe(true);
    counter.power(true, 2_000, 5_000);
    expect([counter.isDead, counter.shown(3_000), counter.shown(7_000)]).toEqual([false, 0, 100]);
    expect(counter.marks.map(({ kind }) => kind)).toEqual(['dead', 'alive', 'zero']);
  });
});
