import type { AskOptions, Bus } from '../ports/bus.ts';
import type { Exchange } from './exchange.ts';

/** Data bytes of the answer; empty for writes. Rejects with a ModbusError, a BusError, or LANE_FULL / LANE_ABORTED / LANE_CLOSED. */
export async function askModbus(bus: Bus, exchange: Exchange, options: AskOptions): Promise<Buffer> {
  return exchange.parse(await bus.ask(bus.numbered ? exchange.tcp : exchange.rtu, options));
}
