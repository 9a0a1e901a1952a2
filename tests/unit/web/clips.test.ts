import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import type { Right } from '#edge/domain/access.ts';
import { findFfmpeg } from '#edge/media/ffmpeg-find.ts';
import { layOutWav } from '#edge/media/wav.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { loadSite } from '#edge/runtime/site.ts';
import { openReader } from '#edge/store/reader.ts';
import { ClipDesk } from '#edge/web/clip-desk.ts';
import type { clipView } from '#edge/web/clip-schemas.ts';
import { jsonBody, type PlaceRoom, startPlaceRoom } from './place-room.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

type Clip = z.infer<typeof clipView>;

let room: PlaceRoom;
let tone: Buffer;
beforeAll(async () => {
  room = await startPlaceRoom();
  tone = await soundFile('tone.flac', "aevalsrc='0.05*sin(2*PI*600*t)':s=44100:d=4");
});
afterAll(async () => await room[Symbol.asyncDispose]());

async function soundFile(name: string, graph: string): Promise<Buffer> {
  const ffmpeg = await findFfmpeg({ folder: room.data });
  if (ffmpeg === null) throw new Error('no ffmpeg runs here, not even the bundled one');
  const file = join(room.data, name);
  await new Promise<void>((resolve, reject) => {
    const args = ['-v', 'error', '-f', 'lavfi', '-i', graph, '-y', file];
    execFile(ffmpeg.path, args, { timeout: 60_000 }, (error) => (error === null ? resolve() : reject(error)));
  });
  return readFileSync(file);
}

const slow = { signal: AbortSignal.timeout(100_000) };
const upload = (query: string, body: string | Buffer, type = 'audio/flac') =>
  room.ask(`/api/v1/broadcast/clips?${query}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: new Uint8Array(Buffer.from(body)),
    ...slow,
  });
const speak = (body: object) => room.ask('/api/v1/broadcast/clips/speak', { ...jsonBody('POST', body), ...slow });
const list = async () => (await (await room.ask('/api/v1/broadcast/clips')).json()) as Clip[];
const problem = async (answer: Response) => ({
  status: answer.status,
  ...((await answer.json()) as { error: string; message: string }),
});
const clipFiles = () => readdirSync(join(room.data, 'clips')).toSorted();

describe('a file of sound', () => {
  test('becomes a clip: its length, how loud it was, who made it; and is played back, whole or in parts', async () => {
    const answer = await upload('id=lunch&zh=午餐&en=Lunch&ahead=true', tone);
    expect(answer.status).toBe(200);
    const clip = (await answer.json()) as Clip;
    expect(clip).toMatchObject({
      id: 'lunch',
      rev: 1,
      name: { zh: '午餐', en: 'Lunch' },
      source: 'upload',
      ahead: true,
      usedBy: [],
    });
    expect(Math.abs((clip.length ?? 0) - 4_000)).toBeLessThan(60);
    expect(clip.loudness ?? 0).toBeLessThan(-25);
    expect(clipFiles()).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.wav$/)]);
    const sound = await room.ask('/api/v1/broadcast/clips/lunch/sound');
    expect(sound.headers.get('content-type')).toBe('audio/wav');
    const bytes = Buffer.from(await sound.arrayBuffer());
    expect(layOutWav(bytes)).toMatchObject({ rate: 48_000, channels: 1 });
    const part = await room.ask('/api/v1/broadcast/clips/lunch/sound', { headers: { range: 'bytes=44-143' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 44-143/${bytes.length}`]);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(44, 144))).toBe(true);
    expect(clip.by).toMatch(/^token:/);
  });

  test('under a name that is taken is refused; with the revision it takes the place of what was there', async () => {
    expect(await problem(await upload('id=lunch&zh=x&en=x', tone))).toMatchObject({ status: 409, error: 'clip-taken' });
    expect(await problem(await upload('id=lunch&zh=x&en=x&rev=7', tone))).toMatchObject({
      status: 409,
      error: 'document-changed',
    });
    const other = await soundFile('other.wav', "aevalsrc='0.2*sin(2*PI*900*t)':s=16000:d=3.5");
    const replaced = await upload('id=lunch&zh=午餐&en=Lunch&rev=1', other, 'audio/wav');
    expect(await replaced.json()).toMatchObject({ rev: 2 });
    const [site] = Object.keys(await siteClips());
    expect(await problem(await upload(`id=${site}&zh=x&en=x`, tone))).toMatchObject({
      status: 409,
      error: 'clip-of-site',
    });
  });

  test.each([
    ['a text', 'this is no sound', 'audio/mpeg', 400, 'bad-sound'],
    ['a playlist', '#EXTM3U\nfile:///etc/passwd\n', 'audio/mpeg', 400, 'bad-sound'],
    ['nothing at all', '', 'audio/wav', 400, 'bad-sound'],
    ['what is not even said to be sound', '{}', 'application/json', 415, 'fst-err-ctp-invalid-media-type'],
  ])('%s is refused, and leaves nothing on the disk', async (_, content, type, status, error) => {
    const before = clipFiles();
    expect(await problem(await upload('id=hostile&zh=x&en=x', content, type))).toMatchObject({ status, error });
    expect(clipFiles()).toEqual(before);
    expect((await list()).map(({ id }) => id)).not.toContain('hostile');
  });
});

