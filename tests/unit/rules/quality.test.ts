import { describe, expect, it } from 'vitest';
import type { Condition, Interlock } from '#edge/domain/interlock.ts';
import { checkInterlocks } from '#edge/rules/check-interlocks.ts';
import { restoreInterlockState, standingHolds } from '#edge/rules/interlock-state.ts';
import { demoDevices, demoSite, monday, Rules, ref, siteWith, sunday } from './campus.ts';

const { interlocks: demo } = demoSite();
const name = { zh: '试验', en: 'Trial' };
const off = { kind: 'hold', ref: ref('relay-1/relay_1'), value: false } as const;

function rule(id: string, when: Condition, more: Partial<Interlock> = {}): Interlock {
  const alarm = { kind: 'alarm', class: 'high', message: name, next: name } as const;
  return { id, name, when, actions: [off, alarm], priority: 5, latch: false, ...more };
}

function smokeIs(onBad: 'trip' | 'hold' | 'ignore', forMs = 0): Condition {
  return { kind: 'point', ref: ref('smoke-101/smoke'), test: { is: true }, for: forMs, onBad };
}

function fire(): Rules {
  const rules = new Rules(demo, monday).calm();
  rules.hear('smoke-101/smoke', true);
  rules.hear('smoke-102/smoke', true);
  rules.take();
  return rules;
}

describe('a restart', () => {
  it('evacuates nobody: everything is stale, nothing trips, and after 30 s the blind interlocks say so', () => {
    const rules = new Rules(demo, monday);
    rules.turn();
    expect(rules.take()).toEqual([]);
    rules.pass(29_000);
    expect(rules.take()).toEqual([]);
    rules.pass(600_000);
    expect(rules.take()).toEqual(['raise blind:smoke', 'raise blind:fire', 'raise blind:overload']);
    expect(rules.alarm('blind:fire').message.en).toContain('fire-panel/alarm is unknown (bad, never-read)');
  });

  it('of a calm campus with detectors that tripped long ago starts nothing on their remembered values', () => {
    const rules = new Rules(demo, monday).calm();
    rules.hear('smoke-101/smoke', true);
    rules.acknowledge('interlock:smoke');
    rules.restart(3 * 86_400_000);
    rules.take();
    rules.hear('smoke-102/smoke', true);
    // One fresh and one remembered are not two: but the fresh one is an alarm that escalates if nobody answers.
    expect(rules.take().filter((word) => word.startsWith('hold'))).toEqual([]);
  });

  it('keeps an evacuation playing on stale data and says its holds once more', () => {
    const rules = fire();
    rules.restart();
    expect(rules.take()).toEqual([
      'hold speaker-teaching/clip=evacuation',
      'hold speaker-playground/clip=evacuation',
      'hold speaker-gate/clip=evacuation',
      'hold relay-1/relay_5=false',
    ]);
    rules.pass(3_600_000);
    expect(rules.take().filter((word) => word.includes('relinquish'))).toEqual([]);
    expect(standingHolds(rules.state).filter((one) => one.owner === 'interlock:fire')).toHaveLength(4);
  });

  it('does not let a stale unacknowledged alarm ring for a school: the 30 s need a value heard since', () => {
    const rules = new Rules(demo, monday).calm();
    rules.hear('smoke-101/smoke', true);
    rules.pass(10_000);
    rules.restart(3 * 86_400_000);
    rules.take();
    rules.pass(600_000);
    expect(rules.take().filter((word) => word.startsWith('hold'))).toEqual([]);
    rules.hear('smoke-101/smoke', true);
    rules.pass(29_000);
    expect(rules.take().filter((word) => word.startsWith('hold'))).toEqual([]);
    rules.pass(2_000);
    expect(rules.take()).toContain('hold speaker-gate/clip=evacuation');
  });

  it.each(['hold', 'ignore', 'trip'] as const)(
    'clears no trip on stale data with onBad %s, and clears it on good data',
    (onBad) => {
      const rules = new Rules([rule('r', smokeIs(onBad))]);
      rules.hear('smoke-101/smoke', true);
      rules.restart();
      rules.pass(3_600_000);
      expect(rules.take().filter((word) => word.startsWith('relinquish'))).toEqual([]);
      rules.hear('smoke-101/smoke', false);
      expect(rules.take()).toContain('relinquish relay-1/relay_1');
    },
  );

  it('starts a pending `for` again, and keeps shed tiers', () => {
    const rules = new Rules(demo, monday).calm();
    rules.hear('meter-main/current_l1', 120);
    rules.pass(25_000);
    rules.restart();
    rules.hear('meter-main/current_l1', 120);
    rules.pass(29_000);
    expect(rules.take()).toEqual([]);
    rules.pass(61_000);
    expect(rules.take().filter((word) => !word.includes('blind'))).toEqual([
      'hold relay-1/relay_8=false',
      'raise interlock:overload',
      'hold relay-1/relay_2=false',
    ]);
    rules.restart();
    expect(rules.take().filter((word) => !word.includes('blind'))).toEqual([
      'hold relay-1/relay_8=false',
      'hold relay-1/relay_2=false',
    ]);
  });

  it('gives what an event started its whole time again, and does not raise it twice', () => {
    const rules = new Rules(demo, sunday).calm();
    rules.see('person', 'camera-gate');
    rules.pass(50_000);
    rules.take();
    rules.restart();
    rules.pass(59_000);
    expect(rules.take().filter((word) => word.includes('after-hours'))).toEqual([]);
    rules.pass(2_000);
    expect(rules.take().filter((word) => word.includes('after-hours'))).toEqual(['return interlock:after-hours-gate']);
    expect(rules.alarm('interlock:after-hours-gate').count).toBe(1);
  });

  it('with another condition in the site file forgets the verdicts of the old one, but not a latched trip', () => {
    const flood = { kind: 'point', ref: ref('smoke-102/smoke'), test: { is: true }, for: 0, onBad: 'hold' } as const;
    for (const latch of [false, true]) {
      const rules = new Rules([rule('r', smokeIs('hold'), { latch })]);
      rules.hear('smoke-101/smoke', true);
      const edited = new Rules([rule('r', flood, { latch })]);
      edited.state = restoreInterlockState(JSON.parse(JSON.stringify(rules.state)), edited.compiled, edited.monotonic);
      edited.turn();
      expect(edited.state.interlocks.r?.tripped, `latch ${latch}`).toBe(latch);
    }
  });

  it('ignores stored state that is not ours', () => {
    const { compiled } = new Rules(demo);
    for (const stored of [undefined, null, 'x', { version: 2, interlocks: {} }, { version: 1, interlocks: null }]) {
      const state = restoreInterlockState(stored, compiled, 500);
      expect(Object.values(state.interlocks).map((memory) => memory.tripped)).toEqual(demo.map(() => false));
    }
  });
});

