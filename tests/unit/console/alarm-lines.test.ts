import { describe, expect, test } from 'vitest';
import type { AlarmView } from '#edge/web/console/api.ts';
import {
  filterIn,
  filterParts,
  historyQuery,
  isFiltered,
  noFilter,
  passes,
} from '#edge/web/console/pages/alarms/filter.ts';
import { causesOf, hold, linesOf, shelvedOf } from '#edge/web/console/pages/alarms/lines.ts';

let raised = 1_000;

function alarm(source: string, change: Partial<AlarmView> = {}): AlarmView {
  raised++;
  return {
    id: source,
    source,
    class: 'low',
    state: 'unacknowledged',
    active: true,
    message: { zh: source, en: source },
    next: { zh: '', en: '' },
    raised,
    count: 1,
    ...change,
  };
}

const shelved = (until: number) => ({ shelved: { until, by: 'zhou', reason: '维修' } });
const ids = (causes: ReturnType<typeof causesOf>) =>
  causes.map(({ head, others }) => [head.id, others.map(({ id }) => id)]);
const all = (alarms: readonly AlarmView[]) => new Set(alarms.map(({ id }) => id));

describe('the list of causes', () => {
  test('folds what a dead process silences under it', () => {
    const cause = alarm('process:camera', { class: 'high' });
    const silent = [1, 2, 3].map((n) => alarm(`device:c${n}`, { device: `c${n}`, suppressedBy: cause.source }));
    expect(ids(causesOf([...silent, cause]))).toEqual([['process:camera', ['device:c3', 'device:c2', 'device:c1']]]);
  });

  test('leaves nothing open out: what is silenced by something not to be seen stands for itself, once', () => {
    const silent = ['a', 'b'].map((id) => alarm(`device:${id}`, { device: id, suppressedBy: 'process:camera' }));
    expect(ids(causesOf(silent))).toEqual([['device:b', ['device:a']]]);
  });

  test('finds a cause that itself stands under another of the same device', () => {
    const first = alarm('output:s/clip', { device: 's', class: 'high' });
    const second = alarm('device:s', { device: 's', class: 'low' });
    const silent = alarm('blind:fire', { device: 's', suppressedBy: 'device:s' });
    expect(ids(causesOf([silent, second, first]))).toEqual([['output:s/clip', ['device:s', 'blind:fire']]]);
  });

  test('hides what a shelved cause silences with it, and shows it on the shelf, soonest back first', () => {
    const late = alarm('process:camera', { class: 'high', ...shelved(9_000) });
    const soon = alarm('interlock:leak', shelved(5_000));
    const silent = alarm('device:c1', { device: 'c1', suppressedBy: late.source });
    expect(causesOf([late, soon, silent])).toEqual([]);
    expect(ids(shelvedOf([late, soon, silent]))).toEqual([
      ['interlock:leak', []],
      ['process:camera', ['device:c1']],
    ]);
  });

  test('shows the others of a cause only where it is unfolded', () => {
    const cause = alarm('process:camera', { class: 'high' });
    const silent = alarm('device:c1', { device: 'c1', suppressedBy: cause.source });
    const causes = causesOf([cause, silent]);
    expect(linesOf(causes, new Set(), new Set())).toHaveLength(1);
    expect(linesOf(causes, new Set([cause.id]), new Set()).map(({ isUnder }) => isUnder)).toEqual([false, true]);
  });
});

describe('a list that is held', () => {
  const first = alarm('interlock:a', { class: 'high' });
  const second = alarm('interlock:b', { class: 'medium' });
  const shown = causesOf([first, second]);

  test('keeps every line in its place with its newest words, and lets what is new wait', () => {
    const seen = { ...first, state: 'acknowledged' as const };
    const fresh = alarm('interlock:fire', { class: 'critical' });
    const now = [seen, second, fresh];
    const held = hold(shown, causesOf(now), all(now));
    expect(held.causes.map(({ head }) => [head.id, head.state])).toEqual([
      ['interlock:a', 'acknowledged'],
      ['interlock:b', 'unacknowledged'],
    ]);
    expect(held.fresh.map(({ head }) => head.id)).toEqual(['interlock:fire']);
  });

  test('keeps what is over where it was and says so, but not what somebody put on the shelf', () => {
    expect([...hold(shown, causesOf([second]), all([second])).over]).toEqual(['interlock:a']);
    const now = [{ ...first, ...shelved(9_000) }, second];
    const held = hold(shown, causesOf(now), all(now));
    expect(ids([...held.causes])).toEqual([['interlock:b', []]]);
    expect(held.over.size).toBe(0);
  });
});

describe('the filter in the address', () => {
  test('is read back as it was written, and leaves out what is as usual', () => {
    const filter = {
      ...noFilter,
      view: 'history' as const,
      classes: ['critical', 'low'] as const,
      zone: 'gate',
      states: ['normal'] as const,
      from: 1_000,
    };
    expect(filterIn(new URLSearchParams(filterParts(filter)))).toEqual(filter);
    expect(Object.values(filterParts(noFilter)).join('')).toBe('');
    expect(isFiltered({ ...noFilter, view: 'shelved' })).toBe(false);
  });

  test('takes nothing that cannot be meant', () => {
    expect(filterIn(new URLSearchParams('view=all&class=fatal,high&from=yesterday&to=-1'))).toEqual({
      ...noFilter,
      classes: ['high'],
    });
  });

  test('asks the history for several classes and states by giving them more than once', () => {
    const filter = { ...noFilter, classes: ['critical', 'high'] as const, states: ['normal'] as const, device: 'm' };
    expect(historyQuery(filter, 200, 'x')).toBe('?class=critical&class=high&state=normal&device=m&before=x&limit=200');
  });

  test('of open alarms looks at the device of a point too', () => {
    const output = alarm('output:s/clip', { ref: 's/clip', zone: 'gate' });
    expect(passes(output, { ...noFilter, device: 's', zone: 'gate' })).toBe(true);
    expect(passes(output, { ...noFilter, classes: ['high'] })).toBe(false);
  });
});
