import { describe, expect, it } from 'vitest';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, PointName, PointRef, SpaceId, ZoneId } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { Condition, Rule, Selection } from '#edge/domain/rule.ts';
import { problemsOf } from '#edge/rules/check-rule.ts';
import { mostInRule } from '#edge/rules/compile-rule.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { createEngine } from '#edge/rules/create-engine.ts';
import type { Engine, EngineInput, RuleCampus } from '#edge/rules/engine.ts';
import { mostInAll } from '#edge/rules/rule-roster.ts';

/* Rules made to hurt: each is small to write, and would be large to run. */

const deviceCount = 2_000;
const words = { zh: '量', en: 'much' };
const devices: readonly Device[] = Array.from({ length: deviceCount }, (_, i) => ({
  id: `meter-${i}` as DeviceId,
  name: words,
  profile: 'test/meter',
  protocol: 'mqtt',
  zone: `zone-${i % 20}` as ZoneId,
  space: `room-${i % 400}` as SpaceId,
  address: {},
  points: ['power', 'relay'].map((name) => ({
    name: name as PointName,
    label: words,
    type: name === 'power' ? ('number' as const) : ('boolean' as const),
    unit: name === 'power' ? 'kW' : '',
    poll: 'watch' as const,
    deadband: 0,
    staleAfter: 0,
    address: {},
    ...(name === 'relay'
      ? { write: { verifyAfter: 50, verifyWithin: 1_000, minGap: 0, failSafe: 'keep' as const } }
      : {}),
  })),
}));
const zones = Array.from({ length: 20 }, (_, i) => ({ id: `zone-${i}` as ZoneId, name: words, spaces: [] }));
const campus: RuleCampus = { devices, zones, spaces: [] };
const hours = { weekly: [{ days: [1, 2, 3, 4, 5], from: 420, to: 1_110 }], exceptions: [] };
const calendar = createCalendar(hours, 'Asia/Shanghai');
const around = { clips: [], modes: [], recipients: [], cameras: [], rules: [] };
const start = Date.UTC(2026, 10, 23, 2);

function above(points: Selection, limit: number): Condition {
  return { kind: 'point', points, needs: 'any', test: { above: limit }, for: 0, onBad: 'ignore' };
}

function ruleOf(id: string, more: Partial<Rule>): Rule {
  return {
    id,
    name: words,
    about: null,
    kind: 'energy',
    priority: 12,
    each: null,
    when: above({ of: 'meter-1/power' }, 5),
    while: [],
    then: [{ kind: 'hold', outputs: { of: 'meter-1/relay' }, value: false, for: 60_000 }],
    latch: false,
    clearAfter: 0,
    coolDown: 0,
    tests: [],
    ...more,
  };
}

const everywhere = { place: 'device', of: { of: '*/power' } } as const;
const many = (of: Selection) => Array.from({ length: 60 }, (_, i) => above(of, i));

function engineAtWork(): { engine: Engine; say(...readings: [string, number][]): ReturnType<Engine['step']> } {
  const engine = createEngine({ campus, calendar, monotonic: 0 });
  const latest = new Map<PointRef, Reading>();
  let now = 0;
  return {
    engine,
    say: (...readings) => {
      now += 10;
      for (const [ref, value] of readings) {
        const [device = '', point = ''] = ref.split('/');
        const base = { device: device as DeviceId, point: point as PointName, unit: 'kW', quality: 'good' as const };
        latest.set(ref as PointRef, { ...base, ref: ref as PointRef, value, sourceTime: now, receivedTime: now });
      }
      const changed = readings.map(([ref]) => ref as PointRef);
      const input: EngineInput = {
        now: start + now,
        monotonic: now,
        latest,
        changed,
        events: [],
        openAlarms: new Map(),
        modes: new Set(),
      };
      return engine.step(input);
    },
  };
}

