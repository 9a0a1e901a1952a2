import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { Outcome } from '#edge/notify/channel.ts';
import { createChannel } from '#edge/notify/channels.ts';
import { redact } from '#edge/notify/secrets.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { channelOf, json, messageOf, never, noticeOf, secretFolder, startGateway, startRaw } from './peers.ts';

/* Far ends that mean harm: they neither hold us, nor fill us, nor get said by us what they know of us. */

const guard = {
  id: 'guard',
  name: { zh: '门卫', en: 'Guard' },
  groups: [],
  phone: '+8613800001111',
  email: 'guard@school.test',
};
const files = {
  url: 'placeholder',
  password: 'pa/ss"wörd=91',
  headers: '{"authorization": "Bearer t0ken/with+slash=="}',
};

async function rawOutcome(given: object, onSocket: (socket: Socket) => void, timeout = 300): Promise<Outcome | string> {
  await using server = await startRaw(onSocket);
  using folder = secretFolder({ ...files, url: `http://127.0.0.1:${server.port}/send?key=abcdef-123456` });
  const filled = JSON.parse(
    JSON.stringify({ id: 'one', ...given })
      .replaceAll('"PORT"', String(server.port))
      .replaceAll('PORT', String(server.port)),
  );
  const channel = createChannel(channelOf(filled), { folder: folder.path, clock: systemClock, timeout });
  return await channel
    .send(messageOf(), guard, never)
    .catch((error: unknown) => (error instanceof Error ? error.message : ''));
}

const webhook = { kind: 'webhook', url: 'http://127.0.0.1:PORT/in' };
const robot = { kind: 'wecom', urlFile: 'url' };
const mail = { kind: 'email', host: '127.0.0.1', port: 'PORT', tls: 'none', from: 'campus@school.test' };

const answers: Readonly<Record<string, string>> = {
  'switches to another protocol':
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'says that there is nothing': 'HTTP/1.1 204 No Content\r\n\r\n',
  'has two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
  'sends the length and no body': 'HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n{"errcode":0',
  'has a chunk that is no chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{"errcode":0}',
  'speaks of an early hint and then of nothing': 'HTTP/1.1 103 Early Hints\r\n\r\n',
};

test.each(Object.entries(answers))(
  'whoever %s has an end within the time of a call, and no robot of it is believed',
  async (_, said) => {
    const speak = (socket: Socket) => void socket.once('data', () => socket.write(said));
    const all = await Promise.all([rawOutcome(webhook, speak), rawOutcome(robot, speak)]);
    expect(all).toHaveLength(2);
    const [, ofRobot] = all;
    expect(typeof ofRobot === 'string' ? ofRobot : ofRobot?.kind).not.toBe('delivered');
  },
);

test('a hundred and one answers before the answer hold nobody', async () => {
  const speak = (socket: Socket) => {
    const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 5);
    socket.on('close', () => clearInterval(timer));
  };
  expect(await rawOutcome(webhook, speak)).toMatch(/did not answer within/);
});

test('a mail server that says one line without an end is left long before it has filled anything', async () => {
  let sent = 0;
  const speak = (socket: Socket) => {
    const pour = () => {
      while (!socket.destroyed && sent < 300_000_000 && socket.write(Buffer.alloc(65_536, 0x32))) sent += 65_536;
    };
    socket.on('drain', pour);
    pour();
  };
  const before = process.memoryUsage().rss;
  expect(await rawOutcome(mail, speak, 5_000)).toMatchObject({ kind: 'broken' });
  expect(sent).toBeLessThan(100_000_000);
  expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
});

test('a mail server that answers in lines without end is left, too', async () => {
  let sent = 0;
  const speak = (socket: Socket) => {
    const line = Buffer.from('220-again\r\n'.repeat(6_000));
    const pour = () => {
      while (!socket.destroyed && sent < 300_000_000 && socket.write(line)) sent += line.length;
    };
    socket.on('drain', pour);
    pour();
  };
  expect(await rawOutcome(mail, speak, 5_000)).toMatchObject({ kind: 'broken' });
  expect(sent).toBeLessThan(100_000_000);
});

test('half a character in a text is no poison: it is sent, in the address, in a header and in the body', async () => {
  await using gateway = await startGateway((_, response) => json(response, {}));
  using folder = secretFolder(files);
  const poison = messageOf(noticeOf({ title: { zh: '温度\ud83d过高', en: 'x' }, text: { zh: '\udc00', en: '' } }));
  const config = {
    id: 'one',
    kind: 'webhook',
    url: `${gateway.url}/in?said={title}`,
    headers: { 'x-said': '{title}' },
    body: { text: '{text}' },
  };
  const channel = createChannel(channelOf(config), { folder: folder.path, clock: systemClock });
  expect(await channel.send(poison, guard, never)).toMatchObject({ kind: 'delivered' });
  expect(gateway.received[0]?.url.searchParams.get('said')).toBe('【高】温度�过高');
});

const spellings: readonly [string, (secret: string) => string][] = [
  ['as it is', (secret) => secret],
  ['in JSON', (secret) => JSON.stringify(secret)],
  ['in the JSON of PHP', (secret) => JSON.stringify(secret).replaceAll('/', '\\/')],
  [
    'in the JSON of Go and Python',
    (secret) => secret.replace(/[^a-z0-9]/gi, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
  ],
  ['in an address', (secret) => encodeURIComponent(secret)],
  ['in an address in small letters', (secret) => encodeURIComponent(secret).toLowerCase().replace('pa', 'pa')],
  ['in HTML', (secret) => secret.replaceAll('"', '&quot;').replaceAll('/', '&#x2F;').replaceAll('=', '&#61;')],
  ['in base64', (secret) => Buffer.from(secret).toString('base64')],
];

test.each(spellings)('a secret that the far end says %s is not shown', (_, spell) => {
  const secret = 'pa/ss"word=91';
  const said = redact(`no such key: ${spell(secret)}, go away`, [secret]);
  expect(said).toBe(spell(secret).startsWith('"') ? 'no such key: "…", go away' : 'no such key: …, go away');
});

test('who says the token of a header without the word before it does not get it shown', async () => {
  await using gateway = await startGateway((_, response) =>
    json(response, { error: 'bad token t0ken/with+slash==' }, 401),
  );
  using folder = secretFolder(files);
  const config = { id: 'one', kind: 'webhook', url: `${gateway.url}/in`, headersFile: 'headers' };
  const channel = createChannel(channelOf(config), { folder: folder.path, clock: systemClock });
  const outcome = await channel.send(messageOf(), guard, never);
  expect(outcome.detail).toBe('HTTP 401: {"error":"bad token …"}');
});

test('a mail server that says back how we signed in does not get that shown', async () => {
  const speak = (socket: Socket) => {
    socket.write('220 hello\r\n');
    socket.on('data', (bytes) => {
      const line = bytes.toString();
      if (line.startsWith('EHLO')) socket.write('250-hello\r\n250 AUTH PLAIN\r\n');
      else socket.write(`535 you said ${line.trim().split(' ').at(-1)}\r\n`);
    });
  };
  const outcome = await rawOutcome({ ...mail, user: 'campus@school.test', passwordFile: 'password' }, speak, 2_000);
  const said = JSON.stringify(outcome);
  expect(said).toContain('you said …');
  expect(said).not.toContain(Buffer.from('\0campus@school.test\0pa/ss"wörd=91').toString('base64'));
});
