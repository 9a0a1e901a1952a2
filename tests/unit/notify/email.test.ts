import { rmSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createChannel } from '#edge/notify/channels.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openPki, type Pki } from '#edge/runtime/pki.ts';
import { channelOf, listen, messageOf, never, noticeOf, portOf, secretFolder, startRaw } from './peers.ts';

/* A real SMTP server, and what passes for one. */

const guard = { id: 'guard', name: { zh: '门卫', en: 'Guard' }, groups: [], email: 'guard@school.example' };
const folder = secretFolder({ password: 'mail-password-5' });
let pki: Pki;
beforeAll(async () => {
  pki = await openPki({ data: folder.path, names: [], own: null, clock: systemClock, log: silentLog });
  folder.write('ca.pem', pki.authority);
});
afterAll(() => {
  pki?.[Symbol.dispose]();
  rmSync(folder.path, { recursive: true, force: true });
});

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user: string;
  readonly text: string;
}

async function startMail(options: SMTPServerOptions = {}) {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    key: pki.server.key,
    cert: pki.server.cert,
    authOptional: true,
    closeTimeout: 50,
    onAuth: ({ username, password }, _, done) =>
      username === 'campus' && password === 'mail-password-5' ? done(null, { user: username }) : done(new Error('no')),
    onData: (stream, session, done) => {
      let text = '';
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
      });
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        const to = rcptTo.map(({ address }) => address);
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to,
          secure: session.secure,
          user: session.user ?? '',
          text,
        });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { port: portOf(server.server), mails, [Symbol.asyncDispose]: close };
}

const signedIn = { user: 'campus', passwordFile: 'password' };

function sendTo(port: number, given: object = {}, { message = messageOf(), timeout = 5_000, signal = never } = {}) {
  const config = {
    id: 'mail',
    kind: 'email',
    host: '127.0.0.1',
    port,
    tls: 'none',
    from: 'campus@school.example',
    ...given,
  };
  const channel = createChannel(channelOf(config), { folder: folder.path, clock: systemClock, timeout });
  return channel.send(message, guard, signal);
}

const refuse = (code: number, text: string) => Object.assign(new Error(text), { responseCode: code });

describe('a mail', () => {
  test('arrives with its class in the subject, its id, and marked as nobody to answer', async () => {
    await using mail = await startMail();
    const notice = noticeOf({ class: 'critical' });
    expect(await sendTo(mail.port, {}, { message: messageOf(notice) })).toMatchObject({ kind: 'delivered' });
    const [got] = mail.mails;
    expect(got).toMatchObject({ from: 'campus@school.example', to: ['guard@school.example'], secure: false });
    expect(got?.text).toContain(`Message-ID: <${notice.id}@school.example>`);
    expect(got?.text).toMatch(/Auto-Submitted: auto-generated/);
    expect(got?.text).toMatch(/X-Priority: 1/);
    expect(got?.text).toContain(`Subject: =?UTF-8?`);
  });

  test.each(['implicit', 'starttls'] as const)(
    'goes encrypted (%s) with user and password, to a server our authority vouches for',
    async (tls) => {
      await using mail = await startMail({ secure: tls === 'implicit', authOptional: false });
      const outcome = await sendTo(mail.port, { tls, ca: 'ca.pem', ...signedIn });
      expect(outcome, outcome.detail).toMatchObject({ kind: 'delivered' });
      expect(mail.mails).toMatchObject([{ secure: true, user: 'campus' }]);
    },
  );

  test.each(['implicit', 'starttls'] as const)(
    'does not go (%s) to a server that nobody vouches for, nor does the password',
    async (tls) => {
      let asked = 0;
      await using mail = await startMail({
        secure: tls === 'implicit',
        onAuth: (_, __, done) => done(new Error(`${++asked}`)),
      });
      expect(await sendTo(mail.port, { tls, ...signedIn })).toMatchObject({ kind: 'broken' });
      expect([asked, mail.mails.length]).toEqual([0, 0]);
    },
  );

  test('does not go in the clear when somebody took STARTTLS out of the greeting', async () => {
    let asked = 0;
    await using mail = await startMail({
      hideSTARTTLS: true,
      disabledCommands: ['STARTTLS'],
      onAuth: (_, __, done) => done(new Error(`${++asked}`)),
    });
    expect(await sendTo(mail.port, { tls: 'starttls', ca: 'ca.pem', ...signedIn })).toMatchObject({ kind: 'broken' });
    expect([asked, mail.mails.length]).toEqual([0, 0]);
  });

  test('that is refused with a wrong password is a broken channel, and says no password', async () => {
    folder.write('wrong', 'another-password-6');
    await using mail = await startMail({ allowInsecureAuth: true });
    const outcome = await sendTo(mail.port, { user: 'campus', passwordFile: 'wrong' });
    expect(outcome).toMatchObject({ kind: 'broken', detail: expect.stringContaining('Invalid login') });
    expect(JSON.stringify(outcome)).not.toMatch(/another-password|YW5vdGhlci/);
  });

  test('to somebody the server does not know will never be taken; what it says of him is not shown', async () => {
    await using mail = await startMail({
      onRcptTo: ({ address }, _, done) => done(refuse(550, `<${address}> no such user here`)),
    });
    const outcome = await sendTo(mail.port);
    expect(outcome).toMatchObject({ kind: 'refused', detail: expect.stringContaining('no such user') });
    expect(outcome.detail).not.toContain('guard');
  });

  test('that is greylisted is taken when it comes again', async () => {
    let times = 0;
    await using mail = await startMail({
      onRcptTo: (_, __, done) => (++times === 1 ? done(refuse(451, '4.7.1 greylisted')) : done()),
    });
    const message = messageOf();
    expect(await sendTo(mail.port, {}, { message })).toMatchObject({
      kind: 'later',
      detail: expect.stringContaining('greylisted'),
    });
    expect(await sendTo(mail.port, {}, { message })).toMatchObject({ kind: 'delivered' });
  });

  test('from an address that the server does not take is a mistake of the channel, not of the mail', async () => {
    await using mail = await startMail({ onMailFrom: (_, __, done) => done(refuse(553, 'sender refused')) });
    expect(await sendTo(mail.port)).toMatchObject({ kind: 'broken' });
  });
});

