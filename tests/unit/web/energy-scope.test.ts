import { describe, expect, test } from 'vitest';
import type { EnergyMeter, EnergyPlan } from '#edge/domain/energy.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import { planFor, visibleMeters } from '#edge/web/energy-scope.ts';

/* What of the plan somebody sees who sees some devices only. */

const name = { zh: '表', en: 'Meter' };
const real = (id: string, more: Partial<EnergyMeter> = {}): EnergyMeter => ({
  id,
  name,
  medium: 'electricity',
  buildings: [],
  source: { kind: 'real', device: id as DeviceId, energy: { ref: `${id}/energy` as PointRef, factor: 1 }, power: null },
  ...more,
});
const sum = (id: string, terms: readonly string[], more: Partial<EnergyMeter> = {}): EnergyMeter => ({
  ...real(id, more),
  source: { kind: 'virtual', terms: terms.map((meter) => ({ meter, sign: 1 })) },
});
const load = (output: string) => ({
  output: output as PointRef,
  value: false,
  power: 1,
  minOff: 0,
  maxOff: 1,
  minOn: 0,
});

const plan: EnergyPlan = {
  meters: [
    real('main'),
    real('canteen', { under: 'main', buildings: [{ building: 'canteen', share: 1 }] }),
    real('kitchen', { under: 'canteen', buildings: [{ building: 'canteen', share: 1 }] }),
    real('dorm', { under: 'main', buildings: [{ building: 'dorm', share: 0.5 }] }),
    sum('eating', ['canteen', 'kitchen']),
    sum('both', ['canteen', 'dorm']),
    sum('sum-of-both', ['both']),
    sum('itself', ['itself']),
    { ...real('gone'), source: { kind: 'missing', why: 'its device is not there' } },
  ],
  buildings: [
    { building: 'canteen', area: 900, people: 20 },
    { building: 'dorm', area: 3_000, people: 200 },
    { building: 'gate', area: 60, people: 2 },
  ],
  tariffs: [],
  demand: [
    {
      meter: 'canteen',
      limit: 20,
      window: 900_000,
      kind: 'fixed',
      tiers: [
        { id: 'mixed', name, loads: [load('canteen/heater'), load('dorm/heater')] },
        { id: 'theirs', name, loads: [load('dorm/boiler')] },
      ],
      protected: { outputs: [], zones: [], spaces: [] },
      stagger: 0,
    },
    {
      meter: 'main',
      limit: 50,
      window: 900_000,
      kind: 'fixed',
      tiers: [],
      protected: { outputs: [], zones: [], spaces: [] },
      stagger: 0,
    },
  ],
};

const seeing = (...devices: string[]) => ({
  isWhole: false,
  seesDevice: (device: string) => devices.includes(device),
  seesRef: (ref: string) => devices.includes(ref.split('/')[0] ?? ''),
});

describe('the plan for somebody', () => {
  test('who sees the whole campus is the plan', () => {
    expect(planFor(plan, { ...seeing(), isWhole: true })).toBe(plan);
  });

  test('has the meters of his devices, and sums of which he sees every term', () => {
    expect([...visibleMeters(plan, seeing('canteen', 'kitchen'))]).toEqual(['canteen', 'kitchen', 'eating']);
    expect([...visibleMeters(plan, seeing('canteen', 'dorm'))]).toEqual(['canteen', 'dorm', 'both', 'sum-of-both']);
    expect([...visibleMeters(plan, seeing())]).toEqual([]);
  });

  test('says nothing of a meter above that he does not see', () => {
    const { meters } = planFor(plan, seeing('canteen', 'kitchen'));
    expect(meters.map(({ id, under }) => [id, under])).toEqual([
      ['canteen', undefined],
      ['kitchen', 'canteen'],
      ['eating', undefined],
    ]);
  });

  test('has sizes only of buildings of which he sees every meter, and none of others', () => {
    expect(planFor(plan, seeing('canteen', 'kitchen')).buildings).toEqual([
      { building: 'canteen', area: 900, people: 20 },
    ]);
    expect(planFor(plan, seeing('canteen')).buildings).toEqual([{ building: 'canteen', area: null, people: null }]);
  });

  test('has the limits of his meters, with the loads that he sees', () => {
    const { demand } = planFor(plan, seeing('canteen', 'kitchen'));
    expect(
      demand.map(({ meter, tiers }) => [meter, tiers.map(({ id, loads }) => [id, loads.map(({ output }) => output)])]),
    ).toEqual([['canteen', [['mixed', ['canteen/heater']]]]]);
  });
});
