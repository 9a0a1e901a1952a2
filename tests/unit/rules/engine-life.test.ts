import { describe, expect, it } from 'vitest';
import type { PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { Action, Rule } from '#edge/domain/rule.ts';
import { createEngine } from '#edge/rules/create-engine.ts';
import { Rules } from './rules-at-work.ts';
import { alarm, calendar, campus, comfort, monday, off, over, ref, rule, smokeIs } from './small-campus.ts';

const fired = (id = 'r', more: Partial<Rule> = {}) => {
  const rules = new Rules([rule(id, smokeIs('hold'), more)]);
  rules.hear('smoke-101/smoke', true);
  rules.take();
  return rules;
};

describe('a new version', () => {
  it('goes on where the old one was: nothing is said twice, the time of `for` runs on', () => {
    const rules = new Rules([rule('r', smokeIs('hold', 30_000))]);
    rules.hear('smoke-101/smoke', true);
    rules.pass(20_000);
    const text = { zh: '改', en: 'changed' };
    rules.put(rule('r', smokeIs('hold', 30_000), { name: text }));
    rules.pass(9_999);
    expect(rules.take()).toEqual([]);
    rules.pass(1);
    expect(rules.take()).toEqual(['hold relay-1/relay_1=false', 'raise interlock:r']);
    rules.put(rule('r', smokeIs('hold', 30_000), { about: text }), 3);
    expect(rules.take()).toEqual([]);
    expect(rules.view('r')).toMatchObject({ fired: true, version: 3 });
  });

  it('with the same condition elsewhere in its tree remembers it', () => {
    const rules = fired();
    rules.hear('smoke-101/smoke', true, 'bad', 'no-communication');
    const low = over('meter-main/current_l1', { below: 1 });
    rules.put(rule('r', { kind: 'any', conditions: [low, smokeIs('hold')] }));
    expect(rules.isFired('r')).toBe(true);
  });

  it('with another condition clears what no longer stands, but not a latched trip', () => {
    for (const latch of [false, true]) {
      const rules = fired('r', { latch });
      rules.put(rule('r', over('smoke-102/smoke', { is: true }), { latch }));
      expect(rules.isFired('r'), `latch ${latch}`).toBe(latch);
    }
  });

  it('says how its outputs differ', () => {
    const rules = fired();
    const on: Action = { ...off, outputs: { of: 'relay-1/relay_2' }, value: true };
    rules.put(rule('r', smokeIs('hold'), { then: [on, alarm] }));
    expect(rules.take()).toEqual(['hold relay-1/relay_2=true', 'relinquish relay-1/relay_1']);
  });

  it('of another kind gives back under the old name what it holds under the new one', () => {
    const rules = fired();
    rules.put(comfort('r', smokeIs('hold'), { then: [{ ...off, for: 60_000 }, alarm] }));
    expect(rules.decisions.map((one) => ('owner' in one ? `${one.kind} ${one.owner}` : one.kind))).toEqual([
      'relinquish interlock:r',
      'return',
      'hold rule:r',
      'raise',
    ]);
  });

  it('of another priority says its holds again with it', () => {
    const rules = fired();
    rules.put(rule('r', smokeIs('hold'), { priority: 1 }));
    expect(rules.decisions).toMatchObject([{ kind: 'hold', ref: 'relay-1/relay_1', priority: 1 }]);
  });

  it('without a place that it had lets go of it and forgets it', () => {
    const warm = { ...over('*/temperature', { above: 28 }), points: { of: '*/temperature', here: true } } as const;
    const then: Action[] = [{ kind: 'hold', outputs: { of: '*/fan', here: true }, value: true, for: 60_000 }];
    const rooms = (of: string) => comfort('r', warm, { each: { place: 'space', of: { of } }, then });
    const rules = new Rules([rooms('room-*/temperature')]);
    rules.hear('room-101/temperature', 30);
    rules.hear('room-102/temperature', 30);
    rules.take();
    rules.put(rooms('room-101/temperature'));
    expect(rules.take()).toEqual(['relinquish room-102/fan']);
    expect([...rules.stored.keys()]).toEqual(['rule:r@classroom-101']);
  });

  it('that cannot be read at all says so and stops nobody', () => {
    const rules = fired();
    rules.put({ ...rule('broken', smokeIs('hold')), when: null } as unknown as Rule);
    rules.pass(30_000);
    expect(rules.alarm('blind:broken').reason).toContain('a rule that cannot be read');
    expect(rules.isFired('r')).toBe(true);
  });
});

describe('a rule that is taken out', () => {
  it('lets go of what it holds, returns its alarms and is forgotten', () => {
    const rules = fired();
    rules.remove('r');
    expect(rules.take()).toEqual(['relinquish relay-1/relay_1', 'return interlock:r']);
    expect(rules.stored.size).toBe(0);
    expect(rules.journal.at(-1)).toMatchObject({ what: 'ended', instance: 'r' });
    rules.hear('smoke-101/smoke', false);
    rules.hear('smoke-101/smoke', true);
    expect(rules.take()).toEqual([]);
  });

  it('and put in again in the same step keeps what is still wanted held throughout', () => {
    const rules = fired();
    rules.engine.remove('r');
    rules.put(rule('r', smokeIs('hold'), { priority: 1 }));
    expect(rules.take()).toEqual(['hold relay-1/relay_1=false']);
    expect(rules.alarm('interlock:r').active).toBe(true);
  });

  it('ends the wait of who waits for its alarm', () => {
    const rules = new Rules([
      rule('r', smokeIs('hold')),
      rule('late', { kind: 'unacknowledged', rule: 'r', for: 1_000 }, { then: [alarm] }),
    ]);
    rules.hear('smoke-101/smoke', true);
    rules.pass(2_000);
    expect(rules.isFired('late')).toBe(true);
    rules.remove('r');
    expect(rules.isFired('late')).toBe(false);
  });
});

describe('an alarm that was lost', () => {
  it('is raised again by the next look, after a restart too, with the event that did it', () => {
    const rules = new Rules([rule('r', { kind: 'event', type: 'person', device: 'camera-*', for: 60_000 })]);
    const event = rules.see('person', 'camera-gate');
    rules.alarms = new Map();
    rules.restart();
    expect(rules.alarm('interlock:r')).toMatchObject({ event: event.id, device: 'camera-gate', zone: 'gate' });
  });
});

describe('a rule in shadow', () => {
  const stepOf = (engine: ReturnType<typeof createEngine>, value: boolean, monotonic: number) => {
    const name = ref('smoke-101/smoke');
    const reading = {
      ref: name,
      device: 'smoke-101',
      point: 'smoke',
      value,
      unit: '',
      quality: 'good',
      sourceTime: monday,
      receivedTime: monday,
    } as unknown as Reading;
    const latest = new Map([[name, reading]]);
    // The alarm of the version that acts is open all the time: the one in shadow has one of its own.
    const openAlarms = new Map();
    return engine.step({ now: monday, monotonic, changed: [name], latest, events: [], openAlarms, modes: new Set() });
  };

  it('decides and writes as it would, each thing once, and says that it only watched', () => {
    const engine = createEngine({ campus, calendar, monotonic: 0, shadow: true });
    engine.put({ rule: rule('r', smokeIs('hold')), version: 7 });
    const first = stepOf(engine, true, 1);
    expect(first.decisions.map(({ kind }) => kind)).toEqual(['hold', 'raise']);
    expect(first.journal).toMatchObject([{ what: 'fired', shadow: true, version: 7 }]);
    expect(stepOf(engine, true, 2)).toMatchObject({ decisions: [], journal: [] });
    expect(stepOf(engine, false, 3).decisions.map(({ kind }) => kind)).toEqual(['relinquish', 'return']);
  });
});

describe('a rule that fails inside', () => {
  /** A reading that cannot be read: what a mistake of ours would look like. */
  function poison(rules: Rules, name: string): void {
    const broken = new Proxy({} as Reading, {
      get: () => {
        throw new Error('poisoned');
      },
    });
    rules.latest.set(name as PointRef, broken);
  }

  it('stops no other, is counted, and says at once that it sees nothing', () => {
    const rules = new Rules([
      rule('bad', over('smoke-102/smoke', { is: true })),
      rule('good', smokeIs('hold'), { then: [alarm] }),
    ]);
    rules.turn();
    poison(rules, 'smoke-102/smoke');
    rules.set('smoke-101/smoke', true);
    rules.turn([ref('smoke-102/smoke'), ref('smoke-101/smoke')]);
    expect(rules.take()).toEqual(['raise blind:bad', 'raise interlock:good']);
    expect(rules.alarm('blind:bad').reason).toBe('the rule cannot be evaluated: poisoned');
    expect(rules.engine.counters.failures).toBe(1);
    expect(rules.view('bad').blind).toBe(true);
    rules.hear('smoke-102/smoke', true);
    expect(rules.take()).toEqual(['hold relay-1/relay_1=false', 'raise interlock:bad', 'return blind:bad']);
  });

  it('keeps what it holds, and says it once more when it can be evaluated again', () => {
    const rules = fired();
    poison(rules, 'smoke-101/smoke');
    rules.turn([ref('smoke-101/smoke')]);
    rules.turn([ref('smoke-101/smoke')]);
    expect(rules.take()).toEqual(['raise blind:r']);
    rules.hear('smoke-101/smoke', true);
    expect(rules.take()).toEqual(['hold relay-1/relay_1=false', 'return blind:r']);
  });
});

describe('a reset', () => {
  it('of a rule resets each of its instances that may be, and says why not of the others', () => {
    const warm = { ...over('*/temperature', { above: 28 }), points: { of: '*/temperature', here: true } } as const;
    const each = { place: 'space', of: { of: 'room-*/temperature' } } as const;
    const rules = new Rules([rule('warm', warm, { each, latch: true, then: [alarm] })]);
    for (const room of ['101', '102']) rules.hear(`room-${room}/temperature`, 30);
    rules.hear('room-101/temperature', 20);
    const outcome = rules.reset('warm');
    expect(outcome.reset).toBe(true);
    expect(outcome.message).toBe(
      'the cause of interlock "warm@classroom-102" still stands: room-102/temperature is 30 Cel (good)',
    );
    expect(rules.engine.instances().map(({ fired: isFired }) => isFired)).toEqual([false, true]);
    expect(rules.journal.at(-1)).toMatchObject({ what: 'reset', why: 'reset by person:guard' });
  });
});

describe('the answer to why', () => {
  it('names what lacks, with what is seen and until when it must stand', () => {
    const both = {
      kind: 'all',
      conditions: [
        over('smoke-*/smoke', { is: true }, { needs: 2 }),
        over('meter-main/current_l1', { above: 100 }, { for: 30_000 }),
      ],
    } as const;
    const rules = new Rules([rule('r', both, { while: [{ kind: 'calendar', is: 'closed' }] })]).calm();
    rules.hear('smoke-102/smoke', true);
    rules.hear('smoke-201/smoke', true, 'bad', 'no-communication');
    rules.hear('meter-main/current_l1', 120);
    rules.pass(10_000);
    const why = rules.why('r');
    expect(why.instance).toMatchObject({ instance: 'r', fired: false });
    expect(why.when).toMatchObject({ kind: 'all', path: 'when', met: false, count: 0, needs: 2 });
    const [smoke, current] = why.when.parts;
    expect(smoke).toMatchObject({ kind: 'point', path: 'when.conditions[0]', met: false, count: 1, needs: 2 });
    expect(smoke?.points.map(({ ref: at, met, value }) => [at, met, value])).toEqual([
      ['smoke-102/smoke', true, true],
      ['smoke-201/smoke', null, true],
      ['smoke-101/smoke', false, false],
    ]);
    expect(current).toMatchObject({ met: false, dueAt: rules.now + 20_000, count: 1, needs: 1 });
    expect(why.while).toMatchObject([{ kind: 'calendar', path: 'while[0]', met: false }]);
    expect(why.holds).toEqual([]);
  });

  it('counts what is counted, shows what is held, and does not know an instance that is not there', () => {
    const count = { kind: 'count', of: { event: 'person', device: '*' }, atLeast: 3, within: 60_000 } as const;
    const rules = new Rules([rule('r', { kind: 'any', conditions: [count, smokeIs('hold')] })]);
    rules.see('person', 'camera-gate');
    rules.hear('smoke-101/smoke', true);
    const why = rules.why('r');
    expect(why.when.parts[0]).toMatchObject({ kind: 'count', met: false, count: 1, needs: 3 });
    expect(why.holds).toEqual([{ ref: 'relay-1/relay_1', value: false }]);
    const [now, monotonic] = [rules.now, rules.monotonic];
    const seen = { now, monotonic, latest: rules.latest, openAlarms: rules.alarms, modes: rules.modes };
    expect(rules.engine.why('nobody', seen)).toBeNull();
  });
});
