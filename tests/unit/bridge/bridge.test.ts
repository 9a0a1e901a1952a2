import { describe, expect, it, vi } from 'vitest';
import { lanes } from '#bridge/contract/lanes.ts';
import { account, campus, makeBody, openCity, openUplink, tempFolder } from '../../fixtures/bridge/campus.ts';
import { compare, query } from '../../fixtures/bridge/city-check.ts';
import { FixtureOutbox } from '../../fixtures/bridge/outbox.ts';

const clean = { missing: [], doubled: [], outOfOrder: [], changed: [], ghosts: [] };
const deadline = { timeout: 10_000, interval: 20 };
const range = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

async function setUp(options: { keep?: boolean } = {}) {
  const folder = await tempFolder();
  const outbox = new FixtureOutbox(`${folder.path}/outbox.db`, options.keep ?? false);
  return {
    folder: folder.path,
    outbox,
    [Symbol.asyncDispose]: async () => {
      outbox[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('the bridge from outbox to city', () => {
  it('brings every lane over, once and in order, and lets the edge free it', async () => {
    await using t = await setUp();
    for (const lane of lanes) t.outbox.append(lane, ...range(40).map((n) => makeBody(lane, n)));
    await using city = await openCity(t.folder);
    await using uplink = await openUplink(t.outbox, city.ports.mqtt);
    await vi.waitFor(() => {
      for (const lane of lanes) expect(t.outbox.watermark(lane)).toBe(40);
    }, deadline);
    expect(compare(t.outbox, t.folder, campus)).toEqual({ ...clean, applied: 160 });
    expect(uplink.stats()).toMatchObject({
      connected: true,
      connections: 1,
      lanes: { agg1m: { backlog: 0, watermark: 40 } },
    });
    expect(query(t.folder, 'SELECT count(*) AS n FROM summaries')).toEqual([{ n: 80 }]);
    expect(query(t.folder, 'SELECT count(*) AS n FROM gaps')).toEqual([{ n: 0 }]);
  });

  it('leaves a visible gap for a row that cannot be sent, and goes on', async () => {
    await using t = await setUp();
    t.outbox.append('event', makeBody('event', 1), { id: 'card 0012345678', type: 'x' }, makeBody('event', 3));
    await using city = await openCity(t.folder);
    await using uplink = await openUplink(t.outbox, city.ports.mqtt);
    await vi.waitFor(() => expect(t.outbox.watermark('event')).toBe(3), deadline);
    expect(query(t.folder, 'SELECT lane, first, last, reason FROM gaps')).toEqual([
      { lane: 'event', first: 2, last: 2, reason: 'unencodable' },
    ]);
    expect(JSON.stringify(query(t.folder, 'SELECT * FROM gaps'))).not.toContain('0012345678');
    expect(uplink.stats().lastError).toMatchObject({ code: 'UPLINK_GAP' });
    expect(uplink.stats().lanes.event.gaps).toBe(1);
  });

  it('leaves a visible gap for what the outbox had to evict', async () => {
    await using t = await setUp({ keep: true });
    t.outbox.append('agg1m', ...range(30).map((n) => makeBody('agg1m', n)));
    t.outbox.evict('agg1m', 20);
    await using city = await openCity(t.folder);
    await using _uplink = await openUplink(t.outbox, city.ports.mqtt);
    await vi.waitFor(() => expect(t.outbox.watermark('agg1m')).toBe(30), deadline);
    expect(query(t.folder, 'SELECT lane, first, last, reason FROM gaps')).toEqual([
      { lane: 'agg1m', first: 1, last: 20, reason: 'evicted' },
    ]);
  });

  it('leaves a visible gap for a hole in the outbox instead of waiting for it for ever', async () => {
    await using t = await setUp({ keep: true });
    t.outbox.append('alarm', ...range(6).map((n) => makeBody('alarm', n)));
    t.outbox.lose('alarm', 3);
    t.outbox.lose('alarm', 4);
    await using city = await openCity(t.folder);
    await using _uplink = await openUplink(t.outbox, city.ports.mqtt);
    await vi.waitFor(() => expect(t.outbox.watermark('alarm')).toBe(6), deadline);
    expect(query(t.folder, 'SELECT first, last, reason FROM gaps')).toEqual([{ first: 3, last: 4, reason: 'missing' }]);
  });

  it('accepts a larger epoch of an outbox that was created again and says so', async () => {
    await using t = await setUp();
    t.outbox.append('event', makeBody('event', 1), makeBody('event', 2));
    await using city = await openCity(t.folder);
    await using uplink = await openUplink(t.outbox, city.ports.mqtt);
    await vi.waitFor(() => expect(t.outbox.watermark('event')).toBe(2), deadline);
    t.outbox.recreate(2);
    t.outbox.append('event', makeBody('event', 11));
    await vi.waitFor(() => expect(t.outbox.watermark('event')).toBe(1), deadline);
    expect(uplink.stats().lanes.event).toMatchObject({ epoch: 2, watermark: 1, held: null });
    expect(query(t.folder, `SELECT epoch, first, last, reason FROM gaps WHERE lane = 'event'`)).toEqual([
      { epoch: 1, first: 3, last: null, reason: 'new-epoch' },
    ]);
    expect(query(t.folder, 'SELECT count(*) AS n FROM events')).toEqual([{ n: 3 }]);
  });

  it('holds a lane whose numbers the city already has, instead of losing new rows as duplicates', async () => {
    await using t = await setUp({ keep: true });
    t.outbox.append('event', ...range(5).map((n) => makeBody('event', n)));
    await using city = await openCity(t.folder);
    {
      await using _uplink = await openUplink(t.outbox, city.ports.mqtt);
      await vi.waitFor(() => expect(t.outbox.watermark('event')).toBe(5), deadline);
    }
    // Restored from an older copy: three rows, same epoch.
    t.outbox.recreate(1);
    t.outbox.append('event', ...range(3).map((n) => makeBody('event', 20 + n)));
    t.outbox.append('alarm', makeBody('alarm', 1));
    await using uplink = await openUplink(t.outbox, city.ports.mqtt);
    await vi.waitFor(() => expect(t.outbox.watermark('alarm')).toBe(1), deadline);
    expect(uplink.stats().lanes.event.held).toContain('the city has 5, the outbox ends at 3');
    expect(query(t.folder, 'SELECT count(*) AS n FROM events')).toEqual([{ n: 5 }]);
    // Core begins a new epoch: the lane goes on by itself.
    t.outbox.epoch = 2;
    await vi.waitFor(() => expect(t.outbox.watermark('event')).toBe(3), deadline);
    expect(query(t.folder, 'SELECT count(*) AS n FROM events')).toEqual([{ n: 8 }]);
  });

  it('holds a lane of a restored outbox that has counted past the city again', async () => {
    await using t = await setUp({ keep: true });
    t.outbox.append('event', ...range(3).map((n) => makeBody('event', n)));
    await using city = await openCity(t.folder);
    {
      await using _uplink = await openUplink(t.outbox, city.ports.mqtt);
      await vi.waitFor(() => expect(t.outbox.watermark('event')).toBe(3), deadline);
    }
    t.outbox.recreate(1);
    t.outbox.append('event', ...range(8).map((n) => makeBody('event', 20 + n)));
    await using uplink = await openUplink(t.outbox, city.ports.mqtt);
    await vi.waitFor(() => expect(uplink.stats().lanes.event.held).toContain('not in this outbox'), deadline);
    t.outbox.epoch = 2;
    await vi.waitFor(() => expect(t.outbox.watermark('event')).toBe(8), deadline);
    expect(query(t.folder, 'SELECT count(*) AS n FROM events')).toEqual([{ n: 11 }]);
  });

  it('says what is wrong with a wrong password and keeps trying slowly', async () => {
    await using t = await setUp();
    await using city = await openCity(t.folder);
    await using uplink = await openUplink(t.outbox, city.ports.mqtt, {}, { password: 'not-the-password' });
    await vi.waitFor(() => expect(uplink.stats().lastError?.message).toMatch(/refused/i), deadline);
    expect(uplink.stats().connected).toBe(false);
  });

  it('works over IPv6 alone', async () => {
    await using t = await setUp();
    t.outbox.append('alarm', makeBody('alarm', 1));
    await using city = await openCity(t.folder, { mqtt: { hosts: ['::1'], port: 0 }, http: { host: '::1', port: 0 } });
    await using _uplink = await openUplink(t.outbox, city.ports.mqtt, {}, { host: '::1' });
    await vi.waitFor(() => expect(t.outbox.watermark('alarm')).toBe(1), deadline);
    const answer = await fetch(`http://[::1]:${city.ports.http}/healthz`);
    expect(await answer.json()).toMatchObject({ status: 'ok', campuses: 1, online: 1 });
  });

  it('lets no campus speak for another', async () => {
    await using t = await setUp();
    t.outbox.append('alarm', makeBody('alarm', 1));
    const other = { ...account, id: '3144099999' };
    await using city = await openCity(t.folder, { campuses: [other] });
    await using uplink = await openUplink(t.outbox, city.ports.mqtt);
    await vi.waitFor(() => expect(uplink.stats().lastError?.code).toBe('UPLINK_UNREACHABLE'), deadline);
    expect(query(t.folder, 'SELECT count(*) AS n FROM alarms')).toEqual([{ n: 0 }]);
  });
});
