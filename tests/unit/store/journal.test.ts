import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { Notice } from '#edge/domain/notice.ts';
import type { RuleDecision } from '#edge/domain/rule.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { AuditLog } from '#edge/store/audit-log.ts';
import { openDatabase } from '#edge/store/database.ts';
import { Outbox } from '#edge/store/outbox.ts';
import { openReader } from '#edge/store/reader.ts';
import { Retention } from '#edge/store/retention.ts';
import { diskSpace } from '#edge/store/space.ts';
import { day, minute, newId, open, retention, start, temporaryFolder } from '../../fixtures/store/site.ts';

const decision = (time: number, more: Partial<RuleDecision> = {}): RuleDecision => ({
  time,
  rule: 'leak',
  instance: 'leak',
  version: 1,
  shadow: false,
  what: 'fired',
  why: 'leak-1/water is true (good)',
  saw: [],
  did: ['alarm high'],
  ...more,
});
const notice = (created: number, more: Partial<Notice> = {}): Notice => ({
  id: newId(),
  about: 'alarm:01939d5e-0000-7000-8000-000000000000',
  class: 'high',
  title: { zh: '漏水', en: 'Leak' },
  text: { zh: '泵房', en: 'Pump room' },
  channel: 'mail',
  recipient: 'duty',
  step: 0,
  created,
  notBefore: created,
  expires: created + day,
  state: 'queued',
  attempts: 0,
  at: created,
  detail: '',
  ...more,
});

describe('the journal', () => {
  test('answers newest first, by rule, instance, shadow and time, page by page', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    const lines = Array.from({ length: 40 }, (_, i) =>
      decision(start + i * minute, {
        rule: i % 2 === 0 ? 'leak' : 'co2',
        instance: i % 2 === 0 ? 'leak' : `co2@room-${i % 4}`,
        shadow: i % 5 === 0,
      }),
    );
    await store.append({ journal: lines.slice(0, 20) });
    await store.append({ journal: lines.slice(20) });
    using reader = openReader(folder.path);
    const times = (filter: object) =>
      reader.journal({ limit: 100, ...filter }).map(({ time }) => (time - start) / minute);
    const descending = (fits: (i: number) => boolean) => lines.flatMap((_, i) => (fits(39 - i) ? [39 - i] : []));
    expect(times({})).toEqual(descending(() => true));
    expect(times({ rule: 'co2' })).toEqual(descending((i) => i % 2 === 1));
    expect(times({ instance: 'co2@room-3' })).toEqual(descending((i) => i % 4 === 3));
    expect(times({ shadow: true })).toEqual(descending((i) => i % 5 === 0));
    expect(times({ rule: 'leak', from: start + 10 * minute, to: start + 14 * minute })).toEqual([12, 10]);
    const paged: number[] = [];
    for (let before: number | undefined, more = true; more; ) {
      const page = reader.journal({ rule: 'leak', limit: 7, ...(before === undefined ? {} : { before }) });
      paged.push(...page.map(({ time }) => (time - start) / minute));
      before = page.at(-1)?.seq;
      more = page.length > 0;
    }
    expect(paged).toEqual(descending((i) => i % 2 === 0));
    expect(reader.journal({ limit: 1 })[0]).toEqual({ seq: 40, ...lines[39] });
  });

  test('keeps what two decisions of one millisecond did, in the order in which they were taken', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.append({ journal: [decision(start), decision(start, { what: 'cleared' })] });
    using reader = openReader(folder.path);
    expect(reader.journal({ rule: 'leak', limit: 9 }).map(({ what }) => what)).toEqual(['cleared', 'fired']);
    expect(reader.journal({ rule: 'leak', limit: 9, before: 2 }).map(({ what }) => what)).toEqual(['fired']);
  });

  test('knows when each rule last fired, and how often today', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    const at = (i: number, more: Partial<RuleDecision> = {}) => decision(start + i * minute, more);
    await store.append({
      journal: [at(1), at(2, { what: 'cleared' }), at(9), at(12), at(13, { shadow: true }), at(3, { rule: 'co2' })],
    });
    using reader = openReader(folder.path);
    expect(reader.firedRules(start + 5 * minute)).toEqual([
      { rule: 'co2', last: start + 3 * minute, since: 0 },
      { rule: 'leak', last: start + 12 * minute, since: 2 },
    ]);
  });

  test('is let go of with the events, and by number when rules chatter, each with a line in the audit', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, {}, { retention: { ...retention, events: 20 * day } });
    await store.append({ journal: [decision(start), decision(start + 15 * day)] });
    const { dropped } = await store.maintain(start + 21 * day);
    expect(dropped).toEqual([{ what: "lines of the rules' journal", why: 'older than 20 days', rows: 1 }]);
    using reader = openReader(folder.path);
    expect(reader.journal({ limit: 9 }).map(({ time }) => time)).toEqual([start + 15 * day]);
  });
});

