import type { Reason } from '#edge/domain/reading.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';

/** Outcome words: what a request can come to. They are also the names of the counters in device health. */
export type Outcome =
  | 'timeout' // no answer: not there, or it does not know the community
  | 'closed' // the host answers, but nobody listens on the port; or the network says that it cannot be reached
  | 'auth' // SNMPv3: it does not know the user, or a password is wrong
  | 'garbage' // an answer that cannot be understood, or that is not to what was asked
  | 'too-big' // it cannot put so much into one answer
  | 'failed' // it answers with an error status
  | 'config'; // a file of ours cannot be read

/** A real Error with what programs need: `SNMP_TIMEOUT`, `SNMP_AUTH` ... */
export class SnmpError extends CodedError {
  readonly outcome: Outcome;

  constructor(outcome: Outcome, message: string, options: { cause?: unknown } = {}) {
    super(`SNMP_${outcome.toUpperCase().replace('-', '_')}`, message, { cause: options.cause });
    this.name = 'SnmpError';
    this.outcome = outcome;
  }
}

/** Quality of a value whose request failed. */
export function reasonOf(error: unknown): Reason {
  if (!(error instanceof SnmpError))
    return codeOf(error).startsWith('LANE_') ? 'no-communication' : 'communication-error';
  switch (error.outcome) {
    case 'timeout':
    case 'closed':
      return 'no-communication';
    case 'auth':
      return 'held';
    case 'garbage':
    case 'too-big':
      return 'communication-error';
    case 'failed':
      return 'device-failure';
    case 'config':
      return 'configuration-error';
  }
}

/** Nothing more is to be had of this agent now: asking on would only cost another timeout. */
export function endsRead(error: unknown): boolean {
  return ['no-communication', 'held', 'configuration-error'].includes(reasonOf(error));
}
