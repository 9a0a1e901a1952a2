import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alarm, AlarmClass } from '#edge/domain/alarm.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { createCauses, type Ways } from '#edge/rules/alarm-causes.ts';
import { asSourcesSee, createChatterGuard } from '#edge/rules/alarm-chatter.ts';
import {
  type AlarmContext,
  acknowledgeAlarm,
  applyAlarmDecisions,
  mostShelvedEach,
  type OpenAlarms,
  passAlarmTime,
  shelveAlarm,
  whyNotShelved,
} from '#edge/rules/alarm-machine.ts';
import { hiddenGrace, ranks } from '#edge/rules/alarm-suppression.ts';
import type { AlarmDecision, RaiseDecision } from '#edge/rules/decision.ts';
import { testId } from './small-campus.ts';

const words = { zh: '字', en: 'words' };
const none: OpenAlarms = new Map();
const deviceId = (id: string) => id as DeviceId;
const gone = (source: string): AlarmDecision => ({ kind: 'return', source, reason: 'gone' });

function raise(source: string, severity: AlarmClass = 'low', more: Partial<RaiseDecision> = {}): RaiseDecision {
  return { kind: 'raise', source, class: severity, message: words, next: words, reason: 'why', ...more };
}
const device = (id: string, severity: AlarmClass = 'low') => raise(`device:${id}`, severity, { device: deviceId(id) });

/** core-switch <- floor-switch <- cameras; a bridge with sensors; a ring of switches that somebody has misdrawn. */
const ways: Ways = {
  processOf: (id) => (id.startsWith('camera') ? 'camera' : id.endsWith('switch') ? 'fieldbus' : undefined),
  uplinkOf: (id) => {
    if (id.startsWith('camera')) return 'floor-switch';
    return { 'floor-switch': 'core-switch', 'ring-a': 'ring-b', 'ring-b': 'ring-a', 'behind-ring': 'ring-a' }[id];
  },
  bridgeOf: (id) => (id.startsWith('smoke') ? 'bridge:zigbee2mqtt' : undefined),
};
const causesOf = createCauses(ways);
const at = (now: number, more: Partial<AlarmContext> = {}): AlarmContext => ({ now, newId: testId, causesOf, ...more });
const apply = (open: OpenAlarms, now: number, ...decisions: AlarmDecision[]) =>
  applyAlarmDecisions(open, decisions, at(now)).open;
const hiddenBy = (open: OpenAlarms, source: string) => open.get(source)?.suppressedBy;

