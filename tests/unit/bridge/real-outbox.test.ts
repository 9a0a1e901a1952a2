import { describe, expect, it, vi } from 'vitest';
import { shardOf } from '#bridge/contract/topics.ts';
import { startUplink } from '#bridge/uplink/uplink.ts';
import type { ProcessHealth } from '#edge/domain/health.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openReader } from '#edge/store/reader.ts';
import { campus, openCity, password, quickLimits, tempFolder } from '../../fixtures/bridge/campus.ts';
import { query } from '../../fixtures/bridge/city-check.ts';
import { alarm, event, open, point, reading, start, temporaryFolder } from '../../fixtures/store/site.ts';

const deadline = { timeout: 10_000, interval: 20 };

describe("the campus's own store and the city", () => {
  it('agree on rows, watermarks and what stays at home', async () => {
    await using campusFolder = await temporaryFolder();
    await using cityFolder = await tempFolder();
    await using city = await openCity(cityFolder.path);
    // The uplink may be up before core has made a database.
    using reader = openReader(campusFolder.path);
    const store = await open(campusFolder.path);
    await using uplink = await startUplink({
      source: reader,
      acknowledged: (epoch, lane, watermark) => store.outboxAcknowledge(lane, epoch, watermark),
      city: { host: '127.0.0.1', port: city.ports.mqtt, shard: shardOf(campus) },
      campus,
      password,
      clock: systemClock,
      log: silentLog,
      signal: new AbortController().signal,
      limits: quickLimits,
    });
    await store.registerPoints([point('m-1/v'), point('m-1/e', { counter: true, unit: 'kW.h', staleAfter: 600_000 })]);
    await store.append({
      readings: [0, 30_000, 70_000].flatMap((ms, i) => [
        reading('m-1/v', start + ms, 230 + i),
        reading('m-1/e', start + ms, 10 + i / 2),
      ]),
    });
    expect(await store.summarise(start + 125_000)).toBe(2);
    const health: ProcessHealth = { process: 'camera', state: 'ready', time: start, instance: 'x', devices: [] };
    const acknowledged = { time: start + 5, by: 'person:Zhang Example', note: 'called Zhang Example' };
    await store.append({
      events: [event(start, { data: { count: 2, name: 'Zhang Example' }, snapshot: '2026-11-02/zhang-example.jpg' })],
      alarms: [alarm(start, { state: 'acknowledged', acknowledged })],
      health: [health],
    });
    await vi.waitFor(() => {
      const { alarm: a, event: e, agg1m, health: h } = reader.outboxState();
      expect([a, e, agg1m, h].map((lane) => lane.watermark)).toEqual([1, 1, 2, 1]);
    }, deadline);
    const { lanes } = uplink.stats();
    expect(Object.values(lanes).map((lane) => [lane.backlog, lane.gaps, lane.held])).toEqual(
      Array(4).fill([0, 0, null]),
    );
    expect(query(cityFolder.path, 'SELECT * FROM gaps')).toEqual([]);
    expect(
      query(
        cityFolder.path,
        'SELECT ref, count(*) AS n FROM summaries JOIN points ON id = point GROUP BY ref ORDER BY ref',
      ),
    ).toEqual([
      { ref: 'm-1/e', n: 2 },
      { ref: 'm-1/v', n: 2 },
    ]);
    const all = ['events', 'alarms', 'health', 'received'].map((table) =>
      query(cityFolder.path, `SELECT * FROM ${table}`),
    );
    expect(JSON.stringify(all)).not.toMatch(/zhang/i);
    expect(JSON.stringify(all)).toContain('\\"count\\":2');
    await store[Symbol.asyncDispose]();
  });
});