describe('a bad value', () => {
  it('with onBad hold keeps the verdict, both ways, and raises one blind alarm that goes when the value is back', () => {
    const rules = new Rules([rule('r', smokeIs('hold'))]);
    rules.hear('smoke-101/smoke', false);
    rules.hear('smoke-101/smoke', null, 'bad', 'no-communication');
    rules.pass(31_000);
    expect(rules.take()).toEqual(['raise blind:r']);
    expect(rules.alarm('blind:r')).toMatchObject({ device: 'smoke-101', class: 'high' });
    rules.hear('smoke-101/smoke', true);
    expect(rules.take()).toEqual(['hold relay-1/relay_1=false', 'raise interlock:r', 'return blind:r']);
    rules.hear('smoke-101/smoke', true, 'bad', 'no-communication');
    rules.pass(31_000);
    expect(rules.take()).toEqual(['raise blind:r']);
  });

  it('says so once, whatever words its quality goes through, and again when another value joins it', () => {
    const rules = new Rules(demo).calm();
    rules.hear('smoke-101/smoke', null, 'bad', 'no-communication');
    rules.pass(31_000);
    rules.take();
    rules.hear('smoke-101/smoke', null, 'bad', 'communication-error');
    rules.hear('smoke-101/smoke', null, 'bad', 'no-communication');
    expect(rules.take()).toEqual([]);
    rules.hear('fire-panel/alarm', null, 'bad', 'no-communication');
    expect(rules.take()).toEqual(['raise blind:fire']);
    expect(rules.alarm('blind:fire')).toMatchObject({ count: 1 });
  });

  it('that lasts one poll raises no blind alarm', () => {
    const rules = new Rules([rule('r', smokeIs('hold'))]);
    rules.hear('smoke-101/smoke', false);
    rules.hear('smoke-101/smoke', null, 'bad', 'communication-error');
    rules.pass(15_000);
    rules.hear('smoke-101/smoke', false);
    rules.pass(60_000);
    expect(rules.take()).toEqual([]);
  });

  it('stops the time of `for` without starting it again', () => {
    const rules = new Rules([rule('r', smokeIs('hold', 30_000))]);
    rules.hear('smoke-101/smoke', true);
    rules.pass(20_000);
    rules.hear('smoke-101/smoke', true, 'bad', 'communication-error');
    rules.pass(25_000);
    rules.hear('smoke-101/smoke', true);
    rules.pass(9_000);
    expect(rules.take()).toEqual([]);
    rules.pass(1_000);
    expect(rules.take()).toEqual(['hold relay-1/relay_1=false', 'raise interlock:r']);
  });

  it('with onBad trip trips at once when heard before, and after a grace when nothing was ever heard', () => {
    const heard = new Rules([rule('r', smokeIs('trip'))]);
    heard.hear('smoke-101/smoke', false);
    heard.hear('smoke-101/smoke', null, 'bad', 'device-failure');
    expect(heard.alarm('interlock:r').reason).toBe(
      'smoke-101/smoke is unknown (bad, device-failure), which counts as tripped',
    );

    const never = new Rules([rule('r', smokeIs('trip'))]);
    never.turn();
    never.pass(29_000);
    expect(never.take()).toEqual([]);
    never.pass(2_000);
    expect(never.take()).toEqual(['hold relay-1/relay_1=false', 'raise interlock:r']);
  });

  it('with onBad ignore counts as false and is not an alarm', () => {
    const rules = new Rules([rule('r', smokeIs('ignore'))]);
    rules.hear('smoke-101/smoke', true);
    rules.take();
    rules.hear('smoke-101/smoke', true, 'bad', 'no-communication');
    rules.pass(3_600_000);
    expect(rules.take()).toEqual(['relinquish relay-1/relay_1', 'return interlock:r']);
  });

  it('of a burnt detector counts as the smoke it saw: a second detector completes the two', () => {
    const rules = new Rules(demo).calm();
    rules.hear('smoke-101/smoke', true);
    rules.hear('smoke-101/smoke', true, 'bad', 'no-communication');
    rules.hear('smoke-102/smoke', true);
    expect(rules.take()).toContain('hold speaker-teaching/clip=evacuation');
  });

  it('is also one of the wrong type', () => {
    const when: Condition = {
      kind: 'point',
      ref: ref('meter-main/current_l1'),
      test: { above: 1 },
      for: 0,
      onBad: 'hold',
    };
    const rules = new Rules([rule('r', when)]);
    rules.hear('meter-main/current_l1', 'n/a');
    rules.pass(31_000);
    expect(rules.take()).toEqual(['raise blind:r']);
  });

  it('is also a point that no profile has', () => {
    const when: Condition = { kind: 'atLeast', n: 2, of: 'heat-*/smoke', test: { is: true }, for: 0, onBad: 'hold' };
    const rules = new Rules([rule('r', when)]);
    rules.turn();
    rules.pass(31_000);
    expect(rules.alarm('blind:r').reason).toBe('heat-*/smoke (0 points, 2 needed)');
  });
});

