import { type DeviceId, type PointName, pointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import { type BenchLine, median } from './bench-line.ts';
import { day, hour, openBenchStore, openPlain, type PlainDb, start } from './store-folder.ts';

export interface MonthOptions {
  readonly points: number;
  /** ms between two samples of one point. */
  readonly every: number;
  readonly rounds: number;
}

const days = 30;
const end = start + days * day;
const device = 'meter-1' as DeviceId;
const refOf = (point: number) => pointRef(device, `power_${point}` as PointName);

/** A day's curve with noise, in watts, as a meter shows it: whole numbers. */
function valueAt(point: number, t: number): number {
  const share = (t % day) / day;
  const ripple = Math.sin(t / 7_300) + 0.7 * Math.sin(t / 41_700 + point) + 1.5 * Math.sin(t / 613_000);
  return Math.round(
    4_000 * (1 + point / 10) * (0.2 + Math.max(0, Math.sin((share - 0.25) * 2 * Math.PI))) + 60 * ripple,
  );
}

/** Reads 30 days of one point: from sealed blocks, and from plain rows in the two usual layouts. */
export async function measureMonth(folder: string, options: MonthOptions): Promise<BenchLine[]> {
  await fillStore(folder, options);
  using reader = openReader(folder, new ManualClock(end));
  const layouts = ['without rowid', 'rowid and index'] as const;
  const plains = layouts.map((layout) => fillPlain(openPlain(folder, layout), options));
  const samples = (days * day) / options.every;
  const note = `${samples} samples of one of ${options.points} points in the database, every ${options.every / 1_000} s, inserted in the order of arrival; warm page cache, each read makes an object a sample with value, quality and both times; median of ${options.rounds} rounds in turns`;
  const lines = layouts.flatMap((layout, i): BenchLine[] => {
    const plain = plains[i];
    if (plain === undefined) return [];
    const raw = compare(
      options.rounds,
      () => readOurs(reader, samples),
      () => readPlain(plain, samples),
    );
    const means = compare(
      options.rounds,
      () => meansOurs(reader),
      () => meansPlain(plain),
    );
    const line = (what: string, { ours, theirs }: Compared): BenchLine => ({
      bench: 'store',
      what,
      ours: { value: ours, unit: 'ms' },
      other: { value: theirs, unit: 'ms', name: `plain rows, ${layout}` },
      goal: { of: 'ratio', atMost: 0.3 },
    });
    return [
      { ...line('30 days of one point, every sample', raw), ...(i === 0 ? { note } : {}) },
      line('30 days of one point, hourly means', means),
    ];
  });
  for (const plain of plains) plain.close();
  return lines;
}

async function fillStore(folder: string, { points, every }: MonthOptions): Promise<void> {
  const clock = new ManualClock(start);
  await using store = await openBenchStore(folder, clock, { foldAfter: 30 * 60_000, foldRows: 20_000 });
  const registered = Array.from({ length: points }, (_, point) => refOf(point));
  await store.registerPoints(
    registered.map((ref) => ({ ref, type: 'number', unit: 'W', staleAfter: 6 * every, counter: false })),
  );
  for (let t = start; t < end; t += hour) {
    const readings: Reading[] = [];
    for (let at = t; at < t + hour; at += every) {
      for (let point = 0; point < points; point++) readings.push(readingOf(point, at));
    }
    clock.advance(hour);
    await store.append({ readings });
    await keepSummaries(store, clock.now());
    await store.maintain(clock.now());
  }
  clock.advance(hour);
  await keepSummaries(store, clock.now());
  const { folded } = await store.maintain(clock.now());
  const { hotRows } = await store.stats();
  if (hotRows > 0) throw new Error(`${hotRows} rows are still in the hot log after the last fold of ${folded.rows}`);
}

/** Closes whole minutes up to now, as core does all along, and lets the city have them. */
async function keepSummaries(store: Awaited<ReturnType<typeof openBenchStore>>, now: number): Promise<void> {
  let before: number;
  do before = await store.summarise(now - 5_000);
  while (before > 0);
  const { lanes } = await store.stats();
  for (const { lane, head } of lanes) if (head > 0) await store.outboxAcknowledge(lane, store.epoch, head);
}

function readingOf(point: number, t: number): Reading {
  const ref = refOf(point);
  return {
    ref,
    device,
    point: `power_${point}` as PointName,
    value: valueAt(point, t),
    unit: 'W',
    quality: 'good',
    sourceTime: t,
    receivedTime: t + 12,
  };
}

function fillPlain(db: PlainDb, { points, every }: MonthOptions): PlainDb {
  const insert = db.prepare('INSERT INTO reading (point, t, received, code, value) VALUES (?, ?, ?, ?, ?)');
  const fillDay = db.transaction((from: number) => {
    for (let t = from; t < from + day; t += every) {
      for (let point = 0; point < points; point++) insert.run(point, t, t + 12, 1, valueAt(point, t));
    }
  });
  for (let t = start; t < end; t += day) fillDay(t);
  db.pragma('wal_checkpoint(TRUNCATE)');
  return db;
}

interface Compared {
  readonly ours: number;
  readonly theirs: number;
}

function compare(rounds: number, ours: () => void, theirs: () => void): Compared {
  const took = (work: () => void) => {
    const began = performance.now();
    work();
    return performance.now() - began;
  };
  took(ours);
  took(theirs);
  const pairs = Array.from({ length: rounds }, () => ({ ours: took(ours), theirs: took(theirs) }));
  return { ours: median(pairs.map((pair) => pair.ours)), theirs: median(pairs.map((pair) => pair.theirs)) };
}

function readOurs(reader: Reader, expected: number): void {
  let count = 0;
  for (let from = start; ; ) {
    const page = reader.history(refOf(0), from, end, 'raw', 100_000);
    count += page?.samples.length ?? 0;
    const last = page?.samples.at(-1);
    if (page?.more !== true || last === undefined) break;
    from = last.t + 1;
  }
  if (count !== expected) throw new Error(`${count} samples were read from blocks, not ${expected}`);
}

interface PlainSample {
  readonly t: number;
  readonly received: number;
  readonly code: number;
  readonly value: number;
}

function readPlain(db: PlainDb, expected: number): void {
  const rows = db
    .prepare<[number, number, number], PlainSample>(
      'SELECT t, received, code, value FROM reading WHERE point = ? AND t >= ? AND t < ? ORDER BY t',
    )
    .all(0, start, end)
    .map(({ t, received, code, value }) => ({
      t,
      value,
      quality: code === 1 ? 'good' : 'bad',
      sourceTime: t,
      receivedTime: received,
    }));
  if (rows.length !== expected) throw new Error(`${rows.length} plain rows were read, not ${expected}`);
}

function meansOurs(reader: Reader): void {
  const found = reader.history(refOf(0), start, end, '1h');
  if (found?.buckets.length !== 24 * days) throw new Error(`${found?.buckets.length} hours were read from headers`);
}

function meansPlain(db: PlainDb): void {
  const rows = db
    .prepare(
      `SELECT t / ${hour} AS h, avg(value), min(value), max(value), count(*) FROM reading
       WHERE point = ? AND t >= ? AND t < ? GROUP BY h ORDER BY h`,
    )
    .all(0, start, end);
  if (rows.length !== 24 * days) throw new Error(`${rows.length} hours were read from plain rows`);
}
