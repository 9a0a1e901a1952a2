import { createServer } from 'node:net';
import { afterAll, expect, test, vi } from 'vitest';
import type { Notice } from '#edge/domain/notice.ts';
import { NoticeSender } from '#edge/notify/sender.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { json, listen, noticeOf, secretFolder, siteOf, startGateway, sender as words } from './peers.ts';
import { closeSenderRooms, quickTuning, startSenderRoom } from './sender-room.ts';

/* Floods: what waits for one channel is nobody else's trouble, and a fire does not queue behind ten thousand trifles. */

afterAll(closeSenderRooms);

const soon = { timeout: 20_000, interval: 20 };

test('ten thousand that wait for a dead channel, also for one that works, hold up nothing critical', async () => {
  await using gateway = await startGateway((_, response) => json(response, {}));
  const closed = await listen(createServer());
  const { port } = closed;
  await closed[Symbol.asyncDispose]();
  const channels = [
    { id: 'dead', kind: 'webhook', url: `http://127.0.0.1:${port}/`, perMinute: 600 },
    { id: 'works', kind: 'webhook', url: `${gateway.url}/`, perMinute: 4 },
  ];
  const disk = new Map<string, Notice>();
  const queue = (...notices: Notice[]) => {
    for (const notice of notices) disk.set(notice.id, notice);
  };
  const many = (channel: string, count: number) =>
    Array.from({ length: count }, (_, i) => noticeOf({ channel, class: 'low', about: `alarm:${channel}-${i}` }));
  queue(...many('dead', 6_000), ...many('works', 4_000));
  using folder = secretFolder();
  await using sender = new NoticeSender({
    notify: siteOf(channels),
    campus: { name: words.campus, timeZone: words.timeZone },
    folder: folder.path,
    // As the store's reader answers: newest first, page by page.
    source: {
      notices: ({ state, before, limit }) => {
        const newest = [...disk.values()].reverse();
        const from = before === undefined ? 0 : newest.findIndex(({ id }) => id === before) + 1;
        return newest
          .slice(from)
          .filter((one) => one.state === state)
          .slice(0, limit);
      },
    },
    settle: async ({ id, state, attempts }) => {
      const notice = disk.get(id);
      if (notice !== undefined) disk.set(id, { ...notice, state, attempts });
    },
    tellChannel: async () => {},
    onHealth: () => {},
    clock: systemClock,
    log: silentLog,
    tuning: { ...quickTuning, poll: 500 },
  });
  await sender.start();
  await vi.waitFor(() => expect(gateway.received.length).toBeGreaterThan(0), soon);
  const [works, dead] = [
    noticeOf({ channel: 'works', class: 'critical' }),
    noticeOf({ channel: 'dead', class: 'critical' }),
  ];
  queue(works, dead);
  sender.hint();
  await vi.waitFor(() => expect(disk.get(works.id)).toMatchObject({ state: 'delivered' }), soon);
  await vi.waitFor(() => expect(disk.get(dead.id)?.attempts).toBeGreaterThan(0), soon);
}, 90_000);

test('a notice written before the clock was set back by a year goes when it was meant to, and what waited goes on waiting', async () => {
  await using gateway = await startGateway((_, response) => json(response, {}));
  let elapsed = 0;
  const now = () => 1_800_000_000_000 + elapsed;
  const clock = { ...systemClock, now, monotonic: () => elapsed };
  const site = siteOf([{ id: 'one', kind: 'webhook', url: `${gateway.url}/` }]);
  await using room = await startSenderRoom(site, {}, { clock });
  const ahead = now() + 365 * 86_400_000;
  const written = { created: ahead, expires: ahead + 4 * 3_600_000 };
  const [atOnce, later] = [
    noticeOf({ ...written, notBefore: ahead }),
    noticeOf({ ...written, notBefore: ahead + 60_000 }),
  ];
  await room.queue(atOnce, later);
  room.hint();
  await vi.waitFor(() => expect(room.of(atOnce.id)?.state).toBe('delivered'), soon);
  elapsed = 50_000;
  room.hint();
  await vi.waitFor(() => expect(room.health.last[0]?.counters.queued).toBe(1), soon);
  expect(gateway.received).toHaveLength(1);
  elapsed = 70_000;
  room.hint();
  await vi.waitFor(() => expect(room.of(later.id)?.state).toBe('delivered'), soon);
});
