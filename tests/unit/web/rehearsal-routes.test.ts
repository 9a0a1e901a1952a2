import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DeviceId, PointName, PointRef } from '#edge/domain/ids.ts';
import type { RehearsalView, RunRehearsal } from '#edge/web/rehearsals.ts';
import { startWebRoom, type WebRoom } from './web-room.ts';

/* A rehearsal through the API, in a process of its own, on a real store. */

const hour = 3_600_000;
const start = Math.floor(Date.UTC(2026, 9, 12) / hour) * hour;
const ref = 'climate-101/temperature' as PointRef;
const both = (text: string) => ({ zh: text, en: text });
const body = (above: number) => ({
  rule: 1,
  id: 'warm',
  name: both('warm'),
  kind: 'comfort',
  when: { kind: 'point', points: ref, test: { above } },
  then: [{ kind: 'alarm', class: 'low', message: both('warm'), next: both('open a window') }],
});

let room: WebRoom;

beforeAll(async () => {
  const methods = { audit: () => Promise.resolve({}) };
  room = await startWebRoom({ methods });
  const { store } = room;
  if (store === null) throw new Error('this room has a store');
  await store.registerPoints([{ ref, type: 'number', unit: 'Cel', staleAfter: 0, counter: false }]);
  const readings = Array.from({ length: 80 }, (_, i) => ({
    ref,
    device: 'climate-101' as DeviceId,
    point: 'temperature' as PointName,
    value: i % 2 === 0 ? 31 : 20,
    unit: 'Cel',
    quality: 'good' as const,
    sourceTime: start + i * 60_000,
    receivedTime: start + i * 60_000,
  }));
  await store.append({ readings });
});
afterAll(() => room[Symbol.asyncDispose]());

async function call(to: WebRoom, method: string, path: string, json?: object) {
  const sent =
    json === undefined ? {} : { body: JSON.stringify(json), headers: { 'content-type': 'application/json' } };
  const response = await to.ask(`/api/v1/${path}`, { method, ...sent });
  return { status: response.status, body: (await response.json()) as unknown };
}
const post = (wish: object) => call(room, 'POST', 'rehearsals', wish);
const wish = (more: object = {}) => ({ rule: 'warm', body: body(30), from: start, to: start + 2 * hour, ...more });

describe('rehearsals', () => {
  test('play a draft on what was stored and say how often it would have fired', async () => {
    const begun = await post(wish());
    expect(begun.status).toBe(200);
    const { id } = begun.body as RehearsalView;
    await vi.waitFor(
      async () => {
        const { body: view } = await call(room, 'GET', `rehearsals/${id}`);
        expect(view).toMatchObject({
          state: 'done',
          progress: 1,
          draft: { fired: 40, alarms: { low: 40 } },
          live: null,
        });
        expect((view as RehearsalView).draft?.firedTime).toBe(40 * 60_000);
      },
      { timeout: 30_000, interval: 100 },
    );
  });

  test('refuse what cannot be rehearsed, and say why', async () => {
    for (const [given, status, says] of [
      [wish({ to: start }), 400, '"from" must be before "to"'],
      [wish({ to: start + 10_000 * 24 * hour }), 400, '400 days'],
      [wish({ version: 2 }), 400, 'either "body"'],
      [wish({ body: undefined }), 400, 'either "body"'],
      [wish({ body: undefined, version: 3 }), 404, 'no version 3'],
    ] as const) {
      const answer = await post(given);
      expect([answer.status, (answer.body as { message: string }).message]).toEqual([
        status,
        expect.stringContaining(says),
      ]);
    }
    expect((await call(room, 'GET', 'rehearsals/0190a0a0-0000-4000-8000-000000000000')).status).toBe(404);
  });

  test('name the mistakes of a draft that is none', async () => {
    const { id } = (await post(wish({ body: { rule: 1, id: 'warm' } }))).body as RehearsalView;
    await vi.waitFor(
      async () => {
        const { body: view } = await call(room, 'GET', `rehearsals/${id}`);
        expect(view).toMatchObject({ state: 'failed', message: expect.stringContaining('name') });
      },
      { timeout: 30_000, interval: 100 },
    );
  });
});

test('two are under way at most, each is its own, and ending one makes room', async () => {
  const ended: string[] = [];
  const rehearse: RunRehearsal = (_wish, onProgress, signal) =>
    new Promise((_resolve, reject) => {
      onProgress(0.25);
      signal.addEventListener('abort', () => {
        ended.push('one');
        reject(new Error('ended'));
      });
    });
  await using other = await startWebRoom({ methods: { audit: () => Promise.resolve({}) }, rehearse });
  const begin = () => call(other, 'POST', 'rehearsals', wish());
  const first = await begin();
  expect(first.body).toMatchObject({ state: 'running' });
  expect((await begin()).status).toBe(200);
  expect((await begin()).status).toBe(429);
  const { id } = first.body as RehearsalView;
  expect((await call(other, 'GET', `rehearsals/${id}`)).body).toMatchObject({ state: 'running', progress: 0.25 });
  expect((await call(other, 'DELETE', `rehearsals/${id}`)).status).toBe(200);
  expect((await call(other, 'GET', `rehearsals/${id}`)).body).toMatchObject({ state: 'ended' });
  expect(ended).toEqual(['one']);
  expect((await begin()).status).toBe(200);
});
