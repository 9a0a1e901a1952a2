import type { FastifyRequest } from 'fastify';
import { coversZone, type Principal, type Right } from '#edge/domain/access.ts';
import { CodedError } from '#edge/runtime/errors.ts';

/**
 * Who may use a route, stated where the route is registered (`config: { access }`): `open` to anybody, `signed-in` for
 * whoever has a session or token, or a right. A route that says nothing cannot be registered.
 */
export type Access = 'open' | 'signed-in' | Right;

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly access?: Access;
    /** Also for those who must still choose a new password. */
    readonly whileExpired?: boolean;
    /** It has no zones in it: only for those who see the whole campus. */
    readonly wholeCampus?: boolean;
    /**
     * Somebody else's page (the flow editor), and below which path it is shut in: it cannot send our CSRF header, so its
     * Origin stands for it, and it needs inline scripts.
     */
    readonly foreignPage?: string;
    /** Only a WebSocket is asked for here: no page can send our CSRF header with one, so its Origin stands for it. */
    readonly webSocket?: boolean;
  }
  interface FastifyRequest {
    /** Set by the guard on every route that is not open. */
    principal: Principal | null;
    /** Document id of the session behind the request; null on an open route and for a token. */
    sessionId: string | null;
  }
}

/** The principal behind a route that is not open. */
export function principalOf(request: Pick<FastifyRequest, 'principal'>): Principal {
  if (request.principal === null) throw new Error('the route is open: it has no principal');
  return request.principal;
}

/** Who and from where, as core's RPC wants it with everything that a person does. */
export function actorOf(request: Pick<FastifyRequest, 'principal' | 'ip'>): {
  readonly who: string;
  readonly from: string;
} {
  return { who: principalOf(request).who, from: request.ip };
}

/** Answers 404 as if it were not there: who may not see a zone is not told what is in it. */
export function requireZone(principal: Principal, zone: string | undefined, missing: CodedError): void {
  if (!coversZone(principal.zones, zone)) throw missing;
}

/** Throws FORBIDDEN (403) unless the principal has the right. For what depends on more than the route. */
export function requireRight(principal: Principal, right: Right): void {
  if (principal.rights.has(right)) return;
  throw new CodedError('FORBIDDEN', `"${principal.name}" has no right to this (${right})`);
}
