import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import { openFootage } from '#edge/media/footage-load.ts';
import { dayOf, segmentName } from '#edge/media/footage-names.ts';
import { DeletionAudit } from '#edge/media/retention-audit.ts';
import { ProtectedFootage } from '#edge/media/retention-protected.ts';
import { openRetention, type RetentionOptions } from '#edge/media/retention-worker.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { silentLog } from '#edge/runtime/log.ts';

const now = Date.UTC(2026, 10, 22, 6);
const hour = 3_600_000;
const day = 24 * hour;
const camera = 'camera-gate' as DeviceId;
const other = 'camera-playground' as DeviceId;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'footage-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: DeviceId, from: number, bytes = 1_000): string {
  const path = join(folder, name, dayOf(from), segmentName({ from, to: from + hour, bytes, kind: 'continuous' }));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.alloc(bytes));
  return path;
}

/** What core hears, and what it answers. */
class Core {
  ranges: object[] = [];
  isAway = false;
  readonly lines: { readonly what: string; readonly why: string; readonly result: string }[] = [];

  readonly call = async (method: string, params: object): Promise<unknown> => {
    if (this.isAway) throw new CodedError('RPC_AWAY', 'core does not answer');
    if (method === 'footage.protected') return { ranges: this.ranges };
    this.lines.push(params as Core['lines'][number]);
    return {};
  };

  get bytes(): number {
    return this.lines.reduce((sum, { result }) => sum + Number(/(\d+) bytes/.exec(result)?.[1] ?? Number.NaN), 0);
  }
}

async function rig(core: Core, rest: Partial<RetentionOptions> = {}, clock = new ManualClock(now)) {
  const { footage } = await openFootage(folder, silentLog);
  const worker = await openRetention({
    footage,
    planOf: () => ({ days: 30, quota: null }),
    limits: { quota: null, protectedQuota: 1e9, freeSpaceFloor: 0 },
    kept: new ProtectedFootage({ folder, call: core.call, log: silentLog }),
    audit: new DeletionAudit({ folder, call: core.call, log: silentLog }),
    clock,
    synchronised: async () => true,
    freeBytes: async () => 1e12,
    log: silentLog,
    ...rest,
  });
  /** The worker's minute, over and over. */
  const pass = async (minutes: number) => {
    for (let i = 0; i < minutes; i++) {
      clock.advance(60_000);
      await worker.run();
    }
  };
  return { footage, worker, clock, pass };
}

test('what is too old goes, with its empty day, and each byte of it is in the audit once', async () => {
  const old = [put(camera, now - 40 * day), put(camera, now - 39 * day), put(other, now - 35 * day, 70)];
  const kept = [put(camera, now - 29 * day), put(other, now - day)];
  const core = new Core();
  const { pass } = await rig(core);
  await pass(3);
  expect(old.filter(existsSync)).toEqual([]);
  expect(kept.filter(existsSync)).toEqual(kept);
  expect(existsSync(dirname(old[0] ?? ''))).toBe(false);
  expect(core.lines.length).toBe(2);
  expect(core.bytes).toBe(2_070);
  expect(core.lines[0]).toMatchObject({
    who: 'process:media',
    what: 'footage.delete camera-gate 2026-10-13T06:00:00.000Z to 2026-10-14T07:00:00.000Z',
    why: 'older than the days it has to be kept',
    result: expect.stringMatching(/^2 files, 2000 bytes, run [0-9a-f]{8}$/),
  });
  await pass(70);
  expect(core.lines.length).toBe(2);
});

test('nothing goes while nobody has said what is to be kept, and the reason is told', async () => {
  const old = put(camera, now - 40 * day);
  const core = new Core();
  core.isAway = true;
  const { worker, pass } = await rig(core, {
    freeBytes: async () => 0,
    limits: { quota: 0, protectedQuota: 0, freeSpaceFloor: 1e9 },
  });
  await pass(10);
  expect(existsSync(old)).toBe(true);
  expect(worker.state.message).toBe('core has not said yet which footage is to be kept: nothing is deleted');
});

