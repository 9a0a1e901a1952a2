import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, PointName, PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { storeRules } from './stored-rules.ts';
import { newId, startWebRoom, type WebRoom } from './web-room.ts';

const asked: { method: string; params: unknown }[] = [];
let room: WebRoom;

const power: Reading = {
  ref: 'meter-main/power' as PointRef,
  device: 'meter-main' as DeviceId,
  point: 'power' as PointName,
  value: 26_000,
  unit: 'W',
  quality: 'good',
  sourceTime: 1_800_000_000_000.5,
  receivedTime: 1_800_000_000_001,
};
const event: CampusEvent = {
  id: newId(),
  type: 'person',
  time: 1_800_000_000_000,
  data: { topic: 'x', n: 1, b: true },
};
const pictured: CampusEvent = {
  ...event,
  id: newId(),
  device: 'camera-gate' as DeviceId,
  snapshot: '2027-01-15/0a.jpg',
};
const escaping: CampusEvent = { ...event, id: newId(), snapshot: '../../admin-token' };
const alarm: Alarm = {
  id: newId(),
  source: 'interlock:leak',
  class: 'high',
  state: 'unacknowledged',
  active: true,
  message: { zh: '漏水', en: 'Leak' },
  next: { zh: '关阀', en: 'Close the valve' },
  raised: 1_800_000_000_000,
  count: 1,
};

beforeAll(async () => {
  const record = (method: string, answer: (params: { id?: string }) => unknown) => async (params: unknown) => {
    asked.push({ method, params });
    return answer(params as { id?: string });
  };
  room = await startWebRoom({
    methods: {
      // Who looks at pictures is in the audit before he sees them.
      audit: async () => ({}),
      request: record('request', () => ({ id: newId(), accepted: true, outcome: 'holding', message: 'holds' })),
      'alarm.acknowledge': record('alarm.acknowledge', ({ id }) => {
        if (id !== alarm.id) throw new CodedError('ALARM_NOT_FOUND', `there is no open alarm ${id}`);
        return { ...alarm, state: 'acknowledged', acknowledged: { time: 1, by: 'admin', note: '' } };
      }),
      'interlock.reset': record('interlock.reset', () => ({ reset: false, message: 'the cause still stands' })),
    },
  });
  await room.store?.append({ events: [event, pictured, escaping], alarms: [alarm] });
  await storeRules(room.store);
  mkdirSync(join(room.data, 'snapshots/2027-01-15'));
  writeFileSync(join(room.data, 'snapshots/2027-01-15/0a.jpg'), Buffer.from([0xff, 0xd8, 0xff, 0xd9]));
  room.live.accept({ kind: 'reading', body: power });
  room.live.setConnected(true);
});
afterAll(async () => await room[Symbol.asyncDispose]());

const json = async <T>(path: string, init?: RequestInit): Promise<T> =>
  (await (await room.ask(path, init)).json()) as T;
const post = (path: string, body: unknown) =>
  room.ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

