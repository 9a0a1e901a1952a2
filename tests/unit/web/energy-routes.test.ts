import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Right } from '#edge/domain/access.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { CounterStep } from '#edge/domain/counter.ts';
import type { DeviceId, PointName, PointRef } from '#edge/domain/ids.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import type {
  EnergyFindingView,
  EnergyMeterPageView,
  EnergyNowView,
  EnergyPlanView,
  EnergyReportView,
} from '#edge/web/energy-schemas.ts';
import { newTokenSecret } from '#edge/web/people/tokens.ts';
import { counterOf, day, demoMeters, demoPower, fillEnergy, hour, monday, quarter, truthOf } from './energy-room.ts';
import { newId, startWebRoom, type WebRoom } from './web-room.ts';

/* The energy of the demo campus over HTTP, from a store that remembers meters whose truth is known. */

/** Tuesday, 2026-12-01, 10:30 in Shanghai. */
const midnight = monday + 29 * day;
const now = midnight + 10.5 * hour;
const november = { from: monday - day, to: midnight };
/** In it the canteen's meter was not heard. */
const silent = { from: monday + 9 * day, to: monday + 10 * day + 12 * hour };
const main = demoPower('meter-main');

const shed = {
  ref: 'relay-1/relay_8',
  tier: 'heaters',
  value: false,
  since: now - 60_000,
  notBefore: now,
  until: now + 600_000,
  why: { zh: '预测超限', en: 'predicted above the limit' },
  saves: 1.8,
  defies: false,
};
const window = (from: number, demand: number) => ({
  from,
  to: from + quarter,
  demand,
  unshed: demand + 2,
  shed: 0.5,
  known: 1,
  limit: 42,
  exceeded: false,
});
const energyNow = {
  demand: [
    {
      meter: 'main',
      limit: 42,
      status: 'shedding',
      prediction: {
        from: now - 5 * 60_000,
        to: now + 10 * 60_000,
        used: 3,
        known: 1,
        power: 40,
        predicted: 39,
        unshed: 43,
        limit: 42,
      },
      sheds: [shed],
      windows: [window(midnight - quarter, 20), window(midnight + 8 * hour, 41)],
    },
  ],
  findings: [
    {
      kind: 'high-night',
      meter: 'dormitory',
      from: monday,
      to: now,
      found: 5.2,
      expected: 2.1,
      unit: 'kW',
      costPerDay: 48.3,
    },
    {
      kind: 'leak',
      meter: 'water',
      from: midnight - day,
      to: midnight,
      found: 0.12,
      expected: 0,
      unit: 'm3/h',
      costPerDay: null,
    },
    {
      kind: 'leak',
      meter: 'of-another-plan',
      from: monday,
      to: now,
      found: 1,
      expected: 0,
      unit: 'm3/h',
      costPerDay: null,
    },
  ],
};

let filled: Awaited<ReturnType<typeof fillEnergy>>;
let room: WebRoom;
const clock = new ManualClock(now);
let holidays: readonly string[] = [];
const audited: Record<string, unknown>[] = [];
const asks = new Map<string, (path: string) => Promise<Response>>();

beforeAll(async () => {
  const told = demoMeters().map((one) =>
    one.device === 'meter-canteen'
      ? {
          ...one,
          valueAt: (time: number) => {
            const value = one.valueAt(time);
            return time > silent.from && time < silent.to ? null : value;
          },
        }
      : one,
  );
  const factor = { device: 'meter-main', point: 'power_factor', unit: '1', every: hour, valueAt: () => 0.86 };
  const phases = [4_000, 5_000, 6_000].map((value, i) => ({
    ...{ device: 'meter-main', point: `power_l${i + 1}`, unit: 'W', every: hour },
    valueAt: () => value,
  }));
  filled = await fillEnergy([...told, factor, ...phases], monday - 15 * day, now);
  room = await startWebRoom({
    data: filled.folder,
    clock,
    methods: {
      'energy.now': async () => ({ ...energyNow, holidays }),
      'counter.list': async () => ({ steps: [] }),
      audit: async (params) => {
        audited.push(params as Record<string, unknown>);
        return {};
      },
    },
  });
  room.live.setConnected(true);
  const people: readonly [string, Right[], string[] | 'all'][] = [
    ['canteen', ['see', 'export'], ['canteen']],
    ['gate', ['see'], ['gate']],
    ['looker', ['see'], 'all'],
  ];
  for (const [id, scopes, zones] of people) {
    const { secret, digest } = newTokenSecret(id);
    const body = { name: id, digest, scopes, zones, by: 'person:li', created: 1, expires: null, lastUsed: null };
    await room.store?.append({
      documents: [{ kind: 'token', id, rev: 0, time: 1, who: 'person:li', from: 'test', why: '', body }],
    });
    asks.set(id, (path) => room.ask(`/api/v1/${path}`, { headers: { authorization: `Bearer ${secret}` } }));
  }
}, 60_000);
afterAll(async () => {
  await room[Symbol.asyncDispose]();
  filled[Symbol.dispose]();
});

