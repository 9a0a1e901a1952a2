import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { actorOf, principalOf } from '../access.ts';
import { sessionSchema } from '../people-schemas.ts';
import { problems } from '../schemas.ts';
import type { App } from '../server.ts';
import type { People } from './people.ts';

const tags = ['people'];

/** Who is signed in where, and ending it. */
export function addSessionRoutes(app: App, people: People): void {
  const { sessions, notes } = people;

  app.get(
    '/api/v1/sessions',
    {
      config: { access: 'signed-in' },
      schema: {
        tags,
        summary: "One's own sessions, last seen first; everybody's with `all=true`, which needs the right `people`",
        querystring: z.object({ all: z.stringbool().default(false) }),
        response: { ...problems(400, 503), 200: z.array(sessionSchema) },
      },
    },
    (request) => {
      const { all } = request.query;
      const principal = principalOf(request);
      if (all && !principal.rights.has('people')) {
        throw new CodedError('FORBIDDEN', 'you have no right to see the sessions of others (people)');
      }
      return sessions
        .list()
        .filter(({ person }) => all || (principal.role !== null && person.id === principal.id))
        .map(({ session, person }) => ({
          id: session.id,
          ...session.body,
          lastSeen: sessions.lastSeen(session),
          personName: person.body.name,
          current: session.id === request.sessionId,
        }))
        .sort((a, b) => b.lastSeen - a.lastSeen);
    },
  );

  app.delete(
    '/api/v1/sessions/:id',
    {
      config: { access: 'signed-in' },
      schema: {
        tags,
        summary: "Ends a session: one's own, or with the right `people` anybody's",
        params: z.object({ id: z.string().regex(/^[\w-]{1,64}$/, 'must be the id of a session') }),
        response: { ...problems(400, 404, 503), 204: z.null() },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const found = sessions.list().find(({ session }) => session.id === request.params.id);
      const isOwn = principal.role !== null && found?.person.id === principal.id;
      // Whose session it is, or that it is one, is nobody else's business.
      if (found === undefined || (!isOwn && !principal.rights.has('people'))) {
        throw new CodedError('SESSION_NOT_FOUND', 'there is no such session');
      }
      await sessions.end(found.session, actorOf(request));
      const what = `session.revoke ${found.person.id}`;
      await notes.write({
        ...actorOf(request),
        what,
        why: '',
        result: `the session from ${found.session.body.from} ended`,
      });
      return reply.code(204).send(null);
    },
  );
}
