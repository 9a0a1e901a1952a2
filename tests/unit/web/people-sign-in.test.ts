import { request } from 'node:https';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Browser, cheapHash, type PeopleRoom, passwordOf, problemOf, startPeopleRoom } from './people-room.ts';
import { rawRequest } from './web-room.ts';

let room: PeopleRoom;
beforeAll(async () => {
  room = await startPeopleRoom();
});
beforeEach(async () => await room.reset());
afterAll(async () => await room[Symbol.asyncDispose]());

const strong = 'Willow-42-harbour';
const minute = 60_000;

describe('the first administrator', () => {
  const body = (code: string) => ({ code, id: 'lin', name: '林', password: strong });

  test('is made with the code of the terminal, signed in, and the code is void', async () => {
    const code = room.web.setupCode() ?? '';
    expect(code).toMatch(/^[A-Z2-7]{10}$/);
    const browser = room.browser();
    expect(await browser.me()).toEqual({ state: 'setup' });
    const made = await browser.become(
      await browser.post('setup', body(`${code.slice(0, 5)}-${code.slice(5)}`.toLowerCase())),
    );
    expect(made.status).toBe(200);
    expect(await made.json()).toMatchObject({ state: 'signed-in', id: 'lin', role: 'administrator', zones: 'all' });
    expect(await browser.me()).toMatchObject({ state: 'signed-in', mustChangePassword: false });
    expect(room.web.setupCode()).toBeNull();
    expect(await problemOf(await room.browser().post('setup', { ...body(code), id: 'second' }))).toEqual({
      status: 409,
      error: 'setup-done',
    });
    expect(room.audit().map(({ who, what }) => `${who} ${what}`)).toEqual([
      'person:lin person.create lin',
      'person:lin sign-in',
    ]);
    expect(JSON.stringify(room.audit())).not.toContain('scrypt');
  });

  test('is not made by guessing: five wrong codes void the right one, and the terminal shows another', async () => {
    const code = room.web.setupCode() ?? '';
    const browser = room.browser();
    for (let i = 0; i < 5; i++) {
      expect(await problemOf(await browser.post('setup', body('AAAAAAAAAA')))).toMatchObject({
        error: 'wrong-setup-code',
      });
    }
    expect(room.codes).toHaveLength(1);
    expect(room.codes[0]).not.toBe(code);
    expect(await problemOf(await browser.post('setup', body(code)))).toMatchObject({ error: 'wrong-setup-code' });
    expect((await browser.post('setup', body(room.codes[0] ?? ''))).status).toBe(200);
  });

  test('cannot be two: of those who have the same code in the same moment, one wins', async () => {
    const code = room.web.setupCode() ?? '';
    const answers = await Promise.all(
      ['anna', 'bert', 'carl'].map((id) => room.browser().post('setup', { ...body(code), id })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403, 403]);
    expect(room.reader.documents('person')).toHaveLength(1);
  });

  test('needs a strong password, and a code that was right still works afterwards', async () => {
    const code = room.web.setupCode() ?? '';
    const browser = room.browser();
    for (const password of [
      'short1!',
      'Zhang@123456',
      'Woaini@1314',
      'lin-Orchard-77',
      'alllowercase',
      'Qinghe-2026-pass',
    ]) {
      const answer = await browser.post('setup', { ...body(code), password });
      expect(await problemOf(answer), password).toEqual({ status: 400, error: 'weak-password' });
    }
    expect((await browser.post('setup', body(code))).status).toBe(200);
  });

  test('is asked for again while no administrator can sign in, and whoever reads the terminal learns the code', async () => {
    await room.addPerson('gone', 'administrator', { disabled: true });
    await room.addPerson('wang', 'security');
    expect(await room.browser().me()).toEqual({ state: 'setup' });
    expect(room.codes).toHaveLength(1);
    await room.addPerson('lin', 'administrator');
    expect(await room.browser().me()).toMatchObject({ state: 'signed-out' });
  });
});

