import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BusHealth, BusUnitHealth, ProcessHealth } from '#edge/domain/health.ts';
import type { BusesView } from '#edge/web/energy-schemas.ts';
import { newTokenSecret } from '#edge/web/people/tokens.ts';
import { startWebRoom, type WebRoom } from './web-room.ts';

/* Health of shared lines over HTTP, as the processes tell it on the bus. */

let room: WebRoom;
let canteen: () => Promise<BusesView>;

const unit = (device: string, more: Partial<BusUnitHealth> = {}): BusUnitHealth => ({
  unit: '1',
  device,
  state: 'answering',
  latency: 21.5,
  latencyP95: 40,
  requests: 1_000,
  timeouts: 2,
  crcErrors: 1,
  exceptions: 0,
  duplicate: false,
  lastFailure: null,
  nextProbe: null,
  ...more,
});
const bus = (label: string, units: readonly BusUnitHealth[]): BusHealth => ({
  ...{ label, state: 'connected', message: '', since: 1, utilisation: 0.4, waiting: 0, units },
});
const tell = (process: string, more: Partial<ProcessHealth>) =>
  room.live.accept({ kind: 'health', body: { process, state: 'ready', time: 1, instance: 'x', devices: [], ...more } });
const read = async (path = '/api/v1/buses'): Promise<BusesView> => (await (await room.ask(path)).json()) as BusesView;

beforeAll(async () => {
  room = await startWebRoom();
  const { secret, digest } = newTokenSecret('canteen');
  const body = {
    name: 'canteen',
    digest,
    scopes: ['see' as const],
    zones: ['canteen'],
    by: 'person:li',
    created: 1,
    expires: null,
    lastUsed: null,
  };
  await room.store?.append({
    documents: [{ kind: 'token', id: 'canteen', rev: 0, time: 1, who: 'person:li', from: 'test', why: '', body }],
  });
  canteen = async () =>
    (await (await room.ask('/api/v1/buses', { headers: { authorization: `Bearer ${secret}` } })).json()) as BusesView;
});
afterAll(() => room[Symbol.asyncDispose]());

describe('shared lines', () => {
  test('are told by every process that has some, in the order of their names', async () => {
    expect(await read()).toEqual({ buses: [] });
    const failing = unit('meter-dorm', {
      state: 'quarantined',
      duplicate: true,
      lastFailure: { message: 'no answer within 900 ms', time: 5 },
      nextProbe: 9,
    });
    tell('fieldbus', {
      buses: [bus('127.0.0.1:15021', [failing, unit('meter-data')]), bus('127.0.0.1:502', [unit('meter-canteen')])],
    });
    tell('camera', {});
    const { buses } = await read();
    expect(buses.map(({ process, label }) => [process, label])).toEqual([
      ['fieldbus', '127.0.0.1:502'],
      ['fieldbus', '127.0.0.1:15021'],
    ]);
    expect(buses[1]?.units).toEqual([failing, unit('meter-data')]);
  });

  test('are seen where one of their devices is, with the devices of these zones only', async () => {
    tell('fieldbus', {
      buses: [
        bus('one', [unit('meter-canteen'), unit('meter-main', { unit: '2' })]),
        bus('other', [unit('meter-dorm')]),
        bus('empty', []),
      ],
    });
    expect((await read()).buses.length).toBe(3);
    const { buses } = await canteen();
    expect(buses.map(({ label, units }) => [label, units.map(({ device }) => device)])).toEqual([
      ['one', ['meter-canteen']],
    ]);
  });

  test('of a process that is gone are down, whatever it said last', async () => {
    tell('fieldbus', { state: 'stopped', buses: [bus('one', [unit('meter-canteen')])] });
    expect((await read()).buses).toMatchObject([{ state: 'down', message: 'the process fieldbus is not running' }]);
  });
});
