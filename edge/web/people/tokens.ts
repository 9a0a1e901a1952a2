import { createHash, randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { TokenBucket } from '#edge/bus/admission.ts';
import type { Principal } from '#edge/domain/access.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { isSameSecret } from '#edge/runtime/secret.ts';
import { bearerOf, type Identity } from '../guard.ts';
import { localPrincipal } from '../token.ts';
import type { Records, Token } from './records.ts';

/** Being used is written no more often, ms. */
const writeUsed = 3_600_000;

/** What a machine sends: `<id>.<secret>`. Only the digest of the secret is stored. */
export function newTokenSecret(id: string): { readonly secret: string; readonly digest: string } {
  const secret = randomBytes(32).toString('base64url');
  return { secret: `${id}.${secret}`, digest: digestOf(secret) };
}

export interface TokensOptions {
  readonly records: Records;
  /** `<data>/admin-token`. */
  readonly local: string;
  /** Of the flows process, which asks what was; null: there is none. */
  readonly flows?: string | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** The flows process: it may look, like anybody on the campus, and is no person. What people write in flows has its token. */
const flowsPrincipal: Principal = {
  who: 'process:flows',
  id: 'flows',
  name: 'flows',
  role: null,
  rights: new Set(['see']),
  zones: 'all',
};
/** Its questions at once, and then a second. */
const flowsBurst = 40;
const flowsPerSecond = 8;

/** Where there are no accounts (the site file is broken): the token of the box alone. */
export function identifyByToken(local: string): (request: FastifyRequest) => Identity | null {
  return (request) =>
    isSameSecret(bearerOf(request) ?? '', local) ? { principal: localPrincipal, session: null } : null;
}

/** Bearer tokens: the one of whoever owns the box, and those that administrators gave to machines. */
export class Tokens {
  readonly #options: TokensOptions;
  /** When a use was last written, or tried to be, ms since epoch. */
  readonly #written = new Map<string, number>();
  readonly #ofFlows: TokenBucket;

  constructor(options: TokensOptions) {
    this.#options = options;
    this.#ofFlows = new TokenBucket(flowsPerSecond, flowsBurst, options.clock);
  }

  find(bearer: string): Principal | null {
    const { records, local, flows = null, clock } = this.#options;
    if (isSameSecret(bearer, local)) return localPrincipal;
    if (flows !== null && isSameSecret(bearer, flows)) return this.#admitFlows();
    const [, id = '', secret = ''] = /^([a-z0-9][a-z0-9_-]{0,62})\.([\w-]{43})$/.exec(bearer) ?? [];
    const token = id === '' ? null : records.one('token', id);
    if (token === null || !isSameSecret(digestOf(secret), token.body.digest)) return null;
    const { expires, name, scopes, zones } = token.body;
    if (expires !== null && expires <= clock.now()) return null;
    this.#touch(token);
    return { who: `token:${id}`, id, name, role: null, rights: new Set(scopes), zones };
  }

  /** Throws TOO_MANY_REQUESTS. */
  #admitFlows(): Principal {
    if (this.#ofFlows.available() < 1) throw new CodedError('TOO_MANY_REQUESTS', 'flows ask too often');
    this.#ofFlows.spend(1);
    return flowsPrincipal;
  }

  isStanding(id: string): boolean {
    const { records, clock } = this.#options;
    if (id === localPrincipal.id) return true;
    const token = records.one('token', id);
    return token !== null && (token.body.expires === null || token.body.expires > clock.now());
  }

  #touch({ id, rev, body }: Token): void {
    const { records, clock, log } = this.#options;
    const now = clock.now();
    const written = Math.max(body.lastUsed ?? 0, this.#written.get(id) ?? 0);
    if (now - written < writeUsed) return;
    // As many as there are tokens.
    this.#written.set(id, now);
    records
      .put('token', { id, rev, body: { ...body, lastUsed: now } }, { who: `token:${id}`, from: 'web' })
      .catch((error: unknown) => log.debug({ problem: messageOf(error) }, 'a token was not noted as used'));
  }
}

function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
