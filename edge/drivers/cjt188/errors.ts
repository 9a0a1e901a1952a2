import { CodedError } from '#edge/runtime/errors.ts';
import type { Failure } from '../meter-session.ts';
import { BusError, busReasonOf } from '../ports/bus-error.ts';

/** The meter answers, and says no: `CJT188_REFUSED`. */
export class Cjt188Error extends CodedError {
  constructor(message: string) {
    super('CJT188_REFUSED', message);
    this.name = 'Cjt188Error';
  }
}

/** What a failed request means for its values. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Cjt188Error) return { reason: 'configuration-error', kind: 'refused', again: false };
  const reason = busReasonOf(error);
  const again = error instanceof BusError && !['held', 'limit'].includes(error.outcome);
  return { reason, kind: reason === 'no-communication' ? 'silent' : 'fault', again };
}
