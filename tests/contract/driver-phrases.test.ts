import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { expect, test, vi } from 'vitest';
import { createAccess, setClientPassword } from '#edge/bus/access.ts';
import { startBroker } from '#edge/bus/broker.ts';
import { connectBus } from '#edge/bus/client.ts';
import { grantsFor } from '#edge/bus/grants.ts';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceHealth } from '#edge/domain/health.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import type { Sample, Value } from '#edge/domain/reading.ts';
import { createPhrasesDriver } from '#edge/drivers/phrases/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { checkProfileShape, loadProfiles } from '#edge/profiles/load.ts';
import { toldTopics } from '#edge/profiles/phrases-address.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { startMdcDisplay } from '#edge/simulators/mdc-display.ts';
import { startTextBoard } from '#edge/simulators/text-board.ts';
import { type DriverRig, describeDriver } from './driver-contract.ts';

const shelf = await loadProfiles(new URL('../../device-profiles', import.meta.url).pathname);
const never = new AbortController().signal;
const polls = { fast: 2_000, normal: 15_000, slow: 300_000 };
const patient = { timeout: 20_000, interval: 50 };
const nobody = () => Promise.reject(new Error('nobody can be told here'));

function deviceOf(
  path: string,
  address: Readonly<Record<string, unknown>>,
  profile = shelf.profiles.get(path),
): Device {
  if (profile === undefined) throw new Error(`no profile ${path}`);
  return {
    id: 'screen-1' as DeviceId,
    name: { zh: '屏幕', en: 'Screen' },
    profile: path,
    protocol: 'phrases',
    zone: 'zone-1' as ZoneId,
    points: pointsOf(profile, polls),
    address,
  };
}

async function display(host: string): Promise<DriverRig> {
  const screen = await startMdcDisplay({ host, port: 0 });
  const tcp = { host, port: screen.port };
  const driver = createPhrasesDriver({ clock: systemClock, tell: nobody });
  return {
    driver,
    device: deviceOf('display/samsung-mdc', { tcp, timeout: '500ms' }),
    nowhere: { tcp: { host, port: 1 }, timeout: '500ms' },
    wrong: { address: { tcp: { host, prot: 1 } }, key: 'prot' },
    outage: { begin: async () => screen.deaf(true), end: async () => screen.deaf(false) },
    command: { point: 'power' as PointName, value: true, outcome: 'done' },
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      await screen[Symbol.asyncDispose]();
    },
  };
}

describeDriver('phrases (a display that answers)', () => display('127.0.0.1'));
describeDriver('phrases (IPv6)', () => display('::1'));

interface Told {
  readonly tell?: (topic: string, payload: Buffer) => Promise<void>;
}

/** A device, its session, and what the session said. */
async function open(device: Device, { tell = nobody }: Told = {}) {
  const driver = createPhrasesDriver({ clock: systemClock, tell });
  const states: [DeviceHealth['state'], string][] = [];
  const samples: Sample[] = [];
  const sink = {
    sample: (sample: Sample) => void samples.push(sample),
    event: () => {},
    count: () => {},
    health: (state: DeviceHealth['state'], message: string) => void states.push([state, message]),
  };
  const session = await driver.open(device, driver.config.parse(device.address), sink, never);
  return {
    ...{ states, samples },
    write: (point: string, value: Value, expires = systemClock.now() + 10_000) =>
      session.write?.(
        {
          ...{ id: newHappeningId(systemClock), device: device.id, point: point as PointName, value, priority: 8 },
          ...{ issued: systemClock.now(), expires, until: null },
        },
        never,
      ),
    read: () => session.read(device.points, never),
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await driver[Symbol.asyncDispose]();
    },
  };
}

test('a display that answers is done only when it says so itself, and its refusal is a failure', async () => {
  await using screen = await startMdcDisplay({ host: '127.0.0.1', port: 0 });
  const tcp = { host: '127.0.0.1', port: screen.port };
  await using one = await open(deviceOf('display/samsung-mdc', { tcp, timeout: '500ms' }));
  expect(await one.write('input', 'hdmi2')).toMatchObject({ outcome: 'failed' });
  expect(await one.write('power', true)).toMatchObject({ outcome: 'done', value: true });
  expect(await one.write('input', 'hdmi2')).toMatchObject({ outcome: 'done', value: 'hdmi2' });
  expect(screen).toMatchObject({ isOn: true, input: 0x23 });
  expect(await one.read()).toMatchObject([
    { value: true, quality: 'good' },
    { value: 'hdmi2', quality: 'good' },
  ]);
  screen.stubborn(true);
  expect(await one.write('power', false)).toMatchObject({ outcome: 'failed', message: /answers/ });
  expect(screen.isOn).toBe(true);
  expect(await one.write('input', 'vga')).toMatchObject({ outcome: 'refused', message: /phrase book/ });
});

