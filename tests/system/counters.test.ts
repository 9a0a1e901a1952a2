import { join } from 'node:path';
import { expect, test } from 'vitest';
import { shardOf } from '#bridge/contract/topics.ts';
import { startUplink } from '#bridge/uplink/uplink.ts';
import { samplesTopic } from '#edge/bus/topics.ts';
import type { CounterStep } from '#edge/domain/counter.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { openReader } from '#edge/store/reader.ts';
import { campus, openCity, password, quickLimits, tempFolder } from '../fixtures/bridge/campus.ts';
import { query } from '../fixtures/bridge/city-check.ts';
import { startSafetyCore, temporaryData, until } from './safety-core.ts';

/* A meter is swapped: from its driver's messages to the rows of the city's database. */

const minute = 60_000;
const ref = 'meter-main/energy_import';

test('a meter that is swapped is held, accepted by a person after a restart, and right in the city', async () => {
  using data = temporaryData();
  await using cityFolder = await tempFolder();
  await using city = await openCity(cityFolder.path);
  using reader = openReader(data.path);
  const begin = Math.floor(systemClock.now() / minute) * minute - 60 * minute;
  const reads = async (from: number, ...values: readonly number[]) => {
    await using core = await startSafetyCore({ data: data.path });
    const { mqtt } = await core.drive('fieldbus');
    for (const [i, value] of values.entries()) {
      const message = { t: begin + (from + i) * minute + 10_000, s: [['energy_import', value]] };
      await mqtt.publishAsync(samplesTopic('meter-main' as DeviceId), JSON.stringify(message), { qos: 1 });
    }
    await until(() => expect(core.alarms.has(`counter:${ref}`)).toBe(from > 0));
  };
  await reads(0, 8_000, 8_001, 8_002, 8_003);
  await reads(10, 12, 12.5, 13, 13.5);

  await using core = await startSafetyCore({ data: data.path });
  await using rpc = connectRpc(join(data.path, 'core.sock'));
  await using _uplink = await startUplink({
    source: reader,
    acknowledged: async (epoch, lane, watermark) =>
      void (await rpc.call('outbox.acknowledged', { epoch, lane, watermark })),
    city: { host: '127.0.0.1', port: city.ports.mqtt, shard: shardOf(campus) },
    campus,
    password,
    clock: systemClock,
    log: silentLog,
    signal: new AbortController().signal,
    limits: quickLimits,
  });
  const sql = `SELECT t, delta, rev FROM summaries JOIN points ON id = point WHERE ref = '${ref}' AND delta IS NOT NULL ORDER BY t`;
  const rows = () =>
    (query(cityFolder.path, sql) as { t: number; delta: number; rev: number }[]).map(({ t, delta, rev }) => [
      ...[(t - begin) / minute, delta, rev > 0],
    ]);
  // What the city has before anybody has looked: the step is no consumption, and nothing after it is known.
  const before = [1, 2, 3].map((at) => [at, 1, false]);
  await until(() => expect(rows()).toEqual(before));
  const alarmsOfCity = () => query(cityFolder.path, "SELECT state FROM alarms WHERE body LIKE '%counter:meter-main%'");
  await until(() => expect(alarmsOfCity()).toEqual([{ state: 'unacknowledged' }]));

  const { steps } = (await rpc.call('counter.list', {})) as { steps: CounterStep[] };
  expect(steps).toEqual([expect.objectContaining({ ref, kind: 'swap', from: 8_003, to: 12, last: 13.5 })]);
  const [step] = steps;
  if (step === undefined) throw new Error('no step');
  const decision = { id: step.id, verdict: 'accept', between: 2.25, note: 'swapped this morning' };
  const accepted = await rpc.call('counter.decide', { ...decision, who: 'person:zhou', from: '127.0.0.1' });
  expect(accepted).toMatchObject({ state: 'accepted', between: 2.25 });
  await until(() => {
    expect(core.alarms.get(`counter:${ref}`)?.active).toBe(false);
    expect(core.readings.get(ref)).toMatchObject({ value: 13.5 });
  });
  await expect(rpc.call('counter.decide', { ...decision, verdict: 'maybe' })).rejects.toThrow();

  // The step lies in its minute; each minute that was told before is told again.
  const after = [[10, 2.25, true], ...[11, 12, 13].map((at) => [at, 0.5, true])];
  await until(() => expect(rows()).toEqual([...before, ...after]));
  const known = reader.history(ref, begin, begin + 60 * minute, '1min')?.buckets ?? [];
  expect(known.flatMap(({ t, delta }) => (delta === null ? [] : [[(t - begin) / minute, delta]]))).toEqual(
    [...before, ...after].map(([at, delta]) => [at, delta]),
  );
  expect(query(cityFolder.path, 'SELECT * FROM gaps')).toEqual([]);
}, 90_000);
