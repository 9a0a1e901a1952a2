import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { DriverEvent, Session, Sink } from '#edge/drivers/driver.ts';
import { createFirePanelDriver } from '#edge/drivers/fire-panel/driver.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { fireRecord, resetRecord } from './panel-bytes.ts';

const soon = { timeout: 20_000, interval: 20 };
let server: Server;
let panels: Socket[];
let session: Session | undefined;
let samples: Sample[];
let events: DriverEvent[];
let health: string[];
let ending: AbortController;

const sink: Sink = {
  sample: (sample) => samples.push(sample),
  event: (event) => events.push(event),
  health: (state) => health.push(state),
  count: () => {},
};
const names = ['alarm', 'fault', 'disabled', 'last'] as const;
const points = names.map((name): Point => {
  const type = name === 'last' ? 'text' : 'boolean';
  const label = { zh: name, en: name };
  return {
    name: name as PointName,
    label,
    type,
    unit: '',
    poll: 'fast',
    deadband: 0,
    staleAfter: 0,
    address: { at: name },
  };
});
const device: Device = {
  ...{
    id: 'panel' as DeviceId,
    name: { zh: '消防主机', en: 'Fire panel' },
    kind: 'sensor',
    zone: 'gate' as ZoneId,
    points,
  },
  ...{ protocol: 'fire-panel', profile: 'sensor/fire-panel-text', tags: [], address: {} },
};

beforeEach(async () => {
  [panels, samples, events, health] = [[], [], [], []];
  ending = new AbortController();
  server = createServer((socket) => {
    panels.push(socket);
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  ending.abort();
  await session?.[Symbol.asyncDispose]();
  for (const panel of panels) panel.destroy();
  server.close();
});

async function open(more: object = {}): Promise<Socket> {
  const driver = createFirePanelDriver({ clock: systemClock });
  const { port } = server.address() as AddressInfo;
  session = await driver.open(
    device,
    driver.config.parse({ tcp: { host: '127.0.0.1', port }, ...more }),
    sink,
    ending.signal,
  );
  return vi.waitFor(() => {
    const panel = panels.at(-1);
    if (panel === undefined || health.at(-1) !== 'online') throw new Error('the driver has not connected');
    return panel;
  }, soon);
}

const read = async () => {
  const found = (await session?.read(points, ending.signal)) ?? [];
  return Object.fromEntries(found.map(({ point, value, quality }) => [point, `${value} ${quality}`]));
};

test('is not known to be quiet before the panel has spoken', async () => {
  await open();
  expect(await read()).toEqual({
    alarm: 'false uncertain',
    fault: 'false uncertain',
    disabled: 'false uncertain',
    last: ' uncertain',
  });
});

test('tells a fire in the moment the panel prints it, with where, and takes it back when the panel is reset', async () => {
  const panel = await open();
  panel.write(fireRecord);
  await vi.waitFor(() => expect(samples).toContainEqual({ point: 'alarm', value: true, quality: 'good' }), soon);
  await vi.waitFor(() => expect(events).toHaveLength(1), soon);
  expect(events[0]).toMatchObject({
    type: 'fire_panel',
    data: { what: 'fire', part: '004-004', text: '首次火警 裙楼一层上空 感烟探测器', printed: '08/12/02  17:24' },
  });
  panel.write(resetRecord);
  await vi.waitFor(async () => expect(await read()).toMatchObject({ alarm: 'false good' }), soon);
});

test('a line that is lost takes nothing back, is told, and is opened again', async () => {
  const panel = await open();
  panel.write(fireRecord);
  await vi.waitFor(async () => expect(await read()).toMatchObject({ alarm: 'true good' }), soon);
  panel.destroy();
  await vi.waitFor(() => expect(health).toContain('offline'), soon);
  await vi.waitFor(() => expect(panels).toHaveLength(2), soon);
  await vi.waitFor(async () => expect(await read()).toMatchObject({ alarm: 'true good' }), soon);
});

test('a wrong baud rate is said, and forgotten with the first line that is text', async () => {
  const panel = await open();
  for (let i = 0; i < 6; i++) panel.write(Buffer.from([0xff, 0x81, 0x02, 0xff, 0x0a]));
  await vi.waitFor(() => expect(health.at(-1)).toBe('degraded'), soon);
  expect(await read()).toMatchObject({ alarm: 'null bad' });
  panel.write(fireRecord);
  await vi.waitFor(async () => expect(await read()).toMatchObject({ alarm: 'true good' }), soon);
  expect(health.at(-1)).toBe('online');
});

test.each([
  [{}, /tcp or serial/],
  [{ tcp: { host: 'a', port: 1 }, serial: { path: '/dev/x' } }, /tcp or serial/],
  [{ tcp: { host: 'a', port: 0 } }, /address\.tcp\.port/],
  [{ tcp: { host: 'a', port: 1 }, words: { fier: ['x'] } }, /address\.words/],
])('an address that is wrong says where: %j', (address, where) => {
  const driver = createFirePanelDriver({ clock: systemClock });
  expect(() => driver.config.parse(address)).toThrow(where);
});
