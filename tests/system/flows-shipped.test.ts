import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { alarmTopic } from '#edge/bus/topics.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { type Child, flowsRoom, secret } from './flows-room.ts';

/* The shipped flows as they are, but for their times of day and the 20 minutes: real Node-RED, real broker. */

const shipped = new URL('../../flows/comfort/empty-room-ac.json', import.meta.url);
const emptySeconds = 0.8;

const soon = { timeout: 15_000, interval: 50 };

let room: Awaited<ReturnType<typeof flowsRoom>>;
let child: Child;
beforeAll(async () => {
  room = await flowsRoom();
  const text = await readFile(shipped, 'utf8');
  expect(text).toContain('"value": "1200"');
  await room.writeFlow(
    'comfort/empty-room-ac.json',
    JSON.parse(text.replace('"value": "1200"', `"value": "${emptySeconds}"`)),
  );
  child = await room.start();
});
afterAll(async () => {
  await child?.[Symbol.asyncDispose]();
  await room?.[Symbol.asyncDispose]();
});

it('runs', () => {
  expect(child.problem).toBeNull();
});

it('asks for an empty room to be switched off after the delay, as automation, and takes it back when people return', async () => {
  const emptyAt = systemClock.monotonic();
  await room.say('pir-101/occupancy', false);
  await vi.waitFor(() => expect(room.asked).toHaveLength(1), { timeout: 8000 });
  expect(room.asked[0]).toMatchObject({
    point: 'relay-1/relay_1',
    value: false,
    priority: 12,
    seconds: 43_200,
    reason: expect.stringContaining('empty'),
  });
  expect((room.asked[0]?.at ?? 0) - emptyAt).toBeGreaterThan(emptySeconds * 950);
  await room.say('pir-101/occupancy', true);
  await vi.waitFor(() => expect(room.asked).toHaveLength(2), { timeout: 8000 });
  expect(room.asked[1]).toMatchObject({ point: 'relay-1/relay_1', value: null, priority: 12 });
});

it('does not ask when people come back in time', async () => {
  const before = room.asked.length;
  await room.say('pir-101/occupancy', false);
  await room.say('pir-101/occupancy', true);
  await vi.waitFor(() => expect(room.asked).toHaveLength(before + 1), { timeout: 8000 });
  const backAt = systemClock.monotonic();
  await vi.waitFor(() => expect(systemClock.monotonic() - backAt).toBeGreaterThan(emptySeconds * 1500), {
    timeout: 5000,
  });
  expect(room.asked.slice(before)).toMatchObject([{ value: null }]);
});

it('does not take a dead sensor for an empty room', async () => {
  const before = room.asked.length;
  await room.say('pir-101/occupancy', false);
  await room.say('pir-101/occupancy', false, 'bad');
  const deadAt = systemClock.monotonic();
  await vi.waitFor(() => expect(systemClock.monotonic() - deadAt).toBeGreaterThan(emptySeconds * 1500), {
    timeout: 5000,
  });
  expect(room.asked).toHaveLength(before);
});

it('begins to wait again when it is started again while the room is empty', async () => {
  await child[Symbol.asyncDispose]();
  await room.say('pir-101/occupancy', false);
  const before = room.asked.length;
  child = await room.start();
  await vi.waitFor(() => expect(room.asked).toHaveLength(before + 1), { timeout: 8000 });
  expect(room.asked.at(-1)).toMatchObject({ value: false });
});

