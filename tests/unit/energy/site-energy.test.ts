import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import { energyPlanOf } from '#edge/energy/plan.ts';
import { checkSite, type Site } from '#edge/runtime/site.ts';

const campus = `
site: 1
campus: {id: "2151009901", name: {zh: 校, en: School}, timeZone: Asia/Shanghai}
buildings:
  - {id: teaching, name: {zh: 教, en: T}, floors: [{id: f1, name: {zh: 一, en: One}, spaces: [{id: r101, name: {zh: 一, en: One}}]}]}
  - {id: canteen, name: {zh: 食, en: C}, floors: []}
zones: [{id: east, name: {zh: 东, en: E}}, {id: kitchen, name: {zh: 厨, en: K}}]
devices:
  - {id: meter-main, name: {zh: 总, en: Main}, profile: meter/m, zone: east, address: {}}
  - {id: meter-canteen, name: {zh: 食, en: Canteen}, profile: meter/m, zone: kitchen, address: {}}
  - {id: water-1, name: {zh: 水, en: Water}, profile: water/w, zone: east, address: {}}
  - {id: relay-1, name: {zh: 继, en: Relay}, profile: relay/r, zone: east, address: {}}
  - {id: relay-2, name: {zh: 继, en: Relay}, profile: relay/r, zone: kitchen, address: {}}
`;

function siteWith(energy: string): Site {
  return checkSite({ ...parse(campus), energy: parse(energy) }, '/nowhere');
}

function mistakes(energy: string): string[] {
  try {
    siteWith(energy);
  } catch (error) {
    return String((error as Error).message).split('\n');
  }
  return [];
}

const meters = `
meters:
  - {id: main, device: meter-main}
  - {id: canteen, device: meter-canteen, under: main, subItem: special, buildings: canteen}
  - {id: rest, name: {zh: 余, en: Rest}, under: main, sum: [main, -canteen], buildings: {by: area}}
`;

describe('a section without mistakes', () => {
  const energy = `${meters}
  - {id: water, medium: water, device: water-1}
buildings: {teaching: {area: 3000, people: 600}, canteen: {area: 1000}}
tariffs:
  - name: {zh: 价, en: Price}
    from: 2026-01-01
    price: 0.62
    periods:
      - {id: peak, name: {zh: 峰, en: Peak}, price: 1.05, times: [{from: "10:00", to: "12:00"}]}
      - {id: valley, name: {zh: 谷, en: Valley}, price: 0.31, times: [{from: "23:00", to: "07:00"}]}
demand:
  - meter: main
    limit: 120
    protected: {zones: [kitchen]}
    tiers:
      - id: one
        name: {zh: 一, en: One}
        loads:
          - {output: relay-1/relay_1, power: 6, maxOff: 30min}
          - {output: relay-2/relay_1, power: 6, maxOff: 30min}
`;
  const point = (name: string, unit: string, type: Point['type'] = 'number'): Point => ({
    name: name as PointName,
    label: { zh: name, en: name },
    type,
    unit,
    poll: 'normal',
    deadband: 0,
    staleAfter: 60_000,
    address: null,
    ...(type === 'boolean' ? { write: { verifyAfter: 1, verifyWithin: 1, minGap: 1, failSafe: 'keep' as const } } : {}),
  });
  const device = (id: string, zone: string, points: readonly Point[]): Device => ({
    id: id as DeviceId,
    name: { zh: id, en: id },
    profile: 'x/y',
    protocol: 'modbus',
    zone: zone as ZoneId,
    points,
    address: null,
  });
  const devices = [
    device('meter-main', 'east', [
      point('energy_import', 'MW.h'),
      point('power', 'W'),
      ...['power_l1', 'power_l2', 'power_l3'].map((name) => point(name, 'W')),
      point('power_factor', '1'),
    ]),
    device('meter-canteen', 'kitchen', [point('energy_import', 'Cel')]),
    device('water-1', 'east', [point('volume', 'L'), point('flow', 'L/min')]),
    device('relay-1', 'east', [point('relay_1', '', 'boolean')]),
    device('relay-2', 'kitchen', [point('relay_1', '', 'boolean')]),
  ];

  test('becomes a plan with the points of its devices, in kW.h and m3', () => {
    const { plan } = energyPlanOf(siteWith(energy).energy, devices);
    const [main, , , water] = plan.meters;
    expect(main?.name.en).toBe('meter-main');
    expect(main?.source).toMatchObject({
      kind: 'real',
      energy: { ref: 'meter-main/energy_import', factor: 1_000 },
      power: { ref: 'meter-main/power', factor: 0.001 },
      phases: [{ factor: 0.001 }, {}, {}],
      powerFactor: 'meter-main/power_factor',
    });
    expect(water?.source).toMatchObject({ energy: { factor: 0.001 }, power: { factor: 0.06 } });
    expect(plan.demand[0]).toMatchObject({ limit: 120, window: 900_000, kind: 'fixed', stagger: 30_000 });
    expect(plan.demand[0]?.tiers[0]?.loads[0]).toMatchObject({ value: false, minOff: 300_000, maxOff: 1_800_000 });
    expect(plan.tariffs[0]?.periods[1]?.times).toEqual([{ from: 1_380, to: 420 }]);
  });

  test('names that have no end are cut: every report has them several times', () => {
    const endless = 'x'.repeat(10_000);
    const named = energy.replace('{id: main, ', `{id: main, name: {zh: 总, en: ${endless}}, `);
    const { plan } = energyPlanOf(siteWith(named).energy, devices);
    expect(plan.meters[0]?.name.en).toBe(`${'x'.repeat(200)}…`);
  });

  test('shares by area are in proportion to the areas', () => {
    const { plan } = energyPlanOf(siteWith(energy).energy, devices);
    expect(plan.meters[2]?.buildings).toEqual([
      { building: 'teaching', share: 0.75 },
      { building: 'canteen', share: 0.25 },
    ]);
  });

  test('a meter that cannot be read stays as missing, and it is said why', () => {
    const { plan, problems } = energyPlanOf(siteWith(energy).energy, devices);
    expect(plan.meters[1]?.source.kind).toBe('missing');
    expect(problems[0]).toMatch(/^energy\.meters\[1\]: meter-canteen\/energy_import is in "Cel"/);
  });

  test('a load in a protected zone is told to be shed never', () => {
    const { problems } = energyPlanOf(siteWith(energy).energy, devices);
    expect(problems).toContain(
      'energy.demand[0].tiers[0].loads[1]: it is in the zone "kitchen", which is protected; it is never shed',
    );
  });

  test('a meter says what the one above it says, where it says nothing itself', () => {
    const inherited = `
meters:
  - {id: main, device: meter-main, subItem: air_conditioning, buildings: teaching}
  - {id: sub, device: meter-canteen, under: main}
`;
    const { plan } = energyPlanOf(siteWith(inherited).energy, devices);
    expect(plan.meters[1]).toMatchObject({
      subItem: 'air_conditioning',
      buildings: [{ building: 'teaching', share: 1 }],
    });
  });

  test('a campus without the section has an empty plan', () => {
    expect(energyPlanOf(undefined, devices)).toEqual({
      plan: { meters: [], buildings: [], tariffs: [], demand: [] },
      problems: [],
    });
  });
});

