import { createHash, randomBytes } from 'node:crypto';

/**
 * HTTP digest (RFC 7616) as cameras speak it: MD5 and SHA-256, `-sess`, qop lists with or without spaces, no qop at all
 * (RFC 2069), several challenges in one or in several headers. Passwords are UTF-8.
 */
export interface Challenge {
  readonly scheme: string;
  readonly params: Readonly<Record<string, string>>;
}

/** Splits WWW-Authenticate lines; one line may hold several challenges. */
export function parseChallenges(lines: readonly string[]): readonly Challenge[] {
  const found: { scheme: string; params: Record<string, string> }[] = [];
  const token = /([A-Za-z0-9._~+/-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/g;
  for (const line of lines) {
    for (const [, name = '', quoted, bare] of line.matchAll(token)) {
      const value = quoted?.replace(/\\(.)/g, '$1') ?? bare;
      if (value === undefined) found.push({ scheme: name.toLowerCase(), params: {} });
      else {
        const last = found.at(-1);
        if (last && Object.keys(last.params).length < 16) last.params[name.toLowerCase()] = value;
      }
    }
  }
  return found;
}

interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: string;
  readonly hash: 'md5' | 'sha256';
  readonly session: boolean;
  readonly qop: 'auth' | 'auth-int' | null;
  readonly stale: boolean;
}

function asDigest({ scheme, params }: Challenge): DigestChallenge | null {
  const { nonce, realm = '', qop, opaque, algorithm = 'MD5', stale } = params;
  if (scheme !== 'digest' || nonce === undefined) return null;
  const name = algorithm.toUpperCase();
  const hash = { MD5: 'md5', 'SHA-256': 'sha256', SHA256: 'sha256' }[name.replace(/-SESS$/, '')];
  if (hash !== 'md5' && hash !== 'sha256') return null;
  const offers = qop?.split(',').map((word) => word.trim().toLowerCase());
  const chosen = offers === undefined ? null : offers.includes('auth') ? 'auth' : 'auth-int';
  const session = name.endsWith('-SESS');
  return { realm, nonce, opaque, algorithm, hash, session, qop: chosen, stale: stale?.toLowerCase() === 'true' };
}

/** The strongest digest challenge we can answer, or null. */
export function pickDigest(lines: readonly string[]): DigestChallenge | null {
  const usable = parseChallenges(lines)
    .map(asDigest)
    .filter((challenge) => challenge !== null);
  return usable.find((challenge) => challenge.hash === 'sha256') ?? usable[0] ?? null;
}

const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
/** Node writes headers as latin1; cameras expect the UTF-8 bytes. */
const headerBytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

/** Keeps one challenge and its nonce count, so that a camera that allows it is not asked twice for every call. */
export class DigestAuth {
  #challenge: DigestChallenge | null = null;
  #count = 0;

  /** True when the nonce was used before: a refusal may then only mean that the nonce is old. */
  get reused(): boolean {
    return this.#count > 1;
  }

  get ready(): boolean {
    return this.#challenge !== null;
  }

  /** Takes the challenge of a 401; `stale` means that the password was right and only the nonce is too old. */
  learn(lines: readonly string[]): 'none' | 'fresh' | 'stale' {
    const challenge = pickDigest(lines);
    if (!challenge) return 'none';
    const { stale } = challenge;
    this.#challenge = challenge;
    this.#count = 0;
    return stale ? 'stale' : 'fresh';
  }

  forget(): void {
    this.#challenge = null;
    this.#count = 0;
  }

  /** The Authorization header for one request, or null when nothing was asked for yet. */
  header(user: { username: string; password: string }, method: string, uri: string, body: string): string | null {
    const challenge = this.#challenge;
    if (!challenge) return null;
    this.#count += 1;
    const hash = (...parts: (string | Buffer)[]) => {
      const digest = createHash(challenge.hash);
      for (const part of parts) digest.update(part);
      return digest.digest('hex');
    };
    const nc = this.#count.toString(16).padStart(8, '0');
    const cnonce = randomBytes(8).toString('hex');
    const realm = Buffer.from(challenge.realm, 'latin1');
    const secret = hash(`${user.username}:`, realm, `:${user.password}`);
    const ha1 = challenge.session ? hash(`${secret}:${challenge.nonce}:${cnonce}`) : secret;
    const ha2 = challenge.qop === 'auth-int' ? hash(`${method}:${uri}:${hash(body)}`) : hash(`${method}:${uri}`);
    const middle = challenge.qop === null ? challenge.nonce : `${challenge.nonce}:${nc}:${cnonce}:${challenge.qop}`;
    const fields = [
      `username=${quoted(headerBytes(user.username))}`,
      `realm=${quoted(challenge.realm)}`,
      `nonce=${quoted(challenge.nonce)}`,
      `uri=${quoted(uri)}`,
      `response="${hash(`${ha1}:${middle}:${ha2}`)}"`,
      `algorithm=${challenge.algorithm}`,
    ];
    if (challenge.opaque !== undefined) fields.push(`opaque=${quoted(challenge.opaque)}`);
    if (challenge.qop !== null) fields.push(`qop=${challenge.qop}`, `nc=${nc}`, `cnonce="${cnonce}"`);
    else if (challenge.session) fields.push(`cnonce="${cnonce}"`);
    return `Digest ${fields.join(', ')}`;
  }
}
