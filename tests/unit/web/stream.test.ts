import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Right, Zones } from '#edge/domain/access.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, PointName, PointRef, ZoneId } from '#edge/domain/ids.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openReader } from '#edge/store/reader.ts';
import { openStore, type Store } from '#edge/store/store.ts';
import { maxMissed } from '#edge/web/event-tail.ts';
import { LiveState } from '#edge/web/live.ts';
import { createScopes } from '#edge/web/scope.ts';
import { maxStreams, maxStreamsEach, Streams } from '#edge/web/stream.ts';
import { newId, startWebRoom } from './web-room.ts';

/* Streams behind a real HTTP server with a real store; who listens is said in headers, as the guard would say it. */

const soon = { timeout: 20_000, interval: 20 };
const scopeOf = createScopes([
  { id: 'meter-main', zone: 'teaching' },
  { id: 'camera-gate', zone: 'gate' },
  { id: 'camera-yard', zone: 'yard' },
]);
const rights: ReadonlySet<Right> = new Set<Right>(['see', 'pictures']);

let stack: AsyncDisposableStack;
let live: LiveState;
let store: Store;
let streams: Streams;
let port: number;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'stream-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const retention = {
    readings: 1e12,
    events: 1e12,
    audit: 1e12,
    snapshots: 1e12,
    database: 1e9,
    snapshotBytes: 1e9,
    freeSpaceFloor: 0,
  };
  store = stack.use(await openStore({ folder, log: silentLog, retention }));
  live = new LiveState(systemClock);
  const events = stack.use(openReader(folder));
  streams = stack.use(new Streams({ live, events, keepAliveMs: 300, readingsEveryMs: 50 }));
  const server = createServer((request, response) => {
    const { who = 'person:li', zones = 'all', session = 's1', 'last-event-id': last } = request.headers;
    const scope = scopeOf({ zones: zones === 'all' ? 'all' : String(zones).split(','), rights });
    try {
      streams.admit(String(who));
      const missed = streams.missedSince(typeof last === 'string' ? last : undefined, scope);
      streams.open(response, { who: String(who), sessionId: String(session), scope }, missed);
    } catch (error) {
      response.writeHead(503).end(String(error));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => await stack.disposeAsync());

const event = (device = 'meter-main', type = 'motion'): CampusEvent => ({
  id: newId(),
  type,
  device: device as DeviceId,
  time: 1_800_000_000_000,
  data: {},
});
const reading = (ref: string, value: number | string) => {
  const [device = '', point = ''] = ref.split('/');
  return {
    kind: 'reading' as const,
    body: {
      ref: ref as PointRef,
      device: device as DeviceId,
      point: point as PointName,
      value,
      unit: 'W',
      quality: 'good' as const,
      sourceTime: 1,
      receivedTime: 2,
    },
  };
};
const alarm = (device: string, zone: string): Alarm => ({
  id: newId(),
  source: `device:${device}`,
  class: 'high',
  state: 'unacknowledged',
  active: true,
  message: { zh: '离线', en: 'offline' },
  next: { zh: '检查', en: 'Check' },
  device: device as DeviceId,
  zone: zone as ZoneId,
  raised: 1,
  count: 1,
});
const ids = (events: readonly CampusEvent[]) => events.map(({ id }) => id as string);

interface Ear {
  readonly zones?: Zones;
  readonly who?: string;
  readonly session?: string;
  readonly last?: string | undefined;
}

/** Listens as a browser does, and collects the messages; `lastId` is what a browser would resume from. */
async function listen({ zones = 'all', who = 'person:li', session = 's1', last }: Ear = {}) {
  const ending = new AbortController();
  const headers = {
    who,
    session,
    zones: zones === 'all' ? 'all' : zones.join(),
    ...(last && { 'last-event-id': last }),
  };
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers, signal: ending.signal });
  const messages: { kind: string; id: string | undefined; body: unknown; bytes: number }[] = [];
  const state: { ended: boolean; lastId: string | undefined } = { ended: false, lastId: undefined };
  const read = async (body: ReadableStream<Uint8Array>) => {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      const frames = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = frames.pop() ?? '';
      for (const frame of frames) {
        const kind = /^event: (.*)$/m.exec(frame)?.[1];
        const data = /^data: (.*)$/m.exec(frame)?.[1];
        const id = /^id: (.*)$/m.exec(frame)?.[1];
        state.lastId = id ?? state.lastId;
        if (kind === undefined || data === undefined) continue;
        messages.push({ kind, id, body: JSON.parse(data), bytes: frame.length });
      }
    }
  };
  if (response.body !== null) {
    void read(response.body)
      .catch(() => {})
      .finally(() => {
        state.ended = true;
      });
  }
  const of = (kind: string) => messages.filter((message) => message.kind === kind);
  const rows = () => of('readings').flatMap(({ body }) => body as unknown[][]);
  const events = () => of('event').map(({ id }) => id);
  return { response, messages, of, rows, events, state, [Symbol.dispose]: () => ending.abort() };
}