const ask = (path: string) => room.ask(`/api/v1/${path}`);
async function get<T>(path: string, who = ask): Promise<T> {
  const answer = await who(path);
  expect(answer.status, path).toBe(200);
  return (await answer.json()) as T;
}
const as = (id: string) => {
  const found = asks.get(id);
  if (found === undefined) throw new Error(id);
  return found;
};

describe('the plan of energy', () => {
  test('is that of the site file, with names of buildings and loads', async () => {
    const plan = await get<EnergyPlanView>('energy/plan');
    expect(plan.problems).toEqual([]);
    expect(plan.meters.map(({ id, kind, under }) => `${id} ${kind} ${under}`)).toContain('water-others virtual water');
    expect(plan.buildings.find(({ building }) => building === 'canteen-building')).toMatchObject({
      area: 900,
      name: { en: 'Canteen' },
    });
    expect(plan.tariffs.map(({ medium, current }) => [medium, current])).toEqual([
      ['electricity', true],
      ['water', true],
    ]);
    expect(plan.demand[0]?.tiers[0]?.loads[0]).toMatchObject({ output: 'relay-1/relay_8', power: 1.8 });
    expect(plan.demand[0]?.tiers[0]?.loads[0]?.name.en).toContain('Power relays');
  });

  test('of somebody has the meters of his zones, and nothing about the others', async () => {
    const plan = await get<EnergyPlanView>('energy/plan', as('canteen'));
    expect(plan.meters.map(({ id, under }) => [id, under])).toEqual([
      ['canteen', null],
      ['water', null],
    ]);
    expect(plan.demand).toEqual([]);
    expect((await get<EnergyPlanView>('energy/plan', as('gate'))).meters).toEqual([]);
  });
});

