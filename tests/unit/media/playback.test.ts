import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import { Exports } from '#edge/media/export.ts';
import type { Footage } from '#edge/media/footage.ts';
import { openFootage } from '#edge/media/footage-load.ts';
import { Pictures } from '#edge/media/picture.ts';
import { createPlayback } from '#edge/media/playback.ts';
import { parseByteRange } from '#edge/media/playback-range.ts';
import { CameraRecorder } from '#edge/media/recorder.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { decodeFile, HandStream, hasFfmpeg, makeVideo } from './footage-video.ts';

const start = Date.UTC(2026, 10, 22, 6);
const camera = 'camera-gate' as DeviceId;
const masks = [{ x: 0, y: 0, width: 0.5, height: 1 }];
let folder: string;
let footage: Footage;
let exports: Exports;
let socket: string;
let room: number | null = null;
let ffmpeg: { path: string; title: string } | null = { path: 'ffmpeg', title: 'campus-ffmpeg-test' };
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'playback-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  if (!hasFfmpeg) return;
  const clock = new ManualClock(start);
  ({ footage } = await openFootage(join(folder, 'footage'), silentLog));
  await recordWithGap(clock);
  const options = { footage, ffmpeg: () => ffmpeg, masksOf: () => masks };
  exports = stack.use(
    new Exports({ ...options, nameOf: () => '东门 East gate', room: () => room, clock, log: silentLog }),
  );
  const pictures = new Pictures(options);
  const kept = { isProtected: (_: DeviceId, { from }: { from: number }) => from < start + 10_000 };
  const answer = createPlayback({ footage, kept, pictures, exports, masksOf: () => masks, log: silentLog });
  const server = createServer((incoming, response) => {
    void answer(incoming, response).then((isOurs) => isOurs || response.writeHead(418).end());
  });
  socket = join(folder, 'media.sock');
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  stack.defer(() => void server.close());
});
afterAll(() => stack.disposeAsync());

