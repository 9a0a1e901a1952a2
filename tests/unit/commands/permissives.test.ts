import { describe, expect, it } from 'vitest';
import type { Hold } from '#edge/domain/output.ts';
import { Desk, forbidOf, holdOf, letGo, permitOf, ref, started } from './desk.ts';

const of = 'relay-1/relay_1';

describe('a permissive that is not given', () => {
  it('passes over what is held with that value, takes the next, and gives it back when it is permitted', async () => {
    const desk = new Desk();
    await desk.ask(of, false, { reason: 'night' });
    await desk.ask(of, true, { client: 'web', reason: 'lesson' });
    desk.obey();
    desk.interlock(forbidOf(of, true));
    expect(desk.take()).toEqual([`${of}=false`]);
    expect(desk.state(of)).toMatchObject({
      value: false,
      holder: 'request:flows',
      stack: [
        { owner: 'request:web', value: true },
        { owner: 'request:flows', value: false },
      ],
      forbidden: [{ owner: 'interlock:leak', priority: 1, value: true, reason: 'leak-kitchen/leak is true (good)' }],
    });
    desk.interlock(permitOf(of));
    expect(desk.take()).toEqual([`${of}=true`]);
    expect(desk.state(of)).toMatchObject({ holder: 'request:web', forbidden: [] });
    await desk.settle();
    expect(desk.audit()).toEqual(
      expect.arrayContaining([
        `interlock:leak | forbid ${of}=true below 1 | forbidden`,
        `interlock:leak | permit ${of}=true | permitted`,
      ]),
    );
  });

  it('lets through what is as strong as it is, and what is stronger', () => {
    const desk = new Desk();
    desk.interlock(forbidOf(of, true, 'interlock:leak', 5), holdOf(of, true, 'interlock:pump', 5));
    expect(desk.take()).toEqual([`${of}=true`]);
    desk.interlock(letGo(of, 'interlock:pump'), holdOf(of, true, 'interlock:fire', 1));
    expect(desk.take()).toEqual([`${of}=true`]);
  });

  it('accepts a request for the value as one that waits, and says who forbids it and why', async () => {
    const desk = new Desk();
    desk.interlock(forbidOf(of, true));
    const result = await desk.ask(of, true, { client: 'web' });
    expect(result).toMatchObject({ accepted: true, outcome: 'waiting' });
    expect(result.message).toContain('interlock:leak forbids true below priority 1: leak-kitchen/leak is true (good)');
    expect(desk.take()).toEqual([]);
    expect(desk.state(of)).toMatchObject({
      value: null,
      holder: null,
      reason: expect.stringContaining('what is asked for is forbidden (interlock:leak forbids true'),
    });
    await desk.pass(30_000);
    expect(desk.take()).toEqual([]);
  });

  it('also bars the fail-safe value: then the output keeps what it has', async () => {
    const desk = new Desk();
    const safe = 'relay-1/relay_2';
    await desk.ask(safe, true);
    desk.obey();
    desk.interlock(forbidOf(safe, false));
    await desk.ask(safe, null);
    expect(desk.take()).toEqual([]);
    expect(desk.state(safe)).toMatchObject({ value: null, holder: null });
    desk.interlock(permitOf(safe));
    expect(desk.take()).toEqual([`${safe}=false`]);
  });

  it('of several rules is given only when all of them give it', () => {
    const desk = new Desk();
    desk.interlock(forbidOf(of, true), forbidOf(of, true, 'interlock:fire'), holdOf(of, true, 'rule:night', 12));
    desk.interlock(permitOf(of));
    expect(desk.take()).toEqual([]);
    desk.interlock(permitOf(of, 'interlock:fire'));
    expect(desk.take()).toEqual([`${of}=true`]);
  });

  it('said again changes nothing, and on what is no output it is a line of the audit', async () => {
    const desk = new Desk();
    desk.interlock(forbidOf(of, true));
    desk.interlock(forbidOf(of, true), forbidOf('siren-9/on', true));
    await desk.settle();
    expect(desk.state(of).forbidden).toHaveLength(1);
    expect(desk.audit().filter((line) => line.includes('forbid'))).toEqual([
      `interlock:leak | forbid ${of}=true below 1 | forbidden`,
      'interlock:leak | forbid siren-9/on | there is no such output',
    ]);
  });
});

