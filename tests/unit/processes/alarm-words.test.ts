import { describe, expect, test } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import { energyMistakes } from '#edge/processes/core/energy-watch-words.ts';
import { deviceDown } from '#edge/processes/core/watch-alarms.ts';
import { raise } from '#edge/rules/repair.ts';
import type { RepairPlan, RepairRecord } from '#edge/rules/repair-plan.ts';

/* What is to be done, as it goes out by mail and chat: in one language each. */

const machine = 'no answer to 3 questions from 10.0.3.7:502; next try in 12 s';
const english = /[A-Za-z]{2,} [A-Za-z]{2,}/;

describe('what is to be done, in Chinese, carries no English of machines', () => {
  const cases: readonly [string, () => { readonly next: Name; readonly reason: string }][] = [
    [
      'of a device that is offline',
      () =>
        deviceDown({ device: 'meter-1', state: 'offline', message: machine, since: 0, counters: {} }, undefined, 'x'),
    ],
    [
      'of one that could not be mended',
      () => {
        const plan = { name: { zh: '总表', en: 'Main meter' } } as RepairPlan;
        const record = { device: 'meter-1' as DeviceId, steps: [] as RepairRecord['steps'] } as RepairRecord;
        const act = raise(plan, record, { now: 0, message: machine });
        if (act.kind !== 'raise') throw new Error(act.kind);
        return act;
      },
    ],
    [
      'of mistakes in the energy section',
      () => energyMistakes([`energy.meters[1]: ${machine}`, `energy.demand[0].tiers[0].loads[1]: ${machine}`]),
    ],
  ];
  test.each(cases)('%s', (_, alarm) => {
    const { next, reason } = alarm();
    expect(next.zh).not.toMatch(english);
    expect(next.en).toContain(machine);
    expect(reason).toContain(machine);
  });

  test('places in the site file are named', () => {
    expect(energyMistakes(['energy.meters[1]: x', 'energy.demand[0].tiers[0].loads[1]: y']).next.zh).toBe(
      '修正站点文件：energy.meters[1]、energy.demand[0].tiers[0].loads[1]（详见能源页）',
    );
  });
});