describe('what is', () => {
  test('every point is listed once, in the order of its profile, those never heard as bad/never-read', async () => {
    const points =
      await json<{ id: string; value: unknown; quality: string; reason?: string; write?: object }[]>('/api/v1/points');
    expect(new Set(points.map(({ id }) => id)).size).toBe(points.length);
    expect(points.find(({ id }) => id === power.ref)).toMatchObject({ value: 26_000, unit: 'W', quality: 'good' });
    expect(points.find(({ id }) => id === 'meter-main/frequency')).toMatchObject({
      value: null,
      quality: 'bad',
      reason: 'never-read',
    });
    expect(points.find(({ id }) => id === 'relay-1/relay_1')?.write).toBeDefined();
    expect(points.find(({ id }) => id === power.ref)?.write).toBeUndefined();
  });

  test('events and alarms keep what they have and invent nothing that they have not', async () => {
    expect(await json<CampusEvent[]>('/api/v1/events')).toEqual([event, pictured, escaping]);
    expect((await json<CampusEvent[]>(`/api/v1/events?after=${event.id}&limit=1`)).map(({ id }) => id)).toEqual([
      pictured.id,
    ]);
    expect((await json<CampusEvent[]>('/api/v1/events?newest=true&limit=1')).map(({ id }) => id)).toEqual([
      escaping.id,
    ]);
    const between = `/api/v1/events?from=${event.time}&to=${event.time + 1}`;
    expect(await json<CampusEvent[]>(between)).toContainEqual(event);
    expect(await json<CampusEvent[]>(`/api/v1/events?from=0&to=${event.time}`)).not.toContainEqual(event);
    expect(await json('/api/v1/alarms?open=true')).toEqual([alarm]);
    expect(await json('/api/v1/alarms?open=false')).toEqual([]);
  });

  test('a picture is served as what it is, and never from outside its folder', async () => {
    const picture = await room.ask(`/api/v1/events/${pictured.id}/snapshot`);
    expect(picture.headers.get('content-type')).toBe('image/jpeg');
    expect([...new Uint8Array(await picture.arrayBuffer())]).toEqual([0xff, 0xd8, 0xff, 0xd9]);
    for (const { id } of [event, escaping]) {
      const none = await room.ask(`/api/v1/events/${id}/snapshot`);
      expect(none.status).toBe(404);
      expect(await none.json()).toMatchObject({ error: 'snapshot-not-found' });
    }
  });

  test.each([
    '/api/v1/events?limit=0',
    '/api/v1/events?limit=many',
    '/api/v1/events?after=nonsense',
    '/api/v1/alarms?class=grave',
    '/api/v1/alarms?before=nonsense',
    '/api/v1/points/meter-main/power/history?from=0&to=1&step=auto&buckets=1',
    '/api/v1/points/meter-main/power/history.csv?from=2&to=1',
    '/api/v1/points/meter-main/power/history',
    '/api/v1/points/meter-main/power/history?from=2&to=1',
    '/api/v1/points/meter-main/power/history?from=0&to=1&step=2min',
  ])('%s is a bad request in words', async (path) => {
    const answer = await room.ask(path);
    expect(answer.status).toBe(400);
    const { error, message } = (await answer.json()) as { error: string; message: string };
    expect(error).toMatch(/^bad-(request|range)$/);
    expect(message.length).toBeGreaterThan(10);
  });

  test('an unknown point is not found', async () => {
    for (const ref of ['meter-main/nothing', 'No%2FBody/x', 'a/b%20c']) {
      expect((await room.ask(`/api/v1/points/${ref}/history?from=0&to=1`)).status).toBe(404);
    }
  });
});

describe('what a person does', () => {
  test('is done in the name of the administrator, whatever the body says', async () => {
    const wish = { point: 'relay-1/relay_1', value: true, seconds: 60, reason: 'test' };
    expect(await (await post('/api/v1/requests', wish)).json()).toMatchObject({ accepted: true, outcome: 'holding' });
    const { point: ref, ...rest } = wish;
    expect(asked.at(-1)).toEqual({
      method: 'request',
      params: { ref, ...rest, priority: 8, who: 'token:local', from: '127.0.0.1' },
    });
    expect((await post('/api/v1/requests', { ...wish, person: 'somebody' })).status).toBe(400);
  });

  test.each([
    ['a priority above a person', { priority: 1 }],
    ['the priority of the rules', { priority: 5 }],
    ['no end', { seconds: 86_401 }],
    ['no reason', { reason: '' }],
    ['half seconds', { seconds: 0.5 }],
  ])('a request with %s is refused', async (_, change) => {
    const before = asked.length;
    const answer = await post('/api/v1/requests', { point: 'a/b', value: 1, seconds: 5, reason: 'x', ...change });
    expect(answer.status).toBe(400);
    expect(asked.length).toBe(before);
  });

  test('an acknowledgement needs no body; one of an alarm that is over is not found', async () => {
    const seen = await room.ask(`/api/v1/alarms/${alarm.id}/acknowledge`, { method: 'POST' });
    expect(await seen.json()).toMatchObject({ state: 'acknowledged', acknowledged: { by: 'admin' } });
    const over = await post(`/api/v1/alarms/${newId()}/acknowledge`, {});
    expect(over.status).toBe(404);
    expect(await over.json()).toMatchObject({ error: 'alarm-not-found' });
  });

  test('a reset that is refused says why', async () => {
    const answer = await post('/api/v1/interlocks/fire/reset', { reason: 'checked' });
    expect(await answer.json()).toEqual({ reset: false, message: 'the cause still stands' });
    expect((await post('/api/v1/interlocks/fire/reset', {})).status).toBe(400);
  });
});

