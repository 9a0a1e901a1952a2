import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Principal } from '#edge/domain/access.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import { actorOf } from '../access.ts';
import { lockedSchema, loginBody, meSchema, setupBody } from '../people-schemas.ts';
import { problems } from '../schemas.ts';
import type { App } from '../server.ts';
import { clearSessionCookie, setSessionCookie } from './cookies.ts';
import { clientOf, describeMe } from './me.ts';
import { campusWords, requireStrong } from './password-desk.ts';
import type { People } from './people.ts';
import type { SignedIn } from './sessions.ts';
import type { Client, NewSession } from './sign-in.ts';

const tags = ['people'];
const retry = { 429: lockedSchema };

/** Signing in and out, and making the first administrator. */
export function addSignInRoutes(app: App, people: People): void {
  app.get(
    '/api/v1/me',
    {
      config: { access: 'open' },
      schema: {
        tags,
        summary: 'Who is signed in here; `setup` while the campus waits for its first administrator',
        security: [],
        response: { ...problems(503), 200: meSchema },
      },
    },
    (request) => describeMe(people, people.signedIn(request)),
  );

  app.post(
    '/api/v1/setup',
    {
      config: { access: 'open' },
      schema: {
        tags,
        summary: 'Makes the first administrator with the code that the terminal printed, and signs him in',
        security: [],
        body: setupBody,
        response: { ...problems(400, 409, 503), ...retry, 200: meSchema },
      },
    },
    async (request, reply) => {
      const session = await setUp(people, request.body, clientOf(request));
      return become(people, request, reply, session);
    },
  );

  app.post(
    '/api/v1/login',
    {
      config: { access: 'open' },
      schema: {
        tags,
        summary: '401 `totp-needed`: ask for a code and send all again. 429 `locked`: after `retryAfter` seconds',
        security: [],
        body: loginBody,
        response: { ...problems(400, 503), ...retry, 200: meSchema },
      },
    },
    async (request, reply) => {
      const before = people.signedIn(request);
      const session = await people.signIn.withPassword(request.body, clientOf(request));
      if (before !== null) await leave(people, before, request.ip);
      return become(people, request, reply, session);
    },
  );

  app.post(
    '/api/v1/logout',
    {
      config: { access: 'signed-in', whileExpired: true },
      schema: { tags, summary: 'Ends this session', response: { ...problems(503), 204: z.null() } },
    },
    async (request, reply) => {
      const found = people.signedIn(request);
      if (found !== null) {
        await people.sessions.end(found.session, actorOf(request));
        await people.notes.write({ ...actorOf(request), what: 'sign-out', why: '', result: 'signed out' });
      }
      clearSessionCookie(request, reply);
      return reply.code(204).send(null);
    },
  );
}

/** Whoever was signed in in this browser is not any more: also somebody else, who brought his own cookie there. */
async function leave({ sessions, notes }: People, { session, person }: SignedIn, from: string): Promise<void> {
  const who = `person:${person.id}`;
  await sessions.end(session, { who, from });
  const why = 'somebody signs in in the same browser';
  await notes.write({ who, from, what: 'sign-out', why, result: `the session from ${session.body.from} ended` });
}

/** Gives the browser its cookie, and says who it is now. */
export function become(people: People, request: FastifyRequest, reply: FastifyReply, session: NewSession) {
  setSessionCookie(request, reply, session, people.clock.now());
  return describeMe(people, people.sessions.find(session.secret));
}

async function setUp(people: People, given: z.infer<typeof setupBody>, client: Client): Promise<NewSession> {
  const { records, setup, passwords, clock, notes, locks } = people;
  const { id, name, password, code } = given;
  if (records.hasAdministrator()) throw new CodedError('SETUP_DONE', 'there is an administrator already: sign in');
  const note = { who: 'nobody', from: client.from, what: 'setup', why: '' };
  if (!setup.isRight(code)) {
    notes.count({ ...note, result: 'refused: wrong code' });
    throw new CodedError('WRONG_SETUP_CODE', 'this is not the code that the terminal shows now');
  }
  requireStrong(password, [id, name, ...campusWords(people.campus)]);
  const hash = await passwords.hash(password);
  // The code works once: whoever had it as well finds it void, also while this one is being written.
  if (!setup.isRight(code)) throw new CodedError('WRONG_SETUP_CODE', 'the code was used in this moment');
  setup.renew();
  const now = clock.now();
  const body = {
    name,
    role: 'administrator' as const,
    zones: 'all' as const,
    password: hash,
    totp: null,
    recovery: [],
    oidc: null,
    disabled: false,
    expired: false,
    passwordTime: now,
    created: now,
  };
  try {
    await records.put('person', { id, rev: 0, body }, { who: `person:${id}`, from: client.from, why: 'setup' });
  } catch (error) {
    setup.restore(code);
    if (codeOf(error) !== 'DOCUMENT_CHANGED') throw error;
    throw new CodedError('DOCUMENT_EXISTS', `there is an account "${id}" already: choose another name`, {
      cause: error,
    });
  }
  locks.succeed(id, client.from);
  return people.signIn.begin(id, 'setup', client);
}

/** For what is done by the person himself, not by a token. Throws FORBIDDEN. */
export function requirePerson(principal: Principal): string {
  if (principal.role === null) throw new CodedError('FORBIDDEN', 'a token has no account of its own');
  return principal.id;
}
