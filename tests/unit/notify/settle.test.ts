import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Notice } from '#edge/domain/notice.ts';
import { createNoticeMethods } from '#edge/processes/core/notices.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import { openStore, type Store } from '#edge/store/store.ts';
import { noticeOf, siteOf } from './peers.ts';
import { retention } from './sender-room.ts';

/* What core makes of the words of the process that sends, on a real store. */

const folder = mkdtempSync(join(tmpdir(), 'settle-'));
let store: Store;
let reader: Reader;
const decided: AlarmDecision[] = [];
const active = new Set<string>();
beforeAll(async () => {
  store = await openStore({ folder, log: silentLog, retention });
  reader = openReader(folder);
});
beforeEach(() => {
  decided.length = 0;
  active.clear();
});
afterAll(async () => {
  reader[Symbol.dispose]();
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const robot = { id: 'duty', kind: 'wecom', urlFile: 'duty.url' };
const sms = { id: 'sms', kind: 'sms', url: 'https://sms.example/' };
const people = [
  { id: 'guard', name: { zh: '门卫', en: 'Guard' }, phone: '13800001111' },
  { id: 'clerk', name: { zh: '文员', en: 'Clerk' }, email: 'clerk@school.example' },
];
const notify = siteOf([robot, sms], { recipients: people });

async function call(method: string, params: unknown): Promise<unknown> {
  const methods = createNoticeMethods({
    notify,
    reader,
    commit: (batch) => store.append(batch),
    decide: (decisions) => {
      decided.push(...decisions);
      for (const { kind, source } of decisions) kind === 'raise' ? active.add(source) : active.delete(source);
    },
    isActive: (source) => active.has(source),
    clock: systemClock,
  });
  return methods[method]?.(params);
}

const about = () => `alarm:${newHappeningId(systemClock)}`;
const settle = ({ id, about }: Notice, state: Notice['state'], detail = 'HTTP 200', attempts = 1) =>
  call('notice.settle', { id, about, state, attempts, at: systemClock.now(), detail });
const stored = ({ id, about }: Notice) => reader.notices({ about, limit: 100 }).find((one) => one.id === id);

describe('settling', () => {
  test('is on disk when it is answered, and leaves what the notice says as it was', async () => {
    const notice = noticeOf({ about: about(), channel: 'duty' });
    await store.append({ notices: [notice] });
    expect(await settle(notice, 'queued', 'HTTP 500', 1)).toEqual({});
    expect(stored(notice)).toMatchObject({ state: 'queued', attempts: 1, detail: 'HTTP 500', title: notice.title });
    await settle(notice, 'delivered', 'code 0', 2);
    expect(stored(notice)).toMatchObject({ state: 'delivered', attempts: 2, detail: 'code 0' });
  });

  test('of what core withdrew changes nothing, unless it did get through', async () => {
    const [one, other] = [noticeOf({ about: about(), state: 'merged' }), noticeOf({ about: about(), state: 'merged' })];
    await store.append({ notices: [one, other] });
    await settle(one, 'failed');
    await settle(other, 'delivered');
    expect([stored(one)?.state, stored(other)?.state]).toEqual(['merged', 'delivered']);
    await settle(other, 'queued');
    expect(stored(other)?.state).toBe('delivered');
  });

  test('of a notice that is not there, or in words that are none, is refused', async () => {
    await expect(settle(noticeOf({ about: about() }), 'delivered')).rejects.toMatchObject({ code: 'NOTICE_NOT_FOUND' });
    for (const wrong of [{ id: 'x' }, { state: 'sent' }, { attempts: -1 }, { more: 1 }]) {
      const good = {
        id: newHappeningId(systemClock),
        about: 'test',
        state: 'delivered',
        attempts: 1,
        at: 1,
        detail: '',
      };
      await expect(call('notice.settle', { ...good, ...wrong })).rejects.toMatchObject({ code: 'RPC_PARAMS' });
    }
  });
});

describe('a critical notice', () => {
  const two = async () => {
    const shared = { about: about(), class: 'critical' as const };
    const notices = [
      noticeOf({ ...shared, channel: 'duty' }),
      noticeOf({ ...shared, channel: 'sms', recipient: 'guard' }),
    ] as const;
    await store.append({ notices });
    return notices;
  };

  test('that reached nobody on any channel is an alarm, and the next one that gets through ends it', async () => {
    const [one, other] = await two();
    await settle(one, 'expired', 'ECONNREFUSED');
    expect(decided).toEqual([]);
    await settle(other, 'failed', 'HTTP 422');
    expect(decided).toMatchObject([{ kind: 'raise', source: 'notify:sms', class: 'high', reason: 'HTTP 422' }]);
    const next = noticeOf({ about: about(), channel: 'sms', recipient: 'guard' });
    await store.append({ notices: [next] });
    await settle(next, 'delivered');
    expect(decided.at(-1)).toMatchObject({ kind: 'return', source: 'notify:sms' });
  });

  test('that somebody else was told of is none', async () => {
    const [one, other] = await two();
    await settle(other, 'delivered');
    await settle(one, 'expired');
    expect(decided).toEqual([]);
  });
});

test('a channel that does not work is one alarm until it works again, and an unknown one is refused', async () => {
  await call('notice.channel', { id: 'duty', problem: 'code 93000' });
  await call('notice.channel', { id: 'duty', problem: 'code 93000' });
  await call('notice.channel', { id: 'duty', problem: null });
  await call('notice.channel', { id: 'duty', problem: null });
  expect(decided.map(({ kind, source }) => `${kind} ${source}`)).toEqual(['raise notify:duty', 'return notify:duty']);
  await expect(call('notice.channel', { id: 'fax', problem: null })).rejects.toMatchObject({
    code: 'CHANNEL_NOT_FOUND',
  });
});

test('a test is queued with a line in the audit, for those only whom the channel reaches', async () => {
  const asked = { who: 'person:lin', from: '192.0.2.7' };
  const answer = await call('notice.test', { channel: 'sms', recipient: 'guard', ...asked });
  const [queued] = reader.notices({ about: 'test', limit: 10 });
  expect(answer).toEqual({ id: queued?.id });
  expect(queued).toMatchObject({ channel: 'sms', recipient: 'guard', state: 'queued', class: 'low' });
  expect(reader.newestAudit(1)).toMatchObject([{ who: 'person:lin', what: 'notify.test sms to guard' }]);
  for (const [channel, recipient, code] of [
    ['fax', null, 'CHANNEL_NOT_FOUND'],
    ['sms', null, 'BAD_RECIPIENT'],
    ['sms', 'nobody', 'BAD_RECIPIENT'],
    ['sms', 'clerk', 'BAD_RECIPIENT'],
    ['duty', 'guard', 'BAD_RECIPIENT'],
  ] as const) {
    await expect(call('notice.test', { channel, recipient, ...asked })).rejects.toMatchObject({ code });
  }
  await expect(call('notice.test', { channel: 'duty', recipient: null })).rejects.toMatchObject({ code: 'RPC_PARAMS' });
});
