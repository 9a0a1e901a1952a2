import { describe, expect, it } from 'vitest';
import { decodeOutputState } from '#edge/bus/codec.ts';
import type { Hold } from '#edge/domain/output.ts';
import { Desk, holdOf, letGo, never, ref, started } from './desk.ts';

const raised = (desk: Desk) => desk.alarms.filter((one) => one.kind === 'raise').map((one) => one.source);
const returned = (desk: Desk) => desk.alarms.filter((one) => one.kind === 'return').map((one) => one.source);

describe('an interlock', () => {
  it('acts before its record is begun and without waiting for it: the disk never answers, the command is out', () => {
    const desk = new Desk({ append: never });
    desk.order.length = 0;
    desk.interlock(holdOf('speaker-gate/clip', 'evacuation'), holdOf('relay-1/relay_1', false));
    // Not one promise has run since: this is the same turn.
    expect(desk.order.slice(0, 3)).toEqual(['publish v1/command/broadcast', 'publish v1/command/fieldbus', 'append']);
    expect(desk.take()).toEqual(['speaker-gate/clip="evacuation"', 'relay-1/relay_1=false']);
  });

  it('acts although neither the process nor the device has said that it is there', () => {
    const desk = new Desk({ unready: true });
    desk.interlock(holdOf('relay-1/relay_1', false));
    expect(desk.take()).toEqual(['relay-1/relay_1=false']);
  });

  it('is said again at its own priority where somebody else has asked for the same a moment ago', async () => {
    const desk = new Desk();
    await desk.ask('speaker-gate/clip', 'evacuation', { client: 'web' });
    desk.take();
    desk.interlock(holdOf('speaker-gate/clip', 'evacuation'));
    expect(desk.last).toMatchObject({ value: 'evacuation', priority: 1 });
    desk.answer('sent');
    desk.take();
    await desk.pass(1_000);
    expect(desk.take()).toEqual([]);
  });

  it('that wanted what is no output gives its alarm back when it lets go', async () => {
    const desk = new Desk();
    desk.interlock(holdOf('speaker-lost/clip', 'evacuation'));
    await desk.settle();
    expect(raised(desk)).toContain('output:speaker-lost/clip');
    desk.interlock(letGo('speaker-lost/clip'));
    await desk.settle();
    expect(returned(desk)).toContain('output:speaker-lost/clip');
  });

  it('may give a long reason: everything that is told stays within what readers take', async () => {
    const desk = new Desk();
    desk.interlock({
      ...holdOf('speaker-gate/clip', 'evacuation'),
      reason: 'smoke-101/smoke is true (good), '.repeat(40),
    });
    const payload = Buffer.from(JSON.stringify(desk.state('speaker-gate/clip')));
    expect(decodeOutputState(payload)).toMatchObject({ ok: true, value: { value: 'evacuation' } });
  });

  it('whose record fails is reported, becomes an alarm, and is recorded when the disk is back', async () => {
    const desk = new Desk();
    desk.append = () => Promise.reject(new Error('I/O error'));
    desk.interlock(holdOf('relay-1/relay_1', false));
    expect(desk.take()).toEqual(['relay-1/relay_1=false']);
    await desk.settle();
    expect(desk.unrecorded).toEqual([
      { error: 'I/O error', what: expect.arrayContaining(['interlock:fire: hold relay-1/relay_1=false at 1']) },
    ]);
    expect(raised(desk)).toContain('store:acts');
    expect(desk.commands.counters).toMatchObject({ recordsFailed: 1, recordsOwed: 3 });

    desk.append = () => Promise.resolve();
    desk.batches.length = 0;
    await desk.pass(2_000);
    await desk.settle();
    expect(desk.onDisk('relay-1/relay_1')).toMatchObject([{ owner: 'interlock:fire', value: false }]);
    expect(desk.audit()).toContain('interlock:fire | hold relay-1/relay_1=false at 1 | holding');
    expect(returned(desk)).toContain('store:acts');
    expect(desk.commands.counters.recordsOwed).toBe(0);
  });

  it('does not let a record that always fails stop the next one', async () => {
    const desk = new Desk();
    desk.append = (batch) =>
      batch.audit?.some((line) => line.what.includes('relay_1'))
        ? Promise.reject(new Error('poison'))
        : Promise.resolve();
    desk.interlock(holdOf('relay-1/relay_1', false));
    desk.answer('done', { value: false });
    await desk.settle();
    expect(await desk.ask('relay-1/relay_2', true)).toMatchObject({ outcome: 'holding' });
    desk.answer('done', { value: true });
    await desk.pass(300_000);
    await desk.settle();
    // Back-off, capped at a minute: 5 minutes are a handful of tries, not hundreds.
    expect(desk.unrecorded.length).toBeGreaterThan(3);
    expect(desk.unrecorded.length).toBeLessThan(20);
  });

  it('overrides an operator, and gives the output back to him when it is over', async () => {
    const desk = new Desk();
    await desk.ask('relay-1/relay_1', true, { client: 'web' });
    desk.answer('done', { value: true });
    desk.take();
    desk.interlock(holdOf('relay-1/relay_1', false));
    desk.answer('done', { value: false });
    expect(desk.take()).toEqual(['relay-1/relay_1=false']);
    expect(desk.state('relay-1/relay_1')).toMatchObject({
      value: false,
      holder: 'interlock:fire',
      priority: 1,
      until: null,
      reason: 'interlock:fire at 1: smoke-101/smoke is true (good)',
      stack: [{ owner: 'interlock:fire' }, { owner: 'request:web', value: true }],
    });
    desk.interlock(letGo('relay-1/relay_1'));
    expect(desk.take()).toEqual(['relay-1/relay_1=true']);
    expect(desk.state('relay-1/relay_1').holder).toBe('request:web');
  });

  it('said twice is one hold, and no second command once it is confirmed', () => {
    const desk = new Desk();
    desk.interlock(holdOf('relay-1/relay_1', false));
    desk.answer('done', { value: false });
    desk.take();
    desk.interlock(holdOf('relay-1/relay_1', false));
    expect(desk.take()).toEqual([]);
    expect(desk.state('relay-1/relay_1').stack).toHaveLength(1);
  });

  it('asserts its value where a weaker hold already has it, past any back-off and pause', async () => {
    const desk = new Desk();
    await desk.ask('relay-1/relay_3', false);
    desk.answer('failed');
    desk.take();
    desk.interlock(holdOf('relay-1/relay_3', false));
    expect(desk.take()).toEqual(['relay-1/relay_3=false']);
  });

  it('on an output that does not exist is an alarm, and stops no other', async () => {
    const desk = new Desk();
    desk.interlock(holdOf('siren-9/on', true), holdOf('relay-1/relay_1', false));
    await desk.settle();
    expect(desk.take()).toEqual(['relay-1/relay_1=false']);
    expect(raised(desk)).toEqual(['output:siren-9/on']);
    expect(desk.audit()).toContain('interlock:fire | hold siren-9/on | there is no such output');
  });

  it('finds room on a full output by displacing the weakest guest, and counts 32 at most', async () => {
    const guests = Array.from(
      { length: 40 },
      (_, i): Hold => ({
        ref: ref('relay-1/relay_1'),
        owner: `request:c${i}`,
        priority: 12,
        value: true,
        reason: 'r',
        since: started + i,
        until: started + 60_000,
      }),
    );
    const desk = new Desk({ restored: guests });
    desk.interlock(holdOf('relay-1/relay_1', false));
    const { stack } = desk.state('relay-1/relay_1');
    expect(stack).toHaveLength(32);
    expect(stack[0]?.owner).toBe('interlock:fire');
    await desk.settle();
    expect(desk.audit()).toContain('request:c0 | relinquish relay-1/relay_1 | displaced by interlock:fire');
  });
});

