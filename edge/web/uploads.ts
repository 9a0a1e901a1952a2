import type { FastifyReply, FastifyRequest } from 'fastify';
import { CodedError } from '#edge/runtime/errors.ts';

/** Each is in memory as a whole, and is judged while others wait. */
const mostAtOnce = 4;

/** A hook that turns away what is one upload too many, before its body is read. Throws TOO_MANY_REQUESTS. */
export function limitUploads() {
  let underWay = 0;
  return async (_request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (underWay >= mostAtOnce) {
      throw new CodedError('TOO_MANY_REQUESTS', `${mostAtOnce} uploads are under way already: wait until one is done`);
    }
    underWay++;
    reply.raw.once('close', () => underWay--);
  };
}