describe('a latched interlock', () => {
  it('stays tripped when its cause is gone, until a person resets it', () => {
    const rules = fire();
    rules.hear('smoke-101/smoke', false);
    rules.hear('smoke-102/smoke', false);
    rules.pass(3_600_000);
    expect(rules.take()).toEqual(['return interlock:smoke']);
    expect(rules.alarm('interlock:fire').active).toBe(true);
    expect(rules.reset('fire').reset).toBe(true);
    expect(rules.take().sort()).toEqual([
      'relinquish relay-1/relay_5',
      'relinquish speaker-gate/clip',
      'relinquish speaker-playground/clip',
      'relinquish speaker-teaching/clip',
      'return interlock:fire',
    ]);
  });

  it('cannot be reset while its cause stands, and says which', () => {
    const rules = fire();
    const outcome = rules.reset('fire');
    expect(outcome.reset).toBe(false);
    expect(outcome.message).toContain('smoke-101/smoke is true (good), smoke-102/smoke is true (good)');
    expect(rules.take()).toEqual([]);
  });

  it('can be reset when its cause is only remembered: a detector that no longer answers cannot ring for ever', () => {
    const rules = fire();
    rules.hear('smoke-101/smoke', false);
    rules.hear('smoke-102/smoke', true, 'bad', 'no-communication');
    rules.acknowledge('interlock:smoke');
    rules.take();
    expect(rules.reset('fire').reset).toBe(true);
    expect(rules.take()).toContain('relinquish speaker-gate/clip');
    rules.pass(3_600_000);
    expect(rules.take().filter((word) => word.startsWith('hold'))).toEqual([]);
  });

  it('that never tripped or does not exist cannot be reset', () => {
    const rules = new Rules(demo).calm();
    expect(rules.reset('fire')).toMatchObject({ reset: false, message: 'interlock "fire" is not tripped' });
    expect(rules.reset('flood')).toMatchObject({ reset: false, message: 'there is no interlock "flood"' });
  });

  it('trips again after a reset when smoke is seen again', () => {
    const rules = fire();
    rules.hear('smoke-101/smoke', false);
    rules.hear('smoke-102/smoke', false);
    rules.reset('fire');
    rules.take();
    rules.hear('smoke-101/smoke', true);
    rules.hear('smoke-201/smoke', true);
    expect(rules.take()).toContain('hold speaker-gate/clip=evacuation');
  });
});

