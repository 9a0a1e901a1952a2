import { isIPv4 } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Principal } from '#edge/domain/access.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { isSameSecret } from '#edge/runtime/secret.ts';
import type { Access } from './access.ts';
import { editorHeaders, ownHeaders } from './policies.ts';

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
  /** Somebody was turned away; null: nobody knows who. */
  readonly onRefused: (request: FastifyRequest, principal: Principal | null, why: RefusalCode) => void;
}

const refusals = {
  misdirected: [421, 'this address serves only its own names: 127.0.0.1, [::1] and localhost'],
  unauthorized: [401, 'sign in, or send a token as a bearer token'],
  forbidden: [403, 'you have no right to this'],
  'password-expired': [403, 'choose a new password first'],
  'csrf-refused': [403, 'send the csrf value of /api/v1/me as the header x-csrf-token'],
  'foreign-origin': [403, 'this was asked by a page of another address'],
  'service-worker': [403, 'nothing here may stay in a browser as a service worker'],
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
      onRefused(request, principal, code);
      const [status, message] = refusals[code];
      return reply.code(status).send({ error: code, message });
    };
    // A foreign page whose name was pointed at this machine (DNS rebinding) still sends its own name. Where there is
    // TLS, its name is not in our certificate.
    if (isLocalOnly && request.protocol === 'http' && !isOwnName(request.headers.host, host))
      return refuse('misdirected');
    if (!isReading(request) && !isSameOrigin(request)) return refuse('foreign-origin');
    // It would answer for us in that browser from then on, in whatever words and without our headers.
    if (request.headers['service-worker'] !== undefined) return refuse('service-worker');
    if (access === 'open') return undefined;
    if (isEmbedding(request)) return refuse('foreign-origin');
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
  const { foreignPage, webSocket = false, whileExpired = false, wholeCampus = false } = request.routeOptions.config;
  if (session !== null && !isReading(request)) {
    // Browsers name the origin on every writing request and on every WebSocket: here it must be there.
    const isByOrigin = foreignPage !== undefined || webSocket;
    if (isByOrigin && request.headers.origin === undefined) return 'foreign-origin';
    if (!isByOrigin && !isSameSecret(headerOf(request, 'x-csrf-token'), session.csrf)) return 'csrf-refused';
  }
  if (session?.mustChangePassword === true && !whileExpired) return 'password-expired';
  if (wholeCampus && principal.zones !== 'all') return 'forbidden';
  if (access === 'open' || access === 'signed-in') return null;
  return principal.rights.has(access) ? null : 'forbidden';
}

function setHeaders(request: FastifyRequest, reply: FastifyReply): void {
  const { foreignPage } = request.routeOptions.config;
  if (request.is404 || foreignPage === undefined) reply.headers(ownHeaders);
  else reply.headers(editorHeaders(request.protocol, request.headers.host, foreignPage));
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

/**
 * A page of another address (another port of this machine is one) puts what is ours into itself, with our cookie. It cannot
 * read it, but it costs a stream, a file, or time that tells something. Following a link is something else.
 */
function isEmbedding({ headers }: FastifyRequest): boolean {
  const { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest } = headers;
  if (site !== 'same-site' && site !== 'cross-site') return false;
  return mode !== 'navigate' || dest !== 'document';
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
