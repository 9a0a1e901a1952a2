import { describe, expect, it } from 'vitest';
import { AmplifierRoom, ref, zone } from './amplifier-room.ts';

const said = { by: 'person:lin', why: 'enough' };
const isSounding = (value: unknown) => typeof value === 'string' && value !== '';

describe('the amplifier desk over commands and the broadcast desk', () => {
  it('switches power, waits, opens the zone, lets the sound begin at its beginning, and takes all of it back', async () => {
    using room = new AmplifierRoom();
    await room.pass(250);
    const from = room.clock.now();
    room.play({ clip: 'bell', length: 5_000 });
    await room.pass(45_000);
    expect(room.story(from)[0]).toBe('relay/power=true +0');
    const relays = room.story(from).filter((line) => line.startsWith('relay/'));
    expect(relays.map((line) => line.replace(/ .*/, ''))).toEqual([
      'relay/power=true',
      'relay/teaching=true',
      'relay/teaching=false',
      'relay/power=false',
    ]);
    const begun = room.heard.find(({ kind }) => kind === 'begun');
    // The relay said after a quarter of a second that it is on, 3 s of warm-up, and a quarter for the zone's answer.
    expect((begun?.at ?? 0) - from).toBe(3_500);
    expect(begun?.position).toBe(0);
    const ended = room.heard.find(({ kind }) => kind === 'ended');
    expect((ended?.at ?? 0) - (begun?.at ?? 0)).toBe(5_000);
    const off = room.sent.find(({ point, value }) => (point as string) === 'power' && value === false);
    expect((off?.at ?? 0) - (ended?.at ?? 0)).toBeGreaterThanOrEqual(20_000);
    expect((off?.at ?? 0) - (ended?.at ?? 0)).toBeLessThanOrEqual(20_500);
    expect(room.alarms).toEqual([]);
  });

  it('says why a sound waits, and of a silent loudspeaker only that nothing is asked', async () => {
    using room = new AmplifierRoom();
    expect(room.desk.why(ref('line-teaching/clip'))).toMatchObject({ reason: 'nothing-asked', outside: null });
    const item = room.play();
    await room.pass(1_000);
    expect(room.desk.whyItem(item)?.state).toBe('waiting');
    const { reason, waiting } = room.desk.why(ref('line-teaching/clip'));
    expect(reason).toBe('outside');
    expect(waiting[0]?.blocker).toMatchObject({ kind: 'outside', owner: 'amplifier:main' });
    expect(JSON.stringify(waiting[0]?.blocker)).toContain('warming up');
  });

  it('keeps loudspeakers without an amplifier waiting for nobody', async () => {
    using room = new AmplifierRoom();
    room.play({ zones: [zone('gate'), zone('teaching')] });
    await room.settle();
    expect(isSounding(room.told('line-gate/clip'))).toBe(true);
    expect(isSounding(room.told('line-teaching/clip'))).toBe(false);
    await room.pass(4_000);
    expect(isSounding(room.told('line-teaching/clip'))).toBe(true);
  });

  it('opens the zones with the power for an emergency, which waits for the warm-up and no longer', async () => {
    using room = new AmplifierRoom();
    await room.pass(250);
    const from = room.clock.now();
    room.play({ class: 'fire', clip: 'evacuation', loop: true });
    await room.settle();
    expect(room.story(from)).toEqual(['relay/power=true +0', 'relay/teaching=true +0']);
    await room.pass(3_000);
    const sound = room.sent.find(({ device, value }) => (device as string) === 'line-teaching' && isSounding(value));
    expect((sound?.at ?? Number.NaN) - from).toBeLessThanOrEqual(3_000);
  });

  it('sends an emergency all the same when its power relay is dead, names it, and says so of the delivery', async () => {
    using room = new AmplifierRoom();
    room.dead.add('relay/power');
    const from = room.clock.now();
    room.play({ class: 'fire', clip: 'evacuation', loop: true });
    await room.pass(5_250);
    const sound = room.sent.find(({ device, value }) => (device as string) === 'line-teaching' && isSounding(value));
    expect((sound?.at ?? Number.NaN) - from).toBeLessThanOrEqual(3_000);
    expect(room.amplifiers.troubleOf(ref('line-teaching/clip'))).toContain('relay/power');
    expect(room.amplifiers.troubleOf(ref('line-gate/clip'))).toBe('');
    const [alarm] = room.alarms;
    expect(alarm).toMatchObject({ kind: 'raise', source: 'amplifier:main:relay/power', class: 'critical' });
    expect(JSON.stringify(alarm)).toContain('主楼功放');
    // It comes back: the alarm goes.
    room.dead.clear();
    room.read('relay/power', true);
    await room.pass(1_000);
    expect(room.alarms.at(-1)).toMatchObject({ kind: 'return', source: 'amplifier:main:relay/power' });
    expect(room.amplifiers.troubleOf(ref('line-teaching/clip'))).toBe('');
  });

  it('sends an ordinary sound too when no relay answers, a little later', async () => {
    using room = new AmplifierRoom();
    room.dead.add('relay/power').add('relay/teaching');
    const item = room.play();
    await room.pass(3_000);
    expect(room.desk.whyItem(item)?.state).toBe('waiting');
    await room.pass(8_000);
    expect(room.desk.whyItem(item)?.state).toBe('playing');
    expect(room.alarms.map(({ source }) => source).sort()).toEqual([
      'amplifier:main:relay/power',
      'amplifier:main:relay/teaching',
    ]);
  });

  it('never goes around a safety hold: what it keeps off stays off, and is named', async () => {
    using room = new AmplifierRoom();
    const hold = {
      kind: 'hold',
      owner: 'interlock:flood',
      ref: ref('relay/power'),
      value: false,
      priority: 1,
    } as const;
    room.commands.setInterlockHolds([{ ...hold, reason: 'water in the cabinet', lasts: null }]);
    await room.pass(1_000);
    room.play({ class: 'fire', clip: 'evacuation', loop: true });
    await room.pass(6_000);
    expect(room.told('relay/power')).toBe(false);
    expect(room.amplifiers.troubleOf(ref('line-teaching/clip'))).toContain('interlock:flood');
    expect(room.alarms.map(({ source }) => source)).toContain('amplifier:main:relay/power');
    expect(isSounding(room.told('line-teaching/clip'))).toBe(true);
  });

  it('has one sound at a time on its line: the stronger takes it, and the other comes back', async () => {
    using room = new AmplifierRoom();
    const page = room.play({ zones: [zone('yard')], interruption: 'resume' });
    await room.pass(6_000);
    expect(room.desk.whyItem(page)?.state).toBe('playing');
    const alarm = room.play({ class: 'danger', clip: 'evacuation', loop: true });
    await room.pass(1_000);
    expect(room.desk.whyItem(alarm)?.state).toBe('playing');
    expect(room.desk.whyItem(page)?.state).toBe('cut');
    expect([room.told('relay/teaching'), room.told('relay/yard')]).toEqual([true, false]);
    expect(room.desk.whyItem(page)?.parts[0]?.blocker).toMatchObject({ owner: 'amplifier:main' });
    room.desk.stop(alarm, said);
    await room.pass(2_000);
    expect(room.desk.whyItem(page)?.state).toBe('playing');
    expect([room.told('relay/teaching'), room.told('relay/yard')]).toEqual([false, true]);
  });

  it('follows a safety rule that speaks past the arbiter', async () => {
    using room = new AmplifierRoom();
    const hold = {
      kind: 'hold',
      owner: 'interlock:smoke',
      ref: ref('line-yard/clip'),
      value: 'evacuation loop',
    } as const;
    room.commands.setInterlockHolds([{ ...hold, priority: 1, reason: 'smoke', lasts: null }]);
    await room.pass(500);
    // Its sound does not wait; power and zone are on as fast as they can be.
    expect(room.told('line-yard/clip')).toBe('evacuation loop');
    expect([room.told('relay/power'), room.told('relay/yard')]).toEqual([true, true]);
    const owner = 'interlock:smoke';
    room.commands.setInterlockHolds([{ kind: 'relinquish', owner, ref: hold.ref, reason: 'the cause is gone' }]);
    await room.pass(25_000);
    expect([room.told('relay/power'), room.told('relay/yard')]).toEqual([false, false]);
  });

  it('is warm when a planned bell rings', async () => {
    using room = new AmplifierRoom();
    const at = room.clock.now() + 30_000;
    room.planned = at;
    await room.pass(26_750);
    expect(room.told('relay/power')).toBeUndefined();
    await room.pass(3_250);
    expect(room.told('relay/power')).toBe(true);
    room.play({ class: 'bell', clip: 'bell' });
    await room.pass(750);
    room.planned = null;
    const begun = room.heard.find(({ kind }) => kind === 'begun');
    expect((begun?.at ?? Number.NaN) - at).toBeLessThanOrEqual(500);
  });

  it('goes on over a restart in mid-sound without a gap, and switches off at its end', async () => {
    using room = new AmplifierRoom();
    const item = room.play();
    await room.pass(10_000);
    const before = room.sent.length;
    await room.restart();
    await room.pass(2_000);
    expect(room.desk.whyItem(item)?.state).toBe('playing');
    expect(room.heard.filter(({ kind }) => kind === 'preempted')).toEqual([]);
    // What is held is asserted again with the same values, nothing else.
    const again = room.sent.slice(before).map(({ device, value }) => [device, value] as const);
    expect(again.filter(([device, value]) => (device as string) === 'relay' && value !== true)).toEqual([]);
    expect(again.filter(([device, value]) => (device as string) === 'line-teaching' && value === '')).toEqual([]);
    room.desk.stop(item, said);
    await room.pass(22_000);
    expect([room.told('relay/power'), room.told('relay/teaching')]).toEqual([false, false]);
  });

  it('warms up anew after a restart that found the amplifier off, and the emergency goes on then', async () => {
    using room = new AmplifierRoom();
    const item = room.play({ class: 'fire', clip: 'evacuation', loop: true });
    await room.pass(6_000);
    room.read('relay/power', false);
    await room.restart(60_000);
    await room.pass(4_000);
    expect(room.desk.whyItem(item)?.state).toBe('playing');
    expect(room.told('relay/power')).toBe(true);
  });

  it('switches off after a restart what the process before it left on, when nothing sounds any more', async () => {
    using room = new AmplifierRoom();
    const item = room.play();
    await room.pass(6_000);
    room.desk.stop(item, said);
    await room.restart(1_000);
    await room.pass(25_000);
    expect([room.told('relay/power'), room.told('relay/teaching')]).toEqual([false, false]);
  });
});
