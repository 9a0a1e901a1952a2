import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openStore } from '#edge/store/store.ts';
import type * as sound from '#edge/web/broadcast-schemas.ts';
import type { clipView } from '#edge/web/clip-schemas.ts';
import { retention, temporaryFolder } from '../fixtures/store/site.ts';
import { type RunningCampus, startCampus } from './campus.ts';

/* The clip library on a whole campus: what somebody uploads or types is heard at loudspeakers a moment later, without a new start. */

const soon = { timeout: 30_000, interval: 50 };
type Clip = z.infer<typeof clipView>;
type Played = z.infer<typeof sound.played>;

let campus: RunningCampus;
beforeAll(async () => {
  campus = await startCampus({ only: ['core', 'broadcast', 'web'], city: false, onlyRules: {} });
  const rooms = async () => (await campus.get<z.infer<typeof sound.broadcastNow>>('broadcast/now')).rooms;
  await vi.waitFor(async () => expect((await rooms()).every(({ online }) => online === true)).toBe(true), soon);
}, 60_000);
afterAll(() => campus[Symbol.asyncDispose]());

const headers = () => ({ authorization: `Bearer ${readFileSync(`${campus.data}/admin-token`, 'utf8').trim()}` });
const clips = () => campus.get<Clip[]>('broadcast/clips');
const clip = async (id: string) => (await clips()).find((one) => one.id === id);
const packets = async () => (await campus.heard()).reduce((sum, one) => sum + one.packets, 0);
const isPlaying = async (item: string | null) =>
  (await campus.get<z.infer<typeof sound.broadcastNow>>('broadcast/now')).items.some(({ id }) => id === item);

async function upload(id: string, hertz: number, seconds: number): Promise<Clip> {
  const body = new Uint8Array(toneFile(hertz, seconds));
  const answer = await fetch(`${campus.url}/api/v1/broadcast/clips?id=${id}&zh=${id}&en=${id}`, {
    ...{ method: 'POST', headers: { ...headers(), 'content-type': 'audio/wav' }, body },
    signal: AbortSignal.timeout(60_000),
  });
  expect(answer.status, await answer.clone().text()).toBe(200);
  return (await answer.json()) as Clip;
}

