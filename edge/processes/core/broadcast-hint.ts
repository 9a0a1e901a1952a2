import type { Clock } from '#edge/runtime/clock.ts';

export interface Hint extends Disposable {
  tell(): void;
}

/** At most four a second, and the last one always: who hears it asks for what is true then. */
const least = 250;

/** Says that something changed, never what. What cannot be told is told with the next change. */
export function createHint(publish: (time: number) => Promise<unknown>, clock: Clock): Hint {
  let toldAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const now = () => {
    timer = undefined;
    toldAt = clock.monotonic();
    publish(clock.now()).catch(() => {});
  };
  return {
    tell() {
      if (timer !== undefined) return;
      const left = toldAt + least - clock.monotonic();
      if (left <= 0) now();
      else timer = setTimeout(now, Math.ceil(left));
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
