import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Right, rightsOf, type Zones } from '#edge/domain/access.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import { Exports } from '#edge/media/export.ts';
import type { Footage } from '#edge/media/footage.ts';
import { openFootage } from '#edge/media/footage-load.ts';
import { Pictures } from '#edge/media/picture.ts';
import { createPlayback } from '#edge/media/playback.ts';
import { CameraRecorder } from '#edge/media/recorder.ts';
import { openMediaSocket } from '#edge/media/socket.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { Site } from '#edge/runtime/site.ts';
import { Looks } from '#edge/web/footage-looks.ts';
import { newTokenSecret } from '#edge/web/people/tokens.ts';
import { HandStream, hasFfmpeg, makeVideo } from '../media/footage-video.ts';
import { jsonBody } from './place-room.ts';
import { newId, startWebRoom, type WebRoom } from './web-room.ts';

/* Footage through the web process: real files of a real recorder, behind media's real socket, asked for by people with roles and zones. */

const gate = 'camera-gate' as DeviceId;
const field = 'camera-playground' as DeviceId;
const start = Date.UTC(2026, 10, 22, 6);
const masks = [{ x: 0, y: 0, width: 0.5, height: 1 }];
const masksOf = (camera: DeviceId) => (camera === gate ? masks : []);
const stack = new AsyncDisposableStack();
type Ask = WebRoom['ask'];
let room: WebRoom;
/** Security of the gate (no right `unmasked`), of somewhere else, the administrator (who sees everything), a viewer. */
let guard: Ask;
let elsewhere: Ask;
let chief: Ask;
let viewer: Ask;
const audit: { who: string; from: string; what: string; why: string; result: string }[] = [];
let isCoreAway = false;
let ffmpeg: { path: string; title: string } | null = { path: 'ffmpeg', title: 'campus-ffmpeg-test' };
let media: AsyncDisposable | null = null;
const pictured: CampusEvent = {
  id: newId(),
  type: 'person',
  device: gate,
  zone: 'gate' as ZoneId,
  time: start,
  data: {},
  snapshot: '2026-11-22/0a.jpg',
};

beforeAll(async () => {
  if (!hasFfmpeg) return;
  const change = (site: Site): Site => ({
    ...site,
    cameras: { ...site.cameras, byCamera: { [gate]: { masks, during: {} } } },
  });
  const methods = {
    audit: async (params: unknown) => {
      if (isCoreAway) throw new CodedError('STORE_STUCK', 'the disk does not answer');
      audit.push(params as (typeof audit)[number]);
      return {};
    },
    'document.put': async () => ({ rev: 2 }),
  };
  room = stack.use(await startWebRoom({ change, methods }));
  guard = await someone('guard', rightsOf.security, ['gate']);
  elsewhere = await someone('elsewhere', rightsOf.security, ['teaching']);
  chief = await someone('chief', rightsOf.administrator, 'all');
  viewer = await someone('viewer', rightsOf.viewer, ['gate']);
  media = await openMedia();
  stack.defer(async () => await media?.[Symbol.asyncDispose]());
});
afterAll(() => stack.disposeAsync());

