import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rawRequest, startWebRoom, type WebRoom } from './web-room.ts';

let room: WebRoom;
beforeAll(async () => {
  room = await startWebRoom({ flows: { port: 9, header: 'x-campus-token', secret: 'secret-of-the-proxy' } });
});
afterAll(async () => await room[Symbol.asyncDispose]());

const guarded = [
  '/metrics',
  '/api/v1/openapi.json',
  '/api/v1/stream',
  '/api/v1/campus',
  '/api/v1/points',
  '/api/v1/points/meter-main/power/history?from=0&to=1',
  '/api/v1/events',
  '/api/v1/events/01939d5e-0000-7000-8000-000000000000/snapshot',
  '/api/v1/alarms',
  '/api/v1/outputs',
  '/api/v1/devices',
  '/api/v1/audit',
  '/api/v1/inbox',
  '/flows-editor',
  '/flows-editor/',
  '/flows-editor/flows',
];

/* Spelled so that a check of the path's text could be led astray. */
const tricks = [
  '//api/v1/points',
  '/./api/v1/points',
  '/x/../api/v1/points',
  '/API/v1/points',
  '/%61pi/v1/points',
  '/api%2fv1%2fpoints',
  '/api/v1/points/',
  '/api/v1/points?x=/healthz',
  '/api/v1/points;/healthz',
  '/healthz/../api/v1/points',
  '/page.js/../../api/v1/points',
  '/%2e%2e/server.ts',
  '/..%2fserver.ts',
  '/metrics%00',
  '/flows-editor%2fflows',
  '/%66lows-editor/flows',
  '/flows-editor/../flows-editor/flows',
];

describe('without the token', () => {
  test.each(guarded)('%s is refused by every method', async (path) => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const { status } = await rawRequest(room, path, { method });
      expect(status, method).toBe(401);
    }
  });

  test.each(tricks)('%s finds no way around', async (path) => {
    const { status, body } = await rawRequest(room, path);
    expect([400, 401]).toContain(status);
    expect(body).not.toContain('meter-main');
  });

  test.each([
    ['another scheme', 'Basic YWRtaW46YWRtaW4='],
    ['an empty token', 'Bearer '],
    ['the beginning of the token', 'begin'],
    ['the token with more behind it', 'more'],
    ['the secret of the proxy', 'Bearer secret-of-the-proxy'],
  ])('%s opens nothing', async (_, given) => {
    const { token } = room;
    const wrong = { begin: `Bearer ${token.slice(0, -1)}`, more: `Bearer ${token}x` }[given] ?? given;
    expect((await rawRequest(room, '/api/v1/points', { headers: { authorization: wrong } })).status).toBe(401);
  });

  test('what does not exist is not even said not to exist', async () => {
    for (const path of ['/nothing', '/api/v1/nothing', '/.git/config']) {
      expect((await rawRequest(room, path)).status).toBe(401);
    }
    expect((await room.ask('/api/v1/nothing')).status).toBe(404);
  });

  test('only the health, who one is, and the files of the page are there, and the page may run nothing but its own files', async () => {
    for (const path of ['/healthz', '/api/v1/me', '/', '/index.html', '/icon.svg', '/assets/app-1a2b.js']) {
      const { status, headers } = await rawRequest(room, path);
      expect([200, 503], path).toContain(status);
      expect(headers['content-security-policy'], path).toContain(
        path.startsWith('/assets/')
          ? "default-src 'none'; frame-ancestors 'none'"
          : "default-src 'none'; script-src 'self'",
      );
      expect(headers['x-content-type-options'], path).toBe('nosniff');
    }
  });
});

test('the token opens every route, by any case of the word Bearer', async () => {
  expect(
    (await rawRequest(room, '/api/v1/points', { headers: { authorization: `bearer ${room.token}` } })).status,
  ).toBe(200);
});

test.each(['campus.example', 'evil.test:80', '192.168.3.4', '127.0.0.1.evil.test'])(
  'a page of %s that was pointed at this machine is turned away',
  async (host) => {
    for (const path of ['/healthz', '/', '/api/v1/points']) {
      const { status } = await rawRequest(room, path, { headers: { host, authorization: `Bearer ${room.token}` } });
      expect([400, 421], path).toContain(status);
    }
  },
);

test.each(['localhost', '127.0.0.1', '[::1]', 'LOCALHOST'])('this machine may be called %s', async (name) => {
  const { status } = await rawRequest(room, '/', { headers: { host: `${name}:${room.port}` } });
  expect(status).toBe(200);
});

describe('the door to the flow editor', () => {
  const upgrade = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
  const key = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };

  test('outlives browsers that vanish in the middle of asking', async () => {
    const text = Object.entries({ host: '127.0.0.1', ...upgrade, ...key }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    for (let i = 0; i < 50; i++) {
      const socket = connect({ port: room.port, host: '127.0.0.1' });
      await once(socket, 'connect');
      socket.write(`GET /flows-editor/comms HTTP/1.1\r\n${text.join('')}\r\n`);
      socket.resetAndDestroy();
    }
    expect((await rawRequest(room, '/healthz')).status).toBe(503);
  });
});

test('a body over 64 KB, one that is not JSON, and unknown keys are refused in words', async () => {
  const post = (body: string) =>
    room.ask('/api/v1/requests', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  expect((await post(JSON.stringify({ reason: 'x'.repeat(70_000) }))).status).toBe(413);
  expect((await post('{')).status).toBe(400);
  const answer = await post(JSON.stringify({ point: 'a/b', value: 1, seconds: 5, reason: 'x', loud: true }));
  expect(answer.status).toBe(400);
  expect(await answer.json()).toEqual({ error: 'bad-request', message: expect.stringContaining('loud') });
});
