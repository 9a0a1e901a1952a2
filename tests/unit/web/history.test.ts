import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DeviceId, PointName, PointRef } from '#edge/domain/ids.ts';
import type { Command, CommandResult, Request, RequestResult } from '#edge/domain/output.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { finestStep } from '#edge/web/history.ts';
import { openHistory } from './history-folder.ts';
import { newId, startWebRoom, type WebRoom } from './web-room.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** Midnight in Shanghai. */
const start = Date.parse('2026-11-21T16:00:00Z');

const audited: unknown[] = [];
let room: WebRoom;

const reading = (point: string, t: number, value: Reading['value'], more: Partial<Reading> = {}): Reading => ({
  ref: `meter-main/${point}` as PointRef,
  device: 'meter-main' as DeviceId,
  point: point as PointName,
  value,
  unit: point === 'power' ? 'W' : '',
  quality: 'good',
  sourceTime: t,
  receivedTime: t,
  ...more,
});

beforeAll(async () => {
  room = await startWebRoom({
    methods: {
      audit: async (params) => {
        audited.push(params);
        return {};
      },
    },
  });
  const points = { power: ['number', 'W'], note: ['text', ''], long: ['text', ''] } as const;
  await room.store?.registerPoints(
    Object.entries(points).map(([name, [type, unit]]) => ({
      ref: `meter-main/${name}`,
      type,
      unit,
      staleAfter: 0,
      counter: false,
    })),
  );
  const many = Array.from({ length: 12_000 }, (_, i) => reading('power', start + i * 1_000, i % 7 === 0 ? -i : i));
  await room.store?.append({ readings: many });
  await room.store?.append({
    readings: [
      reading('note', start, '=HYPERLINK("http://evil.test")'),
      reading('note', start + 1_000, '＋1'),
      reading('note', start + 2_000, '温度, "高"\n第二行'),
      reading('note', start + 3_000, null, { quality: 'bad', reason: 'no-communication' }),
    ],
  });
});
afterAll(async () => await room[Symbol.asyncDispose]());

const history = async (query: string) => {
  const answer = await room.ask(`/api/v1/points/meter-main/power/history?${query}`);
  return (await answer.json()) as { step: string; buckets?: unknown[]; samples?: unknown[]; truncated: boolean };
};

describe('the step', () => {
  test.each([
    [hour, 800, '1min'],
    [day, 800, '15min'],
    [7 * day, 800, '15min'],
    [30 * day, 800, '1h'],
    [30 * day, 600, '1d'],
    [365 * day, 800, '1d'],
    [3_650 * day, 800, '1d'],
    [10 * minute, 10, '1min'],
    [11 * minute, 10, '15min'],
  ])('of %i ms in at most %i buckets is %s', (range, buckets, step) => {
    expect(finestStep(start, start + range, buckets)).toBe(step);
  });

  test('is chosen when asked so, and said', async () => {
    const found = await history(`from=${start}&to=${start + 3 * hour}&step=auto&buckets=100`);
    expect(found).toMatchObject({ step: '15min', truncated: false });
    expect(found.buckets?.length).toBeLessThanOrEqual(100);
    expect((await history(`from=${start}&to=${start + hour}&limit=5`)).samples).toHaveLength(5);
  });
});

test('a month of a point costs a chart far less than its samples do', async () => {
  const now = start + 30 * day;
  await using past = await openHistory(now);
  await past.fill({ power: { unit: 'W', valueAt: (t) => Math.round(1_000 * Math.sin(t / 1e7)) } }, start, now, minute);
  const time = (step: 'raw' | '1h') => {
    const before = performance.now();
    const found = past.reader.history('meter-main/power', start, now, step, 100_000);
    expect((step === 'raw' ? found?.samples : found?.buckets)?.length).toBe(step === 'raw' ? 43_200 : 720);
    return performance.now() - before;
  };
  const rounds = Array.from({ length: 9 }, () => [time('1h'), time('raw')] as const);
  const median = (i: 0 | 1) => rounds.map((round) => round[i]).sort((a, b) => a - b)[4] ?? Number.NaN;
  expect(median(0) / median(1)).toBeLessThan(0.7);
}, 60_000);