describe('signing in', () => {
  beforeEach(async () => {
    await room.addPerson('lin', 'administrator');
    await room.addPerson('wang', 'security');
  });

  test('gives a cookie that scripts cannot read, a session in the store under its digest, and a line in the audit', async () => {
    const browser = room.browser();
    const answer = await browser.signIn('wang');
    expect(answer.headers.get('set-cookie')).toMatch(
      /^campus=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expect(await answer.json()).toMatchObject({
      id: 'wang',
      rights: expect.arrayContaining(['operate']),
      zones: ['teaching'],
    });
    const [session] = room.reader.documents('session');
    expect(session?.body).toMatchObject({ person: 'wang', from: '127.0.0.1', method: 'password' });
    expect(JSON.stringify(room.reader.documents('session'))).not.toContain(browser.cookies.get('campus'));
    expect(room.audit().at(-1)).toMatchObject({
      who: 'person:wang',
      from: '127.0.0.1',
      what: 'sign-in',
      result: 'signed in',
    });
    expect((await browser.get('points')).status).toBe(200);
    expect((await browser.get('people')).status).toBe(403);
  });

  test('always begins a session of its own: one that was brought along is worth nothing, one that was there ends', async () => {
    const planted = 'A'.repeat(43);
    const browser = room.browser();
    browser.cookies.set('campus', planted);
    expect((await browser.get('points')).status).toBe(401);
    await browser.signIn('wang');
    const first = browser.cookies.get('campus') ?? '';
    expect(first).not.toBe(planted);
    await browser.signIn('wang');
    expect(browser.cookies.get('campus')).not.toBe(first);
    const old = new Browser(room.url);
    old.cookies.set('campus', first);
    expect((await old.get('points')).status).toBe(401);
  });

  test('answers the same for a wrong password, for nobody, for a disabled account and for one without a password', async () => {
    await room.addPerson('idle', 'viewer', { disabled: true });
    await room.addPerson('cloud', 'viewer', { password: null, oidc: 'https://id.example 7' });
    const answers = await Promise.all(
      [
        ['wang', 'wrong'],
        ['nobody-here', 'wrong'],
        ['idle', passwordOf('idle')],
        ['cloud', passwordOf('cloud')],
        ['NO SUCH/id', 'x'],
      ].map(async ([id = '', password = '']) => {
        const answer = await room.browser().signIn(id, password);
        const headers = [...answer.headers.keys()].filter((name) => name !== 'date').sort();
        return JSON.stringify([answer.status, await answer.json(), headers]);
      }),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain('wrong-credentials');
  });

  test('does the same work for nobody as for somebody', async () => {
    await room.addPerson('heavy', 'viewer', { password: await heavyHash() });
    const time = async (id: string) => {
      const start = performance.now();
      await room.browser().signIn(id, 'wrong');
      return performance.now() - start;
    };
    const known: number[] = [];
    const unknown: number[] = [];
    for (let i = 0; i < 3; i++) {
      known.push(await time('heavy'));
      unknown.push(await time(`nobody-${i}`));
      room.clock.advance(61 * minute);
    }
    const ratio = Math.min(...known) / Math.min(...unknown);
    expect(ratio).toBeGreaterThan(0.3);
    expect(ratio).toBeLessThan(3.3);
  });

  test('locks an account after five wrong passwords, for half a minute and then for longer, over a restart', async () => {
    for (let i = 0; i < 5; i++) await room.browser().signIn('wang', 'wrong');
    expect(await problemOf(await room.browser().signIn('wang'))).toEqual({
      status: 429,
      error: 'locked',
      retryAfter: 30,
    });
    await room.restartWeb();
    expect(await problemOf(await room.browser().signIn('wang'))).toMatchObject({ error: 'locked' });
    room.clock.advance(30_000);
    expect(await problemOf(await room.browser().signIn('wang', 'wrong'))).toMatchObject({ error: 'wrong-credentials' });
    expect(await problemOf(await room.browser().signIn('wang'))).toEqual({
      status: 429,
      error: 'locked',
      retryAfter: 60,
    });
    room.clock.advance(60_000);
    expect((await room.browser().signIn('wang')).status).toBe(200);
    await vi.waitFor(() => {
      const said = room.audit().map(({ who, what, result }) => `${who} ${what} ${result}`);
      expect(said).toContain('person:wang sign-in locked: too many wrong tries');
    });
  });

  test('a lock tells nobody whether the account exists, and the address that guesses is locked for all accounts', async () => {
    for (let i = 0; i < 5; i++) await room.browser().signIn('nobody-here', 'wrong');
    expect(await problemOf(await room.browser().signIn('nobody-here'))).toEqual({
      status: 429,
      error: 'locked',
      retryAfter: 30,
    });
    expect(await problemOf(await room.browser().signIn('wang'))).toMatchObject({ error: 'locked' });
  });

  test('any change of the account lifts its lock: of an administrator here or of the command on the box', async () => {
    for (let i = 0; i < 5; i++) await room.browser().signIn('wang', 'wrong');
    room.clock.advance(30_000);
    for (let i = 0; i < 3; i++) {
      await room.browser().signIn('wang', 'wrong');
      room.clock.advance(31 * minute);
    }
    await room.browser().signIn('wang', 'wrong');
    room.clock.advance(5 * minute);
    expect(await problemOf(await room.browser().signIn('wang'))).toMatchObject({ error: 'locked' });
    const people = (await (await room.web.ask('/api/v1/people')).json()) as {
      id: string;
      lockedUntil: number | null;
    }[];
    expect(people.find(({ id }) => id === 'wang')?.lockedUntil).toBeGreaterThan(room.clock.now());
    const unlocked = await room.web.ask('/api/v1/people/wang/unlock', { method: 'POST' });
    expect(await unlocked.json()).toMatchObject({ id: 'wang', lockedUntil: null });
    expect(room.audit()).toContainEqual(expect.objectContaining({ who: 'token:local', what: 'person.unlock wang' }));
    expect((await room.browser().signIn('wang')).status).toBe(200);
  });

  test('guesses side by side are not looked at', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => room.browser().signIn('wang', 'wrong')));
    const looked = answers.filter(({ status }) => status === 401);
    expect(looked.length).toBeLessThan(6);
    expect(answers.every(({ status }) => status === 401 || status === 429)).toBe(true);
  });

  test('is refused in words while core is away; whoever is signed in looks on', async () => {
    const browser = await room.signedIn('wang');
    await room.stopCore();
    const refused = await room.browser().signIn('wang');
    expect(refused.status).toBe(503);
    expect(await refused.json()).toEqual({
      error: 'rpc-away',
      message: 'core is away: nobody can sign in until it is back',
    });
    expect((await browser.get('points')).status).toBe(200);
    await room.startCore();
    expect((await room.browser().signIn('wang')).status).toBe(200);
  });

  test('refusals are counted in the audit, not written one by one, and names that nobody has are not written at all', async () => {
    for (let i = 0; i < 4; i++) await room.browser().signIn(`secret-in-the-wrong-field-${i}`, 'x');
    await vi.waitFor(() => expect(room.audit().filter(({ what }) => what === 'sign-in')).toHaveLength(1));
    room.clock.advance(61_000);
    await room.restartWeb();
    const lines = room.audit().filter(({ what }) => what === 'sign-in');
    expect(lines.map(({ who, result }) => `${who}: ${result}`)).toEqual([
      'nobody: refused: wrong password',
      'nobody: refused: wrong password (3 times)',
    ]);
    expect(JSON.stringify(room.audit())).not.toContain('wrong-field');
  });

  test('takes no body that is too large, no JSON that is another shape, and no foreign page', async () => {
    const browser = room.browser();
    expect((await browser.post('login', { id: 'wang', password: 'x'.repeat(70_000) })).status).toBe(413);
    expect((await browser.post('login', { id: 'wang', password: 'x'.repeat(300) })).status).toBe(400);
    expect((await browser.post('login', { id: 'wang', password: ['x'] })).status).toBe(400);
    const form = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{"id":"wang","password":"x"}' };
    expect([400, 415]).toContain((await browser.ask('/api/v1/login', form)).status);
    for (const headers of [{ origin: 'http://evil.test' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }]) {
      const answer = await browser.post(
        'login',
        { id: 'wang', password: passwordOf('wang') },
        headers as Record<string, string>,
      );
      expect(await problemOf(answer)).toEqual({ status: 403, error: 'foreign-origin' });
    }
  });
});

