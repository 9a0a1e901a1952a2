import type { FastifyRequest } from 'fastify';
import { rightsOf } from '#edge/domain/access.ts';
import type { Me } from '../people-schemas.ts';
import type { People } from './people.ts';
import type { SignedIn } from './sessions.ts';
import type { Client } from './sign-in.ts';

export function clientOf(request: FastifyRequest): Client {
  return { from: request.ip, agent: (request.headers['user-agent'] ?? '').slice(0, 300) };
}

/** What a browser may know of who is in front of it. */
export function describeMe(people: People, found: SignedIn | null): Me {
  const { campus, records, sessions } = people;
  const oidc = people.oidc?.settings.name ?? null;
  if (found === null && records.hasAdministrator()) return { state: 'signed-out', campus, oidc };
  if (found === null) {
    people.setup.sayOnce();
    return { state: 'setup' };
  }
  const { person, session, csrf } = found;
  const { name, role, zones, expired, totp, password } = person.body;
  return {
    state: 'signed-in',
    campus,
    oidc,
    id: person.id,
    name,
    role,
    rights: [...rightsOf[role]],
    zones,
    csrf,
    mustChangePassword: expired,
    totp: totp !== null,
    hasPassword: password !== null,
    expires: session.body.expires,
    idle: sessions.idleOf(role),
  };
}
