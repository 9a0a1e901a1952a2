import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { createChannel } from '#edge/notify/channels.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { channelOf, json, messageOf, never, noticeOf, secretFolder, startGateway, startRaw } from './peers.ts';

/* SMS gateways and webhooks that the site file describes, and all the ways in which they misbehave. */

const guard = { id: 'guard', name: { zh: '门卫', en: 'Guard' }, groups: [], phone: '+8613800001111' };
const quick = 400;

async function sendTo(
  given: object,
  answer: (response: ServerResponse) => void,
  message = messageOf(),
  timeout = 5_000,
) {
  await using gateway = await startGateway((_, response) => answer(response));
  using folder = secretFolder({ key: 'api-key-91', headers: '{"authorization": "Bearer token-17"}' });
  const filled = JSON.parse(JSON.stringify({ id: 'one', ...given }).replaceAll('GATEWAY', gateway.url));
  const channel = createChannel(channelOf(filled), { folder: folder.path, clock: systemClock, timeout });
  const outcome = await channel.send(message, guard, never);
  return { outcome, received: gateway.received };
}

const webhook = { kind: 'webhook', url: 'GATEWAY/in' };
const ok = (response: ServerResponse) => json(response, { code: 0 });

test('an SMS gateway gets number, text and key where its description says, each escaped for its place', async () => {
  const nasty = messageOf(noticeOf({ title: { zh: '水&浸="1"', en: 'x' }, text: { zh: '', en: '' } }));
  const sms = {
    kind: 'sms',
    url: 'GATEWAY/send?to={phone}&sig={secret}',
    format: 'form',
    secretFile: 'key',
    headersFile: 'headers',
    headers: { 'X-Campus': '{campus}' },
    body: { mobile: '{phone}', content: '{text}', fixed: 7 },
    success: { path: 'result.code', is: ['OK', 0] },
  };
  const { outcome, received } = await sendTo(sms, (response) => json(response, { result: { code: 'OK' } }), nasty);
  expect(outcome.kind).toBe('delivered');
  const [one] = received;
  expect(one?.url.search).toBe('?to=%2B8613800001111&sig=api-key-91');
  expect(one?.headers).toMatchObject({
    authorization: 'Bearer token-17',
    'idempotency-key': nasty.id,
    'x-campus': encodeURIComponent('青禾小学'),
  });
  const form = new URLSearchParams(one?.body);
  expect([form.get('mobile'), form.get('fixed')]).toEqual(['+8613800001111', '7']);
  expect(form.get('content')).toContain('【高】水&浸="1"');
});

test('a text cannot get out of its string in a JSON template, nor fill in what is secret', async () => {
  const nasty = messageOf(noticeOf({ title: { zh: '"}, "x": "{secret}', en: 'x' } }));
  const given = { ...webhook, secretFile: 'key', body: { deep: [{ said: '{title}', id: '{id}' }] } };
  const { received } = await sendTo(given, ok, nasty);
  expect(JSON.parse(received[0]?.body ?? '')).toEqual({ deep: [{ said: '【高】"}, "x": "{secret}', id: nasty.id }] });
});

test('an SMS is cut to the length that the file pays for', async () => {
  const long = messageOf(noticeOf({ text: { zh: '长'.repeat(400), en: 'x' } }));
  const { received } = await sendTo({ kind: 'sms', url: 'GATEWAY/', longest: 70 }, ok, long);
  const { text } = JSON.parse(received[0]?.body ?? '') as { text: string };
  expect(text).toHaveLength(70);
});

test.each<[string, object, (response: ServerResponse) => void, object]>([
  ['says 500', {}, (r) => json(r, {}, 500), { kind: 'broken' }],
  ['says 401', {}, (r) => json(r, {}, 401), { kind: 'broken' }],
  [
    'says 422',
    {},
    (r) => json(r, { why: 'number unknown' }, 422),
    { kind: 'refused', detail: expect.stringContaining('number unknown') },
  ],
  ['says 429', {}, (r) => r.writeHead(429, { 'retry-after': '7' }).end(), { kind: 'limited', after: 7_000 }],
  [
    'wants a day of pause',
    {},
    (r) => r.writeHead(429, { 'retry-after': '86400' }).end(),
    { kind: 'limited', after: 3_600_000 },
  ],
  [
    'sends elsewhere',
    {},
    (r) => r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    { kind: 'broken', detail: expect.stringContaining('not followed') },
  ],
  [
    'says 200 and means no',
    { success: { path: 'code', is: 0 } },
    (r) => json(r, { code: 12, msg: 'no credit' }),
    { kind: 'broken', detail: expect.stringContaining('no credit') },
  ],
  [
    'says something that is no JSON',
    { success: { path: 'code', is: 0 } },
    (r) => r.end('<html>'),
    { kind: 'broken', detail: expect.stringContaining('not JSON') },
  ],
  ['says 202 where 200 is wanted', { success: { status: [200] } }, (r) => json(r, {}, 202), { kind: 'broken' }],
  ['resets the connection', {}, (r) => r.socket?.resetAndDestroy(), { kind: 'broken' }],
])('a webhook that %s is known by it', async (_, given, answer, expected) => {
  const told = await sendTo({ ...webhook, ...given }, answer).catch((error: unknown) => ({
    outcome: { kind: 'broken', detail: String(error) },
  }));
  expect(told.outcome).toMatchObject(expected);
});