describe('the description', () => {
  interface Operation {
    readonly security?: readonly object[];
    readonly summary?: string;
    readonly responses: Record<string, unknown>;
  }
  const operations = async (): Promise<[string, Operation][]> => {
    const api = await json<{
      paths: Record<string, Record<string, Operation>>;
      security: unknown;
      components: unknown;
    }>('/api/v1/openapi.json');
    expect(api.security).toEqual([{ token: [] }]);
    expect(api.components).toMatchObject({ securitySchemes: { token: { type: 'http', scheme: 'bearer' } } });
    return Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, one]): [string, Operation] => [`${method.toUpperCase()} ${path}`, one]),
    );
  };

  test('names every route of what is and was, and what may be done to it', async () => {
    expect((await operations()).map(([name]) => name)).toEqual(
      expect.arrayContaining([
        'GET /api/v1/alarms',
        'GET /api/v1/alarms/{id}',
        'GET /api/v1/campus',
        'GET /api/v1/devices',
        'GET /api/v1/energy/today',
        'GET /api/v1/events',
        'GET /api/v1/events/{id}/snapshot',
        'GET /api/v1/now',
        'GET /api/v1/openapi.json',
        'GET /api/v1/outputs',
        'GET /api/v1/outputs/{device}/{point}',
        'GET /api/v1/outputs/{device}/{point}/history',
        'GET /api/v1/points',
        'GET /api/v1/points/{device}/{point}/history',
        'GET /api/v1/points/{device}/{point}/history.csv',
        'GET /api/v1/stream',
        'GET /healthz',
        'GET /metrics',
        'POST /api/v1/alarms/{id}/acknowledge',
        'POST /api/v1/alarms/{id}/shelve',
        'POST /api/v1/alarms/{id}/unshelve',
        'POST /api/v1/interlocks/{id}/reset',
        'POST /api/v1/requests',
      ]),
    );
  });

  test('says of every route what it is for, and its errors', async () => {
    const all = await operations();
    for (const [name, { summary, responses, security }] of all) {
      expect(summary?.length, name).toBeGreaterThan(10);
      if (security !== undefined) expect(security, name).toEqual([]);
      else for (const status of ['401', '403']) expect(responses, name).toHaveProperty(status);
      if (name.includes('{')) expect(responses, name).toHaveProperty('400');
    }
    const health = all.find(([name]) => name === 'GET /healthz')?.[1];
    expect(Object.keys(health?.responses ?? {})).toEqual(['200', '503']);
  });
});

