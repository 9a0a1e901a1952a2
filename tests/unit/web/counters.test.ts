import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Right } from '#edge/domain/access.ts';
import type { CounterStep } from '#edge/domain/counter.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newTokenSecret } from '#edge/web/people/tokens.ts';
import { newId, startWebRoom, type WebRoom } from './web-room.ts';

/* Steps of counters over HTTP: a real store and RPC socket; of core only what it answers is made up. */

const called: { method: string; params: Record<string, unknown> }[] = [];
let room: WebRoom;
let canteen: (path: string, init?: RequestInit) => Promise<Response>;

const step = (ref: string, more: Partial<CounterStep> = {}): CounterStep => ({
  id: newId(),
  ref: ref as PointRef,
  kind: 'swap',
  state: 'open',
  from: 53_700,
  fromTime: 1_000,
  to: 3,
  toTime: 2_000,
  last: 5,
  lastTime: 3_000,
  agreed: 9,
  ...more,
});
const main = step('meter-main/energy_import', { toTime: 3_000 });
const kitchen = step('meter-canteen/energy_import');
const over = step('meter-canteen/energy_import', {
  toTime: 1_000,
  state: 'accepted',
  between: 4,
  decided: { by: 'zhou', time: 4_000, note: 'swapped' },
});

beforeAll(async () => {
  room = await startWebRoom({
    methods: {
      'counter.list': async () => ({ steps: [{ ...kitchen, last: 77, agreed: 12 }] }),
      'counter.decide': async (params) => {
        const asked = params as Record<string, unknown>;
        called.push({ method: 'counter.decide', params: asked });
        if (asked.verdict === 'reject') throw new CodedError('COUNTER_STEP_REFUSED', 'it is rejected already');
        return { ...kitchen, state: 'accepted', between: asked.between };
      },
    },
  });
  await room.store?.append({ counters: [main, kitchen, over] });
  const id = 'canteen';
  const { secret, digest } = newTokenSecret(id);
  const times = { created: 1, expires: null, lastUsed: null };
  const scopes: Right[] = ['see', 'devices'];
  const body = { name: id, digest, scopes, zones: ['canteen'], by: 'person:li', ...times };
  const document = { kind: 'token', id, rev: 0, time: 1, who: 'person:li', from: 'test', why: '', body } as const;
  await room.store?.append({ documents: [document] });
  canteen = (path, init = {}) =>
    room.ask(`/api/v1/${path}`, { ...init, headers: { ...init.headers, authorization: `Bearer ${secret}` } });
});

afterAll(() => room[Symbol.asyncDispose]());

const decide = (id: string, body: object, ask = canteen) =>
  ask(`counters/${id}/decide`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('counter steps over HTTP', () => {
  test('are listed newest first, as they stand now, each in its zone', async () => {
    const all = (await (await room.ask('/api/v1/counters')).json()) as { steps: CounterStep[] };
    expect(all.steps.map(({ id, last }) => [id, last])).toEqual([
      [main.id, 5],
      [kitchen.id, 77],
      [over.id, 5],
    ]);
    const own = (await (await canteen('counters?state=open&limit=1')).json()) as { steps: CounterStep[] };
    expect(own.steps.map(({ id }) => id)).toEqual([kitchen.id]);
    expect((await canteen('counters?ref=nonsense')).status).toBe(400);
  });

  test('are decided by whoever may, and of what lies elsewhere nothing is said', async () => {
    const accepted = await decide(kitchen.id, { verdict: 'accept', between: 12.5, note: 'swapped today' });
    expect(accepted.status).toBe(200);
    expect(await accepted.json()).toMatchObject({ state: 'accepted', between: 12.5 });
    expect(called.at(-1)?.params).toMatchObject({ id: kitchen.id, between: 12.5, note: 'swapped today' });
    expect(String(called.at(-1)?.params.who)).toMatch(/^token:/);
    const before = called.length;
    expect((await decide(main.id, { verdict: 'accept', note: '' })).status).toBe(404);
    expect((await decide(newId(), { verdict: 'accept', note: '' })).status).toBe(404);
    expect((await decide(kitchen.id, { verdict: 'accept', between: -1, note: '' })).status).toBe(400);
    expect((await decide(kitchen.id, { verdict: 'shrug', note: '' })).status).toBe(400);
    expect(called.length).toBe(before);
    const refused = await decide(kitchen.id, { verdict: 'reject', note: '' });
    expect([refused.status, await refused.json()]).toEqual([
      409,
      { error: 'counter-step-refused', message: 'it is rejected already' },
    ]);
  });
});

test('counter steps are shown while core is away, and cannot be decided', async () => {
  await using away = await startWebRoom({ methods: null });
  await away.store?.append({ counters: [main] });
  const known = (await (await away.ask('/api/v1/counters')).json()) as { steps: CounterStep[] };
  expect(known.steps.map(({ id }) => id)).toEqual([main.id]);
  const refused = await decide(main.id, { verdict: 'accept', note: '' }, (path, init) =>
    away.ask(`/api/v1/${path}`, init),
  );
  expect(refused.status).toBe(503);
});