describe('each mistake is named with its path', () => {
  const demand = (more: string, load = '') => `${meters}
demand:
  - {meter: main, limit: 100, ${more} tiers: [{id: one, name: {zh: 一, en: One}, loads: [{output: relay-1/relay_1, power: 6, maxOff: 30min${load}}]}]}`;
  const tariffs = (periods: string) => `
tariffs: [{name: {zh: 价, en: P}, from: 2026-01-01, price: 1, periods: [${periods}]}]`;
  const period = (id: string, times: string, more = '') =>
    `{id: ${id}, name: {zh: 段, en: P}, price: 1, times: [${times}]${more}}`;

  test.each([
    ['meters: [{id: a, device: nobody}]', 'energy.meters[0].device: unknown device "nobody"'],
    ['meters: [{id: a, device: meter-main, under: b}]', 'energy.meters[0].under: unknown meter "b"'],
    ['meters: [{id: a}]', 'energy.meters[0].device: a meter has either a device or a sum'],
    ['meters: [{id: a, sum: [b]}]', 'energy.meters[0].name: is needed: a sum has no device that lends it its name'],
    [
      'meters: [{id: a, device: meter-main, under: b}, {id: b, device: meter-canteen, under: a}]',
      'energy.meters[0].under: "a" hangs on itself',
    ],
    [
      'meters: [{id: a, device: meter-main}, {id: a, device: meter-canteen}]',
      'energy.meters[1].id: "a" is there twice',
    ],
    [
      'meters: [{id: a, name: {zh: 一, en: A}, sum: [b]}, {id: b, name: {zh: 二, en: B}, sum: [a]}]',
      'energy.meters[0].sum[0]: "a" is a sum of itself',
    ],
    [
      'meters: [{id: w, medium: water, device: water-1}, {id: e, device: meter-main, under: w}]',
      'energy.meters[1].under: "w" counts water and this meter electricity',
    ],
    [
      'meters: [{id: w, medium: water, device: water-1}, {id: s, name: {zh: 和, en: S}, sum: [w]}]',
      'energy.meters[1].sum[0]: "w" counts water and this meter electricity',
    ],
    [
      'meters: [{id: w, medium: water, subItem: special, device: water-1}]',
      'energy.meters[0].subItem: only electricity has sub-items',
    ],
    ['meters: [{id: a, device: meter-main, buildings: tower}]', 'energy.meters[0].buildings: unknown building "tower"'],
    [
      'meters: [{id: a, device: meter-main, buildings: {teaching: 0.7, canteen: 0.4}}]',
      'energy.meters[0].buildings: the shares sum to 1.1, and must not be above 1',
    ],
    [
      'meters: [{id: a, device: meter-main, buildings: {by: people, of: [canteen]}}]',
      'energy.meters[0].buildings.of[0]: energy.buildings.canteen does not say its people',
    ],
    [
      'meters: [{id: m, device: meter-main}, {id: c, device: meter-canteen, under: m}, {id: s, name: {zh: 和, en: S}, under: m, sum: [c]}]',
      'energy.meters[2].sum[0]: "c" is neither above nor below "s" and would be counted twice under "m": leave out "under", or hang "c" under "s"',
    ],
    ['buildings: {tower: {area: 3}}', 'energy.buildings.tower: unknown building'],
    [
      tariffs(`${period('a', '{from: "10:00", to: "12:00"}')}, ${period('b', '{from: "11:45", to: "13:00"}')}`),
      'energy.tariffs[0].periods[1]: overlaps with energy.tariffs[0].periods[0] ("a") on Mondays at 11:45',
    ],
    [
      tariffs(
        `${period('a', '{from: "22:00", to: "06:00"}', ', days: [7]')}, ${period('b', '{from: "05:00", to: "07:00"}', ', days: [1]')}`,
      ),
      'energy.tariffs[0].periods[1]: overlaps with energy.tariffs[0].periods[0] ("a") on Mondays at 05:00',
    ],
    [
      tariffs(period('a', '{from: "10:00", to: "12:00"}, {from: "11:00", to: "13:00"}')),
      'energy.tariffs[0].periods[0].times: on Mondays at 11:00 is in it twice',
    ],
    [
      tariffs(period('a', '{from: "10:05", to: "12:00"}')),
      'energy.tariffs[0].periods[0].times[0].from: must be at a quarter of an hour',
    ],
    [
      'tariffs: [{name: {zh: 价, en: P}, from: 2026-01-01, price: 1}, {name: {zh: 价, en: P}, from: 2026-01-01, price: 2}]',
      'energy.tariffs[1].from: "electricity from 2026-01-01" is there twice',
    ],
    [
      demand('').replace('meter: main, limit', 'meter: rest, limit'),
      'energy.demand[0].meter: "rest" is a sum, and a limit needs a real meter',
    ],
    [
      demand('protected: {outputs: [relay-1/relay_1]},'),
      'energy.demand[0].tiers[0].loads[0].output: "relay-1/relay_1" is protected',
    ],
    [demand('protected: {zones: [west]},'), 'energy.demand[0].protected.zones[0]: unknown zone "west"'],
    [demand('protected: {spaces: [r9]},'), 'energy.demand[0].protected.spaces[0]: unknown space "r9"'],
    [demand('window: 7min,'), 'energy.demand[0].window: must part an hour evenly: 5min to 1h'],
    [
      demand('', ', minOff: 30min'),
      'energy.demand[0].tiers[0].loads[0].maxOff: must be at least 31min: minOff, and time for 1 loads to come back one after the other',
    ],
    ['meter: []', 'energy: Unrecognized key: "meter"'],
  ])('%s', (energy, mistake) => {
    expect(mistakes(energy).map((line) => line.trim())).toContain(mistake);
  });

  test('periods of other months or days do not overlap', () => {
    const ok = tariffs(
      `${period('a', '{from: "10:00", to: "12:00"}', ', months: [7, 8]')}, ${period('b', '{from: "10:00", to: "12:00"}', ', months: [1]')}, ${period('c', '{from: "10:00", to: "12:00"}', ', months: [2], days: [6, 7]')}, ${period('d', '{from: "10:00", to: "12:00"}', ', months: [2], days: [1]')}`,
    );
    expect(mistakes(ok)).toEqual([]);
  });

  test('two thousand sums of each other are told within seconds', () => {
    const list = Array.from(
      { length: 2_000 },
      (_, i) =>
        `{id: m${i}, name: {zh: 和, en: S}, sum: [m${(i + 1) % 2_000}, m${(i + 7) % 2_000}, m${(i + 1_999) % 2_000}]}`,
    );
    const began = performance.now();
    expect(mistakes(`meters: [${list.join(', ')}]`).length).toBeGreaterThan(40);
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
