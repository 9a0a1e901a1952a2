import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PersonView, TokenView } from '#edge/web/people-schemas.ts';
import { type Browser, type PeopleRoom, passwordOf, problemOf, startPeopleRoom } from './people-room.ts';

let room: PeopleRoom;
let admin: Browser;
beforeAll(async () => {
  room = await startPeopleRoom();
});
beforeEach(async () => {
  await room.reset();
  await room.addPerson('lin', 'administrator');
  admin = await room.signedIn('lin');
});
afterAll(async () => await room[Symbol.asyncDispose]());

const strong = 'Willow-42-harbour';
const get = async <T>(browser: Browser, path: string) => (await (await browser.get(path)).json()) as T;
const person = async (id: string) => {
  const found = (await get<PersonView[]>(admin, 'people')).find((one) => one.id === id);
  if (found === undefined) throw new Error(`there is no ${id}`);
  return found;
};
const patch = async (id: string, change: object) =>
  admin.send('PATCH', `people/${id}`, { rev: (await person(id)).rev, ...change });

describe('an account', () => {
  const body = { id: 'zhou', name: '周', role: 'security', zones: ['gate'], password: strong };

  test('is made with a password that must be changed first: until then nothing else is answered', async () => {
    const made = await admin.post('people', body);
    expect(made.status).toBe(201);
    expect(await made.json()).toMatchObject({ id: 'zhou', rev: 1, mustChangePassword: true, hasPassword: true });
    const browser = room.browser();
    expect(await (await browser.signIn('zhou', strong)).json()).toMatchObject({ mustChangePassword: true });
    for (const path of ['points', 'campus', 'sessions', 'alarms', 'nothing-here']) {
      expect(await problemOf(await browser.get(path)), path).toMatchObject({ error: 'password-expired' });
    }
    const first = browser.cookies.get('campus');
    const weak = await browser.post('me/password', { old: strong, password: strong });
    expect(await problemOf(weak)).toEqual({ status: 400, error: 'weak-password' });
    const changed = await browser.become(
      await browser.post('me/password', { old: strong, password: 'Marble-Gate-9!' }),
    );
    expect(await changed.json()).toMatchObject({ mustChangePassword: false });
    expect(browser.cookies.get('campus')).not.toBe(first);
    expect((await browser.get('points')).status).toBe(200);
    expect(room.audit().map(({ who, what }) => `${who} ${what}`)).toContain('person:zhou person.change-password zhou');
  });

  test('is refused when it is there already, in words', async () => {
    await admin.post('people', body);
    expect(await problemOf(await admin.post('people', body))).toEqual({ status: 409, error: 'document-exists' });
    for (const wrong of [
      { zones: ['nowhere'] },
      { password: '123' },
      { id: 'No Slug' },
      { role: 'god' },
      { extra: 1 },
    ]) {
      expect((await admin.post('people', { ...body, id: 'other', ...wrong })).status, JSON.stringify(wrong)).toBe(400);
    }
    expect((await admin.post('people', { id: 'other', name: 'x', role: 'viewer', zones: 'all' })).status).toBe(400);
  });

  test('that two administrators change at once is changed by one of them', async () => {
    await room.addPerson('wang', 'security');
    const { rev } = await person('wang');
    expect((await admin.send('PATCH', 'people/wang', { rev, name: 'A' })).status).toBe(200);
    const late = await admin.send('PATCH', 'people/wang', { rev, name: 'B' });
    expect(await problemOf(late)).toEqual({ status: 409, error: 'document-changed' });
  });

  test.each([
    ['its role', { role: 'viewer', zones: ['teaching'] }],
    ['its zones', { zones: ['gate'] }],
    ['its password', { password: strong }],
    ['that it is disabled', { disabled: true }],
  ])('loses its sessions and streams when somebody changes %s', async (_, change) => {
    await room.addPerson('wang', 'security');
    const browser = await room.signedIn('wang');
    const stream = await browser.get('stream');
    const ended = (async () => {
      for await (const _ of stream.body ?? []);
      return true;
    })();
    expect((await patch('wang', { name: 'Wang' })).status).toBe(200);
    expect((await browser.get('points')).status).toBe(200);
    expect((await patch('wang', change)).status).toBe(200);
    expect((await browser.get('points')).status).toBe(401);
    expect(await ended).toBe(true);
  });

  test('cannot change its own role, disable, reset or remove itself, and the last administrator stays', async () => {
    for (const change of [{ role: 'viewer', zones: 'all' }, { disabled: true }, { password: strong }]) {
      expect(await problemOf(await patch('lin', change))).toEqual({ status: 403, error: 'forbidden' });
    }
    expect((await admin.send('DELETE', 'people/lin')).status).toBe(403);
    expect((await patch('lin', { name: 'Lin', zones: 'all' })).status).toBe(200);
    const { rev } = await person('lin');
    const local = (method: string, data?: object) =>
      room.web.ask('/api/v1/people/lin', {
        method,
        headers: data === undefined ? {} : { 'content-type': 'application/json' },
        ...(data === undefined ? {} : { body: JSON.stringify(data) }),
      });
    for (const answer of [
      await local('DELETE'),
      await local('PATCH', { rev, disabled: true }),
      await local('PATCH', { rev, role: 'viewer', zones: 'all' }),
    ]) {
      expect(await problemOf(answer)).toEqual({ status: 409, error: 'last-administrator' });
    }
    await room.addPerson('second', 'administrator');
    expect((await local('DELETE')).status).toBe(204);
    expect((await admin.get('people')).status).toBe(401);
  });

  test('of two administrators who remove each other in the same moment, one stays', async () => {
    await room.addPerson('second', 'administrator');
    const second = await room.signedIn('second');
    const answers = await Promise.all([admin.send('DELETE', 'people/second'), second.send('DELETE', 'people/lin')]);
    expect(answers.map(({ status }) => status)).toContain(204);
    expect(room.reader.documents('person')).toHaveLength(1);
  });

  test('never becomes an auditor, nor ceases to be one', async () => {
    await room.addPerson('second', 'administrator');
    await room.addPerson('judge', 'auditor');
    await room.addPerson('wang', 'security');
    for (const [id, role] of [
      ['second', 'auditor'],
      ['wang', 'auditor'],
      ['judge', 'administrator'],
      ['judge', 'viewer'],
    ] as const) {
      expect(await problemOf(await patch(id, { role, zones: 'all' })), `${id} ${role}`).toEqual({
        status: 409,
        error: 'roles-apart',
      });
    }
    const auditor = await room.signedIn('judge');
    expect(await auditor.me()).toMatchObject({ role: 'auditor', rights: ['see', 'export', 'audit', 'security'] });
    expect(await admin.me()).toMatchObject({ rights: expect.not.arrayContaining(['audit']) });
    expect((await auditor.post('requests', {})).status).toBe(403);
  });

  test('of a role whose work is the whole campus has no zones of its own', async () => {
    const narrow = await admin.post('people', { ...body, role: 'administrator', zones: ['gate'] });
    expect(await problemOf(narrow)).toEqual({ status: 400, error: 'bad-zones' });
    await room.addPerson('wang', 'security');
    expect((await patch('wang', { role: 'administrator' })).status).toBe(200);
    expect(await person('wang')).toMatchObject({ role: 'administrator', zones: 'all' });
    expect(await problemOf(await patch('wang', { role: 'viewer' }))).toEqual({ status: 400, error: 'bad-zones' });
  });
});

