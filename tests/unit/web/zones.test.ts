import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Right, Zones } from '#edge/domain/access.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, PointName, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { OutputState } from '#edge/domain/output.ts';
import { newTokenSecret } from '#edge/web/people/tokens.ts';
import { storeRules } from './stored-rules.ts';
import { newId, startWebRoom, type WebRoom } from './web-room.ts';

/* The demo campus as somebody sees it who has one of its zones: nothing of the others, in no answer of any route. */

let room: WebRoom;
const called: { method: string; params: object }[] = [];
const time = 1_800_000_000_000;

const event = (device: string | undefined, more: Partial<CampusEvent> = {}): CampusEvent => ({
  id: newId(),
  type: 'person',
  time,
  data: {},
  ...(device === undefined ? {} : { device: device as DeviceId }),
  ...more,
});
let raised = time;
const alarm = (source: string, place: { device?: string; zone?: string; ref?: string; reason?: string }): Alarm => ({
  id: newId(),
  source,
  class: 'high',
  state: 'unacknowledged',
  active: true,
  message: { zh: '报警', en: 'An alarm' },
  next: { zh: '查看', en: 'Look' },
  raised: raised++,
  count: 1,
  ...(place.device === undefined ? {} : { device: place.device as DeviceId }),
  ...(place.zone === undefined ? {} : { zone: place.zone as ZoneId }),
  ...(place.ref === undefined ? {} : { ref: place.ref as PointRef }),
  ...(place.reason === undefined ? {} : { reason: place.reason }),
});
const output = (ref: string, reason: string): OutputState => ({
  ref: ref as PointRef,
  value: true,
  holder: 'interlock:fire',
  priority: 1,
  reason: `interlock:fire at 1: ${reason}`,
  since: 1,
  until: null,
  stack: [{ ref: ref as PointRef, priority: 1, owner: 'interlock:fire', value: true, reason, since: 1, until: null }],
  confirmed: null,
  next: null,
  waiting: null,
  forbidden: [{ ref: ref as PointRef, priority: 1, owner: 'interlock:fire', value: 'music', reason, since: time }],
  local: null,
});

const evidence = 'smoke-101/smoke is true (good), fire-panel/alarm is true (good), smoke-102/smoke is true (good)';
const own = {
  event: event('camera-gate', { snapshot: '2027-01-15/0a.jpg' }),
  alarm: alarm('interlock:fire', { device: 'fire-panel', zone: 'gate', ref: 'fire-panel/alarm', reason: evidence }),
};
const theirs = {
  event: event('camera-playground', { snapshot: '2027-01-15/0b.jpg' }),
  /** Its device has moved since: where it is now counts. */
  alarm: alarm('device:camera-playground', { device: 'camera-playground', zone: 'gate' }),
};
const nobodys = {
  event: event(undefined, { type: 'samples_lost' }),
  alarm: alarm('process:fieldbus', { reason: 'process fieldbus ended' }),
};

type Ask = (path: string, init?: RequestInit) => Promise<Response>;
const asks = new Map<string, Ask>();

