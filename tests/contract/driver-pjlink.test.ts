import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceHealth } from '#edge/domain/health.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import { converse } from '#edge/drivers/pjlink/conversation.ts';
import { createPjlinkDriver } from '#edge/drivers/pjlink/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { type ProjectorOptions, startProjector } from '#edge/simulators/projector.ts';
import { type DriverRig, describeDriver } from './driver-contract.ts';

const shelf = await loadProfiles(new URL('../../device-profiles', import.meta.url).pathname);
const never = new AbortController().signal;
const options = { host: '127.0.0.1', port: 0, clock: systemClock, class: 2, warmUp: 0, coolDown: 0 } as const;

function deviceAt(address: Readonly<Record<string, unknown>>): Device {
  const profile = shelf.profiles.get('display/pjlink');
  if (profile === undefined) throw new Error('no profile display/pjlink');
  return {
    id: 'projector-1' as DeviceId,
    name: { zh: '投影机', en: 'Projector' },
    profile: 'display/pjlink',
    protocol: 'pjlink',
    zone: 'zone-1' as ZoneId,
    points: pointsOf(profile, { fast: 2_000, normal: 15_000, slow: 300_000 }),
    address,
  };
}

async function rigFor(host: string, password: string | undefined): Promise<DriverRig> {
  const projector = await startProjector({ ...options, host, ...(password === undefined ? {} : { password }) });
  const address = { host, port: projector.port, timeout: '500ms', ...(password === undefined ? {} : { password }) };
  const device = deviceAt(address);
  const driver = createPjlinkDriver({ clock: systemClock });
  // What a projector has only while it is on is part of what is read.
  await turn(projector.port, host, password ?? null);
  return {
    driver,
    device,
    nowhere: { ...address, port: 1 },
    wrong: { address: { ...address, prot: 1 }, key: 'prot' },
    outage: { begin: async () => projector.deaf(true), end: async () => projector.deaf(false) },
    command: { point: 'mute' as PointName, value: true, outcome: 'done' },
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      await projector[Symbol.asyncDispose]();
    },
  };
}

async function turn(port: number, host: string, password: string | null): Promise<void> {
  await using talk = await converse({ host, port, password, timeout: 5_000, signal: never });
  expect(await talk.ask('POWR', '1', 1)).toBe('OK');
}

describeDriver('pjlink (no password)', () => rigFor('127.0.0.1', undefined));
describeDriver('pjlink (password, IPv6)', () => rigFor('::1', 'JBMIAProjectorLink'));

/** One projector, its driver's session, and what the session said. */
async function rig(change: Partial<ProjectorOptions>, address: Readonly<Record<string, unknown>> = {}) {
  const projector = await startProjector({ ...options, ...change });
  const device = deviceAt({ host: '127.0.0.1', port: projector.port, timeout: '500ms', ...address });
  const driver = createPjlinkDriver({ clock: systemClock });
  const states: DeviceHealth['state'][] = [];
  const messages: string[] = [];
  const sink = {
    sample: () => {},
    event: () => {},
    count: () => {},
    health: (state: DeviceHealth['state'], message: string) => {
      states.push(state);
      messages.push(message);
    },
  };
  const session = await driver.open(device, driver.config.parse(device.address), sink, never);
  const read = async (): Promise<Record<string, Value | null | string>> =>
    Object.fromEntries(
      (await session.read(device.points, never)).map(({ point, value, reason }) => [point, reason ?? value]),
    );
  const write = (point: string, value: Value, lasts: number | null = null) =>
    session.write?.(
      {
        ...{ id: newHappeningId(systemClock), device: device.id, point: point as PointName, value, priority: 8 },
        ...{ issued: systemClock.now(), expires: systemClock.now() + 10_000 },
        until: lasts === null ? null : systemClock.now() + lasts,
      },
      never,
    );
  return {
    ...{ projector, read, write, states, messages },
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await driver[Symbol.asyncDispose]();
      await projector[Symbol.asyncDispose]();
    },
  };
}

test('the digest is the one that the specification prints as its example', () => {
  // PJLink specification 1.04, 5.2: random 498e4a67, password JBMIAProjectorLink.
  expect(createHash('md5').update('498e4a67JBMIAProjectorLink').digest('hex')).toBe('5d8409bc1c3fa39749434aa3a5c38682');
});

test('in standby it says so, and what it has only while it is on is not known', async () => {
  await using one = await rig({});
  expect(await one.read()).toMatchObject({
    ...{ power: false, state: 'standby', input: 'held', mute: 'held', lamp_hours: 1_874, error_lamp: 'ok' },
    ...{ maker: 'Example', model: 'PJ-5000', serial: 'PJ5K-000017', filter_hours: 312 },
  });
  expect(one.states).toEqual(['online']);
});

