import { describe, expect, it } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import { Desk, holdOf, letGo, started } from './desk.ts';

const ofOutput = (desk: Desk) =>
  desk.alarms.filter((one) => one.source === 'output:relay-1/relay_1' && one.reason !== '').map((one) => one.kind);

async function asked(point = 'relay-1/relay_1', value = true): Promise<Desk> {
  const desk = new Desk();
  await desk.ask(point, value);
  await desk.settle();
  desk.alarms.length = 0;
  return desk;
}

describe('a command', () => {
  it('that is confirmed is not sent again, and its result is on record', async () => {
    const desk = await asked();
    desk.answer('done', { value: true });
    desk.take();
    await desk.pass(120_000);
    expect(desk.take()).toEqual([]);
    expect(desk.state('relay-1/relay_1').confirmed).toEqual({ value: true, outcome: 'done', time: started });
    expect(desk.batches.flatMap((batch) => batch.commands ?? []).at(-1)).toMatchObject({
      command: { point: 'relay_1', value: true },
      result: { outcome: 'done' },
    });
    const about = desk.audit().filter((line) => line.includes('relay_1'));
    expect(about.filter((line) => line.includes('command') || line.includes('process:'))).toEqual([
      'request:flows | command relay-1/relay_1=true | sent to fieldbus',
      'process:fieldbus | result relay-1/relay_1=true | done',
    ]);
  });

  it('of sound counts as carried out when it was sent', () => {
    const desk = new Desk();
    desk.interlock(holdOf('speaker-gate/clip', 'evacuation'));
    desk.answer('sent');
    expect(desk.state('speaker-gate/clip').confirmed).toMatchObject({ value: 'evacuation', outcome: 'sent' });
    desk.interlock(letGo('speaker-gate/clip'));
    expect(desk.last).toMatchObject({ value: '', priority: 1, until: null });
  });

  it('without an answer is tried again after a pause, and becomes an alarm at the second silence', async () => {
    const desk = await asked();
    await desk.pass(6_250);
    expect(desk.take()).toHaveLength(1);
    await desk.pass(2_000);
    expect(desk.take()).toHaveLength(1);
    await desk.settle();
    expect(ofOutput(desk)).toEqual([]);
    await desk.pass(7_000);
    await desk.settle();
    expect(ofOutput(desk)).toEqual(['raise']);
    expect(desk.state('relay-1/relay_1').confirmed).toMatchObject({ outcome: 'failed', value: null });
    expect(desk.alarms[0]).toMatchObject({
      device: 'relay-1',
      zone: 'teaching',
      reason: 'failed: no answer from fieldbus within 6500 ms',
    });
  });

  it('is tried for as long as it is wanted, ever more rarely, and ends its alarm when it succeeds', async () => {
    const desk = new Desk();
    await desk.ask('relay-1/relay_1', true, { seconds: 3_600 });
    await desk.settle();
    desk.alarms.length = 0;
    desk.take();
    await desk.pass(600_000);
    const tries = desk.take().length;
    expect(tries).toBeGreaterThan(6);
    expect(tries).toBeLessThan(30);
    for (let i = 0; desk.sent.length === 0 && i < 300; i++) await desk.pass(250);
    desk.answer('done', { value: true });
    await desk.settle();
    expect(ofOutput(desk)).toEqual(['raise', 'return']);
  });

  it('whose read-back differs is an alarm at once, with what was read', async () => {
    const desk = await asked();
    desk.answer('mismatch', { value: false });
    await desk.settle();
    expect(desk.alarms).toMatchObject([
      { kind: 'raise', class: 'medium', reason: 'mismatch, read back false', ref: 'relay-1/relay_1' },
    ]);
    desk.take();
    await desk.pass(2_000);
    expect(desk.take()).toEqual(['relay-1/relay_1=true']);
  });

  it('for safety that fails is a critical alarm', async () => {
    const desk = new Desk();
    await desk.settle();
    desk.alarms.length = 0;
    desk.interlock(holdOf('relay-1/relay_1', false));
    desk.answer('mismatch', { value: true });
    await desk.settle();
    expect(desk.alarms).toMatchObject([{ source: 'output:relay-1/relay_1', class: 'critical' }]);
  });

  it('is overtaken at once when something else is wanted; the late answer to the old one proves nothing', async () => {
    const desk = await asked();
    const old = desk.last;
    await desk.ask('relay-1/relay_1', false, { client: 'web' });
    expect(desk.take()).toEqual(['relay-1/relay_1=true', 'relay-1/relay_1=false']);
    desk.answer('done', { value: true }, old);
    expect(desk.state('relay-1/relay_1').confirmed).toBeNull();
    await desk.pass(8_500);
    expect(desk.take()).toEqual(['relay-1/relay_1=false']);
  });

  it('that nobody wants any more is not tried again, and its alarm ends', async () => {
    const desk = await asked();
    desk.answer('mismatch', { value: false });
    desk.take();
    await desk.ask('relay-1/relay_1', null);
    await desk.pass(120_000);
    await desk.settle();
    expect(desk.take()).toEqual([]);
    expect(ofOutput(desk)).toEqual(['raise', 'return']);
  });

  it('that cannot be published is a failure like any other', async () => {
    const desk = new Desk({
      publish: (topic) => (topic.includes('command') ? Promise.reject(new Error('BUS_AWAY')) : Promise.resolve()),
    });
    await desk.ask('relay-1/relay_1', true);
    await desk.settle();
    expect(desk.state('relay-1/relay_1').confirmed).toMatchObject({ outcome: 'failed' });
    await desk.pass(2_000);
    expect(desk.take().length).toBeGreaterThan(1);
  });

  it('keeps the pause that the device needs, except for life safety', async () => {
    const desk = await asked('relay-1/relay_3');
    desk.answer('done', { value: true });
    desk.take();
    await desk.ask('relay-1/relay_3', false);
    await desk.pass(9_750);
    expect(desk.take()).toEqual([]);
    await desk.pass(250);
    expect(desk.take()).toEqual(['relay-1/relay_3=false']);
    desk.interlock(holdOf('relay-1/relay_3', true));
    expect(desk.take()).toEqual(['relay-1/relay_3=true']);
  });

  it('of automation waits for its process; what is held is asserted when that comes or comes anew', async () => {
    const desk = new Desk({ unready: true });
    await desk.ask('relay-1/relay_1', true);
    await desk.pass(60_000);
    expect(desk.take()).toEqual([]);
    desk.commands.onProcessReady('fieldbus');
    // relay_2 falls to the value it has when nobody holds it.
    expect(desk.take()).toEqual(['relay-1/relay_1=true', 'relay-1/relay_2=false']);
    desk.commands.onProcessStopped('fieldbus');
    await desk.pass(60_000);
    expect(desk.take()).toEqual([]);
  });

  it('is asserted again when its process restarts or its device comes back, life safety first', async () => {
    const desk = new Desk();
    await desk.ask('relay-1/relay_1', true);
    desk.answer('done', { value: true });
    desk.interlock(holdOf('relay-1/relay_2', true));
    desk.answer('done', { value: true });
    desk.take();
    desk.commands.onProcessReady('fieldbus');
    expect(desk.take()).toEqual(['relay-1/relay_2=true', 'relay-1/relay_1=true']);
    desk.commands.onDeviceOnline('relay-1' as DeviceId);
    expect(desk.take()).toHaveLength(2);
    desk.commands.onDeviceOnline('ac-1' as DeviceId);
    expect(desk.take()).toEqual([]);
  });

  it('answered by somebody it was not sent to, or never sent, changes nothing', async () => {
    const desk = await asked();
    desk.answer('done', { value: true, device: 'ac-1' as DeviceId });
    expect(desk.state('relay-1/relay_1').confirmed).toBeNull();
    expect(desk.commands.counters.strangeResults).toBe(1);
  });

  it('is told a shorter time at once, because the driver would go on too long if core died', async () => {
    const desk = await asked();
    desk.answer('done', { value: true });
    desk.take();
    await desk.ask('relay-1/relay_1', true, { seconds: 5 });
    expect(desk.last.until).toBe(started + 5_000);
  });
});
