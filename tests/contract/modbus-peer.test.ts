import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';

/* A Modbus server that nobody here wrote: Debian's python3-pymodbus, with known values in its registers. */

const python = '/usr/bin/python3';
const probe = spawnSync(python, ['-c', 'import pymodbus.server; print(pymodbus.__version__)'], {
  encoding: 'utf8',
  timeout: 20_000,
});
const isMissing = probe.status !== 0;
if (isMissing) console.warn(`SKIPPED: no python3-pymodbus for ${python}: ${probe.stderr.trim().split('\n').at(-1)}`);

const script = new URL('../fixtures/modbus/pymodbus_server.py', import.meta.url).pathname;
const shelf = await loadProfiles(new URL('../../device-profiles', import.meta.url).pathname);
const signal = new AbortController().signal;
const sink = { sample: () => {}, event: () => {}, health: () => {}, count: () => {} };

interface Peer extends AsyncDisposable {
  readonly tcp: number;
  readonly rtu: number;
}

async function startPeer(host: string): Promise<Peer> {
  const child = spawn(python, [script, host], { stdio: ['pipe', 'pipe', 'inherit'] });
  const end = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise<string>((resolve, reject) => {
    lines.once('line', resolve);
    child.once('exit', (code) => reject(new Error(`pymodbus server ended with ${code}`)));
    setTimeout(() => reject(new Error('pymodbus server did not start within 20 s')), 20_000).unref();
  });
  const [tcp = 0, rtu = 0] = (await ready).split(' ').map(Number);
  return {
    tcp,
    rtu,
    async [Symbol.asyncDispose]() {
      // Its standard input is its leash: it ends when that closes.
      child.stdin.end();
      child.kill('SIGKILL');
      await end;
    },
  };
}

function deviceOf(profile: string, address: object): Device {
  const found = shelf.profiles.get(profile);
  if (found === undefined) throw new Error(`no profile ${profile}`);
  return {
    id: 'peer' as DeviceId,
    name: { zh: '对端', en: 'Peer' },
    profile,
    protocol: 'modbus',
    zone: 'zone' as ZoneId,
    points: pointsOf(found, { fast: 2_000, normal: 15_000, slow: 300_000 }),
    address,
  };
}

describe.skipIf(isMissing)('a server of python3-pymodbus', () => {
  it.each(['127.0.0.1', '::1'])(
    'is read correctly through the SDM630 profile, by TCP and by RTU over TCP, on %s',
    async (host) => {
      await using peer = await startPeer(host);
      await using driver = createModbusDriver({ clock: systemClock, profiles: shelf.profiles });
      for (const address of [
        { tcp: { host, port: peer.tcp }, unit: 1 },
        { rtuOverTcp: { host, port: peer.rtu }, unit: 1 },
      ]) {
        const device = deviceOf('meter/eastron-sdm630', address);
        await using session = await driver.open(device, driver.config.parse(address), sink, signal);
        const samples = await session.read(device.points, signal);
        const values = Object.fromEntries(samples.map((sample) => [sample.point, [sample.value, sample.quality]]));
        expect(values).toMatchObject({
          voltage_l1: [230.2, 'good'],
          voltage_l2: [231.5, 'good'],
          current_l3: [7.25, 'good'],
          power_l1: [1000, 'good'],
          power: [3300, 'good'],
          power_factor: [0.95, 'good'],
          frequency: [50.01, 'good'],
          energy_import: [123456.5, 'good'],
          energy_export: [0, 'good'],
        });
      }
    },
    60_000,
  );

  it('switches a relay, proved by reading it back', async () => {
    await using peer = await startPeer('127.0.0.1');
    await using driver = createModbusDriver({ clock: systemClock, profiles: shelf.profiles });
    const address = { tcp: { host: '127.0.0.1', port: peer.tcp }, unit: 1 };
    const device = deviceOf('relay/waveshare-relay-8', address);
    await using session = await driver.open(device, driver.config.parse(address), sink, signal);
    const point = 'relay_5' as PointName;
    const now = systemClock.now();
    const command = { id: newHappeningId(systemClock), device: device.id, point, value: true, priority: 8 } as const;
    const result = await session.write?.({ ...command, issued: now, expires: now + 10_000, until: null }, signal);
    expect(result).toMatchObject({ outcome: 'done', value: true });
    const states = (await session.read(device.points, signal)).map((sample) => sample.value);
    expect(states).toEqual([false, false, false, false, true, false, false, false]);
  }, 60_000);
});
