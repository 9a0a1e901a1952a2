import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it, vi } from 'vitest';
import { type Lane, lanes } from '#bridge/contract/lanes.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import { campus, makeBody, openCity, openUplink, tempFolder } from '../fixtures/bridge/campus.ts';
import { compare, query } from '../fixtures/bridge/city-check.ts';
import { startCityProcess } from '../fixtures/bridge/city-process.ts';
import { FixtureOutbox } from '../fixtures/bridge/outbox.ts';
import { openProxy } from '../fixtures/bridge/proxy.ts';

/*
 * The outbox frees a row the moment the city has acknowledged it. So an acknowledgement that left before its commit is a
 * row that nobody has any more, and the same checker that must find nothing in the honest runs must find it.
 */
const clean = { missing: [], doubled: [], outOfOrder: [], changed: [], ghosts: [] };
const deadline = { timeout: 20_000, interval: 20 };
const kills = inject('kills') ?? 5;

function acknowledgedInAll(outbox: FixtureOutbox): number {
  return lanes.reduce((sum, lane) => sum + outbox.watermark(lane), 0);
}

function filler(outbox: FixtureOutbox): Disposable {
  let n = 0;
  return new Ticker(8, () => {
    n += 1;
    outbox.append('agg1m', makeBody('agg1m', n));
    if (n % 3 === 0) outbox.append('event', makeBody('event', n));
    if (n % 10 === 0) outbox.append('alarm', makeBody('alarm', n));
    if (n % 25 === 0) outbox.append('health', makeBody('health', n));
  });
}

async function drained(outbox: FixtureOutbox): Promise<void> {
  await vi.waitFor(() => {
    const state = outbox.outboxState();
    for (const lane of lanes) expect(outbox.watermark(lane), lane).toBe(state[lane].head);
  }, deadline);
}

describe('the city killed', () => {
  it(`loses, doubles and disorders nothing over ${kills} kills while the outbox keeps filling`, {
    timeout: 30_000 + kills * 5_000,
  }, async () => {
    await using folder = await tempFolder();
    using outbox = new FixtureOutbox(join(folder.path, 'outbox.db'), false);
    let city = await startCityProcess(folder.path, { logReceived: true });
    await using proxy = await openProxy(() => city.mqttPort, 1);
    await using uplink = await openUplink(outbox, proxy.port);
    {
      using _filler = filler(outbox);
      for (let kill = 0; kill < kills; kill++) {
        const before = acknowledgedInAll(outbox);
        await vi.waitFor(() => expect(acknowledgedInAll(outbox)).toBeGreaterThan(before + 50), deadline);
        await city.kill();
        city = await startCityProcess(folder.path, { logReceived: true });
      }
    }
    await drained(outbox);
    expect(uplink.stats().connections).toBeGreaterThan(kills);
    expect(await city.stop()).toBe(0);
    const applied = acknowledgedInAll(outbox);
    expect(compare(outbox, folder.path, campus)).toEqual({ ...clean, applied });
    expect(query(folder.path, 'SELECT * FROM gaps')).toEqual([]);
  });

  it('is caught by the same checker when it acknowledges before it commits', async () => {
    await using folder = await tempFolder();
    using outbox = new FixtureOutbox(join(folder.path, 'outbox.db'), false);
    outbox.append('event', ...[1, 2, 3, 4, 5].map((n) => makeBody('event', n)));
    // It sleeps between the two for longer than this test lives: the kill always falls in between.
    let city = await startCityProcess(folder.path, { logReceived: true, acknowledgeBeforeCommit: 600_000 });
    await using proxy = await openProxy(() => city.mqttPort, 2);
    await using _uplink = await openUplink(outbox, proxy.port);
    await vi.waitFor(() => expect(outbox.watermark('event')).toBeGreaterThan(0), deadline);
    const acknowledged = outbox.watermark('event');
    await city.kill();
    city = await startCityProcess(folder.path, { logReceived: true });
    outbox.append('event', makeBody('event', 6));
    await drained(outbox);
    await city.stop();
    const findings = compare(outbox, folder.path, campus);
    expect(findings.missing).toEqual(Array.from({ length: acknowledged }, (_, i) => `event ${i + 1}`));
    // Even then it is not silent.
    expect(query(folder.path, 'SELECT lane, first, last, reason FROM gaps')).toEqual([
      { lane: 'event', first: 1, last: acknowledged, reason: 'evicted' },
    ]);
  }, 60_000);

  it('pulls again what it had, when it was restored from an older copy', async () => {
    await using folder = await tempFolder();
    using outbox = new FixtureOutbox(join(folder.path, 'outbox.db'), true);
    const database = join(folder.path, 'city.db');
    const run = async (lane: Lane, from: number, to: number) => {
      await using city = await openCity(folder.path);
      await using _uplink = await openUplink(outbox, city.ports.mqtt);
      for (let n = from; n <= to; n++) outbox.append(lane, makeBody(lane, n));
      await drained(outbox);
    };
    await run('agg1m', 1, 30);
    await copyFile(database, `${database}.lastnight`);
    await run('agg1m', 31, 80);
    for (const ending of ['', '-wal', '-shm']) await rm(`${database}${ending}`, { force: true });
    await copyFile(`${database}.lastnight`, database);
    await run('agg1m', 81, 90);
    expect(compare(outbox, folder.path, campus)).toEqual({ ...clean, applied: 90 });
    expect(query(folder.path, 'SELECT * FROM gaps')).toEqual([]);
  }, 60_000);
});
