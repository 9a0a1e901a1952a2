import { describe, expect, it } from 'vitest';
import type { Hold } from '#edge/domain/output.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { Desk, type DeskOptions, forbidOf, holdOf, letGo, place, point, started } from './desk.ts';

const lamp = 'hall/lamp';
const fan = 'hall/fan';
const pump = 'hall/pump';

/** A hand on the lamp or the fan is respected for an hour; the pump is put back. */
const points = place('hall', 'fieldbus', [
  point('lamp', 'boolean', { localOverride: 3_600_000 }),
  point('fan', 'boolean', { localOverride: 3_600_000 }),
  point('pump', 'boolean', {}),
]);

async function hall(options: DeskOptions = {}): Promise<Desk> {
  const desk = new Desk({ points, ...options });
  desk.read({ [lamp]: false, [fan]: false, [pump]: false });
  for (const of of [lamp, fan, pump]) await desk.ask(of, true, { seconds: 7_200, reason: 'lesson' });
  desk.obey();
  desk.read({ [lamp]: true, [fan]: true, [pump]: true });
  await desk.pass(10_000);
  desk.alarms.length = 0;
  return desk;
}

const raised = (desk: Desk) => desk.alarms.filter(({ kind }) => kind === 'raise').map(({ reason }) => reason);

