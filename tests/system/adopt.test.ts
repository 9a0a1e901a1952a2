import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { paths } from '#edge/processes/context.ts';
import { readAdopted } from '#edge/runtime/adopted.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import { connectRpc, type RpcClient } from '#edge/runtime/rpc.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import { type RunningCampus, startCampus } from './campus.ts';

/* A sensor and a meter that the site file does not have are adopted while the campus runs, and given up again. */

const missing = ['climate-101', 'meter-canteen'];
const soon = { timeout: 30_000, interval: 100 };
let campus: RunningCampus;
let rpc: RpcClient;
let reader: Reader;
let canteen: Record<string, unknown>;

beforeAll(async () => {
  campus = await startCampus({
    city: false,
    only: ['fieldbus', 'web'],
    times: { reloadPause: 100 },
    change: (site) => {
      canteen = site.devices.find(({ id }) => id === 'meter-canteen')?.address ?? {};
      return { ...site, devices: site.devices.filter(({ id }) => !missing.includes(id)) };
    },
  });
  rpc = connectRpc(paths.socket(campus.data));
  reader = openReader(campus.data);
  await allReady();
}, 60_000);
afterAll(async () => {
  reader?.[Symbol.dispose]();
  await rpc?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
});

const by = { who: 'person:technician', from: '127.0.0.1' };
const climate = {
  id: 'climate-101',
  name: { zh: '温湿度', en: 'Climate' },
  profile: 'sensor/zigbee-climate',
  zone: 'teaching',
  space: 'r101',
  address: { zigbee2mqtt: 'climate-101' },
};
const meter = () => ({
  id: 'meter-canteen',
  name: { zh: '食堂电表', en: 'Canteen meter' },
  profile: 'meter/eastron-sdm630',
  zone: 'canteen',
  address: canteen,
});

async function allReady(): Promise<void> {
  await vi.waitFor(() => {
    for (const name of ['core', 'fieldbus', 'web']) expect(campus.status(name).state, name).toBe('ready');
  }, soon);
}

/** The newest good value after a moment; undefined while there is none. */
function liveValue(ref: string, since: number): unknown {
  const found = reader.history(ref, since, since + 3_600_000, 'raw', 10_000);
  return found?.samples.findLast(({ quality }) => quality === 'good')?.value;
}

/** How long nobody answered on the broker's port, ms, around `during`. */
async function awayFor(during: () => Promise<unknown>): Promise<number> {
  let lastGood = systemClock.monotonic();
  let longest = 0;
  let done = false;
  const watching = (async () => {
    while (!done) {
      if (await answers(campus.site.mqtt.port)) {
        longest = Math.max(longest, systemClock.monotonic() - lastGood);
        lastGood = systemClock.monotonic();
      }
      await delay(10);
    }
  })();
  await during();
  done = true;
  await watching;
  return Math.round(longest);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 });
    const end = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

test('a sensor that nobody declared is in the inbox, is adopted, and is live within seconds', async () => {
  const line = await vi.waitFor(() => {
    const found = reader.inbox(100).find(({ key }) => key.includes('climate-101'));
    if (found === undefined) throw new Error('not in the inbox yet');
    return found;
  }, soon);
  const before = { core: campus.pid('core'), web: campus.pid('web'), fieldbus: campus.pid('fieldbus') };
  const adopted = systemClock.now();
  const away = await awayFor(async () => {
    const answer = await rpc.call('device.adopt', { device: climate, inboxKey: line.key, ...by });
    expect(answer).toEqual({ id: 'climate-101', restarts: ['core', 'web'] });
    await vi.waitFor(() => expect(campus.pid('web')).not.toBe(before.web), soon);
    await allReady();
  });
  await vi.waitFor(() => expect(liveValue('climate-101/temperature', adopted)).toBeTypeOf('number'), soon);
  console.info(`adopted: broker away ${away} ms, live after ${systemClock.now() - adopted} ms`);
  expect(campus.pid('core')).not.toBe(before.core);
  expect(campus.pid('fieldbus')).toBe(before.fieldbus);
  for (const name of ['core', 'web']) expect(campus.status(name)).toMatchObject({ restarts: 0, lastExit: 'exit 0' });
  expect(reader.inbox(100).map(({ key }) => key)).not.toContain(line.key);
  expect(reader.newestAudit(20)).toContainEqual(
    expect.objectContaining({ ...by, what: 'device.adopt climate-101 (sensor/zigbee-climate)', result: 'accepted' }),
  );
}, 60_000);

