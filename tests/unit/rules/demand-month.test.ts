import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DemandPlan } from '#edge/domain/energy.ts';
import { broken, judge, live, planOf, type School, schoolOf, type Trace } from './demand-school.ts';
import { below, seeded } from './random.ts';

/*
 * "When shedding could prevent it": an oracle that knows everything and sheds all that it may as soon as it may from the window's start
 * on, with the same times and the same duty to give back, stays at or below the limit, and within the window what cannot be shed does
 * not rise by more than nine tenths of the plan's reserve (the rest is for the errors of the meter). Then the controller must stay at or
 * below the limit as well. Like the controller, the oracle needs 50 s from its first decision until that is obeyed; over the month it is
 * held against one that needs no time at all.
 */

const minute = 60_000;
/** Windows begin at the quarter hours; sliding ones are looked at every 150 s. */
const strides = { fixed: 90, sliding: 15 };
/** Steps. */
const usualReaction = 5;

function couldHave(trace: Trace, plan: DemandPlan, reaction = usualReaction) {
  const verdicts = judge(trace, strides[plan.kind], reaction);
  const bound = verdicts.filter(({ oracle, rise }) => oracle <= plan.limit && rise <= 0.9 * (plan.reserve ?? 0));
  return {
    verdicts,
    bound,
    failed: bound.filter(({ demand }) => demand > plan.limit),
    needed: bound.filter(({ free }) => free > plan.limit),
  };
}

function countSheds({ outcomes }: Trace): number {
  return outcomes.flatMap(({ outcome }) => outcome.changes).filter(({ kind }) => kind === 'shed').length;
}

describe('a month of a school', () => {
  const plan = planOf(seeded(1), { n: 12, limit: 300, kind: 'fixed', reserve: 40, power: 9 });
  const school = schoolOf({ seed: 7, days: 30, plan, size: 265 });
  const trace = live(school);

  test('never exceeds the limit where shedding could prevent it, and hundreds of windows needed it', () => {
    const { verdicts, failed, needed } = couldHave(trace, plan, 0);
    expect(failed).toEqual([]);
    expect(verdicts.length).toBeGreaterThan(2_800);
    expect(needed.length).toBeGreaterThan(300);
    expect(Math.max(...verdicts.map(({ demand }) => demand))).toBeLessThanOrEqual(plan.limit);
  });

  test('breaks no minimum time, no longest time, and gives back one after the other', () => {
    expect(countSheds(trace)).toBeGreaterThan(500);
    expect(broken(trace)).toEqual([]);
  });

  test('tells each window as it was, and what shedding saved', () => {
    const closed = trace.outcomes.flatMap(({ outcome }) => (outcome.closed === null ? [] : [outcome.closed]));
    expect(closed.length).toBeGreaterThan(2_870);
    expect(closed.filter(({ exceeded }) => exceeded)).toEqual([]);
    const byStart = new Map(judge(trace, strides.fixed, 0).map((one) => [one.from, one]));
    const start = closed[0]?.from ?? 0;
    const errors = closed.flatMap(({ from, demand }) => {
      const truth = byStart.get(Math.round((from - start) / 10_000));
      return truth === undefined || demand === null ? [] : [Math.abs(demand - truth.demand) / plan.limit];
    });
    expect(errors.length).toBeGreaterThan(2_800);
    expect(Math.max(...errors)).toBeLessThan(0.02);
    expect(closed.filter(({ unshed }) => (unshed ?? 0) > plan.limit).length).toBeGreaterThan(200);
  });
});

/** A short life of a school that nobody chose. */
function lifeOf(seed: number, faults?: { power: number; counter: number; restart: number; clock: number }): School {
  const random = seeded(seed);
  const kind = random() < 0.5 ? 'fixed' : 'sliding';
  const limit = 100 + below(random, 400);
  const n = 1 + below(random, 20);
  const reserve = limit * (0.05 + 0.25 * random());
  const plan = planOf(random, { n, limit, kind, reserve, power: (limit * (0.1 + 0.6 * random())) / n });
  const size = limit * (0.6 + 0.55 * random());
  const from = 4 + below(random, 48) / 4;
  const kitchen = random() < 0.5 ? 0 : 0.6 * reserve;
  return schoolOf({
    seed: seed * 7,
    days: 0.25,
    from,
    plan,
    size: size - kitchen / 2,
    kitchen,
    ...(faults === undefined ? {} : { faults }),
  });
}

describe('any school', () => {
  test('never exceeds the limit where shedding could prevent it, and keeps every time', () => {
    let needed = 0;
    let windows = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const school = lifeOf(seed);
        const trace = live(school);
        const found = couldHave(trace, school.options.plan);
        needed += found.needed.length;
        windows += found.verdicts.length;
        expect(found.failed).toEqual([]);
        expect(broken(trace)).toEqual([]);
      }),
      { seed: 20261122, numRuns: 60, endOnFailure: true },
    );
    expect(windows).toBeGreaterThan(3_000);
    expect(needed).toBeGreaterThan(500);
  });

  test('keeps every time over restarts, gaps and steps of the clock', () => {
    let upsets = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const school = lifeOf(seed, { power: 0.02, counter: 0.02, restart: 0.01, clock: 0.01 });
        const trace = live(school);
        upsets += trace.upsets.length;
        expect(broken(trace)).toEqual([]);
      }),
      { seed: 20261123, numRuns: 60, endOnFailure: true },
    );
    expect(upsets).toBeGreaterThan(200);
  });

  test('gives nothing back while the power is not known, but what must come back', () => {
    let blind = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const school = lifeOf(seed, { power: 0.05, counter: 0.05, restart: 0, clock: 0 });
        live(school, ({ status, changes }) => {
          if (status !== 'blind') return;
          blind++;
          for (const { kind, why } of changes) {
            expect(kind).toBe('return');
            expect(why.en).toContain('as long as it may be');
          }
        });
      }),
      { seed: 20261124, numRuns: 20, endOnFailure: true },
    );
    expect(blind).toBeGreaterThan(200);
  });

  test('with loads that draw half of what the plan says still keeps what more shedding can keep', () => {
    const plan = planOf(seeded(3), { n: 16, limit: 300, kind: 'fixed', reserve: 30, power: 10 });
    const honest = live(schoolOf({ seed: 9, days: 2, from: 0, plan, size: 285 }));
    const school = schoolOf({ seed: 9, days: 2, from: 0, plan, size: 285, honesty: 0.5 });
    const trace = live(school);
    expect(Math.max(...judge(trace, 90, 0).map(({ demand }) => demand))).toBeLessThanOrEqual(plan.limit);
    expect(countSheds(trace)).toBeGreaterThan(0);
    expect(countSheds(honest)).toBeGreaterThan(0);
    expect(broken(trace)).toEqual([]);
  });
});

test('a load is not switched more often than its times allow, however the campus trembles at the limit', () => {
  const plan = planOf(seeded(5), { n: 6, limit: 200, kind: 'sliding', reserve: 20, power: 12 });
  const trace = live(schoolOf({ seed: 11, days: 3, plan, size: 195 }));
  const hours = 3 * 24;
  const loads = plan.tiers.flatMap((tier) => tier.loads);
  const most = loads.reduce((sum, load) => sum + (hours * 60 * minute) / Math.max(minute, load.minOff + load.minOn), 0);
  expect(countSheds(trace)).toBeLessThan(most / 2);
  expect(broken(trace)).toEqual([]);
});