describe('a switch that somebody turned on the device itself', () => {
  it('is respected for its time as a hold of its own, and is not argued with; then what stands below comes back', async () => {
    const desk = await hall();
    const turned = desk.clock.now();
    desk.read({ [lamp]: false });
    await desk.pass(2_750);
    expect(desk.state(lamp).holder).toBe('request:flows');
    await desk.pass(250);
    expect(desk.take()).toEqual([]);
    expect(desk.state(lamp)).toMatchObject({
      value: false,
      holder: 'local',
      priority: 8,
      until: turned + 3_000 + 3_600_000,
      local: { value: false, since: turned + 3_000 },
      confirmed: { value: false, outcome: 'done' },
      next: { value: true, holder: 'request:flows', at: turned + 3_603_000 },
    });
    expect(desk.onDisk(lamp)).toMatchObject([{ owner: 'request:flows' }, { owner: 'local', value: false }]);
    expect(desk.audit()).toContain(`local | hold ${lamp}=false at 8 for 3600 s | holding`);
    await desk.pass(3_600_000);
    expect(desk.take()).toEqual([`${lamp}=true`]);
    expect(desk.state(lamp)).toMatchObject({ holder: 'request:flows', local: null });
  });

  it('turned once more says the new value, for its time from then', async () => {
    const desk = await hall();
    desk.read({ [lamp]: false });
    await desk.pass(600_000);
    desk.read({ [lamp]: true });
    await desk.pass(3_000);
    expect(desk.state(lamp)).toMatchObject({ value: true, holder: 'local', until: desk.clock.now() + 3_600_000 });
    expect(desk.take()).toEqual([]);
  });

  it('gives way to what an operator asks after it, and to what he lets go', async () => {
    const desk = await hall();
    await desk.ask(lamp, true, { client: 'web', seconds: 7_200 });
    desk.obey();
    desk.read({ [lamp]: false });
    await desk.pass(6_000);
    expect(desk.state(lamp).holder).toBe('local');
    // The same as he asked for before: newer than the hand all the same.
    expect(await desk.ask(lamp, true, { client: 'web' })).toMatchObject({ outcome: 'holding' });
    expect(desk.take()).toEqual([`${lamp}=true`]);
    expect(desk.state(lamp)).toMatchObject({ holder: 'request:web', local: null });
  });

  it('is let go by an operator who holds nothing himself', async () => {
    const desk = await hall();
    desk.read({ [lamp]: false });
    await desk.pass(3_000);
    await desk.ask(lamp, null, { client: 'web' });
    expect(desk.take()).toEqual([`${lamp}=true`]);
    expect(desk.state(lamp).stack.map(({ owner }) => owner)).toEqual(['request:flows']);
  });

  it('stands above automation that asks after it', async () => {
    const desk = await hall();
    desk.read({ [lamp]: false });
    await desk.pass(3_000);
    expect(await desk.ask(lamp, true)).toMatchObject({ outcome: 'waiting' });
    expect(desk.take()).toEqual([]);
  });

  it('ends when safety asserts another value, and is not back when that is over', async () => {
    const desk = await hall();
    desk.read({ [lamp]: false });
    await desk.pass(3_000);
    desk.interlock(holdOf(lamp, true));
    expect(desk.take()).toEqual([`${lamp}=true`]);
    desk.interlock(letGo(lamp));
    expect(desk.state(lamp)).toMatchObject({ holder: 'request:flows', local: null });
  });

  it('against safety is put back, and so is one to a forbidden value', async () => {
    const desk = await hall();
    desk.interlock(holdOf(lamp, true, 'interlock:dark', 5));
    desk.obey();
    await desk.pass(15_000);
    desk.read({ [lamp]: false });
    await desk.pass(3_000);
    expect(desk.take()).toEqual([`${lamp}=true`]);
    expect(desk.audit()).toContain(`interlock:dark | put back ${lamp}=true | it was false`);
    desk.interlock(forbidOf(fan, false));
    desk.read({ [fan]: false });
    await desk.pass(3_000);
    expect(desk.take()).toEqual([`${fan}=true`]);
  });

  it('is only noted where nobody wants anything', async () => {
    const desk = new Desk({ points });
    desk.read({ [lamp]: false });
    desk.read({ [lamp]: true });
    await desk.pass(3_000);
    expect(desk.take()).toEqual([]);
    expect(desk.state(lamp)).toMatchObject({ holder: null, local: { value: true }, stack: [] });
    expect(desk.audit()).toContain(`local | turn ${lamp}=true | noted: nobody holds it`);
    await desk.ask(lamp, true);
    expect(desk.state(lamp).local).toBeNull();
  });

  it('is believed after a restart for the rest of its time', async () => {
    const desk = await hall();
    desk.read({ [lamp]: false });
    await desk.pass(3_000);
    const restored = (desk.onDisk(lamp) ?? []) as readonly Hold[];
    const next = new Desk({ points, restored, clock: new ManualClock(started + 60_000) });
    expect(next.state(lamp)).toMatchObject({ holder: 'local', local: { value: false } });
  });

  it('all day long is a bad contact and no hand: then it is put back, and people are told', async () => {
    const desk = await hall();
    for (let i = 0; i < 60; i++) {
      desk.read({ [lamp]: i % 2 === 1 });
      for (let s = 0; s < 5; s++) {
        await desk.pass(2_000);
        desk.obey();
      }
    }
    const locals = desk.audit().filter((line) => line.startsWith('local | hold'));
    expect(locals.length).toBeGreaterThanOrEqual(6);
    expect(locals.length).toBeLessThan(10);
    expect(raised(desk)).toEqual([expect.stringContaining('times in a row')]);
  });
});

