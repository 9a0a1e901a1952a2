import { CodedError } from '#edge/runtime/errors.ts';
import { DigestAuth, pickDigest } from '#edge/runtime/http-digest.ts';
import { type Header, linesOf, type SipResponse } from './message.ts';

/**
 * Who we are for one exchange or loudspeaker. A password leaves as a digest only, and only for the realm that was named or, where none
 * was, the first that was met: nobody gets a proof of it by calling himself something else.
 */
export interface Account {
  /** What goes with a request; without a challenge so far: nothing. */
  headers(method: string, uri: string): readonly Header[];
  /** Throws SIP_PASSWORD when there is nothing to answer a challenge with. */
  learn(response: SipResponse): 'fresh' | 'stale';
}

export interface Login {
  readonly username: string;
  readonly password: string;
  readonly realm?: string | undefined;
}

const kinds = [
  { status: 401, challenge: 'www-authenticate', answer: 'authorization' },
  { status: 407, challenge: 'proxy-authenticate', answer: 'proxy-authorization' },
] as const;

export function createAccount(login: Login | null): Account {
  const digests = kinds.map((kind) => ({ ...kind, digest: new DigestAuth() }));
  let realm = login?.realm;
  return {
    headers(method, uri) {
      if (login === null) return [];
      return digests.flatMap(({ digest, answer }): Header[] => {
        const value = digest.header(login, method, uri, '');
        return value === null ? [] : [[answer, value]];
      });
    },
    learn(response) {
      const wanted = digests.find(({ status }) => status === response.status);
      const lines = wanted === undefined ? [] : linesOf(response, wanted.challenge);
      const offered = pickDigest(lines);
      if (login === null) throw new CodedError('SIP_PASSWORD', 'wants a user name and password, and none is set');
      if (wanted === undefined || offered === null) {
        throw new CodedError(
          'SIP_PASSWORD',
          'wants a password in a way that would show it (no digest), so it is not sent',
        );
      }
      if (realm !== undefined && offered.realm !== realm) {
        throw new CodedError(
          'SIP_PASSWORD',
          `wants the password for "${offered.realm.slice(0, 48)}", but it is for "${realm}"`,
        );
      }
      // Bounds what is hashed and sent back; real ones have tens of characters.
      if (lines.some((line) => line.length > 2_048))
        throw new CodedError('SIP_PASSWORD', 'asks with a challenge that is too long');
      realm = offered.realm;
      return wanted.digest.learn(lines) === 'stale' ? 'stale' : 'fresh';
    },
  };
}