async function siteClips(): Promise<Record<string, Clip>> {
  return Object.fromEntries((await list()).filter(({ source }) => source === 'site').map((clip) => [clip.id, clip]));
}

describe('the list', () => {
  test('has the clips of the site too, with where they are used and what became of them', async () => {
    const [first = ''] = Object.keys(await siteClips());
    room.live.clipFacts = new Map([[first, { name: first, length: 4_200, problem: 'it was eaten' }]]);
    const clips = await siteClips();
    expect(clips[first]).toMatchObject({ rev: 0, length: 4_200, problem: 'it was eaten', loudness: null });
    expect(Object.values(clips).flatMap(({ usedBy }) => usedBy)).toContainEqual(expect.stringMatching(/^panic:/));
    const sound = await room.ask(`/api/v1/broadcast/clips/${first}/sound`);
    expect(sound.status).toBe(200);
    expect((await sound.arrayBuffer()).byteLength).toBeGreaterThan(1_000);
  });

  test('is for all who look; making and removing is for those who broadcast', async () => {
    const looks = await room.as(['see']);
    expect((await looks('/api/v1/broadcast/clips')).status).toBe(200);
    expect((await looks('/api/v1/broadcast/clips/speak', jsonBody('POST', { text: '你好' }))).status).toBe(403);
    expect((await looks('/api/v1/broadcast/clips/lunch', { method: 'DELETE' })).status).toBe(403);
  });
});

describe('a text', () => {
  test('becomes a clip, and the same text the same one', async () => {
    const first = (await (await speak({ text: '请三年二班到操场集合' })).json()) as Clip;
    expect(first).toMatchObject({ source: 'speech', text: '请三年二班到操场集合', rev: 1 });
    expect(first.id).toMatch(/^say-[0-9a-f]{20}$/);
    expect(first.length ?? 0).toBeGreaterThan(1_500);
    const again = (await (await speak({ text: '请三年二班到操场集合' })).json()) as Clip;
    expect([again.id, again.rev]).toEqual([first.id, 1]);
    // Somebody finds that it should stay.
    const kept = (await (await speak({ text: '请三年二班到操场集合', keep: true })).json()) as Clip;
    expect([kept.id, kept.rev]).toEqual([first.id, 2]);
  });

  test('with a name of its own is kept under it', async () => {
    const wish = {
      id: 'rain',
      name: { zh: '下雨', en: 'Rain' },
      text: '今天下雨，课间操取消。',
      keep: true,
      rate: 0.8,
    };
    expect(await (await speak(wish)).json()).toMatchObject({ id: 'rain', name: wish.name });
    expect(await problem(await speak(wish))).toMatchObject({ status: 409, error: 'clip-taken' });
  });

  test('can be heard before, the same bytes each time, and nothing is kept of it', async () => {
    const before = [clipFiles(), (await list()).length];
    const hear = async () => {
      const answer = await room.ask('/api/v1/broadcast/clips/preview', {
        ...jsonBody('POST', { text: '试听一下' }),
        ...slow,
      });
      expect(answer.headers.get('content-type')).toBe('audio/wav');
      return Buffer.from(await answer.arrayBuffer());
    };
    const [first, second] = [await hear(), await hear()];
    expect(layOutWav(first).rate).toBe(48_000);
    expect(second.equals(first)).toBe(true);
    expect([clipFiles(), (await list()).length]).toEqual(before);
  });

  test('is refused when there is nothing to read or no such voice, in words', async () => {
    expect(await problem(await speak({ text: '。。。' }))).toMatchObject({ status: 400, error: 'bad-text' });
    expect(await problem(await speak({ text: '你好', voice: 'nobody' }))).toMatchObject({
      status: 400,
      error: 'bad-voice',
    });
    const voices = (await (await room.ask('/api/v1/voices')).json()) as {
      id: string;
      isDefault: boolean;
      language: string;
    }[];
    expect(voices[0]).toMatchObject({ language: 'zh-CN', isDefault: true });
  });
});

