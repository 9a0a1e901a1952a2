import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Right, Zones } from '#edge/domain/access.ts';
import { repairSteps } from '#edge/rules/repair-plan.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newTokenSecret } from '#edge/web/people/tokens.ts';
import { startWebRoom, type WebRoom } from './web-room.ts';

/* Mending as people ask for it: only what is theirs, and nothing that takes something away from others. */

const time = 1_800_000_000_000;
const held = 'interlock:fire holds relay-1/relay_5';
const repairOf = (device: string) => ({
  device,
  state: 'working',
  began: time,
  ended: null,
  steps: repairSteps.map((step) => ({ step, state: 'skipped', at: time, outcome: held })),
});
const hostOf = (device: string) => ({
  device,
  address: '192.0.2.9',
  reachable: true,
  latency: 1,
  loss: 0,
  at: time,
  way: 'tcp',
  uplink: { device: 'relay-1', port: 3 },
});

let room: WebRoom;
const acted: object[] = [];

type Ask = (path: string, step?: string) => Promise<Response>;
async function someone(id: string, scopes: readonly Right[], zones: Zones): Promise<Ask> {
  const { secret, digest } = newTokenSecret(id);
  const times = { created: time, expires: null, lastUsed: null };
  const body = { name: id, digest, scopes: [...scopes], zones: zones === 'all' ? zones : [...zones], by: 'person:li' };
  await room.store?.append({
    documents: [
      { kind: 'token', id, rev: 0, time, who: 'person:li', from: 'test', why: '', body: { ...body, ...times } },
    ],
  });
  const authorization = `Bearer ${secret}`;
  return (path, step) =>
    step === undefined
      ? room.ask(path, { headers: { authorization } })
      : room.ask(path, {
          method: 'POST',
          headers: { authorization, 'content-type': 'application/json' },
          body: JSON.stringify({ step }),
        });
}

let guard: Ask;
let looker: Ask;
let whole: Ask;
beforeAll(async () => {
  room = await startWebRoom({
    methods: {
      'repair.list': async () => [repairOf('camera-gate'), repairOf('camera-playground')],
      'network.list': async () => [hostOf('camera-gate'), hostOf('camera-playground')],
      'repair.act': async (params) => {
        acted.push(params as object);
        if (JSON.stringify(params).includes('power')) throw new CodedError('REPAIR_REFUSED', held);
        return repairOf('camera-gate');
      },
      audit: async () => ({}),
    },
  });
  guard = await someone('guard', ['see', 'operate'], ['gate']);
  looker = await someone('looker', ['see'], 'all');
  whole = await someone('whole', ['see', 'operate'], 'all');
});
afterAll(async () => await room[Symbol.asyncDispose]());

test.each(['/api/v1/repairs', '/api/v1/network'])(
  '%s says nothing of other zones, also not what one hangs on',
  async (path) => {
    const answer = await guard(path);
    expect(answer.status).toBe(200);
    const said = await answer.text();
    expect(said).toContain('camera-gate');
    expect(said).not.toMatch(/camera-playground|relay-1/);
    expect(await (await whole(path)).text()).toMatch(/camera-playground.*relay-1/);
  },
);

test('who may not operate, or not there, begins nothing; a refusal names nothing elsewhere', async () => {
  acted.length = 0;
  expect((await looker('/api/v1/repairs/camera-gate', 'probe')).status).toBe(403);
  expect((await guard('/api/v1/repairs/camera-playground', 'power')).status).toBe(404);
  expect((await guard('/api/v1/repairs/no-such', 'power')).status).toBe(404);
  expect((await guard('/api/v1/repairs/camera-gate', 'everything')).status).toBe(400);
  expect(acted).toEqual([]);
  const refused = await guard('/api/v1/repairs/camera-gate', 'power');
  expect(refused.status).toBe(409);
  expect(await refused.text()).not.toContain('relay-1');
  expect(acted).toMatchObject([{ who: 'token:guard', device: 'camera-gate', step: 'power' }]);
});

test('a driver serves the whole campus: who sees a part of it does not restart it', async () => {
  acted.length = 0;
  const refused = await guard('/api/v1/repairs/camera-gate', 'restart');
  expect([refused.status, await refused.json()]).toEqual([
    409,
    { error: 'repair-refused', message: expect.stringContaining('other zones') },
  ]);
  expect(acted).toEqual([]);
  expect((await whole('/api/v1/repairs/camera-gate', 'restart')).status).toBe(200);
});
