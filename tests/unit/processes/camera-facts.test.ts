import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { decodeCameras } from '#edge/bus/codec.ts';
import { camerasTopic } from '#edge/bus/topics.ts';
import type { CameraFacts } from '#edge/domain/camera.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { CameraList } from '#edge/processes/camera-facts.ts';
import { silentLog } from '#edge/runtime/log.ts';

const gate = 'gate-cam' as DeviceId;

function factsOf(device: DeviceId, model: string, presets = 0): CameraFacts {
  return {
    device,
    time: 1_795_320_306_000,
    maker: 'Acme',
    model,
    firmware: '1',
    endpoint: '',
    serial: 'S1',
    streams: [],
    ptz: {
      presets: Array.from({ length: presets }, (_, i) => ({ token: `preset-${i}`, name: `Preset ${i} of the camera` })),
      home: true,
    },
    inputs: [],
    relays: [],
  };
}

/** A bus that only remembers. */
function busOf() {
  const told: { topic: string; payload: readonly CameraFacts[]; retain: boolean }[] = [];
  let onConnect = () => {};
  const bus = {
    publish: async (topic: string, payload: object | null, options?: { retain?: boolean }) => {
      const decoded = decodeCameras(Buffer.from(JSON.stringify(payload)));
      if (!decoded.ok) throw new Error(decoded.message);
      told.push({ topic, payload: decoded.value, retain: options?.retain === true });
    },
    onConnect: (handler: () => void) => {
      onConnect = handler;
      return { [Symbol.dispose]: () => {} };
    },
  };
  return { bus, told, connect: () => onConnect() };
}

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'camera-facts-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the list of cameras', () => {
  test('is told retained at each connection, and after a change', async () => {
    const { bus, told, connect } = busOf();
    await using list = new CameraList({ file: null, devices: [gate], log: silentLog });
    list.join(bus);
    connect();
    expect(told).toEqual([{ topic: camerasTopic('camera'), payload: [], retain: true }]);
    list.put(factsOf(gate, 'A'));
    list.put(factsOf(gate, 'B'));
    await vi.waitFor(() => expect(told).toHaveLength(2), { timeout: 10_000 });
    expect(told.at(-1)?.payload.map(({ model }) => model)).toEqual(['B']);
    list.put(factsOf('stranger' as DeviceId, 'C'));
    connect();
    expect(told.at(-1)?.payload).toHaveLength(1);
  });

  test('is known after a restart, but for cameras that are gone from the site', async () => {
    const file = join(folder, 'camera-facts.json');
    {
      await using list = new CameraList({ file, devices: [gate, 'yard-cam' as DeviceId], log: silentLog });
      list.put(factsOf(gate, 'A'));
      list.put(factsOf('yard-cam' as DeviceId, 'B'));
    }
    expect(JSON.parse(await readFile(file, 'utf8'))).toHaveLength(2);
    await using again = new CameraList({ file, devices: [gate], log: silentLog });
    await again.load();
    expect(again.list.map(({ device }) => device)).toEqual([gate]);
    await writeFile(file, '{"no": "list"}');
    await using spoilt = new CameraList({ file, devices: [gate], log: silentLog });
    await spoilt.load();
    expect(spoilt.list).toEqual([]);
  });

  test('of many cameras with many presets still fits into a packet', () => {
    const devices = Array.from({ length: 64 }, (_, i) => `cam-${i}` as DeviceId);
    const list = new CameraList({ file: null, devices, log: silentLog });
    const { bus, told, connect } = busOf();
    list.join(bus);
    for (const device of devices) list.put(factsOf(device, 'A', 256));
    connect();
    expect(told.at(-1)?.payload).toHaveLength(64);
    expect(Buffer.byteLength(JSON.stringify(told.at(-1)?.payload))).toBeLessThan(256 * 1024 - 1024);
    expect(told.at(-1)?.payload[0]?.ptz?.presets.length).toBeGreaterThanOrEqual(16);
    return list[Symbol.asyncDispose]();
  });

  test('leaves out what nobody could read', () => {
    const list = new CameraList({ file: null, devices: [gate], log: silentLog });
    list.put({ ...factsOf(gate, 'A'), maker: 'x'.repeat(300) });
    expect(list.list).toEqual([]);
  });
});