describe('by the clock', () => {
  const paths = ['comfort/outdoor-air.json', 'energy/weekly-report.json', 'notify/daily-digest.json'];
  const nodes = new Map<string, { readonly id: string; readonly type: string; readonly z?: string }>();
  let other: Awaited<ReturnType<typeof flowsRoom>>;
  let runner: Child;
  let web: Server;
  /** What the weather site answers. */
  let weather = { status: 200, body: '' };
  let lookedUp = 0;
  /** What the meter has counted in the last week, and in the last two. */
  let deltas: { readonly week: number | null; readonly both: number | null };

  beforeAll(async () => {
    web = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://127.0.0.1');
      if (path.pathname === '/weather') {
        lookedUp += 1;
        return void response.writeHead(weather.status).end(weather.body);
      }
      const span = Number(path.searchParams.get('to')) - Number(path.searchParams.get('from'));
      const delta = span > 8 * 86_400_000 ? deltas.both : deltas.week;
      const bucket = { t: 1, min: 1, max: 9, mean: 4, last: 4, delta, goodSeconds: 60 };
      response.writeHead(200).end(JSON.stringify({ buckets: [bucket] }));
    });
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const address = web.address();
    const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    other = await flowsRoom();
    for (const path of paths) {
      const text = await readFile(new URL(`../../flows/${path}`, import.meta.url), 'utf8');
      // The sensor of the air is heard once a minute: here at once.
      const flow: { id: string; type: string; z?: string; name?: string; env?: unknown }[] = JSON.parse(
        text.replace('"period": "60"', '"period": ""'),
      );
      for (const node of flow) if (node.name !== undefined && !nodes.has(node.name)) nodes.set(node.name, node);
      const withAddress = flow.map((node) =>
        node.env === undefined ? node : { ...node, env: withValue(node.env, 'WEATHER_URL', `${url}/weather`) },
      );
      await other.writeFlow(path, withAddress);
    }
    runner = await other.start({ web: { url, token: 'token-of-flows' } });
    expect(runner.problem).toBeNull();
  }, 60_000);
  afterAll(async () => {
    await runner?.[Symbol.asyncDispose]();
    await other?.[Symbol.asyncDispose]();
    web?.close();
  });

  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${runner.port}/flows-editor/${path}`, {
      ...init,
      headers: { 'x-campus-token': `${secret}:edit:wang`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(10_000),
    });

  /** Until the flow knows of it. */
  async function hears(pm: number, quality: 'good' | 'bad' = 'good'): Promise<void> {
    await other.say('air-201/pm2_5', pm, quality);
    const tab = nodes.get('记住 / remember')?.z;
    const own = quality === 'good' ? String(pm) : '(undefined)';
    await vi.waitFor(async () => {
      expect(await (await ask(`context/flow/${tab}/own`)).json()).toMatchObject({ msg: own });
    }, soon);
  }

  /** A clock strikes: the button of its node in the editor is pressed. */
  async function strike(name: string): Promise<void> {
    const clock = nodes.get(name);
    expect(clock?.type, name).toBe('inject');
    const answer = await ask(`inject/${clock?.id}`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(200);
  }

  /** What is said next after this. */
  async function saidBy(work: () => Promise<void>): Promise<unknown> {
    const before = other.said.length;
    await work();
    await vi.waitFor(() => expect(other.said.length).toBeGreaterThan(before), soon);
    return other.said[before];
  }

  it.each([
    ['bad air, by the weather site', { status: 200, body: '{"pm2_5": 180}' }, 20, true],
    [
      'clean air, by the weather site, whatever the own sensor says',
      { status: 200, body: '{"pm2_5": 30}' },
      300,
      false,
    ],
    ['bad air, by the own sensor, when the site is down', { status: 503, body: 'busy' }, 180, true],
    ['clean air, by the own sensor, when the site talks nonsense', { status: 200, body: '<html>' }, 21, false],
  ])('the break: %s', async (_, answer, own, active) => {
    weather = answer;
    await hears(own);
    expect(await saidBy(() => strike('大课间前 / before the break'))).toMatchObject({
      ask: 'alarm',
      key: 'outdoor-air',
      class: 'low',
      active,
      origin: 'flow:comfort/outdoor air/改在室内 - indoors',
    });
  });

  it('the break: nobody knows of the air, so nothing is said before it is taken back at noon', async () => {
    weather = { status: 503, body: 'busy' };
    await hears(300, 'bad');
    const before = lookedUp;
    const said = await saidBy(async () => {
      await strike('大课间前 / before the break');
      await vi.waitFor(() => expect(lookedUp).toBe(before + 1), soon);
      await strike('午前撤销 / taken back');
    });
    expect(said).toMatchObject({ ask: 'alarm', key: 'outdoor-air', active: false });
  });

  it.each([
    ['more', { week: 1200, both: 2200 }, { zh: '上周用电 1200 kWh，比前一周 +20 %', en: /1200 kWh, \+20 % against/ }],
    ['less', { week: 900, both: 2100 }, { zh: '上周用电 900 kWh，比前一周 -25 %', en: /900 kWh, -25 % against/ }],
    ['no readings', { week: null, both: null }, { zh: '上周用电：电表没有数据，请检查', en: /no readings/ }],
  ])('the weekly report: %s', async (_, known, { zh, en }) => {
    deltas = known;
    expect(await saidBy(() => strike('周一早上 / Monday morning'))).toMatchObject({
      ask: 'notify',
      to: ['facility'],
      message: { zh, en: expect.stringMatching(en) },
      origin: 'flow:energy/weekly report/发送 - tell',
    });
  });

  it('the daily digest: one message of the low alarms of a day, none of the others', async () => {
    for (const [source, kind, zh, en] of [
      ['interlock:fire', 'critical', '火灾', 'Fire'],
      ['rule:stuffy@r101', 'low', '101 闷', 'Room 101 is stuffy'],
      ['rule:cold@r102', 'low', '102 冷', 'Room 102 | is cold'],
    ] as const) {
      const id = newHappeningId(systemClock);
      const alarm = { id, source, class: kind, state: 'unacknowledged', active: true, message: { zh, en } };
      const rest = { next: { zh: '看', en: 'look' }, zone: 'teaching', raised: systemClock.now(), count: 1 };
      await other.bus.publish(alarmTopic(id), { ...alarm, ...rest }, { retain: true });
    }
    const told = await saidBy(() => strike('放学 / school is over'));
    expect(told).toMatchObject({
      ask: 'notify',
      to: ['facility'],
      message: {
        zh: '今日低级报警 2 种：101 闷；102 冷',
        en: '2 kinds of low alarms today: Room 101 is stuffy; Room 102 / is cold',
      },
    });
  });
});

/** The settings of a tab with one of them changed. */
function withValue(env: unknown, name: string, value: string): unknown {
  if (!Array.isArray(env)) throw new Error('the tab has no settings');
  return env.map((one: { readonly name: string }) => (one.name === name ? { ...one, value } : one));
}
