import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import { openReader } from '#edge/store/reader.ts';
import type { networkSchema, repairSchema } from '#edge/web/rule-schemas.ts';
import { type RunningCampus, startCampus } from './campus.ts';

/* A camera hangs. Nobody comes: its port on the switch is turned off and on, and each step is seen. */

type Repair = z.infer<typeof repairSchema>;
type Network = z.infer<typeof networkSchema>;

const soon = { timeout: 30_000, interval: 200 };
const later = { timeout: 90_000, interval: 300 };
let campus: RunningCampus;

beforeAll(async () => {
  campus = await startCampus({
    city: false,
    only: ['fieldbus', 'camera', 'web'],
    change: (site) => ({
      ...site,
      network: { probe: 5_000 },
      repair: {
        ...site.repair,
        protocols: {},
        after: 2_000,
        reconnect: 2_000,
        restart: 2_000,
        off: 1_500,
        boot: 30_000,
      },
    }),
  });
  await vi.waitFor(async () => expect(await healthOf('camera-gate')).toBe('online'), soon);
  await vi.waitFor(async () => expect(await liveValue('switch-gate/poe_3')).toBe(true), soon);
}, 60_000);
afterAll(async () => campus?.[Symbol.asyncDispose]());

async function healthOf(device: string): Promise<string | undefined> {
  const devices = await campus.get<{ device: string; state: string }[]>('devices');
  return devices.find((one) => one.device === device)?.state;
}

async function liveValue(ref: string): Promise<unknown> {
  const points = await campus.get<{ id: string; value: unknown }[]>('points');
  return points.find(({ id }) => id === ref)?.value;
}

async function repairOf(device: string): Promise<Repair | undefined> {
  return (await campus.get<Repair[]>('repairs')).find((one) => one.device === device);
}

test('the network is looked at: every device with an address answers, and it is said where it hangs', async () => {
  await vi.waitFor(async () => {
    const rows = await campus.get<Network[]>('network');
    expect(rows.find(({ device }) => device === 'camera-gate')).toMatchObject({
      address: '127.0.0.1',
      reachable: true,
      loss: 0,
      uplink: { device: 'switch-gate', port: 3 },
    });
    expect(rows.map(({ device }) => device)).toContain('meter-main');
    expect(rows.map(({ device }) => device)).not.toContain('smoke-101');
  }, soon);
}, 40_000);

test('a camera that hangs is probed, reconnected, power-cycled through its port, and works again', async () => {
  await campus.turn('camera-gate-dead', 'on');
  await vi.waitFor(async () => expect((await repairOf('camera-gate'))?.state).toBe('working'), later);
  const seen = new Set<unknown>();
  const healed = await vi.waitFor(async () => {
    seen.add(await liveValue('switch-gate/poe_3'));
    const repair = await repairOf('camera-gate');
    expect(repair?.state, JSON.stringify(repair?.steps)).toBe('healed');
    return repair;
  }, later);
  expect(seen).toEqual(new Set([true, false]));
  expect(healed?.steps.map(({ step, state }) => `${step} ${state}`)).toEqual([
    'probe done',
    'reconnect done',
    'restart skipped',
    'switch done',
    'power skipped',
    'person skipped',
  ]);
  console.info(
    `mended: ${healed?.steps.map(({ step, at }) => `${step} ${at === null ? '' : at - (healed?.began ?? 0)}`).join(', ')} ms`,
  );
  expect(healed?.steps[3]?.outcome).toMatch(/^it works again after \d+ s$/);
  expect(await healthOf('camera-gate')).toBe('online');
  expect(await liveValue('switch-gate/poe_3')).toBe(true);

  using reader = openReader(campus.data);
  const lines = reader.newestAudit(200).filter(({ who }) => who === 'repair:camera-gate');
  expect(lines.map(({ what }) => what)).toEqual(
    expect.arrayContaining([
      'repair.probe camera-gate',
      'repair.reconnect camera-gate',
      'command camera-gate/driver-session="reopen"',
      'hold switch-gate/poe_3=false at 5',
      'hold switch-gate/poe_3=true at 5',
      'relinquish switch-gate/poe_3',
    ]),
  );
}, 200_000);

test('a person starts a step, is told why one cannot be, and core forgets nothing when it is killed', async () => {
  const begun = await campus.post<Repair>('repairs/camera-playground', { step: 'reconnect' });
  expect(begun.steps[1]).toMatchObject({ step: 'reconnect', state: 'running' });
  await expect(campus.post('repairs/camera-playground', { step: 'power' })).rejects.toMatchObject({ status: 409 });
  await expect(campus.post('repairs/nothing', { step: 'probe' })).rejects.toMatchObject({ status: 404 });
  const before = campus.pid('core');
  process.kill(before, 'SIGKILL');
  await vi.waitFor(() => expect(campus.pid('core')).not.toBe(before), soon);
  await vi.waitFor(async () => expect((await repairOf('camera-gate'))?.state).toBe('healed'), soon);
}, 70_000);