describe('the second factor', () => {
  /** The code of `steps` half minutes from now. */
  const codeOf = (secret: string, steps = 0) =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: room.clock.now() + steps * 30_000 });

  async function turnOn(): Promise<{ secret: string; recovery: string[] }> {
    const offer = await admin.post('me/totp', { password: passwordOf('lin') });
    const { secret, uri, qr } = (await offer.json()) as { secret: string; uri: string; qr: string };
    expect(uri).toMatch(/^otpauth:\/\/totp\/Campus%20Edge.*:lin\?/);
    expect(qr).toMatch(/^<svg /);
    const wrong = await admin.post('me/totp/confirm', { code: '000000' });
    expect(await problemOf(wrong)).toEqual({ status: 400, error: 'wrong-code' });
    const confirmed = await admin.post('me/totp/confirm', { code: codeOf(secret) });
    expect(confirmed.status).toBe(200);
    return { secret, ...((await confirmed.json()) as { recovery: string[] }) };
  }

  test('is asked for once it is on, each code works once, and a phone may be half a minute off', async () => {
    expect(await problemOf(await admin.post('me/totp', { password: 'wrong' }))).toMatchObject({ status: 401 });
    const { secret } = await turnOn();
    const stored = room.reader.document('person', 'lin');
    expect(JSON.stringify(stored)).not.toContain(secret);
    expect(stored?.body.totp).toMatch(/^s1\./);
    const signIn = (totp?: string) => room.browser().signIn('lin', passwordOf('lin'), totp);
    expect(await problemOf(await signIn())).toEqual({ status: 401, error: 'totp-needed' });
    expect(await problemOf(await signIn(codeOf(secret)))).toEqual({ status: 401, error: 'wrong-credentials' });
    room.clock.advance(30_000);
    expect((await signIn(codeOf(secret))).status).toBe(200);
    expect((await signIn(codeOf(secret))).status).toBe(401);
    await room.restartWeb();
    expect((await signIn(codeOf(secret))).status).toBe(401);
    room.clock.advance(60_000);
    expect((await signIn(codeOf(secret, -1))).status).toBe(200);
    room.clock.advance(60_000);
    expect((await signIn(codeOf(secret, 1))).status).toBe(200);
    expect((await signIn(codeOf(secret, 5))).status).toBe(401);
    expect(await admin.me()).toMatchObject({ totp: true });
  });

  test('has ten recovery codes, each of which works once and is a digest in the store', async () => {
    const { recovery } = await turnOn();
    expect(recovery).toHaveLength(10);
    const [code = ''] = recovery;
    expect(JSON.stringify(room.reader.documents('person'))).not.toContain(code);
    const signIn = (totp: string) => room.browser().signIn('lin', passwordOf('lin'), totp);
    const both = await Promise.all([signIn(code.toLowerCase()), signIn(code)]);
    expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await signIn(code)).status).toBe(401);
    expect(room.reader.document('person', 'lin')?.body.recovery).toHaveLength(9);
    expect(room.audit().map(({ what }) => what)).toContain('person.use-recovery-code lin');
  });

  test('is guessed no more often than a password', async () => {
    await turnOn();
    for (let i = 0; i < 5; i++) await room.browser().signIn('lin', passwordOf('lin'), '123456');
    expect(await problemOf(await room.browser().signIn('lin', passwordOf('lin'), '123456'))).toMatchObject({
      error: 'locked',
    });
  });

  test('is taken off by its owner with his password, or by an administrator for a lost phone', async () => {
    await turnOn();
    expect((await admin.post('me/totp/remove', { password: 'wrong' })).status).toBe(401);
    expect((await admin.post('me/totp/remove', { password: passwordOf('lin') })).status).toBe(204);
    expect((await room.browser().signIn('lin')).status).toBe(200);
    await turnOn();
    const { rev } = await person('lin');
    const reset = await room.web.ask('/api/v1/people/lin', {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ rev, totp: null }),
    });
    expect(await reset.json()).toMatchObject({ totp: false });
    expect((await room.browser().signIn('lin')).status).toBe(200);
  });
});

