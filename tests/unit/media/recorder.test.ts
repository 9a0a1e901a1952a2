import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Footage } from '#edge/media/footage.ts';
import { openFootage } from '#edge/media/footage-load.ts';
import { CameraRecorder, type RecorderOptions } from '#edge/media/recorder.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { decodeFile, HandStream, hasFfmpeg, makeVideo } from './footage-video.ts';

const start = Date.UTC(2026, 10, 22, 6);
const camera = 'camera-gate' as DeviceId;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'footage-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function rig(options: Partial<RecorderOptions> = {}) {
  const clock = new ManualClock(start);
  const stream = new HandStream(camera, clock, makeVideo(20));
  const { footage } = await openFootage(folder, silentLog);
  const recorder = new CameraRecorder({
    plan: { stream: 'main', preRoll: 10_000, postRoll: 20_000 },
    streams: stream,
    footage: footage.of(camera),
    budget: { waiting: 0, most: 64_000_000 },
    clock,
    log: silentLog,
    ...options,
  });
  return { clock, stream, footage, recorder, [Symbol.asyncDispose]: () => recorder[Symbol.asyncDispose]() };
}

/** Plays in pieces of a second, and lets the disk follow. */
async function play(
  seconds: number,
  { stream, recorder }: Pick<Awaited<ReturnType<typeof rig>>, 'stream' | 'recorder'>,
) {
  for (let i = 0; i < seconds; i++) {
    stream.play(1_000);
    recorder.tick();
    await recorder.settled();
  }
}

const filesOf = (footage: Footage) => {
  const { files } = footage.of(camera);
  return Array.from({ length: files.size }, (_, row) => files.at(row));
};

test.skipIf(!hasFfmpeg)(
  'continuous recording is cut at the first key frame after 30 s, without a gap, and every file plays',
  async () => {
    await using room = await rig();
    const { stream, footage, recorder } = room;
    recorder.setMode('continuous');
    stream.begin();
    await play(95, room);
    expect(recorder.state).toMatchObject({ state: 'recording', mode: 'continuous', message: '' });
    const files = filesOf(footage);
    expect(files.length).toBe(3);
    expect(files.map((file) => (file?.to ?? 0) - (file?.from ?? 0))).toEqual([30_000, 30_000, 30_000]);
    expect(footage.ranges(camera, 0, 1e15)).toEqual([{ from: start + 200, to: expect.closeTo(start + 95_000, -3) }]);
    const [, second] = files;
    if (second == null) throw new Error('there is no second file');
    const found = footage.of(camera).pathOf(second);
    const played = decodeFile(found);
    expect(played).toMatchObject({ complaints: '', pictures: 150 });
    expect(played.seconds).toBeCloseTo(30, 0);
  },
);

test.skipIf(!hasFfmpeg)('what is being written can be looked at already', async () => {
  await using room = await rig();
  const { stream, footage, recorder } = room;
  recorder.setMode('continuous');
  stream.begin();
  await play(5, room);
  const [segment, ...more] = footage.segments(camera, 0, 1e15);
  expect(more).toEqual([]);
  const open = footage.find(camera, Number(segment?.id));
  expect(open.isOpen).toBe(true);
  writeFileSync(join(folder, 'copy.mp4'), readFileSync(open.path).subarray(0, open.bytes));
  expect(decodeFile(join(folder, 'copy.mp4'))).toMatchObject({ complaints: '', pictures: 25 });
});

test.skipIf(!hasFfmpeg)(
  'a dead run leaves a file that is kept up to its last whole picture, and one of which nothing is whole goes',
  async () => {
    {
      await using room = await rig();
      room.recorder.setMode('continuous');
      room.stream.begin();
      await play(12, room);
      // What a killed process leaves: the part as it is on disk, with half a picture behind it.
      const day = join(folder, camera, '2026-11-22');
      const [part = ''] = readdirSync(day);
      writeFileSync(join(folder, 'left'), Buffer.concat([readFileSync(join(day, part)), Buffer.from('0000006dmoof?')]));
      writeFileSync(join(folder, 'name'), part);
    }
    const part = readFileSync(join(folder, 'name'), 'utf8');
    const day = join(folder, camera, '2026-11-22');
    for (const name of readdirSync(day)) rmSync(join(day, name));
    renameSync(join(folder, 'left'), join(day, part));
    writeFileSync(join(day, '1732254000000.part'), 'ftyp');
    const { footage, report } = await openFootage(folder, silentLog);
    expect(report).toMatchObject({ recovered: 1, discarded: 1, files: 0 });
    const [file] = filesOf(footage);
    if (file == null) throw new Error('nothing was kept');
    expect(file.to - file.from).toBe(12_000);
    expect(decodeFile(footage.of(camera).pathOf(file))).toMatchObject({ complaints: '', pictures: 60 });
    expect((await readdir(day)).length).toBe(1);
  },
);

