import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { createAccess, setClientPassword } from '#edge/bus/access.ts';
import type { Broker } from '#edge/bus/broker.ts';
import { startBroker } from '#edge/bus/broker.ts';
import type { InboundMessage } from '#edge/bus/bus.ts';
import { findBrokenGrants, grantsFor } from '#edge/bus/grants.ts';
import { samplesTopic } from '#edge/bus/topics.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import type { Accepted, Ingest } from '#edge/ingest/ingest.ts';
import { createIngest } from '#edge/ingest/ingest.ts';
import { devicesOf } from '#edge/profiles/expand.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { Site } from '#edge/runtime/site.ts';
import { checkSite } from '#edge/runtime/site.ts';
import type { Sensors } from '#edge/simulators/sensors.ts';
import { sensorClients, startSensors } from '#edge/simulators/sensors.ts';
import { shelf } from './harness.ts';

/* The sensors of the demo campus against the real broker and ingest, over real sockets. */

const patience = { timeout: 10_000, interval: 20 };
const named = (id: string) => ({ id, name: { zh: id, en: id } });

async function demoSite(): Promise<Site> {
  const file = new URL('../../fixtures/ingest/demo-sensors.yaml', import.meta.url);
  const fragment: unknown = parse(await readFile(file, 'utf8'));
  const spaces = ['r101', 'r102', 'r201', 'r203', 'r301', 'kitchen', 'gatehouse'].map(named);
  return checkSite(
    {
      site: 1,
      campus: { id: '2144000001', name: { zh: '示范学校', en: 'Demo school' }, timeZone: 'Asia/Shanghai' },
      buildings: [{ ...named('main'), floors: [{ ...named('f1'), spaces }] }],
      zones: ['teaching', 'canteen', 'gate'].map(named),
      ...(fragment as object),
    },
    '/',
  );
}

let site: Site;
let folder: string;
let broker: Broker;
let ingest: Ingest;
let sensors: Sensors;
const accepted: { readonly message: InboundMessage; readonly result: Accepted }[] = [];
const events = (): CampusEvent[] => accepted.flatMap(({ result }) => result.events);
const latest = (ref: string) => ingest.latest().get(ref as PointRef);

beforeAll(async () => {
  site = await demoSite();
  folder = await mkdtemp(join(tmpdir(), 'sensors-'));
  const passwords = new Map(sensorClients.map((id) => [id, `${id}-secret`]));
  for (const [id, password] of passwords) await setClientPassword(folder, id, password);
  const { devices, broken } = devicesOf(site, shelf);
  expect(broken).toEqual([]);
  const log = silentLog;
  ingest = createIngest({ devices, clock: systemClock, log, timeZone: site.campus.timeZone });
  const access = createAccess({
    dataFolder: folder,
    internal: new Map(),
    grants: grantsFor(site, {}),
    clock: systemClock,
    log,
  });
  broker = await startBroker({
    hosts: ['127.0.0.1'],
    port: 0,
    websocketPort: null,
    access,
    clock: systemClock,
    log,
    onPublish: (message) => {
      accepted.push({ message, result: ingest.accept(message) });
    },
  });
  sensors = await startSensors({ host: '127.0.0.1', port: broker.ports.mqtt, passwords, samplesTopic });
  await vi.waitFor(() => expect(sensors.connected()).toEqual([...sensorClients]), patience);
}, 30_000);