describe('a token', () => {
  const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
  async function make(given: object): Promise<string> {
    const made = await admin.post('tokens', { id: 'board', name: 'Board', scopes: ['see'], ...given });
    expect(made.status).toBe(201);
    return ((await made.json()) as { secret: string }).secret;
  }

  test('opens what its scopes say in its zones, is shown once, kept as a digest, and needs no CSRF header', async () => {
    const secret = await make({ zones: ['gate'], scopes: ['see', 'people'] });
    expect(secret).toMatch(/^board\.[\w-]{43}$/);
    expect(JSON.stringify(room.reader.documents('token'))).not.toContain(secret.slice(6));
    const list = await get<TokenView[]>(admin, 'tokens');
    expect(list).toEqual([
      expect.objectContaining({
        id: 'board',
        by: 'person:lin',
        scopes: ['see', 'people'],
        zones: ['gate'],
        lastUsed: null,
      }),
    ]);
    expect(JSON.stringify(list)).not.toMatch(/digest|secret/);
    const machine = room.browser();
    expect((await machine.get('points', bearer(secret))).status).toBe(200);
    expect((await machine.ask('/metrics', { headers: bearer(secret) })).status).toBe(403);
    const given = { id: 'more', name: 'More', scopes: ['see'], zones: ['gate'] };
    expect((await machine.post('tokens', given, bearer(secret))).status).toBe(201);
    await vi.waitFor(async () => {
      const [used] = await get<TokenView[]>(admin, 'tokens');
      expect(used?.lastUsed).toBe(room.clock.now());
    });
  });

  test('gives nobody what it has not: no scope, no zone, no role above its own', async () => {
    const secret = await make({ zones: ['gate'], scopes: ['see', 'people'] });
    const machine = room.browser();
    const post = (path: string, body: object) => machine.post(path, body, bearer(secret));
    for (const [path, body] of [
      ['tokens', { id: 'more', name: 'x', scopes: ['see', 'operate'], zones: ['gate'] }],
      ['tokens', { id: 'more', name: 'x', scopes: ['see'], zones: ['teaching'] }],
      ['tokens', { id: 'more', name: 'x', scopes: ['see'] }],
      ['people', { id: 'more', name: 'x', role: 'administrator', zones: 'all', password: strong }],
      ['people', { id: 'more', name: 'x', role: 'viewer', zones: 'all', password: strong }],
    ] as const) {
      expect(await problemOf(await post(path, body)), JSON.stringify(body)).toEqual({
        status: 403,
        error: 'forbidden',
      });
    }
    const { rev } = await person('lin');
    const takeOver = await machine.send('PATCH', 'people/lin', { rev, password: strong }, bearer(secret));
    expect(takeOver.status).toBe(403);
    expect((await machine.send('DELETE', 'people/lin', undefined, bearer(secret))).status).toBe(403);
    expect((await admin.post('tokens', { id: 'aud', name: 'x', scopes: ['audit'] })).status).toBe(403);
    for (const path of ['me/password', 'me/totp', 'me/totp/remove', 'me/totp/confirm']) {
      const body = { old: 'x', password: 'x', code: '123456' };
      const answer = await machine.post(
        path,
        path === 'me/password'
          ? { old: 'x', password: 'y' }
          : path.endsWith('confirm')
            ? { code: '1' }
            : { password: body.password },
        bearer(secret),
      );
      expect(answer.status, path).toBe(403);
    }
  });

  test('ends when it expires or is removed, and its stream with it; a bad one is not saved by a good cookie', async () => {
    const secret = await make({ days: 1 });
    const machine = room.browser();
    expect((await machine.get('points', bearer(secret))).status).toBe(200);
    expect((await admin.get('points', bearer(`${secret}x`))).status).toBe(401);
    const stream = await machine.get('stream', bearer(secret));
    const ended = (async () => {
      for await (const _ of stream.body ?? []);
      return true;
    })();
    expect((await admin.send('DELETE', 'tokens/board')).status).toBe(204);
    expect(await ended).toBe(true);
    expect((await machine.get('points', bearer(secret))).status).toBe(401);
    const again = await make({ days: 1 });
    room.clock.advance(25 * 3_600_000);
    expect((await machine.get('points', bearer(again))).status).toBe(401);
    const { status } = await room.web.ask('/api/v1/tokens', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'local', name: 'x', scopes: ['see'] }),
    });
    expect(status).toBe(409);
  });
});
