import { describe, expect, it } from 'vitest';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import type { Hold } from '#edge/domain/output.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { Desk, type DeskOptions, holdOf, letGo, place, point, ref, started } from './desk.ts';

const compressor = 'cold/compressor';
const pump = 'cold/pump';

/** A compressor: 60 s on, 180 s off at least; a pump that may be switched four times an hour. */
const points = place('cold', 'fieldbus', [
  point('compressor', 'boolean', { minOn: 60_000, minOff: 180_000 }),
  point('pump', 'boolean', { maxPerHour: 4 }),
]);
/** What was known of them before the start: off for an hour. */
const rested = { value: false, at: started - 3_600_000, moves: [] };
const state = { 'switching:cold/compressor': rested, 'switching:cold/pump': rested };

function coldRoom(options: DeskOptions = {}): Desk {
  const desk = new Desk({ points, state, ...options });
  desk.read({ [compressor]: false, [pump]: false });
  return desk;
}

describe('a minimum time', () => {
  it('keeps what runs running: a weaker wish waits, says for what and until when, and is then done by itself', async () => {
    const desk = coldRoom();
    await desk.ask(compressor, true);
    desk.obey();
    await desk.pass(10_000);
    const result = await desk.ask(compressor, false, { client: 'web' });
    expect(result).toMatchObject({ outcome: 'holding', message: expect.stringContaining('minimum-on, 50 s more') });
    expect(desk.take()).toEqual([]);
    expect(desk.state(compressor)).toMatchObject({
      value: false,
      holder: 'request:web',
      waiting: { for: 'minimum-on', until: started + 60_000 },
      confirmed: { value: true },
    });
    await desk.pass(49_750);
    expect(desk.take()).toEqual([]);
    await desk.pass(250);
    expect(desk.sent).toHaveLength(1);
    desk.obey();
    expect(desk.state(compressor)).toMatchObject({ waiting: null, confirmed: { value: false } });
    await desk.ask(compressor, true, { client: 'web' });
    await desk.pass(179_750);
    expect(desk.take()).toEqual([]);
    expect(desk.state(compressor).waiting).toEqual({ for: 'minimum-off', until: started + 240_000 });
    await desk.pass(250);
    expect(desk.take()).toEqual([`${compressor}=true`]);
  });

  it('is nothing to life safety, either way', async () => {
    const desk = coldRoom();
    await desk.ask(compressor, true);
    desk.obey();
    desk.interlock(holdOf(compressor, false));
    expect(desk.take()).toEqual([`${compressor}=false`]);
    desk.interlock(holdOf(compressor, true));
    expect(desk.take()).toEqual([`${compressor}=true`]);
  });

  it('lets what is critical switch off at once and on only when the compressor can bear it', async () => {
    const desk = coldRoom();
    await desk.ask(compressor, true, { seconds: 3_600 });
    desk.obey();
    desk.interlock(holdOf(compressor, false, 'interlock:overload', 5));
    expect(desk.sent).toHaveLength(1);
    desk.obey();
    desk.interlock(letGo(compressor, 'interlock:overload'), holdOf(compressor, true, 'interlock:frost', 5));
    await desk.pass(179_750);
    expect(desk.take()).toEqual([]);
    await desk.pass(250);
    expect(desk.take()).toEqual([`${compressor}=true`]);
  });

  it('is kept by the fail-safe value too, though letting go of life safety is told with its urgency', async () => {
    const safe = place('cold', 'fieldbus', [point('compressor', 'boolean', { minOff: 180_000, failSafe: true })]);
    const desk = new Desk({ points: safe, state });
    desk.interlock(holdOf(compressor, false));
    desk.obey();
    desk.interlock(letGo(compressor));
    await desk.pass(100_000);
    expect(desk.take()).toEqual([]);
    await desk.pass(80_000);
    expect(desk.take()).toEqual([`${compressor}=true`]);
  });

  it('is not asked for by a wish that is taken back before its time', async () => {
    const desk = coldRoom();
    await desk.ask(compressor, true);
    desk.obey();
    await desk.ask(compressor, false, { client: 'web' });
    await desk.ask(compressor, null, { client: 'web' });
    desk.obey();
    await desk.pass(120_000);
    expect(desk.take()).toEqual([]);
    expect(desk.state(compressor)).toMatchObject({ value: true, waiting: null });
  });

  it('survives a restart', async () => {
    const desk = coldRoom();
    await desk.ask(compressor, true);
    desk.obey();
    await desk.settle();
    expect(desk.stateOnDisk()).toMatchObject({ 'switching:cold/compressor': { value: true, at: started } });
    const next = new Desk({ points, state: desk.stateOnDisk(), clock: new ManualClock(started + 20_000) });
    next.read({ [compressor]: true });
    await next.ask(compressor, false);
    await next.pass(39_750);
    expect(next.take()).toEqual([]);
    await next.pass(250);
    expect(next.take()).toEqual([`${compressor}=false`]);
  });

  it('counts from the start where nothing is known, and from what a hand did', async () => {
    const desk = new Desk({ points });
    await desk.ask(compressor, true);
    desk.read({ [compressor]: false });
    await desk.pass(179_750);
    expect(desk.take()).toEqual([]);
    await desk.pass(250);
    expect(desk.take()).toEqual([`${compressor}=true`]);
  });

  it('protects a compressor that a power cut has stopped, unless it is read to run', async () => {
    const held: Hold = {
      ref: ref(compressor),
      owner: 'rule:cold',
      priority: 12,
      value: true,
      reason: 'warm',
      since: started - 60_000,
      until: null,
    };
    const running = { 'switching:cold/compressor': { value: true, at: started - 3_600_000, moves: [] } };
    const cut = new Desk({ points, restored: [held], state: running });
    await cut.pass(1_000);
    expect(cut.take()).toEqual([]);
    expect(cut.state(compressor).waiting).toMatchObject({ for: 'minimum-off', until: started + 180_000 });
    const ran = new Desk({ points, restored: [held], state: running });
    ran.read({ [compressor]: true });
    await ran.pass(250);
    expect(ran.take()).toEqual([`${compressor}=true`]);
  });

  it('written by a clock that was ahead counts as just now', async () => {
    const ahead = { 'switching:cold/compressor': { value: false, at: started + 9e9, moves: [] } };
    const desk = new Desk({ points, state: ahead });
    await desk.ask(compressor, true);
    await desk.pass(179_000);
    expect(desk.take()).toEqual([]);
    await desk.pass(1_000);
    expect(desk.take()).toHaveLength(1);
  });
});