/** A socket that asks and then does not read. */
async function stall(headers = '') {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await once(socket, 'connect');
  // HTTP/1.0: without the marks of chunks.
  socket.write(`GET / HTTP/1.0\r\nhost: 127.0.0.1\r\n${headers}\r\n`);
  await once(socket, 'readable');
  socket.pause();
  return { socket, [Symbol.dispose]: () => socket.destroy() };
}

const tellEvent = async (one: CampusEvent) => {
  await store.append({ events: [one] });
  live.accept({ kind: 'event', body: one });
};

test('a browser hears whether core is there, and then every change as it happens', async () => {
  using browser = await listen();
  expect(browser.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(browser.response.headers.get('cache-control')).toBe('no-store');
  await vi.waitFor(() => expect(browser.messages.map(({ kind }) => kind)).toEqual(['core', 'processes']), soon);
  live.setConnected(true);
  await vi.waitFor(() => expect(browser.messages).toHaveLength(3), soon);
  expect(browser.messages[2]).toMatchObject({ kind: 'core', body: { connected: true } });
});

describe('readings', () => {
  test('come together, and of each point only the latest', async () => {
    using browser = await listen();
    for (let i = 0; i < 100; i++) live.accept(reading('meter-main/power', i));
    live.accept(reading('meter-main/voltage', 230));
    await vi.waitFor(() => expect(browser.rows()).toHaveLength(2), soon);
    expect(browser.of('readings')).toHaveLength(1);
    expect(browser.rows()).toEqual([
      ['meter-main/power', 99, 'good', null, 1, 2],
      ['meter-main/voltage', 230, 'good', null, 1, 2],
    ]);
    live.accept(reading('meter-main/power', 7));
    await vi.waitFor(() => expect(browser.rows()).toHaveLength(3), soon);
  });

  test('are written once for all who see the same', async () => {
    const browsers = await Promise.all(Array.from({ length: 20 }, (_, i) => listen({ who: `person:p${i}` })));
    let written = 0;
    const body = {
      ...reading('meter-main/power', 5).body,
      get sourceTime() {
        written++;
        return 1;
      },
    };
    live.accept({ kind: 'reading', body });
    await vi.waitFor(() => {
      for (const browser of browsers) expect(browser.rows()).toHaveLength(1);
    }, soon);
    expect(written).toBe(1);
    for (const browser of browsers) browser[Symbol.dispose]();
  });

  test('wait for a browser that reads slowly: then it has the latest of every point, and was never cut off', async () => {
    using healthy = await listen();
    using slow = await stall('who: person:slow\r\n');
    let text = '';
    slow.socket.setEncoding('utf8');
    const points = Array.from({ length: 1_500 }, (_, i) => `meter-main/p${i}`);
    for (let round = 0; round < 40; round++) {
      const filler = String(round).padEnd(200, '.');
      for (const ref of points) live.accept(reading(ref, filler));
      await vi.waitFor(() => expect(healthy.rows().at(-1)?.[1]).toBe(filler), soon);
    }
    // 40 rounds of some 400 kB are far more than its socket and the limit take.
    expect(streams.dropped).toBe(0);
    slow.socket.on('data', (chunk: string) => {
      text += chunk;
    });
    slow.socket.resume();
    const newest = String(39).padEnd(200, '.');
    const latest = () => {
      const frames = text.matchAll(/^event: readings\ndata: (\[.*\])\n\n/gm);
      const rows = [...frames].flatMap(([, data = '[]']) => JSON.parse(data) as [string, string][]);
      return [...new Map(rows).values()];
    };
    await vi.waitFor(() => expect(latest().filter((value) => value === newest)).toHaveLength(points.length), soon);
    expect(text.length).toBeLessThan(healthy.of('readings').reduce((sum, { bytes }) => sum + bytes, 0) * 0.9);
  }, 30_000);
});

describe('somebody who sees one zone', () => {
  test('hears its readings, events, alarms, outputs and devices, and nothing of the others', async () => {
    using guard = await listen({ zones: ['gate'] });
    await vi.waitFor(() => expect(guard.of('core')).toHaveLength(1), soon);
    live.accept(reading('meter-main/power', 1));
    live.accept(reading('camera-gate/online', 1));
    const [theirs, his] = [event('meter-main'), event('camera-gate')];
    await tellEvent(theirs);
    await tellEvent(his);
    live.accept({ kind: 'event', body: { id: newId(), type: 'samples_lost', time: 1, data: {} } });
    live.accept({ kind: 'alarm', body: alarm('meter-main', 'teaching') });
    const own = alarm('camera-gate', 'gate');
    live.accept({ kind: 'alarm', body: own });
    live.accept({ kind: 'processes', body: [] });
    const device = { state: 'online' as const, message: '', since: 0, counters: {} };
    const devices = ['meter-main', 'camera-gate'].map((id) => ({ ...device, device: id }));
    live.accept({ kind: 'health', body: { process: 'camera', state: 'ready', time: 1, instance: 'x', devices } });
    live.accept({
      kind: 'health',
      body: {
        process: 'fieldbus',
        state: 'ready',
        time: 1,
        instance: 'x',
        devices: [{ ...device, device: 'meter-main' }],
      },
    });
    await vi.waitFor(() => {
      expect(guard.of('health')).toHaveLength(1);
      expect(guard.rows()).toHaveLength(1);
    }, soon);
    expect(guard.events()).toEqual([his.id]);
    expect(guard.of('alarm').map(({ body }) => body)).toEqual([own]);
    expect(guard.rows()[0]?.[0]).toBe('camera-gate/online');
    expect(guard.of('health')[0]?.body).toMatchObject({ process: 'camera', devices: [{ device: 'camera-gate' }] });
    expect(JSON.stringify(guard.messages)).not.toMatch(/meter-main|samples_lost|processes/);
  });

  test('is told that his alarm is over, also when it has come again elsewhere, and not that others are', async () => {
    using guard = await listen({ zones: ['gate'] });
    const [own, moving, other] = [
      alarm('camera-gate', 'gate'),
      alarm('camera-gate', 'gate'),
      alarm('meter-main', 'teaching'),
    ];
    for (const one of [own, moving, other]) live.accept({ kind: 'alarm', body: one });
    live.accept({ kind: 'alarm', body: { ...moving, device: 'camera-yard' as DeviceId, zone: 'yard' as ZoneId } });
    for (const { id } of [own, other]) live.accept({ kind: 'alarm', body: { id, state: 'normal' } });
    await vi.waitFor(() => expect(guard.of('alarm')).toHaveLength(4), soon);
    expect(
      guard
        .of('alarm')
        .slice(2)
        .map(({ body }) => body),
    ).toEqual([moving, own].map(({ id }) => ({ id, state: 'normal' })));
    expect(live.alarms.size).toBe(1);
  });

  test('comes back after many happenings elsewhere, and gets exactly his own', async () => {
    const his = [event('camera-gate'), event('camera-gate'), event('camera-gate')];
    const others = () => Array.from({ length: maxMissed }, () => event('meter-main'));
    await store.append({ events: [...his.slice(0, 1), ...others(), ...his.slice(1, 2), ...others(), ...his.slice(2)] });
    using guard = await listen({ zones: ['gate'], last: his[0]?.id });
    await vi.waitFor(() => expect(guard.events()).toEqual(ids(his.slice(1))), soon);
    expect(guard.of('missed')).toHaveLength(0);
  });
});

describe('a browser that comes back', () => {
  test('gets what it missed, in order, and no more', async () => {
    const events = Array.from({ length: 5 }, () => event());
    await store.append({ events });
    using browser = await listen({ last: events[1]?.id });
    await vi.waitFor(() => expect(browser.events()).toEqual(ids(events.slice(2))), soon);
    expect(browser.of('missed')).toHaveLength(0);
  });

  test('knows from where to resume though it heard of no event', async () => {
    const [before, meanwhile] = [event(), event()];
    await store.append({ events: [before] });
    using first = await listen();
    await vi.waitFor(() => expect(first.state.lastId).toBe(before.id), soon);
    first[Symbol.dispose]();
    await store.append({ events: [meanwhile] });
    using second = await listen({ last: first.state.lastId });
    await vi.waitFor(() => expect(second.events()).toEqual([meanwhile.id]), soon);
  });

  test('misses not even the first event that there ever was', async () => {
    using first = await listen();
    await vi.waitFor(() => expect(first.state.lastId).toBe('none'), soon);
    first[Symbol.dispose]();
    const meanwhile = [event(), event()];
    await store.append({ events: meanwhile });
    using second = await listen({ last: first.state.lastId });
    await vi.waitFor(() => expect(second.events()).toEqual(ids(meanwhile)), soon);
    expect(second.of('missed')).toHaveLength(0);
  });

  test('hears nothing twice that was stored before it came and is told after', async () => {
    const [seen, late, next] = [event(), event(), event()];
    await store.append({ events: [seen, late] });
    using browser = await listen({ last: seen.id });
    await vi.waitFor(() => expect(browser.events()).toEqual([late.id]), soon);
    live.accept({ kind: 'event', body: late });
    await tellEvent(next);
    await vi.waitFor(() => expect(browser.events()).toEqual(ids([late, next])), soon);
  });

  test.each([
    ['an event that was dropped since', '01000000-0000-7000-8000-000000000000'],
    ['something that is no id', 'nonsense'],
  ])('with %s is told to ask for everything, and gets the newest', async (_, last) => {
    const events = Array.from({ length: 3 }, () => event());
    await store.append({ events });
    using browser = await listen({ last });
    await vi.waitFor(() => expect(browser.events()).toEqual(ids(events)), soon);
    expect(browser.of('missed')).toHaveLength(1);
  });

  test('after very much gets the newest, and is told that there was more', async () => {
    const events = Array.from({ length: maxMissed + 10 }, () => event());
    await store.append({ events });
    using browser = await listen({ last: events[0]?.id });
    await vi.waitFor(() => expect(browser.events()).toEqual(ids(events.slice(-maxMissed))), soon);
    expect(browser.of('missed')).toHaveLength(1);
  });

  test('before there is a database is asked to wait, in words', async () => {
    await using young = await startWebRoom({ store: false });
    const asked = [
      await young.ask('/api/v1/stream', { headers: { 'last-event-id': newId() } }),
      await young.ask(`/api/v1/stream?lastEventId=${newId()}`),
    ];
    for (const answer of asked) {
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ error: 'store-not-ready' });
    }
  });
});

