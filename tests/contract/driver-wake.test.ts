import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import { createWakeDriver } from '#edge/drivers/wake/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { type DriverRig, describeDriver } from './driver-contract.ts';

const shelf = await loadProfiles(new URL('../../device-profiles', import.meta.url).pathname);
const never = new AbortController().signal;

/** What a network card hears while the rest sleeps. */
async function startSleeper(host: string) {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const heard: Buffer[] = [];
  socket.on('message', (packet) => heard.push(packet));
  socket.bind(0, host);
  await once(socket, 'listening');
  return { heard, port: socket.address().port, close: () => socket.close() };
}

function deviceAt(address: Readonly<Record<string, unknown>>): Device {
  const profile = shelf.profiles.get('display/wake-on-lan');
  if (profile === undefined) throw new Error('no profile display/wake-on-lan');
  return {
    id: 'panel-1' as DeviceId,
    name: { zh: '班级大屏', en: 'Classroom panel' },
    profile: 'display/wake-on-lan',
    protocol: 'wake',
    zone: 'zone-1' as ZoneId,
    points: pointsOf(profile, { fast: 2_000, normal: 15_000, slow: 300_000 }),
    address,
  };
}

async function rig(): Promise<DriverRig> {
  const sleeper = await startSleeper('127.0.0.1');
  const address = { mac: '02:1a:4b:00:00:07', broadcast: '127.0.0.1', port: sleeper.port };
  const driver = createWakeDriver({ clock: systemClock });
  return {
    driver,
    device: deviceAt(address),
    wrong: { address: { ...address, mac: '02:1a:4b' }, key: 'mac' },
    command: { point: 'wake' as PointName, value: true, outcome: 'sent' },
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      sleeper.close();
    },
  };
}

describeDriver('wake', rig);

test.each(['127.0.0.1', '::1'])(
  'the sleeper at %s hears its own address sixteen times, and only true wakes',
  async (host) => {
    const sleeper = await startSleeper(host);
    await using driver = createWakeDriver({ clock: systemClock });
    const device = deviceAt({ mac: '02-1A-4B-00-00-07', broadcast: host, port: sleeper.port });
    const sink = { sample: () => {}, event: () => {}, health: () => {}, count: () => {} };
    await using session = await driver.open(device, driver.config.parse(device.address), sink, never);
    const write = (value: boolean, expires: number) =>
      session.write?.(
        {
          ...{ id: newHappeningId(systemClock), device: device.id, point: 'wake' as PointName, value, priority: 15 },
          ...{ issued: systemClock.now(), expires, until: null },
        },
        never,
      );
    expect(await write(false, systemClock.now() + 5_000)).toMatchObject({ outcome: 'refused' });
    expect(await write(true, systemClock.now() - 1)).toMatchObject({ outcome: 'expired' });
    expect(await write(true, systemClock.now() + 5_000)).toMatchObject({ outcome: 'sent' });
    await vi.waitFor(() => expect(sleeper.heard).toHaveLength(3), 10_000);
    expect(sleeper.heard[0]?.toString('hex')).toBe(`ffffffffffff${'021a4b000007'.repeat(16)}`);
    sleeper.close();
  },
);
