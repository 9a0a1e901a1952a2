import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeviceId, PointName, PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { RuleVersion } from '#edge/domain/rule.ts';
import { Judgement } from '#edge/processes/core/judgement.ts';
import { ShadowRules } from '#edge/processes/core/shadow-rules.ts';
import { chatterLimits } from '#edge/rules/alarm-chatter.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { createEngine } from '#edge/rules/create-engine.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { start } from '../../fixtures/store/site.ts';
import { devices, ref } from '../rules/small-campus.ts';

/* A rule whose sensor flutters, judged as core judges it. */

const words = { zh: '字', en: 'words' };
const point = 'smoke-101/smoke';

const rule = (kind: 'safety' | 'security'): RuleVersion => ({
  version: 1,
  rule: {
    id: 'flutter',
    name: words,
    about: null,
    kind,
    priority: kind === 'safety' ? 1 : 12,
    each: null,
    when: { kind: 'point', points: { of: point }, needs: 'any', test: { is: true }, for: 0, onBad: 'hold' },
    while: [],
    then: [{ kind: 'alarm', class: 'high', message: words, next: words }],
    latch: false,
    clearAfter: 0,
    coolDown: 0,
    tests: [],
  },
});

let clock: ManualClock;
let judgement: Judgement;
let latest: Map<PointRef, Reading>;

function begin(version: RuleVersion): void {
  const engineOf = () =>
    createEngine({
      campus: { devices, zones: [], spaces: [] },
      calendar: createCalendar({ weekly: [], exceptions: [] }, 'Asia/Shanghai'),
      monotonic: clock.monotonic(),
    });
  const engine = engineOf();
  engine.put(version);
  judgement = new Judgement({
    engine,
    shadow: new ShadowRules(engineOf, silentLog),
    active: [version],
    stale: [],
    modes: () => new Set(),
    once: () => {},
    storedAlarms: [],
    latest: () => latest,
    processOf: () => undefined,
    sourceExists: () => true,
    act: () => {},
    commit: () => {},
    clock,
  });
}

const feel = (value: boolean) => {
  const now = clock.now();
  const of = { device: 'smoke-101' as DeviceId, point: 'smoke' as PointName, ref: ref(point), unit: '' };
  latest.set(ref(point), { ...of, value, quality: 'good', sourceTime: now, receivedTime: now });
  judgement.take([ref(point)], []);
  clock.advance(5_000);
};
const flutter = (times: number) => {
  for (let i = 0; i < times; i++) {
    feel(true);
    feel(false);
  }
};

beforeEach(() => {
  clock = new ManualClock(start);
  latest = new Map();
});
afterEach(() => judgement[Symbol.dispose]());

describe('a rule whose sensor flutters', () => {
  test('is one alarm that is held up, counts each coming, and returns when it has been calm', () => {
    begin(rule('security'));
    flutter(chatterLimits.most);
    const held = judgement.openAlarms.get('rule:flutter');
    expect(held).toMatchObject({ active: true, state: 'unacknowledged', count: chatterLimits.most });
    flutter(3);
    const id = held?.id ?? '';
    judgement.acknowledge(id, 'wang', 'seen');
    flutter(2);
    expect(judgement.openAlarms.get('rule:flutter')).toMatchObject({ id, state: 'acknowledged', count: 10 });
    feel(true);
    clock.advance(chatterLimits.calm * 2);
    judgement.passTime();
    expect(judgement.openAlarms.get('rule:flutter')).toMatchObject({ id, active: true, chattering: { quiet: null } });
    feel(false);
    clock.advance(chatterLimits.calm);
    expect(judgement.passTime()?.alarms).toMatchObject([{ id, state: 'normal', count: 11 }]);
    expect(judgement.openAlarms.size).toBe(0);
  });

  test('needs a person each time when it protects lives', () => {
    begin(rule('safety'));
    for (let i = 0; i < 12; i++) {
      feel(true);
      const alarm = judgement.openAlarms.get('interlock:flutter');
      expect(alarm).toMatchObject({ state: 'unacknowledged', active: true });
      judgement.acknowledge(alarm?.id ?? '', 'wang', '');
      feel(false);
      expect(judgement.openAlarms.size).toBe(0);
    }
  });
});