describe('a restart of core', () => {
  const held = (owner: string, priority: Hold['priority'], value: boolean, until: number | null): Hold => ({
    ref: ref('relay-1/relay_2'),
    owner,
    priority,
    value,
    reason: 'before the restart',
    since: started - 60_000,
    until,
  });

  it('asserts what was held, the strongest, once the driver is there', () => {
    const desk = new Desk({
      restored: [held('request:flows', 12, false, started + 60_000), held('interlock:load', 5, true, null)],
      unready: true,
    });
    desk.commands.adoptInterlockHolds([{ owner: 'interlock:load', ref: ref('relay-1/relay_2') }]);
    desk.commands.onProcessReady('fieldbus');
    expect(desk.take().at(-1)).toBe('relay-1/relay_2=true');
    expect(desk.state('relay-1/relay_2')).toMatchObject({ since: started - 60_000, holder: 'interlock:load' });
  });

  it('lets go what expired meanwhile, and what no interlock stands for any more', async () => {
    const desk = new Desk({
      restored: [held('request:flows', 12, true, started - 1), held('interlock:gone', 5, true, null)],
      unready: true,
    });
    desk.commands.adoptInterlockHolds([]);
    desk.commands.onProcessReady('fieldbus');
    expect(desk.take().at(-1)).toBe('relay-1/relay_2=false');
    await desk.settle();
    expect(desk.onDisk('relay-1/relay_2')).toEqual([]);
  });

  it('keeps the expiry of automation', async () => {
    const desk = new Desk({ restored: [held('request:flows', 12, true, started + 5_000)] });
    desk.answer('done', { value: true });
    desk.take();
    await desk.pass(4_750);
    expect(desk.take()).toEqual([]);
    await desk.pass(250);
    expect(desk.take()).toEqual(['relay-1/relay_2=false']);
  });

  it('writes nothing to outputs nobody held, and ends alarms of the last run about them', async () => {
    const desk = new Desk();
    await desk.settle();
    expect(desk.take()).toEqual([]);
    expect(returned(desk)).toContain('output:relay-1/relay_2');
    expect(desk.states.size).toBe(5);
  });

  it('forgets holds on outputs that were taken out of the site file, on disk too', async () => {
    const gone = { ...held('request:flows', 12, true, null), ref: ref('relay-7/relay_1') };
    const desk = new Desk({ restored: [gone] });
    await desk.settle();
    expect(desk.onDisk('relay-7/relay_1')).toEqual([]);
  });
});
