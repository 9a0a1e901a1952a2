import type { Clock } from '#edge/runtime/clock.ts';

export interface AnswerTimer {
  cancel(): void;
}

/** A timer that fires so late tells of a process that stood still: the bytes of that time are not read yet, ms. */
const stall = 10;
/** Timers of Node hold no more: a longer one would be over at once, ms. */
const longest = 2 ** 31 - 1;
/** A serial port is read by another thread: so long after a stall its bytes are here, ms. */
const longestGrace = 100;

/**
 * Calls `action` when nothing has come for `wait` ms. Node runs its timers before it reads its sockets: after a stall, an answer that
 * came in time would count as missing, and one that must be followed by another as alone. So what is there is read first.
 */
export function answerTimer(clock: Clock, wait: number, action: () => void): AnswerTimer {
  const ms = Math.min(wait, longest);
  const due = clock.monotonic() + ms;
  let immediate: NodeJS.Immediate | undefined;
  const read = () => {
    immediate = setImmediate(action);
  };
  let timer = setTimeout(() => {
    const late = clock.monotonic() - due;
    if (late < stall) read();
    else timer = setTimeout(read, Math.min(late, longestGrace));
  }, ms);
  return {
    cancel() {
      clearTimeout(timer);
      clearImmediate(immediate);
    },
  };
}
