import { expect, test } from 'vitest';
import { createPlay } from './repair-campus.ts';

/* Devices that are ill on purpose, and clocks that jump: mending must neither never come nor become the harm. */

const day = 86_400;

test.each([5, 11, 600, 7_000])(
  'a device that works for %i s after each time it was cut is cut at most three times a day, and ends with a person or calmly',
  (works) => {
    const play = createPlay();
    let backAt: number | null = null;
    play.run(3 * day, () => {
      const { seconds } = play;
      if (
        play.world.health === 'ill' &&
        play.done.at(-1)?.act.kind === 'hold' &&
        play.held.get('switch-1/poe_3' as never) === true
      ) {
        play.mend();
        backAt = seconds;
      } else if (backAt === null ? seconds === 1 : play.world.health === 'well' && seconds - backAt >= works)
        play.fail();
    });
    const cuts = play.done.filter(({ act }) => act.kind === 'hold' && !act.value).map(({ at }) => at);
    expect(cuts.length).toBeGreaterThan(0);
    for (const cut of cuts)
      expect(cuts.filter((other) => other > cut - day * 1_000 && other <= cut).length).toBeLessThanOrEqual(3);
    // Power is never left off.
    expect(play.held.get('switch-1/poe_3' as never)).not.toBe(false);
  },
);

test('a device that fell ill before the clock was set back by a year is mended all the same', () => {
  const play = createPlay();
  play.fail();
  play.run(5);
  play.jump(-365 * day * 1_000);
  play.run(300);
  expect(play.acts.map((act) => act.split(' ')[1])).toEqual(['reconnect', 'hold', 'hold', 'relinquish', 'raise']);
});
