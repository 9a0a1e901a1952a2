import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RunningCampus, startCampus } from './campus.ts';
import { ipv4SocketsOf } from './sockets.ts';

/* Issue: a school network without IPv4. Everything that the demo campus does, on `::1` alone. */

const soon = { timeout: 60_000, interval: 200 };
let campus: RunningCampus;

beforeAll(async () => {
  campus = await startCampus({ host: '::1' });
  await vi.waitFor(async () => expect((await fetch(`${campus.url}/healthz`)).status).toBe(200), soon);
}, 90_000);
afterAll(async () => await campus?.[Symbol.asyncDispose]());

interface PointView {
  readonly value: unknown;
  readonly quality: string;
}

const pointsOf = async (): Promise<ReadonlyMap<string, PointView>> =>
  new Map((await campus.get<(PointView & { id: string })[]>('points')).map((point) => [point.id, point]));

describe('a campus on ::1 alone', () => {
  test.each([
    ['Modbus TCP', 'meter-main/voltage_l1'],
    ['a relay on Modbus TCP', 'relay-1/relay_1'],
    ['RTU over TCP', 'meter-dorm/power'],
    ['ONVIF with digest', 'camera-gate/online'],
    ['ONVIF with WS-UsernameToken', 'camera-playground/online'],
    ['Zigbee2MQTT', 'climate-101/temperature'],
    ['Tasmota', 'plug-1/power'],
    ['Home Assistant discovery', 'air-301/co2'],
    ['plain JSON', 'air-201/co2'],
  ])('shows good values of %s', async (_protocol, id) => {
    await vi.waitFor(async () => expect((await pointsOf()).get(id), id).toMatchObject({ quality: 'good' }), soon);
  });

  test('takes a picture with the event of a person', async () => {
    await campus.turn('person-gate', 'on');
    const id = await vi.waitFor(async () => {
      const events = await campus.get<{ id: string; type: string; snapshot?: string }[]>('events?newest=true');
      const person = events.find((event) => event.type === 'person' && event.snapshot !== undefined);
      expect(person).toBeDefined();
      return person?.id;
    }, soon);
    const authorization = `Bearer ${readFileSync(join(campus.data, 'admin-token'), 'utf8').trim()}`;
    await vi.waitFor(async () => {
      const picture = await fetch(`${campus.url}/api/v1/events/${id}/snapshot`, { headers: { authorization } });
      expect([...new Uint8Array(await picture.arrayBuffer()).subarray(0, 2)]).toEqual([0xff, 0xd8]);
    }, soon);
  });

  test('evacuates: every speaker hears it, and the city gets the alarm', async () => {
    await campus.turn('fire-panel', 'on');
    await vi.waitFor(async () => {
      const speakers = await campus.heard();
      expect(speakers).toHaveLength(4);
      for (const speaker of speakers) expect(speaker.silentSince, speaker.name).toBeNull();
    }, soon);
    await vi.waitFor(async () => {
      const path = `campuses/${campus.site.campus.id}/alarms`;
      const { alarms } = await campus.getCity<{ alarms: { source: string }[] }>(path);
      expect(alarms.map(({ source }) => source)).toContain('interlock:fire');
    }, soon);
  });

  test('opens the flow editor to whoever shows a token', async () => {
    const authorization = `Bearer ${readFileSync(join(campus.data, 'admin-token'), 'utf8').trim()}`;
    await vi.waitFor(async () => {
      const page = await fetch(`${campus.url}/flows-editor/`, { headers: { authorization } });
      expect(page.status).toBe(200);
      expect(await page.text()).toContain('Campus Edge');
    }, soon);
  });

  test('holds no IPv4 socket in any of its processes, but for the way from web to the flow editor', async () => {
    const editor = `127.0.0.1:${campus.site.flows.port}`;
    const held: string[] = [];
    for (const name of ['core', 'fieldbus', 'camera', 'broadcast', 'web', 'uplink', 'flows', 'city']) {
      const sockets = ipv4SocketsOf(campus.pid(name)).filter(({ from, to }) => from !== editor && to !== editor);
      held.push(...sockets.map(({ from, to }) => `${name}: ${from} -> ${to}`));
    }
    expect(held).toEqual([]);
    const listening = await fetch(`http://[::1]:${campus.site.flows.port}/flows-editor/`);
    expect(listening.status).toBe(401); // Node-RED itself is there on ::1 as well, and asks for its secret
  });
});
