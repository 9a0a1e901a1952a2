import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { systemClock } from '#edge/runtime/clock.ts';
import { type Child, flowsRoom } from './flows-room.ts';

/** The shipped flow as it is, but for the 20 minutes: real Node-RED, real broker. */
const shipped = new URL('../../flows/comfort/empty-room-ac.json', import.meta.url);
const emptySeconds = 0.8;

let room: Awaited<ReturnType<typeof flowsRoom>>;
let child: Child;
beforeAll(async () => {
  room = await flowsRoom();
  const text = await readFile(shipped, 'utf8');
  expect(text).toContain('"value": "1200"');
  await room.writeFlow(
    'comfort/empty-room-ac.json',
    JSON.parse(text.replace('"value": "1200"', `"value": "${emptySeconds}"`)),
  );
  child = await room.start();
});
afterAll(async () => {
  await child?.[Symbol.asyncDispose]();
  await room?.[Symbol.asyncDispose]();
});

it('runs', () => {
  expect(child.problem).toBeNull();
});

it('asks for an empty room to be switched off after the delay, as automation, and takes it back when people return', async () => {
  const emptyAt = systemClock.monotonic();
  await room.say('pir-101/occupancy', false);
  await vi.waitFor(() => expect(room.asked).toHaveLength(1), { timeout: 8000 });
  expect(room.asked[0]).toMatchObject({
    point: 'relay-1/relay_1',
    value: false,
    priority: 12,
    seconds: 43_200,
    reason: expect.stringContaining('empty'),
  });
  expect((room.asked[0]?.at ?? 0) - emptyAt).toBeGreaterThan(emptySeconds * 950);
  await room.say('pir-101/occupancy', true);
  await vi.waitFor(() => expect(room.asked).toHaveLength(2), { timeout: 8000 });
  expect(room.asked[1]).toMatchObject({ point: 'relay-1/relay_1', value: null, priority: 12 });
});

it('does not ask when people come back in time', async () => {
  const before = room.asked.length;
  await room.say('pir-101/occupancy', false);
  await room.say('pir-101/occupancy', true);
  await vi.waitFor(() => expect(room.asked).toHaveLength(before + 1), { timeout: 8000 });
  const backAt = systemClock.monotonic();
  await vi.waitFor(() => expect(systemClock.monotonic() - backAt).toBeGreaterThan(emptySeconds * 1500), {
    timeout: 5000,
  });
  expect(room.asked.slice(before)).toMatchObject([{ value: null }]);
});

it('does not take a dead sensor for an empty room', async () => {
  const before = room.asked.length;
  await room.say('pir-101/occupancy', false);
  await room.say('pir-101/occupancy', false, 'bad');
  const deadAt = systemClock.monotonic();
  await vi.waitFor(() => expect(systemClock.monotonic() - deadAt).toBeGreaterThan(emptySeconds * 1500), {
    timeout: 5000,
  });
  expect(room.asked).toHaveLength(before);
});

it('begins to wait again when it is started again while the room is empty', async () => {
  await child[Symbol.asyncDispose]();
  await room.say('pir-101/occupancy', false);
  const before = room.asked.length;
  child = await room.start();
  await vi.waitFor(() => expect(room.asked).toHaveLength(before + 1), { timeout: 8000 });
  expect(room.asked.at(-1)).toMatchObject({ value: false });
});