async function someone(id: string, scopes: readonly Right[], zones: Zones): Promise<Ask> {
  const { secret, digest } = newTokenSecret(id);
  const times = { created: start, expires: null, lastUsed: null };
  const body = {
    name: id,
    digest,
    scopes: [...scopes],
    zones: zones === 'all' ? zones : [...zones],
    by: 'person:li',
    ...times,
  };
  const document = { kind: 'token' as const, id, rev: 0, time: start, who: 'person:li', from: 'test', why: '', body };
  await room.store?.append({ documents: [document] });
  return (path, init = {}) =>
    room.ask(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${secret}` } });
}

const folder = mkdtempSync(join(tmpdir(), 'web-footage-'));
stack.defer(() => rmSync(folder, { recursive: true, force: true }));

async function openMedia(): Promise<AsyncDisposable> {
  await using parts = new AsyncDisposableStack();
  const clock = new ManualClock(start);
  const { footage } = await openFootage(folder, silentLog);
  if (footage.of(gate).files.size === 0) for (const camera of [gate, field]) await record(camera, footage);
  const options = { footage, ffmpeg: () => ffmpeg, masksOf };
  const exports = parts.use(
    new Exports({ ...options, nameOf: (camera) => camera, room: () => null, clock, log: silentLog }),
  );
  const kept = { isProtected: () => false };
  const answer = createPlayback({ footage, kept, pictures: new Pictures(options), exports, masksOf, log: silentLog });
  parts.use(
    await openMediaSocket({
      socketFile: join(room.data, 'media.sock'),
      keyFile: join(room.data, 'media.key'),
      handlers: [answer],
      socketHandlers: [],
      log: silentLog,
    }),
  );
  const owned = parts.move();
  return { [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function record(camera: DeviceId, footage: Footage) {
  const clock = new ManualClock(start);
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
  stream.begin();
  for (let i = 0; i < 70; i++) {
    stream.play(1_000);
    recorder.tick();
    await recorder.settled();
  }
}

interface Listed {
  readonly ranges: readonly { from: number; to: number }[];
  readonly segments: readonly { id: string; bytes: number }[];
  readonly isMasked: boolean;
}
const path = (camera: string) => `/api/v1/cameras/${camera}/footage?from=${start}&to=${start + 300_000}`;
const listed = async (who: Ask) => (await (await who(path(gate))).json()) as Listed;
const looks = () => audit.filter(({ what }) => /^(look|export)/.test(what));

/** Mean brightness of the left and the right half of a picture or of a video's first one. */
function halves(bytes: Buffer, format: 'mjpeg' | 'mp4'): readonly number[] {
  const file = join(folder, `.seen.${format}`);
  writeFileSync(file, bytes);
  return [0, 1].map((half) => {
    const filter = `crop=iw/2:ih:${half}*iw/2:0,scale=1:1`;
    const args = ['-v', 'error', '-f', format, '-i', file, '-frames:v', '1', '-vf', filter, '-pix_fmt', 'gray'];
    return spawnSync('ffmpeg', [...args, '-f', 'rawvideo', 'pipe:1']).stdout[0] ?? -1;
  });
}

test.skipIf(!hasFfmpeg)(
  'who has the right and the zone sees what footage there is; others are told of no camera',
  async () => {
    const { ranges, segments, isMasked } = await listed(guard);
    expect(ranges.length).toBe(1);
    expect(segments.length).toBe(3);
    expect(isMasked).toBe(true);
    expect(await (await guard(`${path(gate)}&segments=no`)).json()).toEqual({ ranges, segments: [], isMasked });
    expect((await listed(chief)).isMasked).toBe(false);
    expect((await viewer(path(gate))).status).toBe(403);
    for (const [who, camera] of [
      [elsewhere, gate],
      [guard, field],
      [guard, 'camera-nobody'],
      [chief, 'meter-main'],
    ] as const) {
      const answer = await who(path(camera));
      expect(answer.status).toBe(404);
      expect(await answer.json()).toEqual({ error: 'camera-not-found', message: `there is no camera "${camera}"` });
    }
  },
);

test.skipIf(!hasFfmpeg)('playing a quarter of an hour is one line of the audit, by a person, of a camera', async () => {
  const before = looks().length;
  const { segments } = await listed(guard);
  for (const { id } of segments) {
    const answer = await guard(`/api/v1/cameras/${gate}/footage/segments/${id}`);
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  }
  const lines = looks().slice(before);
  expect(lines.length).toBe(1);
  expect(lines[0]).toMatchObject({
    who: 'token:guard',
    from: '127.0.0.1',
    what: 'look footage camera-gate',
    result: expect.stringMatching(/^2026-11-22T06:00:00.\d+Z to at most 2026-11-22T06:15:00.\d+Z$/),
  });
});

test.skipIf(!hasFfmpeg)('who may not see what is behind a mask never gets it, in video, picture or event', async () => {
  const { segments } = await listed(guard);
  const [first] = segments;
  const video = `/api/v1/cameras/${gate}/footage/segments/${first?.id}`;
  const moment = `/api/v1/cameras/${gate}/footage/picture?at=${start + 5_000}`;
  mkdirSync(join(room.data, 'snapshots/2026-11-22'), { recursive: true });
  const jpeg = Buffer.from(await (await chief(moment)).arrayBuffer());
  writeFileSync(join(room.data, 'snapshots/2026-11-22/0a.jpg'), jpeg);
  await room.store?.append({ events: [pictured] });
  const picture = `/api/v1/events/${pictured.id}/snapshot`;
  for (const [who, isMasked] of [
    [guard, true],
    [chief, false],
  ] as const) {
    for (const [url, format] of [
      [video, 'mp4'],
      [moment, 'mjpeg'],
      [picture, 'mjpeg'],
    ] as const) {
      const answer = await who(url);
      expect(answer.status, url).toBe(200);
      expect(answer.headers.get('cache-control'), url).toMatch(/^private/);
      const [left = 0, right = 0] = halves(Buffer.from(await answer.arrayBuffer()), format);
      expect(left < 20, `${url} masked`).toBe(isMasked);
      expect(right, url).toBeGreaterThan(40);
    }
  }
  expect(looks().map(({ who, what }) => `${who} ${what}`)).toEqual(
    expect.arrayContaining([
      'token:guard look event pictures camera-gate',
      'token:chief look event pictures camera-gate',
      'token:guard look pictures camera-gate',
    ]),
  );
});

test.skipIf(!hasFfmpeg)('a range of a file is passed through as the player asked for it', async () => {
  const { segments } = await listed(chief);
  const url = `/api/v1/cameras/${gate}/footage/segments/${segments[0]?.id}`;
  const answer = await chief(url, { headers: { range: 'bytes=4-7' } });
  expect(answer.status).toBe(206);
  expect(answer.headers.get('content-range')).toBe(`bytes 4-7/${segments[0]?.bytes}`);
  expect(await answer.text()).toBe('ftyp');
});

test.skipIf(!hasFfmpeg)(
  'nothing is shown that the audit does not take, and without ffmpeg nothing unmasked comes instead',
  async () => {
    const { segments } = await listed(guard);
    isCoreAway = true;
    const url = `/api/v1/cameras/${gate}/footage/picture?at=${start + 9_000_000}`;
    expect((await guard(url)).status).toBe(503);
    isCoreAway = false;
    ffmpeg = null;
    const answer = await guard(`/api/v1/cameras/${gate}/footage/picture?at=${start + 35_000}&width=333`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: 'media-no-ffmpeg' });
    ffmpeg = { path: 'ffmpeg', title: 'campus-ffmpeg-test' };
    expect(segments.length).toBe(3);
  },
);

test.skipIf(!hasFfmpeg)(
  'media that starts anew has a new key, and is found again; media that is away is said to be',
  async () => {
    await media?.[Symbol.asyncDispose]();
    const away = await guard(path(gate));
    expect(away.status).toBe(503);
    const problem = (await away.json()) as { error: string; message: string };
    expect(problem.error).toBe('media-away');
    expect(problem.message).not.toContain(room.data);
    media = await openMedia();
    expect((await guard(path(gate))).status).toBe(200);
  },
);

interface Job {
  readonly id: string;
  readonly state: string;
  readonly files: readonly { camera: string; from: number; isMasked: boolean }[];
}
const order = (rest: object = {}) => ({
  cameras: [gate],
  from: start + 5_000,
  to: start + 40_000,
  why: 'report of a theft',
  ...rest,
});

test.skipIf(!hasFfmpeg)(
  'an export is in the audit with its reason before it begins, belongs to who asked, and is masked',
  async () => {
    const created = await guard('/api/v1/footage/exports', jsonBody('POST', order()));
    expect(created.status, await created.clone().text()).toBe(202);
    const { id } = (await created.json()) as Job;
    const url = `/api/v1/footage/exports/${id}`;
    const job = await vi.waitFor(
      async () => {
        const now = (await (await guard(url)).json()) as Job;
        expect(now.state).toBe('ready');
        return now;
      },
      { timeout: 30_000, interval: 50 },
    );
    expect(job.files).toMatchObject([{ camera: gate, isMasked: true }]);
    const file = await guard(`${url}/files/0`);
    expect(file.headers.get('content-disposition')).toMatch(
      /^attachment; filename="camera-gate_20261122T0600\d\dZ.mp4"$/,
    );
    const [left = 0, right = 0] = halves(Buffer.from(await file.arrayBuffer()), 'mp4');
    expect(left).toBeLessThan(20);
    expect(right).toBeGreaterThan(40);
    expect((await chief(url)).status).toBe(404);
    expect(looks().at(-1)).toMatchObject({
      who: 'token:guard',
      what: 'export footage camera-gate',
      why: 'report of a theft',
      result: '2026-11-22T06:00:05.000Z to 2026-11-22T06:00:40.000Z',
    });
    expect((await guard(url, { method: 'DELETE' })).status).toBe(200);
    expect((await guard(url)).status).toBe(404);
  },
);

test.skipIf(!hasFfmpeg)('an export needs a reason, its zones, and the right to see what is behind masks', async () => {
  const status = async (who: Ask, rest: object) =>
    (await who('/api/v1/footage/exports', jsonBody('POST', order(rest)))).status;
  expect(await status(guard, { why: ' ' })).toBe(400);
  expect(await status(guard, { unmasked: true })).toBe(403);
  expect(await status(guard, { cameras: [gate, field] })).toBe(404);
  expect(await status(elsewhere, {})).toBe(404);
  expect(await status(viewer, {})).toBe(403);
  const answer = await chief(
    '/api/v1/footage/exports',
    jsonBody('POST', order({ unmasked: true, cameras: [gate, field] })),
  );
  expect(answer.status).toBe(202);
  expect(looks().at(-1)?.result).toMatch(/, unmasked$/);
  await chief(`/api/v1/footage/exports/${((await answer.json()) as Job).id}`, { method: 'DELETE' });
});

test('looks are merged by person, camera and time, and a look the audit refused is not taken for told', async () => {
  const lines: string[] = [];
  let isAway = false;
  const call = async (_: string, params: object) => {
    if (isAway) throw new Error('away');
    lines.push((params as { what: string }).what);
    return {};
  };
  const clock = new ManualClock(start);
  const seen = new Looks({ call }, clock);
  const actor = { who: 'person:a', from: '10.0.0.9' };
  isAway = true;
  await expect(seen.note(actor, gate, 'footage', start)).rejects.toThrow('away');
  isAway = false;
  await Promise.all([0, 30_000, 870_000, -30_000].map((at) => seen.note(actor, gate, 'footage', start + at)));
  expect(lines.length).toBe(1);
  await seen.note(actor, gate, 'footage', start + 901_000);
  await seen.note({ ...actor, who: 'person:b' }, gate, 'footage', start);
  await seen.note(actor, field, 'footage', start);
  expect(lines.length).toBe(4);
  clock.advance(900_001);
  await seen.note(actor, gate, 'footage', start);
  expect(lines.length).toBe(5);
  for (let i = 0; i < 20_000; i++) await seen.note(actor, `camera-${i}`, 'events', start);
  expect(lines.length).toBe(20_005);
});
