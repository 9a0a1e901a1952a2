import { describe, expect, test } from 'vitest';
import { groupAlarms } from '../../../edge/web/console/alarm-groups.ts';
import { wayOf } from '../../../edge/web/console/alarm-way.ts';
import type { AlarmView } from '../../../edge/web/console/api.ts';
import { createFormats } from '../../../edge/web/console/kit/formats.ts';
import type { Language } from '../../../edge/web/console/kit/words.ts';
import { ticksOf } from '../../../edge/web/console/pages/energy/course-ticks.ts';
import type { Bus, BusUnit, Step } from '../../../edge/web/console/pages/meters/data.ts';
import { adviceOf, byTrouble, unitsByTrouble } from '../../../edge/web/console/pages/meters/line-faults.ts';
import { treeOf } from '../../../edge/web/console/pages/meters/meter-tree.ts';
import { againOf, amountIn, groupSteps, heightsOf, jumpOf } from '../../../edge/web/console/pages/meters/step-story.ts';
import { holderKind } from '../../../edge/web/console/pages/outputs/rows.ts';
import { type Names, ownerText, reasonAlone, sentence } from '../../../edge/web/console/sentences.ts';

/* What the page of meters makes of what the box says. */

const minute = 60_000;

function step(ref: string, part: Partial<Step> = {}): Step {
  return {
    id: ref,
    ref,
    kind: 'swap',
    state: 'open',
    from: 1_000,
    fromTime: 0,
    to: 5,
    toTime: 10 * minute,
    last: 6,
    lastTime: 20 * minute,
    agreed: 3,
    ...part,
  };
}

function unit(part: Partial<BusUnit> = {}): BusUnit {
  return {
    unit: '1',
    device: 'meter-1',
    state: 'answering',
    latency: 20,
    latencyP95: 40,
    requests: 1_000,
    timeouts: 0,
    crcErrors: 0,
    exceptions: 0,
    duplicate: false,
    lastFailure: null,
    nextProbe: null,
    ...part,
  };
}

function bus(units: readonly BusUnit[], part: Partial<Bus> = {}): Bus {
  return {
    process: 'fieldbus',
    label: '10.0.3.7:502',
    state: 'connected',
    message: '',
    since: 0,
    utilisation: 0.2,
    waiting: 0,
    units: [...units],
    ...part,
  };
}

const faultsOf = (one: Bus, now = 0) => adviceOf(one, now).map(({ fault }) => fault);