describe('as a file', () => {
  const file = async (path: string) => {
    const answer = await room.ask(`/api/v1/points/meter-main/${path}`);
    return { answer, bytes: Buffer.from(await answer.arrayBuffer()) };
  };

  test('it opens in a spreadsheet in Chinese, with the times of the campus', async () => {
    const { answer, bytes } = await file(`power/history.csv?from=${start}&to=${start + 3_000}`);
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toBe(
      'attachment; filename="meter-main_power_2026-11-22_raw.csv"',
    );
    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    expect(bytes.toString().slice(1).split('\r\n')).toEqual([
      '时间,数值 (W),质量,原因',
      '2026-11-22T00:00:00.000+08:00,0,正常,',
      '2026-11-22T00:00:01.000+08:00,1,正常,',
      '2026-11-22T00:00:02.000+08:00,2,正常,',
      '',
    ]);
  });

  test('buckets have columns of their own, in English too', async () => {
    const { bytes } = await file(`power/history.csv?from=${start}&to=${start + hour}&step=15min&lang=en`);
    const [head, first] = bytes.toString().slice(1).split('\r\n');
    expect(head).toBe('From,Minimum (W),Maximum (W),Mean (W),Last (W),Rise (W),Samples,Good seconds');
    expect(first).toMatch(/^2026-11-22T00:00:00\.000\+08:00,-896,899,[\d.]+,899,,900,900$/);
  });

  test('text of a device is never a formula, and a bad value says why; a negative number stays one', async () => {
    const { bytes } = await file(`note/history.csv?from=${start}&to=${start + day}`);
    const text = bytes.toString();
    expect(text).toContain(`"'=HYPERLINK(""http://evil.test"")"`);
    expect(text).toContain(",'＋1,");
    expect(text).toContain('"温度, ""高""\n第二行"');
    expect(text).toContain(',,不可用,无通信');
    expect((await file(`power/history.csv?from=${start}&to=${start + 8_000}`)).bytes.toString()).toContain(',-7,');
  });

  test('it is whole however long it is: page by page, no row twice and none missing', async () => {
    const { bytes } = await file(`power/history.csv?from=${start}&to=${start + day}`);
    const rows = bytes.toString().trimEnd().split('\r\n').slice(1);
    expect(rows).toHaveLength(12_000);
    expect(new Set(rows).size).toBe(12_000);
  });

  test('only so many are written at a time, and those that nobody waits for any more do not count', async () => {
    // More than sockets take for somebody who does not read.
    const filler = '文'.repeat(250);
    for (let i = 0; i < 20_000; i += 5_000) {
      const readings = Array.from({ length: 5_000 }, (_, j) =>
        reading('long', start + (i + j) * 1_000, `${i + j}${filler}`),
      );
      await room.store?.append({ readings });
    }
    const path = `/api/v1/points/meter-main/long/history.csv?from=${start}&to=${start + day}`;
    const short = `/api/v1/points/meter-main/power/history.csv?from=${start}&to=${start + 1}`;
    const request = `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${room.token}\r\n\r\n`;
    const stalled = Array.from({ length: 4 }, () => {
      // Takes nothing but its first bytes.
      const socket = connect({
        port: room.port,
        host: '127.0.0.1',
        onread: { buffer: Buffer.alloc(64), callback: () => false },
      });
      socket.on('error', () => {});
      socket.write(request);
      return socket;
    });
    await vi.waitFor(async () => {
      expect((await room.ask(short)).status).toBe(429);
    }, 40_000);
    for (const socket of stalled) socket.destroy();
    await vi.waitFor(async () => expect((await room.ask(short)).status).toBe(200), 40_000);
  }, 90_000);

  test('who took what away is in the audit before the first byte', async () => {
    audited.length = 0;
    await file(`power/history.csv?from=${start}&to=${start + hour}&step=auto`);
    expect(audited).toEqual([
      {
        who: 'token:local',
        from: '127.0.0.1',
        what: 'export meter-main/power history',
        why: '',
        result: '2026-11-22T00:00:00.000+08:00 to 2026-11-22T01:00:00.000+08:00, 1min',
      },
    ]);
    await using alone = await startWebRoom({ methods: null });
    await alone.store?.registerPoints([
      { ref: 'meter-main/power', type: 'number', unit: 'W', staleAfter: 0, counter: false },
    ]);
    const refused = await alone.ask(`/api/v1/points/meter-main/power/history.csv?from=0&to=1`);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('content-type')).toContain('application/json');
  });
});

test('who switched an output, and what came of it, is told newest first, and of no other output', async () => {
  const request = (ref: string, time: number, who?: string): { request: Request; result: RequestResult } => {
    const id = newId();
    const wish = { id, client: 'web', ref: ref as PointRef, value: true, priority: 8 as const, seconds: 60 };
    return {
      request: { ...wish, reason: 'cleaning', time, ...(who === undefined ? {} : { who }) },
      result: { id, accepted: true, outcome: 'holding', message: 'it holds' },
    };
  };
  const command = (point: string, issued: number): { command: Command; result: CommandResult } => {
    const id = newId();
    const target = { id, device: 'relay-1' as DeviceId, point: point as PointName, value: true };
    return {
      command: { ...target, priority: 8, issued, expires: issued + 5_000, until: null },
      result: { ...target, outcome: 'done', time: issued + 100 },
    };
  };
  await room.store?.append({
    requests: [
      request('relay-1/relay_2', 1),
      request('relay-1/relay_1', 2, 'person:li'),
      request('relay-1/relay_1', 4),
    ],
    commands: [command('relay_1', 3), command('relay_2', 5)],
  });
  const answer = await room.ask('/api/v1/outputs/relay-1/relay_1/history');
  expect(await answer.json()).toMatchObject([
    { kind: 'request', time: 4, who: 'client:web', outcome: 'holding', reason: 'cleaning', seconds: 60 },
    { kind: 'command', time: 3, who: null, outcome: 'done', confirmed: true },
    { kind: 'request', time: 2, who: 'person:li' },
  ]);
  expect(await (await room.ask('/api/v1/outputs/relay-1/relay_1/history?limit=1')).json()).toHaveLength(1);
  for (const ref of ['relay-1/nothing', 'meter-main/power']) {
    expect((await room.ask(`/api/v1/outputs/${ref}/history`)).status, ref).toBe(404);
  }
});

test('now says the time, the zone, the kind of day and what waits for the city', async () => {
  const before = Date.now();
  const now = (await (await room.ask('/api/v1/now')).json()) as { time: number; bridge: { backlog: number } };
  expect(now).toMatchObject({
    timeZone: 'Asia/Shanghai',
    mode: 'normal',
    day: { open: expect.any(Boolean), why: expect.stringMatching(/^(weekday|weekend|exception)$/) },
  });
  expect(now.time).toBeGreaterThanOrEqual(before);
  const event = { id: newId(), type: 'motion', time: now.time, data: {} };
  await room.store?.append({ events: [event] });
  const later = (await (await room.ask('/api/v1/now')).json()) as { bridge: { backlog: number; oldest: number } };
  expect(later.bridge.backlog).toBe(now.bridge.backlog + 1);
  expect(later.bridge.oldest).toBeGreaterThanOrEqual(0);
});
