import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { FootageFile } from '#edge/media/footage-names.ts';
import { FootageTable } from '#edge/media/footage-table.ts';
import { DeletionClock } from '#edge/media/retention-clock.ts';
import {
  arrangeRanges,
  type Deletion,
  type ProtectedRange,
  planRetention,
  type RetentionCamera,
} from '#edge/media/retention-plan.ts';
import { behind } from '#edge/media/retention-worker.ts';
import { ManualClock } from '#edge/runtime/clock.ts';

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.UTC(2026, 8, 1);

function camera(name: string, files: readonly FootageFile[], rest: Partial<RetentionCamera> = {}): RetentionCamera {
  const table = new FootageTable();
  for (const file of files) table.add(file);
  return { camera: name as DeviceId, files: table, days: 30, quota: null, ranges: [], ...rest };
}

/** One file an hour for the last days. */
function daily(days: number, bytes = 100): FootageFile[] {
  return Array.from({ length: days * 24 }, (_, i) => {
    const from = start - days * day + i * hour;
    return { from, to: from + hour, bytes, kind: 'continuous' as const };
  });
}

const roomy = { quota: null, protectedQuota: 1e12, freeSpaceFloor: 0, spare: 0 };
const moment = { ageNow: start, freeBytes: null };
const summed = (deletions: readonly Deletion[]) => deletions.reduce((sum, { file }) => sum + file.bytes, 0);

test('what is older than the days required goes, and the days required are there whole', () => {
  const { deletions } = planRetention([camera('a', daily(40)), camera('b', daily(40), { days: 90 })], roomy, moment);
  expect(new Set(deletions.map((one) => one.camera))).toEqual(new Set(['a']));
  expect(deletions.every(({ why }) => why === 'age')).toBe(true);
  expect(Math.max(...deletions.map(({ file }) => file.to))).toBeLessThan(start - 30 * day);
  expect(deletions.length).toBe(10 * 24 - 2);
});

test('a quota takes the oldest continuous footage first, then clips of no incident, never what is kept', () => {
  const files = daily(10).map((file, i): FootageFile => (i < 24 ? { ...file, kind: 'event' } : file));
  const first = files[30]?.from ?? 0;
  const ranges = arrangeRanges([{ from: first, to: first + hour, kind: 'kept' }]);
  const { deletions, short, protectedBytes } = planRetention([camera('a', files, { quota: 0, ranges })], roomy, moment);
  expect(deletions.length).toBe(239);
  expect(deletions.slice(0, 215).every(({ file }) => file.kind === 'continuous')).toBe(true);
  expect(deletions.slice(215).every(({ file }) => file.kind === 'event')).toBe(true);
  expect(deletions.some(({ file }) => file.from === first)).toBe(false);
  expect([short, protectedBytes]).toEqual([0, 100]);
});

test('the free-space floor takes protected footage only where it is more than its own quota', () => {
  const files = daily(10);
  const ranges: ProtectedRange[] = [{ from: 0, to: start, kind: 'kept' }];
  const tight = { ...roomy, freeSpaceFloor: 10_000 };
  const none = planRetention(
    [camera('a', files, { ranges })],
    { ...tight, protectedQuota: 24_000 },
    { ...moment, freeBytes: 0 },
  );
  expect(none.deletions).toEqual([]);
  expect(none.short).toBe(10_000);
  const some = planRetention(
    [camera('a', files, { ranges })],
    { ...tight, protectedQuota: 20_000 },
    { ...moment, freeBytes: 0 },
  );
  expect(summed(some.deletions)).toBe(4_000);
  expect(some.deletions.every(({ why }) => why === 'protected-quota')).toBe(true);
  expect(some.short).toBe(6_000);
});

test('footage written while the clock was years behind is as old as its writing, not as its name', () => {
  const lost: FootageFile = {
    from: Date.UTC(2000, 0, 1),
    to: Date.UTC(2000, 0, 1) + hour,
    bytes: 100,
    kind: 'continuous',
  };
  const writtenAt = new Map([[lost.from, start - day]]);
  const files = [lost, ...daily(40)];
  const aged = planRetention([camera('a', files, { writtenAt })], roomy, moment);
  expect(aged.deletions.some(({ file }) => file.from === lost.from)).toBe(false);
  const pressed = planRetention([camera('a', files, { writtenAt, quota: 30 * 2_400 })], roomy, {
    ...moment,
    ageNow: null,
  });
  expect(pressed.deletions.some(({ file }) => file.from === lost.from)).toBe(false);
  const later = planRetention([camera('a', files, { writtenAt })], roomy, { ...moment, ageNow: start + 30 * day });
  expect(later.deletions.some(({ file }) => file.from === lost.from)).toBe(true);
});

