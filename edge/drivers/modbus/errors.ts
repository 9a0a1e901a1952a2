import type { Reason } from '#edge/domain/reading.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { busReasonOf } from '../ports/bus-error.ts';

/** What a question to a Modbus device can come to beside what a line can (`BusError`). */
export type Outcome =
  | 'exception' // the device (or its gateway) refuses
  | 'garbage' // an answer that cannot be read
  | 'limit'; // asked for more than Modbus allows: a bug in a profile or here

/** A real Error with what programs need: `MODBUS_EXCEPTION` and its number, `MODBUS_LIMIT`. */
export class ModbusError extends CodedError {
  readonly outcome: Outcome;
  /** Modbus exception code; 0 when the outcome is another. */
  readonly exception: number;

  constructor(outcome: Outcome, message: string, options: { exception?: number; cause?: unknown } = {}) {
    super(`MODBUS_${outcome.toUpperCase()}`, message, { cause: options.cause });
    this.name = 'ModbusError';
    this.outcome = outcome;
    this.exception = options.exception ?? 0;
  }
}

const exceptions: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'device failure',
  5: 'acknowledged, still working',
  6: 'device busy',
  8: 'memory parity error',
  10: 'gateway path unavailable: the gateway is not set up for this unit',
  11: 'gateway target does not respond',
};

export function exceptionText(code: number): string {
  return `exception ${code} (${exceptions[code] ?? 'unknown'})`;
}

/** Quality of a value whose request failed (facts of OPC UA Part 8 and of section 7 of the Modbus application protocol). */
export function reasonOf(error: unknown): Reason {
  if (!(error instanceof ModbusError)) return busReasonOf(error);
  if (error.outcome === 'limit') return 'configuration-error';
  if (error.outcome === 'garbage') return 'communication-error';
  if ([1, 2, 3, 10].includes(error.exception)) return 'configuration-error';
  return error.exception === 11 ? 'no-communication' : 'device-failure';
}

/** Exceptions 1, 2 and 3: the device does not know this function, address or length. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ModbusError && (error.outcome === 'limit' || [1, 2, 3].includes(error.exception));
}

/**
 * The device was not heard at all, or its gateway does not know it: asking for its next block now would only cost the line
 * another timeout.
 */
export function isSilence(error: unknown): boolean {
  return reasonOf(error) === 'no-communication' || (error instanceof ModbusError && error.exception === 10);
}