describe('a mail server', () => {
  test.each<[string, (write: (text: string) => void) => void]>([
    ['says nothing', () => {}],
    ['greets for ever', (write) => write('220-x\r\n'.repeat(50))],
    ['greets with a huge line', (write) => write('x'.repeat(50_000))],
    ['talks nonsense', (write) => write('\u0000\u0001 hello\r\n')],
  ])('that %s holds us no longer than it may', async (_, speak) => {
    await using raw = await startRaw((socket) => {
      const timer = setInterval(() => speak((text) => socket.write(text)), 20);
      socket.on('close', () => clearInterval(timer));
    });
    const began = systemClock.monotonic();
    expect(await sendTo(raw.port, {}, { timeout: 600 })).toMatchObject({ kind: 'broken' });
    expect(systemClock.monotonic() - began).toBeLessThan(5_000);
  });

  test('that drips one answer after another is left in the end', async () => {
    await using raw = await startRaw((socket) => {
      socket.write('220 x\r\n250-');
      const timer = setInterval(() => socket.write('y'), 50);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await sendTo(raw.port, {}, { timeout: 600 })).toMatchObject({ kind: 'broken' });
  });

  test('that is not there is a broken channel', async () => {
    const { port } = await closedPort();
    expect(await sendTo(port)).toMatchObject({ kind: 'broken', detail: expect.stringContaining('ECONNREFUSED') });
  });

  test('is let go at once when we stop', async () => {
    await using raw = await startRaw(() => {});
    const ending = new AbortController();
    const sent = sendTo(raw.port, {}, { timeout: 30_000, signal: ending.signal });
    ending.abort();
    expect(await sent).toMatchObject({ kind: 'broken' });
  });
});

async function closedPort(): Promise<{ port: number }> {
  await using raw = await startRaw(() => {});
  return { port: raw.port };
}

test('a webhook goes to a server that our authority vouches for', async () => {
  const server = createTlsServer({ key: pki.server.key, cert: pki.server.cert }, (_, response) => response.end('{}'));
  await using line = await listen(server);
  const given = { id: 'hook', kind: 'webhook', url: `https://127.0.0.1:${line.port}/` };
  const outcomes = [];
  for (const more of [{ ca: 'ca.pem' }, {}]) {
    const channel = createChannel(channelOf({ ...given, ...more }), { folder: folder.path, clock: systemClock });
    outcomes.push(await channel.send(messageOf(), null, never).catch((error: unknown) => error));
  }
  expect(outcomes).toMatchObject([{ kind: 'delivered' }, { code: 'NOTIFY_TLS' }]);
});
