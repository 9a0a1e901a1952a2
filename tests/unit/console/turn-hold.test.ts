import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Move, TurnHold, type Velocity } from '#edge/web/console/pages/live/turn-hold.ts';

/* A hand on the arrows of the live page, by the letter of time. */

let asked: string[];
let shown: (Move | null)[];
let answer: () => Promise<boolean>;
let hold: TurnHold;

const left = '-0.5 0 0';
const up = '0 0.5 0';
const stop = '0 0 0';
const after = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const slowly = (ms: number, isDone = true) => new Promise<boolean>((resolve) => setTimeout(resolve, ms, isDone));

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  shown = [];
  answer = async () => true;
  hold = new TurnHold({
    ask: (velocity: Velocity) => {
      asked.push(velocity.join(' '));
      return answer();
    },
    onHeld: (move) => shown.push(move),
  });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a movement is asked for again before half a second is over, as long as it is held, and stopped once', async () => {
  hold.begin('left');
  await after(1_000);
  expect(asked).toEqual([left, left, left, left]);
  hold.end('left');
  await after(5_000);
  expect(asked).toEqual([left, left, left, left, stop]);
  expect(shown).toEqual(['left', null]);
});

test('what keys repeat by themselves is the same hold, and a tap moves and stops', async () => {
  for (let i = 0; i < 20; i++) hold.begin('left');
  hold.end('left');
  await after(2_000);
  expect(asked).toEqual([left, stop]);
  expect(shown).toEqual(['left', null]);
});

test('there is one request at a time: a slow camera is not buried in them', async () => {
  answer = () => slowly(900);
  hold.begin('left');
  await after(2_000);
  expect(asked).toEqual([left, left, left]);
});

test('a stop waits for the movement that it ends, but not for a camera that does not answer', async () => {
  answer = () => slowly(100);
  hold.begin('left');
  await after(50);
  hold.end('left');
  expect(asked).toEqual([left]);
  await after(50);
  expect(asked).toEqual([left, stop]);
  await after(1_000);

  answer = () => slowly(10_000);
  hold.begin('up');
  hold.end('up');
  await after(249);
  expect(asked.slice(2)).toEqual([up]);
  await after(1);
  expect(asked.slice(2)).toEqual([up, stop]);
});

test('of two keys the later one counts, and letting go of the earlier changes nothing', async () => {
  hold.begin('left');
  await after(10);
  hold.begin('up');
  hold.end('left');
  await after(600);
  expect(asked).toEqual([left, up, up]);
  hold.end('up');
  await after(600);
  expect(asked).toEqual([left, up, up, stop]);
});

test('pressed again at once it goes on without a stop between', async () => {
  answer = () => slowly(100);
  hold.begin('left');
  await after(20);
  hold.end('left');
  hold.begin('up');
  await after(1_000);
  expect(asked).not.toContain(stop);
  expect(asked.at(-1)).toBe(up);
});

test('what is refused is not asked for on and on, and is stopped all the same', async () => {
  answer = async () => false;
  hold.begin('left');
  await after(5_000);
  expect(asked).toEqual([left, stop]);
  expect(shown).toEqual(['left', null]);
  hold.end('left');
  await after(1_000);
  expect(asked).toEqual([left, stop]);
});

test('leaving the page is letting go', async () => {
  hold.begin('left');
  await after(400);
  hold[Symbol.dispose]();
  await after(2_000);
  expect(asked).toEqual([left, left, stop]);
});
