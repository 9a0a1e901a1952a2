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
  }
  interface FastifyRequest {
    /** Set by the guard on every route that is not open. */
    principal: Principal | null;
  }
}

/** The principal behind a route that is not open. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new Error('the route is open: it has no principal');
  return request.principal;
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