describe('a session', () => {
  beforeEach(async () => {
    await room.addPerson('lin', 'administrator');
    await room.addPerson('wang', 'security');
  });

  test('rides on no foreign page: what is not GET needs the value that only our page knows, and our origin', async () => {
    const browser = await room.signedIn('lin');
    const body = { id: 'x1', name: 'X', role: 'viewer', zones: 'all', password: strong };
    const without = await browser.post('people', body, { 'x-csrf-token': '' });
    expect(await problemOf(without)).toEqual({ status: 403, error: 'csrf-refused' });
    const other = await room.signedIn('wang');
    expect((await browser.post('people', body, { 'x-csrf-token': other.csrf })).status).toBe(403);
    const foreign = await browser.post('people', body, { origin: 'https://evil.test' });
    expect(await problemOf(foreign)).toEqual({ status: 403, error: 'foreign-origin' });
    expect((await browser.post('people', body, { origin: room.url() })).status).toBe(201);
    await vi.waitFor(() => {
      const said = room.audit().map(({ who, what, result }) => `${who} ${what} ${result}`);
      expect(said).toContain('person:lin POST /api/v1/people refused: csrf-refused');
      expect(said).toContain('nobody POST /api/v1/people refused: foreign-origin');
    });
  });

  test('is not believed when it comes twice, cut, or longer', async () => {
    const browser = await room.signedIn('wang');
    const secret = browser.cookies.get('campus') ?? '';
    for (const cookie of [
      `campus=${secret}x`,
      `campus=${secret.slice(1)}`,
      'campus=',
      `Campus=${secret}`,
      `xcampus=${secret}`,
    ]) {
      expect((await room.browser().get('points', { cookie })).status, cookie).toBe(401);
    }
    expect((await room.browser().get('points', { cookie: `a=b; campus=${secret}` })).status).toBe(200);
  });

  test('outlives a restart of web, ends when nothing is done for half an hour, and after twelve hours in any case', async () => {
    const browser = await room.signedIn('wang');
    await room.restartWeb();
    expect((await browser.get('points')).status).toBe(200);
    for (let i = 0; i < 5; i++) {
      room.clock.advance(29 * minute);
      expect((await browser.get('points')).status).toBe(200);
    }
    await vi.waitFor(async () => {
      await browser.get('points');
      expect(room.reader.documents('session')[0]?.body.lastSeen).toBe(room.clock.now());
    });
    await room.restartWeb();
    room.clock.advance(29 * minute);
    expect((await browser.get('points')).status).toBe(200);
    room.clock.advance(31 * minute);
    expect((await browser.get('points')).status).toBe(401);

    const long = await room.signedIn('wang');
    for (let i = 0; i < 27; i++) {
      room.clock.advance(26 * minute);
      expect((await long.get('points')).status).toBe(200);
    }
    room.clock.advance(20 * minute);
    expect((await long.get('points')).status).toBe(401);
  });

  test('is not kept alive by what a page asks by itself', async () => {
    const browser = await room.signedIn('wang');
    for (let i = 0; i < 3; i++) {
      room.clock.advance(9 * minute);
      expect((await browser.get('points', { 'x-campus-background': '1' })).status).toBe(200);
    }
    room.clock.advance(9 * minute);
    expect((await browser.get('points', { 'x-campus-background': '1' })).status).toBe(401);
  });

  test('on the wall of the gatehouse stays for as long as the site says for that role', async () => {
    await using wall = await startPeopleRoom({
      change: (site) => ({
        ...site,
        people: { ...site.people, idle: { default: 5 * minute, security: 720 * minute } },
      }),
    });
    await wall.addPerson('wang', 'security');
    await wall.addPerson('look', 'viewer');
    const [guard, viewer] = [await wall.signedIn('wang'), await wall.signedIn('look')];
    wall.clock.advance(6 * minute);
    expect((await viewer.get('points')).status).toBe(401);
    wall.clock.advance(700 * minute);
    expect((await guard.get('points')).status).toBe(200);
  });

  test('is seen and ended by its owner, by an administrator, and by nobody else', async () => {
    const [desk, phone] = [await room.signedIn('wang'), await room.signedIn('wang')];
    const list = (await (await desk.get('sessions')).json()) as { id: string; current: boolean }[];
    expect(list).toHaveLength(2);
    const other = list.find(({ current }) => !current)?.id ?? '';
    expect((await desk.get('sessions?all=true')).status).toBe(403);
    const admin = await room.signedIn('lin');
    const all = (await (await admin.get('sessions?all=true')).json()) as {
      id: string;
      person: string;
      personName: string;
    }[];
    expect(all.map(({ person }) => person).sort()).toEqual(['lin', 'wang', 'wang']);
    const adminsOwn = all.find(({ person }) => person === 'lin')?.id ?? '';
    expect(await problemOf(await desk.send('DELETE', `sessions/${adminsOwn}`))).toEqual({
      status: 404,
      error: 'session-not-found',
    });
    expect((await desk.send('DELETE', `sessions/${other}`)).status).toBe(204);
    expect((await phone.get('points')).status).toBe(401);
    // Not the last line: that somebody was refused meanwhile has one too.
    expect(room.audit()).toContainEqual(expect.objectContaining({ who: 'person:wang', what: 'session.revoke wang' }));
    const mine = list.find(({ current }) => current)?.id ?? '';
    expect((await admin.send('DELETE', `sessions/${mine}`)).status).toBe(204);
    expect((await desk.get('points')).status).toBe(401);
  });

  test('ends with signing out, and its stream with it', async () => {
    const browser = await room.signedIn('wang');
    const stream = await browser.get('stream');
    expect(stream.status).toBe(200);
    const ended = (async () => {
      for await (const _ of stream.body ?? []);
      return true;
    })();
    expect((await browser.post('logout')).status).toBe(204);
    expect(await ended).toBe(true);
    expect(browser.cookies.has('campus')).toBe(false);
    expect(room.reader.documents('session')).toEqual([]);
    expect(room.audit()).toContainEqual(expect.objectContaining({ who: 'person:wang', what: 'sign-out' }));
  });

  test('there are at most twenty of one person: one more ends the one that was seen longest ago', async () => {
    const first = await room.signedIn('wang');
    for (let i = 0; i < 20; i++) {
      room.clock.advance(1_000);
      await room.signedIn('wang');
    }
    expect(room.reader.documents('session')).toHaveLength(20);
    expect((await first.get('points')).status).toBe(401);
  });
});