afterAll(async () => {
  await sensors[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe('the simulated sensors', () => {
  test('the fragment of the site file is valid and grants each client what it needs', () => {
    expect(findBrokenGrants(site)).toEqual([]);
    expect(site.clients.map((client) => client.id)).toEqual([...sensorClients]);
    expect(ingest.broken).toEqual([]);
  });

  test('every sensor is heard in its own convention, and nothing is a stranger', async () => {
    await vi.waitFor(() => {
      const silent = [...ingest.latest().values()].filter((reading) => reading.quality !== 'good');
      // Optional on these devices: the simulated climate sensors have no CO2 cell, the contact no tamper switch.
      expect(silent.map((reading) => reading.ref).sort()).toEqual([
        'climate-101/co2',
        'climate-201/co2',
        'climate-203/co2',
        'door-gate/tamper',
      ]);
    }, patience);
    expect(accepted.flatMap(({ result }) => result.inbox)).toEqual([]);
    expect(ingest.registry.find('air-301')?.device.points.map(({ name, unit }) => [name, unit])).toEqual([
      ['online', ''],
      ['co2', '[ppm]'],
      ['temperature', 'Cel'],
      ['humidity', '%{RH}'],
      ['pm2_5', 'ug/m3'],
    ]);
    expect(broker.stats().refused).not.toHaveProperty('topic-not-granted');
  });

  test('they speak at the quality of service of real ones', () => {
    const qos = new Map(accepted.map(({ message }) => [message.topic, message.qos]));
    expect(qos.get('zigbee2mqtt/smoke-101')).toBe(1);
    expect(qos.get('zigbee2mqtt/climate-101')).toBe(0);
    expect(qos.get(samplesTopic('fire-panel' as DeviceId))).toBe(1);
  });

  test('smoke, a fire contact, a leak and an open door arrive at once', async () => {
    sensors.smoke('smoke-101', true);
    sensors.fireContact(true);
    sensors.leak('leak-kitchen', true);
    sensors.contact('door-gate', false);
    await vi.waitFor(() => {
      expect(latest('smoke-101/smoke')).toMatchObject({ value: true, quality: 'good' });
      expect(latest('fire-panel/alarm')).toMatchObject({ value: true, quality: 'good' });
      expect(latest('leak-kitchen/water_leak')?.value).toBe(true);
      expect(latest('door-gate/contact')?.value).toBe(false);
    }, patience);
    expect(latest('smoke-102/smoke')?.value).toBe(false);
    sensors.smoke('smoke-101', false);
    sensors.fireContact(false);
    await vi.waitFor(
      () => expect([latest('smoke-101/smoke')?.value, latest('fire-panel/alarm')?.value]).toEqual([false, false]),
      patience,
    );
  });

  test('a press is one event', async () => {
    sensors.press();
    const presses = () => events().filter((event) => event.type === 'button');
    await vi.waitFor(() => expect(presses()).toHaveLength(1), patience);
    expect(presses()[0]).toMatchObject({ device: 'button-gatehouse', zone: 'gate', data: { action: 'single' } });
  });

  test('people in a room are seen', async () => {
    sensors.occupied('pir-101', true);
    await vi.waitFor(() => expect(latest('pir-101/occupancy')?.value).toBe(true), patience);
    sensors.occupied('pir-101', false);
    await vi.waitFor(() => expect(latest('pir-101/occupancy')?.value).toBe(false), patience);
  });

  test('pulled cables speak through last wills, and everything comes back by itself', async () => {
    sensors.unplug('tasmota-plug-1');
    sensors.unplug('zigbee2mqtt');
    sensors.unplug('esp-air-301');
    await vi.waitFor(() => {
      expect(latest('plug-1/online')?.value).toBe(false);
      expect(latest('plug-1/power')).toMatchObject({ quality: 'bad', reason: 'no-communication' });
      expect(latest('smoke-201/smoke')).toMatchObject({ value: false, quality: 'bad', reason: 'no-communication' });
      expect(latest('air-301/co2')).toMatchObject({ quality: 'bad', reason: 'no-communication' });
    }, patience);
    expect(latest('air-201/co2')?.quality).toBe('good');
    for (const id of sensorClients) sensors.replug(id);
    await vi.waitFor(() => {
      for (const ref of ['plug-1/power', 'smoke-201/smoke', 'air-301/co2']) expect(latest(ref)?.quality).toBe('good');
    }, patience);
    expect(
      events()
        .filter((event) => event.type === 'bridge_offline')
        .map((event) => event.active),
    ).toEqual([true, false]);
  });
});

test('a client without a password is named before anything starts', async () => {
  const passwords = new Map([['zigbee2mqtt', 'x']]);
  await expect(startSensors({ host: '127.0.0.1', port: 1, passwords, samplesTopic })).rejects.toThrow('tasmota-plug-1');
});