describe('an evaluation', () => {
  it('does nothing, and keeps the very state, for a reading of no interest', () => {
    const rules = new Rules(demo).calm();
    const before = rules.state;
    const evaluation = rules.hear('relay-1/relay_1', true);
    expect(evaluation.state).toBe(before);
    expect(evaluation.durable).toBe(false);
  });

  it('asks to be stored for a verdict and not for a timer', () => {
    const rules = new Rules(demo).calm();
    expect(rules.hear('meter-main/current_l1', 50).durable).toBe(false);
    expect(rules.hear('meter-main/current_l1', 120).durable).toBe(true);
    expect(rules.hear('meter-main/current_l1', 121).durable).toBe(false);
    expect(rules.last?.wakeIn).toBe(30_000);
  });

  it('woken for nothing does not ask to be woken again', () => {
    const rules = new Rules(demo).calm();
    rules.hear('smoke-101/smoke', true);
    rules.acknowledge('interlock:smoke');
    for (let i = 0; i < 5; i++) {
      rules.now += 10;
      rules.monotonic += 10;
      rules.turn();
    }
    expect(rules.last?.wakeIn).toBeNull();
  });

  it('is not moved by a step of the wall clock', () => {
    const rules = new Rules(demo).calm();
    rules.hear('smoke-101/smoke', true);
    rules.take();
    rules.now += 56 * 365 * 86_400_000;
    rules.turn();
    expect(rules.take()).toEqual([]);
    rules.now -= 60 * 365 * 86_400_000;
    rules.pass(31_000);
    expect(rules.take()).toContain('hold speaker-gate/clip=evacuation');
  });

  it('puts life safety first', () => {
    const rules = new Rules([...demo].reverse()).calm();
    rules.hear('meter-main/current_l1', 120);
    rules.pass(29_999);
    rules.hear('fire-panel/alarm', true);
    rules.take();
    rules.restart();
    expect(rules.take()[0]).toBe('hold speaker-teaching/clip=evacuation');
  });

  it('runs `all` only when every part holds, each with its own time', () => {
    const over: Condition = {
      kind: 'point',
      ref: ref('meter-main/current_l1'),
      test: { below: 10 },
      for: 5_000,
      onBad: 'hold',
    };
    const rules = new Rules([rule('r', { kind: 'all', conditions: [smokeIs('hold'), over] })]);
    rules.hear('smoke-101/smoke', true);
    rules.hear('meter-main/current_l1', 5);
    rules.pass(4_000);
    expect(rules.take()).toEqual([]);
    rules.pass(1_000);
    expect(rules.take()).toEqual(['hold relay-1/relay_1=false', 'raise interlock:r']);
    rules.hear('smoke-101/smoke', false);
    expect(rules.take()).toEqual(['relinquish relay-1/relay_1', 'return interlock:r']);
  });
});

