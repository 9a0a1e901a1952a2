import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import { Caller } from '#edge/drivers/onvif/caller.ts';
import { openMemory } from '#edge/drivers/onvif/memory.ts';
import { PullPoints } from '#edge/drivers/onvif/pull-point.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { Camera } from '#edge/simulators/camera.ts';
import { eventually, startScene, streaming, user } from './bench.ts';

const id = 'gate-cam' as DeviceId;

/** Another client of the same camera: a recorder, say. */
async function subscribeAsOther(camera: Camera, life: number) {
  const caller = new Caller({ endpoint: camera, clock: systemClock, count: () => {} });
  caller.useCredentials({ ...user, version: '' });
  caller.skew = 0;
  const points = new PullPoints(caller, systemClock);
  const timing = { timeout: 5_000, signal: new AbortController().signal };
  const point = await points.create('/onvif/event_service', life, timing);
  return {
    point,
    isThere: () =>
      points.renew(point, life, timing).then(
        () => true,
        () => false,
      ),
  };
}

async function crashAt(camera: Camera, file: string, folder: string): Promise<void> {
  const script = join(import.meta.dirname, 'crashing.ts');
  const child = spawn(process.execPath, [script, String(camera.port), file, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('event subscriptions at a camera', () => {
  test('that a killed run left are given back before a new one is taken, and other clients keep theirs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slots-'));
    const file = join(folder, 'cameras.json');
    let other: Awaited<ReturnType<typeof subscribeAsOther>> | null = null;
    let restarted: Awaited<ReturnType<typeof openMemory>> | undefined;
    // Two slots: one is another client's, the other is leaked. Without giving back there is none for 60 s.
    const scene = await startScene({
      camera: { slots: 2 },
      before: async (camera) => {
        other = await subscribeAsOther(camera, 60_000);
        await crashAt(camera, file, folder);
        expect(camera.subscriptions).toBe(2);
        restarted = await openMemory(file, systemClock, silentLog);
      },
      get driver() {
        return restarted === undefined ? {} : { memory: restarted };
      },
    });
    await streaming(scene);
    expect(scene.heard.count('leftover-unsubscribed')).toBe(1);
    expect(scene.heard.count('full')).toBe(0);
    expect(scene.camera.subscriptions).toBe(2);
    expect(await (other as { isThere(): Promise<boolean> } | null)?.isThere()).toBe(true);
    const asked = scene.camera.requests.map(({ operation }) => operation);
    expect(asked.filter((operation) => operation === 'Unsubscribe')).toHaveLength(1);
    await scene[Symbol.asyncDispose]();
    expect(JSON.parse(readFileSync(file, 'utf8')).cameras[id].subscriptions).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['of another camera that was at this address', { serial: 'OTHER' }],
    ['that has lapsed, whose name may be somebody else’s by now', { until: 1 }],
  ])('are not touched when the one on disk is %s', async (_, odd) => {
    const folder = mkdtempSync(join(tmpdir(), 'slots-'));
    const file = join(folder, 'cameras.json');
    let other: Awaited<ReturnType<typeof subscribeAsOther>> | undefined;
    const memory = await openMemory(file, systemClock, silentLog);
    await using scene = await startScene({
      driver: { memory },
      before: async (camera) => {
        other = await subscribeAsOther(camera, 60_000);
        const { address, path, reference } = other.point;
        const serial = `SIM${String(camera.port).padStart(6, '0')}`;
        const kept = { address, path, reference, serial, until: systemClock.now() + 60_000, ...odd };
        memory.change(id, { configured: `127.0.0.1:${camera.port}`, subscriptions: [kept] });
      },
    });
    await streaming(scene);
    expect(await other?.isThere()).toBe(true);
    expect(scene.camera.requests.map(({ operation }) => operation)).not.toContain('Unsubscribe');
    expect(memory.of(id).subscriptions).toHaveLength(1);
    expect(memory.of(id).subscriptions[0]?.path).not.toBe(other?.point.path);
    rmSync(folder, { recursive: true });
  });

  test('that others hold are theirs: a full table is waited for, said, and had when one lapses', async () => {
    let before = 0;
    await using scene = await startScene({
      camera: { slots: 2 },
      timings: { termination: 1_500 },
      before: async (camera) => {
        await subscribeAsOther(camera, 2_000);
        await subscribeAsOther(camera, 2_000);
        before = camera.requests.length;
      },
    });
    const { camera, heard } = scene;
    await eventually(() => heard.last()).toMatch(
      /degraded: .* no free event subscription .*\(logged in, but no events\)/,
    );
    await streaming(scene);
    const asked = camera.requests.slice(before).map(({ operation }) => operation);
    expect(asked.filter((operation) => operation === 'CreatePullPointSubscription').length).toBeLessThanOrEqual(3);
    expect(asked).not.toContain('Unsubscribe');
    expect(heard.count('full')).toBeLessThanOrEqual(2);
  });
});

describe('the memory of cameras', () => {
  const open = (file: string) => openMemory(file, systemClock, silentLog);

  test('is whole on disk, readable by its owner only, and forgets cameras that are gone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'memory-'));
    const file = join(folder, 'cameras.json');
    {
      await using memory = await open(file);
      memory.change(id, { serial: 'A1', endpoints: ['5f5a69c2-e0ae-504f'] });
      memory.change('old-cam' as DeviceId, { serial: 'B2' }, 60_000);
    }
    expect(statSync(file).mode & 0o777).toBe(0o600);
    {
      await using memory = await open(file);
      expect(memory.of(id)).toMatchObject({ serial: 'A1', endpoints: ['5f5a69c2-e0ae-504f'], moved: null });
      expect(memory.of('old-cam' as DeviceId).serial).toBe('B2');
      memory.retain([id]);
    }
    await using memory = await open(file);
    expect(memory.of('old-cam' as DeviceId).serial).toBe('');
    rmSync(folder, { recursive: true });
  });

  test.each([
    '',
    '{',
    '{"version":2,"cameras":{}}',
    '{"version":1,"cameras":{"a":{"serial":1}}}',
    'x'.repeat(9_000_000),
  ])('is begun anew when its file is damaged', async (text) => {
    const folder = mkdtempSync(join(tmpdir(), 'memory-'));
    const file = join(folder, 'cameras.json');
    writeFileSync(file, text);
    await using memory = await open(file);
    expect(memory.of(id)).toMatchObject({ configured: '', subscriptions: [] });
    memory.change(id, { serial: 'A1' });
    await memory.flush();
    expect(JSON.parse(readFileSync(file, 'utf8')).cameras[id].serial).toBe('A1');
    rmSync(folder, { recursive: true });
  });

  test('goes on in memory when the disk refuses, and is written when it takes again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'memory-'));
    const inner = join(folder, 'gone');
    const file = join(inner, 'cameras.json');
    await using memory = await open(file);
    memory.change(id, { serial: 'A1' });
    await memory.flush();
    expect(memory.of(id).serial).toBe('A1');
    mkdirSync(inner);
    await memory.flush();
    expect(JSON.parse(readFileSync(file, 'utf8')).cameras[id].serial).toBe('A1');
    rmSync(folder, { recursive: true });
  });
});
