import { describe, expect, test } from 'vitest';
import {
  enter,
  join,
  leave,
  measure,
  type RollupRule,
  type RollupSample,
  rollup,
  toAggregate,
} from '#edge/store/rollup.ts';
import { random } from '../../fixtures/store/site.ts';

const plain: RollupRule = { staleAfter: 0, counter: false };
const good = (t: number, value: number): RollupSample => ({ t, value, good: true });
const bad = (t: number): RollupSample => ({ t, value: null, good: false });

describe('an aggregate', () => {
  test('weighs each value by how long it stood, so that a deadband does not bias it', () => {
    const [a] = rollup([good(0, 10), good(45_000, 50)], [0, 60_000], plain).aggregates;
    expect(a).toEqual({ t: 0, min: 10, max: 50, mean: 20, last: 50, count: 2, goodSeconds: 60, delta: null });
  });

  test('holds a value into the next bucket, but not beyond its staleness', () => {
    const { aggregates } = rollup([good(30_000, 7)], [0, 60_000, 120_000, 180_000], { ...plain, staleAfter: 50_000 });
    expect(aggregates.map((a) => [a.goodSeconds, a.mean, a.count])).toEqual([
      [30, 7, 1],
      [20, 7, 0],
      [0, null, 0],
    ]);
  });

  test('leaves the time of bad values out', () => {
    const [a] = rollup([good(0, 4), bad(15_000), good(45_000, 8)], [0, 60_000], plain).aggregates;
    expect(a).toMatchObject({ mean: 6, goodSeconds: 30, count: 3, last: 8 });
  });

  test('of a counter adds its rises, over its wrap too, and its falls, so that a clock that was set back counts nothing twice', () => {
    const rule = { staleAfter: 0, counter: true, wrap: 1_000 };
    const samples = [good(0, 990), good(70_000, 998), good(80_000, 5), good(130_000, 4), good(140_000, 6)];
    const { aggregates } = rollup(samples, [0, 60_000, 120_000, 180_000], rule);
    expect(aggregates.map((a) => a.delta)).toEqual([null, 15, 1]);
    // The hour from 10 to 30 was heard twice: its first course lies in between the second.
    const twice = [good(0, 100), good(10, 105), good(12, 111), good(20, 106), good(22, 112), good(40, 115)];
    expect(rollup(twice, [0, 60_000], { staleAfter: 0, counter: true }).aggregates[0]?.delta).toBe(15);
  });

  test("of a counter that goes on from another course by a person's word knows no rise in between", () => {
    const rule = { staleAfter: 0, counter: true, wrap: 100_000 };
    const anew = { ...good(70_000, 3), restart: true as const };
    const samples = [
      good(0, 53_700),
      good(30_000, 53_701),
      good(69_999, 53_705),
      anew,
      good(80_000, 5),
      good(130_000, 9),
    ];
    const bounds = [0, 60_000, 120_000, 180_000];
    expect(rollup(samples, bounds, rule).aggregates.map((a) => a.delta)).toEqual([1, 6, 4]);
    // The same where the step lies at the very beginning of a bucket, and from parts by themselves.
    expect(rollup(samples, [0, 70_000, 180_000], rule).aggregates.map((a) => a.delta)).toEqual([5, 6]);
    const part = measure(samples.slice(3), 180_000, rule);
    const carry = leave(measure(samples.slice(0, 3), 70_000, rule), { tail: null, lastGood: null });
    expect(enter(part, 70_000, 180_000, carry, rule).delta).toBe(6);
  });

  test('of a counter gives what rose while nobody heard it to the bucket in which it is heard again', () => {
    const samples = [good(0, 10), bad(20_000), good(130_000, 25)];
    const { aggregates } = rollup(samples, [0, 60_000, 120_000, 180_000], { staleAfter: 1_000, counter: true });
    expect(aggregates.map((a) => a.delta)).toEqual([null, null, 15]);
  });

  test('of an hour is the same from minutes as from samples, for 200 random series', () => {
    const next = random(3);
    for (let round = 0; round < 200; round++) {
      const rule: RollupRule = {
        staleAfter: [0, 20_000, 400_000][round % 3] ?? 0,
        counter: round % 2 === 0,
        ...(round % 4 === 0 ? { wrap: 100 } : {}),
      };
      const samples: RollupSample[] = [];
      for (let t = -200_000; t < 3_700_000; t += 1 + Math.floor(next() * (round % 5 === 0 ? 900_000 : 40_000))) {
        samples.push(next() < 0.1 ? bad(t) : good(t, Math.round(next() * 1_000) / 10));
      }
      const bounds = Array.from({ length: 61 }, (_, i) => i * 60_000);
      const [hour] = rollup(samples, [0, 3_600_000], rule).aggregates;
      const before = samples.filter((s) => s.t < 0);
      let carry = leave(measure(before, 0, rule), { tail: null, lastGood: null });
      const parts = bounds.slice(0, 60).map((from) => {
        const inside = samples.filter((s) => s.t >= from && s.t < from + 60_000);
        const part = enter(measure(inside, from + 60_000, rule), from, from + 60_000, carry, rule);
        carry = leave(part, carry);
        return part;
      });
      const joined = toAggregate(0, parts.reduce(join));
      expect(joined).toMatchObject({
        t: 0,
        min: hour?.min,
        max: hour?.max,
        last: hour?.last,
        count: hour?.count,
        goodSeconds: hour?.goodSeconds,
      });
      expect(joined.mean ?? -1).toBeCloseTo(hour?.mean ?? -1, 8);
      expect(joined.delta ?? -1).toBeCloseTo(hour?.delta ?? -1, 8);
    }
  });
});