describe('a report', () => {
  test('of a month that is over says what the meters counted, to the last digit', async () => {
    const report = await get<EnergyReportView>('energy/report?kind=month&date=2026-11-15');
    expect([report.first, report.last, report.running, report.partial]).toEqual([
      '2026-11-01',
      '2026-11-30',
      false,
      false,
    ]);
    const [electricity, water] = report.media;
    const truth = truthOf(main, november.from, november.to);
    expect(electricity?.total.value).toBeCloseTo(truth, 6);
    expect(electricity?.total.known).toBeCloseTo(1, 9);
    expect(water?.total.value).toBeCloseTo(truthOf(demoPower('water-main'), november.from, november.to), 6);
    expect(electricity?.course.length).toBe(30);
    expect(electricity?.course.reduce((sum, { amount }) => sum + (amount ?? 0), 0)).toBeCloseTo(truth, 6);
    const parts = [electricity?.subItems, electricity?.buildings].map((list) =>
      (list ?? []).reduce((sum, { amount }) => sum + (amount.value ?? 0), 0),
    );
    for (const sum of parts) expect(sum).toBeCloseTo(truth, 5);
    expect(electricity?.unaccounted?.share).toBeCloseTo(0.01 / 1.01, 6);
  });

  test('costs what the periods of the tariff say', async () => {
    const { media, currency, demand } = await get<EnergyReportView>('energy/report?kind=month&date=2026-11-15');
    const hourOf = (time: number) => ((((time - monday) % day) + day) % day) / hour;
    const priceAt = (time: number) => {
      const at = hourOf(time);
      if ((at >= 8 && at < 11) || (at >= 15 && at < 19)) return 1.05;
      return at >= 23 || at < 7 ? 0.32 : 0.65;
    };
    let cost = 0;
    for (let at = november.from; at < november.to; at += quarter) cost += (main(at) / 4) * priceAt(at);
    expect(currency).toBe('CNY');
    expect(media[0]?.cost).toBeCloseTo(cost, 5);
    expect(media[0]?.costParts.reduce((sum, part) => sum + part.cost, 0)).toBeCloseTo(cost, 5);
    const highest = main(monday + 9 * hour);
    expect(demand).toMatchObject([{ meter: 'main', limit: 42, at: monday + 8 * hour }]);
    expect(demand[0]?.highest).toBeCloseTo(highest, 6);
    expect(demand[0]?.charge).toBeCloseTo(36 * highest, 5);
  });

  test('shows a gap, and that what came after it is an estimate', async () => {
    const report = await get<EnergyReportView>('energy/report?kind=month&date=2026-11-15');
    const canteen = report.media[0]?.meters.find(({ meter }) => meter === 'canteen');
    expect(report.gaps.map(({ meter }) => meter)).toEqual(['canteen']);
    expect(canteen?.amount.known).toBeLessThan(0.96);
    expect(canteen?.amount.estimated).toBeGreaterThan(40);
    expect(canteen?.amount.value).toBeCloseTo(truthOf(demoPower('meter-canteen'), november.from, november.to), 5);
    expect(report.completeness).toBeLessThan(1);
    expect(report.powerFactor).toMatchObject([{ meter: 'main', value: 0.86, standard: 0.9 }]);
    expect(report.powerFactor[0]?.adjustment).toBeCloseTo(0.02, 9);
  });

  test('of a day that runs is told up to now, against the same part of other days', async () => {
    const { running, media } = await get<EnergyReportView>('energy/report');
    const [electricity] = media;
    const truth = truthOf(main, midnight, now);
    expect(running).toBe(true);
    expect(electricity?.total.value).toBeCloseTo(truth, 5);
    expect(electricity?.total.known).toBe(1);
    // The day before is a Monday that was just the same, and so are the Tuesdays before.
    expect(electricity?.before.value).toBeCloseTo(truth, 5);
    expect(electricity?.baseline).toBeCloseTo(truth, 5);
    expect(electricity?.course[10]?.known).toBe(1);
    expect(electricity?.course[11]).toMatchObject({ amount: null, known: 0 });
    expect(electricity?.course[11]?.baseline).toBeCloseTo(main(midnight + 11 * hour), 5);
  });

  test('draws the tree from the medium down, and what no meter under the main one explains', async () => {
    const { media } = await get<EnergyReportView>('energy/report?kind=week&date=2026-11-10');
    const [electricity, water] = media;
    const flow = (of: typeof electricity, from: string, to: string) =>
      of?.flows.find((one) => one.from === from && one.to === to)?.amount;
    expect(flow(electricity, 'medium', 'main')).toBeCloseTo(electricity?.total.value ?? 0, 6);
    expect(flow(electricity, 'main', 'unaccounted')).toBeGreaterThan(0);
    expect(flow(electricity, 'teaching', 'lighting_sockets')).toBe(flow(electricity, 'main', 'teaching'));
    expect(flow(water, 'medium', 'water')).toBeCloseTo(water?.total.value ?? 0, 6);
    expect(flow(water, 'water', 'unaccounted')).toBeUndefined();
    expect(electricity?.meters.map(({ meter, depth }) => `${depth} ${meter}`).slice(0, 2)).toEqual([
      '0 main',
      '1 teaching',
    ]);
  });

  test('of somebody sums the meters of his zones only, and says so', async () => {
    const report = await get<EnergyReportView>('energy/report?kind=week&date=2026-11-17', as('canteen'));
    const week = { from: monday + 14 * day, to: monday + 21 * day };
    expect(report.partial).toBe(true);
    expect(report.media[0]?.meters.map(({ meter, depth }) => [meter, depth])).toEqual([['canteen', 0]]);
    expect(report.media[0]?.total.value).toBeCloseTo(truthOf(demoPower('meter-canteen'), week.from, week.to), 5);
    expect(JSON.stringify(report)).not.toMatch(/dorm|teaching|"main"/i);
    expect((await get<EnergyReportView>('energy/report', as('gate'))).media).toEqual([]);
  });

  test('of a day to come, of a day that is none, or of another kind is refused', async () => {
    for (const wrong of ['kind=day&date=2026-12-02', 'kind=day&date=2026-02-30', 'kind=year', 'kind=day&colour=red']) {
      expect((await ask(`energy/report?${wrong}`)).status, wrong).toBe(400);
    }
  });
});