describe('metrics', () => {
  test('are Prometheus text: each metric described once, every line a name, labels and a number', async () => {
    room.live.accept({
      kind: 'processes',
      body: [
        { name: 'core', state: 'ready', pid: 1, restarts: 2, since: 0, lastExit: null, rss: 1e8, loopDelay: null },
      ],
    });
    room.live.accept({
      kind: 'health',
      body: {
        process: 'fieldbus',
        state: 'ready',
        time: 0,
        instance: 'x',
        devices: [{ device: 'odd"name\\', state: 'online', message: '', since: 0, counters: { ok: 5 } }],
      },
    });
    const answer = await room.ask('/metrics');
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    const text = await answer.text();
    expect(text.endsWith('\n')).toBe(true);
    const typed = [...text.matchAll(/^# TYPE (\S+) (?:gauge|counter)$/gm)].map(([, name]) => name);
    expect(new Set(typed).size).toBe(typed.length);
    const label = '[a-z]+="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"';
    const sample = new RegExp(`^([a-z_]+)(?:\\{${label}(?:,${label})*\\})? -?[\\d.e+]+$`);
    for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) {
      const name = sample.exec(line)?.[1];
      expect(name, line).toBeDefined();
      expect(typed).toContain(name);
    }
    expect(text).toContain('campus_process_restarts_total{process="core"} 2\n');
    expect(text).toContain('campus_alarms_open{class="high"} 1\n');
    expect(text).toContain('campus_device_outcomes_total{device="odd\\"name\\\\",outcome="ok"} 5\n');
    expect(text).not.toContain('process_loop_delay_ms{');
  });
});

describe('before core has made its database, and while core is away', () => {
  test('history says 503 and to ask again; what is known now, the page and the health still answer', async () => {
    await using young = await startWebRoom({ store: false, methods: null });
    for (const path of ['events', 'alarms', 'energy/today', 'points/meter-main/power/history?from=0&to=1']) {
      const answer = await young.ask(`/api/v1/${path}`);
      expect(answer.status, path).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('2');
      expect(await answer.json()).toMatchObject({ error: 'store-not-ready' });
    }
    for (const path of [
      '/metrics',
      '/api/v1/campus',
      '/api/v1/points',
      '/api/v1/outputs',
      '/api/v1/devices',
      '/api/v1/now',
    ]) {
      expect((await young.ask(path)).status, path).toBe(200);
    }
    const health = await fetch(`${young.url}/healthz`);
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({ status: 'degraded', coreConnected: false, siteError: null });
  });

  test('nothing can be done, and it says so', async () => {
    await using alone = await startWebRoom({ methods: null });
    const answer = await alone.ask(`/api/v1/alarms/${newId()}/acknowledge`, { method: 'POST' });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: 'rpc-away', message: expect.stringContaining('core') });
  });
});

test('a broken site file leaves its error for everybody to see, and no route of a campus', async () => {
  await using broken = await startWebRoom({ store: false, siteError: 'campus.id: must be the 10-digit school code' });
  const health = await fetch(`${broken.url}/healthz`);
  expect(health.status).toBe(503);
  expect(await health.json()).toMatchObject({ siteError: expect.stringContaining('campus.id') });
  expect((await broken.ask('/api/v1/points')).status).toBe(404);
});

test('a port that is taken is named together with the setting', async () => {
  const { startWeb } = await import('#edge/web/server.ts');
  const { systemClock } = await import('#edge/runtime/clock.ts');
  const { silentLog } = await import('#edge/runtime/log.ts');
  const options = { token: 'x', clock: systemClock, log: silentLog, live: room.live, campus: null, siteError: null };
  await expect(startWeb({ ...options, host: '127.0.0.1', port: room.port })).rejects.toMatchObject({
    code: 'HTTP_PORT_TAKEN',
    message: expect.stringMatching(new RegExp(`port ${room.port} on 127.0.0.1 .*http.port`)),
  });
  await expect(startWeb({ ...options, host: '203.0.113.7', port: 0 })).rejects.toMatchObject({ code: 'HTTP_ADDRESS' });
});

test('everything is the same over IPv6', async () => {
  await using six = await startWebRoom({ host: '::1' });
  expect(six.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect((await six.ask('/api/v1/points')).status).toBe(200);
  expect((await fetch(`${six.url}/api/v1/points`)).status).toBe(401);
});