test('a projector of class 1 is not asked for what class 2 added', async () => {
  await using one = await rig({ class: 1 });
  expect(await one.read()).toMatchObject({
    power: false,
    serial: 'configuration-error',
    freeze: 'configuration-error',
  });
});

test('it is turned on while it warms up, and is not hurried while it cools down', async () => {
  await using one = await rig({ warmUp: 60_000, coolDown: 60_000 });
  expect(await one.write('power', true)).toMatchObject({ outcome: 'done', value: true });
  expect(one.projector.power()).toBe(3);
  expect(await one.read()).toMatchObject({ power: true, state: 'warming' });
  // Not now, and no failure either: it is turned off when its lamp may be.
  expect(await one.write('power', false)).toMatchObject({ outcome: 'sent', message: /warming up/ });
  expect(one.projector.power()).toBe(3);
});

test('a source is chosen while it is on, and one that it has not is named as such', async () => {
  await using one = await rig({});
  await one.write('power', true);
  expect(await one.write('input', '51')).toMatchObject({ outcome: 'done', value: '51' });
  expect(one.projector.input).toBe('51');
  expect(await one.write('input', '59')).toMatchObject({ outcome: 'failed', message: /parameter/ });
  expect(await one.write('input', 'HDMI')).toMatchObject({ outcome: 'refused' });
  expect(await one.write('power', 'on')).toMatchObject({ outcome: 'refused' });
  expect(await one.write('lamp_hours', 1)).toMatchObject({ outcome: 'refused', message: /cannot be written/ });
});

test('a wrong password is tried once, until it is another', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pjlink-'));
  const file = join(folder, 'password');
  await writeFile(file, 'wrong\n', { mode: 0o600 });
  await using one = await rig({ password: 'right' }, { passwordFile: file });
  expect(await one.read()).toMatchObject({ power: 'held' });
  expect(await one.read()).toMatchObject({ power: 'held' });
  expect(await one.write('power', true)).toMatchObject({ outcome: 'failed', message: /not tried again/ });
  expect(one.projector.counts.refused).toBe(1);
  expect(one.states).toEqual(['held']);
  await writeFile(file, 'right\n');
  expect(await one.read()).toMatchObject({ power: false });
  expect(one.states).toEqual(['held', 'online']);
  await chmod(file, 0o644);
  expect(await one.read()).toMatchObject({ power: 'configuration-error' });
  expect(one.messages.at(-1)).toMatch(/readable by its owner only/);
  await rm(folder, { recursive: true });
});

test('what it reports of itself is told; an answer that cannot be is not believed', async () => {
  await using one = await rig({});
  one.projector.errors = '012000';
  expect(await one.read()).toMatchObject({ error_fan: 'ok', error_lamp: 'warning', error_temperature: 'error' });
  one.projector.lie('POWR', '7');
  one.projector.lie('LAMP', 'many');
  one.projector.lie('ERST', 'ERR4');
  expect(await one.read()).toMatchObject({
    ...{ power: 'communication-error', lamp_hours: 'communication-error', error_fan: 'device-failure' },
    model: 'PJ-5000',
  });
});

test('what is no projector is found out, by what it says, by its silence or by its length', async () => {
  const cases: readonly [string | null, RegExp][] = [
    ['HTTP/1.1 400 Bad Request\r\n', /PJLINK_GARBLED/],
    ['PJLINK 2 00112233\r', /PJLINK_AUTH/],
    ['PJLINK 1 0011\r', /PJLINK_AUTH/],
    ['x'.repeat(5_000), /PJLINK_GARBLED/],
    ['', /PJLINK_TIMEOUT/],
    [null, /PJLINK_CLOSED/],
    ['PJLINK 0\r%1INPT=31\r', /PJLINK_GARBLED/],
  ];
  for (const [said, code] of cases) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      if (said === null) socket.end();
      else socket.write(said);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const outcome = async () => {
      await using talk = await converse({ host: '127.0.0.1', port, password: null, timeout: 300, signal: never });
      return await talk.ask('POWR', '?', 1);
    };
    const found = await outcome().then(
      (answer) => `answered ${answer}`,
      (error: { code: string }) => error.code,
    );
    expect(found, JSON.stringify(said)?.slice(0, 40)).toMatch(code);
    server.close();
  }
});

/** On a noisy machine a lamp's times are short, but looks are many. */
const patient = { timeout: 20_000, interval: 100 };

