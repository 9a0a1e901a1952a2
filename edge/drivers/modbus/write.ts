import type { Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Decoded } from '#edge/profiles/decode.ts';
import { encodeRegisters } from '#edge/profiles/encode.ts';
import type { ModbusAddress } from '#edge/profiles/modbus-address.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import { readBack, type WriteOutcome } from '../read-back.ts';
import { ModbusError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { writeExchange } from './exchange.ts';

export interface Item {
  readonly point: Point;
  readonly address: ModbusAddress;
}

/** What a write needs of its session. */
export interface WriteContext {
  readonly unit: number;
  readonly clock: Clock;
  request(exchange: Exchange): Promise<Buffer>;
  read(item: Item): Promise<Decoded>;
  /** Monotonic time of the last write to the point. */
  lastWrite(name: PointName): number;
  written(name: PointName): void;
  readonly signal: AbortSignal;
}

const refused = (message: string): WriteOutcome => ({ outcome: 'refused', message });

/**
 * Writes the wanted state (never a toggle: a retry would flip it back), reads it back from the device, and writes once more
 * when it did not take. An acknowledged write proves nothing: boards acknowledge what they do not do.
 */
export async function writePoint(
  context: WriteContext,
  item: Item | undefined,
  command: Command,
): Promise<WriteOutcome> {
  if (item === undefined) return refused(`there is no point ${command.point}`);
  const { point, address } = item;
  if (address.write === undefined || point.write === undefined) return refused(`${point.name} cannot be written`);
  const wrong = whatIsWrong(point, command.value);
  if (wrong !== null) return refused(wrong);
  let exchange: Exchange;
  try {
    exchange = toExchange(context.unit, item, address.write.fc, command.value);
  } catch (error) {
    return refused(messageOf(error));
  }
  const wait = point.write.minGap - (context.clock.monotonic() - context.lastWrite(point.name));
  if (wait > 0) {
    if (context.clock.now() + wait > command.expires) {
      return refused(`${point.name} was written moments ago; it may change once in ${point.write.minGap} ms`);
    }
    await delay(Math.ceil(wait), context.signal);
  }
  if (context.clock.now() > command.expires) return { outcome: 'expired', message: 'too late when its turn came' };
  return writeAndVerify(context, item, exchange, command.value);
}

function whatIsWrong(point: Point, value: Value): string | null {
  const kinds = { number: 'number', boolean: 'boolean', text: 'string' } as const;
  if (typeof value !== kinds[point.type]) return `${point.name} takes a ${point.type}, not ${JSON.stringify(value)}`;
  if (typeof value !== 'number' || point.write === undefined) return null;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, step } = point.write;
  if (!(value >= min && value <= max)) return `${point.name} takes ${min} to ${max}, not ${value}`;
  if (step !== undefined) {
    const steps = (value - (Number.isFinite(min) ? min : 0)) / step;
    if (Math.abs(steps - Math.round(steps)) > 1e-6) return `${point.name} moves in steps of ${step}, not to ${value}`;
  }
  return null;
}

function toExchange(unit: number, { address }: Item, fc: 5 | 6 | 15 | 16, value: Value): Exchange {
  if (fc === 5 || fc === 15) return writeExchange(unit, fc, address.at, [value === true]);
  return writeExchange(unit, fc, address.at, encodeRegisters(address.format, address.length, value));
}

async function writeAndVerify(
  context: WriteContext,
  item: Item,
  exchange: Exchange,
  wanted: Value,
): Promise<WriteOutcome> {
  const retries = item.address.write?.retry ?? 0;
  let last: WriteOutcome = { outcome: 'failed', message: 'given up before it was sent' };
  for (let attempt = 0; attempt <= retries && !context.signal.aborted; attempt++) {
    try {
      await context.request(exchange);
    } catch (error) {
      context.written(item.point.name);
      last = { outcome: 'failed', message: messageOf(error) };
      // Refused outright: nothing happened. After a silence it may have happened: only the read-back knows.
      if (error instanceof ModbusError && error.outcome === 'exception' && ![5, 6].includes(error.exception))
        return last;
    }
    context.written(item.point.name);
    const { clock, signal } = context;
    last = await readBack({
      clock,
      signal,
      rule: item.point.write,
      wanted,
      read: () => context.read(item),
      isSame: (value) => isSame(value, wanted, item),
      before: last,
    });
    if (last.outcome === 'done') return last;
  }
  return last;
}

/** Equal after a round trip through the register: half a raw step. */
function isSame(value: Value, wanted: Value, { address }: Item): boolean {
  if (typeof value !== 'number' || typeof wanted !== 'number') return value === wanted;
  const isFloat = address.format.as === 'f32' || address.format.as === 'f64';
  const tolerance = isFloat ? Math.abs(wanted) * 1e-6 : Math.abs(address.format.scale) / 2;
  return Math.abs(value - wanted) <= tolerance;
}
