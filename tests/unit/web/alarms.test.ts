import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Alarm, AlarmClass, AlarmState } from '#edge/domain/alarm.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import { newId, startWebRoom, type WebRoom } from './web-room.ts';

let room: WebRoom;
const base = 1_800_000_000_000;

const alarm = (raised: number, severity: AlarmClass, state: AlarmState, device: string, zone: string): Alarm => ({
  id: newId(),
  source: `device:${device}`,
  class: severity,
  state,
  active: state !== 'normal',
  message: { zh: '离线', en: 'offline' },
  next: { zh: '检查', en: 'Check' },
  device: device as DeviceId,
  zone: zone as ZoneId,
  raised,
  count: 1,
});
/** Several in one millisecond, as one cause raises them. */
const alarms = [
  alarm(base + 3, 'critical', 'unacknowledged', 'camera-gate', 'gate'),
  alarm(base + 2, 'high', 'acknowledged', 'camera-gate', 'gate'),
  alarm(base + 2, 'high', 'returned', 'meter-main', 'teaching'),
  alarm(base + 2, 'low', 'normal', 'meter-main', 'teaching'),
  alarm(base + 1, 'medium', 'normal', 'camera-gate', 'gate'),
].sort((a, b) => b.raised - a.raised || (a.id < b.id ? 1 : -1));

beforeAll(async () => {
  room = await startWebRoom();
  await room.store?.append({ alarms });
});
afterAll(async () => await room[Symbol.asyncDispose]());

const ask = async (query: string) =>
  ((await (await room.ask(`/api/v1/alarms?${query}`)).json()) as Alarm[]).map(({ id }) => id);

test.each<[string, (alarm: Alarm) => boolean]>([
  ['', () => true],
  ['open=true', ({ state }) => state !== 'normal'],
  ['open=false', ({ state }) => state === 'normal'],
  ['state=acknowledged', ({ state }) => state === 'acknowledged'],
  ['state=unacknowledged&state=returned', ({ state }) => state === 'unacknowledged' || state === 'returned'],
  ['class=high', (one) => one.class === 'high'],
  ['class=high&class=critical', (one) => one.class === 'high' || one.class === 'critical'],
  ['zone=gate', ({ zone }) => zone === 'gate'],
  ['device=meter-main&open=true', ({ device, state }) => device === 'meter-main' && state !== 'normal'],
  [`from=${base + 2}&to=${base + 3}`, ({ raised }) => raised === base + 2],
])('alarms with "%s" are those, latest first', async (query, wanted) => {
  const expected = alarms.filter(wanted).map(({ id }) => id);
  expect(expected.length).toBeGreaterThan(0);
  expect(await ask(query)).toEqual(expected);
});

test('page by page each comes once, also those of one millisecond', async () => {
  const seen: string[] = [];
  for (let page = await ask('limit=2'); page.length > 0; page = await ask(`limit=2&before=${page.at(-1)}`)) {
    seen.push(...page);
  }
  expect(seen).toEqual(alarms.map(({ id }) => id));
});

test('one is found by its id, open or over, and none by a made-up one', async () => {
  for (const one of alarms) expect(await (await room.ask(`/api/v1/alarms/${one.id}`)).json()).toEqual(one);
  expect((await room.ask(`/api/v1/alarms/${newId()}`)).status).toBe(404);
  expect((await room.ask('/api/v1/alarms/nonsense')).status).toBe(400);
});
