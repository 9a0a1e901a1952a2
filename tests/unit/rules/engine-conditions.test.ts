import { describe, expect, it } from 'vitest';
import type { Condition } from '#edge/domain/rule.ts';
import { maxSpans } from '#edge/rules/change-window.ts';
import { Rules } from './rules-at-work.ts';
import { comfort, monday, over, rule, smokeIs, sunday } from './small-campus.ts';

const minutes = 60_000;
const rises: Condition = {
  kind: 'rate',
  points: { of: 'room-101/temperature' },
  needs: 'any',
  change: { rises: 5 },
  within: 10 * minutes,
  onBad: 'hold',
};
const opened = { points: { of: 'room-*/window' }, becomes: { is: true } } as const;

describe('a rate of change', () => {
  it('fires when the value is so much above the lowest of its window, and clears when that has left the window', () => {
    const rules = new Rules([rule('r', rises)]);
    rules.hear('room-101/temperature', 20);
    rules.pass(4 * minutes);
    rules.hear('room-101/temperature', 23);
    rules.pass(3 * minutes);
    expect(rules.isFired('r')).toBe(false);
    rules.hear('room-101/temperature', 25.5);
    expect(rules.alarm('interlock:r').reason).toBe(
      'room-101/temperature is 25.5 Cel (good), 5.5 Cel more than the lowest of the last 600 s',
    );
    // 20 degrees were so until four minutes after the start: ten minutes later they count no more.
    rules.pass(7 * minutes - 1);
    expect(rules.isFired('r')).toBe(true);
    rules.pass(1);
    expect(rules.isFired('r')).toBe(false);
  });

  it('knows the value of a point that says nothing while it does not change', () => {
    const rules = new Rules([rule('r', rises)]);
    rules.hear('room-101/temperature', 20);
    rules.pass(5 * 60 * minutes);
    rules.hear('room-101/temperature', 26);
    expect(rules.isFired('r')).toBe(true);
  });

  it('falls as well, and a slow change is none', () => {
    const rules = new Rules([rule('r', { ...rises, change: { falls: 4 } })]);
    for (let value = 30; value > 0; value -= 1) {
      rules.hear('room-101/temperature', value);
      rules.pass(5 * minutes);
      expect(rules.isFired('r')).toBe(false);
    }
    rules.hear('room-101/temperature', -4);
    expect(rules.isFired('r')).toBe(true);
  });

  it('is not made by a value that nobody can use', () => {
    const rules = new Rules([rule('r', rises)]);
    rules.hear('room-101/temperature', 20);
    rules.hear('room-101/temperature', 85, 'bad', 'device-failure');
    expect(rules.isFired('r')).toBe(false);
    rules.hear('room-101/temperature', 'n/a');
    expect(rules.isFired('r')).toBe(false);
  });

  it('that stood before a restart stands for one window more, and starts nothing', () => {
    const rules = new Rules([rule('r', rises)]);
    rules.hear('room-101/temperature', 20);
    rules.hear('room-101/temperature', 26);
    rules.restart();
    rules.hear('room-101/temperature', 26);
    rules.pass(9 * minutes);
    expect(rules.isFired('r')).toBe(true);
    rules.pass(2 * minutes);
    expect(rules.isFired('r')).toBe(false);

    const quiet = new Rules([rule('r', rises, { while: [{ kind: 'mode', mode: 'm', is: true }] })]);
    quiet.hear('room-101/temperature', 20);
    quiet.hear('room-101/temperature', 26);
    quiet.restart();
    quiet.hear('room-101/temperature', 26);
    quiet.mode('m', true);
    expect(quiet.isFired('r')).toBe(false);
  });

  it('remembers a bounded number of values and still sees the rise', () => {
    const rules = new Rules([rule('r', { ...rises, change: { rises: 1_000 } })]);
    for (let value = 0; value < 4 * maxSpans; value++) {
      rules.hear('room-101/temperature', value);
      rules.pass(10);
    }
    expect(rules.isFired('r')).toBe(true);
    expect(rules.alarm('interlock:r').reason).toContain('more than the lowest of the last 600 s');
  });
});

