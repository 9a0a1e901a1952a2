import { type ModbusConfig, parseModbusConfig } from '#edge/drivers/modbus/config.ts';
import { ModbusError } from '#edge/drivers/modbus/errors.ts';
import { readExchange } from '#edge/drivers/modbus/exchange.ts';
import { askModbus } from '#edge/drivers/modbus/line.ts';
import { mbapLink } from '#edge/drivers/modbus/mbap-link.ts';
import type { Bus } from '#edge/drivers/ports/bus.ts';
import { BusError } from '#edge/drivers/ports/bus-error.ts';
import { createBuses } from '#edge/drivers/ports/buses.ts';
import { frameGapOf, serialPort } from '#edge/drivers/ports/serial.ts';
import { tcpPort } from '#edge/drivers/ports/tcp.ts';
import type { Table } from '#edge/profiles/modbus-address.ts';
import { placesOf, type Registers, spansWanted } from '#edge/profiles/plausibility-readings.ts';
import type { ModbusProfile } from '#edge/profiles/profile.ts';
import { systemClock } from '#edge/runtime/clock.ts';

/* The registers of a device as they are, where its profile says and beside that: what a wrong profile is found out by. Only reads. */

export interface Span {
  readonly table: Table;
  readonly at: number;
  readonly length: number;
}

/** What one request gave: bytes; `refused`: the device says no; `silent`: nothing came. */
export type Asked = Buffer | 'refused' | 'silent';
export type AskSpan = (span: Span) => Promise<Asked>;

const mostRequests = 240;
/** A device that is silent about a table instead of refusing it costs a timeout each time. */
const mostSilences = 2;

/** Reads what can be read of these spans: whole stretches first, and what is refused in parts. */
export async function readSpans(
  ask: AskSpan,
  spans: readonly Span[],
  max: number,
  signal: AbortSignal,
): Promise<Registers> {
  const words = new Map<string, number>();
  const silences = new Map<Table, number>();
  let requests = 0;
  const read = async (span: Span): Promise<boolean> => {
    const isGivenUp = (silences.get(span.table) ?? 0) >= mostSilences || requests >= mostRequests || signal.aborted;
    if (isGivenUp) return true;
    requests++;
    const said = await ask(span);
    if (said === 'silent') silences.set(span.table, (silences.get(span.table) ?? 0) + 1);
    if (!Buffer.isBuffer(said)) return said === 'silent';
    for (let i = 0; i < span.length; i++) words.set(`${span.table}:${span.at + i}`, said.readUInt16BE(2 * i));
    return true;
  };
  for (const { whole, parts } of stretches(spans, max)) {
    if (await read(whole)) continue;
    for (const { table, at, length } of parts) {
      if (parts.length > 1 && (await read({ table, at, length }))) continue;
      // The value itself, then what is before and behind it.
      if (length > 2 && (await read({ table, at: at + 1, length: length - 2 }))) {
        await read({ table, at, length: 1 });
        await read({ table, at: at + length - 1, length: 1 });
      }
    }
  }
  return registersOf(words);
}

function registersOf(words: ReadonlyMap<string, number>): Registers {
  return {
    read(table, at, length) {
      const bytes = Buffer.alloc(2 * length);
      for (let i = 0; i < length; i++) {
        const word = words.get(`${table}:${at + i}`);
        if (word === undefined) return null;
        bytes.writeUInt16BE(word, 2 * i);
      }
      return bytes;
    },
  };
}

/** Spans that overlap or nearly touch are asked for together. */
function stretches(spans: readonly Span[], max: number): { readonly whole: Span; readonly parts: readonly Span[] }[] {
  const found: { table: Table; at: number; end: number; parts: Span[] }[] = [];
  // The table that the profile means first: a device may be silent about the other, and is then left alone for a while.
  const first = spans[0]?.table;
  const rank = ({ table }: Span) => (table === first ? 0 : 1);
  const sorted = [...spans].sort((a, b) => rank(a) - rank(b) || a.table.localeCompare(b.table) || a.at - b.at);
  for (const span of sorted) {
    const last = found.at(-1);
    const end = span.at + span.length;
    const joins = last?.table === span.table && span.at <= last.end + 4 && Math.max(end, last.end) - last.at <= max;
    if (last === undefined || !joins) found.push({ table: span.table, at: span.at, end, parts: [span] });
    else {
      last.end = Math.max(last.end, end);
      last.parts.push(span);
    }
  }
  return found.map(({ table, at, end, parts }) => ({ whole: { table, at, length: end - at }, parts }));
}

/** Asks over a bus; what a line does wrong is silence. */
export function askBy(
  bus: Bus,
  unit: number,
  options: { timeout: number; pause: number; signal: AbortSignal },
): AskSpan {
  return async ({ table, at, length }) => {
    try {
      const question = readExchange(unit, table, at, length);
      return await askModbus(bus, question, {
        ...options,
        urgency: 'read',
        lateWindow: 300,
        count: () => {},
        device: 'tried',
      });
    } catch (error) {
      if (error instanceof ModbusError && error.outcome === 'exception') {
        return [1, 2, 3, 4].includes(error.exception) ? 'refused' : 'silent';
      }
      if (error instanceof BusError || options.signal.aborted) return 'silent';
      throw error;
    }
  };
}

export function modbusWay(config: ModbusConfig) {
  if ('tcp' in config) {
    return { source: tcpPort(config.tcp), line: { frameGap: 0 }, speaks: 'Modbus TCP', kind: mbapLink };
  }
  const speaks = 'Modbus RTU';
  if ('rtuOverTcp' in config) return { source: tcpPort(config.rtuOverTcp), line: { frameGap: 0 }, speaks };
  return { source: serialPort(config.serial), line: { frameGap: frameGapOf(config.serial) }, speaks };
}

/** Everything that plausibility may want of this device. Throws DEVICE_CONFIG. */
export async function readTriedRegisters(
  profile: ModbusProfile,
  address: unknown,
  signal: AbortSignal,
): Promise<Registers> {
  const config = parseModbusConfig(address);
  await using buses = createBuses({ clock: systemClock });
  const { bus } = buses.acquire({ ...modbusWay(config), device: 'tried' });
  const ask = askBy(bus, config.unit, {
    timeout: Math.max(config.timeout, profile.bus.timeout ?? 0),
    pause: profile.bus.pause,
    signal,
  });
  const variants = (profile.variants ?? []).map(({ variant }) => variant);
  return await readSpans(ask, spansWanted(placesOf(profile), variants), Math.min(profile.bus.max, 100), signal);
}
