import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { lanes } from '#bridge/contract/lanes.ts';
import { campus, makeBody, openCity, openUplink, tempFolder } from '../fixtures/bridge/campus.ts';
import { compare, query } from '../fixtures/bridge/city-check.ts';
import { FixtureOutbox } from '../fixtures/bridge/outbox.ts';
import { honest, openProxy } from '../fixtures/bridge/proxy.ts';

const clean = { missing: [], doubled: [], outOfOrder: [], changed: [], ghosts: [] };
const deadline = { timeout: 30_000, interval: 20 };

describe('the line to the city', () => {
  it('may lose, double, swap and cut: every row arrives once and in order', async () => {
    await using folder = await tempFolder();
    using outbox = new FixtureOutbox(join(folder.path, 'outbox.db'), false);
    await using city = await openCity(folder.path, { limits: { nackEvery: 50 } });
    await using proxy = await openProxy(() => city.ports.mqtt, 20_261_122);
    proxy.set({ lose: 0.03, double: 0.04, swap: 0.04, cut: 0.006 });
    for (const lane of lanes) {
      outbox.append(lane, ...Array.from({ length: 250 }, (_, i) => makeBody(lane, i + 1)));
    }
    // A doubled MQTT packet may stall a connection in the broker: the uplink must notice by itself.
    await using uplink = await openUplink(outbox, proxy.port, { helloEvery: 500, silence: 3_000 });
    await vi.waitFor(() => {
      for (const lane of lanes) expect(outbox.watermark(lane), lane).toBe(250);
    }, deadline);
    expect(compare(outbox, folder.path, campus)).toEqual({ ...clean, applied: 1_000 });
    expect(query(folder.path, 'SELECT * FROM gaps')).toEqual([]);
    const { lose, double, swap, cut } = proxy.done;
    expect(Math.min(lose, double, swap, cut)).toBeGreaterThan(0);
    expect(city.counters().duplicate).toBeGreaterThan(0);
    expect(city.counters().gap).toBeGreaterThan(0);
    console.info(
      `line: lost ${lose}, doubled ${double}, swapped ${swap}, cut ${cut}; 1000 rows applied once; ` +
        `city saw ${city.counters().duplicate} duplicates and ${city.counters().gap} early frames; ` +
        `${uplink.stats().connections} connections`,
    );
  }, 60_000);

  it('may fall silent: the uplink gives up on it, connects again and goes on', async () => {
    await using folder = await tempFolder();
    using outbox = new FixtureOutbox(join(folder.path, 'outbox.db'), false);
    await using city = await openCity(folder.path);
    await using proxy = await openProxy(() => city.ports.mqtt, 3);
    proxy.set(honest);
    outbox.append('alarm', makeBody('alarm', 1));
    await using uplink = await openUplink(outbox, proxy.port, { silence: 600, helloEvery: 200, connectTimeout: 500 });
    await vi.waitFor(() => expect(outbox.watermark('alarm')).toBe(1), deadline);
    proxy.blackhole(true);
    outbox.append('alarm', makeBody('alarm', 2));
    await vi.waitFor(() => expect(uplink.stats().lastError?.code).toBe('UPLINK_SILENT'), deadline);
    expect(uplink.stats()).toMatchObject({ connected: false, lanes: { alarm: { backlog: 1 } } });
    proxy.blackhole(false);
    await vi.waitFor(() => expect(outbox.watermark('alarm')).toBe(2), deadline);
  }, 60_000);

  it('lets an alarm pass a backlog of summaries', async () => {
    await using folder = await tempFolder();
    using outbox = new FixtureOutbox(join(folder.path, 'outbox.db'), true);
    outbox.append('agg1m', ...Array.from({ length: 5_000 }, (_, i) => makeBody('agg1m', i + 1)));
    // The city asks for one summary every 20 ms: this backlog needs 100 s.
    await using city = await openCity(folder.path, { limits: { paceMs: 20 } });
    await using _uplink = await openUplink(outbox, city.ports.mqtt);
    await vi.waitFor(() => expect(outbox.watermark('agg1m')).toBeGreaterThan(5), deadline);
    outbox.append('alarm', ...[1, 2, 3].map((n) => makeBody('alarm', n)));
    await vi.waitFor(() => expect(outbox.watermark('alarm')).toBe(3), deadline);
    expect(outbox.watermark('agg1m')).toBeLessThan(4_000);
  });
});