test('a source that is wanted before the lamp is there is chosen when it is, and read back by its name', async () => {
  await using one = await rig({ warmUp: 700 }, { inputs: { computer: '31', signage: '32' } });
  expect(await one.write('input', 'signage')).toMatchObject({ outcome: 'sent', message: /it is off/ });
  await one.write('power', true);
  expect(await one.write('mute', true)).toMatchObject({ outcome: 'sent', message: /warming up/ });
  expect(one.projector.input).toBe('31');
  await vi.waitFor(async () => expect(await one.read()).toMatchObject({ input: 'signage', mute: true }), patient);
  expect(one.projector).toMatchObject({ input: '32', isMuted: true });
  // Once is enough: what somebody chooses at the remote control afterwards is for core to judge.
  await one.write('input', 'computer');
  expect(await one.read()).toMatchObject({ input: 'computer' });
  // One source, one name.
  expect(await one.write('input', '32')).toMatchObject({ outcome: 'refused' });
  expect(await one.write('input', '51')).toMatchObject({ outcome: 'done', value: '51' });
});

test('a lamp that cools down comes on when it is through, unless that is not wanted any more', async () => {
  await using one = await rig({ coolDown: 900 });
  const wait = (state: string) => vi.waitFor(async () => expect(await one.read()).toMatchObject({ state }), patient);
  await one.write('power', true);
  await one.write('power', false);
  expect(await one.write('power', true)).toMatchObject({ outcome: 'sent', message: /cooling down/ });
  expect(await one.read()).toMatchObject({ power: false, state: 'cooling' });
  await wait('on');
  await one.write('power', false);
  expect(await one.write('power', true, 300)).toMatchObject({ outcome: 'sent' });
  await wait('standby');
  // Its time was over before the lamp was through.
  expect(await one.read()).toMatchObject({ power: false, state: 'standby' });
  await one.write('power', true);
  await one.write('power', false);
  expect(await one.write('power', true)).toMatchObject({ outcome: 'sent' });
  expect(await one.write('power', false)).toMatchObject({ outcome: 'done', value: false });
  await wait('standby');
  expect(await one.read()).toMatchObject({ power: false, state: 'standby' });
});

test('what a projector is by itself when it comes on is no failure while it is off', async () => {
  await using one = await rig({});
  expect(await one.write('mute', false)).toMatchObject({ outcome: 'sent', message: /by itself/ });
  expect(await one.write('freeze', false)).toMatchObject({ outcome: 'sent' });
});

test('its sources are listed with its own names, and by what they are where it has none', async () => {
  await using two = await rig({});
  expect(await two.read()).toMatchObject({ inputs: '11 VGA, 21 Video, 31 HDMI 1, 32 HDMI 2, 51 网络' });
  await using one = await rig({ class: 1 });
  expect(await one.read()).toMatchObject({ inputs: '11 RGB 1, 21 Video 1, 31 Digital 1, 32 Digital 2, 51 Network 1' });
});

test('a floor of projectors strikes one lamp after the other; life safety does not wait for its turn', async () => {
  const gap = 250;
  const driver = createPjlinkDriver({ clock: systemClock, strikeGap: gap });
  const sink = { sample: () => {}, event: () => {}, count: () => {}, health: () => {} };
  await using stack = new AsyncDisposableStack();
  stack.use(driver);
  const screens = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const projector = stack.use(await startProjector(options));
      const device = deviceAt({ host: '127.0.0.1', port: projector.port });
      return {
        projector,
        device,
        session: stack.use(await driver.open(device, driver.config.parse(device.address), sink, never)),
      };
    }),
  );
  const began = systemClock.monotonic();
  const results = await Promise.all(
    screens.map(({ session, device }, n) =>
      session.write?.(
        {
          ...{ id: newHappeningId(systemClock), device: device.id, point: 'power' as PointName, value: true },
          ...{ priority: n === 5 ? 1 : 15, issued: systemClock.now(), expires: systemClock.now() + 5_000, until: null },
        },
        never,
      ),
    ),
  );
  expect(results.map((result) => result?.outcome)).toEqual(Array.from({ length: 6 }, () => 'done'));
  const struck = screens.map(({ projector }) => projector.struckAt ?? Number.NaN);
  const emergency = struck[5] ?? Number.NaN;
  const others = struck.slice(0, 5).toSorted((a, b) => a - b);
  expect(emergency - began).toBeLessThan((others[4] ?? 0) - began);
  // A busy machine may delay each of them; it cannot bring the last one before its turn.
  expect((others[4] ?? 0) - began).toBeGreaterThanOrEqual(4 * gap - 20);
});
