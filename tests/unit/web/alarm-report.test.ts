import { monitorEventLoopDelay } from 'node:perf_hooks';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Zones } from '#edge/domain/access.ts';
import type { Alarm, AlarmClass, AlarmState } from '#edge/domain/alarm.ts';
import type { DeviceId, HappeningId, ZoneId } from '#edge/domain/ids.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { openReader } from '#edge/store/reader.ts';
import { AlarmFigures, type AlarmReport } from '#edge/web/alarm-report.ts';
import { countAlarms } from '#edge/web/alarm-report-route.ts';
import { createScopes } from '#edge/web/scope.ts';
import { newId, startWebRoom, type WebRoom } from './web-room.ts';

const minute = 60_000;
const span = 10 * minute;
const hour = 60 * minute;
const day = 24 * hour;
const now = 1_800_000_000_000;
const name = (text: string) => ({ zh: text, en: text });

function alarm(raised: number, more: Partial<Alarm> = {}): Alarm {
  return {
    id: newId(),
    source: 'device:meter-main',
    class: 'low',
    state: 'normal',
    active: false,
    message: name('offline'),
    next: name('check'),
    raised,
    count: 1,
    ...more,
  };
}

function reportOf(alarms: readonly Alarm[], from: number, to: number, open: readonly Alarm[] = []): AlarmReport {
  const figures = new AlarmFigures(from, to);
  const latestFirst = [...alarms].sort((a, b) => b.raised - a.raised);
  for (const one of latestFirst) if (one.raised >= from && one.raised < to) figures.add(one);
  return figures.report(open, now);
}

/** The same by the plainest means, however long that takes. */
function naive(alarms: readonly Alarm[], from: number, to: number) {
  const inside = alarms.filter(({ raised }) => raised >= from && raised < to);
  const shown = inside.filter(({ suppressedBy }) => suppressedBy === undefined);
  const spans: number[] = [];
  for (let t = Math.floor(from / span) * span; t < to; t += span) {
    spans.push(shown.filter(({ raised }) => raised >= t && raised < t + span).length);
  }
  const share = (above: number) => spans.filter((count) => count > above).length / spans.length;
  const waits = shown
    .flatMap(({ acknowledged, raised, shown: since = raised }) => (acknowledged ? [acknowledged.time - since] : []))
    .sort((a, b) => a - b);
  const sources = [...new Set(shown.map(({ source }) => source))].map((source) => {
    const own = shown.filter((one) => one.source === source);
    const times = own.flatMap(({ raised, came }) => (came === undefined ? [raised] : [raised, came]));
    const worst = Math.max(...times.map((t) => times.filter((other) => other >= t && other < t + span).length));
    const held = own.map(({ raised, came = raised, count }) =>
      Math.ceil(count / Math.ceil((came - raised + 1) / span)),
    );
    return { source, count: own.reduce((sum, { count }) => sum + count, 0), worst: Math.max(worst, ...held) };
  });
  const comings = sources.reduce((sum, { count }) => sum + count, 0);
  const bySource = (a: { source: string }, b: { source: string }) => (a.source < b.source ? -1 : 1);
  return {
    total: inside.length,
    suppressed: inside.length - shown.length,
    rate: {
      target: 1,
      mean: shown.length / ((to - from) / span),
      worst: Math.max(...spans),
      over: share(1),
      flood: share(10),
    },
    counted: spans.reduce((sum, count) => sum + count, 0),
    never: shown.length - waits.length,
    median: waits[Math.ceil(waits.length / 2) - 1] ?? null,
    p90: waits[Math.ceil(waits.length * 0.9) - 1] ?? null,
    top: [...sources]
      .sort((a, b) => b.count - a.count || bySource(a, b))
      .slice(0, 10)
      .map(({ source, count }) => ({ source, count, share: count / comings })),
    chattering: sources
      .filter(({ worst }) => worst >= 3)
      .map(({ source, worst }) => ({ source, worst }))
      .sort(bySource),
  };
}

const sources = Array.from({ length: 13 }, (_, i) => `device:meter-${i}`);

