import { beforeEach, describe, expect, it } from 'vitest';
import { type BudgetChange, Budgets, defaultBudget } from '#edge/flows-host/budget.ts';
import type { Source, TabUsage } from '#edge/flows-host/meter.ts';
import { ManualClock } from '#edge/runtime/clock.ts';

const hog: Source = { tab: 'hog', node: 'n1', type: 'function', name: 'count' };
const usage = (busy: number, messages: number): TabUsage => ({ busy, messages, busiest: hog, fullest: hog });

let clock: ManualClock;
let budgets: Budgets;
let changes: BudgetChange[];
beforeEach(() => {
  clock = new ManualClock(1_800_000_000_000);
  budgets = new Budgets(clock);
  changes = [];
});

/** So many seconds, in each of which the tabs take that much. */
function pass(seconds: number, of: Record<string, TabUsage>): void {
  for (let i = 0; i < seconds; i++) {
    clock.advance(1_000);
    changes.push(...budgets.judge(new Map(Object.entries(of))));
  }
}
const stateOf = (tab: string) => budgets.view().find((one) => one.tab === tab)?.state;

describe('the budget of a tab', () => {
  it('is not noticed by one that stays within it', () => {
    pass(120, { calm: usage(250, 150), hog: usage(100, 10) });
    expect(changes).toEqual([]);
    expect(budgets.view()[0]).toMatchObject({ tab: 'calm', state: 'within', messages: 150, cpu: 0.25 });
  });

  it('forgives a burst, and names tab and node of whoever goes on', () => {
    pass(2, { hog: usage(1_000, 10), calm: usage(10, 1) });
    expect(changes).toEqual([]);
    pass(5, { hog: usage(1_000, 10), calm: usage(10, 1) });
    expect(changes).toMatchObject([{ tab: 'hog', state: 'over-budget', offender: { node: 'n1', name: 'count' } }]);
    expect(changes[0]?.why).toMatch(/^takes \d+ % of a core \(30 % are free\)$/);
    expect(stateOf('calm')).toBe('within');
  });

  it('is as much about messages as about the CPU', () => {
    pass(12, { hog: usage(50, 300) });
    expect(changes).toMatchObject([
      { state: 'over-budget', why: expect.stringMatching(/messages a second \(200 are free\)$/) },
    ]);
  });

  it('refuses the requests of the offender while others ask on', () => {
    expect(budgets.ask('hog')).toBeNull();
    pass(12, { hog: usage(800, 10), calm: usage(10, 1) });
    expect(budgets.ask('hog')).toContain('of a core');
    expect(budgets.ask('calm')).toBeNull();
  });

  it('ends when the tab is well within it again', () => {
    pass(12, { hog: usage(800, 10) });
    pass(4, { hog: usage(290, 10) });
    expect(stateOf('hog')).toBe('over-budget');
    pass(12, { hog: usage(50, 10) });
    expect(changes.map(({ state }) => state)).toEqual(['over-budget', 'within']);
    expect(budgets.ask('hog')).toBeNull();
  });

  it('stops a tab that goes on for a minute, for ten minutes', () => {
    pass(75, { hog: usage(800, 10) });
    expect(changes.map(({ state }) => state)).toEqual(['over-budget', 'halted']);
    expect(changes[1]?.why).toContain('stopped for 10 min, or until it is deployed');
    expect(budgets.ask('hog')).toContain('stopped');
    pass(560, {});
    expect(stateOf('hog')).toBe('halted');
    pass(60, {});
    expect(stateOf('hog')).toBe('within');
  });

  it('begins anew with a deploy', () => {
    pass(75, { hog: usage(800, 10) });
    expect(budgets.forgive('hog')).toMatchObject({ tab: 'hog', state: 'within' });
    expect(budgets.ask('hog')).toBeNull();
    expect(budgets.forgive('calm')).toBeNull();
  });

  it('lets a tab ask 30 times at once and 5 times a second, and makes an offender of one that never stops', () => {
    const asked = () => Array.from({ length: 200 }, () => budgets.ask('hog')).filter((why) => why === null).length;
    expect(asked()).toBe(defaultBudget.requestBurst);
    expect(budgets.ask('calm')).toBeNull();
    clock.advance(1_000);
    expect(asked()).toBe(defaultBudget.requestsPerSecond);
    pass(1, {});
    expect(changes).toMatchObject([
      { tab: 'hog', state: 'over-budget', why: expect.stringContaining('asks without end') },
    ]);
    pass(12, {});
    expect(stateOf('hog')).toBe('within');
  });

  it('counts what a blocked loop took over the time it was blocked', () => {
    clock.advance(8_000);
    changes.push(...budgets.judge(new Map([['hog', usage(7_900, 1)]])));
    expect(changes).toMatchObject([{ tab: 'hog', state: 'over-budget' }]);
  });

  it('keeps no more accounts than there can be tabs', () => {
    for (let i = 0; i < 5_000; i++) budgets.ask(`t${i}`);
    expect(budgets.view()).toHaveLength(2_000);
  });
});
