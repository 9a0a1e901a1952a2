import type { FastifyReply, FastifyRequest } from 'fastify';
import type { NewSession } from './sign-in.ts';

/* Over HTTPS the name itself (`__Host-`) makes browsers keep every other host, path and plain HTTP from setting it. */

interface CookieName {
  readonly name: string;
  readonly secure: boolean;
}

function named(request: FastifyRequest, plain: string): CookieName {
  const secure = request.protocol === 'https';
  return { name: secure ? `__Host-${plain}` : plain, secure };
}

export const sessionCookie = (request: FastifyRequest): CookieName => named(request, 'campus');
/** Ties a sign-in at the identity provider to the browser that began it. */
export const oidcCookie = (request: FastifyRequest): CookieName => named(request, 'campus-oidc');

export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, session: NewSession, now: number): void {
  const { name, secure } = sessionCookie(request);
  const maxAge = Math.max(0, Math.floor((session.expires - now) / 1000));
  reply.setCookie(name, session.secret, { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge });
}

export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  const { name, secure } = sessionCookie(request);
  reply.clearCookie(name, { path: '/', httpOnly: true, sameSite: 'lax', secure });
}
