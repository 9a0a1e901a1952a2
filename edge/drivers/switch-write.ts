import type { Point } from '#edge/domain/device.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import { readBack, type WriteOutcome } from './read-back.ts';

/** A contact or a valve inside a meter that also has a will of its own. */
export interface SwitchWrite {
  readonly point: Point;
  readonly command: Command;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Monotonic time of the last write to the point. */
  readonly lastWrite: number;
  /** Looks before it acts: an outcome ends the write (it is so already, or the meter must not be touched), null goes on. May throw. */
  look(wanted: boolean): Promise<WriteOutcome | null>;
  send(wanted: boolean): Promise<void>;
  /** The meter said no: nothing happened, and asking again would only wear its patience. */
  isRefusal(error: unknown): boolean;
  /** What it is now; may throw. */
  read(): Promise<{ readonly value: Value | null }>;
}

/**
 * Sets a switch to the wanted state (never a toggle), and proves it by reading it back. A refusal is final; after a silence it may
 * have happened, so only the read-back knows. Never throws.
 */
export async function writeSwitch(write: SwitchWrite): Promise<WriteOutcome> {
  const { point, command, clock, signal } = write;
  const wanted = command.value;
  if (typeof wanted !== 'boolean') {
    return { outcome: 'refused', message: `${point.name} takes a boolean, not ${JSON.stringify(wanted)}` };
  }
  const { minGap = 0 } = point.write ?? {};
  const wait = minGap - (clock.monotonic() - write.lastWrite);
  if (wait > 0 && clock.now() + wait > command.expires) {
    return {
      outcome: 'refused',
      message: `${point.name} was written moments ago; it may change once in ${minGap} ms`,
    };
  }
  if (wait > 0) await delay(Math.ceil(wait), signal);
  const seen = await looked(write, wanted);
  if (seen !== null) return seen;
  if (clock.now() > command.expires) return { outcome: 'expired', message: 'too late when its turn came' };
  return sendAndVerify(write, wanted);
}

async function looked(write: SwitchWrite, wanted: boolean): Promise<WriteOutcome | null> {
  try {
    return await write.look(wanted);
  } catch {
    // It does not say how it stands; then the command itself has to show whether it listens.
    return null;
  }
}

async function sendAndVerify(write: SwitchWrite, wanted: boolean): Promise<WriteOutcome> {
  const { point, clock, signal } = write;
  let last: WriteOutcome = { outcome: 'failed', message: 'given up before it was sent' };
  // What was acknowledged and not done is the meter's will; only what may not have arrived is sent once more.
  for (let attempt = 1, arrived = false; attempt <= 2 && !arrived && !signal.aborted; attempt++) {
    try {
      await write.send(wanted);
      arrived = true;
    } catch (error) {
      if (write.isRefusal(error)) return { outcome: 'refused', message: messageOf(error) };
      last = { outcome: 'failed', message: messageOf(error) };
    }
    last = await readBack({
      clock,
      signal,
      rule: point.write,
      wanted,
      read: () => write.read(),
      isSame: (value) => value === wanted,
      before: last,
    });
    if (last.outcome === 'done') return last;
  }
  return last;
}
