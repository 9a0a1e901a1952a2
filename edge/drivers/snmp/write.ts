import type { PointName } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { readBack, type WriteOutcome } from '../read-back.ts';
import { type Decoded, encodeInteger } from './decode.ts';
import { SnmpError } from './errors.ts';
import type { Item } from './session.ts';

export interface WriteContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly set: (item: Item, integer: number) => Promise<void>;
  readonly read: (item: Item) => Promise<Decoded>;
  /** It was sent: what was read before says nothing any more. */
  readonly written: (name: PointName) => void;
}

/** Writes one value and reads it back until it is there or its time is over. Never throws. */
export async function writePoint(
  context: WriteContext,
  item: Item | undefined,
  command: Command,
): Promise<WriteOutcome> {
  if (item === undefined) return { outcome: 'refused', message: `there is no value ${command.point}` };
  const { point, address } = item;
  if (point.write === undefined) return { outcome: 'refused', message: `${point.name} cannot be written` };
  const integer = encodeInteger(address, command.value);
  if (integer === null) {
    return { outcome: 'refused', message: `${point.name} does not take ${JSON.stringify(command.value)}` };
  }
  if (context.clock.now() > command.expires)
    return { outcome: 'expired', message: 'its time was over when its turn came' };
  try {
    await context.set(item, integer);
  } catch (error) {
    context.written(point.name);
    // After a silence it may have happened all the same: the read-back knows. An error status says that it did not.
    if (!(error instanceof SnmpError) || error.outcome !== 'timeout') {
      return { outcome: 'failed', message: messageOf(error) };
    }
  }
  context.written(point.name);
  const { clock, signal } = context;
  const { value: wanted } = command;
  return readBack({
    clock,
    signal,
    rule: point.write,
    wanted,
    read: () => context.read(item),
    isSame: (value) => value === wanted,
    before: { outcome: 'failed', message: 'given up before it was read back' },
  });
}