describe('what the bus forgot while core started again', () => {
  test('is looked up in the store, once, and told to those who stayed', async () => {
    using browser = await listen();
    using guard = await listen({ zones: ['gate'] });
    await vi.waitFor(() => expect(guard.of('core')).toHaveLength(1), soon);
    const [heard, lost, own] = [event(), event(), event('camera-gate')];
    await tellEvent(heard);
    await store.append({ events: [lost, own] });
    live.setConnected(true);
    await vi.waitFor(() => expect(browser.events()).toEqual(ids([heard, lost, own])), soon);
    expect(guard.events()).toEqual([own.id]);
    live.accept({ kind: 'event', body: lost });
    const last = event();
    await tellEvent(last);
    await vi.waitFor(() => expect(browser.events()).toEqual(ids([heard, lost, own, last])), soon);
  });

  test('is found without any sign of core too', async () => {
    using browser = await listen();
    const lost = event();
    await store.append({ events: [lost] });
    await vi.waitFor(() => expect(browser.events()).toEqual([lost.id]), soon);
  });
});

test('a browser that does not read happenings is cut off and counted, holds up nobody, and resumes without a gap', async () => {
  using healthy = await listen();
  const stuck = await stall('who: person:stuck\r\n');
  const closed = once(stuck.socket, 'close');
  const sent: CampusEvent[] = [];
  const data = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`k${i}`, 'x'.repeat(256)]));
  await vi.waitFor(
    async () => {
      const some = Array.from({ length: 100 }, () => ({ ...event(), data }));
      await store.append({ events: some });
      for (const body of some) live.accept({ kind: 'event', body });
      sent.push(...some);
      expect(streams.dropped).toBe(1);
    },
    { timeout: 15_000, interval: 5 },
  );
  stuck.socket.resume();
  await closed;
  await vi.waitFor(() => expect(healthy.events()).toEqual(ids(sent)), soon);
}, 30_000);