/** Occurrences as one campus has them: of a source one at a time, each within its own time. */
const history = fc
  .array(
    fc.record({
      source: fc.constantFrom(...sources),
      gap: fc.oneof(fc.integer({ min: 0, max: 4 * minute }), fc.integer({ min: 0, max: 5 * hour })),
      lasts: fc.oneof(fc.integer({ min: 0, max: 5 * minute }), fc.integer({ min: 0, max: 2 * day })),
      count: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 40 })),
      wait: fc.option(fc.integer({ min: 0, max: hour })),
      late: fc.option(fc.integer({ min: 0, max: hour })),
      severity: fc.constantFrom<AlarmClass>('critical', 'high', 'medium', 'low'),
      isHidden: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
    { maxLength: 120 },
  )
  .map((all) => {
    const free = new Map<string, number>();
    return all.map(({ source, gap, lasts, count, wait, late, severity, isHidden }): Alarm => {
      const raised = (free.get(source) ?? now - 3 * day) + gap;
      free.set(source, raised + lasts + 1);
      const shown = late === null ? {} : { shown: raised + late };
      return alarm(raised, {
        source,
        class: severity,
        count,
        ...(count > 1 ? { came: raised + lasts } : {}),
        ...shown,
        ...(wait === null ? {} : { acknowledged: { time: raised + (late ?? 0) + wait, by: 'wang', note: '' } }),
        ...(isHidden ? { suppressedBy: 'process:fieldbus' } : {}),
      });
    });
  });

describe('the figures of the report', () => {
  test('are those that plain counting gives, for any history and window', () => {
    const window = fc.tuple(fc.integer({ min: 0, max: 5 * day }), fc.integer({ min: 1, max: 2 * day }));
    fc.assert(
      fc.property(history, window, (alarms, [ago, length]) => {
        const from = now - ago;
        const report = reportOf(alarms, from, from + length);
        const plain = naive(alarms, from, from + length);
        expect(report).toMatchObject({ total: plain.total, suppressed: plain.suppressed });
        expect(report.rate.mean).toBeCloseTo(plain.rate.mean, 9);
        expect({ ...report.rate, mean: 0 }).toEqual({ ...plain.rate, mean: 0 });
        expect(report.counts.reduce((sum, { count }) => sum + count, 0)).toBe(plain.counted);
        expect(report.acknowledge).toEqual({ median: plain.median, p90: plain.p90, never: plain.never });
        expect(report.top.map(({ source, count, share }) => ({ source, count, share }))).toEqual(plain.top);
        const chattering = report.chattering.map(({ source, worst }) => ({ source, worst }));
        expect(chattering.sort((a, b) => (a.source < b.source ? -1 : 1))).toEqual(plain.chattering);
      }),
      { numRuns: 300 },
    );
  });

  test('say what has stood for a day, what is out of sight, and nothing of what is hidden', () => {
    const open = [
      alarm(now - 2 * day, { active: true, state: 'acknowledged', source: 'device:a' }),
      alarm(now - 3 * day, { active: true, state: 'unacknowledged', source: 'device:b' }),
      alarm(now - 3 * day, { state: 'returned', source: 'device:c' }),
      alarm(now - 3 * day, { active: true, state: 'unacknowledged', source: 'device:d', suppressedBy: 'device:b' }),
      alarm(now - hour, {
        active: true,
        state: 'unacknowledged',
        source: 'device:e',
        shelved: { until: now + hour, by: 'lin', reason: 'being repaired' },
      }),
    ];
    const report = reportOf([], now - day, now, open);
    expect(report.standing.map(({ source }) => source)).toEqual(['device:b', 'device:a']);
    expect(report).toMatchObject({ shelved: 1, shelf: [{ source: 'device:e', by: 'lin', until: now + hour }] });
    expect(report.acknowledge).toEqual({ median: null, p90: null, never: 0 });
    expect(report.top).toEqual([]);
  });

  test('have a curve of at most some 2,000 spans, however long the window is', () => {
    for (const [length, bucket] of [
      [day, span],
      [30 * day, hour],
      [400 * day, 6 * hour],
    ] as const) {
      const report = reportOf([alarm(now - 1)], now - length, now);
      expect(report.bucket).toBe(bucket);
      expect(report.counts.length).toBeLessThan(2_010);
      expect(report.counts.at(-1)).toEqual({ t: Math.floor((now - 1) / bucket) * bucket, count: 1 });
    }
  });

  test('of very many alarms are counted while others have their turn', async () => {
    const length = 30 * day;
    const alarms = Array.from({ length: 20_000 }, (_, i) =>
      alarm(now - 1 - Math.floor((i * length) / 20_000), {
        id: `${String(i).padStart(8, '0')}-0000-7000-8000-000000000000` as HappeningId,
        source: `device:meter-${i % 977}`,
      }),
    );
    const at = new Map(alarms.map(({ id }, i) => [id, i]));
    const text = alarms.map((one) => JSON.stringify(one));
    const reader = {
      alarms: ({ before, limit, open }: { before?: string; limit: number; open?: boolean }): Alarm[] => {
        if (open === true) return [];
        const start = before === undefined ? 0 : (at.get(before as HappeningId) ?? 0) + 1;
        return text.slice(start, start + limit).map((body) => JSON.parse(body) as Alarm);
      },
    };
    const loop = monitorEventLoopDelay({ resolution: 5 });
    loop.enable();
    const began = performance.now();
    const report = await countAlarms(reader, { zones: undefined, seesAlarm: () => true }, now - length, now, now);
    const took = performance.now() - began;
    loop.disable();
    expect(report.total).toBe(20_000);
    expect(report.rate.mean).toBeCloseTo(20_000 / 4_320, 6);
    // A fifth of a second, and 15 ms at a time, on a quiet machine; this one may be busy.
    expect(took).toBeLessThan(3_000);
    expect(loop.max / 1e6).toBeLessThan(500);
  });
});