test.skipIf(!hasFfmpeg)(
  'a clock that is put back while recording writes over nothing, and what follows lies at the new time',
  async () => {
    await using room = await rig();
    const { clock, stream, footage, recorder } = room;
    recorder.setMode('continuous');
    stream.begin();
    await play(65, room);
    clock.step(-60_000);
    await play(65, room);
    await recorder[Symbol.asyncDispose]();
    const files = filesOf(footage);
    const total = files.reduce((sum, file) => sum + (file?.to ?? 0) - (file?.from ?? 0), 0);
    expect(total).toBeGreaterThan(128_000);
    expect(new Set(files.map((file) => file?.from)).size).toBe(files.length);
    expect(Math.max(...files.map((file) => file?.to ?? 0))).toBeLessThanOrEqual(start + 72_000);
    const onDisk = await readdir(join(folder, camera, '2026-11-22'));
    expect(onDisk.length).toBe(files.length);
  },
);

test.skipIf(!hasFfmpeg)('a clock that is put forward leaves a gap as long as the step', async () => {
  await using room = await rig();
  const { clock, stream, footage, recorder } = room;
  recorder.setMode('continuous');
  stream.begin();
  await play(10, room);
  clock.step(3_600_000);
  await play(10, room);
  const [before, after] = footage.ranges(camera, 0, 1e15);
  expect(before?.to).toBeLessThanOrEqual(start + 12_000);
  expect(after?.from).toBeGreaterThan(start + 3_609_000);
});

test.skipIf(!hasFfmpeg)('a stream that begins anew begins a new file, and the time between is a gap', async () => {
  await using room = await rig();
  const { clock, stream, footage, recorder } = room;
  recorder.setMode('continuous');
  stream.begin();
  await play(7, room);
  stream.say({ kind: 'stalled', reason: 'stalled', message: 'no picture for 10 s; asked anew', since: clock.now() });
  clock.advance(40_000);
  expect(recorder.state).toMatchObject({ state: 'waiting', message: 'no picture for 10 s; asked anew' });
  stream.begin(makeVideo(20, 5, '160x90'));
  await play(7, room);
  const ranges = footage.ranges(camera, 0, 1e15);
  expect(ranges.map(({ from, to }) => Math.round((to - from) / 1000))).toEqual([7, 7]);
});

test.skipIf(!hasFfmpeg)('pictures that arrive late in a heap are not taken for a gap or for later ones', async () => {
  await using room = await rig();
  const { clock, stream, footage, recorder } = room;
  recorder.setMode('continuous');
  stream.begin();
  await play(40, room);
  // The network held everything back for 4 s; the camera's own clock went on.
  clock.advance(4_000);
  stream.play(200);
  for (let i = 0; i < 20; i++) {
    clock.advance(-200);
    stream.step();
  }
  await play(40, room);
  expect(footage.ranges(camera, 0, 1e15).length).toBe(1);
  await recorder[Symbol.asyncDispose]();
  const last = footage.ranges(camera, 0, 1e15).at(-1);
  expect(Math.abs((last?.to ?? 0) - clock.now())).toBeLessThan(600);
});

test.skipIf(!hasFfmpeg)(
  'events only: what touches pre-roll and post-roll is kept, the rest is thrown away',
  async () => {
    await using room = await rig();
    const { clock, stream, footage, recorder } = room;
    recorder.setMode('event');
    stream.begin();
    await play(200, room);
    expect(filesOf(footage)).toEqual([]);
    expect(footage.of(camera).spool.length).toBeLessThanOrEqual(13);
    const happened = clock.now();
    recorder.note({ type: 'motion', time: happened });
    await play(15, room);
    recorder.note({ type: 'person', time: clock.now(), active: true });
    await play(20, room);
    recorder.note({ type: 'person', time: clock.now(), active: false });
    await play(60, room);
    const [range, ...more] = footage.ranges(camera, 0, 1e15);
    expect(more).toEqual([]);
    expect(range?.from).toBeLessThanOrEqual(happened - 10_000);
    expect(range?.from).toBeGreaterThan(happened - 31_000);
    expect(range?.to).toBeGreaterThanOrEqual(happened + 55_000);
    expect(range?.to).toBeLessThan(happened + 76_000);
    expect(filesOf(footage).every((file) => file?.kind === 'event')).toBe(true);
  },
);

