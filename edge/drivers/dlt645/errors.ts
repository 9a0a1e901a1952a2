import { CodedError } from '#edge/runtime/errors.ts';
import type { Failure } from '../meter-session.ts';
import { BusError, busReasonOf } from '../ports/bus-error.ts';

/** DL/T 645-2007, annex C: bits of the error word. */
const errorWords = [
  'another error',
  'it has no such data',
  'wrong password, not authorised, or its clock says that the command is too old',
  'the speed of the line cannot be changed',
  'too many time zones of the year',
  'too many periods of the day',
  'too many tariffs',
];
const noSuchData = 0x02;
const notAuthorised = 0x04;

/**
 * The meter answers, and says no to a value (`DLT645_REFUSED`) or to a block, of which it may have the parts (`DLT645_BLOCK`), or
 * says something else than the profile has it say (`DLT645_SHAPE`).
 */
export class Dlt645Error extends CodedError {
  readonly kind: 'refused' | 'block' | 'shape';
  /** The error word; 0 for `shape`. */
  readonly word: number;

  constructor(kind: Dlt645Error['kind'], message: string, word = 0) {
    super(`DLT645_${kind.toUpperCase()}`, message);
    this.name = 'Dlt645Error';
    this.kind = kind;
    this.word = word;
  }

  get isPassword(): boolean {
    return (this.word & notAuthorised) !== 0;
  }
}

/** `error 02 (it has no such data)`. */
export function errorText(word: number): string {
  const said = errorWords.filter((_, bit) => (word & (1 << bit)) !== 0);
  return `error ${word.toString(16).padStart(2, '0')} (${said.length === 0 ? 'unknown' : said.join('; ')})`;
}

/** What a failed request means for its values. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Dlt645Error) {
    const isFault = error.kind === 'refused' && (error.word & (noSuchData | notAuthorised)) === 0;
    if (isFault) return { reason: 'device-failure', kind: 'fault', again: false };
    // A length that is wrong once may be a frame that two disturbed bytes made valid.
    return { reason: 'configuration-error', kind: 'refused', again: error.kind === 'shape' };
  }
  const reason = busReasonOf(error);
  const again = error instanceof BusError && !['held', 'limit'].includes(error.outcome);
  return { reason, kind: reason === 'no-communication' ? 'silent' : 'fault', again };
}