test('who prints our number or key into his error does not get it shown', async () => {
  const { outcome } = await sendTo(
    { kind: 'sms', url: 'GATEWAY/', secretFile: 'key', body: { to: '{phone}', key: '{secret}' } },
    (r) => json(r, { error: 'api-key-91 may not send to +8613800001111' }, 403),
  );
  expect(outcome.detail).toBe('HTTP 403: {"error":"… may not send to …"}');
});

test('ten megabytes of answer are neither read nor waited for', async () => {
  let written = 0;
  const flood = (response: ServerResponse) => {
    const chunk = Buffer.alloc(65_536, 'x');
    const more = () => {
      while (written < 10_000_000 && !response.destroyed) {
        written += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  };
  expect((await sendTo(webhook, flood)).outcome.kind).toBe('delivered');
  expect(written).toBeLessThan(10_000_000);
  written = 0;
  const { outcome } = await sendTo({ ...webhook, success: { path: 'code', is: 0 } }, flood);
  expect(outcome).toMatchObject({ kind: 'broken', detail: expect.stringContaining('no end') });
});

test('a gateway that says nothing, or drips, holds us no longer than it may; a status is a status', async () => {
  const silent = sendTo(webhook, () => {}, messageOf(), quick);
  await expect(silent).rejects.toMatchObject({
    code: 'NOTIFY_TIMEOUT',
    message: expect.stringMatching(/127\.0\.0\.1:\d+ did not answer within 0\.4 s/),
  });
  const drip = (response: ServerResponse) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  };
  expect((await sendTo(webhook, drip, messageOf(), quick)).outcome.kind).toBe('delivered');
  const wanted = await sendTo({ ...webhook, success: { path: 'code', is: 0 } }, drip, messageOf(), quick);
  expect(wanted.outcome.kind).toBe('broken');
});

test('headers that drip, or are without end, hold nobody either', async () => {
  using folder = secretFolder();
  for (const speak of ['HTTP/1.1 200 OK\r\nx: ', 'x']) {
    await using raw = await startRaw((socket) => {
      socket.write(speak);
      const timer = setInterval(() => socket.write('y'.repeat(2_000)), 5);
      socket.on('close', () => clearInterval(timer));
    });
    const config = channelOf({ id: 'one', kind: 'webhook', url: `http://127.0.0.1:${raw.port}/` });
    const channel = createChannel(config, { folder: folder.path, clock: systemClock, timeout: quick });
    await expect(channel.send(messageOf(), null, never)).rejects.toMatchObject({
      code: expect.stringMatching(/^NOTIFY_/),
    });
  }
});

test('a gateway whose certificate nobody vouches for is sent nothing', async () => {
  using folder = secretFolder();
  await using raw = await startRaw((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
  const config = channelOf({ id: 'one', kind: 'webhook', url: `https://127.0.0.1:${raw.port}/` });
  const channel = createChannel(config, { folder: folder.path, clock: systemClock, timeout: 3_000 });
  await expect(channel.send(messageOf(), null, never)).rejects.toMatchObject({ code: 'NOTIFY_TLS' });
});

test('headers in a file that is no JSON object are a mistake that does not quote the file', async () => {
  using folder = secretFolder({ headers: 'authorization: Bearer token-17' });
  const config = channelOf({ id: 'one', kind: 'webhook', url: 'http://127.0.0.1:9/', headersFile: 'headers' });
  const channel = createChannel(config, { folder: folder.path, clock: systemClock });
  await expect(channel.check()).rejects.toMatchObject({ message: expect.not.stringContaining('token-17') });
});