describe('a count', () => {
  const people: Condition = {
    kind: 'count',
    of: { event: 'person', device: 'camera-*' },
    atLeast: 3,
    within: 5 * minutes,
  };

  it('of events fires at the third within its time, names the event, and clears as they leave the window', () => {
    const rules = new Rules([rule('r', people)]);
    rules.see('person', 'camera-gate');
    rules.pass(2 * minutes);
    rules.see('person', 'camera-playground');
    rules.see('person', 'camera-gate', false);
    rules.pass(2 * minutes);
    expect(rules.isFired('r')).toBe(false);
    const third = rules.see('person', 'camera-gate');
    expect(rules.alarm('interlock:r')).toMatchObject({
      event: third.id,
      device: 'camera-gate',
      reason: 'event person came 3 times within 300 s',
    });
    rules.pass(minutes);
    expect(rules.isFired('r')).toBe(false);
  });

  it('does not count what is too far apart', () => {
    const rules = new Rules([rule('r', people)]);
    for (let i = 0; i < 10; i++) {
      rules.see('person', 'camera-gate');
      rules.pass(3 * minutes);
    }
    expect(rules.journal).toEqual([]);
  });

  it('of beginnings counts each time that a point begins, not how long it stays nor what was so at the start', () => {
    const rules = new Rules([rule('r', { kind: 'count', of: opened, atLeast: 2, within: 10 * minutes })]);
    rules.hear('room-101/window', true);
    rules.hear('room-102/window', false);
    rules.hear('room-101/window', true);
    rules.hear('room-102/window', true);
    expect(rules.isFired('r')).toBe(false);
    rules.hear('room-101/window', false);
    rules.hear('room-101/window', true, 'bad', 'no-communication');
    expect(rules.isFired('r')).toBe(false);
    rules.hear('room-101/window', true);
    expect(rules.alarm('interlock:r').reason).toBe('room-*/window began to say so 2 times within 600 s');
  });

  it('never stands in the way of a reset, which does not count what is so as begun', () => {
    const rules = new Rules([
      rule('r', { kind: 'count', of: opened, atLeast: 1, within: 10 * minutes }, { latch: true }),
    ]);
    for (const room of ['101', '102']) rules.hear(`room-${room}/window`, false);
    rules.hear('room-101/window', true);
    expect(rules.reset('r').reset).toBe(true);
    expect(rules.isFired('r')).toBe(false);
  });
});

describe('the calendar, the time and modes', () => {
  it('limit when a rule may fire, and clear it when their time is over', () => {
    const rules = new Rules([rule('r', smokeIs('hold'), { while: [{ kind: 'calendar', is: 'open' }] })], monday);
    rules.hear('smoke-101/smoke', true);
    expect(rules.take()).toEqual(['hold relay-1/relay_1=false', 'raise interlock:r']);
    rules.pass(8.5 * 60 * minutes);
    expect(rules.take()).toEqual(['relinquish relay-1/relay_1', 'return interlock:r']);
    expect(rules.journal.at(-1)).toMatchObject({ what: 'cleared', why: 'its hours are over' });
    rules.pass(13 * 60 * minutes);
    expect(rules.take()).toEqual(['hold relay-1/relay_1=false', 'raise interlock:r']);
  });

  it('leave a latched trip standing', () => {
    const late = { while: [{ kind: 'calendar', is: 'closed' }], latch: true } as const;
    const rules = new Rules([rule('r', smokeIs('hold'), late)], sunday);
    rules.hear('smoke-101/smoke', true);
    rules.pass(30 * 60 * minutes);
    expect(rules.isFired('r')).toBe(true);
  });

  it('reach over midnight, on the day on which they began', () => {
    const night: Condition = { kind: 'time', from: 22 * 60, to: 6 * 60, days: [1] };
    const rules = new Rules([rule('r', night)], sunday);
    rules.turn();
    const fired: number[] = [];
    for (let hour = 0; hour < 60; hour++) {
      if (rules.isFired('r')) fired.push(hour);
      rules.pass(60 * minutes);
    }
    // Sunday 10:00 and 36 hours are Monday 22:00; eight hours later it is over.
    expect(fired).toEqual([36, 37, 38, 39, 40, 41, 42, 43]);
  });

  it('follow the wall clock when it is put forward, and back', () => {
    const rules = new Rules([rule('r', { kind: 'calendar', is: 'open' })], sunday);
    rules.turn();
    expect(rules.isFired('r')).toBe(false);
    rules.now += 24 * 60 * minutes;
    rules.turn();
    expect(rules.isFired('r')).toBe(true);
    rules.now -= 24 * 60 * minutes;
    rules.turn();
    expect(rules.isFired('r')).toBe(false);
  });

  it('of a mode are heard in the step in which it changes', () => {
    const exam: Condition = { kind: 'mode', mode: 'exam', is: true };
    const rules = new Rules([rule('on', exam), rule('off', { ...exam, is: false })]);
    rules.turn();
    expect([rules.isFired('on'), rules.isFired('off')]).toEqual([false, true]);
    rules.mode('exam', true);
    expect([rules.isFired('on'), rules.isFired('off')]).toEqual([true, false]);
    expect(rules.alarm('interlock:on').reason).toBe('mode exam is on');
  });

  it('make an alarm that others may wait for, though nothing can confirm them', () => {
    const rules = new Rules([
      rule('panic', { kind: 'mode', mode: 'panic', is: true }),
      rule('nobody', { kind: 'unacknowledged', rule: 'panic', for: 30_000 }),
    ]);
    rules.turn();
    rules.mode('panic', true);
    rules.pass(30_200);
    expect(rules.isFired('nobody')).toBe(true);
  });
});

