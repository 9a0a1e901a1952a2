import { isIPv4 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isSameSecret } from '#edge/runtime/secret.ts';
import type { CookieSessions } from './token.ts';

/**
 * Who may use a route, stated where the route is registered. What says nothing needs the token, and so does whatever
 * is not a route at all: the decision hangs on the matched route, never on how a path was spelled.
 */
export type Access = 'open' | 'token' | 'editor';

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly access?: Access;
  }
}

export interface GuardOptions {
  /** Where we listen. */
  readonly host: string;
  readonly token: string;
  readonly sessions: CookieSessions;
}

const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** Node-RED's editor needs inline scripts and eval; nobody else may frame it. */
const editorPolicy = "frame-ancestors 'self'; base-uri 'self'";

const refusals = {
  token: { error: 'unauthorized', message: 'send the token of <data>/admin-token as a bearer token' },
  editor: { error: 'unauthorized', message: 'open the flow editor from the page of the campus, where you sign in' },
  host: { error: 'misdirected', message: 'this address serves only its own names: 127.0.0.1, [::1] and localhost' },
} as const;

/** The first hook of every request: sets what every answer carries, and answers itself where nobody may pass. */
export function createGuard({ host, token, sessions }: GuardOptions) {
  const isLocalOnly = isLoopback(host);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const access = request.is404 ? 'token' : (request.routeOptions.config.access ?? 'token');
    reply
      .header('content-security-policy', access === 'editor' ? editorPolicy : pagePolicy)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer')
      .header('cross-origin-resource-policy', 'same-origin');
    // A foreign page whose name was pointed at this machine (DNS rebinding) still sends its own name.
    if (isLocalOnly && !isOwnName(request.headers.host, host)) return reply.code(421).send(refusals.host);
    if (mayPass(access, request, token, sessions)) return undefined;
    return reply.code(401).send(refusals[access === 'editor' ? 'editor' : 'token']);
  };
}

function mayPass(access: Access, request: FastifyRequest, token: string, sessions: CookieSessions): boolean {
  switch (access) {
    case 'open':
      return true;
    case 'token':
      return isSameSecret(bearerOf(request), token);
    case 'editor':
      return sessions.isOpen(request.headers.cookie) && isSameOrigin(request);
  }
}

function bearerOf(request: FastifyRequest): string {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

/** Browsers name the origin on every WebSocket and on every writing request: a foreign page gets no ride on the cookie. */
function isSameOrigin(request: FastifyRequest): boolean {
  const { origin, host } = request.headers;
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
