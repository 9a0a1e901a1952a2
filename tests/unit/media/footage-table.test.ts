import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dayOf, type FootageFile, parsePartName, parseSegmentName, segmentName } from '#edge/media/footage-names.ts';
import { FootageTable } from '#edge/media/footage-table.ts';

const file = (from: number, length = 30_000, bytes = 1_000): FootageFile => ({
  from,
  to: from + length,
  bytes,
  kind: 'continuous',
});

test('a name says everything the index knows, there and back', () => {
  const names = fc.record({
    from: fc.integer({ min: 0, max: 4e12 }),
    length: fc.integer({ min: 1, max: 3_600_000 }),
    bytes: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    kind: fc.constantFrom('continuous' as const, 'event' as const),
  });
  fc.assert(
    fc.property(names, ({ length, ...rest }) => {
      const said = { ...rest, to: rest.from + length };
      expect(parseSegmentName(segmentName(said))).toEqual(said);
    }),
  );
});

test('a name without a size is good, and what is not ours is none', () => {
  expect(parseSegmentName('1000-2000.mp4')).toEqual({ from: 1000, to: 2000, bytes: null, kind: 'continuous' });
  for (const name of [
    '2000-1000.mp4',
    '1-9999999999.mp4',
    '1-2-99999999999.mp4',
    'x.mp4',
    '1-2.mp4.part',
    '-1-2.mp4',
  ]) {
    expect(parseSegmentName(name), name).toBeNull();
  }
  expect(parsePartName('1732254000000.part')).toBe(1_732_254_000_000);
  expect(parsePartName('x.part')).toBeNull();
  expect(dayOf(Date.UTC(2026, 10, 22, 23, 59, 59, 999))).toBe('2026-11-22');
});

test('files added and removed in any order are told like a list that was sorted', () => {
  const steps = fc.array(
    fc.record({ from: fc.integer({ min: 0, max: 400 }), length: fc.integer({ min: 1, max: 40 }), drop: fc.boolean() }),
    { maxLength: 400 },
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 100 }), (acts, from, span) => {
      const table = new FootageTable();
      const model = new Map<number, FootageFile>();
      for (const act of acts) {
        if (act.drop) {
          expect(table.remove(act.from)).toEqual(model.get(act.from) ?? null);
          model.delete(act.from);
        } else {
          const fresh = file(act.from, act.length, act.length);
          expect(table.add(fresh)).toBe(!model.has(act.from));
          if (!model.has(act.from)) model.set(act.from, fresh);
        }
      }
      const sorted = [...model.values()].sort((a, b) => a.from - b.from);
      expect(Array.from({ length: table.size }, (_, row) => table.at(row))).toEqual(sorted);
      expect(table.bytes).toBe(sorted.reduce((sum, { bytes }) => sum + bytes, 0));
      const to = from + span;
      expect([...table.between(from, to)]).toEqual(sorted.filter((one) => one.from < to && one.to > from));
    }),
  );
});

test('time that two files share counts once, seams between files of one stream are no gaps, and real gaps are', () => {
  const table = new FootageTable();
  for (const one of [file(0), file(30_400), file(50_000), file(200_000)]) table.add(one);
  expect(table.ranges(0, 1e6)).toEqual([
    { from: 0, to: 80_000 },
    { from: 200_000, to: 230_000 },
  ]);
  expect(table.covered(0, 1e6)).toBe(110_000);
  expect(table.covered(10_000, 210_000)).toBe(80_000);
  expect(table.covered(90_000, 190_000)).toBe(0);
});

test('a start that is taken is never given to a second file', () => {
  const table = new FootageTable();
  table.add(file(1_000));
  table.add(file(1_001));
  expect(table.freeStart(1_000)).toBe(1_002);
  expect(table.freeStart(999)).toBe(999);
});

test('a quarter of a million files are found in, counted and thrown away from the front quickly', () => {
  const table = new FootageTable();
  for (let i = 0; i < 250_000; i++) table.add(file(i * 30_000));
  const started = performance.now();
  for (let i = 0; i < 200; i++) table.ranges(i * 3_000_000, i * 3_000_000 + 86_400_000);
  for (let i = 0; i < 100_000; i++) table.remove(i * 30_000);
  table.covered(0, 250_000 * 30_000);
  expect(performance.now() - started).toBeLessThan(5_000);
  expect(table.size).toBe(150_000);
});