test('a board shows Chinese text in its own encoding, and what it was told is only believed', async () => {
  const board = await startTextBoard({ host: '127.0.0.1', port: 0 });
  const tcp = { host: '127.0.0.1', port: board.port };
  await using one = await open(deviceOf('display/text-board-gbk', { tcp, timeout: '500ms' }));
  expect(await one.write('text', '火警！请按疏散路线撤离')).toMatchObject({ outcome: 'sent' });
  await vi.waitFor(() => expect(board.text).toBe('火警！请按疏散路线撤离'), patient);
  expect(one.samples).toEqual([
    { point: 'text', value: '火警！请按疏散路线撤离', quality: 'uncertain', reason: 'last-usable-value' },
  ]);
  expect(await one.write('text', '')).toMatchObject({ outcome: 'sent' });
  await vi.waitFor(() => expect(board.text).toBe(''), patient);
  // A board says nothing in any case: only one that cannot be reached is known to be gone.
  await board[Symbol.asyncDispose]();
  expect(await one.write('text', '正常上课')).toMatchObject({ outcome: 'failed' });
  expect(one.states.map(([state]) => state)).toEqual(['online', 'offline']);
});

test('text that a board cannot show, or that would be more than text to it, is refused with its reason', async () => {
  await using board = await startTextBoard({ host: '127.0.0.1', port: 0 });
  const tcp = { host: '127.0.0.1', port: board.port };
  await using one = await open(deviceOf('display/text-board-gbk', { tcp, timeout: '500ms' }));
  const cases: readonly [Value, RegExp][] = [
    ['第一行\r\n第二行', /control character.*U\+000D/],
    ['a\u0000b', /U\+0000/],
    ['\u202e倒过来', /U\+202E/],
    ['\u2028', /U\+2028/],
    ['字'.repeat(61), /61 characters.*60/],
    ['半个\ud83d', /half a character/],
    ['ไทย', /not in GBK/],
    [7, /takes text/],
    [true, /takes text/],
  ];
  for (const [text, why] of cases)
    expect(await one.write('text', text), JSON.stringify(text)).toMatchObject({ outcome: 'refused', message: why });
  expect(await one.write('text', '晚', systemClock.now() - 1)).toMatchObject({ outcome: 'expired' });
  expect(board.lines).toBe(0);
  expect(await one.write('text', '字'.repeat(60))).toMatchObject({ outcome: 'sent' });
});