test.skipIf(!hasFfmpeg)('what was promised to be kept is kept though the process dies in between', async () => {
  let happened = 0;
  {
    await using room = await rig();
    room.recorder.setMode('event');
    room.stream.begin();
    await play(25, room);
    happened = room.clock.now();
    room.recorder.note({ type: 'motion', time: happened });
    await room.recorder.settled();
  }
  await using again = await rig();
  await again.recorder.settled();
  const [range] = again.footage.ranges(camera, 0, 1e15);
  expect(range?.from).toBeLessThanOrEqual(happened - 9_000);
});

test.skipIf(!hasFfmpeg)('an incident that is told a minute later still finds the pictures of its moment', async () => {
  await using room = await rig();
  const { clock, stream, footage, recorder } = room;
  recorder.setMode('event');
  stream.begin();
  await play(30, room);
  const moment = clock.now();
  await play(60, room);
  recorder.keep([{ from: moment - 5_000, to: moment + 5_000 }]);
  await recorder.settled();
  const [range] = footage.ranges(camera, 0, 1e15);
  expect(range?.from).toBeLessThanOrEqual(moment - 5_000);
  expect(range?.to).toBeGreaterThanOrEqual(moment + 5_000);
});

test.skipIf(!hasFfmpeg)(
  'a mode that changes while pictures come changes what is kept from the next key frame on',
  async () => {
    await using room = await rig();
    const { stream, footage, recorder } = room;
    recorder.setMode('continuous');
    stream.begin();
    await play(10, room);
    recorder.setMode('event');
    await play(12, room);
    expect(filesOf(footage).length).toBe(1);
    recorder.setMode('off');
    await recorder.settled();
    expect(stream.subscribers).toBe(0);
    expect(recorder.state).toMatchObject({ state: 'off', mode: 'off' });
    expect(footage.of(camera).spool.length).toBe(2);
    recorder.setMode('continuous');
    await play(40, room);
    expect(filesOf(footage).length).toBe(2);
  },
);

test.skipIf(!hasFfmpeg)('a camera whose clock runs 0.5 % fast is recorded without gaps at our time', async () => {
  const video = makeVideo(20);
  const fast = { ...video, fragments: video.fragments.map((one) => ({ ...one, duration: one.duration / 1.005 })) };
  await using room = await rig();
  const { clock, stream, footage, recorder } = room;
  recorder.setMode('continuous');
  stream.begin(fast);
  await play(600, room);
  expect(footage.ranges(camera, 0, 1e15).length).toBe(1);
  expect(Math.abs((footage.ranges(camera, 0, 1e15).at(-1)?.to ?? 0) - clock.now())).toBeLessThan(2_000);
});

test.skipIf(!hasFfmpeg)(
  'where the folder cannot be made recording stops in words, and goes on by itself when it can',
  async () => {
    await using room = await rig();
    const { stream, footage, recorder } = room;
    writeFileSync(join(folder, camera), 'a file where a folder should be');
    recorder.setMode('continuous');
    stream.begin();
    await play(3, room);
    expect(recorder.state.state).toBe('stopped');
    expect(recorder.state.message).toMatch(/tried again within a minute/);
    rmSync(join(folder, camera));
    await vi.waitFor(async () => {
      await play(5, room);
      expect(recorder.state.state).toBe('recording');
    });
    await play(40, room);
    expect(filesOf(footage).length).toBeGreaterThan(0);
  },
);

test.skipIf(!hasFfmpeg)(
  'a disk that does not keep up costs whole groups of pictures, counted, and never memory',
  async () => {
    await using room = await rig({ budget: { waiting: 0, most: 150_000 } });
    const { stream, footage, recorder } = room;
    recorder.setMode('continuous');
    stream.begin();
    // Nobody lets the disk have its turn.
    stream.play(120_000);
    const { dropped } = recorder.state;
    expect(dropped.groups).toBeGreaterThan(5);
    expect(dropped.bytes).toBeGreaterThan(0);
    await play(40, room);
    expect(recorder.state.message).toMatch(/the disk is too slow: \d+ groups of pictures were lost/);
    await recorder[Symbol.asyncDispose]();
    for (const file of filesOf(footage)) {
      if (file !== null) expect(decodeFile(footage.of(camera).pathOf(file)).complaints).toBe('');
    }
  },
);
