import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfile } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { httpPaLogin } from '#edge/simulators/http-pa.ts';

const profiles = new URL('../../../device-profiles', import.meta.url).pathname;
const points = pointsOf(await loadProfile(profiles, 'speaker/http-pa'), { fast: 2_000, normal: 15_000, slow: 300_000 });

export function paDevice(address: unknown): Device {
  return {
    id: 'hall' as DeviceId,
    name: { zh: '礼堂', en: 'Hall' },
    profile: 'speaker/http-pa',
    protocol: 'http-pa',
    zone: 'hall' as ZoneId,
    points,
    address,
  };
}

export async function passwordFile(password = httpPaLogin.password) {
  const folder = await mkdtemp(join(tmpdir(), 'campus-pa-'));
  const file = join(folder, 'password');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return { file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

export function addressOf(url: string, file: string, more: object = { preset: 'axis' }) {
  const login = { kind: 'digest', username: httpPaLogin.username, passwordFile: file };
  return { server: { url, login, timeout: 1_000 }, clips: { bell: '3', siren: '7' }, ...more };
}

/** A server of several zones, with an envelope and a status. */
export const zoned = {
  zone: 'east wing',
  calls: {
    play: { path: '/zones/{zone}?action=play&clip={clip}' },
    stop: { path: '/zones/{zone}?action=stop', repeatable: true },
    probe: { path: '/zones/{zone}', repeatable: true },
    status: { playing: '/data/playing' },
    success: { pointer: '/successful', is: true },
  },
};

export function order(value: string, changes: Partial<Command> = {}): Command {
  return {
    id: newHappeningId(systemClock),
    device: 'hall' as DeviceId,
    point: 'clip' as PointName,
    value,
    priority: 8,
    issued: systemClock.now(),
    expires: systemClock.now() + 20_000,
    until: null,
    ...changes,
  };
}
