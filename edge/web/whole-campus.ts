import type { FastifyRequest } from 'fastify';
import { CodedError } from '#edge/runtime/errors.ts';
import { principalOf } from './access.ts';

/** What belongs to no zone (the box, its audit, its back-ups) is for those whose zones are the whole campus. Throws FORBIDDEN. */
export function requireWholeCampus(request: Pick<FastifyRequest, 'principal'>): void {
  const { name, zones } = principalOf(request);
  if (zones === 'all') return;
  throw new CodedError('FORBIDDEN', `"${name}" is limited to zones, and this concerns the whole campus`);
}
