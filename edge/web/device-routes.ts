import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { InboxLine } from '#edge/store/reader.ts';
import { actorOf, principalOf, requireZone } from './access.ts';
import { audit, putDocument } from './documents.ts';
import { requireHarmless, withoutSecrets } from './inbox/device-address.ts';
import { createSuggester } from './inbox/suggest.ts';
import {
  adoptBody,
  adoptedSchema,
  type InboxView,
  ignoreBody,
  inboxLineSchema,
  profileSchema,
  tryBody,
  trySchema,
} from './place-schemas.ts';
import { problems } from './schemas.ts';
import { createScopes } from './scope.ts';
import type { App, CampusView } from './server.ts';

/** More different strangers than anybody looks through. */
const mostLines = 1_000;

/** Strangers that were heard, the profiles there are, trying one against an address, and adopting a device. */
export function addDeviceRoutes(app: App, campus: CampusView, clock: Clock): void {
  addInboxRoutes(app, campus, clock);
  addProfileRoutes(app, campus);
  addAdoptionRoutes(app, campus);
}

function addInboxRoutes(app: App, campus: CampusView, clock: Clock): void {
  const { reader, rpc, site, profiles } = campus;
  const scopes = createScopes(site.devices);
  const suggest = createSuggester(profiles, basesOf(campus), new Set(site.devices.map(({ id }) => id)));

  /** A line about a point of a known device is seen in its zone; strangers are in no zone. */
  const linesFor = (request: FastifyRequest): InboxLine[] => {
    const scope = scopes(principalOf(request));
    return reader.inbox(mostLines).filter(({ key }) => scope.seesDevice(key.split('/')[0] ?? ''));
  };
  /** Also of a line that is not there any more. */
  const requireKey = (request: FastifyRequest, key: string): void => {
    if (scopes(principalOf(request)).seesDevice(key.split('/')[0] ?? '')) return;
    throw new CodedError('INBOX_NOT_FOUND', 'there is no such line in the inbox (any more)');
  };
  const requireLine = (request: FastifyRequest, key: string): void => {
    if (linesFor(request).some((line) => line.key === key)) return;
    throw new CodedError('INBOX_NOT_FOUND', 'there is no such line in the inbox (any more)');
  };

  app.get(
    '/api/v1/inbox',
    {
      config: { access: 'devices' },
      schema: {
        tags: ['devices'],
        summary:
          'What was heard and belongs to no declared device or point, last heard first, with what it probably is',
        querystring: z.object({ limit: z.coerce.number().int().min(1).max(mostLines).default(200) }),
        response: { ...problems(400, 503), 200: z.array(inboxLineSchema) },
      },
    },
    (request): InboxView[] => {
      const ignored = new Set(reader.documents('ignored').map(({ body }) => body.key));
      return linesFor(request)
        .slice(0, request.query.limit)
        .map((line) => ({ ...line, ignored: ignored.has(line.key), suggestion: suggest(line) }));
    },
  );

  app.post(
    '/api/v1/inbox/ignore',
    {
      config: { access: 'devices' },
      schema: {
        tags: ['devices'],
        summary: 'Says that a line need not be shown; or (ignored false) that it should be again',
        body: ignoreBody,
        response: { ...problems(400, 404, 409, 503), 204: z.null() },
      },
    },
    async (request, reply) => {
      const { key, ignored } = request.body;
      const id = digestOf(key);
      const before = reader.document('ignored', id);
      if (ignored === (before !== null)) return reply.code(204).send(null);
      if (ignored) requireLine(request, key);
      else requireKey(request, key);
      const body = ignored ? { key, by: principalOf(request).who, time: clock.now() } : null;
      const what = `inbox.${ignored ? 'ignore' : 'show'} ${key}`.slice(0, 300);
      await putDocument(rpc, request, { kind: 'ignored', id, rev: before?.rev ?? 0, body, what });
      return reply.code(204).send(null);
    },
  );

  app.delete(
    '/api/v1/inbox',
    {
      config: { access: 'devices' },
      schema: {
        tags: ['devices'],
        summary: 'Forgets a line; it comes back when it is heard again',
        querystring: z.object({ key: z.string().min(1).max(300) }),
        response: { ...problems(400, 404, 503), 204: z.null() },
      },
    },
    async (request, reply) => {
      const { key } = request.query;
      requireLine(request, key);
      await audit(rpc, request, { what: `inbox.forget ${key}`, result: 'forgotten' });
      await rpc.call('inbox.forget', { key });
      return reply.code(204).send(null);
    },
  );
}

