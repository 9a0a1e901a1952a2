import type { FastifyInstance } from 'fastify';
import type { Pki } from '#edge/runtime/pki.ts';

/**
 * The campus's authority, for people to install: open, because it is public by nature. Browsers and phones offer to
 * install what comes under this type (RFC 5967 is for requests; `x-x509-ca-cert` is what all of them understand).
 */
export function addAuthorityRoute(app: Pick<FastifyInstance, 'get'>, pki: Pki): void {
  app.get('/ca.crt', { config: { access: 'open' }, schema: { hide: true } }, (_request, reply) =>
    reply
      .header('content-disposition', 'attachment; filename="campus-ca.crt"')
      .type('application/x-x509-ca-cert')
      .send(pki.authority),
  );
}
