import { describe, expect, test } from 'vitest';
import type { RuleDecision } from '#edge/domain/rule.ts';
import { JournalGate } from '#edge/processes/core/journal-gate.ts';
import { Modes } from '#edge/processes/core/modes.ts';
import { describeBodies } from '#edge/processes/core/rule-diff.ts';
import { ShadowRules } from '#edge/processes/core/shadow-rules.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { createEngine } from '#edge/rules/create-engine.ts';
import type { Engine } from '#edge/rules/engine.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';
import type { Batch } from '#edge/store/batch.ts';
import { openReader } from '#edge/store/reader.ts';
import { open, start, temporaryFolder } from '../../fixtures/store/site.ts';
import { lin, ruleBody } from './rules-room.ts';

const calendar = createCalendar(
  { weekly: [{ days: [1, 2, 3, 4, 5], from: 420, to: 1110 }], exceptions: [] },
  'Asia/Shanghai',
);

describe('the gate of the journal', () => {
  const line = (n: number, instance = 'leak'): RuleDecision => ({
    ...{
      time: n,
      rule: 'leak',
      instance,
      version: 1,
      shadow: false,
      what: 'fired',
      why: `the ${n}th`,
      saw: [],
      did: [],
    },
  });

  test('counts what chatters, and says at the end of the minute how often and how it stood last', () => {
    const gate = new JournalGate({ perInstance: 3 });
    const kept = [gate.admit([line(0), line(0, 'quiet@room')], 0)];
    for (let n = 1; n < 50; n++) kept.push(gate.admit([line(n)], n));
    expect(kept.flat().map(({ time, instance }) => `${instance} ${time}`)).toEqual([
      'leak 0',
      'quiet@room 0',
      'leak 1',
      'leak 2',
    ]);
    expect(gate.skipped).toBe(47);
    expect(gate.settle(59_000)).toEqual([]);
    expect(gate.admit([line(60_001)], 60_001)).toEqual([
      { ...line(49), why: '47 decisions within a minute, the last: the 49th' },
      line(60_001),
    ]);
    expect(gate.settle(200_000)).toEqual([]);
  });

  test('also bounds what all together write', () => {
    const gate = new JournalGate({ inAll: 5 });
    const kept = gate.admit(
      Array.from({ length: 9 }, (_, n) => line(n, `leak@${n}`)),
      0,
    );
    expect(kept).toHaveLength(5);
    expect(gate.settle(60_000)).toEqual([5, 6, 7, 8].map((n) => line(n, `leak@${n}`)));
  });
});

test('a change of a rule is told key by key, and no more of it than people read', () => {
  expect(describeBodies({ a: 1, b: { c: [1, 2] } }, { b: { c: [1, 3, 4] }, d: true })).toBe(
    'a removed, was 1; b.c[1] 2 -> 3; b.c[2] added 4; d added true',
  );
  expect(describeBodies({ a: [1] }, { a: [1] })).toBe('says the same');
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`k${n}`, n]));
  expect(describeBodies({}, many)).toMatch(/k39 added 39; and 20 more$/);
});

test('rules in shadow that fail stand still, and are built anew with the next change of one', () => {
  const parsed = parseRule(ruleBody('leak'));
  if (!parsed.ok) throw new Error('the fixture is no rule');
  const engineOf = () =>
    createEngine({ campus: { devices: [], zones: [], spaces: [] }, calendar, monotonic: 0, shadow: true });
  let isBroken = true;
  const broken: Engine = {
    ...engineOf(),
    put: () => {},
    step: () => {
      throw new Error('a bug');
    },
  };
  const shadow = new ShadowRules(() => (isBroken ? broken : engineOf()), silentLog);
  const input = {
    now: start,
    monotonic: 1,
    changed: [],
    latest: new Map(),
    events: [],
    openAlarms: new Map(),
    modes: new Set<string>(),
  };
  expect(shadow.step(input)).toEqual({ journal: [], wakeIn: null, durable: {} });
  shadow.put({ rule: parsed.rule, version: 1 });
  expect(shadow.step(input)).toEqual({ journal: [], wakeIn: null, durable: {} });
  expect(shadow.instances()).toEqual([]);
  isBroken = false;
  shadow.put({ rule: parsed.rule, version: 2 });
  shadow.step(input);
  expect(shadow.instances()).toMatchObject([{ instance: 'leak', version: 2 }]);
});

describe('modes', () => {
  async function room() {
    const folder = await temporaryFolder();
    const store = await open(folder.path);
    const reader = openReader(folder.path);
    const clock = new ManualClock(start);
    const told: unknown[] = [];
    let refuses = false;
    let changes = 0;
    const make = () =>
      new Modes({
        ...{ known: ['exam', 'drill'], calendar, reader, clock, log: silentLog },
        append: (batch: Batch) => (refuses ? Promise.reject(new CodedError('STORE_FULL', 'no')) : store.append(batch)),
        onChange: () => void changes++,
        tell: (now) => void told.push(now),
      });
    return {
      ...{ make, clock, told, reader },
      changes: () => changes,
      refuse: (now: boolean) => {
        refuses = now;
      },
      async [Symbol.asyncDispose]() {
        reader[Symbol.dispose]();
        await store[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  }

  test('are on when that is on disk, end at their time whatever the disk says, and are told with the calendar', async () => {
    await using at = await room();
    const modes = at.make();
    modes.tick();
    expect(at.told).toEqual([{ labels: ['open'], modes: [], next: calendar.nextChange(start) }]);
    at.refuse(true);
    await expect(modes.set('exam', { on: true, until: null, why: 'x' }, lin)).rejects.toThrow('no');
    expect([...modes.on]).toEqual([]);
    at.refuse(false);
    await modes.set('exam', { on: true, until: start + 60_000, why: 'maths' }, lin);
    expect([[...modes.on], at.changes()]).toEqual([['exam'], 1]);
    expect(at.told.at(-1)).toEqual({ labels: ['open'], modes: ['exam'], next: start + 60_000 });
    expect([...at.make().on]).toEqual(['exam']);
    at.refuse(true);
    at.clock.advance(60_000);
    modes.tick();
    expect([[...modes.on], at.changes()]).toEqual([[], 2]);
    at.refuse(false);
    await expect
      .poll(() => {
        modes.tick();
        return at.reader.document('mode', 'exam')?.body;
      })
      .toEqual({ on: false, since: start + 60_000, until: null, by: 'process:core', why: 'its time is over' });
    await modes.set('exam', { on: true, until: null, why: 'again' }, lin);
    expect([...modes.on]).toEqual(['exam']);
  });

  test('that the site does not know, or that would end in the past, are refused', async () => {
    await using at = await room();
    const modes = at.make();
    await expect(modes.set('party', { on: true, until: null, why: 'x' }, lin)).rejects.toThrow(
      'there is no mode "party"',
    );
    await expect(modes.set('exam', { on: true, until: start, why: 'x' }, lin)).rejects.toThrow('ends in the future');
  });
});
