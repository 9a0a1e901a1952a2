import { isIPv4 } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Principal } from '#edge/domain/access.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { isSameSecret } from '#edge/runtime/secret.ts';
import type { Access } from './access.ts';

/** Somebody who has proved who he is, and by what. */
export interface Identity {
  readonly principal: Principal;
  /** null: by a token, which no foreign page can make a browser send. */
  readonly session: { readonly id: string; readonly csrf: string; readonly mustChangePassword: boolean } | null;
}

export interface GuardOptions {
  /** Where we listen. */
  readonly host: string;
  /** Who sends this, by cookie or bearer token; null: nobody. Throws what the reader throws (STORE_NOT_READY). */
  readonly identify: (request: FastifyRequest) => Identity | null;
  /** Somebody known was turned away, or a foreign page tried to ride on a session. */
  readonly onRefused: (request: FastifyRequest, principal: Principal | null, why: RefusalCode) => void;
}

const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
  "font-src 'self'; manifest-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/** Node-RED's editor needs inline scripts and eval; nobody but our own page may frame it. */
const foreignPagePolicy = "frame-ancestors 'self'; base-uri 'self'";

/** The policy of the console's page: what its own styles carry is one nonce per answer. */
export function policyWithNonce(nonce: string): string {
  return pagePolicy.replace("style-src 'self'", `style-src 'self' 'nonce-${nonce}'`);
}

const refusals = {
  misdirected: [421, 'this address serves only its own names: 127.0.0.1, [::1] and localhost'],
  unauthorized: [401, 'sign in, or send a token as a bearer token'],
  forbidden: [403, 'you have no right to this'],
  'password-expired': [403, 'choose a new password first'],
  'csrf-refused': [403, 'send the csrf value of /api/v1/me as the header x-csrf-token'],
  'foreign-origin': [403, 'this was asked by a page of another address'],
} as const satisfies Readonly<Record<string, readonly [number, string]>>;
export type RefusalCode = keyof typeof refusals;

export interface GuardedRoute {
  readonly method: string;
  readonly path: string;
  readonly access: Access;
}

/**
 * A route that does not say who may use it is a mistake that must not reach anybody: it cannot be registered. Answers with
 * a list that every route registered from now on goes into.
 */
export function refuseRoutesWithoutAccess(app: Pick<FastifyInstance, 'addHook'>): readonly GuardedRoute[] {
  const routes: GuardedRoute[] = [];
  app.addHook('onRoute', ({ method, url, config }: RouteOptions) => {
    const { access } = config ?? {};
    if (access === undefined) {
      throw new CodedError('ROUTE_WITHOUT_ACCESS', `${String(method)} ${url} does not say who may use it`);
    }
    for (const each of [method].flat()) routes.push({ method: each, path: url, access });
  });
  return routes;
}

/**
 * The first hook of every request: sets what every answer carries, finds out who asks, and answers itself where he may
 * not pass. The decision hangs on the matched route, never on how a path was spelled; what is no route needs a session.
 */
export function createGuard({ host, identify, onRefused }: GuardOptions) {
  const isLocalOnly = isLoopback(host);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { config } = request.routeOptions;
    const access = request.is404 ? 'signed-in' : (config.access ?? 'signed-in');
    setHeaders(request, reply);
    const refuse = (code: RefusalCode, principal: Principal | null = null) => {
      if (code !== 'unauthorized' && code !== 'misdirected') onRefused(request, principal, code);
      const [status, message] = refusals[code];
      return reply.code(status).send({ error: code, message });
    };
    // A foreign page whose name was pointed at this machine (DNS rebinding) still sends its own name. Where there is
    // TLS, its name is not in our certificate.
    if (isLocalOnly && request.protocol === 'http' && !isOwnName(request.headers.host, host))
      return refuse('misdirected');
    if (!isReading(request) && !isSameOrigin(request)) return refuse('foreign-origin');
    if (access === 'open') return undefined;
    const identity = identify(request);
    if (identity === null) return refuse('unauthorized');
    const { principal, session } = identity;
    request.principal = principal;
    request.sessionId = session?.id ?? null;
    const problem = judge(request, access, identity);
    return problem === null ? undefined : refuse(problem, principal);
  };
}

function judge(request: FastifyRequest, access: Access, { principal, session }: Identity): RefusalCode | null {
  const { foreignPage = false, whileExpired = false } = request.routeOptions.config;
  if (session !== null && !isReading(request)) {
    // Browsers name the origin on every writing request and on every WebSocket: here it must be there.
    if (foreignPage && request.headers.origin === undefined) return 'foreign-origin';
    if (!foreignPage && !isSameSecret(headerOf(request, 'x-csrf-token'), session.csrf)) return 'csrf-refused';
  }
  if (session?.mustChangePassword === true && !whileExpired) return 'password-expired';
  if (access === 'open' || access === 'signed-in') return null;
  return principal.rights.has(access) ? null : 'forbidden';
}

function setHeaders(request: FastifyRequest, reply: FastifyReply): void {
  const isForeignPage = !request.is404 && request.routeOptions.config.foreignPage === true;
  reply
    .header('content-security-policy', isForeignPage ? foreignPagePolicy : pagePolicy)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cross-origin-opener-policy', 'same-origin')
    .header('cross-origin-resource-policy', 'same-origin');
  // What depends on who asks is nobody else's; routes that are the same for all say so themselves.
  if (!isForeignPage) reply.header('cache-control', 'no-store');
}

export function bearerOf(request: FastifyRequest): string | null {
  const { authorization } = request.headers;
  if (authorization === undefined) return null;
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
}

function headerOf(request: FastifyRequest, name: string): string {
  const found = request.headers[name];
  return typeof found === 'string' ? found : '';
}

/** Changes nothing. A WebSocket is asked for with GET, and then changes things. */
function isReading({ method, headers }: FastifyRequest): boolean {
  return ['GET', 'HEAD', 'OPTIONS'].includes(method) && headers.upgrade === undefined;
}

function isSameOrigin({ headers }: FastifyRequest): boolean {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function isOwnName(header: string | undefined, host: string): boolean {
  if (header === undefined || !URL.canParse(`http://${header}`)) return false;
  const { hostname } = new URL(`http://${header}`);
  const name = hostname.replace(/^\[(.*)\]$/, '$1');
  return name === host || isLoopback(name);
}
