import { once } from 'node:events';
import { expect, it, vi } from 'vitest';
import { systemClock } from '#edge/runtime/clock.ts';
import { flowsRoom } from './flows-room.ts';

const loopFlow = (code: string) => [
  { id: 't', type: 'tab', label: 'other/loop' },
  { id: 'in', type: 'campus reading', z: 't', point: 'button-1/pressed', qualityChanges: false, wires: [['f']] },
  { id: 'f', type: 'function', z: 't', func: code, outputs: 1, wires: [['out']] },
  {
    id: 'out',
    type: 'campus request',
    z: 't',
    point: 'relay-1/relay_2',
    value: 'payload',
    valueType: 'msg',
    seconds: '60',
    reason: 'test',
    wires: [[]],
  },
];

it('an endless asynchronous loop silences only its own process, which can be killed and comes back in safe mode', async () => {
  await using room = await flowsRoom();
  // The function timeout of Node-RED does not see this one: it never returns to the event loop.
  await room.writeFlow('other/loop.json', loopFlow('(async () => { while (true) await null; })(); return msg;'));
  await using child = await room.start();
  expect(child.problem).toBeNull();
  await room.say('button-1/pressed', true);
  await vi.waitFor(() => expect(child.silence()).toBeGreaterThan(1000), { timeout: 8000, interval: 20 });

  // This process, with the broker in it, goes on: what is published arrives while the child spins.
  const started = systemClock.monotonic();
  let turns = 0;
  await vi.waitFor(
    () => {
      turns++;
      expect(systemClock.monotonic() - started).toBeGreaterThan(500);
    },
    { timeout: 5000, interval: 10 },
  );
  expect(turns).toBeGreaterThan(10);
  await room.say('button-1/pressed', false);

  const exited = once(child.process, 'exit', { signal: AbortSignal.timeout(5000) });
  child.process.kill('SIGKILL');
  expect((await exited)[1]).toBe('SIGKILL');
  await using again = await room.start({ safeMode: true });
  expect(again.problem).toBe('safe-mode');
  expect(again.silence()).toBeLessThan(5000);
});

it('an endless plain loop is broken by the function timeout, and the next message is served', async () => {
  await using room = await flowsRoom();
  await room.writeFlow('other/loop.json', loopFlow('if (msg.payload === true) while (true) {}\nreturn msg;'));
  await using child = await room.start();
  await room.say('button-1/pressed', true);
  await vi.waitFor(() => expect(child.silence()).toBeGreaterThan(1000), { timeout: 8000, interval: 20 });
  await room.say('button-1/pressed', false);
  await vi.waitFor(() => expect(room.asked).toMatchObject([{ point: 'relay-1/relay_2', value: false }]), {
    timeout: 10_000,
  });
});

it('stops when it is told, and with its parent', async () => {
  await using room = await flowsRoom();
  await using told = await room.start();
  const gone = once(told.process, 'exit', { signal: AbortSignal.timeout(8000) });
  told.process.kill('SIGTERM');
  expect(await gone).toEqual([0, null]);
  await using orphan = await room.start();
  const left = once(orphan.process, 'exit', { signal: AbortSignal.timeout(8000) });
  orphan.process.disconnect();
  expect((await left)[0]).toBe(0);
});
