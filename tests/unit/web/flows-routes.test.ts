import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { flowsToken, pagesUrl } from '#edge/processes/flows-token.ts';
import { type PeopleRoom, startPeopleRoom } from './people-room.ts';

/* What web asks of the flows process, and what that may ask of web. What people write in flows can answer in its place. */

const secret = 'secret-of-this-boot-only';
const token = flowsToken(secret);
let room: PeopleRoom;
let flows: Server;
let heard: { url: string; method: string; token: unknown; body: string }[];
let answer: { status: number; body: string };

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

beforeAll(async () => {
  flows = createServer(async (request, response) => {
    const { url = '', method = '', headers } = request;
    heard.push({ url, method, token: headers['x-campus-token'], body: await textOf(request) });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  await new Promise<void>((resolve) => flows.listen(0, '127.0.0.1', resolve));
  const address = flows.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  room = await startPeopleRoom({ flows: { port, header: 'x-campus-token', secret, guestToken: token } });
  await room.addPerson('wang', 'facility', { zones: 'all' });
  await room.addPerson('zhao', 'viewer', { zones: 'all' });
});
afterAll(async () => {
  await room?.[Symbol.asyncDispose]();
  flows?.close();
});
beforeEach(() => {
  heard = [];
  answer = { status: 200, body: '{}' };
});

const ask = async (who: string, path: string, body?: object) => {
  const { cookie, csrf } = await room.signedIn(who);
  return fetch(`${room.url()}/api/v1/flows${path}`, {
    headers: { cookie, 'x-csrf-token': csrf, origin: room.url(), 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
};

describe('the routes about flows', () => {
  test('ask beside the editor, in the name of the person, with what he may do', async () => {
    answer.body = '{"version":7}';
    const done = await ask('wang', '/c0ffee/rollback', { version: 3, why: 'too warm' });
    expect([done.status, await done.json()]).toEqual([200, { version: 7 }]);
    expect(heard).toEqual([
      {
        url: '/flows-control/tabs/c0ffee/rollback',
        method: 'POST',
        token: `${secret}:edit:wang`,
        body: '{"version":3,"why":"too warm"}',
      },
    ]);
    const line = { who: 'person:wang', what: 'flows.rollback c0ffee to 3', why: 'too warm', result: 'begun' };
    expect(room.audit()).toContainEqual(expect.objectContaining(line));
  });

  test('ask nothing for those who may not', async () => {
    for (const [path, body] of [
      ['', undefined],
      ['/restart', { why: 'x' }],
      ['/x/rollback', { version: 1, why: 'x' }],
    ] as const)
      expect((await ask('zhao', path, body)).status).toBe(403);
    expect(heard).toEqual([]);
  });

  test('lead nowhere else, whatever a tab is called', async () => {
    await ask('wang', `/${encodeURIComponent('../../flows-editor/flows')}/versions/1`);
    await ask('wang', `/${encodeURIComponent('a?b#c')}/versions/1`);
    expect(heard.map(({ url }) => url)).toEqual([
      '/flows-control/tabs/..%2F..%2Fflows-editor%2Fflows/versions/1',
      '/flows-control/tabs/a%3Fb%23c/versions/1',
    ]);
  });

  test.each([
    [200, '{"problem":null,"isSafeMode":"no"}', 503, 'flows-away'],
    [200, 'nonsense', 503, 'flows-away'],
    [200, `"${'x'.repeat(9_000_000)}"`, 503, 'flows-away'],
    [302, '{}', 503, 'flows-away'],
    [404, '{"error":"version-not-found","message":"there is none"}', 404, 'version-not-found'],
    [403, '{"error":"tab-locked","message":"it is locked"}', 403, 'forbidden'],
    [500, '{"error":"unauthorized","message":"sign in again"}', 409, 'flows-refused'],
  ])('take no answer for granted: %i %.40s', async (status, body, expected, error) => {
    answer = { status, body };
    const got = await ask('wang', '');
    expect([got.status, await got.json()]).toMatchObject([expected, { error }]);
  });
});

describe('the flows process', () => {
  const asFlows = (path: string, init: RequestInit = {}) =>
    fetch(`${room.url()}/api/v1/${path}`, { ...init, headers: { authorization: `Bearer ${token}` } });

  test('may look, and do nothing else', async () => {
    for (const path of ['campus', 'points', 'alarms', 'outputs']) expect((await asFlows(path)).status, path).toBe(200);
    for (const path of ['system', 'audit', 'people', 'tokens', 'backups', 'flows', 'inbox', 'logs', 'metrics'])
      expect([403, 404], path).toContain((await asFlows(path)).status);
    for (const path of ['requests', 'tokens', 'flows/restart'])
      expect((await asFlows(path, { method: 'POST' })).status, path).toBe(403);
  });

  test('is slowed down', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 60; i++) statuses.push((await asFlows('now')).status);
    expect(statuses).toContain(429);
    room.clock.advance(10_000);
    expect((await asFlows('now')).status).toBe(200);
  });

  test('is known by the token of this boot alone, which opens no editor', () => {
    expect(flowsToken(`${secret}x`)).not.toBe(token);
    expect(token).not.toContain(secret);
    const at = (host: string) => pagesUrl({ http: { host, port: 8080 } });
    expect(['127.0.0.1', '0.0.0.0', '::', '::1'].map(at)).toEqual([
      'http://127.0.0.1:8080',
      'http://127.0.0.1:8080',
      'http://[::1]:8080',
      'http://[::1]:8080',
    ]);
  });
});