async function someone(id: string, scopes: readonly Right[], zones: Zones): Promise<Ask> {
  const { secret, digest } = newTokenSecret(id);
  const times = { created: time, expires: null, lastUsed: null };
  const body = {
    name: id,
    digest,
    scopes: [...scopes],
    zones: zones === 'all' ? zones : [...zones],
    by: 'person:li',
    ...times,
  };
  await room.store?.append({
    documents: [{ kind: 'token', id, rev: 0, time, who: 'person:li', from: 'test', why: '', body }],
  });
  const ask: Ask = (path, init = {}) =>
    room.ask(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${secret}` } });
  asks.set(id, ask);
  return ask;
}

let guard: Ask;
let whole: Ask;
beforeAll(async () => {
  const record = (method: string) => async (params: unknown) => {
    called.push({ method, params: params as object });
    if (method === 'interlock.reset') return { reset: true };
    const message = `"speaker-gate/clip" waits: interlock:fire holds it at 1: ${evidence}`;
    return method === 'request' ? { id: newId(), accepted: true, outcome: 'waiting', message } : own.alarm;
  };
  const methods = ['request', 'alarm.acknowledge', 'alarm.shelve', 'alarm.unshelve', 'interlock.reset', 'audit'];
  room = await startWebRoom({
    methods: {
      ...Object.fromEntries(methods.map((name) => [name, record(name)])),
      'document.put': async () => ({ rev: 2 }),
    },
  });
  await storeRules(room.store);
  const rights: Right[] = ['see', 'pictures', 'export', 'acknowledge', 'operate'];
  guard = await someone('guard', rights, ['gate']);
  whole = await someone('whole', rights, 'all');
  await room.store?.append({
    events: [own.event, theirs.event, nobodys.event],
    alarms: [own.alarm, theirs.alarm, nobodys.alarm],
  });
  mkdirSync(join(room.data, 'snapshots/2027-01-15'));
  for (const name of ['0a', '0b']) writeFileSync(join(room.data, `snapshots/2027-01-15/${name}.jpg`), 'jpeg');
  for (const ref of ['meter-main/power', 'door-gate/contact', 'camera-gate/online']) {
    const [device = '', point = ''] = ref.split('/');
    room.live.accept({
      kind: 'reading',
      body: {
        ref: ref as PointRef,
        device: device as DeviceId,
        point: point as PointName,
        value: 1,
        unit: '1',
        quality: 'good',
        sourceTime: time,
        receivedTime: time,
      },
    });
  }
  for (const ref of ['relay-1/relay_5', 'speaker-gate/clip']) {
    room.live.accept({ kind: 'output', body: output(ref, evidence) });
  }
  const health = { state: 'offline' as const, message: 'no answer', since: 0, counters: {} };
  const devices = ['camera-gate', 'camera-playground'].map((device) => ({ ...health, device }));
  room.live.accept({ kind: 'health', body: { process: 'camera', state: 'ready', time, instance: 'x', devices } });
  room.live.setConnected(true);
});
afterAll(async () => await room[Symbol.asyncDispose]());

const json = async <T>(ask: Ask, path: string): Promise<T> => (await (await ask(path)).json()) as T;
const post = (ask: Ask, path: string, body?: object) =>
  ask(path, {
    method: 'POST',
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });

/** Devices, spaces and zones of the demo campus that are not the gate's. */
const elsewhere =
  /meter-|relay-1|camera-playground|speaker-(teaching|playground)|smoke-|climate-|pir-|leak|plug-1|air-|"(teaching|canteen|playground|kitchen|r\d\d\d)"|process:|samples_lost/;

const collections = [
  '/api/v1/campus',
  '/api/v1/points',
  '/api/v1/outputs',
  '/api/v1/devices',
  '/api/v1/alarms',
  '/api/v1/alarms?limit=1',
  '/api/v1/alarms?device=camera-playground',
  '/api/v1/alarms?zone=playground',
  '/api/v1/events',
  '/api/v1/events?newest=true',
  '/api/v1/events?device=camera-playground',
  '/api/v1/energy/today',
  '/api/v1/now',
];

test.each(collections)('%s says nothing of other zones', async (path) => {
  const answer = await guard(path);
  expect(answer.status).toBe(200);
  expect(await answer.text()).not.toMatch(elsewhere);
  expect((await whole(path)).status).toBe(200);
});

describe('the campus of a guard', () => {
  interface Campus {
    allZones: boolean;
    zones: { id: string; spaces: string[] }[];
    buildings: { id: string; floors: { id: string; spaces: { id: string }[] }[] }[];
    devices: {
      id: string;
      space: string | null;
      tags: string[];
      kind: string;
      profile: string;
      profileName: { zh: string };
      adopted: boolean;
    }[];
    interlocks: { id: string }[];
  }

  test('is his zone, the buildings that hold something of it, its devices, and the interlocks that reach into it', async () => {
    const campus = await json<Campus>(guard, '/api/v1/campus');
    expect(campus.allZones).toBe(false);
    expect(campus.zones).toEqual([expect.objectContaining({ id: 'gate', spaces: ['gatehouse'] })]);
    expect(
      campus.buildings.map(({ id, floors }) => [id, floors.flatMap(({ spaces }) => spaces.map((one) => one.id))]),
    ).toEqual([['gate-building', ['gatehouse']]]);
    expect(campus.devices.map(({ id }) => id)).toEqual([
      'sign-gate',
      'switch-gate',
      'camera-gate',
      'speaker-gate',
      'door-gate',
      'button-gatehouse',
      'fire-panel',
      'loop-gatehouse',
    ]);
    // `fire` sounds everywhere; smoke, leak and overload neither look nor act at the gate.
    expect(campus.interlocks.map(({ id }) => id)).toEqual(expect.arrayContaining(['fire', 'after-hours-gate']));
    expect(campus.interlocks.map(({ id }) => id)).not.toContain('smoke');
  });

  test('of those who see all it is everything, with what each device is', async () => {
    const campus = await json<Campus>(whole, '/api/v1/campus');
    expect(campus.allZones).toBe(true);
    expect(campus.buildings).toHaveLength(5);
    expect(campus.devices.find(({ id }) => id === 'camera-gate')).toMatchObject({
      space: null,
      tags: [],
      kind: 'camera',
      profile: 'camera/onvif-generic',
      profileName: { zh: expect.stringMatching(/\p{Script=Han}/u) },
      adopted: false,
    });
  });
});

describe('why an output is held', () => {
  test('is told without the evidence from elsewhere, which those who see all read in full', async () => {
    const [his] = await json<OutputState[]>(guard, '/api/v1/outputs');
    expect(his).toMatchObject({
      ref: 'speaker-gate/clip',
      holder: 'interlock:fire',
      reason: 'interlock:fire at 1: …, fire-panel/alarm is true (good), …',
      stack: [{ owner: 'interlock:fire', reason: '…, fire-panel/alarm is true (good), …' }],
      forbidden: [{ owner: 'interlock:fire', reason: '…, fire-panel/alarm is true (good), …' }],
    });
    expect(await json<OutputState>(guard, '/api/v1/outputs/speaker-gate/clip')).toEqual(his);
    expect((await guard('/api/v1/outputs/speaker-gate/playing')).status).toBe(404);
    const all = await json<OutputState[]>(whole, '/api/v1/outputs');
    expect(all.find(({ ref }) => ref === 'speaker-gate/clip')?.reason).toBe(`interlock:fire at 1: ${evidence}`);
  });
});

describe('a single thing elsewhere', () => {
  const made = newId();
  const pairs = (): [string, string][] => [
    ['/api/v1/points/meter-main/power/history?from=0&to=1', '/api/v1/points/nothing/power/history?from=0&to=1'],
    ['/api/v1/points/meter-main/power/history.csv?from=0&to=1', '/api/v1/points/nothing/power/history.csv?from=0&to=1'],
    ['/api/v1/outputs/relay-1/relay_5/history', '/api/v1/outputs/nothing/relay_5/history'],
    ['/api/v1/outputs/relay-1/relay_5', '/api/v1/outputs/nothing/relay_5'],
    [`/api/v1/alarms/${theirs.alarm.id}`, `/api/v1/alarms/${made}`],
    [`/api/v1/alarms/${nobodys.alarm.id}`, `/api/v1/alarms/${made}`],
    [`/api/v1/events/${theirs.event.id}/snapshot`, `/api/v1/events/${made}/snapshot`],
  ];

  test('is not there, in the very words of what does not exist', async () => {
    for (const [there, nowhere] of pairs()) {
      const [hidden, missing] = [await guard(there), await guard(nowhere)];
      expect(hidden.status, there).toBe(missing.status);
      const names = /meter-main|relay-1|nothing|[0-9a-f-]{36}/g;
      expect((await hidden.text()).replace(names, '?'), there).toBe((await missing.text()).replace(names, '?'));
    }
  });

  test("of one's own is there", async () => {
    expect((await json<Alarm>(guard, `/api/v1/alarms/${own.alarm.id}`)).id).toBe(own.alarm.id);
    expect(await (await guard(`/api/v1/events/${own.event.id}/snapshot`)).text()).toBe('jpeg');
    expect((await guard('/api/v1/outputs/speaker-gate/clip/history')).status).toBe(200);
    expect((await whole(`/api/v1/alarms/${nobodys.alarm.id}`)).status).toBe(200);
  });

  const wish = { value: true, seconds: 60, reason: 'test' };
  const deeds: [string, string, object | undefined][] = [
    ['/api/v1/requests', 'an output', { point: 'relay-1/relay_5', ...wish }],
    ['/api/v1/requests', 'an output of nothing', { point: 'nothing/relay_5', ...wish }],
    [`/api/v1/alarms/${theirs.alarm.id}/acknowledge`, 'an alarm', undefined],
    [`/api/v1/alarms/${nobodys.alarm.id}/acknowledge`, 'an alarm of no zone', undefined],
    [`/api/v1/alarms/${theirs.alarm.id}/shelve`, 'an alarm', { minutes: 5, reason: 'test' }],
    [`/api/v1/alarms/${theirs.alarm.id}/unshelve`, 'an alarm', undefined],
    ['/api/v1/interlocks/leak/reset', 'an interlock', { reason: 'test' }],
    ['/api/v1/interlocks/nothing/reset', 'an interlock that does not exist', { reason: 'test' }],
  ];
  test.each(deeds)('POST %s on %s is not found, and core is not even asked', async (path, _, body) => {
    called.length = 0;
    expect((await post(guard, path, body)).status).toBe(404);
    expect(called).toEqual([]);
  });

  test('an interlock that also acts elsewhere is seen, and may be reset only by those who see all', async () => {
    called.length = 0;
    const refused = await post(guard, '/api/v1/interlocks/fire/reset', { reason: 'test' });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ error: 'forbidden' });
    expect(called.filter(({ method }) => method !== 'audit')).toEqual([]);
    expect((await post(guard, '/api/v1/interlocks/after-hours-gate/reset', { reason: 'test' })).status).toBe(200);
    expect((await post(whole, '/api/v1/interlocks/fire/reset', { reason: 'test' })).status).toBe(200);
    const resets = called.filter(({ method }) => method === 'interlock.reset');
    expect(resets.map(({ params }) => params)).toEqual([
      { id: 'after-hours-gate', reason: 'test', who: 'token:guard', from: '127.0.0.1' },
      { id: 'fire', reason: 'test', who: 'token:whole', from: '127.0.0.1' },
    ]);
  });

  test('a request at home that something elsewhere outweighs says who holds the output, and not what was seen there', async () => {
    const asked = await post(guard, '/api/v1/requests', { point: 'speaker-gate/clip', ...wish });
    expect(await asked.json()).toMatchObject({
      outcome: 'waiting',
      message: '"speaker-gate/clip" waits: interlock:fire holds it at 1: …, fire-panel/alarm is true (good), …',
    });
  });

  test('what one does at home is told to core with who and from where, and answered without words from elsewhere', async () => {
    called.length = 0;
    const seen = await post(guard, `/api/v1/alarms/${own.alarm.id}/shelve`, { minutes: 30, reason: 'being mended' });
    expect(await seen.json()).toMatchObject({ reason: '…, fire-panel/alarm is true (good), …' });
    expect(called).toEqual([
      {
        method: 'alarm.shelve',
        params: { id: own.alarm.id, minutes: 30, reason: 'being mended', who: 'token:guard', from: '127.0.0.1' },
      },
    ]);
  });
});

test('a page of alarms or events is full though many of other zones lie between', async () => {
  const far = Array.from({ length: 1_200 }, () =>
    alarm('device:meter-main', { device: 'meter-main', zone: 'teaching' }),
  );
  const moved = Array.from({ length: 700 }, () => alarm('device:relay-1', { device: 'relay-1', zone: 'gate' }));
  const mine = Array.from({ length: 5 }, () => alarm('device:camera-gate', { device: 'camera-gate', zone: 'gate' }));
  const noise = Array.from({ length: 1_500 }, () => event('camera-playground'));
  const seen = Array.from({ length: 5 }, () => event('camera-gate'));
  await room.store?.append({
    alarms: [...mine, ...far, ...moved],
    events: [...seen.slice(0, 3), ...noise, ...seen.slice(3)],
  });
  const ids = async (path: string) => (await json<{ id: string }[]>(guard, path)).map(({ id }) => id);
  const newest = mine.map(({ id }) => id as string).reverse();
  expect(await ids('/api/v1/alarms?limit=3')).toEqual(newest.slice(0, 3));
  expect(await ids(`/api/v1/alarms?limit=3&before=${newest[2]}`)).toEqual([...newest.slice(3), own.alarm.id]);
  const happened = seen.map(({ id }) => id as string);
  expect(await ids('/api/v1/events?newest=true&limit=4')).toEqual(happened.slice(1).reverse());
  expect(await ids(`/api/v1/events?after=${happened[0]}&limit=4`)).toEqual(happened.slice(1));
});

describe('without a right', () => {
  test('to pictures no event has one, and none is given', async () => {
    const blind = await someone('blind', ['see'], 'all');
    const events = await json<CampusEvent[]>(blind, '/api/v1/events?limit=3');
    expect(events.map(({ snapshot }) => snapshot)).toEqual([undefined, undefined, undefined]);
    expect((await blind(`/api/v1/events/${own.event.id}/snapshot`)).status).toBe(403);
    expect((await json<CampusEvent[]>(whole, '/api/v1/events?limit=1'))[0]?.snapshot).toBe(own.event.snapshot);
  });

  test('nothing leaves, nothing is acknowledged, nothing is switched', async () => {
    const viewer = await someone('viewer', ['see'], 'all');
    expect((await viewer('/api/v1/points/meter-main/power/history.csv?from=0&to=1')).status).toBe(403);
    for (const path of [
      `/api/v1/alarms/${own.alarm.id}/acknowledge`,
      '/api/v1/requests',
      '/api/v1/interlocks/fire/reset',
    ]) {
      expect((await post(viewer, path, {})).status, path).toBe(403);
    }
  });

  test('to the whole campus there are no metrics', async () => {
    const part = await someone('part', ['system'], ['gate']);
    expect((await part('/metrics')).status).toBe(403);
    const all = await someone('all', ['system'], 'all');
    expect((await all('/metrics')).status).toBe(200);
  });
});