describe('what is used', () => {
  const put = (id: string, body: object, rev = 0) =>
    room.ask(`/api/v1/announcement-templates/${id}?rev=${rev}`, jsonBody('PUT', body));
  const template = {
    name: { zh: '找人', en: 'Call' },
    text: '{class}同学请到{place}',
    fields: [
      { key: 'class', name: { zh: '班', en: 'Class' }, options: ['三年二班'] },
      { key: 'place', name: { zh: '地点', en: 'Place' } },
    ],
    chime: 'lunch',
  };

  test('stays: whoever removes it is told where it is used; what is used nowhere goes', async () => {
    expect(await (await put('call', template)).json()).toMatchObject({
      rev: 1,
      body: { class: 'page', chime: 'lunch' },
    });
    const refused = await problem(await room.ask('/api/v1/broadcast/clips/lunch', { method: 'DELETE' }));
    expect(refused).toMatchObject({
      status: 409,
      error: 'clip-used',
      message: expect.stringContaining('template:call'),
    });
    expect((await put('call', { ...template, chime: null }, 1)).status).toBe(200);
    expect((await room.ask('/api/v1/broadcast/clips/lunch', { method: 'DELETE' })).status).toBe(204);
    expect((await list()).map(({ id }) => id)).not.toContain('lunch');
    expect(await problem(await room.ask('/api/v1/broadcast/clips/lunch', { method: 'DELETE' }))).toMatchObject({
      status: 404,
    });
  });

  test.each([
    [{ text: '{class}请到{place}和{time}' }, '{time} is no field'],
    [{ text: '{class}' }, 'does not say {place}'],
    [{ text: '{class}{place' }, 'place'],
    [{ chime: 'not-there' }, 'there is no clip'],
  ])('a template that makes no sense is refused: %j', async (change, words) => {
    const answer = await problem(await put('odd', { ...template, ...change }));
    expect(answer).toMatchObject({ status: 400, error: 'bad-template', message: expect.stringContaining(words) });
  });

  test('templates are listed, changed by who saw them last, and removed', async () => {
    expect(await problem(await put('call', { ...template, chime: null }, 1))).toMatchObject({ status: 409 });
    const all = (await (await room.ask('/api/v1/announcement-templates')).json()) as { id: string; rev: number }[];
    expect(all).toEqual([expect.objectContaining({ id: 'call', rev: 2 })]);
    expect((await room.ask('/api/v1/announcement-templates/call', { method: 'DELETE' })).status).toBe(204);
    expect((await room.ask('/api/v1/announcement-templates/call')).status).toBe(404);
  });
});

const ours = (desk: ClipDesk) =>
  desk
    .views()
    .filter(({ source }) => source !== 'site')
    .map(({ id }) => id)
    .toSorted();

test('what was said once goes after a week, its sound an hour later; what people keep stays, and half-made things of a crash go', async () => {
  await using other = await startPlaceRoom();
  const clock = new ManualClock(1_800_000_000_000);
  mkdirSync(join(other.data, 'clips', '.work-crash'), { recursive: true });
  writeFileSync(join(other.data, 'clips', '.work-crash', 'upload'), 'x');
  await using rpc = connectRpc(join(other.data, 'core.sock'));
  using reader = openReader(other.data, clock);
  const site = await loadSite(join(import.meta.dirname, '../../../edge/simulators/demo-site.yaml'));
  await using desk = new ClipDesk({
    campus: { site, reader, rpc, data: other.data },
    facts: () => new Map(),
    clock,
    log: silentLog,
  });
  await desk.shelf.tidyWork();
  const request = {
    principal: {
      who: 'person:lin',
      id: 'lin',
      name: 'Lin',
      role: null,
      rights: new Set<Right>(),
      zones: 'all' as const,
    },
    ip: '127.0.0.1',
  } as const;
  const once = await desk.speakOnce('一次', undefined, request);
  const kept = await desk.speak(request, { text: '永远', keep: true, ahead: false });
  const files = () => readdirSync(join(other.data, 'clips'));
  expect(files()).toHaveLength(2);
  clock.advance(6 * 86_400_000);
  await desk.tidy();
  expect(ours(desk)).toEqual([once, kept.id].toSorted());
  // Said again, it stays longer.
  expect(await desk.speakOnce('一次', undefined, request)).toBe(once);
  clock.advance(6 * 86_400_000);
  await desk.tidy();
  expect(ours(desk)).toHaveLength(2);
  clock.advance(2 * 86_400_000);
  await desk.tidy();
  expect(ours(desk)).toEqual([kept.id]);
  expect(files()).toHaveLength(2);
  clock.advance(3_600_000);
  await desk.tidy();
  expect(files()).toHaveLength(1);
  expect(statSync(join(other.data, 'clips', files()[0] ?? '')).size).toBeGreaterThan(1_000);
});
