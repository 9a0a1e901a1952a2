import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createChannel } from '#edge/notify/channels.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { channelOf, json, messageOf, never, noticeOf, secretFolder, startGateway } from './peers.ts';

/* Robots that answer as their documentation says, on real sockets. */

const time = Date.parse('2026-11-23T02:05:09.123Z');
const clock = new ManualClock(time);
const text = z.object({ msgtype: z.literal('text'), text: z.object({ content: z.string() }) });

async function sendTo(kind: 'wecom' | 'dingtalk' | 'feishu', answer: unknown, notice = noticeOf(), secret?: string) {
  await using gateway = await startGateway((_, response) => json(response, answer));
  using folder = secretFolder({
    'robot.url': `${gateway.url}/send?key=693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa\n`,
    'robot.secret': `${secret ?? 'none'}\n`,
  });
  const signed = secret === undefined ? {} : { secretFile: 'robot.secret' };
  const config = channelOf({ id: 'one', kind, urlFile: 'robot.url', ...signed });
  const channel = createChannel(config, { folder: folder.path, clock, timeout: 5_000 });
  const outcome = await channel.send(messageOf(notice), null, never);
  const [received] = gateway.received;
  if (received === undefined) throw new Error('nothing was received');
  return { outcome, received };
}

test('企业微信 gets a text of at most 2,048 bytes at the address of the file, and errcode 0 is its yes', async () => {
  const long = noticeOf({ text: { zh: '水'.repeat(2_000), en: 'x' } });
  const { outcome, received } = await sendTo('wecom', { errcode: 0, errmsg: 'ok' }, long);
  expect(outcome).toEqual({ kind: 'delivered', detail: 'code 0: ok' });
  expect(received).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json; charset=utf-8' } });
  expect(received.url.searchParams.get('key')).toBe('693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa');
  const { content } = text.parse(JSON.parse(received.body)).text;
  expect(content.startsWith('【高】三号楼水浸\n水水')).toBe(true);
  expect(Buffer.byteLength(content)).toBeLessThanOrEqual(2_048);
  expect(Buffer.byteLength(content)).toBeGreaterThan(2_040);
});

test('钉钉 gets its signature in the address, as its documentation computes it', async () => {
  const secret = 'SEC-of-the-robot';
  const { outcome, received } = await sendTo('dingtalk', { errcode: 0, errmsg: 'ok' }, noticeOf(), secret);
  expect(outcome.kind).toBe('delivered');
  expect(received.url.searchParams.get('timestamp')).toBe(String(time));
  const expected = createHmac('sha256', secret).update(`${time}\n${secret}`).digest('base64');
  expect(received.url.searchParams.get('sign')).toBe(expected);
  expect(received.body).not.toContain(secret);
});

test('飞书 gets its signature in the body, made with the time in seconds as the key of nothing', async () => {
  const secret = 'feishu-secret';
  const { outcome, received } = await sendTo('feishu', { code: 0, msg: 'success', data: {} }, noticeOf(), secret);
  expect(outcome).toEqual({ kind: 'delivered', detail: 'code 0: success' });
  const seconds = String(Math.floor(time / 1_000));
  expect(JSON.parse(received.body)).toMatchObject({
    timestamp: seconds,
    sign: createHmac('sha256', `${seconds}\n${secret}`).update('').digest('base64'),
    msg_type: 'text',
    content: { text: expect.stringContaining('三号楼水浸') },
  });
});

test('an alarm that holds markup calls nobody', async () => {
  const nasty = noticeOf({ text: { zh: '<at user_id="all"></at> <@all>', en: 'x' } });
  for (const kind of ['wecom', 'feishu'] as const) {
    const { received } = await sendTo(kind, {}, nasty);
    expect(received.body).not.toContain('<');
  }
});

test.each([
  ['wecom', { errcode: 93000, errmsg: 'invalid webhook url' }, 'broken'],
  ['wecom', { errcode: 45009, errmsg: 'api freq out of limit' }, 'limited'],
  ['wecom', { errcode: 40058, errmsg: 'text.content exceed max length' }, 'refused'],
  ['dingtalk', { errcode: 310000, errmsg: 'sign not match' }, 'broken'],
  ['dingtalk', { errcode: 130101, errmsg: 'send too fast, exceed 20 times per minute' }, 'limited'],
  ['feishu', { code: 19021, msg: 'sign match fail or timestamp is not within one hour' }, 'broken'],
  ['feishu', { code: 11232, msg: 'frequency limited' }, 'limited'],
  ['feishu', { code: 9499, msg: 'Bad Request', data: {} }, 'refused'],
  ['wecom', { ok: true }, 'broken'],
  ['feishu', 'not what a robot says', 'broken'],
] as const)('%s that answers HTTP 200 with %j has delivered nothing: %s', async (kind, answer, expected) => {
  const { outcome } = await sendTo(kind, answer);
  expect(outcome.kind).toBe(expected);
});

test('钉钉 that shuts us out is left in peace for its ten minutes', async () => {
  const { outcome } = await sendTo('dingtalk', { errcode: 130101, errmsg: 'send too fast' });
  expect(outcome).toMatchObject({ kind: 'limited', after: 600_000 });
});

test('a file that others may read, that is not there, or that holds no usable address sends nothing, and what is in it is not said', async () => {
  using folder = secretFolder();
  const secret = 'http://example.com/send?key=hidden-key-1';
  folder.write('plain.url', secret);
  folder.write('open.url', secret, 0o644);
  folder.write('nothing.url', '');
  for (const [urlFile, why] of [
    ['open.url', 'others may read it (mode 644)'],
    ['gone.url', 'ENOENT'],
    ['nothing.url', 'is empty'],
    ['plain.url', 'must be https'],
  ] as const) {
    const channel = createChannel(channelOf({ id: 'one', kind: 'wecom', urlFile }), { folder: folder.path, clock });
    const sent = channel.send(messageOf(), null, never);
    await expect(sent).rejects.toMatchObject({ code: 'NOTIFY_SECRET', message: expect.stringContaining(why) });
    await expect(sent).rejects.not.toThrow(/hidden-key/);
    await expect(channel.check()).rejects.toMatchObject({ code: 'NOTIFY_SECRET' });
  }
});