describe('the page of a meter', () => {
  test('has its quarters, its highest demand, its phases and what hangs under it', async () => {
    const page = await get<EnergyMeterPageView>('energy/meters/main?kind=day&date=2026-11-17');
    expect(page.course.length).toBe(96);
    expect(page.course[40]?.amount).toBeCloseTo(main(monday + 9 * hour) / 4, 6);
    expect(page.course[40]?.baseline).toBeCloseTo(main(monday + 9 * hour) / 4, 6);
    expect(page.highest.value).toBeCloseTo(main(monday + 9 * hour), 6);
    expect(page.phases?.means).toEqual([4, 5, 6]);
    expect(page.phases?.imbalance).toBeCloseTo(0.2, 9);
    expect(page.powerFactor).toBeCloseTo(0.86, 9);
    expect(page.base.night).toBeCloseTo(main(monday + hour), 6);
    expect(page.below.map(({ meter }) => meter)).toContain('canteen');
    expect(page.findings).toEqual([]);
  });

  test('of a sum is the sum, by the hour and by the day', async () => {
    const others = (time: number) => demoPower('water-main')(time) - demoPower('water-dorm')(time);
    const week = await get<EnergyMeterPageView>('energy/meters/water-others?kind=week&date=2026-11-17');
    expect(week.course.length).toBe(168);
    expect(week.total.value).toBeCloseTo(truthOf(others, monday + 14 * day, monday + 21 * day), 6);
    const month = await get<EnergyMeterPageView>('energy/meters/water-others?kind=month&date=2026-11-17');
    expect(month.course.length).toBe(30);
    expect(month.meter).toMatchObject({
      kind: 'virtual',
      unit: 'm3',
      terms: [
        { meter: 'water', sign: 1 },
        { meter: 'water-dormitory', sign: -1 },
      ],
    });
  });

  test('is not there for a meter that is not, or lies in another zone', async () => {
    expect((await ask('energy/meters/nobody')).status).toBe(404);
    expect((await as('canteen')('energy/meters/main')).status).toBe(404);
    expect((await as('canteen')('energy/meters/canteen')).status).toBe(200);
  });
});

describe('energy now', () => {
  const reading = (device: string, point: string, value: number, unit: string) =>
    room.live.accept({
      kind: 'reading',
      body: {
        ref: `${device}/${point}` as PointRef,
        device: device as DeviceId,
        point: point as PointName,
        ...{ value, unit, quality: 'good', sourceTime: now, receivedTime: now },
      },
    });

  test('has the power of each meter, today so far, what is usual and what it costs', async () => {
    reading('meter-main', 'power', 41_000, 'W');
    const { meters, currency, highest } = await get<EnergyNowView>('energy/now');
    const [first] = meters;
    expect(first).toMatchObject({ meter: 'main', power: 41, quality: 'good' });
    expect(first?.today.value).toBeCloseTo(truthOf(main, midnight, now), 5);
    expect(first?.today.known).toBe(1);
    expect(first?.expected).toBeCloseTo(truthOf(main, midnight, now), 5);
    expect(first?.cost).toBeGreaterThan(50);
    expect(currency).toBe('CNY');
    expect(meters.find(({ meter }) => meter === 'canteen')).toMatchObject({ power: null, quality: 'bad' });
    expect(highest[0]?.value).toBeCloseTo(main(midnight + 9 * hour), 5);
    expect(highest[0]?.time).toBe(midnight + 8 * hour);
  });

  test('has the limits as core sees them: the windows of today, and why each load is off', async () => {
    const { demand } = await get<EnergyNowView>('energy/now');
    expect(demand).toMatchObject([
      { meter: 'main', status: 'shedding', power: 40, predicted: 39, unshed: 43, soFar: 36, saved: 0.5 },
    ]);
    expect(demand[0]?.windows.map(({ from }) => from)).toEqual([midnight + 8 * hour]);
    expect(demand[0]?.sheds).toMatchObject([
      { output: 'relay-1/relay_8', tier: 'heaters', why: shed.why, until: shed.until },
    ]);
    expect((await get<EnergyNowView>('energy/now', as('canteen'))).demand).toEqual([]);
  });

  test('has findings in words, each in its zone', async () => {
    const all = await get<{ findings: EnergyFindingView[] }>('energy/findings');
    expect(all.findings.map(({ kind, meter, currency }) => [kind, meter, currency])).toEqual([
      ['high-night', 'dormitory', 'CNY'],
      ['leak', 'water', null],
    ]);
    for (const { message, next } of all.findings)
      expect([message.zh, message.en, next.zh, next.en].every((said) => said.length > 5)).toBe(true);
    const own = await get<{ findings: EnergyFindingView[] }>('energy/findings', as('canteen'));
    expect(own.findings.map(({ meter }) => meter)).toEqual(['water']);
  });
});

