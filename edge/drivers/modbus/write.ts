import type { Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import { type Decoded, decodeBit, decodeFactor } from '#edge/profiles/decode.ts';
import { encodeRegisters } from '#edge/profiles/encode.ts';
import type { ModbusAddress } from '#edge/profiles/modbus-address.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import { readBack, type WriteOutcome } from '../read-back.ts';
import { ModbusError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { readExchange, writeExchange } from './exchange.ts';
import type { Item } from './layout.ts';
import { spanOf } from './planner.ts';
import { decodeFinite } from './reader.ts';

/** What a write needs of its session. */
export interface WriteContext {
  readonly unit: number;
  readonly clock: Clock;
  request(exchange: Exchange): Promise<Buffer>;
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
  let factor: number;
  try {
    factor = await readFactor(context, address);
  } catch (error) {
    return { outcome: 'failed', message: `what scales ${point.name} cannot be read: ${messageOf(error)}` };
  }
  let exchange: Exchange;
  try {
    exchange = toExchange(context.unit, item, address.write.fc, command.value, factor);
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
  return writeAndVerify(context, item, exchange, command.value, factor);
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

function toExchange(
  unit: number,
  { address, point }: Item,
  fc: 5 | 6 | 15 | 16,
  value: Value,
  factor: number,
): Exchange {
  if (fc === 6 || fc === 16) {
    return writeExchange(unit, fc, address.at, encodeRegisters(address.format, address.length, value, factor));
  }
  if (address.format.forbidden?.includes(value) === true) {
    throw new CodedError('PROFILE_NOT_ENCODABLE', `${JSON.stringify(value)} must never be written to ${point.name}`);
  }
  return writeExchange(unit, fc, address.at, [value === true]);
}

/** The product of the registers that scale a value; 1 when nothing does. */
async function readFactor(context: WriteContext, { scaleFrom = [] }: ModbusAddress): Promise<number> {
  let product = 1;
  for (const { table, at, length, format } of scaleFrom) {
    const factor = decodeFactor(format, await context.request(readExchange(context.unit, table, at, length)));
    if (factor === null) throw new CodedError('MODBUS_FACTOR', `${table} ${at} says nothing usable`);
    product *= factor;
  }
  return product;
}

/** What the device says afterwards: of the point itself, or of the one by which its profile has it proved. */
async function readState(context: WriteContext, { address, point }: Item, factor: number): Promise<Decoded> {
  const place = address.write?.readBack ?? address;
  const span = address.write?.readBack === undefined ? spanOf(address) : spanOf({ ...address.write.readBack });
  const bytes = await context.request(readExchange(context.unit, span.table, span.at, span.length));
  const offset = place.at - span.at;
  if (span.table === 'coil' || span.table === 'discrete') return decodeBit(bytes, offset);
  const own = bytes.subarray(2 * offset, 2 * (offset + place.length));
  return decodeFinite(place.format, own, point.range, place === address ? factor : 1);
}

async function writeAndVerify(
  context: WriteContext,
  item: Item,
  exchange: Exchange,
  wanted: Value,
  factor: number,
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
      read: () => readState(context, item, factor),
      isSame: (value) => isSame(value, wanted, item, factor),
      before: last,
    });
    if (last.outcome === 'done') return last;
  }
  return last;
}

/** Equal after a round trip through the register: half a raw step. */
function isSame(value: Value, wanted: Value, { address }: Item, factor: number): boolean {
  if (typeof value !== 'number' || typeof wanted !== 'number') return value === wanted;
  const isFloat = address.format.as === 'f32' || address.format.as === 'f64';
  const tolerance = isFloat ? Math.abs(wanted) * 1e-6 : Math.abs(address.format.scale * factor) / 2;
  return Math.abs(value - wanted) <= tolerance;
}