/** The campus's own broker with a gateway that hears what is said to it. */
async function gateway(devices: readonly Device[]) {
  const folder = await mkdtemp(join(tmpdir(), 'phrases-'));
  await setClientPassword(folder, 'ir-203', 'of-the-gateway');
  const clients = [
    { id: 'ir-203', publish: ['tele/ir-203/#'], subscribe: ['cmnd/ir-203/#'], devices: [], requests: [] },
  ];
  const inbound: string[] = [];
  const stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const broker = stack.use(
    await startBroker({
      ...{ hosts: ['127.0.0.1'], port: 0, websocketPort: null, clock: systemClock, log: silentLog },
      access: createAccess({
        ...{ dataFolder: folder, internal: new Map([['fieldbus', 'of-fieldbus']]), clock: systemClock, log: silentLog },
        grants: grantsFor({ clients }, {}, { fieldbus: toldTopics(devices) }),
      }),
      onPublish: ({ client, topic }) => void inbound.push(`${client} ${topic}`),
    }),
  );
  const port = broker.ports.mqtt;
  const ending = new AbortController();
  const bus = stack.use(
    await connectBus({
      ...{ host: '127.0.0.1', port, client: 'fieldbus', password: 'of-fieldbus', clock: systemClock, log: silentLog },
      signal: ending.signal,
    }),
  );
  stack.defer(() => ending.abort());
  const blaster = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    username: 'ir-203',
    password: 'of-the-gateway',
  });
  stack.defer(() => blaster.endAsync(true));
  const heard: [string, string][] = [];
  blaster.on('message', (topic, payload) => void heard.push([topic, payload.toString('utf8')]));
  await blaster.subscribeAsync('cmnd/ir-203/#', { qos: 1 });
  const tell = (topic: string, payload: Buffer) => bus.publish(topic, payload, { qos: 1 });
  return { heard, inbound, tell, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('an infrared blaster hears its code over the broker; it is sent and never done', async () => {
  const device = deviceOf('display/tasmota-ir-lg', { mqtt: 'ir-203' });
  await using hall = await gateway([device]);
  await using one = await open(device, hall);
  expect(await one.write('power', true)).toMatchObject({ outcome: 'sent' });
  expect(await one.write('input', 'hdmi2')).toMatchObject({ outcome: 'sent' });
  await vi.waitFor(() => expect(hall.heard).toHaveLength(2), patient);
  expect(hall.heard.map(([topic]) => topic)).toEqual(['cmnd/ir-203/IRsend', 'cmnd/ir-203/IRsend']);
  expect(JSON.parse(hall.heard[0]?.[1] ?? '')).toEqual({ Protocol: 'NEC', Bits: 32, Data: '0x20DF23DC' });
  expect(one.samples).toMatchObject([
    { value: true, quality: 'uncertain' },
    { value: 'hdmi2', quality: 'uncertain' },
  ]);
  expect(one.states).toEqual([['online', expect.stringContaining('nothing says')]]);
  // Nothing of it can be read, and no reading is made up.
  expect((await one.read()).every(({ quality, value }) => quality === 'bad' && value === null)).toBe(true);
});

test('its driver may speak on the topics of its devices and on no other', async () => {
  const device = deviceOf('display/tasmota-ir-lg', { mqtt: 'ir-203' });
  await using hall = await gateway([device]);
  await hall.tell('cmnd/ir-203/IRsend', Buffer.from('x'));
  await hall.tell('cmnd/ir-203/POWER', Buffer.from('ON')).catch(() => {});
  await hall.tell('v1/command/fieldbus', Buffer.from('{}')).catch(() => {});
  expect(hall.inbound).toEqual(['fieldbus cmnd/ir-203/IRsend']);
  // What a site file cannot make of a place: another tree, a wildcard, a topic of ours.
  for (const at of ['../v1', 'a/#', '+', '', 'a b', '$SYS'])
    expect(toldTopics([{ ...device, address: { mqtt: at } }]), at).toEqual([]);
});

test('while the broker is away nothing is sent, and that is said', async () => {
  await using one = await open(deviceOf('display/tasmota-ir-lg', { mqtt: 'ir-203' }));
  expect(await one.write('power', true)).toMatchObject({ outcome: 'failed', message: /nobody can be told/ });
  expect(one.states.at(-1)?.[0]).toBe('offline');
  expect(one.samples).toEqual([]);
});

/** An HTTP server that answers what it is told to, and remembers what it was asked. */
async function web(answer: (request: IncomingMessage) => readonly [number, string]) {
  const asked: { readonly url: string; readonly authorization: string | undefined; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += String(part);
    });
    request.on('end', () => {
      asked.push({ url: request.url ?? '', authorization: request.headers.authorization, body });
      const [status, said] = answer(request);
      response.writeHead(status, { location: '/elsewhere' }).end(said);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    ...{ asked, http: `http://127.0.0.1:${port}` },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('an Android panel is told over HTTP; a text cannot become another command of its address', async () => {
  await using panel = await web(() => [200, '{"status":"OK"}']);
  await using one = await open(deviceOf('display/fully-kiosk', { http: panel.http, password: 'a&b=c' }));
  expect(await one.write('text', '演练 & cmd=reboot #1?')).toMatchObject({
    outcome: 'sent',
    message: 'it has understood',
  });
  expect(await one.write('power', false)).toMatchObject({ outcome: 'sent' });
  const [text, power] = panel.asked.map(({ url }) => new URL(url, panel.http).searchParams);
  expect(Object.fromEntries(text ?? [])).toEqual({
    ...{ cmd: 'setOverlayMessage', type: 'json', password: 'a&b=c', text: '演练 & cmd=reboot #1?' },
  });
  expect(power?.get('cmd')).toBe('screenOff');
  // It stands in the address already.
  expect(panel.asked[0]?.authorization).toBeUndefined();
});

test('an HTTP endpoint that refuses, sends elsewhere, says something else or is away has not shown anything', async () => {
  const answers: (readonly [number, string])[] = [
    [200, '{"status":"Error"}'],
    [403, ''],
    [302, ''],
    [500, 'x'.repeat(200_000)],
  ];
  await using panel = await web(() => answers.shift() ?? [200, '"OK"']);
  await using one = await open(deviceOf('display/fully-kiosk', { http: panel.http, timeout: '2s' }));
  for (const why of [/answers/, /403/, /did not answer/, /500/])
    expect(await one.write('power', true)).toMatchObject({ outcome: 'failed', message: why });
  expect(await one.write('power', true)).toMatchObject({ outcome: 'sent' });
  expect(panel.asked.every(({ url }) => url.startsWith('/?cmd='))).toBe(true);
  await using away = await open(deviceOf('display/fully-kiosk', { http: 'http://127.0.0.1:1', timeout: '2s' }));
  expect(await away.write('power', true)).toMatchObject({ outcome: 'failed', message: /did not answer/ });
});

test('a body is JSON whatever the text holds, and carries the token', async () => {
  await using panel = await web(() => [204, '']);
  const profile = checkProfileShape({
    ...{
      profile: 'board',
      kind: 'display',
      protocol: 'phrases',
      way: 'http',
      path: '/text',
      name: { zh: '屏', en: 'Board' },
    },
    values: { text: { type: 'text', say: '{"text":{json},"for":"{at}"}', text: { most: 50 } } },
  });
  await using one = await open(deviceOf('display/board', { http: panel.http, password: 'token-1' }, profile));
  expect(await one.write('text', '"},{json}\\')).toMatchObject({ outcome: 'sent' });
  expect(JSON.parse(panel.asked[0]?.body ?? '')).toEqual({ text: '"},{json}\\', for: '' });
  expect(panel.asked[0]).toMatchObject({ url: '/text', authorization: 'Bearer token-1' });
});

test('two devices behind one serial server take turns on its line', async () => {
  let pending = 0;
  let most = 0;
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      pending++;
      most = Math.max(most, pending);
      setTimeout(() => {
        pending--;
        socket.write('a 01 OK01x');
      }, 100);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const tcp = { host: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 0 };
  const driver = createPhrasesDriver({ clock: systemClock, tell: nobody });
  const sink = { sample: () => {}, event: () => {}, count: () => {}, health: () => {} };
  const device = deviceOf('display/lg-rs232', { tcp });
  const sessions = await Promise.all(
    [1, 2].map(() => driver.open(device, driver.config.parse(device.address), sink, never)),
  );
  const power = device.points.filter(({ name }) => name === 'power');
  const read = await Promise.all(
    sessions.flatMap((session) => [session.read(power, never), session.read(power, never)]),
  );
  expect(read.flat().map(({ value }) => value)).toEqual([true, true, true, true]);
  expect(most).toBe(1);
  for (const session of sessions) await session[Symbol.asyncDispose]();
  await driver[Symbol.asyncDispose]();
  server.close();
});

test('an address that does not go with its profile is told at once', async () => {
  const device = deviceOf('display/tasmota-ir-lg', { tcp: { host: '127.0.0.1', port: 1 } });
  await expect(open(device)).rejects.toThrow(/over mqtt/);
  const driver = createPhrasesDriver({ clock: systemClock, tell: nobody });
  const wrong: readonly [unknown, RegExp][] = [
    [{ mqtt: 'a/#' }, /address\.mqtt/],
    [{ http: 'ftp://192.0.2.1' }, /address\.http/],
    [{ http: 'http://name:secret@192.0.2.1' }, /username and password/],
    [{ http: 'http://192.0.2.1', pasword: 'x' }, /pasword/],
    [{ tcp: { host: 'a b', port: 1 } }, /address\.tcp\.host/],
    [{}, /must be \{mqtt/],
    [null, /must be \{mqtt/],
  ];
  for (const [address, why] of wrong) expect(() => driver.config.parse(address)).toThrow(why);
});