describe('GET /api/v1/alarms/report', () => {
  let room: WebRoom;
  const clock = new ManualClock(now);
  const states: readonly AlarmState[] = ['normal', 'acknowledged'];
  const stored = Array.from({ length: 1_200 }, (_, i) =>
    alarm(now - (i + 1) * minute, {
      source: i % 3 === 0 ? 'device:camera-gate' : 'device:meter-main',
      device: (i % 3 === 0 ? 'camera-gate' : 'meter-main') as DeviceId,
      zone: (i % 3 === 0 ? 'gate' : 'teaching') as ZoneId,
      state: states[i === 0 ? 1 : 0] ?? 'normal',
      active: i === 0,
    }),
  );
  beforeAll(async () => {
    room = await startWebRoom({ clock });
    await room.store?.append({ alarms: stored });
  });
  afterAll(async () => await room[Symbol.asyncDispose]());
  const ask = async (query: string) => (await (await room.ask(`/api/v1/alarms/report${query}`)).json()) as AlarmReport;

  test('counts what is in the store, page by page, of the last 30 days unless it is told otherwise', async () => {
    const report = await ask('');
    expect(report).toMatchObject({ from: now - 30 * day, to: now, total: 1_200, byClass: { low: 1_200 } });
    expect(report.top).toEqual([
      { source: 'device:meter-main', message: name('offline'), count: 800, share: 800 / 1_200 },
      { source: 'device:camera-gate', message: name('offline'), count: 400, share: 400 / 1_200 },
    ]);
    expect(report.chattering).toMatchObject([
      { source: 'device:meter-main', worst: 7 },
      { source: 'device:camera-gate', worst: 4 },
    ]);
    const hourly = await ask(`?from=${now - hour}&to=${now + day}`);
    expect(hourly).toMatchObject({ to: now, total: 60, rate: { mean: 10 } });
  });

  test('counts for each person what lies in his zones, where its device is now', async () => {
    using reader = openReader(room.data);
    const scopeOf = createScopes([
      { id: 'camera-gate', zone: 'gate' },
      { id: 'meter-main', zone: 'teaching' },
    ]);
    const of = (zones: Zones) => countAlarms(reader, scopeOf({ zones, rights: new Set() }), now - day, now, now);
    expect(await of(['gate'])).toMatchObject({ total: 400, top: [{ source: 'device:camera-gate', share: 1 }] });
    expect(await of(['gate', 'teaching'])).toMatchObject({ total: 1_200 });
    expect(await of(['playground'])).toMatchObject({ total: 0, top: [], chattering: [] });
  });

  test('is the same for those who ask at once', async () => {
    const all = await Promise.all([1, 2, 3, 4, 5, 6].map(() => ask(`?from=${now - day}&to=${now}`)));
    expect(new Set(all.map((report) => JSON.stringify(report))).size).toBe(1);
    expect(all[0]?.total).toBe(1_200);
  });

  test('refuses a window that is none, or too long, in words', async () => {
    for (const [query, word] of [
      [`?from=${now}&to=${now}`, 'before'],
      [`?from=${now + 1}`, 'before'],
      ['?from=0', '400 days'],
      ['?from=x', 'from'],
    ] as const) {
      const response = await room.ask(`/api/v1/alarms/report${query}`);
      expect(response.status, query).toBe(400);
      expect(((await response.json()) as { message: string }).message).toContain(word);
    }
  });
});
