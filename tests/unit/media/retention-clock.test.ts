import { expect, test } from 'vitest';
import { DeletionClock } from '#edge/media/retention-clock.ts';
import { ManualClock } from '#edge/runtime/clock.ts';

const start = Date.UTC(2026, 8, 1);
const minute = 60_000;
const day = 86_400_000;

function rig(synchronised: boolean | null, state: { age: number; wall: number } | null = { age: start, wall: start }) {
  const clock = new ManualClock(start);
  const look = () => ({ now: clock.now(), monotonic: clock.monotonic(), synchronised });
  const judge = new DeletionClock(state, look());
  const pass = (ms: number) => {
    for (let left = ms; left > 0; left -= 10 * minute) {
      clock.advance(Math.min(left, 10 * minute));
      judge.look(look());
    }
    return judge.look(look());
  };
  return { clock, judge, pass };
}

test('a clock that runs steadily may delete a minute after a start that fits what is remembered', () => {
  const { pass } = rig(true);
  expect(pass(minute - 1_000).mayDelete).toBe(false);
  expect(pass(2_000)).toMatchObject({ mayDelete: true, why: '' });
});

test.each([
  ['forward', 365 * day],
  ['back', -365 * day],
  ['a little', -5_000],
])('nothing is deleted right after the clock was put %s, and the reason is told', (_, by) => {
  const { clock, pass } = rig(null);
  pass(day);
  clock.step(by);
  const verdict = pass(1_000);
  expect(verdict.mayDelete).toBe(false);
  expect(verdict.why).toMatch(/the clock was put (forward|back) by \d+ s; nothing is deleted for another 60 min/);
  expect(pass(30 * minute).mayDelete).toBe(false);
  expect(pass(31 * minute).mayDelete).toBe(true);
});

test('a jump of a year that nobody vouches for makes footage no older than the time that passed', () => {
  const { clock, pass } = rig(null);
  pass(day);
  clock.step(365 * day);
  const { mayDelete, ageNow } = pass(day);
  expect(mayDelete).toBe(true);
  expect(ageNow).toBeLessThanOrEqual(start + 2 * day + minute);
});

test('a jump that a time server vouches for counts when it has settled', () => {
  const { clock, pass } = rig(true);
  pass(day);
  clock.step(40 * day);
  pass(1_000);
  expect(pass(9 * minute).mayDelete).toBe(false);
  expect(pass(2 * minute)).toEqual({ mayDelete: true, ageNow: clock.now(), why: '' });
});

test('a box that slept a month wakes without a time server: what it has is kept until time has really passed', () => {
  const { pass } = rig(null, { age: start - 31 * day, wall: start - 31 * day });
  expect(pass(30 * minute).mayDelete).toBe(false);
  const later = pass(day);
  expect(later.mayDelete).toBe(true);
  expect(later.ageNow).toBeLessThanOrEqual(start - 31 * day + day + 60 * minute);
});

test('nothing looks older than the clock says, however far ahead it was once believed', () => {
  const { clock, pass } = rig(true, { age: start + 100 * day, wall: start });
  expect(pass(2 * minute).ageNow).toBeLessThanOrEqual(clock.now());
});