describe('before the rules have had their first look', () => {
  const held = (owner: string, priority: Hold['priority'], value: boolean): Hold => ({
    ref: ref(of),
    owner,
    priority,
    value,
    reason: 'before the restart',
    since: started - 60_000,
    until: null,
  });

  it('what is remembered waits, because what they forbid is not known; then what is forbidden never slips through', async () => {
    const desk = new Desk({
      restored: [held('interlock:load', 5, true), held('request:web', 8, true)],
      unjudged: true,
    });
    await desk.ask('relay-1/relay_3', true);
    await desk.pass(2_000);
    expect(desk.take()).toEqual([]);
    desk.interlock(forbidOf(of, true));
    desk.commands.adoptInterlockHolds([{ owner: 'interlock:load', ref: ref(of) }]);
    expect(desk.take().sort()).toEqual(['relay-1/relay_2=false', 'relay-1/relay_3=true', 'speaker-gate/clip=""']);
    await desk.pass(10_000);
    expect(desk.take().filter((line) => line.startsWith(of))).toEqual([]);
  });

  it('life safety does not wait', () => {
    const desk = new Desk({ restored: [held('interlock:fire', 1, false)], unjudged: true });
    expect(desk.take()).toEqual([`${of}=false`]);
  });
});

describe('a hold of a rule', () => {
  it('that lasts says until when, and ends there even when the rule says nothing', async () => {
    const desk = new Desk();
    desk.interlock({ ...holdOf(of, true, 'rule:air@r101', 12), lasts: 60_000 });
    expect(desk.state(of)).toMatchObject({
      until: started + 60_000,
      next: { value: null, holder: null, at: started + 60_000 },
    });
    expect(desk.last.until).toBe(started + 60_000);
    desk.obey();
    await desk.pass(60_000);
    expect(desk.state(of)).toMatchObject({ holder: null, stack: [] });
  });

  it('that no rule stands for is dropped after the first look, of every kind of rule', async () => {
    const restored = ['interlock:gone', 'rule:gone', 'request:web'].map((owner): Hold => {
      return { ref: ref(of), owner, priority: 12, value: true, reason: 'r', since: started, until: null };
    });
    const desk = new Desk({ restored, unjudged: true });
    desk.commands.adoptInterlockHolds([]);
    expect(desk.state(of).stack.map(({ owner }) => owner)).toEqual(['request:web']);
  });

  it('lasts as long as it was meant to when the wall clock is set, forwards or back', async () => {
    const desk = new Desk();
    desk.interlock({ ...holdOf('speaker-gate/clip', 'evacuation'), lasts: 600_000 });
    desk.answer('sent');
    await desk.ask(of, true, { seconds: 60 });
    desk.obey();
    desk.clock.step(86_400_000);
    await desk.pass(59_000);
    expect(desk.state('speaker-gate/clip')).toMatchObject({ value: 'evacuation', holder: 'interlock:fire' });
    expect(desk.state(of).holder).toBe('request:flows');
    desk.clock.step(-2 * 86_400_000);
    await desk.pass(1_000);
    expect(desk.state(of).holder).toBeNull();
    expect(desk.state('speaker-gate/clip').holder).toBe('interlock:fire');
    await desk.pass(540_000);
    expect(desk.state('speaker-gate/clip').holder).toBeNull();
    expect(desk.onDisk('speaker-gate/clip')).toEqual([]);
    expect(desk.audit().filter((line) => line.includes('clock.step'))).toHaveLength(2);
  });
});

describe('what comes next', () => {
  it('is what stands below when the hold on top ends, then the fail-safe value; nothing while none ends by itself', async () => {
    const desk = new Desk();
    const safe = 'relay-1/relay_2';
    await desk.ask(safe, true, { client: 'web', seconds: 60 });
    expect(desk.state(safe).next).toEqual({ value: false, holder: null, at: started + 60_000 });
    await desk.ask(safe, false, { seconds: 600 });
    expect(desk.state(safe).next).toEqual({ value: false, holder: 'request:flows', at: started + 60_000 });
    desk.interlock(holdOf(safe, true));
    expect(desk.state(safe).next).toBeNull();
  });

  it('passes over what will be forbidden, and what ends at the same time', async () => {
    const desk = new Desk();
    await desk.ask(of, true, { client: 'web', seconds: 60 });
    await desk.ask(of, false, { seconds: 60 });
    expect(desk.state(of).next).toEqual({ value: null, holder: null, at: started + 60_000 });
  });

  it('says of a flow which node asked, on the hold and in the audit', async () => {
    const desk = new Desk();
    const origin = 'flow:energy/empty room';
    await desk.ask(of, true, { origin });
    expect(desk.state(of).stack).toMatchObject([{ owner: 'request:flows', origin }]);
    expect(desk.onDisk(of)).toMatchObject([{ origin }]);
    const lines = desk.batches.flatMap(({ audit = [] }) => audit);
    expect(lines.find(({ what }) => what.startsWith('request'))).toMatchObject({ who: 'client:flows', from: origin });
  });
});
