import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { serialPort } from '#edge/drivers/ports/serial.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { startModbusCampus } from '#edge/simulators/modbus.ts';

/* A real serial port of the operating system (a pseudo terminal), with a virtual DTSU666 at its other end. */

const python = 'python3';
const isMissing =
  process.platform !== 'linux' || spawnSync(python, ['-c', 'import pty'], { timeout: 20_000 }).status !== 0;
if (isMissing) console.warn('SKIPPED: no pseudo terminals here (needs Linux and python3)');

const script = new URL('../fixtures/modbus/pty_bridge.py', import.meta.url).pathname;
const { profiles } = await loadProfiles(new URL('../../device-profiles', import.meta.url).pathname);
const never = new AbortController().signal;

async function startTerminal(port: number): Promise<AsyncDisposable & { path: string; unplug(): void }> {
  const child = spawn(python, [script, '127.0.0.1', String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const end = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const path = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the bridge ended with ${code}`)));
  });
  return {
    path,
    unplug: () => child.kill('SIGKILL'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await end;
    },
  };
}

describe.skipIf(isMissing)('a serial line', () => {
  it('is read through the profile, says so when it is unplugged, and is read again when it is back', async () => {
    await using campus = await startModbusCampus({
      clock: systemClock,
      host: '127.0.0.1',
      tcpPort: 0,
      rtuPort: 0,
      profiles,
    });
    await using terminal = await startTerminal(campus.rtuPort);
    // Like /dev/serial/by-id: the name stays, what it points to is another one after a replug.
    const folder = await mkdtemp(join(tmpdir(), 'campus-serial-'));
    const path = join(folder, 'line');
    await symlink(terminal.path, path);
    await using driver = createModbusDriver({ clock: systemClock, profiles });
    const profile = profiles.get('meter/chint-dtsu666');
    if (profile === undefined) throw new Error('no DTSU666 profile');
    const device: Device = {
      id: 'serial-meter' as DeviceId,
      name: { zh: '串口表', en: 'Serial meter' },
      profile: 'meter/chint-dtsu666',
      protocol: 'modbus',
      zone: 'zone' as ZoneId,
      points: pointsOf(profile, { fast: 2_000, normal: 15_000, slow: 300_000 }),
      address: { serial: { path, baud: 115_200 }, unit: 1, timeout: '400ms', lateWindow: '50ms' },
    };
    const counts: string[] = [];
    const sink = { sample: () => {}, event: () => {}, health: () => {}, count: (word: string) => counts.push(word) };
    await using session = await driver.open(device, driver.config.parse(device.address), sink, never);
    const read = async () => (await session.read(device.points, never)).map(({ quality }) => quality);
    const all = (quality: string) => device.points.map(() => quality);
    await expect.poll(read, { timeout: 20_000 }).toEqual(all('good'));
    terminal.unplug();
    await expect.poll(read, { timeout: 20_000 }).toEqual(all('bad'));
    expect(counts).toContain('closed');
    await using replugged = await startTerminal(campus.rtuPort);
    await rm(path);
    await symlink(replugged.path, path);
    await expect.poll(read, { timeout: 20_000 }).toEqual(all('good'));
    await rm(folder, { recursive: true });
  }, 90_000);

  it('belongs to one process: whoever comes second is told, and does not talk into it', async () => {
    await using campus = await startModbusCampus({
      clock: systemClock,
      host: '127.0.0.1',
      tcpPort: 0,
      rtuPort: 0,
      profiles,
    });
    await using terminal = await startTerminal(campus.rtuPort);
    const source = serialPort({ path: terminal.path, baud: 9_600, dataBits: 8, parity: 'none', stopBits: 1 });
    {
      await using _first = await source.open(20_000, never);
      // A lock is that of an open port, not of a process: a second one here is as good as one elsewhere.
      await expect(source.open(20_000, never)).rejects.toThrow(/lock/);
    }
    await using _again = await source.open(20_000, never);
  }, 90_000);

  it('that does not exist is bad with a reason that names it', async () => {
    await using driver = createModbusDriver({ clock: systemClock, profiles });
    const states: string[] = [];
    const sink = {
      sample: () => {},
      event: () => {},
      health: (_: string, text: string) => states.push(text),
      count: () => {},
    };
    const address = { serial: { path: '/dev/tty-nobody' }, unit: 1 };
    const points = pointsOf(profiles.get('meter/eastron-sdm630') ?? missingProfile(), { fast: 1, normal: 1, slow: 1 });
    const device: Device = {
      id: 'm' as DeviceId,
      name: { zh: '表', en: 'Meter' },
      profile: 'meter/eastron-sdm630',
      protocol: 'modbus',
      zone: 'zone' as ZoneId,
      points,
      address,
    };
    await using session = await driver.open(device, driver.config.parse(address), sink, never);
    await session.read(points, never);
    const samples = await session.read(points, never);
    expect(samples.every(({ quality, reason }) => quality === 'bad' && reason === 'no-communication')).toBe(true);
    expect(states[0]).toContain('/dev/tty-nobody');
  });
});

function missingProfile(): never {
  throw new Error('no SDM630 profile');
}
