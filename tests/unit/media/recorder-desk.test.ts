import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import { openFootage } from '#edge/media/footage-load.ts';
import { dayOf, segmentName } from '#edge/media/footage-names.ts';
import { FootageTable } from '#edge/media/footage-table.ts';
import { modeOf, RecorderDesk } from '#edge/media/recorder-desk.ts';
import { daysExpected, figuresOf } from '#edge/media/recorder-figures.ts';
import { WantedTimes } from '#edge/media/recorder-wanted.ts';
import { DeletionAudit } from '#edge/media/retention-audit.ts';
import { ProtectedFootage } from '#edge/media/retention-protected.ts';
import { openRetention } from '#edge/media/retention-worker.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { RecordingPlan } from '#edge/runtime/site-cameras.ts';
import { HandStream, hasFfmpeg, makeVideo } from './footage-video.ts';

const now = Date.UTC(2026, 10, 22, 6);
const hour = 3_600_000;
const day = 24 * hour;
const camera = 'camera-gate' as DeviceId;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'footage-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const always = { continuous: (from: number, to: number) => [{ from, to }] };

/** Hours of footage, from so many days ago until now, without those that `isMissing`. */
function table(days: number, isMissing: (hoursAgo: number) => boolean = () => false): FootageTable {
  const files = new FootageTable();
  for (let ago = days * 24; ago > 0; ago--) {
    const from = now - ago * hour;
    if (!isMissing(ago)) files.add({ from, to: from + hour, bytes: 1_000, kind: 'continuous' });
  }
  return files;
}

test('completeness is the share of the time that was wanted: of a day, and of the days required', () => {
  const figures = figuresOf({ files: table(10, (ago) => ago <= 6), open: null }, always, 10, now);
  expect(figures).toMatchObject({
    complete24h: 0.75,
    complete: (240 - 6) / 240,
    oldest: now - 10 * day,
    daysThere: 9.75,
  });
});

test('what nobody wanted is not missing, and where nothing was wanted there is no share', () => {
  const files = table(2, (ago) => (ago - 1) % 24 < 12);
  const evenings = {
    continuous: (from: number, to: number) =>
      Array.from({ length: 4 }, (_, i) => ({ from: now - (i + 1) * day, to: now - (i + 1) * day + 12 * hour }))
        .map((range) => ({ from: Math.max(from, range.from), to: Math.min(to, range.to) }))
        .filter((range) => range.to > range.from),
  };
  expect(figuresOf({ files, open: null }, evenings, 2, now).complete24h).toBe(1);
  const never = { continuous: () => [] };
  expect(figuresOf({ files, open: null }, never, 2, now)).toMatchObject({ complete24h: null, complete: null });
});

test('old islands that somebody kept are not what is kept continuously', () => {
  const files = table(5);
  files.add({ from: now - 60 * day, to: now - 60 * day + hour, bytes: 1, kind: 'continuous' });
  expect(figuresOf({ files, open: null }, always, 30, now).oldest).toBe(now - 5 * day);
});

test('a file that a clock years ahead has named takes no day away from those that are there', () => {
  const files = table(10);
  const later = now + 5 * 365 * day;
  files.add({ from: later, to: later + hour, bytes: 1_000, kind: 'continuous' });
  expect(figuresOf({ files, open: null }, always, 10, now)).toMatchObject({
    oldest: now - 10 * day,
    daysThere: 10,
    complete: 1,
  });
});

test('bytes a day are measured, and say how many days there will be', () => {
  const { bytesPerDay } = figuresOf({ files: table(3), open: null }, always, 30, now);
  expect(bytesPerDay).toBe(24_000);
  expect(figuresOf({ files: new FootageTable(), open: null }, always, 30, now).bytesPerDay).toBe(0);
  const plan = { bytesPerDay, days: 30 };
  expect(daysExpected({ ...plan, quota: null }, { bytesPerDay: 48_000, room: 480_000 })).toBe(10);
  expect(daysExpected({ ...plan, quota: 120_000 }, { bytesPerDay: 48_000, room: 480_000 })).toBe(5);
  expect(daysExpected({ ...plan, quota: null }, { bytesPerDay: 48_000, room: null })).toBe(30);
  expect(daysExpected({ ...plan, bytesPerDay: 0, quota: 1 }, { bytesPerDay: 0, room: 1 })).toBeNull();
});

test('the first label of the site file that holds decides the mode', () => {
  const plan = { mode: 'continuous', during: { holiday: 'event', lessons: 'off' } } as const;
  expect(modeOf(plan, new Set())).toBe('continuous');
  expect(modeOf(plan, new Set(['lessons', 'open']))).toBe('off');
  expect(modeOf(plan, new Set(['lessons', 'holiday']))).toBe('event');
});