describe('suppression by design', () => {
  it('hides a device behind the switch it hangs on, and that behind the one above it', () => {
    let open = apply(none, 1, device('camera-1'), device('camera-2'), device('floor-switch'));
    expect(hiddenBy(open, 'device:camera-1')).toBe('device:floor-switch');
    open = apply(open, 2, device('core-switch', 'medium'));
    expect(hiddenBy(open, 'device:floor-switch')).toBe('device:core-switch');
    expect(hiddenBy(open, 'device:camera-1')).toBe('device:core-switch');
    expect(hiddenBy(open, 'device:core-switch')).toBeUndefined();
  });

  it('leads to what people see when the cause is itself hidden behind something else', () => {
    const open = apply(none, 1, device('camera-1'), device('floor-switch'), raise('process:fieldbus', 'high'));
    expect(hiddenBy(open, 'device:floor-switch')).toBe('process:fieldbus');
    expect(hiddenBy(open, 'device:camera-1')).toBe('process:fieldbus');
  });

  it('hides what is said of the points of a device that is offline, and sensors behind a bridge that is gone', () => {
    const of = { device: deviceId('smoke-1') };
    const open = apply(
      none,
      1,
      device('smoke-1'),
      raise('output:smoke-1/siren', 'low', of),
      raise('blind:smoke', 'low', of),
      raise('rule:dust@lab', 'low', of),
      raise('interlock:smoke', 'low', of),
    );
    for (const source of ['output:smoke-1/siren', 'blind:smoke', 'rule:dust@lab']) {
      expect(hiddenBy(open, source), source).toBe('device:smoke-1');
    }
    expect(hiddenBy(open, 'interlock:smoke')).toBeUndefined();
    const dark = apply(open, 2, raise('bridge:zigbee2mqtt', 'high'));
    expect(hiddenBy(dark, 'device:smoke-1')).toBe('bridge:zigbee2mqtt');
    expect(hiddenBy(dark, 'blind:smoke')).toBe('bridge:zigbee2mqtt');
  });

  it('keeps in sight what a rule saw before its device fell silent, and what an event has told', () => {
    const of = { device: deviceId('camera-1') };
    let open = apply(none, 1, raise('rule:heat@gate', 'low', of));
    open = apply(open, 2, device('camera-1', 'medium'));
    expect(hiddenBy(open, 'rule:heat@gate')).toBeUndefined();
    open = apply(open, 3, raise('rule:tamper@gate', 'low', { ...of, event: testId() }), raise('rule:dark', 'low', of));
    expect(hiddenBy(open, 'rule:tamper@gate')).toBeUndefined();
    expect(hiddenBy(open, 'rule:dark')).toBe('device:camera-1');
  });

  it('never hides what protects lives, whatever it hangs on', () => {
    const siren = raise('output:camera-1/siren', 'low', { device: deviceId('camera-1') });
    const context = at(1, { isLifeSafety: (source) => source === 'output:camera-1/siren' });
    const { open } = applyAlarmDecisions(none, [device('camera-1', 'critical'), siren], context);
    expect(hiddenBy(open, 'output:camera-1/siren')).toBeUndefined();
  });

  it('hides nobody behind switches that hang on one another in a circle, but those behind them', () => {
    const open = apply(none, 1, device('ring-a'), device('ring-b'), device('behind-ring'));
    expect([hiddenBy(open, 'device:ring-a'), hiddenBy(open, 'device:ring-b')]).toEqual([undefined, undefined]);
    expect(hiddenBy(open, 'device:behind-ring')).toMatch(/^device:ring-[ab]$/);
  });

  it('gives what was hidden a grace when its cause is gone, shows at once what has become graver, and starts its ladder anew', () => {
    let open = apply(
      none,
      1,
      device('camera-1'),
      device('camera-2'),
      device('camera-3'),
      raise('process:camera', 'high'),
    );
    const told: Alarm['escalation'] = { ladder: 'day', step: 2, told: 1, due: 9 };
    open = new Map([...open].map(([key, alarm]) => [key, { ...alarm, escalation: told }]));
    open = apply(open, 100, gone('process:camera'));
    expect(open.get('device:camera-1')).toMatchObject({
      suppressedBy: 'process:camera',
      suppressedUntil: 100 + hiddenGrace,
    });
    open = apply(open, 200, device('camera-2', 'critical'), gone('device:camera-3'));
    expect(open.get('device:camera-2')).toMatchObject({ class: 'critical', shown: 200 });
    expect(hiddenBy(open, 'device:camera-2')).toBeUndefined();
    expect(open.has('device:camera-3')).toBe(false);
    open = apply(open, 300, raise('process:camera', 'high'));
    expect(open.get('device:camera-1')).not.toHaveProperty('suppressedUntil');
    open = apply(open, 400, gone('process:camera'));
    const shown = passAlarmTime(open, at(400 + hiddenGrace)).open.get('device:camera-1');
    expect(shown).toMatchObject({ state: 'unacknowledged', shown: 400 + hiddenGrace });
    expect(shown).not.toHaveProperty('suppressedBy');
    expect(shown).not.toHaveProperty('escalation');
    // The clock was set back by a day: nobody waits for it to come round again.
    expect(passAlarmTime(open, at(400 - 86_400_000)).open.get('device:camera-1')?.suppressedBy).toBeUndefined();
  });

  it('holds over any history: what hides is seen and at least as grave, and what protects lives is never hidden', () => {
    const sources = [
      'device:camera-1',
      'device:camera-2',
      'device:floor-switch',
      'device:core-switch',
      'device:ring-a',
      'device:ring-b',
      'device:behind-ring',
      'output:camera-1/x',
      'blind:b',
      'rule:r',
      'interlock:i',
      'process:camera',
      'process:fieldbus',
      'voice:broadcast',
      'process:broadcast',
    ];
    const deviceOf = (source: string) => {
      if (source.startsWith('device:')) return { device: deviceId(source.slice(7)) };
      return /^(process|voice):/.test(source) ? {} : { device: deviceId('camera-1') };
    };
    const act = fc.record({
      source: fc.constantFrom(...sources),
      what: fc.constantFrom('raise', 'raise', 'return', 'acknowledge', 'wait'),
      severity: fc.constantFrom<AlarmClass>('critical', 'high', 'medium', 'low'),
      ms: fc.integer({ min: 0, max: 40_000 }),
    });
    const isLifeSafety = (source: string) => source === 'interlock:i';
    const chatter = () => createChatterGuard({ most: 2, within: 60_000, calm: 10_000 });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        let open: OpenAlarms = none;
        let now = 1_000_000;
        const context = { ...at(0), isLifeSafety, chatter: chatter() };
        for (const { source, what, severity, ms } of acts) {
          now += ms;
          const alarm = open.get(source);
          if (what === 'raise')
            open = applyAlarmDecisions(open, [raise(source, severity, deviceOf(source))], { ...context, now }).open;
          else if (what === 'return') open = applyAlarmDecisions(open, [gone(source)], { ...context, now }).open;
          else if (what === 'wait') open = passAlarmTime(open, { ...context, now }).open;
          else if (alarm !== undefined) {
            const seen = acknowledgeAlarm(alarm, { time: now, by: 'wang', note: '' });
            const rest = [...open].filter(([key]) => key !== source);
            open = new Map(seen.state === 'normal' ? rest : [...rest, [source, seen]]);
            open = applyAlarmDecisions(open, [], { ...context, now }).open;
          }
          for (const one of open.values()) {
            if (isLifeSafety(one.source)) {
              expect(one.suppressedBy).toBeUndefined();
              expect(one.chattering).toBeUndefined();
            }
            if (one.suppressedBy === undefined || one.suppressedUntil !== undefined) continue;
            const head = open.get(one.suppressedBy);
            expect(head?.active).toBe(true);
            if (head === undefined) continue;
            expect(ranks[head.class]).toBeLessThanOrEqual(ranks[one.class]);
            if (head.suppressedUntil === undefined) expect(head.suppressedBy).toBeUndefined();
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a source that chatters', () => {
  const limits = { most: 3, within: 60_000, calm: 20_000 };
  const room = () => {
    const context = {
      newId: testId,
      causesOf: () => [],
      isLifeSafety: (source: string) => source === 'interlock:fire',
      chatter: createChatterGuard(limits),
    };
    let open: OpenAlarms = none;
    return {
      say: (now: number, ...decisions: AlarmDecision[]) => {
        ({ open } = applyAlarmDecisions(open, decisions, { ...context, now }));
      },
      wait: (now: number) => {
        ({ open } = passAlarmTime(open, { ...context, now }));
      },
      see: (source: string, now: number) => {
        const alarm = open.get(source);
        if (alarm === undefined) return;
        const seen = acknowledgeAlarm(alarm, { time: now, by: 'wang', note: '' });
        open = new Map([...open].filter(([key]) => key !== source || seen.state !== 'normal'));
        if (seen.state !== 'normal') open = new Map([...open, [source, seen]]);
      },
      of: (source: string) => open.get(source),
    };
  };

  it('is held up as one alarm that counts, and returns when it has been calm', () => {
    const { say, wait, of } = room();
    for (const time of [0, 1_000, 2_000]) {
      say(time, raise('device:door'));
      say(time + 500, gone('device:door'));
    }
    const id = of('device:door')?.id;
    expect(of('device:door')).toMatchObject({ active: true, count: 3, chattering: { since: 2_500, quiet: 2_500 } });
    say(10_000, raise('device:door'));
    expect(of('device:door')).toMatchObject({ id, count: 4, came: 10_000, chattering: { since: 2_500, quiet: null } });
    say(90_000, gone('device:door'));
    wait(109_999);
    expect(of('device:door')).toMatchObject({ state: 'unacknowledged', active: true });
    wait(110_000);
    expect(of('device:door')).toMatchObject({ id, state: 'returned', active: false, count: 4, returned: 110_000 });
    expect(of('device:door')).not.toHaveProperty('chattering');
  });

  it('is known by its source, though somebody ends each occurrence, and calls nobody again while it is held up', () => {
    const { say, see, wait, of } = room();
    for (const time of [0, 1_000, 2_000]) {
      say(time, raise('device:door'));
      see('device:door', time);
      say(time + 500, gone('device:door'));
    }
    expect(of('device:door')).toMatchObject({ state: 'acknowledged', active: true, count: 1 });
    say(3_000, raise('device:door'));
    expect(of('device:door')).toMatchObject({ state: 'acknowledged', count: 2 });
    say(3_500, raise('device:door', 'critical'));
    expect(of('device:door')).toMatchObject({ state: 'unacknowledged', class: 'critical', count: 2 });
    say(4_000, gone('device:door'));
    see('device:door', 5_000);
    wait(24_000);
    expect(of('device:door')).toBeUndefined();
  });

  it('comes anew each time when it protects lives, and when it came seldom', () => {
    const { say, of } = room();
    for (let i = 0; i < 10; i++) {
      say(i * 1_000, raise('interlock:fire', 'critical'));
      expect(of('interlock:fire')).toMatchObject({ state: 'unacknowledged', active: true, count: i + 1 });
      say(i * 1_000 + 500, gone('interlock:fire'));
      expect(of('interlock:fire')).toMatchObject({ state: 'returned', active: false });
      say(i * 61_000 + 100_000, raise('device:gate'), gone('device:gate'));
      expect(of('device:gate')?.active).toBe(false);
    }
  });

  it('goes on being held up after a restart, and hides nothing while it is quiet', () => {
    const held: Alarm = {
      id: testId(),
      source: 'process:camera',
      class: 'high',
      state: 'acknowledged',
      active: true,
      message: words,
      next: words,
      raised: 0,
      count: 9,
      chattering: { since: 5, quiet: null },
    };
    const context = { ...at(10), chatter: createChatterGuard(limits) };
    const open = applyAlarmDecisions(new Map([['process:camera', held]]), [device('camera-1')], context).open;
    expect(hiddenBy(open, 'device:camera-1')).toBe('process:camera');
    const quiet = applyAlarmDecisions(open, [gone('process:camera')], { ...context, now: 20 }).open;
    expect(quiet.get('process:camera')).toMatchObject({ active: true, chattering: { since: 5, quiet: 20 } });
    expect(quiet.get('device:camera-1')).toMatchObject({ suppressedUntil: 20 + hiddenGrace });
    expect(passAlarmTime(quiet, { ...context, now: 20 + limits.calm }).open.has('process:camera')).toBe(false);
  });

  it('is to its source as if it were not held up, so that it is raised again when it comes back', () => {
    const base = apply(none, 1, device('a'), device('b'), device('c'));
    expect(asSourcesSee(base)).toBe(base);
    const held = new Map(
      [...base].map(([source, alarm], i) => [
        source,
        {
          ...alarm,
          chattering: { since: 1, quiet: i < 2 ? 1 : null },
          ...(i === 0 ? { state: 'acknowledged' as const } : {}),
        },
      ]),
    );
    const view = asSourcesSee(held);
    expect([...view.keys()]).toEqual(['device:b', 'device:c']);
    expect(view.get('device:b')).toMatchObject({ state: 'returned', active: false });
    expect(view.get('device:c')).toBe(held.get('device:c'));
    expect(asSourcesSee(held)).toBe(view);
  });

  it('is forgotten, and that is counted, when sources are more than can be remembered', () => {
    const guard = createChatterGuard(limits);
    for (let i = 0; i < 5_003; i++) guard.came(`flow:${i}`, i);
    expect(guard.dropped).toBe(3);
    guard.came('flow:4000', 6_000);
    guard.came('flow:4000', 6_001);
    expect(guard.isTooOften('flow:4000', 6_002)).toBe(true);
    expect(guard.isTooOften('flow:4000', 80_000)).toBe(false);
  });
});

it('lets one person keep only so many alarms out of sight at once', () => {
  const open = new Map<string, Alarm>();
  for (let i = 0; i <= mostShelvedEach; i++) {
    const alarm = apply(none, 1, device(`meter-${i}`)).get(`device:meter-${i}`);
    if (alarm === undefined) throw new Error('nothing was raised');
    const refused = whyNotShelved(alarm, 30, () => false, { by: 'lin', open });
    if (i < mostShelvedEach) expect(refused).toBeNull();
    else {
      expect(refused).toContain(`lin has shelved ${mostShelvedEach} alarms already`);
      expect(whyNotShelved(alarm, 30, () => false, { by: 'wang', open })).toBeNull();
    }
    open.set(alarm.source, shelveAlarm(alarm, { until: 99_000_000, by: 'lin', reason: 'x' }));
  }
  const [first] = open.values();
  const others = new Map([...open].slice(0, mostShelvedEach));
  if (first === undefined) throw new Error('nothing is shelved');
  // Saying it again for one of them is not one more.
  expect(whyNotShelved(first, 60, () => false, { by: 'lin', open: others })).toBeNull();
});
