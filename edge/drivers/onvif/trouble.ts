import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';

/**
 * What went wrong, sorted by what to do next. `auth` and `locked` spend a password try, `full` waits for other people's
 * subscriptions to lapse, `gone` asks for a new subscription; all the others back off and try again.
 */
export type TroubleKind =
  | 'unreachable' // nobody listens: refused, no route, no such name
  | 'closed' // the camera hung up in the middle
  | 'timeout' // connected, but no (complete) answer in time
  | 'tls' // certificate refused
  | 'too-large'
  | 'not-onvif' // HTML or nothing at all where SOAP was expected
  | 'http' // an HTTP error without SOAP in it
  | 'broken-xml'
  | 'fault' // a SOAP fault that is none of the special ones
  | 'auth'
  | 'locked' // the camera says that it counts tries, or that the account is locked
  | 'full'
  | 'gone'
  | 'config'
  | 'stranger' // another camera than ours answers at this address
  | 'aborted';

/** A failed exchange with a camera; the message is a clause for people without a full stop. */
export class Trouble extends CodedError {
  readonly kind: TroubleKind;

  constructor(kind: TroubleKind, message: string, options?: { cause?: unknown }) {
    super(`ONVIF_${kind.toUpperCase().replace('-', '_')}`, message, options);
    this.name = 'Trouble';
    this.kind = kind;
  }
}

const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses the connection',
  EHOSTUNREACH: 'has no route to it',
  ENETUNREACH: 'has no route to it',
  EHOSTDOWN: 'is down',
  EADDRNOTAVAIL: 'has no route to it',
  ENOTFOUND: 'has a name that cannot be resolved',
  EAI_AGAIN: 'has a name that cannot be resolved now',
  ETIMEDOUT: 'does not answer',
};

/** Turns whatever a socket threw into a Trouble that names the camera's address. */
export function socketTrouble(error: unknown, where: string): Trouble {
  if (error instanceof Trouble) return error;
  const code = codeOf(error);
  const reason = unreachable[code];
  if (reason !== undefined) return new Trouble('unreachable', `camera ${where} ${reason}`, { cause: error });
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED') {
    return new Trouble('closed', `camera ${where} hung up in the middle of an answer`, { cause: error });
  }
  if (code.startsWith('HPE_')) {
    return new Trouble('not-onvif', `camera ${where} answers something that is not HTTP`, { cause: error });
  }
  if (/CERT|SELF_SIGNED|SSL|TLS/.test(code)) {
    return new Trouble('tls', `certificate of ${where} is not trusted (${code})`, { cause: error });
  }
  return new Trouble('closed', `camera ${where}: ${messageOf(error)}`, { cause: error });
}

/** Bugs and library surprises count as faults of the exchange: one camera must never take the others with it. */
export function asTrouble(error: unknown, where: string): Trouble {
  if (error instanceof Trouble) return error;
  return new Trouble('broken-xml', `camera ${where} sent an answer that cannot be understood: ${messageOf(error)}`, {
    cause: error,
  });
}