describe('notices', () => {
  test('are kept by id in their newest form, found by state and by what they are about', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    const all = Array.from({ length: 9 }, (_, i) => notice(start + i, { about: i % 3 === 0 ? 'test' : 'rule:leak' }));
    await store.append({ notices: all });
    const sent = all.filter((_, i) => i % 2 === 0).map((one) => ({ ...one, state: 'delivered' as const, attempts: 1 }));
    await store.append({ notices: sent });
    using reader = openReader(folder.path);
    const steps = (filter: object) => reader.notices({ limit: 100, ...filter }).map(({ created }) => created - start);
    expect(steps({})).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0]);
    expect(steps({ state: 'queued' })).toEqual([7, 5, 3, 1]);
    expect(steps({ state: 'delivered', about: 'test' })).toEqual([6, 0]);
    expect(steps({ about: 'test' })).toEqual([6, 3, 0]);
    const [, second] = reader.notices({ limit: 2 });
    expect(steps({ before: second?.id, limit: 3 })).toEqual([6, 5, 4]);
    expect(reader.notices({ before: newId(), limit: 3 })).toEqual([]);
    expect(reader.notices({ limit: 1 })).toEqual([sent.at(-1)]);
  });

  test('are let go of after 90 days', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.append({ notices: [notice(start, { state: 'delivered' }), notice(start + 2 * day)] });
    await store.maintain(start + 91 * day);
    using reader = openReader(folder.path);
    expect(reader.notices({ limit: 9 }).map(({ created }) => created)).toEqual([start + 2 * day]);
  });
});

test('a journal and notices without end are cut to nine tenths of what is kept, the oldest first', async () => {
  await using folder = await temporaryFolder();
  const { db } = openDatabase(folder.path, start, 'trust');
  const audit = new AuditLog(db, folder.path, start, (work) => work());
  const put = db.prepare('INSERT INTO journal (time, rule, instance, version, shadow, body) VALUES (?, ?, ?, 1, 0, ?)');
  const tell = db.prepare('INSERT INTO notice VALUES (?, ?, ?, ?, ?)');
  for (let i = 0; i < 205; i++) put.run(start + i, 'r', 'r', JSON.stringify(decision(start + i)));
  for (let i = 0; i < 41; i++) tell.run(newId(), start + i, 'queued', 'test', '{}');
  const kept = new Retention(db, new Outbox(db, 1), audit, diskSpace(db, folder.path), {
    retention,
    outboxBytes: 1e6,
    keepAtLeast: day,
    most: { journal: 200, notices: 40 },
  });
  const slice = { transaction: <T>(work: () => T) => work(), turn: () => ({ over: () => false }) };
  const run = () => {
    for (const steps = kept.run(start, slice); ; ) {
      const { done, value } = steps.next();
      if (done === true) return value.dropped;
    }
  };
  expect(run()).toEqual([
    { what: "lines of the rules' journal", why: 'more than 200 are kept', rows: 25 },
    { what: 'notices', why: 'more than 40 are kept', rows: 5 },
  ]);
  const oldest = (table: string, column: string) => db.prepare(`SELECT min(${column}) FROM ${table}`).pluck().get();
  expect([oldest('journal', 'time'), oldest('notice', 'created')]).toEqual([start + 25, start + 5]);
  expect(run()).toEqual([]);
  audit.anchor();
  db.close();
});

test('a state of null is forgotten', async () => {
  await using folder = await temporaryFolder();
  await using store = await open(folder.path);
  await store.append({ state: { 'rule:leak': { fired: true }, 'rule:co2@room-1': { fired: false } } });
  await store.append({ state: { 'rule:leak': null, 'rule:never': null } });
  expect((await store.restore()).state).toEqual({ 'rule:co2@room-1': { fired: false } });
});

test('a database of the version before gets its journal when it is opened', async () => {
  await using folder = await temporaryFolder();
  const { db } = openDatabase(folder.path, start, 'trust');
  const later = ['journal', 'notice', 'counter_step', 'reissue', 'incident', 'clip', 'patrol', 'evidence'];
  for (const table of later) db.exec(`DROP TABLE ${table}`);
  db.exec('ALTER TABLE point DROP COLUMN raw');
  db.pragma('user_version = 3');
  db.close();
  await using store = await open(folder.path, {}, { clock: new ManualClock(start) });
  await store.append({ journal: [decision(start)], notices: [notice(start)] });
  const look = new Database(`${folder.path}/campus.db`, { readonly: true });
  expect(look.prepare('SELECT (SELECT count(*) FROM journal) + (SELECT count(*) FROM notice)').pluck().get()).toBe(2);
  look.close();
});

test('the audit says of a change what whoever made it says, where he does', async () => {
  await using folder = await temporaryFolder();
  await using store = await open(folder.path);
  const body = {
    rule: 'leak',
    version: 1,
    from: 'person',
    by: 'person:lin',
    why: 'first',
    time: start,
    body: { id: 'leak' },
  };
  const change = {
    kind: 'ruleVersion',
    rev: 0,
    time: start,
    who: 'person:lin',
    from: '192.0.2.7',
    why: 'first',
  } as const;
  await store.append({
    documents: [{ ...change, id: 'leak-v1', body, what: 'rule.save leak v1', result: 'when.for 0s -> 5s' }],
  });
  using reader = openReader(folder.path);
  expect(reader.newestAudit(1)).toMatchObject([
    { what: 'rule.save leak v1', why: 'first', result: 'when.for 0s -> 5s' },
  ]);
  expect(reader.document('ruleVersion', 'leak-v1')?.body.body).toEqual({ id: 'leak' });
});
