import { expect, test } from 'vitest';
import type { SampleSource } from '#edge/store/blocks.ts';
import { openDatabase } from '#edge/store/database.ts';
import { laneNumber } from '#edge/store/outbox.ts';
import { allPoints, hourMs, registerPoints } from '#edge/store/points.ts';
import { Reissues } from '#edge/store/reissue.ts';
import { sampleCode } from '#edge/store/sample.ts';
import { hour, minute, start, temporaryFolder } from '../../fixtures/store/site.ts';

/* Minutes that are told to the city again. */

const good = sampleCode('number', 'good', undefined);
/** A counter that is read each minute. */
const source: SampleSource = {
  hot: () => [],
  header: () => null,
  headers: () => new Map(),
  block: (_, at) =>
    Array.from({ length: 60 }, (_one, i) => ({ t: at * hourMs + i * minute, d: 0, value: at * 60 + i, code: good })),
  columns: () => null,
  headerBefore: () => null,
  nextHour: (at) => at,
};

test('minutes wait as long as the city is two weeks behind: what was never told keeps its place in the outbox', async () => {
  await using folder = await temporaryFolder();
  const { db } = openDatabase(folder.path, start, 'trust');
  const counter = { ref: 'meter/energy', type: 'number' as const, unit: 'kW.h', staleAfter: hour, counter: true };
  const [id = 0] = registerPoints(db, [counter]);
  const reissues = new Reissues(db, source);
  const lane = db.prepare<[number, number, number]>('UPDATE lane SET head = ?, watermark = ? WHERE lane = ?');
  const number = laneNumber('agg1m');
  const take = () => reissues.take(start + hour, allPoints(db), 120)?.minutes.length ?? null;

  reissues.note(id, start, start + hour, start + hour);
  expect(lane.run(100_000, 79_999, number).changes).toBe(1);
  expect(take()).toBeNull();
  lane.run(100_000, 80_000, number);
  expect(take()).toBe(60);
  expect(take()).toBeNull();
  db.close();
});
