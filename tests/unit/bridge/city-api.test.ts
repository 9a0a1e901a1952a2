import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { City } from '#bridge/city/city.ts';
import { account, campus, makeBody, openCity, openUplink, tempFolder } from '../../fixtures/bridge/campus.ts';
import { FixtureOutbox } from '../../fixtures/bridge/outbox.ts';

const silent = { id: '3144055555', name: { zh: '沉默学校', en: 'Silent school' }, password: 'another-long-secret' };
const t0 = 1_795_312_860_000;
let stack: AsyncDisposableStack;
let city: City;
let folder: string;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  folder = stack.use(await tempFolder()).path;
  const outbox = stack.use(new FixtureOutbox(join(folder, 'outbox.db'), true));
  for (let n = 1; n <= 5; n++) outbox.append('agg1m', makeBody('agg1m', n));
  outbox.append('alarm', makeBody('alarm', 1), { ...(makeBody('alarm', 1) as object), state: 'normal', ended: t0 + 5 });
  outbox.append('alarm', makeBody('alarm', 2));
  outbox.append('event', makeBody('event', 1), { broken: true }, makeBody('event', 3));
  outbox.append('health', makeBody('health', 1), makeBody('health', 2));
  city = stack.use(await openCity(folder, { campuses: [account, silent] }));
  stack.use(await openUplink(outbox, city.ports.mqtt));
  await vi.waitFor(
    () => {
      for (const [lane, last] of [
        ['agg1m', 5],
        ['alarm', 3],
        ['event', 3],
        ['health', 2],
      ] as const) {
        expect(outbox.watermark(lane)).toBe(last);
      }
    },
    { timeout: 10_000, interval: 20 },
  );
}, 30_000);
afterAll(() => stack.disposeAsync());

async function ask(path: string, token: string | null = city.token): Promise<{ status: number; body: unknown }> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(`http://127.0.0.1:${city.ports.http}${path}`, { headers });
  return { status: answer.status, body: await answer.json() };
}

describe("the city's API", () => {
  it('tells its health to anybody and everything else only with the token', async () => {
    expect(await ask('/healthz', null)).toMatchObject({ status: 200, body: { status: 'ok', campuses: 2, online: 1 } });
    for (const token of [null, '', 'wrong', `${city.token}x`]) {
      expect(await ask('/api/v1/campuses', token)).toMatchObject({ status: 401, body: { error: 'UNAUTHORIZED' } });
    }
    expect((await ask('/api/v1/campuses')).status).toBe(200);
  });

  it('keeps its token in a file that only its owner can read', async () => {
    expect((await stat(join(folder, 'admin-token'))).mode & 0o777).toBe(0o600);
  });

  it('lists every campus with its last word, lanes, backlog and gaps', async () => {
    const { body } = await ask('/api/v1/campuses');
    expect(body).toMatchObject({
      campuses: [
        { id: campus, name: account.name, online: true, points: 2, openAlarms: 1 },
        { id: silent.id, online: false, lastSeen: null, points: 0, lanes: [] },
      ],
    });
    const [first] = (body as { campuses: { lastSeen: number; lanes: object[] }[] }).campuses;
    expect(first?.lastSeen).toBeGreaterThan(t0 - 1e12);
    expect(first?.lanes).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ lane: 'agg1m', epoch: 1, watermark: 5, backlog: 0, gaps: 0, missing: 0 }),
        expect.objectContaining({ lane: 'event', watermark: 3, gaps: 1, missing: 1 }),
      ]),
    );
  });

  it('gives summaries of a stretch of time, of all points or one', async () => {
    const path = `/api/v1/campuses/${campus}/summaries`;
    const { body } = await ask(`${path}?from=${t0}&to=${t0 + 3 * 60_000}`);
    expect(body).toMatchObject({ step: 60_000, truncated: false });
    const { points } = body as { points: { ref: string; unit: string; rows: unknown[] }[] };
    expect(points.map(({ ref, unit, rows }) => [ref, unit, rows.length])).toEqual([
      ['meter-1/energy', 'kW.h', 3],
      ['meter-1/power', 'kW', 3],
    ]);
    const single = await ask(`${path}?from=${t0}&to=${t0 + 1}&ref=meter-1/power`);
    expect(single.body).toMatchObject({
      points: [
        {
          ref: 'meter-1/power',
          rows: [{ t: t0, min: 1.25, max: 3.5, mean: 2.125, last: 2.5, count: 4, goodSeconds: 60, delta: null }],
        },
      ],
    });
  });

  it('shows the latest state of each alarm, open ones first', async () => {
    const { body } = await ask(`/api/v1/campuses/${campus}/alarms`);
    const { alarms } = body as { alarms: { state: string }[] };
    expect(alarms.map(({ state }) => state)).toEqual(['acknowledged', 'normal']);
  });

  it('gives events, gaps and health', async () => {
    const base = `/api/v1/campuses/${campus}`;
    expect((await ask(`${base}/events`)).body).toMatchObject({ events: [{ type: 'person' }, { type: 'person' }] });
    expect((await ask(`${base}/gaps`)).body).toMatchObject({
      gaps: [{ lane: 'event', first: 2, last: 2, reason: 'unencodable' }],
    });
    expect((await ask(`${base}/health`)).body).toMatchObject({ health: [{ process: 'fieldbus' }] });
  });

  it.each([
    [`/api/v1/campuses/9999999999/alarms`, 404, 'NO_SUCH_CAMPUS', 'no campus'],
    [`/api/v1/campuses/${campus}/summaries?from=yesterday`, 400, 'BAD_REQUEST', 'from:'],
    [`/api/v1/campuses/${campus}/summaries?form=1`, 400, 'BAD_REQUEST', 'form'],
    [`/api/v1/campuses/${campus}/summaries?from=5&to=5`, 400, 'BAD_REQUEST', 'to: must be after from'],
    [`/api/v1/campuses/${campus}/summaries?from=0&to=3000000000`, 400, 'BAD_REQUEST', 'at most 31 days'],
    [`/api/v1/nothing`, 404, 'NOT_FOUND', 'there is no GET /api/v1/nothing'],
  ])('answers %s with %i and a sentence', async (path, status, code, part) => {
    const answer = await ask(path);
    expect(answer).toMatchObject({ status, body: { error: code, message: expect.stringContaining(part) } });
  });

  it('serves its page without a token and under a strict content security policy', async () => {
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/page.css', 'text/css'],
      ['/page.js', 'text/javascript'],
    ] as const) {
      const answer = await fetch(`http://127.0.0.1:${city.ports.http}${path}`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toContain(type);
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
      expect(await answer.text()).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
    }
  });
});
