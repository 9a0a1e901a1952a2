import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { renderSVG } from 'uqr';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Sealer } from '#edge/runtime/seal.ts';
import type { SignInFile } from './sign-in-file.ts';

/* The second factor: RFC 6238 with what every authenticator app knows (SHA-1, six digits, 30 s), and recovery codes. */

const period = 30;
/** A phone's clock may be a step off. */
const drift = 1;
const offerLifetime = 10 * 60_000;
const mostOffers = 200;
const recoveryCodes = 10;

interface Offer {
  readonly secret: string;
  readonly made: number;
}

export interface SecondFactorOptions {
  readonly sealer: Sealer;
  readonly file: SignInFile;
  readonly clock: Clock;
  /** As it appears in the app. */
  readonly issuer: string;
}

export class SecondFactor {
  readonly #options: SecondFactorOptions;
  /** By session: a secret that is not yet proved to be in the phone. */
  readonly #offers = new Map<string, Offer>();

  constructor(options: SecondFactorOptions) {
    this.#options = options;
  }

  /** A new secret; it counts once `accept` has seen a code of it. */
  offer(session: string, person: string): { readonly secret: string; readonly uri: string; readonly qr: string } {
    const secret = new Secret({ size: 20 }).base32;
    this.#offers.delete(session);
    this.#offers.set(session, { secret, made: this.#options.clock.now() });
    const [oldest] = this.#offers.keys();
    if (this.#offers.size > mostOffers && oldest !== undefined) this.#offers.delete(oldest);
    const uri = new TOTP({ issuer: this.#options.issuer, label: person, secret }).toString();
    return { secret, uri, qr: renderSVG(uri, { ecc: 'M' }) };
  }

  /** Seals the offered secret for `person` if the code is of it. Throws TOTP_OFFER_GONE or WRONG_CODE. */
  accept(session: string, person: string, code: string): string {
    const { clock, sealer } = this.#options;
    const offer = this.#offers.get(session);
    if (offer === undefined || clock.now() - offer.made > offerLifetime) {
      throw new CodedError('TOTP_OFFER_GONE', 'this secret was offered too long ago: begin again');
    }
    // Steps that were used are of the secret before, and still count for that one until this is accepted.
    if (!this.#isCode(person, offer.secret, code, 'new')) {
      throw new CodedError('WRONG_CODE', 'this is not the code of now: check the clock of the phone');
    }
    this.#offers.delete(session);
    return sealer.seal(purposeOf(person), offer.secret);
  }

  /** Whether a code is right, and used for the first time. Throws SEAL_BROKEN when the secret cannot be opened. */
  isCode(person: string, sealed: string, code: string): boolean {
    return this.#isCode(person, this.#options.sealer.open(purposeOf(person), sealed), code);
  }

  #isCode(person: string, secret: string, code: string, age: 'new' | 'known' = 'known'): boolean {
    const token = code.replaceAll(/\s/g, '');
    if (!/^\d{6}$/.test(token)) return false;
    const { clock, file } = this.#options;
    const timestamp = clock.now();
    const delta = TOTP.validate({ token, secret: Secret.fromBase32(secret), period, timestamp, window: drift });
    if (delta === null) return false;
    const step = Math.floor(timestamp / 1000 / period) + delta;
    const { usedSteps } = file.state;
    // Whoever saw it typed could use it for another minute. A step far ahead is of a clock that was wrong.
    const last = Object.hasOwn(usedSteps, person) ? (usedSteps[person] ?? 0) : 0;
    if (age === 'known' && step <= last && last <= step + 2 * drift) return false;
    delete usedSteps[person];
    usedSteps[person] = step;
    file.save();
    return true;
  }

  /** What is shown once, and what is kept of it. */
  newRecoveryCodes(person: string): { readonly codes: readonly string[]; readonly digests: string[] } {
    const codes = Array.from({ length: recoveryCodes }, () => dashed(base32(10)));
    return { codes, digests: codes.map((code) => this.#digest(person, code)) };
  }

  /** The digest of the recovery code that was given, if it is one of these. */
  findRecovery(person: string, digests: readonly string[], code: string): string | null {
    const given = this.#digest(person, code);
    return digests.find((digest) => digest === given) ?? null;
  }

  #digest(person: string, code: string): string {
    return this.#options.sealer.digest(`recovery ${person}`, code.toUpperCase().replaceAll(/[\s-]/g, ''));
  }
}

const purposeOf = (person: string): string => `totp ${person}`;
const dashed = (text: string): string => `${text.slice(0, 5)}-${text.slice(5)}`;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** So many characters of five random bits each. */
export function base32(length: number): string {
  return [...randomBytes(length)].map((byte) => alphabet[byte % 32]).join('');
}
