import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { openReader } from '#edge/store/reader.ts';
import { type RunningCampus, startCampus } from './campus.ts';
import { newPerson, newToken, signIn } from './people-client.ts';

/* The flow editor through the web process, with the real flows process behind it. */

let campus: RunningCampus;
let cookie: string;
let viewer: Record<string, string>;

beforeAll(async () => {
  campus = await startCampus({ only: ['web', 'flows'], simulators: false, city: false });
  await vi.waitFor(
    () => expect(['web', 'flows'].map((name) => campus.status(name).state)).toEqual(['ready', 'ready']),
    { timeout: 40_000, interval: 200 },
  );
  ({ cookie } = await newPerson(campus, 'wang', 'facility'));
  viewer = await newToken(campus, 'screen', ['flows-view']);
}, 60_000);
afterAll(async () => await campus?.[Symbol.asyncDispose]());

const ask = (path: string, init: RequestInit = {}) =>
  fetch(`${campus.url}/flows-editor${path}`, { redirect: 'manual', signal: AbortSignal.timeout(15_000), ...init });
const signedIn = (path: string, headers: Record<string, string> = {}) => ask(path, { headers: { cookie, ...headers } });

describe('the flow editor behind the page', () => {
  test('is there for whoever signed in, with all it is made of', async () => {
    const page = await signedIn('/');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain(`connect-src ${campus.url}/flows-editor/ `);
    const html = await page.text();
    expect(html).toContain('Campus Edge');
    for (const path of ['/flows', '/nodes', '/settings', '/red/red.min.js', '/vendor/vendor.js', '/locales/editor']) {
      const answer = await signedIn(path, { accept: 'application/json, */*' });
      expect(answer.status, path).toBe(200);
      expect((await answer.arrayBuffer()).byteLength, path).toBeGreaterThan(2);
    }
  });

  test.each([
    '',
    '/',
    '/flows',
    '/nodes',
    '/settings',
    '/settings/user',
    '/context/global',
    '/library/local/flows/',
    '/auth/login',
    '/red/red.min.js',
    '/comms',
    '/nothing',
  ])('shows nobody else "%s", whatever headers they make up', async (path) => {
    for (const headers of [
      {},
      { 'x-campus-token': 'secret:admin' },
      { cookie: `campus=${'A'.repeat(43)}` },
      { authorization: 'Bearer made-up' },
    ]) {
      expect((await ask(path, { headers: headers as Record<string, string> })).status).toBe(401);
    }
  });

  test('believes nothing that a browser says about who it is', async () => {
    const answer = await signedIn('/settings', {
      accept: 'application/json',
      'x-campus-token': 'made-up:edit:root',
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ user: { username: 'wang' } });
  });

  test('saves what was deployed, in the name of the person, and takes no deploy from elsewhere', async () => {
    const json = { 'content-type': 'application/json' };
    const flows: unknown = await (await signedIn('/flows', { accept: 'application/json' })).json();
    const body = JSON.stringify(flows);
    expect((await ask('/flows', { method: 'POST', headers: json, body })).status).toBe(401);
    for (const foreign of [{ origin: 'http://evil.test' }, { 'sec-fetch-site': 'cross-site' }, {}]) {
      const headers = { ...json, cookie, ...foreign } as Record<string, string>;
      expect((await ask('/flows', { method: 'POST', headers, body })).status).toBe(403);
    }
    const own = { ...json, cookie, origin: campus.url };
    expect((await ask('/flows', { method: 'POST', headers: own, body })).status).toBe(204);
    await vi.waitFor(
      async () => {
        using reader = openReader(campus.data);
        const lines = reader.newestAudit(1_000).filter(({ what }) => what.startsWith('flows.deploy'));
        // Who asked for it and from where is said by web, what came of it by flows, which nobody need believe.
        expect(lines).toContainEqual(expect.objectContaining({ who: 'person:wang', from: '127.0.0.1' }));
        expect(lines).toContainEqual(
          expect.objectContaining({ who: 'process:flows', from: 'flows', why: 'by wang', result: 'saved' }),
        );
      },
      { timeout: 10_000, interval: 200 },
    );
  });

  test('shows whoever may only look at the flows everything, and takes no deploy and no injection from him', async () => {
    const look = { headers: { accept: 'application/json', ...viewer } };
    const flows: unknown = await (await ask('/flows', look)).json();
    const settings: unknown = await (await ask('/settings', look)).json();
    expect(settings).toMatchObject({
      user: { username: 'token:screen', permissions: expect.not.arrayContaining(['flows.write']) },
    });
    const headers = { 'content-type': 'application/json', ...viewer };
    const sent = { method: 'POST', headers, body: JSON.stringify(flows) };
    expect((await ask('/flows', sent)).status).toBe(401);
    expect((await ask('/inject/1234', { method: 'POST', headers, body: '{}' })).status).toBe(401);
    expect((await ask('/settings/user', { ...sent, body: '{}' })).status).toBe(401);
    expect((await ask('/context/global/x', { method: 'DELETE', headers: viewer })).status).toBe(401);
  });

  test('shows tabs, versions and differences to whoever may look, and goes back for whoever may edit', async () => {
    const api = `${campus.url}/api/v1/flows`;
    const seen = await fetch(api, { headers: viewer });
    expect(seen.status).toBe(200);
    const flows = (await seen.json()) as {
      problem: null;
      tabs: { id: string; file: string; state: string; versions: [] }[];
    };
    expect(flows).toMatchObject({ problem: null, isSafeMode: false });
    expect(flows.tabs).toContainEqual(
      expect.objectContaining({ file: 'comfort/empty-room-ac.json', state: 'running', locked: false }),
    );
    const body = JSON.stringify({ version: 1, why: 'back' });
    const json = { 'content-type': 'application/json' };
    const refused = await fetch(`${api}/c0ffee0000000001/rollback`, {
      method: 'POST',
      headers: { ...json, ...viewer },
      body,
    });
    expect(refused.status).toBe(403);
    const none = await fetch(`${api}/c0ffee0000000001/versions/99`, { headers: viewer });
    expect([none.status, await none.json()]).toMatchObject([404, { error: 'version-not-found' }]);
    const editor = await newToken(campus, 'mender', ['flows-edit', 'flows-view']);
    const restarted = await fetch(`${api}/restart`, {
      method: 'POST',
      headers: { ...json, ...editor },
      body: JSON.stringify({ why: 'a new beginning' }),
    });
    expect([restarted.status, await restarted.json()]).toEqual([200, { problem: null }]);
    using reader = openReader(campus.data);
    expect(reader.newestAudit(1_000)).toContainEqual(
      expect.objectContaining({ who: 'token:mender', what: 'flows.restart', why: 'a new beginning' }),
    );
  });

  test('is asked beside, and never through, its own pages', async () => {
    for (const path of ['/../flows-control/state', '/..%2fflows-control/state', '/%2e%2e/flows-control/state']) {
      const answer = await signedIn(path, { accept: 'application/json' });
      expect(await answer.text()).not.toContain('isSafeMode');
    }
    expect((await fetch(`${campus.url}/flows-control/state`, { headers: { cookie } })).status).toBe(404);
  });

  test('opens its live connection with the cookie, from its own page only', async () => {
    const url = `${campus.url.replace('http', 'ws')}/flows-editor/comms`;
    for (const [options, status] of [
      [{}, '401'],
      [{ headers: { cookie } }, '403'],
      [{ headers: { cookie }, origin: 'http://evil.test' }, '403'],
      [{ headers: { cookie: 'campus=x' }, origin: campus.url }, '401'],
    ] as const) {
      const refused = new WebSocket(url, options);
      const [error] = await once(refused, 'error', { signal: AbortSignal.timeout(5_000) });
      expect(String(error)).toContain(status);
    }
    const live = new WebSocket(url, { headers: { cookie }, origin: campus.url });
    await once(live, 'open', { signal: AbortSignal.timeout(5_000) });
    live.send(JSON.stringify({ subscribe: 'notification/#' }));
    const [message] = await once(live, 'message', { signal: AbortSignal.timeout(20_000) });
    expect(JSON.parse(String(message))).toBeInstanceOf(Array);
    const other = await signIn(campus, 'wang');
    const own = new WebSocket(url, { headers: { cookie: other.cookie }, origin: campus.url });
    await once(own, 'open', { signal: AbortSignal.timeout(5_000) });
    const closed = once(own, 'close', { signal: AbortSignal.timeout(5_000) });
    const headers = { cookie: other.cookie, 'x-csrf-token': other.csrf };
    expect((await fetch(`${campus.url}/api/v1/logout`, { method: 'POST', headers })).status).toBe(204);
    await closed;
    expect(live.readyState).toBe(WebSocket.OPEN);
    live.terminate();
  });

  test('goes no further than the editor: no path leads to another place behind the proxy', async () => {
    for (const path of [
      '/flows-editor/../',
      '/flows-editor/..%2f',
      '/flows-editor/%2e%2e/',
      '/flows-editor/..\\..\\',
    ]) {
      const socket = connect({ port: campus.site.http.port, host: campus.site.http.host });
      socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: ${cookie}\r\nconnection: close\r\n\r\n`);
      let answer = '';
      for await (const chunk of socket) answer += String(chunk);
      expect(answer, path).toMatch(/^HTTP\/1\.1 (400|401|404)/);
    }
  });

  test('says in words that the flows are away, and the page stays', async () => {
    process.kill(campus.pid('flows'), 'SIGKILL');
    await vi.waitFor(
      async () => {
        const answer = await signedIn('/flows', { accept: 'application/json' });
        expect(answer.status).toBe(503);
        expect(await answer.json()).toMatchObject({ error: 'flows-away' });
      },
      { timeout: 10_000, interval: 20 },
    );
    expect((await fetch(`${campus.url}/`)).status).toBe(200);
    await vi.waitFor(async () => expect((await signedIn('/flows')).status).toBe(200), {
      timeout: 30_000,
      interval: 200,
    });
  }, 45_000);
});
