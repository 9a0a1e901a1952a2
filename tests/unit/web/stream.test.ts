import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, PointName, PointRef } from '#edge/domain/ids.ts';
import { maxMissed, maxStreams } from '#edge/web/stream.ts';
import { newId, startWebRoom, type WebRoom } from './web-room.ts';

let room: WebRoom;
beforeEach(async () => {
  room = await startWebRoom();
});
afterEach(async () => await room[Symbol.asyncDispose]());

const soon = { timeout: 5_000, interval: 20 };
const event = (): CampusEvent => ({ id: newId(), type: 'motion', time: 1_800_000_000_000, data: {} });
const reading = (value: number, filler = '') => ({
  kind: 'reading' as const,
  body: {
    ref: 'meter-main/power' as PointRef,
    device: 'meter-main' as DeviceId,
    point: 'power' as PointName,
    value: filler === '' ? value : filler,
    unit: 'W',
    quality: 'good' as const,
    sourceTime: value,
    receivedTime: value,
  },
});

/** Listens as a browser does, and collects the messages. */
async function listen(lastEventId?: string) {
  const ending = new AbortController();
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const response = await room.ask('/api/v1/stream', { headers, signal: ending.signal });
  const messages: { kind: string; id: string | undefined; body: unknown }[] = [];
  const state = { ended: false };
  const read = async (body: ReadableStream<Uint8Array>) => {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      const frames = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = frames.pop() ?? '';
      for (const frame of frames) {
        const kind = /^event: (.*)$/m.exec(frame)?.[1];
        const data = /^data: (.*)$/m.exec(frame)?.[1];
        if (kind === undefined || data === undefined) continue;
        messages.push({ kind, id: /^id: (.*)$/m.exec(frame)?.[1], body: JSON.parse(data) });
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
  const events = () => messages.filter(({ kind }) => kind === 'event').map(({ id }) => id);
  return { response, messages, events, state, [Symbol.dispose]: () => ending.abort() };
}

test('a browser hears whether core is there, and then every change as it happens', async () => {
  using browser = await listen();
  expect(browser.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(browser.response.headers.get('cache-control')).toBe('no-store');
  await vi.waitFor(() => expect(browser.messages.map(({ kind }) => kind)).toEqual(['core', 'processes']), soon);
  room.live.accept(reading(5));
  room.live.setConnected(true);
  await vi.waitFor(() => expect(browser.messages).toHaveLength(4), soon);
  expect(browser.messages[2]).toMatchObject({ kind: 'reading', body: { ref: 'meter-main/power', value: 5 } });
  expect(browser.messages[3]).toMatchObject({ kind: 'core', body: { connected: true } });
});

describe('a browser that comes back', () => {
  test('gets what it missed, in order, and no more', async () => {
    const events = Array.from({ length: 5 }, event);
    await room.store?.append({ events });
    using browser = await listen(events[1]?.id);
    await vi.waitFor(() => expect(browser.events()).toEqual(events.slice(2).map(({ id }) => id)), soon);
    expect(browser.messages.map(({ kind }) => kind)).not.toContain('missed');
  });

  test.each([
    ['an event that was dropped since', '01000000-0000-7000-8000-000000000000'],
    ['something that is no id', 'nonsense'],
  ])('with %s is told to ask for everything, and gets the newest', async (_, last) => {
    const events = Array.from({ length: 3 }, event);
    await room.store?.append({ events });
    using browser = await listen(last);
    await vi.waitFor(() => expect(browser.events()).toEqual(events.map(({ id }) => id)), soon);
    expect(browser.messages.map(({ kind }) => kind)).toContain('missed');
  });

  test('after very much gets the newest, and is told that there was more', async () => {
    const events = Array.from({ length: maxMissed + 10 }, event);
    await room.store?.append({ events });
    using browser = await listen(events[0]?.id);
    await vi.waitFor(() => expect(browser.events()).toEqual(events.slice(-maxMissed).map(({ id }) => id)), soon);
    expect(browser.messages.map(({ kind }) => kind)).toContain('missed');
  });

  test('before there is a database is asked to wait, in words', async () => {
    await using young = await startWebRoom({ store: false });
    const answer = await young.ask('/api/v1/stream', { headers: { 'last-event-id': newId() } });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: 'store-not-ready' });
  });
});

test('a browser that does not read is cut off, counted, and holds up nobody', async () => {
  using healthy = await listen();
  const stuck = connect({ port: room.port, host: '127.0.0.1' });
  await once(stuck, 'connect');
  stuck.write(`GET /api/v1/stream HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${room.token}\r\n\r\n`);
  await once(stuck, 'readable');
  stuck.pause();
  const closed = once(stuck, 'close');
  stuck.on('error', () => {});
  const filler = 'x'.repeat(60_000);
  let sent = 0;
  await vi.waitFor(
    async () => {
      for (let i = 0; i < 4; i++) room.live.accept(reading(++sent, filler));
      expect(await (await room.ask('/metrics')).text()).toContain('campus_browser_streams_dropped_total 1\n');
    },
    { timeout: 15_000, interval: 5 },
  );
  stuck.resume();
  await closed;
  await vi.waitFor(() => expect(healthy.messages.filter(({ kind }) => kind === 'reading')).toHaveLength(sent), soon);
});

test(`the browser after the ${maxStreams}th is told that there are too many, and may come when one leaves`, async () => {
  const sockets = await Promise.all(
    Array.from({ length: maxStreams }, async () => {
      const socket = connect({ port: room.port, host: '127.0.0.1' });
      socket.write(`GET /api/v1/stream HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${room.token}\r\n\r\n`);
      await once(socket, 'data');
      return socket;
    }),
  );
  const refused = await room.ask('/api/v1/stream');
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ error: 'streams-full' });
  sockets[0]?.destroy();
  await vi.waitFor(async () => {
    using late = await listen();
    expect(late.response.status).toBe(200);
  }, soon);
  for (const socket of sockets) socket.destroy();
});

test('closing the server ends open streams at once', async () => {
  const own = await startWebRoom();
  const response = await own.ask('/api/v1/stream');
  const started = performance.now();
  await own[Symbol.asyncDispose]();
  expect(performance.now() - started).toBeLessThan(5_000);
  await response.text().catch(() => '');
});
