import { join } from 'node:path';
import { type DeviceId, type PointName, pointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { ManualClock, systemClock } from '#edge/runtime/clock.ts';
import type { Store } from '#edge/store/store.ts';
import { type BenchLine, median, percentile } from './bench-line.ts';
import { openBenchStore, openPlain, start } from './store-folder.ts';

const points = 500;
const batch = 100;
/** The fewest readings that the store commits at once; fewer may have to wait for others, to spare the flash. */
const small = 64;
const device = 'device-1' as DeviceId;
const names = Array.from({ length: points }, (_, i) => `p_${i}` as PointName);
const refs = names.map((name) => pointRef(device, name));

function readingsAt(from: number, count: number): Reading[] {
  return Array.from({ length: count }, (_, i) => {
    const n = from + i;
    const t = start + Math.floor(n / points) * 1_000;
    const at = n % points;
    const point = names[at] ?? names[0];
    const ref = refs[at] ?? refs[0];
    if (point === undefined || ref === undefined) throw new Error('no points');
    return { ref, device, point, value: (n * 7) % 1_000, unit: 'W', quality: 'good', sourceTime: t, receivedTime: t };
  });
}

async function openWithPoints(folder: string, clock = new ManualClock(start)): Promise<Store> {
  const store = await openBenchStore(folder, clock, { foldRows: 1_000, foldAfter: 60_000 });
  await store.registerPoints(
    refs.map((ref) => ({ ref, type: 'number', unit: 'W', staleAfter: 60_000, counter: false })),
  );
  return store;
}

/** Readings committed a second in batches of 100, one after the other, against the same rows in a WITHOUT ROWID table. */
export async function measureAppends(folder: string, rounds: number): Promise<BenchLine[]> {
  await using store = await openWithPoints(folder);
  const plain = openPlain(join(folder, 'plain'), 'without rowid');
  const insert = plain.prepare('INSERT INTO reading (point, t, received, code, value) VALUES (?, ?, ?, ?, ?)');
  const insertAll = plain.transaction((readings: readonly Reading[], from: number) => {
    readings.forEach(({ sourceTime, receivedTime, value }, i) => {
      insert.run((from + i) % points, sourceTime, receivedTime, 1, value);
    });
  });
  const perRound = 40_000;
  const pairs: { ours: number; theirs: number }[] = [];
  let from = 0;
  for (let round = -1; round < rounds; round++) {
    const batches = Array.from({ length: perRound / batch }, (_, i) => readingsAt(from + i * batch, batch));
    const began = performance.now();
    for (const readings of batches) await store.append({ readings });
    const between = performance.now();
    batches.forEach((readings, i) => {
      insertAll(readings, from + i * batch);
    });
    const end = performance.now();
    if (round >= 0)
      pairs.push({ ours: (1000 * perRound) / (between - began), theirs: (1000 * perRound) / (end - between) });
    from += perRound;
  }
  plain.close();
  return [
    {
      bench: 'store',
      what: `readings committed, batches of ${batch}`,
      ours: { value: median(pairs.map(({ ours }) => ours)), unit: '/s' },
      other: { value: median(pairs.map(({ theirs }) => theirs)), unit: '/s', name: 'WITHOUT ROWID rows' },
      note: `append awaited one by one, through the store's thread, against the same batches inserted in this thread (WAL, synchronous=NORMAL both); ${points} points in order of arrival; median of ${rounds} rounds`,
    },
  ];
}

/** How long a small append takes at most while a large hot log is folded into blocks. */
export async function measureFolding(folder: string, rows: number): Promise<BenchLine[]> {
  const clock = new ManualClock(start);
  await using store = await openWithPoints(folder, clock);
  for (let from = 0; from < rows; from += 10_000) await store.append({ readings: readingsAt(from, 10_000) });
  let from = rows;
  const append = async () => {
    const began = systemClock.monotonic();
    await store.append({ readings: readingsAt(from, small) });
    from += small;
    return systemClock.monotonic() - began;
  };
  const calm: number[] = [];
  for (let i = 0; i < 300; i++) calm.push(await append());
  clock.advance(20 * 60_000);
  const folding: number[] = [];
  let isFolding = true;
  const report = store.maintain(clock.now()).finally(() => {
    isFolding = false;
  });
  while (isFolding) folding.push(await append());
  const { folded } = await report;
  if (folded.rows < rows) throw new Error(`only ${folded.rows} of ${rows} rows were folded`);
  return [
    {
      bench: 'store',
      what: 'longest append while folding',
      ours: { value: Math.max(...folding), unit: 'ms' },
      other: { value: Math.max(...calm), unit: 'ms', name: 'longest without' },
      note: `${small} readings an append, one after the other, while ${folded.rows} rows became ${folded.blocks} blocks in ${folded.ms} ms: ${folding.length} appends, p50 ${median(folding).toFixed(1)} ms, p99 ${percentile(folding, 0.99).toFixed(1)} ms (without: p50 ${median(calm).toFixed(1)} ms)`,
    },
  ];
}
