import { describe, expect, it } from 'vitest';
import type { PlanLimits, Planned } from '#edge/drivers/modbus/planner.ts';
import { barrierAt, cutOf, planReads, requestOverhead } from '#edge/drivers/modbus/planner.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfile } from '#edge/profiles/load.ts';
import type { Table } from '#edge/profiles/modbus-address.ts';
import { parseModbusAddress } from '#edge/profiles/modbus-address.ts';

const shelf = new URL('../../../device-profiles', import.meta.url).pathname;
const item = (at: number, length = 2, table: Table = 'input'): Planned => ({
  address: parseModbusAddress({
    table,
    at,
    length,
    format: { as: 'f32', order: 'ABCD', scale: 1, offset: 0, invalid: [] },
  }),
});
const limits = (more: Partial<PlanLimits> = {}): PlanLimits => ({
  max: 125,
  gap: 'auto',
  overhead: 14,
  barriers: new Set(),
  ...more,
});
const plan = (items: readonly Planned[], more: Partial<PlanLimits> = {}) =>
  planReads(items, limits(more)).map(({ at, length }) => [at, length]);

describe('the cost of a request', () => {
  it('is what the physics of a line say', () => {
    // Break-even gaps measured for 10 ms slaves: 14 at 9600, 19 at 19200, 84 at 115200 (8N1); TCP reads through everything.
    expect(requestOverhead({ baud: 9600, bitsPerCharacter: 10 })).toBe(15);
    expect(requestOverhead({ baud: 19_200, bitsPerCharacter: 10 })).toBe(20);
    expect(Math.abs(requestOverhead({ baud: 115_200, bitsPerCharacter: 10 }) - 84)).toBeLessThan(2);
    expect(requestOverhead('tcp')).toBe(125);
  });
});

describe('the planner', () => {
  it('reads through a gap that is cheaper than a request, and not through a dearer one', () => {
    expect(plan([item(0), item(12)])).toEqual([[0, 14]]);
    expect(plan([item(0), item(18)])).toEqual([
      [0, 2],
      [18, 2],
    ]);
  });

  it('keeps to the largest read, the widest gap and the barriers of a device', () => {
    const many = Array.from({ length: 60 }, (_, i) => item(2 * i));
    expect(plan(many, { max: 80 }).every(([, length]) => (length ?? 0) <= 80)).toBe(true);
    expect(plan(many, { max: 80 })).toHaveLength(2);
    expect(plan([item(0), item(6)], { gap: 3 })).toHaveLength(2);
    expect(plan([item(0), item(6)], { gap: 4 })).toHaveLength(1);
    expect(plan([item(0), item(2)], { barriers: new Set([barrierAt('input', 2)]) })).toHaveLength(2);
    expect(plan([item(0), item(2)], { barriers: new Set([barrierAt('holding', 2)]) })).toHaveLength(1);
  });

  it('never mixes tables, and joins values that overlap', () => {
    expect(plan([item(0), item(0, 2, 'holding')])).toHaveLength(2);
    expect(plan([item(10, 4), item(11, 1), item(12, 2)])).toEqual([[10, 4]]);
  });

  it('reads a block whole where the profile says so', async () => {
    const points = pointsOf(await loadProfile(shelf, 'relay/waveshare-relay-8'), { fast: 1, normal: 1, slow: 1 });
    const relays = points.map((point) => ({ address: parseModbusAddress(point.address) }));
    expect(plan(relays.slice(2, 3))).toEqual([[0, 8]]);
    expect(plan(relays)).toEqual([[0, 8]]);
  });

  it('needs few requests for a real meter: 3 on a slow line, where one by one would be 16 or more', async () => {
    const points = pointsOf(await loadProfile(shelf, 'meter/eastron-sdm630'), { fast: 1, normal: 1, slow: 1 });
    const all = points.map((point) => ({ address: parseModbusAddress(point.address) }));
    const values = all.filter(({ address }) => address.table === 'input');
    expect(values.length).toBeGreaterThanOrEqual(16);
    expect(plan(values, { max: 80 }).length).toBeLessThanOrEqual(3);
    expect(plan(values, { max: 80, overhead: 125 })).toEqual([[0, 76]]);
  });

  it('finds the cheapest of all splits (against trying them all)', () => {
    let state = 11;
    const next = (n: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state % n;
    };
    for (let round = 0; round < 300; round++) {
      const starts = [...new Set(Array.from({ length: 2 + next(7) }, () => 2 * next(60)))].sort((a, b) => a - b);
      const overhead = 1 + next(40);
      const max = 20 + next(100);
      const cost = planReads(
        starts.map((at) => item(at)),
        limits({ overhead, max }),
      ).reduce((sum, block) => sum + overhead + block.length, 0);
      let best = Number.POSITIVE_INFINITY;
      for (let mask = 0; mask < 2 ** (starts.length - 1); mask++) {
        let total = 0;
        let from = 0;
        for (let i = 0; i < starts.length; i++) {
          const isLast = i === starts.length - 1 || ((mask >> i) & 1) === 1;
          if (!isLast) continue;
          const length = (starts[i] ?? 0) + 2 - (starts[from] ?? 0);
          total += length > max ? Number.POSITIVE_INFINITY : overhead + length;
          from = i + 1;
        }
        best = Math.min(best, total);
      }
      expect(cost).toBe(best);
    }
  });

  it('cuts a refused block at its widest hole, else in the middle, and a single value not at all', () => {
    const [holes] = planReads([item(0), item(2), item(10), item(14)], limits());
    const [dense] = planReads([item(0), item(2), item(4), item(6)], limits());
    const [single] = planReads([item(0)], limits());
    expect([holes, dense, single].map((block) => block && cutOf(block))).toEqual([10, 4, null]);
  });
});