// --- a year ---------------------------------------------------------------------------------------------------------

/** A file as it really was: when it was written, by a clock that nobody sets. */
interface Written {
  readonly camera: string;
  readonly monotonic: number;
}

const happening = fc.record({
  at: fc.integer({ min: 1, max: 364 }),
  what: fc.oneof(
    fc.record({
      kind: fc.constant('step' as const),
      by: fc.oneof(fc.integer({ min: -400 * day, max: 400 * day }), fc.integer({ min: -day, max: day })),
    }),
    fc.record({
      kind: fc.constant('protect' as const),
      back: fc.integer({ min: 0, max: 40 }),
      hours: fc.integer({ min: 1, max: 72 }),
    }),
    fc.record({ kind: fc.constant('add' as const) }),
    fc.record({ kind: fc.constant('remove' as const) }),
  ),
});

const campus = fc.record({
  happenings: fc.array(happening, { maxLength: 12 }),
  synchronised: fc.constantFrom(true, false, null),
  days: fc.constantFrom(7, 30, 90),
  cameraQuota: fc.constantFrom(null, 20_000, 60_000),
  quota: fc.constantFrom(null, 50_000, 200_000),
  disk: fc.constantFrom(60_000, 150_000, 1_000_000),
  protectedQuota: fc.constantFrom(2_000, 20_000),
});

type Campus = typeof campus extends fc.Arbitrary<infer T> ? T : never;

test('over a year with clock steps, quotas, kept footage and cameras that come and go nothing is deleted that must not be', () => {
  fc.assert(fc.property(campus, playYear), { numRuns: 25 });
});

function playYear(setting: Campus): void {
  const floor = 5_000;
  const spare = 500;
  const length = 4 * hour;
  const clock = new ManualClock(start);
  const look = () => ({ now: clock.now(), monotonic: clock.monotonic(), synchronised: setting.synchronised });
  const judge = new DeletionClock({ age: start, wall: start }, look());
  const cameras = new Map<string, { table: FootageTable; ranges: ProtectedRange[]; writtenAt: Map<number, number> }>();
  const recording = new Set<string>();
  const written = new Map<string, Written>();
  const add = (name: string) => {
    cameras.set(name, { table: new FootageTable(), ranges: [], writtenAt: new Map() });
    recording.add(name);
  };
  add('a');
  add('b');
  let steppedAt = Number.NEGATIVE_INFINITY;
  const tidy = (verdict: ReturnType<DeletionClock['look']>) => {
    if (!verdict.mayDelete) return;
    expect(clock.monotonic() - steppedAt, 'since the step').toBeGreaterThanOrEqual(hour);
    const all: RetentionCamera[] = [...cameras].map(([name, { table, ranges, writtenAt }]) => ({
      camera: name as DeviceId,
      files: table,
      days: setting.days,
      quota: setting.cameraQuota,
      ranges: arrangeRanges(ranges),
      writtenAt,
    }));
    const freeBytes = setting.disk - all.reduce((sum, { files }) => sum + files.bytes, 0);
    const limits = { quota: setting.quota, protectedQuota: setting.protectedQuota, freeSpaceFloor: floor, spare };
    const plan = planRetention(all, limits, { ageNow: verdict.ageNow, freeBytes });
    judgePlan(plan, all, limits, freeBytes, written, clock.monotonic());
    for (const { camera: name, file } of plan.deletions) {
      cameras.get(name)?.table.remove(file.from);
      cameras.get(name)?.writtenAt.delete(file.from);
    }
  };
  const todo = setting.happenings.toSorted((x, y) => x.at - y.at);
  for (let slot = 0; slot < (365 * day) / length; slot++) {
    while (todo[0] !== undefined && todo[0].at * day <= clock.monotonic()) {
      const happened = todo.shift()?.what;
      if (happened?.kind === 'step') {
        // A clock that a time server sets is wrong for a moment at most, and then it is right.
        if (setting.synchronised === true || Math.abs(happened.by) < 10_000) continue;
        clock.step(happened.by);
        steppedAt = clock.monotonic();
      } else if (happened?.kind === 'protect') {
        const from = clock.now() - happened.back * day;
        cameras.get('a')?.ranges.push({ from, to: from + happened.hours * hour, kind: 'kept' });
      } else if (happened?.kind === 'add') add(`c${cameras.size}`);
      else if (happened?.kind === 'remove') recording.delete([...recording].at(-1) ?? '');
    }
    // Looked at often, as the worker does: a step is seen before anything is deleted, and the first look is soon after it.
    judge.look(look());
    for (let minute = 0; minute < 240; minute += 20) {
      clock.advance(20 * 60_000);
      const verdict = judge.look(look());
      if (minute === 0) tidy(verdict);
    }
    for (const name of recording) {
      const known = cameras.get(name);
      if (known === undefined) continue;
      const from = known.table.freeStart(Math.max(0, clock.now() - length));
      const kind = slot % 7 === 0 ? 'event' : 'continuous';
      known.table.add({ from, to: from + length, bytes: 40 + (slot % 13), kind });
      written.set(`${name}/${from}`, { camera: name, monotonic: clock.monotonic() });
      if (judge.state.age - (from + length) >= behind) known.writtenAt.set(from, judge.state.age);
    }
    tidy(judge.look(look()));
  }
}

