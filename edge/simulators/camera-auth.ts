import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '#edge/runtime/clock.ts';

export type CameraAuthMode = 'wsse' | 'digest' | 'both' | 'none';
/** `anonymous` brought no password, `stale` the right one with an old nonce; only `wrong` counts towards the lock. */
export type Judgement = 'ok' | 'anonymous' | 'wrong' | 'stale' | 'clock' | 'replay' | 'locked';

export interface CameraAuthOptions {
  readonly username: string;
  password: string;
  readonly mode: CameraAuthMode;
  readonly clock: Clock;
  /** The camera's own time, ms since epoch. */
  readonly cameraTime: () => number;
  /** Offered in this order; RFC 7616 allows several. */
  readonly algorithms: readonly ('MD5' | 'SHA-256')[];
  readonly qop: 'auth' | 'auth,auth-int' | 'auth, auth-int' | 'none';
  /** How long a nonce may be used, ms. */
  readonly nonceLife: number;
  /** Whether an old nonce is called stale, as it should be. */
  readonly saysStale: boolean;
  /** Refuses a token or nonce count that was used before. */
  readonly refusesReplays: boolean;
  /** Wrong passwords before the account is locked, and for how long, ms. */
  readonly lockAfter: number;
  readonly lockFor: number;
}

export interface Presented {
  readonly authorization: string | undefined;
  readonly method: string;
  readonly uri: string;
  readonly body: string;
  /** From the SOAP header, when there is a UsernameToken. */
  readonly token?: { username: string; digest: string; nonce: string; created: string } | undefined;
}

/** A token's `Created` may be this far from the camera's clock, ms (agsh/onvif#249: "authorized time check failed"). */
const createdWindow = 60_000;
const realm = 'IP Camera';

/** Checks passwords as cameras do: nonces that end, tokens that may be used once and near their own time, a lock. */
export class CameraAuth {
  readonly options: CameraAuthOptions;
  readonly #nonces = new Map<string, number>();
  readonly #seen = new Map<string, number>();
  #wrong = 0;
  #lockedUntil = 0;

  constructor(options: CameraAuthOptions) {
    this.options = options;
  }

  get attemptsLeft(): number {
    return Math.max(0, this.options.lockAfter - this.#wrong);
  }

  judge(presented: Presented): Judgement {
    const { mode, clock } = this.options;
    if (mode === 'none') return 'ok';
    const digest = mode !== 'wsse' && presented.authorization?.startsWith('Digest ') === true;
    const token = mode !== 'digest' ? presented.token : undefined;
    if (!digest && !token) return 'anonymous';
    if (clock.monotonic() < this.#lockedUntil) return 'locked';
    const verdict = digest ? this.#judgeDigest(presented) : token ? this.#judgeToken(token) : 'anonymous';
    if (verdict === 'ok') this.#wrong = 0;
    if (verdict === 'wrong') {
      this.#wrong += 1;
      if (this.#wrong >= this.options.lockAfter) this.#lockedUntil = clock.monotonic() + this.options.lockFor;
    }
    return verdict;
  }

  /** WWW-Authenticate lines of a 401; none when the camera knows tokens only. */
  challenges(stale: boolean): string[] {
    const { mode, algorithms, qop, clock } = this.options;
    if (mode === 'wsse' || mode === 'none') return [];
    const nonce = randomBytes(16).toString('hex');
    if (this.#nonces.size > 1000) this.#nonces.clear();
    this.#nonces.set(nonce, clock.monotonic());
    const extra = `${qop === 'none' ? '' : `qop="${qop}", `}realm="${realm}", nonce="${nonce}"`;
    const word = stale && this.options.saysStale ? ', stale=true' : '';
    return algorithms.map((algorithm) => `Digest ${extra}, algorithm=${algorithm}, opaque="5ccc069c"${word}`);
  }

  /** A reboot forgets nonces. */
  forget(): void {
    this.#nonces.clear();
    this.#seen.clear();
  }

  #judgeDigest({ authorization = '', method, uri, body }: Presented): Judgement {
    const field = (name: string) => new RegExp(`\\b${name}="?([^",]*)"?`).exec(authorization)?.[1] ?? '';
    const { username, password, nonceLife, clock } = this.options;
    const algorithm = field('algorithm') === 'SHA-256' ? 'sha256' : 'md5';
    const hash = (text: string) => createHash(algorithm).update(text, 'utf8').digest('hex');
    const qop = field('qop');
    const ha1 = hash(`${username}:${realm}:${password}`);
    const ha2 = qop === 'auth-int' ? hash(`${method}:${uri}:${hash(body)}`) : hash(`${method}:${uri}`);
    const middle = qop === '' ? field('nonce') : `${field('nonce')}:${field('nc')}:${field('cnonce')}:${qop}`;
    if (field('username') !== username || field('uri') !== uri) return 'wrong';
    if (field('response') !== hash(`${ha1}:${middle}:${ha2}`)) return 'wrong';
    const born = this.#nonces.get(field('nonce'));
    if (born === undefined || clock.monotonic() - born > nonceLife) return 'stale';
    return this.#replayed(`${field('nonce')}:${field('nc')}`) && qop !== '' ? 'replay' : 'ok';
  }

  #judgeToken(token: NonNullable<Presented['token']>): Judgement {
    const { username, password, cameraTime } = this.options;
    const expected = createHash('sha1')
      .update(Buffer.from(token.nonce, 'base64'))
      .update(token.created, 'utf8')
      .update(password, 'utf8')
      .digest('base64');
    if (token.username !== username || token.digest !== expected) return 'wrong';
    const age = Math.abs(cameraTime() - Date.parse(token.created));
    if (!(age <= createdWindow)) return 'clock';
    return this.#replayed(token.nonce) ? 'replay' : 'ok';
  }

  #replayed(key: string): boolean {
    if (this.#seen.has(key)) return this.options.refusesReplays;
    if (this.#seen.size > 5000) this.#seen.clear();
    this.#seen.set(key, this.options.clock.monotonic());
    return false;
  }
}