/** 70 s, a gap of 20 s, 40 s; the test picture differs from second to second. */
async function recordWithGap(clock: ManualClock): Promise<void> {
  const stream = new HandStream(camera, clock, makeVideo(20));
  await using recorder = new CameraRecorder({
    plan: { stream: 'main', preRoll: 10_000, postRoll: 20_000 },
    streams: stream,
    footage: footage.of(camera),
    budget: { waiting: 0, most: 64_000_000 },
    clock,
    log: silentLog,
  });
  recorder.setMode('continuous');
  for (const seconds of [70, 40]) {
    stream.begin();
    for (let i = 0; i < seconds; i++) {
      stream.play(1_000);
      recorder.tick();
      await recorder.settled();
    }
    stream.say({ kind: 'stalled', reason: 'stalled', message: '', since: clock.now() });
    clock.advance(20_000);
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly json: { [key: string]: never };
}

function ask(
  path: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: object; body?: string | Buffer } = {},
) {
  return new Promise<Answer>((resolve, reject) => {
    const sent = request({ socketPath: socket, path, method, headers: { ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const all = Buffer.concat(chunks);
        const isJson = response.headers['content-type'] === 'application/json';
        const json = isJson ? JSON.parse(all.toString()) : {};
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: all, json });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

interface Listed {
  readonly ranges: readonly { from: number; to: number }[];
  readonly segments: readonly { id: string; from: number; to: number; bytes: number; isProtected: boolean }[];
}
const list = async () =>
  (await ask(`/footage/${camera}?from=${start}&to=${start + 300_000}`)).json as unknown as Listed;

/** The mean brightness of the left and the right half of a JPEG. */
function halves(jpeg: Buffer): readonly number[] {
  return [0, 1].map((half) => {
    const filter = `crop=iw/2:ih:${half}*iw/2:0,scale=1:1`;
    const run = spawnSync(
      'ffmpeg',
      ['-v', 'error', '-f', 'mjpeg', '-i', 'pipe:0', '-vf', filter, '-pix_fmt', 'gray', '-f', 'rawvideo', 'pipe:1'],
      {
        input: jpeg,
      },
    );
    return run.stdout[0] ?? -1;
  });
}

test.skipIf(!hasFfmpeg)('what there is of a camera is told with its gaps, and which files are kept', async () => {
  const { ranges, segments } = await list();
  expect(ranges.map(({ from, to }) => Math.round((to - from) / 1000))).toEqual([70, 40]);
  expect(Math.round(((ranges[1]?.from ?? 0) - (ranges[0]?.to ?? 0)) / 1000)).toBe(20);
  expect(segments.map(({ isProtected }) => isProtected)).toEqual([true, false, false, false, false]);
  const rangesAlone = await ask(`/footage/${camera}?from=${start}&to=${start + 300_000}&segments=0`);
  expect(rangesAlone.json).toEqual({ ranges, segments: [] });
  expect((await ask('/footage/camera-nobody?from=0&to=1')).json).toEqual({ ranges: [], segments: [] });
  expect((await ask(`/footage/${camera}?from=5&to=1`)).status).toBe(400);
  expect((await ask('/footage/..%2f..%2fetc?from=0&to=1')).status).toBe(400);
});

test.skipIf(!hasFfmpeg)('a file is sent whole or in the range that a player asks for', async () => {
  const [segment] = (await list()).segments;
  const path = `/footage/${camera}/segments/${segment?.id}`;
  const whole = await ask(path);
  expect(whole.status).toBe(200);
  expect(whole.headers).toMatchObject({
    'content-type': 'video/mp4',
    'accept-ranges': 'bytes',
    'x-footage-from': segment?.id,
  });
  expect(whole.body.length).toBe(segment?.bytes);
  const part = await ask(path, { headers: { range: 'bytes=100-199' } });
  expect(part.status).toBe(206);
  expect(part.headers['content-range']).toBe(`bytes 100-199/${segment?.bytes}`);
  expect(part.body).toEqual(whole.body.subarray(100, 200));
  expect((await ask(path, { headers: { range: 'bytes=99999999-' } })).status).toBe(416);
  expect((await ask(`/footage/${camera}/segments/12345`)).json).toMatchObject({ error: 'FOOTAGE_NOT_FOUND' });
});

test.skipIf(!hasFfmpeg)('a masked file plays as long as its original and never shows what is covered', async () => {
  const [segment] = (await list()).segments;
  const { body } = await ask(`/footage/${camera}/segments/${segment?.id}?masked=1`);
  const file = join(folder, 'masked.mp4');
  writeFileSync(file, body);
  const original = decodeFile(footage.find(camera, Number(segment?.id)).path);
  expect(decodeFile(file)).toMatchObject({ complaints: '', pictures: original.pictures });
  const frame = spawnSync('ffmpeg', ['-v', 'error', '-i', file, '-frames:v', '1', '-f', 'mjpeg', 'pipe:1']).stdout;
  const [left = 0, right = 0] = halves(frame);
  expect(left).toBeLessThan(20);
  expect(right).toBeGreaterThan(40);
});

test.skipIf(!hasFfmpeg)('a moment has its picture, with the time it was really taken, and a gap has none', async () => {
  const at = start + 45_300;
  const { status, headers, body } = await ask(`/footage/${camera}/picture?at=${at}&width=160`);
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('image/jpeg');
  expect(body.readUInt16BE(0)).toBe(0xff_d8);
  const taken = Number(headers['x-footage-time']);
  expect(taken).toBeLessThanOrEqual(at);
  expect(taken).toBeGreaterThan(at - 1_100);
  const [left = 0, right = 0] = halves((await ask(`/footage/${camera}/picture?at=${at}&masked=1`)).body);
  expect(left).toBeLessThan(20);
  expect(right).toBeGreaterThan(40);
  expect((await ask(`/footage/${camera}/picture?at=${start + 80_000}`)).json).toMatchObject({
    error: 'FOOTAGE_NOT_FOUND',
  });
});

test.skipIf(!hasFfmpeg)('many who ask for the same picture cost one ffmpeg', async () => {
  const counter = join(folder, 'counted');
  const program = join(folder, 'ffmpeg-counted');
  writeFileSync(program, `#!/bin/sh\necho x >> ${counter}\nexec ffmpeg "$@"\n`, { mode: 0o755 });
  ffmpeg = { path: program, title: 'campus-ffmpeg-test' };
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => ask(`/footage/${camera}/picture?at=${start + 12_000}&width=320`)),
  );
  ffmpeg = { path: 'ffmpeg', title: 'campus-ffmpeg-test' };
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(readFileSync(counter, 'utf8')).toBe('x\n');
});

test.skipIf(!hasFfmpeg)('a picture is masked or refused: without ffmpeg nothing comes back', async () => {
  const jpeg = (await ask(`/footage/${camera}/picture?at=${start + 5_000}`)).body;
  const [left = 0] = halves((await ask(`/pictures/${camera}/mask`, { method: 'POST', body: jpeg })).body);
  expect(left).toBeLessThan(20);
  ffmpeg = null;
  const other = (await ask(`/footage/${camera}/picture?at=${start + 5_000}`)).body;
  const refused = await ask(`/pictures/${camera}/mask`, {
    method: 'POST',
    body: Buffer.concat([other, Buffer.from('x')]),
  });
  ffmpeg = { path: 'ffmpeg', title: 'campus-ffmpeg-test' };
  expect(refused.status).toBe(503);
  expect(refused.json).toMatchObject({ error: 'MEDIA_NO_FFMPEG' });
});

interface JobView {
  readonly id: string;
  readonly state: string;
  readonly message: string;
  readonly files: readonly {
    file: string;
    from: number;
    to: number;
    bytes: number;
    gaps: readonly object[];
    isMasked: boolean;
  }[];
}
const body = (rest: object) =>
  JSON.stringify({ cameras: [camera], from: start + 40_500, to: start + 100_500, masked: false, ...rest });

async function exportOf(rest: object): Promise<JobView> {
  const created = await ask('/exports', { method: 'POST', body: body(rest) });
  expect(created.status, created.body.toString()).toBe(202);
  const { id } = created.json as unknown as JobView;
  return vi.waitFor(
    async () => {
      const job = (await ask(`/exports/${id}`)).json as unknown as JobView;
      expect(job.state, job.message).toBe('ready');
      return job;
    },
    { timeout: 30_000, interval: 50 },
  );
}

test.skipIf(!hasFfmpeg)(
  'an export begins at a key frame, says what it really shows, keeps gaps as long as they were, and plays',
  async () => {
    const { id, files } = await exportOf({});
    const [file, ...more] = files;
    expect(more).toEqual([]);
    expect(file?.from).toBeLessThanOrEqual(start + 40_500);
    expect(file?.from).toBeGreaterThan(start + 39_300);
    expect(file?.to).toBeGreaterThanOrEqual(start + 100_300);
    expect(file?.gaps.length).toBe(1);
    const sent = await ask(`/exports/${id}/files/0`);
    expect(sent.body.length).toBe(file?.bytes);
    const path = join(folder, 'export.mp4');
    writeFileSync(path, sent.body);
    // The index is in front: it plays while it is still being fetched.
    expect(sent.body.subarray(4, 8).toString()).toBe('ftyp');
    expect(sent.body.indexOf('moov')).toBeLessThan(sent.body.indexOf('mdat'));
    const played = decodeFile(path);
    expect(played.complaints).toBe('');
    expect(played.seconds).toBeCloseTo(((file?.to ?? 0) - (file?.from ?? 0)) / 1000, 0);
    const probe = spawnSync('ffprobe', ['-v', 'error', '-show_entries', 'format_tags', '-of', 'json', path], {
      encoding: 'utf8',
    });
    expect(JSON.parse(probe.stdout).format.tags).toMatchObject({
      title: '东门 East gate',
      comment: expect.stringContaining('camera-gate 2026-11-22T06:00:4'),
    });
    await ask(`/exports/${id}`, { method: 'DELETE' });
    expect((await ask(`/exports/${id}`)).status).toBe(404);
    expect(existsSync(join(exports.folder, id))).toBe(false);
  },
);

test.skipIf(!hasFfmpeg)('a masked export covers its parts in every picture', async () => {
  const { id, files } = await exportOf({ masked: true, to: start + 55_000 });
  expect(files[0]?.isMasked).toBe(true);
  const path = join(folder, 'masked-export.mp4');
  writeFileSync(path, (await ask(`/exports/${id}/files/0`)).body);
  const frame = spawnSync('ffmpeg', [
    '-v',
    'error',
    '-ss',
    '10',
    '-i',
    path,
    '-frames:v',
    '1',
    '-f',
    'mjpeg',
    'pipe:1',
  ]).stdout;
  const [left = 0, right = 0] = halves(frame);
  expect(left).toBeLessThan(20);
  expect(right).toBeGreaterThan(40);
});

test.skipIf(!hasFfmpeg)('what cannot be taken out is refused in words', async () => {
  const refused = async (rest: object) => (await ask('/exports', { method: 'POST', body: body(rest) })).json;
  expect(await refused({ from: start + 72_000, to: start + 80_000 })).toMatchObject({ error: 'FOOTAGE_NOT_FOUND' });
  expect(await refused({ to: start + 24 * 3_600_000 })).toMatchObject({ error: 'BAD_EXPORT' });
  expect(await refused({ cameras: [camera, camera] })).toMatchObject({ error: 'BAD_EXPORT' });
  expect(await refused({ masked: 'no' })).toMatchObject({ error: 'BAD_REQUEST' });
  room = 100;
  expect(await refused({})).toMatchObject({ error: 'EXPORT_NO_ROOM' });
  // Room for one: what it is still going to write is not there for the next.
  room = [...footage.segments(camera, start, start + 60_000)].reduce((sum, { bytes }) => sum + bytes, 0) + 1_000;
  const wish = { cameras: [camera], from: start, to: start + 60_000, isMasked: false };
  const one = exports.create(wish);
  expect(() => exports.create(wish)).toThrow('there is no room');
  await exports.cancel(one.id);
  await exports.cancel(exports.create(wish).id);
  room = null;
  ffmpeg = null;
  expect(await refused({})).toMatchObject({ error: 'MEDIA_NO_FFMPEG' });
  ffmpeg = { path: 'ffmpeg', title: 'campus-ffmpeg-test' };
});

test.skipIf(!hasFfmpeg)('an export nobody asks for any more ends, and a dead run leaves nothing behind', async () => {
  const clock = new ManualClock(start);
  const options = { footage, ffmpeg: () => ffmpeg, masksOf: () => masks, nameOf: () => '', room: () => null };
  await using jobs = new Exports({ ...options, clock, log: silentLog });
  const { id } = jobs.create({ cameras: [camera], from: start, to: start + 60_000, isMasked: false });
  await vi.waitFor(() => expect(jobs.get(id).state).toBe('ready'), { timeout: 20_000 });
  clock.advance(901_000);
  await jobs.tidy();
  expect(() => jobs.get(id)).toThrow(/there is no export/);
  expect(existsSync(join(jobs.folder, id))).toBe(false);
  mkdirSync(join(jobs.folder, 'left-over'), { recursive: true });
  await jobs.clear();
  expect(existsSync(jobs.folder) ? readdirSync(jobs.folder) : []).toEqual([]);
});

test('byte ranges are read as RFC 9110 says', () => {
  expect(parseByteRange(undefined, 100)).toBeNull();
  expect(parseByteRange('bytes=0-', 100)).toEqual({ start: 0, end: 99 });
  expect(parseByteRange('bytes=10-19', 100)).toEqual({ start: 10, end: 19 });
  expect(parseByteRange('bytes=90-500', 100)).toEqual({ start: 90, end: 99 });
  expect(parseByteRange('bytes=-5', 100)).toEqual({ start: 95, end: 99 });
  expect(parseByteRange('bytes=-0', 100)).toBe('unsatisfiable');
  expect(parseByteRange('bytes=100-', 100)).toBe('unsatisfiable');
  for (const odd of ['bytes=-', 'bytes=5-2', 'bytes=0-1,5-6', 'lines=0-1'])
    expect(parseByteRange(odd, 100), odd).toBeNull();
});
