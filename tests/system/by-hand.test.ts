import { expect, test, vi } from 'vitest';
import type { OutputState } from '#edge/domain/output.ts';
import { pressRelay } from '../chaos/bystander.ts';
import { startCampus } from './campus.ts';

/* Somebody at the cabinet, through the real processes: relay, driver, ingest, commands, API. */

const soon = { timeout: 60_000, interval: 200 };
const unit = 10;

test('a channel that somebody turns at the cabinet is respected, shown with what comes next, and given back by an operator', async () => {
  await using campus = await startCampus({ only: ['fieldbus', 'web'], city: false });
  const output = (name: string) => campus.get<OutputState>(`outputs/relay-1/${name}`);
  const relay = campus.site.devices.find(({ id }) => id === 'relay-1')?.address;
  const { host, port } = (relay?.tcp ?? {}) as { host: string; port: number };
  // A device that is just back is told what it should be, whoever has turned it meanwhile: first it is there.
  const online = expect.objectContaining({ device: 'relay-1', state: 'online' });
  await vi.waitFor(async () => expect(await campus.get('devices')).toContainEqual(online), soon);
  // Held by one person ...
  const wish = { point: 'relay-1/relay_3', value: false, seconds: 14_400, reason: 'lamp is being changed' };
  expect(await campus.post('requests', wish)).toMatchObject({ accepted: true });
  await vi.waitFor(
    async () => expect(await output('relay_3')).toMatchObject({ confirmed: { value: false, outcome: 'done' } }),
    soon,
  );
  const read = async (value: boolean) =>
    expect(await campus.get('points')).toContainEqual(
      expect.objectContaining({ id: 'relay-1/relay_3', value, quality: 'good' }),
    );
  await vi.waitFor(() => read(false), soon);
  // ... turned by another.
  await pressRelay(host, port, unit, 2, true);
  const turned = await vi.waitFor(async () => {
    const state = await output('relay_3');
    expect(state).toMatchObject({ holder: 'local', value: true, priority: 8, local: { value: true } });
    return state;
  }, soon);
  expect(turned.next).toEqual({ value: false, holder: 'request:web', at: turned.until });
  await read(true);
  // The operator says otherwise, and the channel follows.
  expect(await campus.post('requests', wish)).toMatchObject({ accepted: true, outcome: 'holding' });
  await vi.waitFor(() => read(false), soon);
  expect(await output('relay_3')).toMatchObject({ holder: 'request:web', local: null });
}, 180_000);
