import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { AuditLine } from '#edge/domain/audit.ts';
import { type AuditVerdict, verifyAudit } from '#edge/store/audit-chain.ts';
import { AuditLog } from '#edge/store/audit-log.ts';
import { openDatabase } from '#edge/store/database.ts';
import { migrations } from '#edge/store/migrations.ts';
import { openReader } from '#edge/store/reader.ts';
import { day, open, retention, start, temporaryFolder } from '../../fixtures/store/site.ts';

const line = (n: number, more: Partial<AuditLine> = {}): AuditLine => ({
  time: start + n * 1_000,
  who: 'person:lin',
  from: '192.0.2.7',
  what: `request relay-1/relay_${n}=true`,
  why: 'cold 冷',
  result: 'holding',
  ...more,
});
const lines = (count: number) => Array.from({ length: count }, (_, i) => line(i + 1));

/** Core's writer of the audit without its thread: opens the folder, appends, anchors, ends. */
function runCore(path: string, audit: readonly AuditLine[] = []): void {
  const { db } = openDatabase(path, start, 'trust');
  const log = new AuditLog(db, path, start, (work) => db.transaction(work)());
  db.transaction(() => {
    for (const { time, who, from, what, why, result } of audit) log.append([time, who, from, what, why, result]);
  })();
  log.anchor();
  db.close();
}

/** A folder whose audit has so many lines, and whose core has stopped. */
async function campus(count: number): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await temporaryFolder();
  runCore(folder.path, lines(count));
  return folder;
}

/** Whoever has the file and any SQLite tool. */
function forge(path: string, ...statements: string[]): void {
  const db = new Database(join(path, 'campus.db'));
  const triggers = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all();
  for (const name of triggers) db.exec(`DROP TRIGGER ${name}`);
  for (const sql of statements) db.exec(sql);
  db.close();
}

const found = ({ faults }: AuditVerdict) => faults.map(({ seq, message }) => `${seq}: ${message}`);

