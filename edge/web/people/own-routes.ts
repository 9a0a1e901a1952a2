import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { actorOf, principalOf } from '../access.ts';
import { lockedSchema, meSchema, passwordBody, totpConfirmed, totpOffer } from '../people-schemas.ts';
import { problems } from '../schemas.ts';
import type { App } from '../server.ts';
import { clientOf } from './me.ts';
import type { People } from './people.ts';
import { become, requirePerson } from './sign-in-routes.ts';

const tags = ['people'];
const retry = { 429: lockedSchema };
const passwordOnly = z.strictObject({ password: z.string().max(256) });

/** What a person changes of his own account: each proves once more that it is he. */
export function addOwnRoutes(app: App, people: People): void {
  const { accounts, records, sessions, signIn, secondFactor, clock } = people;

  app.post(
    '/api/v1/me/password',
    {
      config: { access: 'signed-in', whileExpired: true },
      schema: {
        tags,
        summary: 'Changes the own password; every session of the person ends, and this browser gets a new one',
        body: passwordBody,
        response: { ...problems(400, 409, 503), ...retry, 200: meSchema },
      },
    },
    async (request, reply) => {
      const client = clientOf(request);
      const person = await signIn.confirm(requirePerson(principalOf(request)), request.body.old, client);
      const { id, rev, body } = person;
      const password = await accounts.newHash(person, request.body.password);
      const deed = { ...actorOf(request), what: `person.change-password ${id}` };
      const next = { ...body, password, expired: false, passwordTime: clock.now() };
      await records.put('person', { id, rev, body: next }, deed);
      await sessions.endAllOf(id, deed);
      return become(people, request, reply, await signIn.begin(id, 'password', client));
    },
  );

  app.post(
    '/api/v1/me/totp',
    {
      config: { access: 'signed-in' },
      schema: {
        tags,
        summary: 'A secret for an authenticator app; it counts once `confirm` has seen a code of it',
        body: passwordOnly,
        response: { ...problems(400, 409, 503), ...retry, 200: totpOffer },
      },
    },
    async (request) => {
      const person = await signIn.confirm(
        requirePerson(principalOf(request)),
        request.body.password,
        clientOf(request),
      );
      return secondFactor.offer(sessionOf(request.sessionId), person.id);
    },
  );

  app.post(
    '/api/v1/me/totp/confirm',
    {
      config: { access: 'signed-in' },
      schema: {
        tags,
        summary: 'Turns the second factor on; the recovery codes are shown only now, and work once each',
        body: z.strictObject({ code: z.string().max(64) }),
        response: { ...problems(400, 409, 503), 200: totpConfirmed },
      },
    },
    async (request) => {
      const { id, rev, body } = accounts.get(requirePerson(principalOf(request)));
      const totp = secondFactor.accept(sessionOf(request.sessionId), id, request.body.code);
      const { codes, digests } = secondFactor.newRecoveryCodes(id);
      const deed = { ...actorOf(request), what: `person.second-factor-on ${id}` };
      await records.put('person', { id, rev, body: { ...body, totp, recovery: digests } }, deed);
      await sessions.endAllOf(id, deed, request.sessionId);
      return { recovery: [...codes] };
    },
  );

  app.post(
    '/api/v1/me/totp/remove',
    {
      config: { access: 'signed-in' },
      schema: {
        tags,
        summary: 'Turns the second factor off',
        body: passwordOnly,
        response: { ...problems(400, 409, 503), ...retry, 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id, rev, body } = await signIn.confirm(
        requirePerson(principalOf(request)),
        request.body.password,
        clientOf(request),
      );
      const deed = { ...actorOf(request), what: `person.second-factor-off ${id}` };
      await records.put('person', { id, rev, body: { ...body, totp: null, recovery: [] } }, deed);
      await sessions.endAllOf(id, deed, request.sessionId);
      return reply.code(204).send(null);
    },
  );
}

function sessionOf(id: string | null): string {
  if (id === null) throw new CodedError('FORBIDDEN', 'a token has no account of its own');
  return id;
}