test('a meter is adopted: its driver starts again, reads it, and web shows it', async () => {
  const before = campus.pid('fieldbus');
  const since = systemClock.now();
  expect(await rpc.call('device.adopt', { device: meter(), ...by })).toEqual({
    id: 'meter-canteen',
    restarts: ['core', 'fieldbus', 'web'],
  });
  await vi.waitFor(() => expect(liveValue('meter-canteen/voltage_l1', since)).toBeTypeOf('number'), soon);
  expect(campus.pid('fieldbus')).not.toBe(before);
  await allReady();
  await vi.waitFor(async () => {
    const points = await campus.get<{ id: string }[]>('points');
    expect(points.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['meter-canteen/voltage_l1', 'climate-101/temperature', 'meter-main/voltage_l1']),
    );
  }, soon);
}, 60_000);

test('what does not fit is refused with a sentence, and nothing starts again', async () => {
  await allReady();
  const pid = campus.pid('core');
  const attempts: [object, RegExp][] = [
    [{ ...climate, id: 'smoke-101' }, /the campus has a device "smoke-101" already/],
    [{ ...climate, id: 'climate-9' }, /device "climate-101" has this address already/],
    [{ ...meter(), id: 'meter-9', zone: 'moon' }, /there is no zone "moon"/],
    [{ ...meter(), id: 'meter-9', space: 'moon' }, /there is no space "moon"/],
    [{ ...meter(), id: 'meter-9', profile: 'meter/nobody' }, /profile meter\/nobody: there is no such profile/],
    [{ ...meter(), id: 'meter-9', address: { tcp: { host: '127.0.0.1', port: 0 } } }, /address\.tcp\.port/],
    [{ ...meter(), id: 'Meter 9' }, /^id: must be a slug/],
    [{ ...meter(), id: 'meter-9', colour: 'red' }, /colour/],
  ];
  for (const [device, sentence] of attempts) {
    await expect(rpc.call('device.adopt', { device, ...by })).rejects.toThrow(sentence);
  }
  await expect(rpc.call('device.adopt', { device: meter(), who: 'root', from: '' })).rejects.toThrow(/person:<id>/);
  await expect(rpc.call('device.give-up', { id: 'meter-main', ...by })).rejects.toThrow(/is in the site file/);
  await expect(rpc.call('device.give-up', { id: 'nobody', ...by })).rejects.toThrow(/no adopted device "nobody"/);
  expect(readAdopted(campus.data).devices.map(({ id }) => id)).toEqual(['climate-101', 'meter-canteen']);
  expect(campus.pid('core')).toBe(pid);
});

test('killed in the middle of adopting, core leaves a whole file and comes back with it', async () => {
  for (let round = 0; round < 4; round++) {
    await allReady();
    const device = { ...meter(), id: `meter-kill-${round}`, address: { ...canteen, unit: 50 + round } };
    const pid = campus.pid('core');
    const call = rpc.call('device.adopt', { device, ...by }).catch(() => null);
    await delay(round * 4);
    process.kill(pid, 'SIGKILL');
    await call;
    const { isWhole, devices } = readAdopted(campus.data);
    expect(isWhole).toBe(true);
    expect(devices.map(({ id }) => id)).toEqual(expect.arrayContaining(['climate-101', 'meter-canteen']));
    expect(JSON.parse(readFileSync(join(campus.data, 'devices.json'), 'utf8'))).toMatchObject({ version: 1 });
    await vi.waitFor(() => expect(campus.pid('core')).not.toBe(pid), soon);
  }
  await allReady();
}, 60_000);

test('given up, a device is gone from the campus and its file', async () => {
  const { devices } = readAdopted(campus.data);
  const before = campus.pid('web');
  for (const { id } of devices) {
    await vi.waitFor(() => rpc.call('device.give-up', { id, ...by }), soon);
  }
  expect(readAdopted(campus.data).devices).toEqual([]);
  await vi.waitFor(() => expect(campus.pid('web')).not.toBe(before), soon);
  await allReady();
  await vi.waitFor(async () => {
    const points = await campus.get<{ id: string }[]>('points');
    expect(points.length).toBeGreaterThan(10);
    expect(points.filter(({ id }) => /^(climate-101|meter-canteen)\//.test(id))).toEqual([]);
  }, soon);
}, 60_000);
