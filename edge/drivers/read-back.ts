import type { WriteRule } from '#edge/domain/device.ts';
import type { CommandResult } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';

export type WriteOutcome = Pick<CommandResult, 'outcome' | 'value' | 'message'>;

export interface ReadBack {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly rule: WriteRule | undefined;
  readonly wanted: Value;
  /** May throw: then it is not read back yet. */
  readonly read: () => Promise<{ readonly value: Value | null }>;
  readonly isSame: (value: Value) => boolean;
  /** The answer if it is given up before it was read. */
  readonly before: WriteOutcome;
}

/** Reads a value until it is what was written or its time (`verifyAfter`, `verifyWithin`) is over. Never throws. */
export async function readBack({ clock, signal, rule, wanted, read, isSame, before }: ReadBack): Promise<WriteOutcome> {
  const { verifyAfter = 200, verifyWithin = 2_000 } = rule ?? {};
  const deadline = clock.monotonic() + Math.max(verifyAfter, verifyWithin);
  let last = before;
  let pause = verifyAfter;
  do {
    await delay(pause, signal);
    pause = Math.max(100, verifyAfter / 2);
    try {
      const { value } = await read();
      if (value !== null && isSame(value)) return { outcome: 'done', value };
      last = {
        outcome: 'mismatch',
        message: `read back ${value}, wanted ${wanted}`,
        ...(value === null ? {} : { value }),
      };
    } catch (error) {
      last = { outcome: 'failed', message: `not read back: ${messageOf(error)}` };
    }
  } while (clock.monotonic() + pause <= deadline && !signal.aborted);
  return last;
}
