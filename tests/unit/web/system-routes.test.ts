import { mkdirSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { AuditPage, AuditVerdict, BackupView, LogView, SystemView } from '#edge/web/system-schemas.ts';
import { jsonBody, type PlaceRoom, startPlaceRoom } from './place-room.ts';
import { rawRequest } from './web-room.ts';

let room: PlaceRoom;
beforeAll(async () => {
  room = await startPlaceRoom({
    methods: {
      'store.copy': async (params) => room.open.copy(z.object({ file: z.string() }).parse(params).file),
    },
  });
  await room.open.append({
    audit: Array.from({ length: 25 }, (_, n) => ({
      time: 1_800_000_000_000 + n * 1_000,
      who: n % 2 === 0 ? 'person:lin' : 'interlock:fire',
      from: '192.0.2.5',
      what: `request relay-1/relay_${n}=true`,
      why: n === 3 ? '=HYPERLINK("http://x")' : '测试',
      result: n === 4 ? '<script>alert(1)</script>' : 'ok',
    })),
  });
});
afterAll(async () => await room[Symbol.asyncDispose]());

const json = async <T>(path: string, ask: PlaceRoom['ask'] = room.ask): Promise<T> =>
  (await (await ask(path)).json()) as T;

describe('the box', () => {
  test('says what it is and how it does', async () => {
    room.live.accept({
      kind: 'processes',
      body: [{ name: 'core', state: 'ready', pid: 1, restarts: 0, since: 5, lastExit: null, rss: 1, loopDelay: 2 }],
    });
    mkdirSync(join(room.data, 'plans'), { recursive: true });
    writeFileSync(join(room.data, 'plans', 'x'), 'x'.repeat(1_000));
    symlinkSync('/', join(room.data, 'plans', 'everything'));
    const system = await json<SystemView>('/api/v1/system');
    expect(system).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node: process.version,
      database: { schema: expect.any(Number), limit: 4e9 },
      certificate: null,
      processes: [{ name: 'core', state: 'ready', restarts: 0 }],
      lanes: expect.arrayContaining([{ lane: 'alarm', head: 0, watermark: 0, waiting: 0 }]),
      gaps: [],
    });
    expect(system.disk.free).toBeGreaterThan(0);
    expect(system.database.bytes).toBeGreaterThan(10_000);
    expect(system.bootTime).toBeLessThan(Date.now());
    expect(system.folders.find(({ name }) => name === 'plans')).toEqual({ name: 'plans', bytes: 1_000, files: 1 });
    expect(JSON.stringify(system)).not.toContain('pid');
  });

  test('answers also while there is no database', async () => {
    await using young = await startPlaceRoom({ store: false });
    expect(await json<SystemView>('/api/v1/system', young.ask)).toMatchObject({
      database: { bytes: 0, schema: 0 },
      lanes: [],
    });
  });
});

