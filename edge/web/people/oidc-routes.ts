import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { App } from '../server.ts';
import { oidcCookie, setSessionCookie } from './cookies.ts';
import { clientOf } from './me.ts';
import { localRoute, type Oidc, type Subject } from './oidc.ts';
import { accountIdOf, type People } from './people.ts';
import type { Person } from './records.ts';

const tags = ['people'];
const found = { description: 'to the identity provider, or back to the page', type: 'null' };
/** As long as signing in over there may take, s. */
const cookieAge = 600;

/** Signing in at the identity provider. A browser goes here by itself, so what fails is told by the page: `#/?problem=<code>`. */
export function addOidcRoutes(app: App, people: People, oidc: Oidc): void {
  app.get(
    '/api/v1/oidc/start',
    {
      config: { access: 'open' },
      schema: {
        tags,
        summary: 'To the identity provider; `to` is a route of our own page (`#/alarms`), for afterwards',
        security: [],
        querystring: z.object({ to: z.string().max(400).default('#/') }),
        response: { 303: z.null().describe(found.description) },
      },
    },
    async (request, reply) => {
      try {
        const { to } = request.query;
        if (localRoute(to) !== to) noteRefused(people, request.ip, 'a way back that is not to a page of ours');
        const { url, browser } = await oidc.begin(to, request.ip);
        const { name, secure } = oidcCookie(request);
        reply.setCookie(name, browser, { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: cookieAge });
        return await reply.redirect(url, 303);
      } catch (error) {
        return tellPage(people, reply, request.ip, error);
      }
    },
  );

  app.get(
    '/api/v1/oidc/callback',
    {
      config: { access: 'open' },
      schema: {
        tags,
        summary: 'Where the identity provider sends the browser back to',
        security: [],
        response: { 303: z.null().describe(found.description) },
      },
    },
    async (request, reply) => {
      const { name, secure } = oidcCookie(request);
      const browser = request.cookies[name] ?? '';
      reply.clearCookie(name, { path: '/', httpOnly: true, sameSite: 'lax', secure });
      try {
        const query = new URL(request.url, 'http://localhost').searchParams;
        const { who, to } = await oidc.finish(query, browser);
        const client = clientOf(request);
        const person = findPerson(people, who) ?? (await makePerson(people, oidc, who, client.from));
        const session = await people.signIn.begin(person.id, 'oidc', client);
        setSessionCookie(request, reply, session, people.clock.now());
        return await reply.redirect(`/${to}`, 303);
      } catch (error) {
        return tellPage(people, reply, request.ip, error);
      }
    },
  );
}

/** Bulkhead: whatever goes wrong with a provider is told and audited; bugs stay bugs. */
function tellPage(people: People, reply: FastifyReply, from: string, error: unknown) {
  if (!(error instanceof CodedError)) throw error;
  noteRefused(people, from, messageOf(error));
  return reply.redirect(`/#/?problem=${codeOf(error).toLowerCase().replaceAll('_', '-')}`, 303);
}

function noteRefused(people: People, from: string, why: string): void {
  people.notes.count({ who: 'nobody', from, what: 'sign-in', why: 'oidc', result: `refused: ${why}`.slice(0, 300) });
}

function findPerson({ records }: People, { subject }: Subject): Person | null {
  const person = records.all('person').find(({ body }) => body.oidc === subject) ?? null;
  if (person?.body.disabled) throw new CodedError('OIDC_UNKNOWN', 'this account is disabled');
  return person;
}

async function makePerson(people: People, { settings }: Oidc, who: Subject, from: string): Promise<Person> {
  const { records, accounts, clock } = people;
  const { create } = settings;
  if (create === undefined) {
    throw new CodedError('OIDC_UNKNOWN', 'the identity provider knows this person, and no account here is his');
  }
  const id = accountIdOf(who.account, (taken) => records.one('person', taken) !== null);
  const now = clock.now();
  const body = {
    name: who.name === '' ? id : who.name,
    role: create.role,
    zones: create.zones === 'all' ? ('all' as const) : [...create.zones],
    password: null,
    totp: null,
    recovery: [],
    oidc: who.subject,
    disabled: false,
    expired: false,
    passwordTime: now,
    created: now,
  };
  await records.put('person', { id, rev: 0, body }, { who: `person:${id}`, from, why: 'first sign-in by oidc' });
  return accounts.get(id);
}
