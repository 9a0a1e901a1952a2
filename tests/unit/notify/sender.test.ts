import { afterAll, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '#edge/runtime/clock.ts';
import { json, noticeOf, siteOf, startGateway, startRaw } from './peers.ts';
import { closeSenderRooms, startSenderRoom } from './sender-room.ts';

/* Queued notices in a real store, over real channels, with pauses of milliseconds. */

afterAll(closeSenderRooms);

const soon = { timeout: 10_000, interval: 20 };
const hook = (id: string, url: string, more: object = {}) => ({
  id,
  kind: 'webhook',
  url: `${url}/${id}`,
  body: { id: '{id}', said: '{text}' },
  ...more,
});
const idOf = ({ body }: { readonly body: string }): string => String(JSON.parse(body).id);

describe('a notice', () => {
  test('goes out, is settled with what the far end said, and is seen in the health of its channel', async () => {
    await using gateway = await startGateway((_, response) => json(response, {}));
    await using room = await startSenderRoom(siteOf([hook('one', gateway.url)]));
    const notice = noticeOf();
    await room.queue(notice);
    await expect
      .poll(() => room.of(notice.id), soon)
      .toMatchObject({ state: 'delivered', attempts: 1, detail: 'HTTP 200' });
    expect(gateway.received.map(idOf)).toEqual([notice.id]);
    await expect
      .poll(() => room.health.last, soon)
      .toMatchObject([
        { device: 'notify-one', state: 'online', message: '', counters: { queued: 0, delivered: 1, failed: 0 } },
      ]);
  });

  test('is tried again, more and more seldom, with the same id, until it is taken', async () => {
    let times = 0;
    await using gateway = await startGateway((_, response) => json(response, {}, ++times < 4 ? 500 : 200));
    await using room = await startSenderRoom(siteOf([hook('one', gateway.url)]));
    const notice = noticeOf();
    await room.queue(notice);
    await expect.poll(() => room.of(notice.id), soon).toMatchObject({ state: 'delivered', attempts: 4 });
    expect(new Set(gateway.received.map(idOf))).toEqual(new Set([notice.id]));
    expect(new Set(gateway.received.map(({ headers }) => headers['idempotency-key']))).toEqual(new Set([notice.id]));
  });

  test('that nobody will ever take is failed at once, and the next one goes', async () => {
    await using gateway = await startGateway((received, response) =>
      json(response, { why: 'too long' }, idOf(received) === bad.id ? 413 : 200),
    );
    const [bad, good] = [noticeOf(), noticeOf()];
    await using room = await startSenderRoom(siteOf([hook('one', gateway.url)]));
    await room.queue(bad, good);
    await expect.poll(() => room.states(), soon).toEqual({ failed: 1, delivered: 1 });
    expect(room.of(bad.id)).toMatchObject({ attempts: 1, detail: expect.stringContaining('too long') });
  });

  test('expires with the reason why it could not be sent, and one whose time has not come waits', async () => {
    await using room = await startSenderRoom(siteOf([hook('one', 'http://127.0.0.1:9')]));
    const [short, later] = [
      noticeOf({ expires: systemClock.now() + 400 }),
      noticeOf({ notBefore: systemClock.now() + 3_600_000 }),
    ];
    await room.queue(short, later);
    await expect
      .poll(() => room.of(short.id), soon)
      .toMatchObject({ state: 'expired', detail: expect.stringContaining('ECONNREFUSED') });
    expect(room.of(later.id)).toMatchObject({ state: 'queued', attempts: 0 });
  });

  test('for a channel or a recipient that the site file has no more is failed, with the reason', async () => {
    const sms = { id: 'sms', kind: 'sms', url: 'http://127.0.0.1:9/' };
    await using room = await startSenderRoom(siteOf([sms]));
    const notices = [noticeOf({ channel: 'gone' }), noticeOf({ channel: 'sms', recipient: 'nobody' })];
    await room.queue(...notices);
    await expect.poll(() => room.states(), soon).toEqual({ failed: 2 });
    expect(notices.map(({ id }) => room.of(id)?.detail)).toEqual([
      'the site file has no channel "gone" any more',
      'the site file has no such recipient any more',
    ]);
  });

  test('that core has withdrawn meanwhile is not sent', async () => {
    await using gateway = await startGateway((_, response) => json(response, {}));
    await using room = await startSenderRoom(siteOf([hook('one', gateway.url)]));
    const notice = noticeOf({ notBefore: systemClock.now() + 500 });
    await room.queue(notice);
    await expect.poll(() => room.health.last[0]?.counters.queued, soon).toBe(1);
    await room.queue({ ...notice, state: 'merged' });
    await expect.poll(() => room.health.last[0]?.counters.queued, soon).toBe(0);
    expect(gateway.received).toEqual([]);
  });
});

describe('what waits', () => {
  test('goes by class, then by age', async () => {
    let isOpen = false;
    await using gateway = await startGateway((_, response) => json(response, {}, isOpen ? 200 : 500));
    await using room = await startSenderRoom(
      siteOf([hook('one', gateway.url)]),
      {},
      { tuning: { retry: { first: 300, cap: 300 }, circuit: { first: 300, cap: 300 } } },
    );
    const now = systemClock.now();
    const notices = [
      noticeOf({ class: 'low', created: now - 3_000 }),
      noticeOf({ class: 'critical', created: now - 1_000 }),
      noticeOf({ class: 'high', created: now - 4_000 }),
      noticeOf({ class: 'critical', created: now - 2_000 }),
    ].map((notice, i) => ({ ...notice, about: 'test', title: { zh: `${i}`, en: `${i}` } }));
    // Held at the door until all are known; the circuit then lets them through one by one.
    await room.queue(...notices);
    await expect.poll(() => gateway.received.length, soon).toBeGreaterThanOrEqual(3);
    isOpen = true;
    const before = gateway.received.length;
    await expect.poll(() => room.states(), soon).toEqual({ delivered: 4 });
    const order = gateway.received
      .slice(before)
      .map((received) => notices.findIndex(({ id }) => id === idOf(received)));
    const rank = (i: number) => ['critical', 'high', 'low'].indexOf(notices[i]?.class ?? '');
    expect(order).toHaveLength(4);
    expect(
      new Set(
        gateway.received.slice(0, 2).map((received) => rank(notices.findIndex(({ id }) => id === idOf(received)))),
      ),
    ).toEqual(new Set([0]));
  });

  test('in number for one recipient is told as one, and each says so; critical ones go alone', async () => {
    await using gateway = await startGateway((_, response) => json(response, {}));
    await using room = await startSenderRoom(siteOf([hook('one', gateway.url)]));
    const small = Array.from({ length: 12 }, (_, i) =>
      noticeOf({ class: 'low', title: { zh: `小事${i}`, en: `small ${i}` } }),
    );
    const fires = [noticeOf({ class: 'critical' }), noticeOf({ class: 'critical' })];
    await room.queue(...small, ...fires);
    await expect.poll(() => room.states(), soon).toEqual({ delivered: 3, merged: 11 });
    expect(gateway.received).toHaveLength(3);
    const digest = gateway.received
      .map(({ body }) => String(JSON.parse(body).said))
      .find((text) => text.includes('12 条通知'));
    for (let i = 0; i < 12; i++) expect(digest).toContain(`小事${i}`);
    expect(fires.map(({ id }) => room.of(id)?.state)).toEqual(['delivered', 'delivered']);
  });

  test('goes no faster than the channel allows, and keeps a part of it for what is critical', async () => {
    await using gateway = await startGateway((_, response) => json(response, {}));
    await using room = await startSenderRoom(siteOf([hook('one', gateway.url, { perMinute: 8 })]));
    // Tests are never merged.
    await room.queue(...Array.from({ length: 20 }, () => noticeOf({ about: 'test', class: 'low' })));
    await expect.poll(() => room.states(), soon).toEqual({ delivered: 6, queued: 14 });
    await room.queue(...Array.from({ length: 5 }, () => noticeOf({ class: 'critical' })));
    await expect.poll(() => room.states(), soon).toEqual({ delivered: 8, queued: 17 });
    // A new start does not begin a new minute.
    await room.restart();
    await expect.poll(() => room.health.last[0]?.counters.queued, soon).toBe(17);
    expect(gateway.received).toHaveLength(8);
  });

  test('is read again when its time has come: until then core gathers others into it', async () => {
    await using gateway = await startGateway((_, response) => json(response, {}));
    // Between two polls, and without a hint.
    await using room = await startSenderRoom(siteOf([hook('one', gateway.url)]), {}, { tuning: { poll: 600_000 } });
    const notice = noticeOf({ notBefore: systemClock.now() + 600 });
    await room.queue(notice);
    room.hint();
    await expect.poll(() => room.health.last[0]?.counters.queued, soon).toBe(1);
    await room.queue({ ...notice, title: { zh: '三件事', en: 'Three things' } });
    await expect.poll(() => room.of(notice.id)?.state, soon).toBe('delivered');
    expect(gateway.received.map(({ body }) => String(JSON.parse(body).said))).toEqual([
      expect.stringContaining('三件事'),
    ]);
  });

  test('is left in peace as long as a robot that shut us out says', async () => {
    let now = 0;
    const clock: Clock = { now: () => systemClock.now() + now, monotonic: () => systemClock.monotonic() + now };
    let isShut = true;
    await using gateway = await startGateway((_, response) =>
      json(response, isShut ? { errcode: 130101, errmsg: 'send too fast' } : { errcode: 0 }),
    );
    const robot = { id: 'one', kind: 'dingtalk', urlFile: 'url' };
    await using room = await startSenderRoom(
      siteOf([robot]),
      { url: `${gateway.url}/send?access_token=abcdef` },
      { clock },
    );
    const notice = noticeOf();
    await room.queue(notice);
    await expect
      .poll(() => room.of(notice.id), soon)
      .toMatchObject({ state: 'queued', attempts: 1, detail: 'code 130101: send too fast' });
    const { at = 0 } = room.of(notice.id) ?? {};
    expect(at - clock.now()).toBeGreaterThan(590_000);
    isShut = false;
    expect(gateway.received).toHaveLength(1);
    now = 601_000;
    await expect.poll(() => room.of(notice.id)?.state, soon).toBe('delivered');
  });
});

describe('a dead gateway', () => {
  test('delays no other channel, is asked by one message at a time, is told to core, and comes back', async () => {
    let isUp = false;
    let [open, most] = [0, 0];
    await using bad = await startGateway((_, response) => {
      most = Math.max(most, ++open);
      response.on('close', () => open--);
      if (isUp) json(response, {});
      // Else it says nothing at all: the slowest way to be dead.
    });
    await using good = await startGateway((_, response) => json(response, {}));
    const site = siteOf([hook('bad', bad.url), hook('good', good.url)]);
    await using room = await startSenderRoom(site, {}, { tuning: { timeout: 150 } });
    const dead = Array.from({ length: 30 }, () => noticeOf({ channel: 'bad', class: 'critical' }));
    const alive = Array.from({ length: 10 }, () => noticeOf({ channel: 'good', class: 'critical' }));
    await room.queue(...dead, ...alive);
    const began = systemClock.monotonic();
    await expect.poll(() => room.states(), soon).toEqual({ delivered: 10, queued: 30 });
    expect(systemClock.monotonic() - began).toBeLessThan(5_000);
    await expect
      .poll(() => room.told, soon)
      .toEqual([['bad', expect.stringContaining('did not answer within 0.15 s')]]);
    expect(room.health.last).toMatchObject([
      { device: 'notify-bad', state: 'offline' },
      { device: 'notify-good', state: 'online' },
    ]);
    most = 0;
    const before = bad.received.length;
    await expect.poll(() => bad.received.length, soon).toBeGreaterThan(before + 3);
    expect(most).toBe(1);
    isUp = true;
    await expect.poll(() => room.states(), soon).toEqual({ delivered: 40 });
    // A machine that is slow to answer within 150 ms may have said both more than once.
    await expect.poll(() => room.told.at(-1), soon).toEqual(['bad', null]);
  });

  test('that chokes on one message takes the others all the same', async () => {
    const poison = noticeOf({ class: 'critical', created: 1 });
    await using gateway = await startGateway((received, response) =>
      json(response, {}, idOf(received) === poison.id ? 500 : 200),
    );
    await using room = await startSenderRoom(siteOf([hook('one', gateway.url)]));
    await room.queue(poison, ...Array.from({ length: 6 }, () => noticeOf({ class: 'critical' })));
    await expect.poll(() => room.states(), soon).toEqual({ delivered: 6, queued: 1 });
  });

  test('whose files are wrong is misconfigured before the first alarm, and works once they are mended, without a restart', async () => {
    await using gateway = await startGateway((_, response) => json(response, { errcode: 0 }));
    await using room = await startSenderRoom(siteOf([{ id: 'one', kind: 'wecom', urlFile: 'url' }]));
    expect(room.health.last).toMatchObject([
      { state: 'misconfigured', message: expect.stringContaining('url cannot be used') },
    ]);
    await room.queue(noticeOf());
    await expect.poll(() => room.states(), soon).toEqual({ queued: 1 });
    room.folder.write('url', `${gateway.url}/send?key=abcdef`);
    await expect.poll(() => room.states(), soon).toEqual({ delivered: 1 });
    await expect.poll(() => room.health.last, soon).toMatchObject([{ state: 'online', message: '' }]);
  });
});

describe('while core is away', () => {
  test('what is known goes out, once, and is settled when core is back', async () => {
    await using gateway = await startGateway((_, response) => json(response, {}));
    await using room = await startSenderRoom(siteOf([hook('one', gateway.url)]));
    room.away = true;
    const notices = Array.from({ length: 10 }, () => noticeOf({ class: 'critical' }));
    await room.queue(...notices);
    await expect.poll(() => gateway.received.length, soon).toBe(10);
    // Several polls, each of which still finds them queued on disk.
    await expect.poll(() => room.health.last[0]?.counters, soon).toMatchObject({ queued: 0, delivered: 10 });
    expect(room.states()).toEqual({ queued: 10 });
    room.away = false;
    await expect.poll(() => room.states(), soon).toEqual({ delivered: 10 });
    expect(gateway.received).toHaveLength(10);
  });

  test('what is under way when we stop stays queued, and goes out at the next start', async () => {
    let isSilent = true;
    await using gateway = await startGateway((_, response) => void (isSilent || json(response, {})));
    await using room = await startSenderRoom(siteOf([hook('one', gateway.url)]), {}, { tuning: { timeout: 30_000 } });
    await room.queue(noticeOf());
    await expect.poll(() => gateway.received.length, soon).toBe(1);
    isSilent = false;
    await room.restart();
    await expect.poll(() => room.states(), soon).toEqual({ delivered: 1 });
    expect(gateway.received).toHaveLength(2);
  });
});

test('nothing is lost or sent twice with three channels that each misbehave in their own way, and 120 notices', async () => {
  let turn = 0;
  await using flaky = await startGateway((_, response) => {
    turn++;
    if (turn % 3 === 0) return json(response, {}, 503);
    if (turn % 7 === 0) return void response.socket?.destroy();
    json(response, {});
  });
  await using fine = await startGateway((_, response) => json(response, {}));
  await using raw = await startRaw((socket) => socket.destroy());
  const site = siteOf([
    hook('flaky', flaky.url),
    hook('fine', fine.url),
    hook('reset', `http://127.0.0.1:${raw.port}`),
  ]);
  const pace = { perMinute: 600 };
  const fast = { ...site, channels: site.channels.map((channel) => ({ ...channel, ...pace })) };
  await using room = await startSenderRoom(fast, {}, { tuning: { circuit: { failures: 100 } } });
  const many = ['flaky', 'fine', 'reset'].flatMap((channel) =>
    Array.from({ length: 40 }, (_, i) =>
      noticeOf({
        channel,
        class: 'critical',
        created: systemClock.now() + i,
        expires: systemClock.now() + (channel === 'reset' ? 1_500 : 3_600_000),
      }),
    ),
  );
  await room.queue(...many);
  await expect.poll(() => room.states(), soon).toEqual({ delivered: 80, expired: 40 });
  for (const gateway of [flaky, fine]) expect(new Set(gateway.received.map(idOf)).size).toBe(40);
  expect(fine.received).toHaveLength(40);
});