describe('a stream', () => {
  test('ends with its session, and no other does', async () => {
    using first = await listen({ session: 'a' });
    using second = await listen({ session: 'b' });
    using third = await listen({ who: 'person:wang', session: 'c' });
    await vi.waitFor(() => expect(streams.size).toBe(3), soon);
    expect(streams.endSessions(({ sessionId }) => sessionId === 'a')).toBe(1);
    await vi.waitFor(() => expect(first.state.ended).toBe(true), soon);
    expect([second.state.ended, third.state.ended]).toEqual([false, false]);
    expect(streams.endSessions(({ who }) => who === 'person:wang')).toBe(1);
    await vi.waitFor(() => expect(third.state.ended).toBe(true), soon);
    expect(streams.size).toBe(1);
  });

  test(`more than ${maxStreamsEach} of one person are refused, and another person is not`, async () => {
    const own = await Promise.all(Array.from({ length: maxStreamsEach }, () => listen()));
    using refused = await listen();
    expect(refused.response.status).toBe(503);
    using other = await listen({ who: 'person:wang' });
    expect(other.response.status).toBe(200);
    own[0]?.[Symbol.dispose]();
    await vi.waitFor(async () => {
      using late = await listen();
      expect(late.response.status).toBe(200);
    }, soon);
    for (const one of own) one[Symbol.dispose]();
  });

  test(`after the ${maxStreams}th is refused, and may come when one leaves`, async () => {
    const sockets = await Promise.all(
      Array.from({ length: maxStreams }, async (_, i) => {
        const socket = connect({ port, host: '127.0.0.1' });
        socket.write(`GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nwho: person:p${i}\r\n\r\n`);
        await once(socket, 'data');
        return socket;
      }),
    );
    using refused = await listen({ who: 'person:late' });
    expect(refused.response.status).toBe(503);
    sockets[0]?.destroy();
    await vi.waitFor(async () => {
      using late = await listen({ who: 'person:late' });
      expect(late.response.status).toBe(200);
    }, soon);
    for (const socket of sockets) socket.destroy();
  });

  test('ends at once when the server closes', async () => {
    const own = await startWebRoom();
    const response = await own.ask('/api/v1/stream');
    const started = performance.now();
    await own[Symbol.asyncDispose]();
    expect(performance.now() - started).toBeLessThan(5_000);
    await response.text().catch(() => '');
  });
});
