import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import { type TokenView, tokenCreate, tokenCreated, tokenSchema } from '../people-schemas.ts';
import { problems } from '../schemas.ts';
import type { App } from '../server.ts';
import { accountActorOf } from './account-routes.ts';
import type { People } from './people.ts';
import type { Token } from './records.ts';

const tags = ['people'];

/** Tokens for machines. */
export function addTokenRoutes(app: App, { accounts, records }: People): void {
  app.get(
    '/api/v1/tokens',
    {
      config: { access: 'people' },
      schema: {
        tags,
        summary:
          'API tokens, without their secrets; the token of the box itself (<data>/admin-token) is not among them',
        response: { ...problems(503), 200: z.array(tokenSchema) },
      },
    },
    () => records.all('token').map(view),
  );

  app.post(
    '/api/v1/tokens',
    {
      config: { access: 'people' },
      schema: {
        tags,
        summary:
          'Makes a token, `<id>.<secret>`, which is shown only now. Nobody gives away a right or zone he has not',
        body: tokenCreate,
        response: { ...problems(400, 409, 503), 201: tokenCreated },
      },
    },
    async (request, reply) => {
      const secret = await accounts.createToken(request.body, accountActorOf(request));
      const made = records.one('token', request.body.id);
      if (made === null) throw new Error('a token that was just made is not there');
      return reply.code(201).send({ ...view(made), secret });
    },
  );

  app.delete(
    '/api/v1/tokens/:id',
    {
      config: { access: 'people' },
      schema: {
        tags,
        summary: 'Makes a token void at once',
        params: z.object({ id: z.string().regex(slugPattern, 'must be the id of a token') }),
        response: { ...problems(400, 404, 503), 204: z.null() },
      },
    },
    async (request, reply) => {
      await accounts.removeToken(request.params.id, accountActorOf(request));
      return reply.code(204).send(null);
    },
  );
}

function view({ id, body }: Token): TokenView {
  const { digest: _, ...shown } = body;
  return { id, ...shown };
}