describe('steps of counters', () => {
  test('of one meter at the same time are one story, its total first; another time or another meter is another story', () => {
    const steps = [
      step('lights/energy_import_peak'),
      step('lights/energy_import', { toTime: 11 * minute }),
      step('main/energy_import', { toTime: 12 * minute }),
      step('lights/energy_import_flat', { toTime: 60 * minute }),
    ];
    const groups = groupSteps(steps).map(({ head, others }) => [head.ref, ...others.map(({ ref }) => ref)]);
    expect(groups).toEqual([
      ['lights/energy_import_flat'],
      ['main/energy_import'],
      ['lights/energy_import', 'lights/energy_import_peak'],
    ]);
  });

  test('twice of one counter are two stories, however close', () => {
    expect(groupSteps([step('main/energy', { id: 'a' }), step('main/energy', { id: 'b' })])).toHaveLength(2);
  });

  test('an amount is a number of 0 or more, or nothing; anything else is none', () => {
    expect(['', ' 12.5 ', '1,234', '0', '-1', 'twelve', '1e999'].map(amountIn)).toEqual([
      null,
      12.5,
      1234,
      0,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('are drawn within the picture, higher for more, also when they barely differ', () => {
    for (const one of [step('a/b'), step('a/b', { to: 5_000, last: 5_000 }), step('a/b', { to: 1_000, last: 1_000 })]) {
      for (const height of heightsOf(one)) expect(height >= 0 && height <= 1).toBe(true);
    }
    const [was, became, now] = heightsOf(step('a/b'));
    expect(was).toBeGreaterThan(became);
    expect(now).toBeGreaterThan(became);
    expect([jumpOf(step('a/b')), jumpOf(step('a/b', { to: 1_500 }))]).toEqual([null, 500]);
  });

  test('that were decided can be changed where the API lets one', () => {
    const states = ['open', 'accepted', 'rejected', 'returned'] as const;
    expect(states.map((state) => againOf({ state }))).toEqual([null, 'change', 'accept', null]);
  });
});

describe('shared lines', () => {
  const noisy = { crcErrors: 50, lastFailure: { message: '', time: 0 } };

  test('that are well ask for nothing', () => {
    expect(faultsOf(bus([unit(), unit({ unit: '2' })]))).toEqual([]);
  });

  test('that are down say so and nothing of their units; a serial port has advice of its own', () => {
    const units = [unit({ state: 'quarantined' }), unit({ duplicate: true })];
    expect(faultsOf(bus(units, { state: 'down' }))).toEqual(['down']);
    expect(faultsOf(bus(units, { state: 'down', label: '/dev/ttyUSB0 at 9600 8N1' }))).toEqual(['serial']);
  });

  test('of which all units are silent have one fault, not as many as units', () => {
    const silent = (id: string) => unit({ unit: id, state: 'quarantined' });
    expect(faultsOf(bus([silent('1'), silent('2'), silent('3')]))).toEqual(['allSilent']);
    expect(faultsOf(bus([silent('1'), unit({ unit: '2' })]))).toEqual(['silent']);
  });

  test('with checksum errors of several units are noisy; of one unit it is that unit; of before lunch none', () => {
    expect(faultsOf(bus([unit(noisy), unit({ unit: '2', ...noisy })]))).toEqual(['crc']);
    expect(faultsOf(bus([unit(noisy), unit({ unit: '2' })]))).toEqual(['crcOne']);
    expect(faultsOf(bus([unit(noisy), unit({ unit: '2' })]), 60 * minute)).toEqual([]);
  });

  test('with two devices of one address say which; garbled answers are then no news', () => {
    const advice = adviceOf(bus([unit({ duplicate: true, ...noisy }), unit({ unit: '2' })]), 0);
    expect(advice.map(({ fault, unit: one }) => [fault, one?.unit])).toEqual([['duplicate', '1']]);
  });

  test('that are full or crowded say so', () => {
    expect(faultsOf(bus([unit()], { utilisation: 0.97, waiting: 40 }))).toEqual(['busy', 'waiting']);
  });

  test('come worst first, and so do their units; equals keep their places', () => {
    const lines = [
      bus([unit()], { label: 'b' }),
      bus([unit()], { label: 'a' }),
      bus([unit()], { label: 'c', state: 'down' }),
    ];
    expect(byTrouble(lines, 0).map(({ label }) => label)).toEqual(['c', 'a', 'b']);
    const units = [unit({ unit: '10' }), unit({ unit: '2' }), unit({ unit: '30', state: 'quarantined' })];
    expect(unitsByTrouble(units, 0).map((one) => one.unit)).toEqual(['30', '2', '10']);
  });
});

describe('periods', () => {
  test('are labelled at whole hours and midnights, as many as have room', () => {
    const formats = createFormats('zh', 'UTC');
    const from = Date.UTC(2026, 10, 16);
    const day = Array.from({ length: 96 }, (_, index) => ({ from: from + index * 15 * minute }));
    const wide = ticksOf(day, 'day', 20, formats).map(({ text }) => text);
    expect(wide).toHaveLength(24);
    expect(ticksOf(day, 'day', 3, formats).map(({ text }) => text)).toEqual(['00:00', '06:00', '12:00', '18:00']);
    const week = Array.from({ length: 168 }, (_, index) => ({ from: from + index * 60 * minute }));
    expect(ticksOf(week, 'week', 5, formats)).toHaveLength(7);
  });
});

test('meters are drawn as trees by medium; who does not see what is above sees a tree of his own', () => {
  const meter = (id: string, under: string | null, medium: 'electricity' | 'water' = 'electricity') => ({
    id,
    name: { zh: id, en: id },
    medium,
    code: '01',
    unit: 'kW.h' as const,
    under,
    subItem: null,
    buildings: [],
    kind: 'real' as const,
    device: id,
    energy: `${id}/energy`,
    power: null,
    terms: [],
    problem: null,
  });
  const trees = treeOf([meter('lab', 'hall'), meter('main', null), meter('hall', 'main'), meter('w', 'gone', 'water')]);
  expect(trees.map(({ medium, rows }) => [medium, rows.map((row) => `${row.depth} ${row.meter.id}`)])).toEqual([
    ['electricity', ['0 main', '1 hall', '2 lab']],
    ['water', ['0 w']],
  ]);
  const circle = treeOf([meter('a', 'b'), meter('b', 'a')]);
  expect(circle).toEqual([]);
});

test('alarms of the counters of one meter are one errand; a finding of the same meter is another', () => {
  const alarm = (source: string): AlarmView => ({
    id: source,
    source,
    class: 'medium',
    state: 'unacknowledged',
    active: true,
    message: { zh: source, en: source },
    next: { zh: '', en: '' },
    device: 'lights',
    raised: 1,
    count: 1,
  });
  const sources = ['counter:lights/energy', 'counter:lights/energy_peak', 'energy:lights/high-night', 'device:lights'];
  const groups = groupAlarms(sources.map(alarm)).map(({ head, others }) => [head.source, others.length]);
  expect(groups).toEqual([
    ['counter:lights/energy', 1],
    ['energy:lights/high-night', 0],
    ['device:lights', 0],
  ]);
});

test('an alarm of a counter, a limit or a finding leads to where it is dealt with', () => {
  const href = (source: string) => wayOf({ source })?.href ?? null;
  expect(href('counter:meter-main/energy_import')).toBe('#/energy/counters?ref=meter-main/energy_import');
  expect(href('demand:main')).toBe('#/energy');
  expect(href('energy:main/high-night')).toBe('#/energy/meters/main');
  expect(href('interlock:fire')).toBeNull();
});

describe('what core says of energy', () => {
  const known: Readonly<Record<string, readonly [string, string]>> = {
    main: ['总电表', 'Main meter'],
    'meter-main/energy': ['总电表 · 正向电能', 'Main meter · Energy'],
  };
  const names = (language: Language): Names => {
    const name = (id: string) => known[id]?.[language === 'zh' ? 0 : 1] ?? id;
    return { language, deviceName: name, pointName: name, interlockName: name, meterName: name };
  };

  test('an output that demand control holds names it and the meter, and its reason in one language', () => {
    expect(ownerText('demand:main', names('zh'))).toBe('需量控制“总电表”');
    expect(ownerText('demand:main', names('en'))).toBe('demand control “Main meter”');
    expect(holderKind('demand:main')).toBe('demand');
    const said =
      'demand:main at 12: 预测需量 45 kW，限值 42 kW（本周期已用 5 kWh） / predicted demand 45 kW against a limit of 42 kW (5 kWh used)';
    expect(sentence(said, names('zh'))).toBe('需量控制“总电表”：预测需量 45 kW，限值 42 kW（本周期已用 5 kWh）');
    expect(sentence(reasonAlone(said), names('en'))).toBe(
      'predicted demand 45 kW against a limit of 42 kW (5 kWh used)',
    );
  });

  test.each([
    [
      'meter-main/energy stands at 48213.8 kW.h (swap)',
      '总电表 · 正向电能 停在 48,213.8 kWh（疑似换表）',
      'Main meter · Energy stands at 48,213.8 kWh (probably swapped)',
    ],
    [
      'main: 12.4 against 8 (kW.h), about 3.20 a day',
      '总电表：实际 12.4 kWh，参照 8 kWh，每天约 3.20',
      'Main meter: 12.4 kWh against 8 kWh, about 3.20 a day',
    ],
    ['predicted 45 kW, limit 42 kW', '预计 45 kW，限值 42 kW', 'predicted 45 kW, limit 42 kW'],
    [
      'the power of main has not been known for 5 min',
      '总电表的功率已有 5 分钟未知',
      'the power of Main meter has not been known for 5 min',
    ],
    ['the gateway says that it does not answer', '网关报告它没有应答', 'the gateway says that it does not answer'],
    [
      'no connection: connect ECONNREFUSED 10.0.3.7:502; next try in 4 s',
      '连接不上：10.0.3.7:502 拒绝连接；4 秒后重试',
      'no connection: connect ECONNREFUSED 10.0.3.7:502; next try in 4 s',
    ],
  ])('"%s" is said in both languages', (said, zh, en) => {
    expect(sentence(said, names('zh'))).toBe(zh);
    expect(sentence(said, names('en'))).toBe(en);
  });
});