describe('what is read back', () => {
  it('while a command is under way, for a moment only, or without quality, is no hand', async () => {
    const desk = await hall();
    desk.read({ [lamp]: false });
    await desk.pass(2_000);
    desk.read({ [lamp]: true });
    await desk.pass(10_000);
    desk.read({ [lamp]: false });
    await desk.pass(2_000);
    desk.read({ [lamp]: null });
    await desk.pass(10_000);
    desk.read({ [lamp]: true });
    await desk.ask(lamp, false);
    desk.read({ [lamp]: true });
    await desk.pass(4_000);
    desk.obey();
    desk.read({ [lamp]: false });
    await desk.pass(10_000);
    expect(desk.take()).toEqual([]);
    expect(desk.state(lamp)).toMatchObject({ holder: 'request:flows', value: false, local: null });
    expect(desk.audit().filter((line) => line.includes('put back') || line.startsWith('local'))).toEqual([]);
  });

  it('from before a command is a hand only when the next poll must have come and did not say otherwise', async () => {
    const polled = points.map((each) => ({ ...each, point: { ...each.point, staleAfter: 20_000 } }));
    const desk = await hall({ points: polled });
    await desk.ask(lamp, false, { seconds: 7_200 });
    // An old sample overtaken by our command, then the next poll.
    desk.obey();
    desk.read({ [lamp]: true });
    await desk.pass(15_000);
    expect(desk.state(lamp).holder).toBe('request:flows');
    desk.read({ [lamp]: false });
    await desk.pass(60_000);
    expect(desk.take()).toEqual([]);
    // Turned back before the poll could see that it had moved: the poll says what it said before, so nothing is heard.
    await desk.ask(lamp, true, { seconds: 7_200 });
    desk.obey();
    await desk.pass(21_000);
    expect(desk.state(lamp).holder).toBe('request:flows');
    await desk.pass(2_000);
    expect(desk.state(lamp)).toMatchObject({ holder: 'local', value: false });
  });

  it('differs where no hand is respected: it is put back', async () => {
    const desk = await hall();
    desk.read({ [pump]: false });
    await desk.pass(3_000);
    expect(desk.take()).toEqual([`${pump}=true`]);
    expect(desk.state(pump)).toMatchObject({ holder: 'request:flows', local: null });
    expect(desk.audit()).toContain(`request:flows | put back ${pump}=true | it was false`);
    expect(raised(desk)).toEqual([]);
  });

  it('again and again is put back ever more rarely, and becomes an alarm that ends when it keeps what it is told', async () => {
    const desk = await hall();
    let sent = 0;
    for (let i = 0; i < 120; i++) {
      desk.read({ [pump]: false });
      await desk.pass(5_000);
      sent += desk.sent.length;
      desk.obey();
      desk.read({ [pump]: true });
    }
    expect(sent).toBeGreaterThan(5);
    expect(sent).toBeLessThan(30);
    expect((desk.commands.counters.putBack ?? 0) - sent).toBeLessThanOrEqual(1);
    expect(raised(desk)).toEqual([expect.stringContaining('read to be false, put back 3 times in a row')]);
    for (let i = 0; i < 150; i++) {
      await desk.pass(5_000);
      desk.obey();
    }
    expect(desk.alarms.at(-1)).toMatchObject({ kind: 'return', source: `output:${pump}` });
  });

  it('of a board that drops several channels at once is a lost supply and no hand: loads start again in turn', async () => {
    const desk = await hall();
    desk.read({ [lamp]: false, [fan]: false, [pump]: false });
    await desk.pass(3_000);
    expect(desk.take()).toHaveLength(1);
    expect(desk.state(fan)).toMatchObject({ holder: 'request:flows', waiting: { for: 'stagger' } });
    await desk.pass(5_000);
    expect(desk.take()).toHaveLength(2);
    expect(desk.audit().filter((line) => line.startsWith('local'))).toEqual([]);
  });

  it('of sound says nothing about a hand: a clip that is over is over', async () => {
    const desk = new Desk();
    await desk.ask('speaker-gate/clip', 'bell', { client: 'web' });
    desk.read({ 'speaker-gate/clip': 'bell' });
    desk.answer('sent');
    desk.take();
    desk.read({ 'speaker-gate/clip': '' });
    await desk.pass(60_000);
    expect(desk.take()).toEqual([]);
  });

  it('within the deadband of a set point is the same', async () => {
    const room = place('room', 'fieldbus', [{ ...point('setpoint', 'number', { min: 16, max: 30 }), deadband: 0.2 }]);
    const desk = new Desk({ points: room });
    await desk.ask('room/setpoint', 21, { seconds: 7_200 });
    desk.obey();
    await desk.pass(10_000);
    desk.read({ 'room/setpoint': 21.1 });
    await desk.pass(10_000);
    expect(desk.take()).toEqual([]);
    desk.read({ 'room/setpoint': 24 });
    await desk.pass(3_000);
    expect(desk.take()).toEqual(['room/setpoint=21']);
  });
});