describe('a report as a file', () => {
  test('needs the right to export, and is in the audit', async () => {
    expect((await as('looker')('energy/report.csv')).status).toBe(403);
    expect((await as('looker')('energy/report.pdf')).status).toBe(403);
    audited.length = 0;
    await get('energy/report', as('canteen'));
    expect(audited).toEqual([]);
    expect((await as('canteen')('energy/report.csv?kind=month&date=2026-11-02')).status).toBe(200);
    expect(audited).toMatchObject([
      {
        who: 'token:canteen',
        what: 'export energy month csv',
        result: '2026-11-01 to 2026-11-30, meters of own zones',
      },
    ]);
  });

  test('is one table that spreadsheets read: a BOM, as many cells in each line, numbers that are numbers', async () => {
    for (const [language, first] of [
      ['zh', '类别'],
      ['en', 'Line'],
    ]) {
      const answer = await ask(`energy/report.csv?kind=month&date=2026-11-02&language=${language}`);
      expect(answer.headers.get('content-disposition')).toContain('energy_month_2026-11-01.csv');
      const bytes = Buffer.from(await answer.arrayBuffer());
      expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
      const [head = [], ...rows] = parse(bytes, { bom: true }) as string[][];
      expect(head[0]).toBe(first);
      expect(rows.length).toBeGreaterThan(90);
      expect(new Set(rows.map(({ length }) => length))).toEqual(new Set([head.length]));
      const amounts = rows.map((row) => row[6] ?? '').filter((cell) => cell !== '');
      expect(amounts.every((cell) => /^-?\d+(\.\d{1,3})?$/.test(cell))).toBe(true);
      const total = rows.find((row) => row[2] === '01');
      expect(Number(total?.[6])).toBeCloseTo(truthOf(main, november.from, november.to), 2);
    }
  });

  const tool = spawnSync('pdftotext', ['-v']).error === undefined;
  if (!tool) console.warn('SKIPPED: what a PDF says is not read back: pdftotext (poppler-utils) is not installed');
  test.skipIf(!tool).each(['zh', 'en'])('is paper that can be read back, in %s', async (language) => {
    const answer = await ask(`energy/report.pdf?kind=month&date=2026-11-02&language=${language}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/pdf');
    const file = join(room.data, `report-${language}.pdf`);
    writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
    const { stdout } = spawnSync('pdftotext', ['-layout', file, '-'], { encoding: 'utf8', timeout: 20_000 });
    const total = Math.round(truthOf(main, november.from, november.to)).toLocaleString('en-US');
    const words = {
      zh: [
        '青禾实验小学',
        '能源月报',
        '2026 年 11 月',
        '照明插座',
        '食堂电表',
        '高峰',
        '最大需量',
        '数据缺口',
        '第 1 页',
      ],
      en: [
        'Qinghe Primary School',
        'Energy of the month',
        'November 2026',
        'Air conditioning',
        'Canteen meter',
        'Peak',
        'Page 1 of',
      ],
    };
    for (const said of [...words[language === 'zh' ? 'zh' : 'en'], total]) expect(stdout).toContain(said);
  });

  test('is drawn for two people at a time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => ask('energy/report.pdf?kind=week&date=2026-11-10')),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 200, 429, 429]);
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  });
});

test('while core is away there is no demand, powers are uncertain, and findings are those whose alarms stand', async () => {
  await using away = await startWebRoom({ clock: new ManualClock(now), methods: null });
  const alarm = (source: string, active: boolean): Alarm => ({
    ...{
      id: newId(),
      source,
      class: 'low',
      state: active ? 'unacknowledged' : 'returned',
      active,
      raised: now - hour,
      count: 1,
    },
    message: { zh: '整夜有水流', en: 'Water runs all night' },
    next: { zh: '关阀排查', en: 'Close the valves' },
  });
  const sources = ['energy:water/leak', 'energy:water/of-no-kind', 'energy:of-another-plan/leak', 'demand:main'];
  await away.store?.append({
    alarms: [...sources.map((source) => alarm(source, true)), alarm('energy:main/high-day', false)],
  });
  const { findings } = (await (await away.ask('/api/v1/energy/findings')).json()) as { findings: EnergyFindingView[] };
  expect(findings).toMatchObject([
    { kind: 'leak', meter: 'water', unit: '', from: now - hour, message: { en: 'Water runs all night' } },
  ]);
  const answer = await away.ask('/api/v1/energy/now');
  expect(answer.status).toBe(200);
  const told = (await answer.json()) as EnergyNowView;
  expect(told.demand).toEqual([]);
  expect(told.meters.every(({ power, today }) => power === null && today.value === null && today.known === 0)).toBe(
    true,
  );
});

test('what a person decides about a counter is in the next answer', async () => {
  const path = 'energy/report?kind=day&date=2026-11-24';
  const waterOf = async () =>
    (await get<EnergyReportView>(path)).media.find(({ medium }) => medium === 'water')?.total.value;
  const before = await waterOf();
  const late = counterOf('water-main', 'volume', 'm3', () => 0);
  const at = monday + 22 * day + 12 * hour + 60_000;
  const shown = (late.valueAt(at) ?? 0) + 1e6;
  const point = { type: 'number', unit: 'm3', staleAfter: 3 * hour, counter: true } as const;
  await room.store?.registerPoints([{ ref: 'water-main/volume' as PointRef, ...point }]);
  await room.store?.append({
    readings: [
      {
        ref: 'water-main/volume' as PointRef,
        device: 'water-main' as DeviceId,
        point: 'volume' as PointName,
        ...{ value: shown, unit: 'm3', quality: 'good', sourceTime: at, receivedTime: at },
      },
    ],
  });
  // Of a day that is over an answer holds for an hour.
  expect(await waterOf()).toBe(before);
  const step: CounterStep = {
    id: newId(),
    ref: 'water-main/volume' as PointRef,
    kind: 'spike',
    state: 'accepted',
    ...{ from: 1, fromTime: at - hour, to: shown, toTime: at, last: shown, lastTime: at, agreed: 3, between: 0 },
    decided: { by: 'person:li', time: now, note: '' },
  };
  await room.store?.append({ counters: [step] });
  expect(await waterOf()).not.toBe(before);
});

test('whatever is asked for is answered or refused, soon, and never with an error of ours', async () => {
  const kinds = ['day', 'week', 'month', 'year', 'DAY', '', 'day&kind=month', '__proto__'];
  const dates = [
    '0001-01-01',
    '0000-01-01',
    '1969-12-31',
    '2024-02-30',
    '9999-12-31',
    '275760-09-13',
    '-1',
    'NaN',
    '',
    "2026-11-15'--",
  ];
  const ids = ['main', 'nobody', '__proto__', 'constructor', '%00', '..%2f..', 'x'.repeat(5_000), '总'];
  const paths = [
    ...kinds.flatMap((kind) => ['2026-11-15', ...dates].map((date) => `energy/report?kind=${kind}&date=${date}`)),
    ...dates.map((date) => `energy/report.csv?kind=month&date=${date}&language=zh`),
    ...ids.flatMap((id) => [`energy/meters/${id}?kind=week`, `counters/${id}/energy_import/shown?from=0&to=1`]),
    ...['-9e15', '9e99', 'NaN', '1.5', ''].map((at) => `counters?from=${at}&to=${at}&limit=5`),
    'counters?limit=0',
    'counters?limit=1e9',
    'counters?state=__proto__',
    'energy/now?x=1',
    'buses?zone=all',
  ];
  for (const path of paths) {
    const began = performance.now();
    const { status } = await ask(path);
    expect([200, 400, 404, 414, 431], `${path} ${status}`).toContain(status);
    expect(performance.now() - began, path).toBeLessThan(15_000);
  }
}, 120_000);

test('a day on which people said that there are no lessons is compared with days off, as the findings of the night are', async () => {
  const usual = async () => {
    const { media } = await get<EnergyReportView>('energy/report?kind=day&date=2026-11-25');
    return media[0]?.baseline ?? Number.NaN;
  };
  const wednesday = monday + 23 * day;
  expect(await usual()).toBeCloseTo(truthOf(main, wednesday, wednesday + day), 5);
  holidays = ['2026-11-25'];
  clock.advance(1_000);
  // Core is asked at most once a second; the answer in which it says so is the one after that.
  await get<EnergyNowView>('energy/now');
  const sunday = monday + 20 * day;
  expect(await usual()).toBeCloseTo(truthOf(main, sunday, sunday + day), 5);
});