describe('headers', () => {
  test('cannot be injected by what people send, and every answer forbids what the page does not need', async () => {
    await room.addPerson('lin', 'administrator');
    for (const path of [
      '/api/v1/me?x=%0d%0aset-cookie:%20campus=planted',
      '/%0d%0aset-cookie:%20campus=planted',
      '/',
    ]) {
      const { headers } = await rawRequest(room.web, path);
      expect(headers['set-cookie'], path).toBeUndefined();
      expect(headers['x-content-type-options'], path).toBe('nosniff');
      expect(headers['content-security-policy'], path).toContain("frame-ancestors 'none'");
      expect(headers['referrer-policy'], path).toBe('no-referrer');
    }
    const answer = await room.browser().ask('/api/v1/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'x'.repeat(4_000) },
      body: JSON.stringify({ id: 'lin', password: passwordOf('lin') }),
    });
    expect(answer.status).toBe(200);
    expect(room.reader.documents('session')[0]?.body.agent).toHaveLength(300);
  });

  test('the page has another nonce each time, its assets are compressed and never asked for twice', async () => {
    const nonces = await Promise.all(
      [0, 1].map(async () => {
        const page = await fetch(`${room.url()}/`);
        const [, nonce = ''] = /content="([^"]+)"/.exec(await page.text()) ?? [];
        expect(page.headers.get('content-security-policy')).toContain(`style-src 'self' 'nonce-${nonce}';`);
        expect(page.headers.get('cache-control')).toBe('no-store');
        return nonce;
      }),
    );
    expect(new Set(nonces).size).toBe(2);
    expect(nonces[0]).toMatch(/^[\w+/]{22}==$/);
    for (const encoding of ['gzip', 'br']) {
      const { headers } = await rawRequest(room.web, '/assets/app-1a2b.js', {
        headers: { 'accept-encoding': encoding },
      });
      expect(headers['content-encoding']).toBe(encoding);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(headers['content-type']).toMatch(/javascript/);
    }
    for (const path of [
      '/assets/../index.html',
      '/assets/..%2f..%2fadmin-token',
      '/assets/%2e%2e/%2e%2e/admin-token',
      '/assets//etc/passwd',
    ]) {
      const { status, body } = await rawRequest(room.web, path);
      expect([400, 401, 403, 404], path).toContain(status);
      expect(body).not.toContain(room.web.token);
    }
  });
});