describe('the check of interlocks', () => {
  const context = { devices: demoDevices, openingHours: demoSite().openingHours, timeZone: 'Asia/Shanghai' };

  it('names points, outputs, types, references and circles that are wrong', () => {
    const wrong = [
      rule('a', { kind: 'point', ref: ref('smoke-999/smoke'), test: { above: 3 }, for: 0, onBad: 'hold' }),
      rule('b', { kind: 'unacknowledged', interlock: 'c', for: 0 }),
      rule('c', { kind: 'unacknowledged', interlock: 'b', for: 0 }),
      rule('d', { kind: 'unacknowledged', interlock: 'nobody', for: 0 }),
      rule('e', smokeIs('hold'), { actions: [{ kind: 'hold', ref: ref('relay-1/relay_1'), value: 'on' }] }),
      rule('f', smokeIs('hold'), { actions: [{ kind: 'hold', ref: ref('meter-main/current_l1'), value: 1 }] }),
      rule('g', { kind: 'point', ref: ref('smoke-101/smoke'), test: { above: 3 }, for: 0, onBad: 'hold' }),
      rule('g', { kind: 'atLeast', n: 4, of: 'smoke-*/smoke', test: { is: true }, for: 0, onBad: 'hold' }),
    ];
    expect([...checkInterlocks(wrong, context)].sort()).toEqual([
      'interlock a: unknown point "smoke-999/smoke"',
      'interlock b: waits for its own alarm in a circle',
      'interlock c: waits for its own alarm in a circle',
      'interlock d: unknown interlock "nobody"',
      'interlock e: "relay-1/relay_1" takes boolean, not text',
      'interlock f: "meter-main/current_l1" cannot be written',
      'interlock g: "smoke-*/smoke" matches 3 points, 4 are needed',
      'interlock g: the id is used twice; the last one counts',
    ]);
  });

  it('refuses in the site file what would make sound on bad values', () => {
    const sound = {
      id: 'x',
      name,
      priority: 1,
      when: { kind: 'point', ref: 'smoke-101/smoke', test: { is: true }, onBad: 'trip' },
      actions: [{ kind: 'broadcast', clip: 'evacuation', zones: 'all' }],
    };
    expect(() => siteWith([sound])).toThrow('interlocks[0].when.onBad: "trip" is not allowed where sound is made');
    const { actions: _, ...quiet } = sound;
    const alarm = { kind: 'alarm', class: 'high', message: name, next: name };
    const escalated = { ...sound, id: 'y', when: { kind: 'unacknowledged', interlock: 'x', for: '30s' } };
    expect(() => siteWith([{ ...quiet, actions: [alarm] }, escalated])).toThrow(
      'interlocks[1].when.interlock: "x" trips on bad values, which is not allowed where sound is made',
    );
  });

  it('refuses in the site file an interlock named twice, and one that waits for nobody', () => {
    const waits = {
      id: 'x',
      name,
      priority: 5,
      when: { kind: 'unacknowledged', interlock: 'nobody', for: '30s' },
      actions: [{ kind: 'hold', ref: 'relay-1/relay_1', value: false }],
    };
    expect(() => siteWith([waits, waits])).toThrow(
      [
        'interlocks[1].id: "x" is used twice',
        'interlocks[0].when.interlock: unknown interlock "nobody"',
        'interlocks[1].when.interlock: unknown interlock "nobody"',
      ].join('\n'),
    );
  });
});
