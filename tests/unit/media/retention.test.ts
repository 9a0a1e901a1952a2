import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pruneSnapshots } from '#edge/media/retention.ts';

const now = Date.UTC(2026, 10, 22, 6);
const day = 86_400_000;
const generous = { age: 30 * day, bytes: 1e9, freeSpaceFloor: 0 };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pictures-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(name: string, ageMs: number, size = 1_000): Promise<void> {
  const time = now - ageMs;
  const path = join(folder, new Date(time).toISOString().slice(0, 10), name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, Buffer.alloc(size));
  await utimes(path, time / 1000, time / 1000);
}

async function left(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

test('pictures that are too old go, with their empty day', async () => {
  await put('old.jpg', 31 * day);
  await put('young.jpg', 29 * day);
  await put('future.jpg', -2 * day);
  const report = await pruneSnapshots(folder, generous, now);
  expect(report).toMatchObject({ kept: 2, bytes: 2_000, removed: { age: 1, bytes: 0, freeSpace: 0 } });
  expect(await left()).toEqual(['future.jpg', 'young.jpg']);
  expect((await readdir(folder)).length).toBe(2);
});

test('over the byte limit the oldest go first', async () => {
  for (let i = 1; i <= 5; i++) await put(`day-${i}.jpg`, i * day);
  const report = await pruneSnapshots(folder, { ...generous, bytes: 2_500 }, now);
  expect(report.removed).toEqual({ age: 0, bytes: 3, freeSpace: 0 });
  expect(await left()).toEqual(['day-1.jpg', 'day-2.jpg']);
});

test('below the free-space floor room is made as far as pictures can make it', async () => {
  await put('a.jpg', day);
  await put('b.jpg', 2 * day);
  const report = await pruneSnapshots(folder, { ...generous, freeSpaceFloor: Number.MAX_SAFE_INTEGER }, now);
  expect(report).toMatchObject({ kept: 0, removed: { freeSpace: 2 } });
});

test('leftovers of a killed process go, files that are not ours stay, and a missing folder is no fault', async () => {
  await put('half.jpg.part', 2 * 3_600_000);
  await put('notes.txt', 90 * day);
  await writeFile(join(folder, 'readme'), 'x');
  await pruneSnapshots(folder, generous, now);
  expect(await left()).toEqual(['notes.txt', 'readme']);
  expect(await pruneSnapshots(join(folder, 'nowhere'), generous, now)).toMatchObject({ kept: 0 });
});
