import { describe, expect, it } from 'vitest';
import { Rules } from './rules-at-work.ts';
import { calendar, demoRules as demo, monday, over, rule, smokeIs, sunday } from './small-campus.ts';

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
    expect(rules.take()).toEqual(['raise blind:fire', 'raise blind:smoke', 'raise blind:overload']);
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
    expect(rules.engine.standing().filter((one) => one.owner === 'interlock:fire')).toHaveLength(4);
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

  it('with another condition forgets the verdicts of the old one, but not a latched trip', () => {
    const flood = over('smoke-102/smoke', { is: true });
    for (const latch of [false, true]) {
      const rules = new Rules([rule('r', smokeIs('hold'), { latch })]);
      rules.hear('smoke-101/smoke', true);
      rules.restart(5_000, [rule('r', flood, { latch })]);
      expect(rules.isFired('r'), `latch ${latch}`).toBe(latch);
    }
  });

  it('ignores stored state that is not ours', () => {
    for (const stored of [undefined, null, 'x', { format: 2, fired: true }, { format: 1, fired: true, leaves: null }]) {
      const rules = new Rules([]);
      rules.stored.set('rule:r', stored);
      rules.restart(5_000, [rule('r', smokeIs('hold'), { latch: true })]);
      expect(rules.isFired('r')).toBe(false);
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
    const rules = new Rules([rule('r', over('meter-main/current_l1', { above: 1 }))]);
    rules.hear('meter-main/current_l1', 'n/a');
    rules.pass(31_000);
    expect(rules.take()).toEqual(['raise blind:r']);
  });

  it('is also a point that no profile has', () => {
    const rules = new Rules([rule('r', over('heat-*/smoke', { is: true }, { needs: 2 }))]);
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
    expect(rules.reset('flood')).toMatchObject({ reset: false, message: 'there is no interlock or rule "flood"' });
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
  it('looks at nobody for a reading of no interest', () => {
    const rules = new Rules(demo).calm();
    const before = rules.engine.counters.evaluations;
    const outcome = rules.hear('relay-1/relay_1', true);
    expect(outcome).toMatchObject({ decisions: [], journal: [], durable: {} });
    expect(rules.engine.counters.evaluations).toBe(before);
  });

  it('asks to be stored for a verdict and not for a timer', () => {
    const rules = new Rules(demo).calm();
    expect(Object.keys(rules.hear('meter-main/current_l1', 50).durable)).toEqual([]);
    expect(Object.keys(rules.hear('meter-main/current_l1', 120).durable)).toEqual(['rule:overload']);
    expect(Object.keys(rules.hear('meter-main/current_l1', 121).durable)).toEqual([]);
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
    // What is left to wait for is the end of the school day.
    expect(rules.last?.wakeIn).toBe(calendar.nextChange(rules.now) - rules.now);
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
    const low = over('meter-main/current_l1', { below: 10 }, { for: 5_000 });
    const rules = new Rules([rule('r', { kind: 'all', conditions: [smokeIs('hold'), low] })]);
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