function addProfileRoutes(app: App, campus: CampusView): void {
  const { profiles, rpc } = campus;

  app.get(
    '/api/v1/profiles',
    {
      config: { access: 'devices' },
      schema: {
        tags: ['devices'],
        summary: 'Every product that this campus knows how to talk to',
        response: { ...problems(), 200: z.array(profileSchema) },
      },
    },
    () => [...profiles],
  );

  app.post(
    '/api/v1/profiles/try',
    {
      config: { access: 'devices' },
      schema: {
        tags: ['devices'],
        summary:
          'What one reading of a device says; nothing is kept, nothing is written to it; up to 20 s, two at once',
        body: tryBody,
        response: { ...problems(400, 404, 429, 503), 200: trySchema },
      },
    },
    async (request, reply) => {
      const { profile, address } = request.body;
      if (!profiles.some(({ id }) => id === profile)) {
        throw new CodedError('PROFILE_NOT_FOUND', `there is no profile "${profile}"`);
      }
      requireHarmless(address);
      const said = JSON.stringify(withoutSecrets(address));
      await audit(rpc, request, { what: `device.try ${profile}`, why: said, result: 'begun' });
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      return campus.tryProfile(profile, address, gone.signal);
    },
  );
}

function addAdoptionRoutes(app: App, campus: CampusView): void {
  const { site, rpc } = campus;
  const scopes = createScopes(site.devices);

  app.post(
    '/api/v1/devices',
    {
      config: { access: 'devices' },
      schema: {
        tags: ['devices'],
        summary: 'Adopts a device; the processes that must know of it start again, a second or two',
        body: adoptBody,
        response: { ...problems(400, 404, 409, 503), 200: adoptedSchema },
      },
    },
    async (request) => {
      const { inboxKey, ...device } = request.body;
      const missing = new CodedError('ZONE_NOT_FOUND', `there is no zone "${device.zone}"`);
      if (!site.zones.some(({ id }) => id === device.zone)) throw missing;
      requireZone(principalOf(request), device.zone, missing);
      requireHarmless(device.address);
      const line = inboxKey === undefined ? {} : { inboxKey };
      return adoptedSchema.parse(await rpc.call('device.adopt', { device, ...line, ...actorOf(request) }));
    },
  );

  app.delete(
    '/api/v1/devices/:id',
    {
      config: { access: 'devices' },
      schema: {
        tags: ['devices'],
        summary: 'Gives an adopted device up; what was recorded of it stays',
        params: z.object({ id: z.string().regex(slugPattern, 'must be the id of a device') }),
        response: { ...problems(400, 404, 409, 503), 200: adoptedSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      if (!scopes(principalOf(request)).seesDevice(id)) {
        throw new CodedError('DEVICE_NOT_FOUND', `there is no device "${id}"`);
      }
      return adoptedSchema.parse(await rpc.call('device.give-up', { id, ...actorOf(request) }));
    },
  );
}

/** Base topics of Zigbee bridges that devices of the site are reached through. */
function basesOf({ site }: CampusView): string[] {
  return [...new Set(site.devices.flatMap(({ address }) => (typeof address.base === 'string' ? [address.base] : [])))];
}

/** Keys are anybody's words; documents have ids. */
function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 40);
}