describe('the audit chain', () => {
  test('verifies what was written, whatever the words, while core writes and while it does not', async () => {
    await using folder = await temporaryFolder();
    const strange = [
      line(1, { what: 'half \ud83d a pair', why: 'a\u0000b\u2028', result: '' }),
      line(2, { who: '"],[' }),
    ];
    {
      await using store = await open(folder.path);
      expect(await verifyAudit(folder.path)).toEqual({ ok: true, lines: 0, faults: [], oldest: null, head: '' });
      await store.append({ audit: strange });
      await Promise.all(lines(500).map((one) => store.append({ audit: [one] })));
      expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, lines: 502 });
    }
    using reader = openReader(folder.path);
    const verdict = await verifyAudit(folder.path);
    expect(verdict).toMatchObject({ ok: true, lines: 502, faults: [], oldest: start + 1_000 });
    expect(reader.auditHead()).toMatchObject({ seq: 502, hash: verdict.head });
    expect(reader.audit(0, 1)[0]?.what).toBe('half \ufffd a pair');
  });

  const ways: readonly (readonly [string, readonly string[], number])[] = [
    ['altering a word of the first line', ["UPDATE audit SET result = 'refused' WHERE seq = 1"], 1],
    ['altering who it was in the middle', ["UPDATE audit SET who = 'person:wang' WHERE seq = 7"], 7],
    ['altering the time of the last line', ['UPDATE audit SET time = time + 1 WHERE seq = 20'], 20],
    ['altering the address', ["UPDATE audit SET origin = '192.0.2.9' WHERE seq = 3"], 3],
    ['altering a hash', ["UPDATE audit SET hash = x'00' WHERE seq = 12"], 12],
    ['giving a hash another type', ['UPDATE audit SET hash = 7 WHERE seq = 12'], 12],
    [
      'moving a word from one field to the next',
      ["UPDATE audit SET why = 'cold', result = ' 冷holding' WHERE seq = 5"],
      5,
    ],
    ['deleting the first line', ['DELETE FROM audit WHERE seq = 1'], 1],
    ['deleting a line in the middle', ['DELETE FROM audit WHERE seq = 9'], 9],
    ['deleting the last line', ['DELETE FROM audit WHERE seq = 20'], 20],
    ['deleting the last ten', ['DELETE FROM audit WHERE seq > 10'], 11],
    ['deleting all', ['DELETE FROM audit'], 1],
    [
      'deleting a line and closing the numbers behind it',
      ['DELETE FROM audit WHERE seq = 9', 'UPDATE audit SET seq = seq - 1 WHERE seq > 9'],
      9,
    ],
    [
      'swapping two lines',
      [
        'UPDATE audit SET seq = -1 WHERE seq = 4',
        'UPDATE audit SET seq = 4 WHERE seq = 5',
        'UPDATE audit SET seq = 5 WHERE seq = -1',
      ],
      4,
    ],
    [
      'putting a line at the end',
      ["INSERT INTO audit SELECT 21, time, who, origin, 'login', why, result, hash FROM audit WHERE seq = 20"],
      21,
    ],
    [
      'putting a line in between',
      [
        'UPDATE audit SET seq = -seq WHERE seq > 9',
        'UPDATE audit SET seq = 1 - seq WHERE seq < 0',
        "INSERT INTO audit SELECT 10, time, who, origin, 'login', why, result, hash FROM audit WHERE seq = 9",
      ],
      10,
    ],
    [
      'putting a line before the first',
      ["INSERT INTO audit SELECT 0, time, who, origin, 'login', why, result, hash FROM audit WHERE seq = 1"],
      0,
    ],
    [
      'saying that retention let go of the first lines',
      [
        "INSERT INTO audit_released SELECT seq, time, 'older than 400 days', hash, x'00' FROM audit WHERE seq = 5",
        'DELETE FROM audit WHERE seq <= 5',
      ],
      5,
    ],
    [
      'saying so as before there were chains',
      ["INSERT INTO audit_released (upto, time, why) VALUES (5, 0, 'old')", 'DELETE FROM audit WHERE seq <= 5'],
      1,
    ],
  ];
  test.each(ways)(
    'finds %s, with the triggers dropped first; and still after core has run again',
    async (_, sql, seq) => {
      await using folder = await campus(20);
      forge(folder.path, ...sql);
      const verdict = await verifyAudit(folder.path);
      expect(verdict.ok).toBe(false);
      expect(verdict.faults[0]?.seq).toBe(seq);
      runCore(folder.path, [line(99)]);
      const later = await verifyAudit(folder.path);
      expect(later.ok).toBe(false);
      expect(later.faults.map((fault) => fault.seq)).toContain(seq);
    },
  );

  test('says of how many more it knows when there are too many to name', async () => {
    await using folder = await campus(200);
    forge(folder.path, "UPDATE audit SET who = 'person:nobody'");
    const { faults, lines: count } = await verifyAudit(folder.path);
    expect(count).toBe(200);
    expect(faults).toHaveLength(21);
    expect(faults.at(-1)?.message).toBe('and 180 more');
  });

  test('finds lines taken from the end with the anchor that remembered them, and without any', async () => {
    await using folder = await campus(5);
    const before = readFileSync(join(folder.path, 'audit-head'), 'utf8');
    runCore(folder.path, lines(5));
    forge(folder.path, 'DELETE FROM audit WHERE seq > 5');
    expect(found(await verifyAudit(folder.path))).toEqual([
      expect.stringContaining(
        '6: audit-head names line 10 of 2026-11-02 00:00:05 UTC, but the newest line in the database was 5',
      ),
    ]);
    for (const [text, says] of [
      ['nonsense\n', 'audit-head is damaged'],
      [before.replace(/^5 /, '4 '), 'audit-head is damaged'],
    ] as const) {
      writeFileSync(join(folder.path, 'audit-head'), text);
      expect(found(await verifyAudit(folder.path))).toEqual([expect.stringContaining(says)]);
    }
    rmSync(join(folder.path, 'audit-head'));
    expect(found(await verifyAudit(folder.path))).toEqual([expect.stringContaining('audit-head is missing')]);
    runCore(folder.path);
    expect(found(await verifyAudit(folder.path))).toEqual([
      expect.stringMatching(/^6: line 6 is missing \(as line 7 of .* says: audit-head was missing/),
    ]);
  });

  test('explains an older database that was put back, goes on behind what the anchor names, and never reuses a number', async () => {
    await using folder = await campus(5);
    cpSync(join(folder.path, 'campus.db'), join(folder.path, 'older.db'));
    runCore(folder.path, lines(7));
    cpSync(join(folder.path, 'older.db'), join(folder.path, 'campus.db'));
    runCore(folder.path, [line(1)]);
    using reader = openReader(folder.path);
    expect(reader.audit(5, 10).map(({ seq, who, what, result }) => [seq, who, what, result])).toEqual([
      [13, 'process:core', 'audit.break', 'lines 6 to 12 are missing here'],
      [14, 'person:lin', 'request relay-1/relay_1=true', 'holding'],
    ]);
    const [fault, ...others] = (await verifyAudit(folder.path)).faults;
    expect(others).toEqual([]);
    expect(fault?.seq).toBe(6);
    expect(fault?.message).toMatch(/^lines 6 to 12 are missing \(as line 13 of .*an older back-up was restored/);
  });

  test('notices a database of another history, and one written with another key', async () => {
    await using folder = await campus(5);
    await using other = await campus(5);
    const keyFile = (path: string) => join(path, 'keys/audit.key');
    expect(statSync(keyFile(folder.path)).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder.path, 'keys')).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder.path, 'audit-head')).mode & 0o777).toBe(0o600);
    cpSync(join(other.path, 'campus.db'), join(folder.path, 'campus.db'));
    const verdict = await verifyAudit(folder.path);
    expect(verdict.faults[0]).toEqual({ seq: 1, message: expect.stringContaining('not as it was written') });
    rmSync(keyFile(folder.path));
    expect(found(await verifyAudit(folder.path))).toEqual([expect.stringContaining('no line can be verified')]);
    runCore(folder.path);
    using reader = openReader(folder.path);
    expect(reader.newestAudit(1)[0]).toMatchObject({ what: 'audit.break', why: 'the key of the audit was missing' });
    expect((await verifyAudit(folder.path)).ok).toBe(false);
  });

  test('begins behind what retention let go of, and finds what is taken or put there by others', async () => {
    await using folder = await temporaryFolder();
    const now = start + 300 * day;
    {
      await using store = await open(folder.path, {}, { retention: { ...retention, audit: 200 * day } });
      await store.append({ audit: lines(1_234) });
      await store.append({ audit: [line(1, { time: now }), line(2, { time: now })] });
      await store.maintain(now);
      expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, lines: 3, oldest: now });
    }
    using reader = openReader(folder.path);
    expect(reader.audit(0, 10).map(({ seq, what }) => [seq, what])).toEqual([
      [1_235, 'request relay-1/relay_1=true'],
      [1_236, 'request relay-1/relay_2=true'],
      [1_237, 'retention drop audit lines'],
    ]);
    expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, lines: 3 });
    forge(
      folder.path,
      "INSERT INTO audit SELECT 7, time, who, origin, what, why, 'x', hash FROM audit WHERE seq = 1235",
    );
    expect((await verifyAudit(folder.path)).faults[0]).toMatchObject({ seq: 7 });
    forge(folder.path, 'DELETE FROM audit WHERE seq IN (7, 1235)');
    expect((await verifyAudit(folder.path)).faults[0]).toMatchObject({ seq: 1_235 });
    forge(folder.path, 'DELETE FROM audit_released WHERE rowid = (SELECT max(rowid) FROM audit_released)');
    expect((await verifyAudit(folder.path)).ok).toBe(false);
  });

  test('never lets go of a line that is younger than 180 days, whatever is asked and however full the disk is', async () => {
    await using folder = await temporaryFolder();
    const strict = { ...retention, audit: day, database: 1, freeSpaceFloor: 1e18 };
    await using store = await open(folder.path, {}, { retention: strict });
    await store.append({ audit: [line(1), line(2, { time: start + 2 * day })] });
    await store.maintain(start + 180 * day);
    using reader = openReader(folder.path);
    expect(reader.audit(0, 1)[0]?.seq).toBe(1);
    await store.maintain(start + 182 * day);
    expect(reader.audit(0, 1)[0]?.seq).toBe(2);
  });

  test('takes in the lines of an older version, and a migration that was cut short', async () => {
    await using folder = await temporaryFolder();
    const old = new Database(join(folder.path, 'campus.db'));
    for (const step of migrations.slice(0, 2)) old.exec(String(step));
    old.pragma('user_version = 2');
    const insert = old.prepare("INSERT INTO audit VALUES (?, ?, 'person:lin', 'web', 'what', '', 'done')");
    old.transaction(() => {
      for (let seq = 41; seq <= 2_540; seq++) insert.run(seq, start + seq);
    })();
    old.exec("INSERT INTO audit_released VALUES (40, 0, 'older than 400 days')");
    old.close();
    const copy = readFileSync(join(folder.path, 'campus.db'));
    runCore(folder.path);
    expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, lines: 2_500, oldest: start + 41 });
    // Key and anchor are there already, and the database is not chained yet.
    for (const name of ['campus.db-wal', 'campus.db-shm']) rmSync(join(folder.path, name), { force: true });
    writeFileSync(join(folder.path, 'campus.db'), copy);
    runCore(folder.path);
    expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, lines: 2_500 });
    // The same trick with lines left out is no migration that was cut short.
    writeFileSync(join(folder.path, 'campus.db'), copy);
    forge(folder.path, 'DELETE FROM audit WHERE seq > 2000');
    runCore(folder.path);
    expect(found(await verifyAudit(folder.path))).toEqual([
      expect.stringContaining('2001: lines 2001 to 2540 are missing'),
    ]);
  });

  test('is anchored within about a second while core runs, and a stale anchor is no fault', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.append({ audit: [line(1)] });
    const anchor = () => readFileSync(join(folder.path, 'audit-head'), 'utf8');
    await expect.poll(anchor, { timeout: 10_000 }).toMatch(/^1 /);
    const stale = anchor();
    await store.append({ audit: [line(2)] });
    await expect.poll(anchor, { timeout: 10_000 }).toMatch(/^2 /);
    // As after a kill between a commit and its anchor.
    writeFileSync(join(folder.path, 'audit-head'), stale);
    expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, lines: 2 });
  });

  test('is said to be unanchored when the file beside the database cannot be written, and goes on', async () => {
    await using folder = await temporaryFolder();
    const database = new Database(join(folder.path, 'own.db'));
    for (const step of migrations) {
      if (typeof step === 'string') database.exec(step);
      else step({ db: database, folder: folder.path, now: start });
    }
    const log = new AuditLog(database, folder.path, start, (work) => work());
    expect(log.isUnanchored).toBe(false);
    log.append([start, 'person:lin', 'web', 'a', '', '']);
    expect(log.isUnanchored).toBe(true);
    rmSync(join(folder.path, 'audit-head'));
    cpSync(join(folder.path, 'keys'), join(folder.path, 'audit-head.new'), { recursive: true });
    expect(() => log.anchor()).toThrowError('cannot write');
    log.append([start, 'person:lin', 'web', 'b', '', '']);
    rmSync(join(folder.path, 'audit-head.new'), { recursive: true });
    log.anchor();
    expect(log.isUnanchored).toBe(false);
    database.close();
  });
});

