import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock, systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { loadSealer } from '#edge/runtime/seal.ts';
import { loadSite } from '#edge/runtime/site.ts';
import { beginNewEpoch } from '#edge/store/new-epoch.ts';
import { openReader } from '#edge/store/reader.ts';
import { openStore } from '#edge/store/store.ts';
import { Oidc, type OidcSettings } from '#edge/web/people/oidc.ts';
import { SignInFile } from '#edge/web/people/sign-in-file.ts';
import { SecondFactor } from '#edge/web/people/totp.ts';
import type { PlanView } from '#edge/web/place-schemas.ts';
import { jsonBody, type PlaceRoom, startPlaceRoom } from './place-room.ts';

/* What somebody with a few rights, or none, does to others. */

let room: PlaceRoom;
beforeAll(async () => {
  room = await startPlaceRoom();
});
afterAll(async () => await room[Symbol.asyncDispose]());

test('a plan on which things of other zones lie is neither removed nor repainted by who cannot see them', async () => {
  const picture = (inner: string) => ({
    headers: { 'content-type': 'image/svg+xml' },
    body: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">${inner}</svg>`,
  });
  const made = await room.ask('/api/v1/plans?id=all&zh=a&en=a', { method: 'POST', ...picture('') });
  expect(made.status).toBe(200);
  const place = (device: string) => room.ask(`/api/v1/plans/all/places/${device}`, jsonBody('PUT', { x: 0.5, y: 0.5 }));
  const gate = await room.as(['see', 'devices'], ['gate']);
  expect((await place('camera-gate')).status).toBe(200);
  expect((await gate('/api/v1/plans/all/image', { method: 'PUT', ...picture('<rect/>') })).status).toBe(200);
  expect((await place('meter-main')).status).toBe(200);
  expect((await gate('/api/v1/plans/all/image', { method: 'PUT', ...picture('<circle/>') })).status).toBe(403);
  expect((await gate('/api/v1/plans/all', { method: 'DELETE' })).status).toBe(403);
  const [plan] = (await (await room.ask('/api/v1/plans')).json()) as PlanView[];
  expect(plan?.places).toHaveLength(2);
  expect(room.audited).toContainEqual(
    expect.objectContaining({ who: 'token:machine-1', what: 'DELETE /api/v1/plans/:id', result: 'refused: forbidden' }),
  );
  expect((await room.ask('/api/v1/plans/all', { method: 'DELETE' })).status).toBe(204);
});

test('a token of some zones unlocks and removes nobody who works elsewhere', async () => {
  const person = (id: string, zones: 'all' | string[]) =>
    room.ask('/api/v1/people', jsonBody('POST', { id, name: id, role: 'viewer', zones, oidc: `x ${id}` }));
  expect((await person('far', ['canteen'])).status).toBe(201);
  expect((await person('everywhere', 'all')).status).toBe(201);
  expect((await person('near', ['gate'])).status).toBe(201);
  const gate = await room.as(['people', 'see'], ['gate']);
  for (const id of ['far', 'everywhere']) {
    expect((await gate(`/api/v1/people/${id}/unlock`, { method: 'POST' })).status, id).toBe(403);
    expect((await gate(`/api/v1/people/${id}`, { method: 'DELETE' })).status, id).toBe(403);
  }
  expect((await gate('/api/v1/people/near/unlock', { method: 'POST' })).status).toBe(200);
  expect((await gate('/api/v1/people/near', { method: 'DELETE' })).status).toBe(204);
});

test('a second-factor code that was used stays used when another secret is tried in vain', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
  try {
    const clock = new ManualClock(1_800_000_000_000);
    const file = new SignInFile(folder, silentLog);
    const factor = new SecondFactor({ sealer: loadSealer(folder), file, clock, issuer: 'test' });
    const codeOf = (secret: string) =>
      new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: clock.now() });
    const { secret } = factor.offer('session', 'lin');
    const sealed = factor.accept('session', 'lin', codeOf(secret));
    clock.advance(60_000);
    const seen = codeOf(secret);
    expect(factor.isCode('lin', sealed, seen)).toBe(true);
    factor.offer('other', 'lin');
    expect(() => factor.accept('other', 'lin', '000000')).toThrow('not the code of now');
    expect(factor.isCode('lin', sealed, seen)).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('whoever begins a thousand sign-ins at the identity provider pushes out his own, not those of others', async () => {
  const server = createServer((_, response) => {
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const metadata = { issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token` };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(metadata));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const settings: OidcSettings = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clientId: 'campus',
    name: { zh: '统一认证', en: 'City' },
    redirect: 'https://campus.example/api/v1/oidc/callback',
    scope: 'openid',
    claim: 'sub',
  };
  try {
    const oidc = new Oidc(settings, '/', systemClock);
    const stateOf = ({ url }: { readonly url: string }) => new URL(url).searchParams.get('state') ?? '';
    const others = await oidc.begin('#/', '10.0.0.1');
    const own = await oidc.begin('#/', '2001:db8::1');
    for (let i = 0; i < 1_100; i++) await oidc.begin('#/', `2001:db8::${i.toString(16)}`);
    const finish = (begun: typeof own) =>
      oidc.finish(new URLSearchParams({ state: stateOf(begun), error: 'access_denied' }), begun.browser);
    await expect(finish(own)).rejects.toThrow('nobody is waiting');
    await expect(finish(others)).rejects.toThrow('answer is refused');
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('a back-up that is restored signs nobody in again who has left since', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
  try {
    const { retention } = await loadSite(join(import.meta.dirname, '../../../edge/simulators/demo-site.yaml'));
    const now = systemClock.now();
    const change = { rev: 0, time: now, who: 'person:lin', from: 'test', why: '' };
    const session = {
      person: 'lin',
      created: now,
      lastSeen: now,
      expires: now + 1e7,
      from: '',
      agent: '',
      method: 'oidc',
    };
    const asset = { notes: 'kept' };
    {
      await using store = await openStore({ folder, log: silentLog, retention });
      await store.append({
        documents: [
          { ...change, kind: 'session', id: 'of-lin', body: session },
          { ...change, kind: 'asset', id: 'meter-main', body: asset },
        ],
      });
    }
    expect(beginNewEpoch(folder, now)).toBeGreaterThan(0);
    using reader = openReader(folder);
    expect(reader.documents('session')).toEqual([]);
    expect(reader.documents('asset')).toHaveLength(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
