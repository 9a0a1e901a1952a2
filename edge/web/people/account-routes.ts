import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import { principalOf } from '../access.ts';
import { lockedSchema, type PersonView, personChange, personCreate, personSchema } from '../people-schemas.ts';
import { problems } from '../schemas.ts';
import type { App } from '../server.ts';
import type { Actor } from './accounts.ts';
import type { People } from './people.ts';
import type { Person } from './records.ts';

const tags = ['people'];
const params = z.object({ id: z.string().regex(slugPattern, 'must be the id of an account') });
const retry = { 429: lockedSchema };

export function accountActorOf(request: Pick<FastifyRequest, 'principal' | 'ip'>): Actor {
  return { principal: principalOf(request), from: request.ip };
}

/** Accounts, for those who run them. */
export function addAccountRoutes(app: App, people: People): void {
  const { accounts, records, sessions, locks } = people;
  const view = (person: Person, seen: ReadonlyMap<string, number>): PersonView => {
    const { name, role, zones, password, totp, oidc, disabled, expired, passwordTime, created } = person.body;
    return {
      id: person.id,
      rev: person.rev,
      name,
      role,
      zones,
      hasPassword: password !== null,
      totp: totp !== null,
      oidc,
      disabled,
      lockedUntil: locks.lockedUntil(person),
      mustChangePassword: expired,
      passwordTime,
      created,
      lastSeen: seen.get(person.id) ?? null,
    };
  };
  const lastSeen = (): ReadonlyMap<string, number> => {
    const seen = new Map<string, number>();
    for (const { session, person } of sessions.list()) {
      seen.set(person.id, Math.max(seen.get(person.id) ?? 0, sessions.lastSeen(session)));
    }
    return seen;
  };

  app.get(
    '/api/v1/people',
    {
      config: { access: 'people' },
      schema: { tags, summary: 'Every account', response: { ...problems(503), 200: z.array(personSchema) } },
    },
    () => {
      const seen = lastSeen();
      return records.all('person').map((person) => view(person, seen));
    },
  );

  app.post(
    '/api/v1/people',
    {
      config: { access: 'people' },
      schema: {
        tags,
        summary: 'Makes an account; its password must be changed at the first sign-in',
        body: personCreate,
        response: { ...problems(400, 409, 503), ...retry, 201: personSchema },
      },
    },
    async (request, reply) => {
      const person = await accounts.create(request.body, accountActorOf(request));
      return reply.code(201).send(view(person, new Map()));
    },
  );

  app.patch(
    '/api/v1/people/:id',
    {
      config: { access: 'people' },
      schema: {
        tags,
        summary: 'Changes an account; its sessions end when role, zones, password, second factor or state change',
        params,
        body: personChange,
        response: { ...problems(400, 404, 409, 503), ...retry, 200: personSchema },
      },
    },
    async (request) =>
      view(await accounts.change(request.params.id, request.body, accountActorOf(request)), lastSeen()),
  );

  app.delete(
    '/api/v1/people/:id',
    {
      config: { access: 'people' },
      schema: {
        tags,
        summary: 'Removes an account and ends its sessions; what it did stays in the audit',
        params,
        response: { ...problems(400, 404, 409, 503), 204: z.null() },
      },
    },
    async (request, reply) => {
      await accounts.remove(request.params.id, accountActorOf(request));
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/api/v1/people/:id/unlock',
    {
      config: { access: 'people' },
      schema: {
        tags,
        summary: 'Lifts the lock of an account after too many wrong tries',
        params,
        response: { ...problems(400, 404, 409, 503), 200: personSchema },
      },
    },
    async (request) => view(await accounts.unlock(request.params.id, accountActorOf(request)), lastSeen()),
  );
}
