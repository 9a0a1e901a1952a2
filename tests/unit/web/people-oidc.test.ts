import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Provider } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { OidcSettings } from '#edge/web/people/oidc.ts';
import { localRoute } from '#edge/web/people/oidc.ts';
import { Browser, type PeopleRoom, startPeopleRoom } from './people-room.ts';

/* Signing in at a real identity provider (oidc-provider, on loopback): the whole way by HTTP, and what attackers try. */

const redirect = 'http://127.0.0.1:8080/api/v1/oidc/callback';
let server: Server;
let issuer: string;
let room: PeopleRoom;
const folder = mkdtempSync(join(tmpdir(), 'oidc-'));

beforeAll(async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.spyOn(console, 'info').mockImplementation(() => {});
  writeFileSync(join(folder, 'oidc-secret'), 'secret-of-the-campus\n');
  server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('request', new Provider(issuer, configuration()).callback());
  room = await startRoom({ create: { role: 'viewer', zones: [] } });
}, 30_000);
afterAll(async () => {
  await room[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function configuration(): object {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    clients: [{ client_id: 'campus', client_secret: 'secret-of-the-campus', redirect_uris: [redirect] }],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
    cookies: { keys: ['for-tests-only'] },
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
    conformIdTokenClaims: false,
    findAccount: (_: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `${id} 老师`, preferred_username: `${id}@City.Example` }),
    }),
    features: { devInteractions: { enabled: true } },
  };
}

async function startRoom(more: Partial<OidcSettings> = {}): Promise<PeopleRoom> {
  const fresh = await startPeopleRoom({
    change: (site) => {
      const oidc: OidcSettings = {
        issuer,
        clientId: 'campus',
        clientSecretFile: 'oidc-secret',
        name: { zh: '市教育统一认证', en: 'City sign-in' },
        redirect,
        scope: 'openid profile',
        claim: 'sub',
        ...more,
      };
      return { ...site, folder, people: { ...site.people, oidc } };
    },
  });
  await fresh.addPerson('lin', 'administrator');
  return fresh;
}

/** Where an answer sends the browser; relative to where it asked. */
function target(answer: Response, from: string): URL {
  expect([302, 303]).toContain(answer.status);
  return new URL(answer.headers.get('location') ?? '', from);
}

interface Visit {
  /** Cookies for the campus. */
  readonly campus: Browser;
  /** Cookies for the provider. */
  readonly provider: Browser;
}

const newVisit = (where: PeopleRoom): Visit => ({ campus: where.browser(), provider: new Browser(() => issuer) });

async function begin({ campus }: Visit, to = '#/alarms'): Promise<URL> {
  return target(await campus.get(`oidc/start?to=${encodeURIComponent(to)}`), 'http://127.0.0.1');
}

/** Signs in and agrees at the provider, as its pages would have it; where it sends the browser in the end. */
async function agree({ provider }: Visit, url: URL, login: string): Promise<URL> {
  let next = url;
  for (let step = 0; step < 12; step++) {
    if (next.pathname === '/api/v1/oidc/callback') return next;
    const page = await provider.ask(next.href);
    if (page.status !== 200) {
      next = target(page, next.href);
      continue;
    }
    const html = await page.text();
    const prompt = html.includes('value="login"') ? 'login' : 'consent';
    const form = new URLSearchParams({ prompt, ...(prompt === 'login' ? { login, password: 'any' } : {}) });
    next = target(await provider.ask(next.href, { method: 'POST', body: form }), next.href);
  }
  throw new Error('the provider does not come to an end');
}

const finish = ({ campus }: Visit, url: URL) => campus.ask(`${url.pathname}${url.search}`);

/** Where the browser ends, and who it is there. */
async function ending(visit: Visit, url: URL): Promise<string> {
  const answer = await finish(visit, url);
  expect(answer.status).toBe(303);
  return answer.headers.get('location') ?? '';
}

describe('whoever signs in at the identity provider', () => {
  test('comes back to where he wanted, with a session and an account of the least rights', async () => {
    const visit = newVisit(room);
    const url = await begin(visit);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      redirect_uri: redirect,
      response_type: 'code',
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^[\w-]{40,}$/),
      nonce: expect.stringMatching(/^[\w-]{40,}$/),
    });
    expect(await ending(visit, await agree(visit, url, 'Chen_Yu'))).toBe('/#/alarms');
    expect(await visit.campus.me()).toMatchObject({
      state: 'signed-in',
      id: 'chen_yu-city-example',
      name: 'Chen_Yu 老师',
      role: 'viewer',
      zones: [],
      hasPassword: false,
    });
    expect(visit.campus.cookies.has('campus-oidc')).toBe(false);
    expect(room.reader.document('person', 'chen_yu-city-example')?.body.oidc).toBe(`${issuer} Chen_Yu`);
    expect(room.reader.documents('session').map(({ body }) => body.method)).toContain('oidc');
    const again = newVisit(room);
    await ending(again, await agree(again, await begin(again), 'Chen_Yu'));
    expect(room.reader.documents('person').filter(({ body }) => body.oidc !== null)).toHaveLength(1);
    const said = room.audit().map(({ who, what, why }) => `${who} ${what} ${why}`);
    expect(said).toContain('person:chen_yu-city-example sign-in oidc');
  });

  test('is the person whom an administrator gave that subject; without an account, and none made, nobody', async () => {
    await using strict = await startRoom();
    await strict.addPerson('wang', 'security', { oidc: `${issuer} wang-at-city` });
    const visit = newVisit(strict);
    expect(await ending(visit, await agree(visit, await begin(visit), 'wang-at-city'))).toBe('/#/alarms');
    expect(await visit.campus.me()).toMatchObject({ id: 'wang', role: 'security' });
    const stranger = newVisit(strict);
    expect(await ending(stranger, await agree(stranger, await begin(stranger), 'stranger'))).toBe(
      '/#/?problem=oidc-unknown',
    );
    expect(await stranger.campus.me()).toMatchObject({ state: 'signed-out' });
    await strict.addPerson('wang', 'security', { oidc: `${issuer} wang-at-city`, disabled: true });
    const disabled = newVisit(strict);
    expect(await ending(disabled, await agree(disabled, await begin(disabled), 'wang-at-city'))).toBe(
      '/#/?problem=oidc-unknown',
    );
  });

  test('finds words when the provider is away, and passwords go on', async () => {
    await using lonely = await startRoom({ issuer: 'http://127.0.0.1:9' });
    const answer = await lonely.browser().get('oidc/start');
    expect(answer.headers.get('location')).toBe('/#/?problem=oidc-away');
    expect((await lonely.browser().signIn('lin')).status).toBe(200);
    await vi.waitFor(() => {
      expect(
        lonely
          .audit()
          .map(({ result }) => result)
          .join(),
      ).toContain('the identity provider does not answer');
    });
  });
});