/** 16-bit mono WAV, 16 kHz. */
function toneFile(hertz: number, seconds: number): Buffer {
  const samples = Int16Array.from(
    { length: 16_000 * seconds },
    (_, i) => 6_000 * Math.sin((2 * Math.PI * hertz * i) / 16_000),
  );
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + samples.byteLength, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(16_000, 24);
  header.writeUInt32LE(32_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([header, Buffer.from(samples.buffer)]);
}

test('a file that somebody uploads is played in the same minute, and plays on when it is removed meanwhile', async () => {
  const made = await upload('assembly', 900, 60);
  expect(made).toMatchObject({ source: 'upload', problem: null });
  const before = await packets();
  const answer = await campus.post<Played>('broadcast/play', { clips: ['assembly'], zones: 'all', why: 'assembly' });
  expect(answer).toMatchObject({ outcome: 'taken' });
  await vi.waitFor(async () => expect(await packets()).toBeGreaterThan(before + 50), soon);
  const removed = await fetch(`${campus.url}/api/v1/broadcast/clips/assembly`, {
    method: 'DELETE',
    headers: headers(),
  });
  expect(removed.status).toBe(204);
  expect(await clip('assembly')).toBeUndefined();
  const later = await packets();
  await vi.waitFor(async () => expect(await packets()).toBeGreaterThan(later + 100), soon);
  expect(await isPlaying(answer.item)).toBe(true);
  await campus.post(`broadcast/items/${answer.item}/stop`, { why: 'enough' });
  await expect(campus.post('broadcast/play', { clips: ['assembly'], zones: 'all' })).rejects.toThrow(
    /there is no clip/,
  );
}, 90_000);

test('a text that somebody types is spoken at every loudspeaker; it is a clip for a week', async () => {
  const before = new Map((await campus.heard()).map((one) => [one.name, one.packets]));
  const text = '请各班班主任到三楼会议室开会。';
  const answer = await campus.post<Played>('broadcast/play', { text, zones: 'all', why: 'call' });
  expect(answer).toMatchObject({ outcome: 'taken' });
  await vi.waitFor(async () => {
    for (const { name, packets: now } of await campus.heard())
      expect(now, name).toBeGreaterThan((before.get(name) ?? 0) + 50);
  }, soon);
  expect((await clips()).find((one) => one.text === text)).toMatchObject({ source: 'speech', problem: null });
}, 90_000);

test('web is told how long the clips of the site are, and which cannot be played', async () => {
  await vi.waitFor(async () => expect((await clip('bell'))?.length ?? 0).toBeGreaterThan(1_000), soon);
  expect((await clips()).filter(({ problem }) => problem !== null)).toEqual([]);
});

test('what people made is there again after the loudspeakers’ process was killed', async () => {
  await upload('reminder', 700, 20);
  process.kill(campus.pid('broadcast'), 'SIGKILL');
  await vi.waitFor(() => expect(campus.status('broadcast')).toMatchObject({ state: 'ready', restarts: 1 }), soon);
  const before = await packets();
  const answer = await campus.post<Played>('broadcast/play', {
    clips: ['reminder'],
    zones: 'all',
    why: 'after a crash',
  });
  expect(answer).toMatchObject({ outcome: 'taken' });
  await vi.waitFor(async () => expect(await packets()).toBeGreaterThan(before + 50), soon);
}, 90_000);

test('what somebody uploaded rings by the signed plan, stays as long as the plan needs it, and is gone from the plan when it may go', async () => {
  await using folder = await temporaryFolder();
  const data = folder.path;
  {
    // A clock that somebody has vouched for, and that was believed a moment ago.
    await using store = await openStore({ folder: data, clock: systemClock, log: silentLog, retention });
    const vouched = { by: 'person:lin', time: systemClock.now(), why: 'a test' };
    await store.append({ state: { 'school-clock': vouched, 'school-ticker': { horizon: systemClock.now() } } });
  }
  await using school = await startCampus({ data, only: ['broadcast', 'web'], city: false, onlyRules: {} });
  const rooms = async () => (await school.get<z.infer<typeof sound.broadcastNow>>('broadcast/now')).rooms;
  await vi.waitFor(async () => expect((await rooms()).every(({ online }) => online === true)).toBe(true), soon);
  const own = { authorization: `Bearer ${readFileSync(`${data}/admin-token`, 'utf8').trim()}` };
  const send = (method: string, path: string, more: RequestInit = {}) =>
    fetch(`${school.url}/api/v1/broadcast/clips${path}`, { method, ...more, headers: { ...own, ...more.headers } });
  const body = new Uint8Array(toneFile(900, 20));
  const made = await send('POST', '?id=our-song&zh=校歌&en=Song', { headers: { 'content-type': 'audio/wav' }, body });
  expect(made.status).toBe(200);

  // In a moment, by the clock of the school.
  const clock = new Date(Date.now() + 12_000 + 8 * 3_600_000);
  const at = clock.getUTCHours() * 3_600 + clock.getUTCMinutes() * 60 + clock.getUTCSeconds();
  const song = (clip: string) => ({
    ...{ part: 'item', name: { zh: '校歌', en: 'Song' }, class: 'bell', layer: 'campus', when: { at }, enabled: true },
    days: { kinds: ['school', 'make-up', 'exam', 'event', 'weekend', 'holiday', 'vacation'], weekdays: [] },
    do: { kind: 'sound', clip, zones: [], seconds: 20 },
  });
  const change = (id: string, clip: string) => ({ changes: [{ id, rev: 0, body: song(clip) }] });
  const { revs } = await school.post<{ revs: Record<string, number> }>('school/entries', change('song', 'our-song'));
  const problems = async () => JSON.stringify(await school.get('school/plan'));
  expect(await problems()).not.toContain('unknown-clip');
  const { id } = await school.post<{ id: string }>('school/releases', { revs, why: 'a test' });
  const heard = async () => (await rooms()).map(({ playing }) => playing?.class ?? null);
  await vi.waitFor(async () => expect(await heard()).toContain('bell'), { timeout: 40_000, interval: 200 });

  const refused = await send('DELETE', '/our-song');
  expect([refused.status, await refused.text()]).toEqual([409, expect.stringContaining('school:release')]);
  await school.post(`school/releases/${id}/undo`, { why: 'it was a test' });
  await school.post('school/entries', { changes: [{ id: 'song', rev: revs.song, body: null }] });
  expect((await send('DELETE', '/our-song')).status).toBe(204);
  await school.post('school/entries', change('other', 'our-song'));
  expect(await problems()).toContain('unknown-clip');
}, 150_000);