function judgePlan(
  plan: ReturnType<typeof planRetention>,
  all: readonly RetentionCamera[],
  limits: Parameters<typeof planRetention>[1],
  freeBytes: number,
  written: ReadonlyMap<string, Written>,
  monotonic: number,
): void {
  const largest = 52;
  const of = (why: Deletion['why']) => plan.deletions.filter((one) => one.why === why);
  const gone = new Set(plan.deletions.map((one) => `${one.camera}/${one.file.from}`));
  expect(gone.size).toBe(plan.deletions.length);
  for (const { camera: name, file, why } of plan.deletions) {
    const { ranges = [], days = 0 } = all.find((one) => one.camera === name) ?? {};
    const isKept = ranges.some(({ from, to }) => from < file.to && to > file.from);
    if (isKept !== (why === 'protected-quota'))
      throw new Error(`${name}/${file.from} is kept: ${isKept}, went for ${why}`);
    const age = monotonic - (written.get(`${name}/${file.from}`)?.monotonic ?? 0);
    if (why === 'age' && age < days * day)
      throw new Error(`${name}/${file.from} went for its age after ${age / day} days`);
  }
  // No more than what is demanded, and a little.
  const forFloor = of('free-space');
  const before = summed(plan.deletions.filter(({ why }) => why !== 'free-space' && why !== 'protected-quota'));
  if (forFloor.length > 0) {
    expect(summed(forFloor)).toBeLessThanOrEqual(limits.freeSpaceFloor - freeBytes - before + limits.spare + largest);
  }
  for (const one of all) {
    const own = plan.deletions.filter(({ camera: name, why }) => name === one.camera && why === 'camera-quota');
    if (own.length > 0)
      expect(summed(own)).toBeLessThanOrEqual(one.files.bytes - (one.quota ?? 0) + limits.spare + largest);
  }
  expect(summed(of('protected-quota'))).toBeLessThanOrEqual(Math.max(0, plan.protectedBytes - limits.protectedQuota));
  // Clips go only where no continuous footage is left to go in their place, and the oldest goes first.
  const timeOf = (one: RetentionCamera, file: FootageFile) => one.writtenAt?.get(file.from) ?? file.from;
  for (const why of ['quota', 'free-space'] as const) {
    const taken = of(why);
    const lastTaken = Math.max(
      ...taken
        .filter(({ file }) => file.kind === 'continuous')
        .map(({ camera: name, file }) => {
          const one = all.find((each) => each.camera === name);
          return one === undefined ? 0 : timeOf(one, file);
        }),
    );
    if (taken.length === 0) continue;
    const tookClips = taken.some(({ file }) => file.kind === 'event');
    for (const one of all) {
      for (let row = 0; ; row++) {
        const file = one.files.at(row);
        if (file === null) break;
        const isKept = one.ranges.some(({ from, to }) => from < file.to && to > file.from);
        if (file.kind === 'event' || isKept || gone.has(`${one.camera}/${file.from}`)) continue;
        if (tookClips) throw new Error(`${why} took clips though ${one.camera}/${file.from} is there`);
        if (timeOf(one, file) < lastTaken) throw new Error(`${why} left ${one.camera}/${file.from}, which is older`);
      }
    }
  }
  const left = all.reduce((sum, { files }) => sum + files.bytes, 0) - summed(plan.deletions);
  const isMet = freeBytes + summed(plan.deletions) >= limits.freeSpaceFloor || plan.short > 0;
  expect(isMet).toBe(true);
  if (limits.quota !== null && plan.short === 0) expect(left - plan.protectedBytes).toBeLessThanOrEqual(limits.quota);
}
