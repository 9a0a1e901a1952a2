import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { alarmTopic, calendarTopic, campusEventTopic, outputTopic } from '#edge/bus/topics.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { OutputState } from '#edge/domain/output.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { type Child, flowsRoom, secret } from './flows-room.ts';

/* Our nodes as people use them: real Node-RED, real broker, and an HTTP server that answers as the web process does. */

const soon = { timeout: 15_000, interval: 50 };
const headers = { 'x-campus-token': `${secret}:edit:wang`, 'content-type': 'application/json' };
const node = (id: string, type: string, more: object = {}, next: readonly string[] = []) => ({
  id,
  type,
  z: 't',
  x: 100,
  y: 100,
  name: `${id} node`,
  ...more,
  wires: [next],
});
/** Keeps every message that it gets in the context of the flow, under its own name. */
const keep = (id: string) =>
  node(id, 'function', { func: `const l = flow.get('${id}') ?? []; l.push(msg); flow.set('${id}', l);`, outputs: 0 });
/** A message comes in by a reading. */
const when = (point: string, next: string) =>
  node(`in-${next}`, 'campus reading', { point, qualityChanges: false }, [next]);

const words = { message: '地面积水 | The floor is wet', next: '拖地 | Mop it' };
const flow = [
  { id: 't', type: 'tab', label: 'notify/all nodes' },
  node('event', 'campus event', { event: 'motion', device: 'camera-*', zone: '' }, ['k-event']),
  keep('k-event'),
  node('alarmIn', 'campus alarm in', { classes: 'critical,high', zone: '', source: 'interlock:*' }, ['k-alarm']),
  keep('k-alarm'),
  node('calendar', 'campus calendar', { calendar: 'open' }, ['k-calendar']),
  keep('k-calendar'),
  when('button-1/alarm', 'alarm'),
  node('alarm', 'campus alarm', { key: 'wet', class: 'medium', act: 'msg', ...words }, ['k-raised']),
  keep('k-raised'),
  when('button-1/notify', 'notify'),
  node('notify', 'campus notify', { to: 'duty, gate', message: '' }, []),
  when('button-1/broadcast', 'broadcast'),
  node('broadcast', 'campus broadcast', { clip: 'chime', zones: 'gate', seconds: '20', reason: 'test' }, [
    'k-broadcast',
  ]),
  keep('k-broadcast'),
  when('button-1/history', 'mean'),
  node('mean', 'campus history', { point: 'meter-main/power', figure: 'mean', minutes: '60', count: '5' }, ['k-mean']),
  keep('k-mean'),
  when('button-1/last', 'last'),
  node('last', 'campus history', { point: 'meter-main/power', figure: 'last', minutes: '60', count: '2' }, ['k-last']),
  keep('k-last'),
  node('noisy', 'campus reading', { point: 'meter-main/power', delta: '100', period: '', qualityChanges: false }, [
    'k-noisy',
  ]),
  keep('k-noisy'),
  node('old', 'campus request', {
    point: 'relay-1/relay_1',
    value: 'true',
    valueType: 'bool',
    seconds: '60',
    reason: 'old',
  }),
];

const asked: string[] = [];
const bucket = { t: 1, min: 1, max: 9, mean: 4, last: 4, delta: 3, goodSeconds: 60 };
const answers: readonly (readonly [RegExp, object])[] = [
  [
    /^\/api\/v1\/campus$/,
    {
      devices: [
        { id: 'speaker-gate', zone: 'gate', kind: 'speaker' },
        { id: 'speaker-hall', zone: 'teaching', kind: 'speaker' },
        { id: 'camera-gate', zone: 'gate', kind: 'camera' },
      ],
    },
  ],
  [
    /step=auto/,
    { buckets: [bucket, { ...bucket, mean: 10, goodSeconds: 30 }, { ...bucket, mean: null, goodSeconds: 0 }] },
  ],
  [/step=raw/, { truncated: false, samples: [1, 2, 3].map((value) => ({ t: value, value, quality: 'good' })) }],
];