test('over HTTPS the cookie has a name that no other host, path or plain HTTP can set, and is sent nowhere else', async () => {
  await using encrypted = await startPeopleRoom({ isEncrypted: true });
  await encrypted.addPerson('lin', 'administrator');
  const answer = await postEncrypted(`${encrypted.web.httpsUrl}/api/v1/login`, {
    id: 'lin',
    password: passwordOf('lin'),
  });
  expect(answer.status).toBe(200);
  const [cookie = ''] = answer.cookies;
  expect(cookie).toMatch(/^__Host-campus=[\w-]{43}; .*Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  const [pair = ''] = cookie.split(';');
  const plain = await encrypted.browser().get('points', { cookie: pair.replace('__Host-', '') });
  expect(plain.status, 'the same session, over plain HTTP on this machine').toBe(200);
  const { csrf } = JSON.parse(answer.body) as { csrf: string };
  const renamed = { cookie: pair.replace('__Host-', ''), 'x-csrf-token': csrf };
  expect((await postEncrypted(`${encrypted.web.httpsUrl}/api/v1/logout`, {}, renamed)).status).toBe(401);
  const own = {
    cookie: pair,
    'x-csrf-token': csrf,
    host: 'campus.school.example',
    origin: 'https://campus.school.example',
  };
  expect((await postEncrypted(`${encrypted.web.httpsUrl}/api/v1/logout`, {}, own)).status).toBe(204);
});

interface Encrypted {
  readonly status: number;
  readonly cookies: readonly string[];
  readonly body: string;
}

function postEncrypted(url: string, body: object, headers: Record<string, string> = {}): Promise<Encrypted> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      // Who it is that answers is not asked here: tests of the certificates do.
      {
        method: 'POST',
        rejectUnauthorized: false,
        headers: { 'content-type': 'application/json', ...headers },
        timeout: 10_000,
      },
      (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => {
          text += String(chunk);
        });
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, cookies: answer.headers['set-cookie'] ?? [], body: text }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
}

async function heavyHash(): Promise<string> {
  const { hashPersonPassword } = await import('#edge/runtime/password.ts');
  expect(cheapHash('x')).toMatch(/^scrypt\$1024/);
  return hashPersonPassword('something-Else-7');
}