describe('the log', () => {
  const write = (name: string, lines: readonly object[]) => {
    mkdirSync(join(room.data, 'logs'), { recursive: true });
    writeFileSync(join(room.data, 'logs', name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  };
  const line = (n: number, msg: string, level = 30, more: object = {}) => ({
    level,
    time: new Date(1_800_000_000_000 + n).toISOString(),
    msg,
    ...more,
  });

  test('is shown page by page, by process and level, and what flows wrote into it is text', async () => {
    write('core.log', [line(1, 'one'), line(2, 'two', 40), line(3, 'three', 20)]);
    write('flows.log', [
      line(4, '<img onerror=alert(1)>\n{"level":60}\u001b[31m', 50, { fields: { a: 1 }, process: 'core' }),
    ]);
    const first = await json<LogView>('/api/v1/logs?limit=2');
    expect(first.lines.map(({ process, level, message }) => [process, level, message])).toEqual([
      ['flows', 'error', '<img onerror=alert(1)>\n{"level":60}\u001b[31m'],
      ['core', 'warn', 'two'],
    ]);
    const second = await json<LogView>(`/api/v1/logs?limit=2&before=${encodeURIComponent(first.before ?? '')}`);
    expect(second.lines.map(({ message }) => message)).toEqual(['one']);
    expect(second.before).toBeNull();
    expect((await json<LogView>('/api/v1/logs?process=core&level=debug')).lines).toHaveLength(3);
  });

  test.each([
    'process=../../etc/passwd',
    'process=core%00',
    'level=loud',
    'before=nonsense',
    'before=..%2f.1.2',
    'limit=0',
    'limit=10000',
  ])('%s is a bad request', async (query) => {
    expect((await room.ask(`/api/v1/logs?${query}`)).status).toBe(400);
  });
});

describe('the audit', () => {
  test('is looked through newest first, by who, what and when', async () => {
    const page = await json<AuditPage>('/api/v1/audit?limit=3&what=relay_');
    expect(page.lines.map(({ what }) => what)).toEqual([24, 23, 22].map((n) => `request relay-1/relay_${n}=true`));
    const older = await json<AuditPage>(`/api/v1/audit?limit=2&what=relay_&before=${page.before}`);
    expect(older.lines.map(({ what }) => what)).toEqual([21, 20].map((n) => `request relay-1/relay_${n}=true`));
    const lin = await json<AuditPage>('/api/v1/audit?who=person:lin&from=1800000000000&to=1800000005000');
    expect(lin.lines.map(({ seq }) => seq)).toHaveLength(3);
    expect((await json<AuditPage>('/api/v1/audit?who=&what=&limit=1')).lines).toHaveLength(1);
    expect((await room.ask('/api/v1/audit?before=0')).status).toBe(400);
  });

  test('is taken away as a table without formulas, and the taking is in it', async () => {
    const answer = await room.ask('/api/v1/audit.csv?lang=en&what=relay_');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="audit.csv"');
    const text = Buffer.from(await answer.arrayBuffer()).toString('utf8');
    const lines = text.trimEnd().split('\r\n');
    expect(lines[0]).toBe('\uFEFFNo.,Time,Who,From,What,Why,Result');
    expect(lines).toHaveLength(26);
    expect(lines[4]).toContain(`"'=HYPERLINK(""http://x"")"`);
    expect(lines[1]).toContain('2027-01-15T16:00:00.000+08:00');
    expect((await json<AuditPage>('/api/v1/audit?what=export%20audit&limit=1')).lines[0]).toMatchObject({
      who: 'token:local',
      what: 'export audit {"what":"relay_"}',
    });
  });

  test('is proved, and several who ask at once wait for one proof', async () => {
    const verdicts = await Promise.all([1, 2, 3].map(() => json<AuditVerdict>('/api/v1/audit/verify')));
    for (const verdict of verdicts)
      expect(verdict).toMatchObject({ ok: true, faults: [], head: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(verdicts[0]?.lines).toBeGreaterThanOrEqual(25);
  });
});

describe('back-ups', () => {
  test('are made, listed, fetched and audited, say that they hold secrets, and five are kept', async () => {
    mkdirSync(join(room.data, 'backups'), { recursive: true });
    for (const day of [1, 2, 3, 4, 5]) {
      const file = join(room.data, 'backups', `campus-2151009901-2026010${day}T000000Z.tar.gz`);
      writeFileSync(file, 'old');
      utimesSync(file, day, day);
    }
    const answer = await room.ask('/api/v1/backups', jsonBody('POST', {}));
    const made = (await answer.json()) as BackupView & { notice: { zh: string } };
    expect(answer.status, JSON.stringify(made)).toBe(200);
    expect(made.notice.zh).toContain('密钥');
    const list = await json<BackupView[]>('/api/v1/backups');
    expect(list).toHaveLength(5);
    expect(list[0]?.name).toBe(made.name);
    expect(list.map(({ name }) => name)).not.toContain('campus-2151009901-20260101T000000Z.tar.gz');
    const fetched = await room.ask(`/api/v1/backups/${made.name}`);
    expect(fetched.headers.get('content-disposition')).toBe(`attachment; filename="${made.name}"`);
    const archive = gunzipSync(Buffer.from(await fetched.arrayBuffer()));
    expect(archive.includes('campus.db')).toBe(true);
    expect(room.audited.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['backup.make', `backup.make ${made.name}`, `backup.fetch ${made.name}`]),
    );
    expect(statSync(join(room.data, 'backups', made.name)).mode & 0o077).toBe(0);
  });

  test('are one at a time', async () => {
    const [one, two] = await Promise.all([1, 2].map(() => room.ask('/api/v1/backups', { method: 'POST' })));
    expect([one?.status, two?.status].sort()).toEqual([200, 409]);
    expect(readdirSync(room.data).filter((name) => name.startsWith('.backup-'))).toEqual([]);
  });

  test('are the only files that can be fetched', async () => {
    writeFileSync(join(room.data, 'backups', 'notes.txt'), 'not a back-up');
    symlinkSync(
      join(room.data, 'admin-token'),
      join(room.data, 'backups', 'campus-2151009901-20260109T000000Z.tar.gz'),
    );
    const headers = { authorization: `Bearer ${room.token}` };
    for (const name of [
      'notes.txt',
      'campus-2151009901-20260109T000000Z.tar.gz',
      '..%2fadmin-token',
      '%2e%2e%2fadmin-token',
      '..%5cadmin-token',
      'campus-2151009901-20260102T000000Z.tar.gz%00',
      'campus-2151009901-20260102T000000Z.tar.gz%2f..%2f..%2fadmin-token',
    ]) {
      const { status, body } = await rawRequest(room, `/api/v1/backups/${name}`, { headers });
      expect([400, 404], name).toContain(status);
      expect(body).not.toContain(room.token);
    }
    expect((await json<BackupView[]>('/api/v1/backups')).map(({ name }) => name)).not.toContain(
      'campus-2151009901-20260109T000000Z.tar.gz',
    );
    rmSync(join(room.data, 'backups', 'notes.txt'));
  });
});

test('rights are kept apart, and none of this is for whoever is limited to zones', async () => {
  const paths = {
    system: ['/api/v1/system', '/api/v1/logs'],
    backup: ['/api/v1/backups'],
    audit: ['/api/v1/audit', '/api/v1/audit.csv', '/api/v1/audit/verify'],
  } as const;
  for (const right of ['system', 'backup', 'audit'] as const) {
    const ask = await room.as([right]);
    const limited = await room.as([right], ['gate']);
    for (const [other, list] of Object.entries(paths)) {
      for (const path of list) {
        const answer = await ask(path);
        await answer.arrayBuffer();
        expect(answer.status, `${right} ${path}`).toBe(other === right ? 200 : 403);
        expect((await limited(path)).status, `limited ${right} ${path}`).toBe(403);
      }
    }
  }
});