describe('a rule that is small to write and large to run', () => {
  const monsters: readonly [string, Rule][] = [
    ['looks at everything in every place', ruleOf('all', { each: everywhere, when: above({ of: '*/power' }, 1) })],
    [
      'looks at everything in every place, sixty times over',
      ruleOf('sixty', { each: everywhere, when: { kind: 'any', conditions: many({ of: '*/*' }) } }),
    ],
    [
      'looks sixty times at each of two thousand places',
      ruleOf('here', { each: everywhere, when: { kind: 'all', conditions: many({ of: '*/power', here: true }) } }),
    ],
    [
      'holds every output in every place',
      ruleOf('holds', {
        each: everywhere,
        then: Array.from({ length: 32 }, () => ({
          kind: 'hold' as const,
          outputs: { of: '*/relay' },
          value: false,
          for: 60_000,
        })),
      }),
    ],
  ];

  it.each(monsters)('%s: is refused in a moment, and put all the same it only says that it sees nothing', (_, rule) => {
    const { engine, say } = engineAtWork();
    const began = performance.now();
    expect(engine.refuses(rule)).toContain(`more than ${mostInRule} points`);
    engine.put({ rule, version: 1 });
    say(['meter-1/power', 100]);
    expect(engine.instances()).toMatchObject([{ instance: rule.id, place: null, fired: false }]);
    expect(problemsOf(rule, campus, around)).toEqual([expect.stringContaining(`more than ${mostInRule} points`)]);
    engine.remove(rule.id);
    // Some 50 ms here; before there was a limit each of them took all the memory, or minutes.
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('a rule for two thousand places that stays at home fits, fires where it should, and is gone in a moment', () => {
    const rule = ruleOf('fair', {
      each: everywhere,
      when: above({ of: '*/power', here: true }, 5),
      then: [{ kind: 'hold', outputs: { of: '*/relay', here: true }, value: false, for: 60_000 }],
    });
    const { engine, say } = engineAtWork();
    const began = performance.now();
    expect(engine.refuses(rule)).toBeNull();
    engine.put({ rule, version: 1 });
    say();
    expect(engine.instances()).toHaveLength(deviceCount);
    expect(say(['meter-7/power', 6]).decisions).toMatchObject([{ kind: 'hold', ref: 'meter-7/relay' }]);
    engine.remove('fair');
    expect(say().decisions).toMatchObject([{ kind: 'relinquish', ref: 'meter-7/relay' }]);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('many rules that each just fit leave no room for one more, unless it is for safety', () => {
    const { engine, say } = engineAtWork();
    const large = (id: string, more: Partial<Rule> = {}) =>
      ruleOf(id, { when: { kind: 'any', conditions: many({ of: '*/power' }).slice(0, 9) }, ...more });
    const fitting = Math.floor(mostInAll / 18_000);
    for (let i = 0; i < fitting; i++) {
      const rule = large(`large-${i}`);
      expect(engine.refuses(rule)).toBeNull();
      engine.put({ rule, version: 1 });
    }
    expect(engine.refuses(large('more'))).toContain(`more than ${mostInAll} points`);
    // A new version of one that runs takes the room of the old one.
    expect(engine.refuses(large('large-0'))).toBeNull();
    const fire = large('fire', { kind: 'safety', priority: 1 });
    expect(engine.refuses(fire)).toBeNull();
    engine.put({ rule: large('more'), version: 1 });
    engine.put({ rule: fire, version: 1 });
    const owners = say(['meter-1/power', 100]).decisions.map((one) => ('owner' in one ? one.owner : ''));
    expect(owners).toContain('interlock:fire');
    expect(owners).toContain('rule:large-0');
    expect(owners).not.toContain('rule:more');
    for (const id of ['large-1', 'large-2']) engine.remove(id);
    expect(engine.refuses(large('more'))).toBeNull();
  });
});

describe('rules that wait for each other', () => {
  const waitsFor = (id: string, others: readonly string[]) => {
    const conditions = others.map((rule): Condition => ({ kind: 'unacknowledged', rule, for: 1_000 }));
    return ruleOf(id, {
      when: conditions.length === 0 ? above({ of: 'meter-1/power' }, 5) : { kind: 'any', conditions },
    });
  };

  it('each for all before it, or all in a circle, are put in order in a moment', () => {
    const ids = Array.from({ length: 60 }, (_, i) => `wait-${String(i).padStart(2, '0')}`);
    const began = performance.now();
    for (const watched of [(i: number) => ids.slice(0, i), (i: number) => ids.filter((_, other) => other !== i)]) {
      const { engine, say } = engineAtWork();
      for (const [i, id] of ids.entries()) engine.put({ rule: waitsFor(id, watched(i)), version: 1 });
      say(['meter-1/power', 100]);
      expect(engine.instances()).toHaveLength(ids.length);
    }
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('a reading costs no more where a thousand alarms are waited for', () => {
    const { engine, say } = engineAtWork();
    engine.put({ rule: ruleOf('watched', { each: everywhere }), version: 1 });
    engine.put({ rule: waitsFor('waits', ['watched']), version: 1 });
    say();
    const began = performance.now();
    for (let n = 0; n < 20_000; n++) say(['meter-2/relay', n]);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