describe('a copy of the database', () => {
  test('is whole and verifies with the anchor that came with it, while appends and retention go on', async () => {
    await using folder = await temporaryFolder();
    await using elsewhere = await temporaryFolder();
    await using store = await open(folder.path, {}, { retention: { ...retention, audit: 200 * day } });
    const padding = () => randomBytes(400).toString('hex');
    for (let i = 0; i < 30; i++) {
      await store.append({ audit: Array.from({ length: 400 }, (_, n) => line(n, { why: padding() })) });
    }
    const file = join(folder.path, 'copy.db');
    let isDone = false;
    let appended = 0;
    const copying = store.copy(file).finally(() => {
      isDone = true;
    });
    const maintained = store.maintain(start + 300 * day);
    while (!isDone) await store.append({ audit: [line(appended++, { time: start + 300 * day })] });
    await maintained;
    const { bytes, head } = await copying;
    expect(appended).toBeGreaterThan(1);
    expect(bytes).toBe(statSync(file).size);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(`${file}-journal`)).toBe(false);
    cpSync(file, join(elsewhere.path, 'campus.db'));
    cpSync(join(folder.path, 'keys'), join(elsewhere.path, 'keys'), { recursive: true });
    writeFileSync(join(elsewhere.path, 'audit-head'), head);
    const check = new Database(file, { readonly: true });
    expect(check.pragma('integrity_check', { simple: true })).toBe('ok');
    check.close();
    const verdict = await verifyAudit(elsewhere.path);
    expect(verdict).toMatchObject({ ok: true, faults: [] });
    expect(verdict.lines).toBeGreaterThan(1);
    await expect(store.copy(file)).rejects.toMatchObject({ code: 'STORE_COPY' });
    await expect(store.copy(join(folder.path, 'nowhere/copy.db'))).rejects.toMatchObject({ code: 'STORE_COPY' });
    await store.append({ audit: [line(1)] });
    expect(store.ready).toBe(true);
  });
});