let room: Awaited<ReturnType<typeof flowsRoom>>;
let child: Child;
let web: Server;
beforeAll(async () => {
  web = createServer((request, response) => {
    asked.push(`${request.headers.authorization} ${request.url}`);
    const found = answers.find(([pattern]) => pattern.test(request.url ?? ''));
    response.writeHead(found === undefined ? 404 : 200).end(JSON.stringify(found?.[1] ?? { message: 'nothing' }));
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  const address = web.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  room = await flowsRoom();
  await room.writeFlow('notify/all.json', flow);
  child = await room.start({ web: { url: `http://127.0.0.1:${port}`, token: 'token-of-flows' } });
}, 60_000);
afterAll(async () => {
  await child?.[Symbol.asyncDispose]();
  await room?.[Symbol.asyncDispose]();
  web?.close();
});

interface Kept {
  readonly payload: unknown;
  readonly [key: string]: unknown;
}
async function kept(id: string): Promise<readonly Kept[]> {
  const url = `http://127.0.0.1:${child.port}/flows-editor/context/flow/t/${id}`;
  const { msg, format } = (await (await fetch(url, { headers })).json()) as { msg?: string; format?: string };
  if (msg === undefined || format === 'undefined' || msg === '(undefined)') return [];
  const body = JSON.parse(msg) as readonly Kept[] | { data: readonly Kept[] };
  return 'data' in body ? body.data : body;
}
const comes = (id: string, count: number) =>
  vi.waitFor(async () => {
    const list = await kept(id);
    expect(list).toHaveLength(count);
    return list;
  }, soon);

const id = () => newHappeningId(systemClock);
const alarm = (more: Partial<Alarm>): Alarm => ({
  id: id(),
  source: 'interlock:smoke',
  class: 'critical',
  state: 'unacknowledged',
  active: true,
  message: { zh: '烟', en: 'smoke' },
  next: { zh: '看', en: 'look' },
  raised: 1_800_000_000_000,
  count: 0,
  ...more,
});

describe('the nodes of the palette', () => {
  it('run, under the names of earlier releases, too', () => expect(child.problem).toBeNull());

  it('pass on events of a type and a device', async () => {
    const event = { time: systemClock.now(), data: { score: 0.9 } };
    // An event is told once, to whoever listens by then: it happens until the node does.
    const list = await vi.waitFor(async () => {
      for (const [type, device] of [
        ['motion', 'camera-gate'],
        ['motion', 'pir-1'],
        ['person', 'camera-gate'],
      ] as const)
        await room.bus.publish(campusEventTopic(type), { id: id(), type, device, ...event });
      const found = await kept('k-event');
      expect(found.length).toBeGreaterThan(0);
      return found;
    }, soon);
    for (const message of list)
      expect(message).toMatchObject({ topic: 'motion', payload: { device: 'camera-gate', data: { score: 0.9 } } });
  });

  it('pass on what becomes of an alarm, of the classes and sources that are wanted', async () => {
    const smoke = alarm({});
    for (const one of [
      smoke,
      smoke,
      alarm({ source: 'device:x' }),
      alarm({ class: 'low' }),
      { ...smoke, state: 'acknowledged' as const },
      { ...smoke, state: 'normal' as const, active: false },
    ]) {
      await room.bus.publish(alarmTopic(one.id), one, { retain: one.state !== 'normal' });
    }
    const list = await comes('k-alarm', 3);
    expect(list.map(({ change }) => change)).toEqual(['raised', 'acknowledged', 'ended']);
    await room.bus.publish(alarmTopic(smoke.id), null, { retain: true });
  });

  it('say when a label of the calendar begins and ends to hold', async () => {
    const say = (labels: string[], modes: string[]) =>
      room.bus.publish(calendarTopic, { labels, modes, next: 1_800_000_000_000 }, { retain: true });
    await say(['open'], []);
    await say(['open'], ['exam']);
    await say(['closed'], ['exam']);
    expect((await comes('k-calendar', 2)).map(({ payload }) => payload)).toEqual([true, false]);
  });

  it('raise and clear an alarm, and tell people, in the name of tab and node', async () => {
    await room.say('button-1/alarm', true);
    await vi.waitFor(() => expect(room.said).toHaveLength(1), soon);
    expect(room.said[0]).toMatchObject({
      ask: 'alarm',
      key: 'wet',
      class: 'medium',
      message: { zh: '地面积水', en: 'The floor is wet' },
      active: true,
      origin: 'flow:notify/all nodes/alarm node',
    });
    await comes('k-raised', 1);
    await room.say('button-1/alarm', false);
    await vi.waitFor(() => expect(room.said.at(-1)).toMatchObject({ active: false }), soon);
    await room.say('button-1/notify', 'it rains');
    await vi.waitFor(() => expect(room.said.at(-1)).toMatchObject({ ask: 'notify' }), soon);
    expect(room.said.at(-1)).toMatchObject({ to: ['duty', 'gate'], message: { zh: 'it rains', en: 'it rains' } });
  });

  it('play a clip at the loudspeakers of a zone, and stop it', async () => {
    await room.say('button-1/broadcast', true);
    await vi.waitFor(() => expect(room.asked).toHaveLength(1), soon);
    expect(room.asked[0]).toMatchObject({ point: 'speaker-gate/clip', value: 'chime', priority: 12, seconds: 20 });
    await room.say('button-1/broadcast', false);
    await vi.waitFor(() => expect(room.asked.at(-1)).toMatchObject({ point: 'speaker-gate/clip', value: null }), soon);
    expect((await comes('k-broadcast', 2))[0]?.payload).toEqual({ accepted: 1, refused: [] });
  });

  it('ask what was: a mean weighted by good seconds, and the last values', async () => {
    await room.say('button-1/history', true);
    expect((await comes('k-mean', 1))[0]?.payload).toBe(6);
    await room.say('button-1/last', true);
    expect((await comes('k-last', 1))[0]?.payload).toMatchObject([{ value: 2 }, { value: 3 }]);
    expect(asked.every((line) => line.startsWith('Bearer token-of-flows /api/v1/'))).toBe(true);
  });

  it('let no flood of readings through', async () => {
    for (let i = 0; i < 500; i++) await room.say('meter-main/power', 1_000 + (i % 50));
    await room.say('meter-main/power', 2_000);
    expect((await comes('k-noisy', 2)).map(({ payload }) => payload)).toEqual([1_000, 2_000]);
  });

  it('show who holds an output', async () => {
    const ref = 'relay-1/relay_1' as PointRef;
    const output: OutputState = {
      ref,
      value: false,
      holder: 'interlock:smoke',
      priority: 1,
      reason: 'smoke',
      since: 1,
      until: null,
      stack: [],
      confirmed: null,
      next: null,
      waiting: null,
      forbidden: [],
      local: null,
    };
    await room.bus.publish(outputTopic(ref), output, { retain: true });
    const live = new WebSocket(`ws://127.0.0.1:${child.port}/flows-editor/comms`, { headers });
    let heard = '';
    live.on('message', (bytes) => {
      heard += String(bytes);
    });
    live.on('open', () => live.send(JSON.stringify({ subscribe: 'status/#' })));
    await vi.waitFor(() => expect(heard).toContain('= false: interlock:smoke'), soon);
    live.terminate();
  });
});
