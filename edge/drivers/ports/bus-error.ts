import type { Reason } from '#edge/domain/reading.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';

/** What a question on a line can come to, other than an answer. Also the names of the counters in device health. */
export type BusOutcome =
  | 'timeout' // no answer
  | 'crc' // bytes came, but no valid frame
  | 'garbage' // a valid frame that answers something else, or a stream out of step
  | 'closed' // no connection, or it ended while waiting
  | 'held' // not asked, on purpose: it is silent and others come first
  | 'limit'; // cannot be asked: a bug in a profile or here

/** A real Error with what programs need: `BUS_TIMEOUT`, `BUS_CRC`, ... */
export class BusError extends CodedError {
  readonly outcome: BusOutcome;

  constructor(outcome: BusOutcome, message: string, options: { cause?: unknown } = {}) {
    super(`BUS_${outcome.toUpperCase()}`, message, options);
    this.name = 'BusError';
    this.outcome = outcome;
  }
}

const reasons: Readonly<Record<BusOutcome, Reason>> = {
  timeout: 'no-communication',
  closed: 'no-communication',
  held: 'no-communication',
  crc: 'communication-error',
  garbage: 'communication-error',
  limit: 'configuration-error',
};

/** Why a value is bad whose question failed on the line (BusError, LANE_*); anything else is a communication error. */
export function busReasonOf(error: unknown): Reason {
  if (error instanceof BusError) return reasons[error.outcome];
  return codeOf(error).startsWith('LANE_') ? 'no-communication' : 'communication-error';
}
