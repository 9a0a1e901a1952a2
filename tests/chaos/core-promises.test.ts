import { connectAsync, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { setClientPassword } from '#edge/bus/access.ts';
import { samplesTopic } from '#edge/bus/topics.ts';
import { type EdgeInit, newSecrets } from '#edge/processes/context.ts';
import { startCore } from '#edge/processes/core.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { loadSite } from '#edge/runtime/site.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import { type TempFolder, tempFolder } from '../fixtures/bridge/campus.ts';
import { freePorts } from '../system/free-ports.ts';
import { asDevice } from './qos1-sensor.ts';
import { Disk } from './seized-disk.ts';

/* What a PUBACK promises when the line, not core, breaks; when the disk refuses for a while; when clocks are wrong. */

const soon = { timeout: 20_000, interval: 100 };
const air = samplesTopic(asDevice('air-201'));
const panel = samplesTopic(asDevice('fire-panel'));
let folder: TempFolder;
let reader: Reader;
let port = 0;

async function core(tuning: NonNullable<EdgeInit['tuning']> = {}): Promise<AsyncDisposable> {
  const demo = await loadSite(new URL('../../edge/simulators/demo-site.yaml', import.meta.url).pathname);
  const listener = { id: 'listener', publish: [], subscribe: ['v1/out/#'], devices: [], requests: [] };
  const mqtt = { hosts: ['127.0.0.1'], port, websocketPort: null, tls: null };
  const site = { ...demo, mqtt, clients: [...demo.clients, listener] };
  const init = { site, data: folder.path, ...newSecrets(), tuning };
  return startCore(init, { clock: systemClock, log: silentLog, onProcesses: () => {} });
}

async function client(id: string): Promise<MqttClient> {
  const password = `password-of-${id}`;
  const mqtt = await connectAsync({
    host: '127.0.0.1',
    port,
    clientId: id,
    username: id,
    password,
    reconnectPeriod: 0,
  });
  return mqtt.on('error', () => {});
}

const say = (mqtt: MqttClient, topic: string, body: object) =>
  mqtt.publishAsync(topic, JSON.stringify(body), { qos: 1 });
const hangUp = (mqtt: MqttClient) => new Promise<void>((resolve) => mqtt.once('close', () => resolve()));
const times = () => reader.history('air-201/pm2_5', 0, systemClock.now() + 60_000)?.samples.map(({ t }) => t) ?? [];

beforeEach(async () => {
  folder = await tempFolder();
  [port = 0] = await freePorts(1);
  for (const id of ['air-201', 'fire-panel', 'listener']) await setClientPassword(folder.path, id, `password-of-${id}`);
  reader = openReader(folder.path);
});
afterEach(async () => {
  reader[Symbol.dispose]();
  await folder[Symbol.asyncDispose]();
});

describe('an acknowledged sample is on disk', () => {
  test('also when it was sent again over a new connection while the first copy still waits for its commit', async () => {
    // One commit is free, the next comes in 5 s: the first copy of the second sample has to wait.
    const tuning = { acknowledgeBeforeCommit: false, commitStock: 1, commitsPerSecond: 0.2 };
    await using _core = await core(tuning);
    const first = await client('air-201');
    const heard: number[] = [];
    const listener = await client('listener');
    listener.on('message', (_topic, payload) => heard.push(JSON.parse(payload.toString()).value));
    await listener.subscribeAsync('v1/out/reading/air-201/pm2_5');
    await say(first, air, { t: systemClock.now(), s: [['pm2_5', 1]] });
    const t = systemClock.now();
    const body = { t, s: [['pm2_5', 2]] };
    say(first, air, body).catch(() => {});
    // Readings are told before they are on disk: then core has it.
    await vi.waitFor(() => expect(heard).toContain(2), soon);
    await first.endAsync(true);
    const second = await client('air-201');
    await say(second, air, body);
    expect(times()).toContain(t);
    await second.endAsync(true);
    await listener.endAsync(true);
  }, 30_000);

  test('and so is the alarm it raised, when the disk had refused the first copy', async () => {
    await using _core = await core();
    let [sensor, contact] = [await client('air-201'), await client('fire-panel')];
    await say(sensor, air, { t: systemClock.now(), s: [['pm2_5', 1]] });
    await say(contact, panel, { alarm: false, fault: false });
    const t = systemClock.now();
    const sample = { t, s: [['pm2_5', 2]] };
    const fire = { alarm: true, fault: false };
    {
      using other = new Disk(folder.path);
      other.seize();
      const refused = [hangUp(sensor), hangUp(contact)];
      say(sensor, air, sample).catch(() => {});
      say(contact, panel, fire).catch(() => {});
      await Promise.all(refused);
    }
    await vi.waitFor(
      () => expect(reader.alarms({ limit: 10 }).map(({ source }) => source)).toContain('store:record'),
      soon,
    );
    [sensor, contact] = [await client('air-201'), await client('fire-panel')];
    await say(sensor, air, sample);
    await say(contact, panel, fire);
    expect(times()).toContain(t);
    const seen = reader.history('fire-panel/alarm', 0, systemClock.now() + 60_000)?.samples.map(({ value }) => value);
    expect(seen).toContain(true);
    expect(reader.alarms({ limit: 10 }).map(({ source }) => source)).toContain('interlock:fire');
    await sensor.endAsync(true);
    await contact.endAsync(true);
  }, 60_000);

  test.each([
    ['has no clock', null],
    ['has a clock that is 30 s ahead', 30_000],
  ])(
    'also when its device %s and tells a backlog at once',
    async (_, ahead) => {
      await using _core = await core();
      const mqtt = await client('air-201');
      const base = systemClock.now();
      const bodies = Array.from({ length: 200 }, (_, i) => ({
        ...(ahead === null ? {} : { t: base + ahead + i * 50 }),
        s: [['pm2_5', i * 2]],
      }));
      await Promise.all(bodies.map((body) => say(mqtt, air, body)));
      expect(times()).toHaveLength(200);
      await mqtt.endAsync(true);
    },
    30_000,
  );
});