test('when a camera should have been recorded is remembered over a restart, and while this process was down', async () => {
  const first = new WantedTimes(folder, silentLog);
  await first.load();
  await first.note('continuous', 1_000);
  await first.note('continuous', 2_000);
  await first.note('off', 5_000);
  const second = new WantedTimes(folder, silentLog);
  await second.load();
  await second.note('off', 7_000);
  await second.note('continuous', 9_000);
  expect(second.continuous(0, 10_000)).toEqual([
    { from: 1_000, to: 5_000 },
    { from: 9_000, to: 10_000 },
  ]);
  expect(second.continuous(2_000, 3_000)).toEqual([{ from: 2_000, to: 3_000 }]);
});

const plan: RecordingPlan = {
  mode: 'continuous',
  during: { closed: 'event' },
  days: 30,
  preRoll: 10_000,
  postRoll: 20_000,
  quota: null,
  stream: 'main',
  masks: [],
};

async function rig(limits = { quota: null, freeSpaceFloor: 0 }) {
  const clock = new ManualClock(now);
  const stream = new HandStream(camera, clock, makeVideo(20));
  const { footage } = await openFootage(folder, silentLog);
  const ranges: object[] = [];
  const call = async () => ({ ranges });
  const kept = new ProtectedFootage({ folder, call, log: silentLog });
  const retention = await openRetention({
    footage,
    planOf: () => plan,
    limits: { ...limits, protectedQuota: 1e9 },
    kept,
    audit: new DeletionAudit({ folder, call, log: silentLog }),
    clock,
    synchronised: async () => true,
    log: silentLog,
  });
  const cameras = [{ id: camera, plan }];
  const desk = new RecorderDesk({ footage, cameras, streams: stream, kept, retention, limits, clock, log: silentLog });
  await desk.start();
  return { clock, stream, footage, desk, ranges, [Symbol.asyncDispose]: () => desk[Symbol.asyncDispose]() };
}

test.skipIf(!hasFfmpeg)('the desk records by the kind of time it is, and says how it goes', async () => {
  await using room = await rig();
  const { stream, footage, desk, clock } = room;
  stream.begin();
  stream.play(40_000);
  expect(desk.state.cameras).toMatchObject([{ camera, mode: 'continuous', state: 'recording', daysRequired: 30 }]);
  await vi.waitFor(() => expect(footage.of(camera).files.size).toBe(1));
  desk.setTimes(['closed'], []);
  stream.play(15_000);
  expect(desk.state.cameras[0]?.mode).toBe('event');
  await vi.waitFor(() => expect(footage.of(camera).spool.length).toBe(1));
  // An incident wants what has just been: it is moved to what is kept, though no event of this camera says so.
  room.ranges.push({ camera, from: clock.now() - 12_000, to: clock.now() });
  desk.hint();
  await vi.waitFor(() => expect(footage.of(camera).spool.length).toBe(0), { timeout: 20_000 });
  const { files } = footage.of(camera);
  expect(files.at(files.size - 1)?.kind).toBe('event');
});

test.skipIf(!hasFfmpeg)('footage does not fill the disk that others live on', async () => {
  await using room = await rig({ quota: null, freeSpaceFloor: Number.MAX_SAFE_INTEGER });
  const { stream, footage, desk } = room;
  stream.begin();
  stream.play(5_000);
  const { state, message } = desk.state.cameras[0] ?? {};
  expect(state).toBe('stopped');
  expect(message).toMatch(/only \d+ MB of the disk are free; /);
  expect(desk.state.problem).toBe(message);
  expect(footage.of(camera).open).toBeNull();
});

test('the names of many files are read quickly', async () => {
  let made = 0;
  for (let i = 0; i < 20; i++) {
    const begin = now - (i + 1) * day;
    const place = join(folder, camera, dayOf(begin));
    mkdirSync(place, { recursive: true });
    for (let from = begin; from < begin + day && dayOf(from) === dayOf(begin); from += 60_000) {
      writeFileSync(join(place, segmentName({ from, to: from + 60_000, bytes: 1, kind: 'continuous' })), '');
      made++;
    }
  }
  const started = performance.now();
  const { report } = await openFootage(folder, silentLog);
  const perFile = (performance.now() - started) / made;
  expect(report.files).toBe(made);
  // 700,000 names in 3 s are 4.3 us each; a busy machine of two cores may take ten times that.
  expect(perFile * 1000).toBeLessThan(43);
});