describe('a rate limit', () => {
  it('lets so many switchings through within any hour; the next waits, and safety does not', async () => {
    const desk = coldRoom();
    for (const value of [true, false, true, false]) {
      await desk.ask(pump, value, { seconds: 7_200 });
      expect(desk.sent).toHaveLength(1);
      desk.obey();
      await desk.pass(60_000);
    }
    await desk.ask(pump, true, { seconds: 7_200 });
    expect(desk.take()).toEqual([]);
    expect(desk.state(pump).waiting).toEqual({ for: 'rate', until: started + 3_600_000 });
    desk.interlock(holdOf(pump, true, 'interlock:flood', 5));
    expect(desk.sent).toHaveLength(1);
    desk.obey();
    desk.interlock(letGo(pump, 'interlock:flood'));
    desk.obey();
    await desk.ask(pump, false, { seconds: 7_200 });
    await desk.pass(3_600_000 - 240_000 + 60_000);
    // Safety's own switching counts as well: the fourth from the end was at one minute.
    expect(desk.take()).toEqual([`${pump}=false`]);
  });

  it('does not count what is only said again', async () => {
    const desk = coldRoom();
    await desk.ask(pump, true, { seconds: 7_200 });
    desk.obey();
    for (let i = 0; i < 10; i++) {
      desk.commands.onDeviceOnline('cold' as DeviceId);
      await desk.pass(5_000);
      desk.obey();
    }
    await desk.ask(pump, false, { seconds: 7_200 });
    expect(desk.take()).toEqual([`${pump}=false`]);
  });
});

describe('when the supply is back', () => {
  const lamps = ['a', 'b', 'c', 'd'].flatMap((id) => place(id, 'fieldbus', [point('lamp', 'boolean', {})]));
  const elsewhere = place('e', 'fieldbus', [point('lamp', 'boolean', {})]).map(({ device, ...rest }) => {
    return { ...rest, device: { ...device, zone: 'dorm' as ZoneId } };
  });
  const all = [...lamps, ...elsewhere];

  async function lit(): Promise<Desk> {
    const desk = new Desk({ points: all });
    for (const id of ['a', 'b', 'c', 'e']) await desk.ask(`${id}/lamp`, true, { client: 'web', seconds: 3_600 });
    await desk.ask('d/lamp', false, { client: 'web', seconds: 3_600 });
    desk.obey();
    return desk;
  }

  it('loads of a zone start one after another, what is off is told at once, and each says that it waits for its turn', async () => {
    const desk = await lit();
    desk.commands.onProcessReady('fieldbus');
    expect(desk.take().sort()).toEqual(['a/lamp=true', 'd/lamp=false', 'e/lamp=true']);
    expect(desk.state('c/lamp').waiting).toEqual({ for: 'stagger', until: started + 4_000 });
    await desk.pass(2_000);
    expect(desk.take()).toEqual(['b/lamp=true']);
    await desk.pass(2_000);
    expect(desk.take()).toEqual(['c/lamp=true']);
    expect(desk.state('c/lamp').waiting).toBeNull();
  });

  it('neither life safety nor what is critical takes a turn', async () => {
    const desk = await lit();
    desk.interlock(holdOf('b/lamp', true), holdOf('c/lamp', true, 'interlock:dark', 5));
    desk.obey();
    desk.commands.onProcessReady('fieldbus');
    expect(desk.take()).toEqual(['b/lamp=true', 'c/lamp=true', 'a/lamp=true', 'd/lamp=false', 'e/lamp=true']);
  });

  it('a load that is read to run already does not wait', async () => {
    const desk = await lit();
    desk.commands.onProcessReady('fieldbus');
    desk.take();
    desk.read({ 'c/lamp': true });
    await desk.pass(250);
    expect(desk.take()).toEqual(['c/lamp=true']);
  });

  it('a device that comes and goes does not push the others back', async () => {
    const desk = await lit();
    desk.commands.onProcessReady('fieldbus');
    for (let i = 0; i < 50; i++) desk.commands.onDeviceOnline('b' as DeviceId);
    expect(desk.state('c/lamp').waiting).toEqual({ for: 'stagger', until: started + 4_000 });
  });

  it('holds of before the start take turns too', async () => {
    const restored = ['a', 'b', 'c'].map((id): Hold => {
      const hold = { ref: ref(`${id}/lamp`), owner: 'request:web', priority: 8 as const, value: true };
      return { ...hold, reason: 'lesson', since: started - 1, until: started + 3_600_000 };
    });
    const desk = new Desk({ points: all, restored });
    expect(desk.take()).toHaveLength(1);
    await desk.pass(2_000);
    expect(desk.take()).toHaveLength(1);
  });
});