test("core's last word counts while it is away: a limit takes what is not kept, age waits, and the audit is told later", async () => {
  const kept = put(camera, now - 40 * day);
  const old = [put(camera, now - 39 * day), put(camera, now - 38 * day)];
  const core = new Core();
  core.ranges = [{ camera, from: now - 40 * day, to: now - 40 * day + 1 }];
  const first = await rig(core, { synchronised: async () => null });
  await first.worker.run();
  core.isAway = true;
  let freeBytes = 1e12;
  const { worker, pass } = await rig(core, {
    limits: { quota: null, protectedQuota: 1e9, freeSpaceFloor: 900 },
    freeBytes: async () => freeBytes,
  });
  await pass(120);
  expect(old.filter(existsSync)).toEqual(old);
  freeBytes = 0;
  await pass(1);
  expect(old.filter(existsSync).length).toBe(1);
  expect(existsSync(kept)).toBe(true);
  expect(core.lines).toEqual([]);
  core.isAway = false;
  freeBytes = 1e12;
  await worker.run();
  expect(core.lines.map(({ why, result }) => `${why}: ${result.slice(0, 7)}`)).toEqual([
    'the disk would be full: 1 files',
    'older than the days it has to be kept: 1 files',
  ]);
  expect(core.bytes).toBe(2_000);
});

test('a crash among the deletions leaves a line for what went, and none for what did not', async () => {
  const paths = [put(camera, now - 40 * day), put(camera, now - 39 * day), put(camera, now - 38 * day)];
  const { footage } = await openFootage(folder, silentLog);
  const core = new Core();
  const audit = new DeletionAudit({ folder, call: core.call, log: silentLog });
  const files = paths.map((_, row) => footage.of(camera).files.at(row)).filter((file) => file !== null);
  await audit.begin(
    'deadbeef',
    files.map((file) => ({ camera, file, why: 'age' as const })),
  );
  rmSync(paths[0] ?? '');
  rmSync(paths[1] ?? '');
  // The process is gone here.
  const { pass } = await rig(core);
  await pass(3);
  expect(paths.filter(existsSync)).toEqual([]);
  expect(core.bytes).toBe(3_000);
  expect(core.lines.map(({ result }) => result.replace(/run .*/, ''))).toEqual([
    '2 files, 2000 bytes, ',
    '1 files, 1000 bytes, ',
  ]);
  expect(JSON.parse(readFileSync(join(folder, 'deletions.json'), 'utf8'))).toMatchObject({ open: [], lines: [] });
});

test('a clock that is put forward by a year deletes nothing, not even where the disk is nearly full, until it has settled', async () => {
  const path = put(camera, now - day);
  const core = new Core();
  const { clock, worker, pass } = await rig(core, {
    synchronised: async () => null,
    limits: { quota: null, protectedQuota: 1e9, freeSpaceFloor: 1_000 },
    freeBytes: async () => 0,
  });
  await worker.run();
  clock.step(365 * day);
  await pass(59);
  expect(existsSync(path)).toBe(true);
  expect(worker.state.message).toMatch(/the clock was put forward by \d+ s; nothing is deleted for another \d+ min/);
  await pass(3);
  expect(existsSync(path)).toBe(false);
});

test('footage recorded while the clock was years behind is not old when the clock is right again', async () => {
  const core = new Core();
  const clock = new ManualClock(now);
  const first = await rig(core, {}, clock);
  await first.pass(15);
  clock.step(Date.UTC(2000, 0, 1) - now);
  const lost = put(camera, clock.now());
  const file = { from: clock.now(), to: clock.now() + hour, bytes: 1_000, kind: 'continuous' as const };
  first.footage.of(camera).files.add(file);
  first.worker.noteFinished(camera, file);
  await first.pass(1);
  clock.step(now - Date.UTC(2000, 0, 1));
  // It is remembered over a restart too.
  const second = await rig(core, {}, clock);
  await second.pass(100);
  expect(existsSync(lost)).toBe(true);
  clock.advance(31 * day);
  await second.pass(100);
  expect(existsSync(lost)).toBe(false);
});

test('on a disk that is full to the last byte what must go still goes, and is written down first', async (context) => {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'ignore' });
  if (mounted.status !== 0) {
    console.warn('SKIPPED: a full disk is a file system of its own, which only root may mount');
    return context.skip();
  }
  try {
    for (let i = 0; i < 10; i++) put(camera, now - (10 - i) * day, 60_000);
    const core = new Core();
    let freeBytes = 1e12;
    const limits = { quota: null, protectedQuota: 1e9, freeSpaceFloor: 100_000 };
    const { pass, footage } = await rig(core, { limits, freeBytes: async () => freeBytes });
    await pass(2);
    try {
      for (;;) writeFileSync(join(folder, 'somebody-else'), Buffer.alloc(4_096), { flag: 'a' });
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    }
    freeBytes = 0;
    await pass(1);
    expect(footage.of(camera).files.size).toBe(8);
    expect(core.bytes).toBe(120_000);
  } finally {
    spawnSync('umount', ['-l', folder]);
  }
});

