import type { Clock } from '#edge/runtime/clock.ts';
import { frameMs } from './codecs.ts';

/** Something that sends one frame per tick. */
export interface Paced {
  /** `tick` numbers the 20 ms grid of the process; it may jump after a stall. */
  onTick(tick: number): void;
}

export interface Pacer extends Disposable {
  /** The tick that is current now. */
  tick(): number;
  /** Ticks since the grid's beginning, with their fraction. */
  position(): number;
  add(stream: Paced): void;
  remove(stream: Paced): void;
}

/**
 * One timer for all streams of the process. Deadlines are absolute on the monotonic clock, tick n at `origin + n * 20 ms`,
 * so that no lateness adds up; all streams share the grid, so that 200 speakers cost one wake-up per 20 ms, not 200.
 * The timer sleeps while nothing plays.
 */
export function startPacer(clock: Clock): Pacer {
  const origin = clock.monotonic();
  const streams = new Set<Paced>();
  let timer: NodeJS.Timeout | undefined;
  let done = -1;

  const position = () => (clock.monotonic() - origin) / frameMs;
  const tick = () => Math.floor(position());

  function arm(): void {
    if (timer !== undefined || streams.size === 0) return;
    const deadline = origin + (Math.max(tick(), done) + 1) * frameMs;
    // Node rounds timers down to whole milliseconds and may fire just before the deadline: round up.
    timer = setTimeout(fire, Math.max(1, Math.ceil(deadline - clock.monotonic())));
  }

  function fire(): void {
    timer = undefined;
    const now = tick();
    if (now > done) {
      done = now;
      for (const stream of [...streams]) stream.onTick(now);
    }
    arm();
  }

  return {
    tick,
    position,
    add(stream) {
      streams.add(stream);
      arm();
    },
    remove(stream) {
      streams.delete(stream);
    },
    [Symbol.dispose]() {
      streams.clear();
      clearTimeout(timer);
    },
  };
}