describe('nobody gets in', () => {
  const refused = '/#/?problem=oidc-refused';
  const change = (url: URL, name: string, value: string): URL => {
    const changed = new URL(url);
    changed.searchParams.set(name, value);
    return changed;
  };

  test('with the state of nobody, or that of another browser', async () => {
    const visit = newVisit(room);
    const back = await agree(visit, await begin(visit), 'victim');
    expect(await ending(visit, change(back, 'state', 'A'.repeat(43)))).toBe(refused);
    const attacker = newVisit(room);
    const planted = await agree(attacker, await begin(attacker), 'attacker');
    const victim = newVisit(room);
    expect(await ending(victim, planted), 'without a cookie').toBe(refused);
    await begin(victim);
    expect(await ending(victim, planted), 'with a cookie of his own').toBe(refused);
    expect(await victim.campus.me()).toMatchObject({ state: 'signed-out' });
  });

  test('with an answer that was used already, nor with its code in another sign-in', async () => {
    const visit = newVisit(room);
    const back = await agree(visit, await begin(visit), 'victim');
    const cookie = visit.campus.cookies.get('campus-oidc') ?? '';
    expect(await ending(visit, back)).toBe('/#/alarms');
    const replay = newVisit(room);
    replay.campus.cookies.set('campus-oidc', cookie);
    expect(await ending(replay, back)).toBe(refused);
    const other = newVisit(room);
    const own = await agree(other, await begin(other), 'attacker');
    expect(await ending(other, change(own, 'code', back.searchParams.get('code') ?? ''))).toBe(refused);
  });

  test('with the answer of another issuer, an ID token of another nonce, or a code for another verifier', async () => {
    const mixUp = newVisit(room);
    const back = await agree(mixUp, await begin(mixUp), 'victim');
    expect(back.searchParams.get('iss')).toBe(issuer);
    expect(await ending(mixUp, change(back, 'iss', 'https://evil.example'))).toBe(refused);
    const nonce = newVisit(room);
    const url = change(await begin(nonce), 'nonce', 'planted-by-somebody-else');
    expect(await ending(nonce, await agree(nonce, url, 'victim'))).toBe(refused);
    const verifier = newVisit(room);
    const challenge = change(await begin(verifier), 'code_challenge', 'A'.repeat(43));
    expect(await ending(verifier, await agree(verifier, challenge, 'victim'))).toBe(refused);
  });

  test('after ten minutes, or when the provider says no', async () => {
    const late = newVisit(room);
    const back = await agree(late, await begin(late), 'victim');
    room.clock.advance(11 * 60_000);
    expect(await ending(late, back)).toBe(refused);
    const denied = newVisit(room);
    const { searchParams } = await begin(denied);
    const no = new URL(redirect);
    no.search = new URLSearchParams({
      error: 'access_denied',
      state: searchParams.get('state') ?? '',
      iss: issuer,
    }).toString();
    expect(await ending(denied, no)).toBe(refused);
    await vi.waitFor(() => {
      expect(
        room
          .audit()
          .map(({ what, why, result }) => `${what} ${why} ${result}`)
          .join(),
      ).toMatch(/sign-in oidc refused: /);
    });
  });

  test.each([
    '//evil.example',
    'https://evil.example',
    '/\\evil.example',
    '#//evil.example',
    'javascript:alert(1)',
    '#/x\r\nset-cookie: a=b',
    '#/%0d%0a',
    '#/@evil',
  ])('and nobody is sent to %j afterwards', async (to) => {
    const kept = localRoute(to);
    expect(['#/', to]).toContain(kept);
    expect(new URL(`/${kept}`, 'http://campus.example').origin).toBe('http://campus.example');
    expect(kept).not.toMatch(/[\r\n\\@]/);
    if (to !== '//evil.example') return;
    const visit = newVisit(room);
    expect(await ending(visit, await agree(visit, await begin(visit, to), 'victim'))).toBe('/#/');
  });
});
