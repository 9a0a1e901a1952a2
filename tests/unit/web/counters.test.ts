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
        if (Array.isArray(asked.steps)) return { steps: [{ ...kitchen, state: 'accepted' }] };
        if (asked.verdict === 'reject') throw new CodedError('COUNTER_STEP_REFUSED', 'it is rejected already');
        return { ...kitchen, state: 'accepted', between: asked.between };
      },
    },
  });
  await room.store?.append({ counters: [main, kitchen, over] });
  canteen = await inCanteen(room);
});

/** Whoever asks so sees the canteen only, and may decide there. */
async function inCanteen(of: WebRoom): Promise<typeof canteen> {
  const id = 'canteen';
  const { secret, digest } = newTokenSecret(id);
  const times = { created: 1, expires: null, lastUsed: null };
  const scopes: Right[] = ['see', 'devices'];
  const body = { name: id, digest, scopes, zones: ['canteen'], by: 'person:li', ...times };
  const document = { kind: 'token', id, rev: 0, time: 1, who: 'person:li', from: 'test', why: '', body } as const;
  await of.store?.append({ documents: [document] });
  return (path, init = {}) =>
    of.ask(`/api/v1/${path}`, { ...init, headers: { ...init.headers, authorization: `Bearer ${secret}` } });
}

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

test('all steps of a meter are decided in one call, and none where one of them lies elsewhere', async () => {
  const all = (body: object, ask = canteen) =>
    ask('counters/decide', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ verdict: 'accept', note: 'swapped', ...body }),
    });
  const before = called.length;
  const steps = [{ id: kitchen.id, between: 2 }, { id: over.id }];
  const answer = await all({ steps });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ steps: [{ id: kitchen.id, state: 'accepted' }] });
  expect(called.length).toBe(before + 1);
  expect(called.at(-1)?.params).toMatchObject({
    steps: [
      { id: kitchen.id, between: 2 },
      { id: over.id, between: null },
    ],
    note: 'swapped',
  });
  expect((await all({ steps: [...steps, { id: main.id }] })).status).toBe(404);
  for (const wrong of [{ steps: [] }, { steps: Array(51).fill({ id: kitchen.id }) }, { steps: [{ id: 'x' }] }, {}]) {
    expect((await all(wrong)).status).toBe(400);
  }
  expect(called.length).toBe(before + 1);
  const onlySees = await room.ask('/api/v1/counters/decide', {
    method: 'POST',
    headers: { authorization: 'Bearer x' },
  });
  expect(onlySees.status).toBe(401);
});

test('what a meter showed while it was not believed is told in its zone only', async () => {
  const ref = 'meter-canteen/energy_import';
  const raw = { ref: `${ref}~raw`, type: 'number', unit: 'kW.h', staleAfter: 0, counter: false, raw: true } as const;
  const head = { device: 'meter-canteen', point: 'energy_import', unit: 'kW.h' } as const;
  await room.store?.registerPoints([raw]);
  const readings = [3, 3.5, 9_999, 4].map((value, i) => ({
    ...head,
    ref: raw.ref,
    value,
    ...(value > 9_000 ? { quality: 'uncertain', reason: 'counter-step' } : { quality: 'good' }),
    sourceTime: 1_000_000 + i * 1_000,
    receivedTime: 1_000_000 + i * 1_000,
  }));
  await room.store?.append({ readings: readings as never });
  const shown = await canteen('counters/meter-canteen/energy_import/shown?from=1000000&to=2000000');
  expect(await shown.json()).toMatchObject({
    id: ref,
    unit: 'kW.h',
    step: 'raw',
    samples: [
      { value: 3, quality: 'good' },
      { value: 3.5, quality: 'good' },
      { value: 9_999, quality: 'uncertain', reason: 'counter-step' },
      { value: 4, quality: 'good' },
    ],
  });
  expect((await canteen('counters/meter-main/energy_import/shown?from=1&to=2')).status).toBe(404);
  expect((await canteen('counters/meter-canteen/energy_import/shown?from=2&to=1')).status).toBe(400);
  expect((await canteen('counters/meter-canteen/..%2fx/shown?from=1&to=2')).status).toBe(404);
});

test('of a thousand meters that stepped in one moment none is passed over', async () => {
  await using many = await startWebRoom({ methods: null });
  const own = Array.from({ length: 20 }, () => step('meter-canteen/energy_import', { toTime: 5_000 }));
  const elsewhere = Array.from({ length: 1_100 }, () => step('meter-main/energy_import', { toTime: 5_000 }));
  const older = step('meter-canteen/energy_import', { toTime: 4_000 });
  await many.store?.append({ counters: [...elsewhere, ...own, older] });
  const ask = await inCanteen(many);
  const ids = async () => {
    const { steps } = (await (await ask('counters?limit=500')).json()) as { steps: CounterStep[] };
    return steps.map(({ id }) => id).sort();
  };
  expect(await ids()).toEqual([...own, older].map(({ id }) => id).sort());
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
