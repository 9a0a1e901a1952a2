import { describe, expect, it } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import { Desk, type DeskOptions, place, point, started } from './desk.ts';

const camera = 'camera-gate' as DeviceId;
const points = place('camera-gate', 'camera', [
  point('snapshot', 'boolean', { momentary: true, verifyWithin: 4_000 }),
  point('zoom', 'number', {}),
  point('ptz_preset', 'text', { momentary: true, verifyWithin: 4_000 }),
]);

function desk(options: DeskOptions = {}): Desk {
  const made = new Desk({ points, ...options });
  made.commands.onProcessReady('camera');
  return made;
}

const press = (on: Desk, name = 'snapshot') =>
  on.commands.pulse(camera, name, 'rule:door', 'door-gate/contact is true');

describe('a button', () => {
  it('is pressed by a command behind which no hold stands, that expires, is audited and is answered', async () => {
    const on = desk();
    const pressed = press(on);
    expect(on.last).toMatchObject({
      device: camera,
      point: 'snapshot',
      value: true,
      expires: started + 5_000,
      until: null,
    });
    on.answer('done', { value: true, message: '2026-11-23/a.jpg' });
    expect(await pressed).toMatchObject({ outcome: 'done', message: '2026-11-23/a.jpg' });
    await on.settle();
    expect(on.audit()).toEqual([
      'rule:door | command camera-gate/snapshot=true | sent to camera',
      'process:camera | result camera-gate/snapshot | done: 2026-11-23/a.jpg',
    ]);
    expect(on.batches.flatMap(({ commands = [] }) => commands)).toHaveLength(1);
    await on.pass(120_000);
    expect(on.take()).toHaveLength(1);
  });

  it('is no output: nobody can hold it, and it has no state', async () => {
    const on = desk();
    expect(await on.ask('camera-gate/snapshot', true, { client: 'web' })).toMatchObject({ outcome: 'unknown-point' });
    expect([...on.states.keys()]).toEqual(['camera-gate/zoom']);
  });

  it('pressed by several at once is pressed once, and all get the answer', async () => {
    const on = desk();
    const all = [press(on), press(on), press(on)];
    expect(on.sent).toHaveLength(1);
    on.answer('failed', { message: 'no picture' });
    expect((await Promise.all(all)).map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed']);
    const again = press(on);
    expect(on.sent).toHaveLength(2);
    on.answer('done');
    expect(await again).toMatchObject({ outcome: 'done' });
  });

  it('that gets no answer has failed after its time, and is not pressed again', async () => {
    const on = desk();
    const pressed = press(on);
    await on.pass(9_500);
    expect(await pressed).toMatchObject({ outcome: 'failed', message: 'no answer from camera within 9500 ms' });
    expect(on.take()).toHaveLength(1);
    on.answer('done', {}, { ...(await pressed), value: true, priority: 12, issued: 0, expires: 0, until: null });
    expect(on.commands.counters.strangeResults).toBe(1);
  });

  it('whose process is away has failed at once; what is no button is refused', async () => {
    const on = desk();
    on.commands.onProcessStopped('camera');
    expect(await press(on)).toMatchObject({ outcome: 'failed', message: 'the process camera is not there' });
    expect(await press(on, 'zoom')).toMatchObject({ outcome: 'refused' });
    expect(on.take()).toEqual([]);
  });

  it('that cannot be published has failed', async () => {
    const on = desk({ publish: () => Promise.reject(new Error('BUS_AWAY')) });
    expect(await press(on)).toMatchObject({ outcome: 'failed', message: 'it could not be sent: BUS_AWAY' });
  });

  it('opens the session of any device anew', async () => {
    const on = desk();
    const pressed = press(on, 'driver-session');
    expect(on.last).toMatchObject({ point: 'driver-session', value: 'reopen' });
    on.answer('done');
    expect(await pressed).toMatchObject({ outcome: 'done' });
  });
});

describe('a button that takes a value', () => {
  const turn = (on: Desk, value?: string | boolean, priority?: 1 | 12) =>
    on.commands.pulse(camera, 'ptz_preset', 'interlock:panic.desk', 'pressed', {
      ...(value === undefined ? {} : { value }),
      ...(priority === undefined ? {} : { priority }),
    });

  it('is pressed with it, and with another one while that is under way', async () => {
    const on = desk();
    const [gate, yard, again] = [turn(on, 'gate'), turn(on, 'yard', 1), turn(on, 'gate')];
    expect(on.sent.map(({ command: { value, priority } }) => [value, priority])).toEqual([
      ['gate', 12],
      ['yard', 1],
    ]);
    on.answer('done');
    expect(await yard).toMatchObject({ outcome: 'done' });
    const [first] = on.sent;
    if (first === undefined) throw new Error('nothing was sent');
    const { id, device, point: name } = first.command;
    on.commands.onResult({ id, device, point: name, outcome: 'failed', message: 'no such preset', time: started });
    expect(await gate).toMatchObject({ outcome: 'failed', message: 'no such preset' });
    expect(await again).toMatchObject({ outcome: 'failed' });
  });

  it('is not pressed with nothing, with what is no value of its kind, or by the dozen; safety is never kept waiting', async () => {
    const on = desk();
    for (const wrong of [undefined, true, '', 'x'.repeat(65)])
      expect(await turn(on, wrong)).toMatchObject({ outcome: 'refused' });
    expect(await on.commands.pulse(camera, 'snapshot', 'web', 'x', { value: 'gate' })).toMatchObject({
      outcome: 'refused',
    });
    for (let i = 0; i < 8; i++) void turn(on, `p${i}`);
    expect(on.sent).toHaveLength(8);
    expect(await turn(on, 'one-more')).toMatchObject({ outcome: 'refused' });
    void turn(on, 'emergency', 1);
    expect(on.last).toMatchObject({ value: 'emergency', priority: 1 });
  });
});
