import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { RuleVersion } from '#edge/domain/rule.ts';
import { Judgement, type Verdict } from '#edge/processes/core/judgement.ts';
import { ShadowRules } from '#edge/processes/core/shadow-rules.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { createEngine } from '#edge/rules/create-engine.ts';
import type { RaiseDecision } from '#edge/rules/decision.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { start } from '../../fixtures/store/site.ts';

const minute = 60_000;
const words = { zh: '字', en: 'words' };
const raise = (source: string, more: Partial<RaiseDecision> = {}): RaiseDecision => ({
  kind: 'raise',
  source,
  class: 'high',
  message: words,
  next: words,
  reason: 'why',
  ...more,
});
const safety = (id: string, priority: 1 | 5): RuleVersion => ({
  version: 1,
  rule: {
    id,
    name: words,
    about: null,
    kind: 'safety',
    priority,
    each: null,
    when: { kind: 'event', type: 'never', device: '*', for: 0 },
    while: [],
    then: [{ kind: 'alarm', class: 'critical', message: words, next: words }],
    latch: false,
    clearAfter: 0,
    coolDown: 0,
    tests: [],
  },
});

let clock: ManualClock;
let judgement: Judgement;

/** As core starts, with what was stored. */
function begin(storedAlarms: readonly Alarm[] = []): Judgement {
  const engineOf = () =>
    createEngine({
      campus: { devices: [], zones: [], spaces: [] },
      calendar: createCalendar({ weekly: [], exceptions: [] }, 'Asia/Shanghai'),
      monotonic: clock.monotonic(),
    });
  const active = [safety('fire', 1), safety('pump', 5)];
  const engine = engineOf();
  for (const version of active) engine.put(version);
  return new Judgement({
    engine,
    shadow: new ShadowRules(engineOf, silentLog),
    active,
    stale: [],
    modes: () => new Set(),
    once: () => {},
    storedAlarms,
    latest: () => new Map(),
    processOf: () => undefined,
    sourceExists: () => true,
    act: () => {},
    commit: () => {},
    clock,
  });
}

const alarm = (source: string, more: Partial<RaiseDecision> = {}): Alarm => {
  const [raised] = judgement.take([], [], [raise(source, more)]).alarms ?? [];
  if (raised === undefined) throw new Error('nothing was raised');
  return raised;
};
const ends = (verdict: Verdict | null) =>
  (verdict?.audit ?? []).map(({ who, what, why, result }) => [who, what, why, result]);

beforeEach(() => {
  clock = new ManualClock(start);
  judgement = begin();
});
afterEach(() => judgement[Symbol.dispose]());

describe('a shelved alarm', () => {
  test('comes back into sight at its time, also after a restart, and core says so', () => {
    const { id } = alarm('device:meter-1');
    const { alarm: shelved, verdict } = judgement.shelve(id, 30, 'lin', 'being repaired');
    expect(shelved.shelved).toEqual({ until: start + 30 * minute, by: 'lin', reason: 'being repaired' });
    expect(verdict.alarms).toEqual([shelved]);
    expect(judgement.passTime()).toBeNull();
    judgement[Symbol.dispose]();
    judgement = begin([shelved]);
    clock.advance(30 * minute - 1);
    expect(judgement.passTime()).toBeNull();
    clock.advance(1);
    const over = judgement.passTime();
    expect(over?.alarms).toEqual([expect.objectContaining({ id, state: 'unacknowledged' })]);
    expect(over?.alarms?.[0]).not.toHaveProperty('shelved');
    expect(ends(over)).toEqual([
      ['process:core', `alarm.unshelve ${id} (device:meter-1)`, 'its time is over', 'shelved by lin'],
    ]);
    expect(judgement.passTime()).toBeNull();
  });

  test('comes back into sight when it becomes graver or ends, and core says why', () => {
    const first = alarm('device:meter-1');
    judgement.shelve(first.id, 30, 'lin', 'x');
    const graver = judgement.take([], [], [raise('device:meter-1', { class: 'critical' })]);
    expect(ends(graver).map(([, , why]) => why)).toEqual(['it is critical now, no longer high']);
    judgement.shelve(first.id, 60, 'lin', 'x');
    expect(judgement.acknowledge(first.id, 'wang', 'seen').verdict.audit).toBeUndefined();
    const ended = judgement.take([], [], [{ kind: 'return', source: 'device:meter-1', reason: 'gone' }]);
    expect(ended.alarms).toEqual([expect.objectContaining({ state: 'normal' })]);
    expect(ended.alarms?.[0]).not.toHaveProperty('shelved');
    expect(ends(ended).map(([, , why]) => why)).toEqual(['the alarm ended']);
    expect(() => judgement.unshelve(first.id)).toThrowError('there is no open alarm');
  });

  test('comes back into sight when a person says so; what is not shelved stays as it is', () => {
    const { id } = alarm('device:meter-1');
    expect(judgement.unshelve(id).verdict).toEqual({});
    judgement.shelve(id, 30, 'lin', 'x');
    const { alarm: shown, verdict } = judgement.unshelve(id);
    expect(shown).not.toHaveProperty('shelved');
    expect(verdict).toEqual({ alarms: [shown] });
  });

  test('is not one that protects lives, nor one that is critical for longer than an hour', () => {
    const fire = alarm('interlock:fire', { class: 'critical' });
    const pump = alarm('interlock:pump', { class: 'critical' });
    const refused = (id: string, minutes: number) => () => judgement.shelve(id, minutes, 'lin', 'x');
    expect(refused(fire.id, 1)).toThrowError('"interlock:fire" protects lives');
    expect(refused(pump.id, 61)).toThrowError('at most 60 minutes');
    expect(judgement.shelve(pump.id, 60, 'lin', 'x').alarm.shelved?.until).toBe(start + 60 * minute);
  });
});
