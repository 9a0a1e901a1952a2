import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { DocumentChange } from '#edge/store/documents.ts';
import { openReader } from '#edge/store/reader.ts';
import { open, point, reading, start, temporaryFolder } from '../../fixtures/store/site.ts';

const lin = {
  name: '林',
  role: 'viewer',
  zones: ['east-gate'],
  password: 'scrypt:first',
  totp: null,
  recovery: [],
  oidc: null,
  disabled: false,
  expired: true,
  passwordTime: start,
  created: start,
};
const put = (change: Partial<DocumentChange> = {}): { documents: DocumentChange[] } => ({
  documents: [
    {
      kind: 'person',
      id: 'lin',
      rev: 0,
      time: start,
      who: 'person:chief',
      from: '192.0.2.7',
      why: 'new guard',
      body: lin,
      ...change,
    },
  ],
});

describe('documents', () => {
  test('are created, changed and removed, each with a line in the audit that keeps secrets to itself', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.append(put());
    using reader = openReader(folder.path);
    expect(reader.document('person', 'lin')).toEqual({
      id: 'lin',
      rev: 1,
      time: start,
      who: 'person:chief',
      body: lin,
    });
    const later = { ...lin, role: 'security', password: 'scrypt:second' };
    await store.append(put({ rev: 1, time: start + 5, why: 'promoted', body: later }));
    expect(reader.documents('person')).toEqual([
      { id: 'lin', rev: 2, time: start + 5, who: 'person:chief', body: later },
    ]);
    await store.append(put({ rev: 2, body: null, what: 'person.remove lin (left)' }));
    expect(reader.document('person', 'lin')).toBeNull();
    const lines = reader.audit(0, 10);
    expect(lines.map(({ who, from, what, why }) => [who, from, what, why])).toEqual([
      ['person:chief', '192.0.2.7', 'person.create lin', 'new guard'],
      ['person:chief', '192.0.2.7', 'person.change lin', 'promoted'],
      ['person:chief', '192.0.2.7', 'person.remove lin (left)', 'new guard'],
    ]);
    expect(lines[0]?.result).toContain('role "viewer"; zones ["east-gate"]; password set');
    expect(lines[1]?.result).toBe('role "viewer" -> "security"; password changed');
    expect(JSON.stringify(lines)).not.toContain('scrypt:');
  });

  test('that somebody else changed meanwhile are refused, and nothing else that is committed with them', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.registerPoints([point('m-1/a')]);
    await store.append(put());
    const settled = await Promise.allSettled([
      store.append(put({ rev: 1, body: { ...lin, role: 'security' } })),
      store.append(put({ rev: 1, body: { ...lin, role: 'facility' } })),
      store.append({ readings: [reading('m-1/a', start, 7)] }),
      store.append(put({ rev: 0 })),
      store.append(put({ rev: 2, body: { ...lin, role: 'auditor' } })),
      store.append(put({ id: 'wang', rev: 3, body: null })),
    ]);
    const codes = settled.map((one) => (one.status === 'rejected' ? one.reason.code : 'ok'));
    expect(codes).toEqual(['ok', 'DOCUMENT_CHANGED', 'ok', 'DOCUMENT_CHANGED', 'ok', 'DOCUMENT_CHANGED']);
    using reader = openReader(folder.path);
    expect(reader.document('person', 'lin')).toMatchObject({ rev: 3, body: { role: 'auditor' } });
    expect(reader.audit(0, 10).map(({ what }) => what)).toEqual([
      'person.create lin',
      'person.change lin',
      'person.change lin',
    ]);
    expect(reader.history('m-1/a', start, start + 1)?.samples).toHaveLength(1);
  });

  test('of sessions, and what only notes a use, leave no line', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    const session = { person: 'lin', created: 1, lastSeen: 1, expires: 9, from: '::1', agent: 'x', method: 'password' };
    await store.append(put({ kind: 'session', id: 'a'.repeat(43), body: session }));
    const token = {
      name: 'T',
      digest: 'd',
      scopes: ['see'],
      zones: 'all',
      by: 'person:lin',
      created: 1,
      expires: null,
    };
    await store.append(put({ kind: 'token', id: 't', body: { ...token, lastUsed: null } }));
    await store.append(put({ kind: 'token', id: 't', rev: 1, body: { ...token, lastUsed: 5 } }));
    using reader = openReader(folder.path);
    expect(reader.document('token', 't')).toMatchObject({ rev: 2, body: { lastUsed: 5 } });
    expect(reader.audit(0, 10).map(({ what }) => what)).toEqual(['token.create t']);
  });

  test('may not be more than a campus can have of them', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    const plan = (i: number) =>
      put({
        kind: 'plan',
        id: `plan-${i}`,
        body: {
          name: { zh: '一', en: '1' },
          floor: null,
          file: `${'0'.repeat(64)}.png`,
          width: 1,
          height: 1,
          order: 0,
        },
      });
    await Promise.all(Array.from({ length: 500 }, (_, i) => store.append(plan(i))));
    await expect(store.append(plan(500))).rejects.toMatchObject({ code: 'DOCUMENT_LIMIT' });
  });

  test('of an older version are read with defaults, and one that makes no sense is named', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.append(put());
    using other = closing(`${folder.path}/campus.db`);
    const { recovery: _r, oidc: _o, disabled: _d, ...old } = lin;
    other.db.prepare('UPDATE document SET body = ?').run(JSON.stringify({ ...old, nickname: 'gone by now' }));
    using reader = openReader(folder.path);
    expect(reader.document('person', 'lin')?.body).toEqual(lin);
    other.db.prepare('UPDATE document SET body = ?').run(JSON.stringify({ ...old, role: 'king' }));
    expect(() => reader.document('person', 'lin')).toThrowError('the stored person "lin" cannot be read: role');
  });
});

function closing(file: string): Disposable & { readonly db: Database.Database } {
  const db = new Database(file);
  return { db, [Symbol.dispose]: () => db.close() };
}