describe('a selection', () => {
  it('needs all of the points that it finds, and one that is unusable is not there', () => {
    const warm = over('room-*/temperature', { above: 28 }, { needs: 'all' });
    const rules = new Rules([comfort('r', warm)]);
    rules.hear('room-101/temperature', 30);
    expect(rules.isFired('r')).toBe(false);
    rules.hear('room-102/temperature', 31);
    expect(rules.isFired('r')).toBe(true);
    rules.hear('room-102/temperature', 20);
    expect(rules.isFired('r')).toBe(false);
  });

  it('by tag, space and zone finds only what is there', () => {
    const selections = [{ tags: ['classroom'] }, { spaces: ['classroom-101'] }, { zones: ['gate'] }] as const;
    const found = selections.map((where) => {
      const when = { ...over('*/temperature', { above: 28 }), points: { of: '*/temperature', ...where } };
      const rules = new Rules([comfort('r', when as Condition)]);
      rules.turn();
      return rules.why('r').when.points.map(({ ref }) => ref);
    });
    expect(found).toEqual([['room-101/temperature', 'room-102/temperature'], ['room-101/temperature'], []]);
  });

  it('does not miss a point that not every device of the model has, before it is heard', () => {
    const rules = new Rules([rule('r', over('room-*/battery', { below: 20 }))]);
    rules.turn();
    rules.pass(60_000);
    expect(rules.take()).toEqual([]);
    rules.hear('room-101/battery', 90);
    rules.hear('room-101/battery', null, 'bad', 'no-communication');
    rules.pass(31_000);
    expect(rules.take()).toEqual(['raise blind:r']);
  });
});

describe('an alarm that nobody answers', () => {
  it('is waited for in each place by itself', () => {
    const warm = { ...over('*/temperature', { above: 28 }), points: { of: '*/temperature', here: true } } as const;
    const each = { place: 'space', of: { of: 'room-*/temperature' } } as const;
    const rules = new Rules([
      rule('warm', warm, { each }),
      rule('late', { kind: 'unacknowledged', rule: 'warm', for: 60_000 }),
    ]);
    rules.hear('room-101/temperature', 30);
    rules.hear('room-102/temperature', 20);
    rules.pass(40_000);
    rules.hear('room-102/temperature', 30);
    rules.acknowledge('interlock:warm@classroom-101');
    rules.pass(40_000);
    expect(rules.isFired('late')).toBe(false);
    rules.pass(20_000);
    expect(rules.alarm('interlock:late').reason).toBe('the alarm of warm@classroom-102 stood unacknowledged for 60 s');
  });

  it('that was open before a restart is waited for from when its cause is heard again, by whoever hears nothing else', () => {
    const rules = new Rules([
      rule('smoke', smokeIs('hold')),
      rule('late', { kind: 'unacknowledged', rule: 'smoke', for: 30_000 }),
    ]);
    rules.hear('smoke-101/smoke', true);
    rules.restart();
    rules.pass(3_600_000);
    expect(rules.isFired('late')).toBe(false);
    rules.hear('smoke-101/smoke', true);
    rules.pass(30_000);
    expect(rules.isFired('late')).toBe(true);
  });

  it('is no reason for others while only a part of its latched cause is seen again', () => {
    const both = over('smoke-102/smoke', { is: true });
    const rules = new Rules([
      rule('smoke', { kind: 'all', conditions: [smokeIs('hold'), both] }, { latch: true }),
      rule('late', { kind: 'unacknowledged', rule: 'smoke', for: 30_000 }),
    ]);
    for (const detector of ['smoke-101', 'smoke-102']) rules.hear(`${detector}/smoke`, true);
    rules.restart();
    rules.hear('smoke-102/smoke', false);
    rules.hear('smoke-101/smoke', true);
    rules.pass(3_600_000);
    expect([rules.isFired('smoke'), rules.isFired('late')]).toEqual([true, false]);
  });
});