test('a folder that calls itself footage, and a file that cannot be removed, hold up nothing', async () => {
  const folderName = put(camera, now - 41 * day);
  rmSync(folderName);
  mkdirSync(join(folderName, 'inside'), { recursive: true });
  const stuck = put(camera, now - 40 * day);
  const old = [put(camera, now - 39 * day), put(other, now - 38 * day)];
  const core = new Core();
  const { footage, pass } = await rig(core);
  const remove = footage.remove.bind(footage);
  let isStuck = true;
  footage.remove = async (of, file) => {
    if (isStuck && file.from === now - 40 * day) throw Object.assign(new Error('immutable'), { code: 'EPERM' });
    return remove(of, file);
  };
  await pass(3);
  expect([folderName, stuck, ...old].map(existsSync)).toEqual([true, true, false, false]);
  expect(core.bytes).toBe(2_000);
  isStuck = false;
  await pass(61);
  expect([stuck, join(folderName, 'inside')].map(existsSync)).toEqual([false, true]);
  expect(core.bytes).toBe(3_000);
});

test('a disk that refuses everything is not asked for each of a thousand files', async () => {
  for (let n = 0; n < 100; n++) put(camera, now - 40 * day + n * hour);
  const core = new Core();
  const { footage, pass } = await rig(core);
  let asked = 0;
  footage.remove = async () => {
    asked++;
    throw Object.assign(new Error('read-only'), { code: 'EROFS' });
  };
  await pass(2);
  expect(asked).toBeLessThanOrEqual(40);
  expect(core.lines).toEqual([]);
});

test('footage recorded while the clock was years ahead grows old like all, and is not young for years', async () => {
  const core = new Core();
  const { footage, worker, clock, pass } = await rig(core);
  await pass(2);
  clock.step(5 * 365 * day);
  const path = put(camera, clock.now());
  const file = { from: clock.now(), to: clock.now() + hour, bytes: 1_000, kind: 'continuous' } as const;
  footage.of(camera).files.add(file);
  worker.noteFinished(camera, file);
  clock.step(-5 * 365 * day);
  await pass(70);
  clock.advance(29 * day);
  await pass(130);
  expect(existsSync(path)).toBe(true);
  clock.advance(2 * day);
  await pass(130);
  expect(existsSync(path)).toBe(false);
});

test('what lies in the folder of another day, is no file or has gone costs nothing but itself', async () => {
  const good = put(camera, now - day);
  const at = join(folder, camera, dayOf(now - day));
  writeFileSync(join(at, `${now - 9 * day}-${now - 9 * day + hour}-5.mp4`), 'other');
  symlinkSync(join(folder, 'nowhere'), join(at, `${now - day + hour}-${now - day + 2 * hour}.mp4`));
  mkdirSync(join(at, `${now - day + 3 * hour}-${now - day + 4 * hour}.mp4`));
  writeFileSync(join(at, `${10 ** 15 - 2}-${10 ** 15 - 1}-5.mp4`), 'far');
  const { footage, report } = await openFootage(folder, silentLog);
  expect(report).toMatchObject({ files: 1, bytes: 1_000, foreign: 4 });
  expect(footage.find(camera, now - day).path).toBe(good);
});

test('what a dead run had begun to delete ends no start on a disk that takes nothing, and is told when it does', async () => {
  const core = new Core();
  const entry = { camera, from: now - 40 * day, to: now - 40 * day + hour, bytes: 700, why: 'age' };
  const journal = join(folder, 'deletions.json');
  writeFileSync(journal, JSON.stringify({ run: 'r', open: [entry], lines: [] }));
  // Nothing can be renamed onto a folder: as root too this is a disk that refuses.
  const audit = new DeletionAudit({ folder, call: core.call, log: silentLog });
  await audit.open(() => {
    rmSync(journal);
    mkdirSync(join(journal, 'inside'), { recursive: true });
    return false;
  });
  expect(audit.waiting).toBe(1);
  rmSync(journal, { recursive: true });
  await audit.send();
  expect(core.bytes).toBe(700);
});
