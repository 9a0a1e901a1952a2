import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Case, caseStates } from '#edge/domain/case.ts';
import { slugPattern, uuidPattern } from '#edge/domain/ids.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { principalOf, requireRight } from './access.ts';
import type { CaseDesk } from './case-desk.ts';
import { audit } from './documents.ts';
import type { FootageDesk } from './footage-routes.ts';
import { type IncidentDesk, personOf } from './incident-routes.ts';
import { incidentId, reasonBody, said } from './incident-schemas.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

const time = z.number();
const caseSchema = z.object({
  id: z.string(),
  incident: z.string(),
  state: z.enum(caseStates),
  zone: z.string().nullable(),
  cameras: z.array(z.string()).readonly(),
  from: time,
  to: time,
  masked: z.boolean(),
  /** When it was asked for, by whom and why. */
  time,
  who: z.string(),
  name: z.string(),
  why: z.string(),
  /** SHA-256 of the zip and of its manifest; '' while it is being made. */
  sha256: z.string(),
  manifest: z.string(),
  bytes: z.number(),
  message: z.string(),
  released: z.object({ who: z.string(), name: z.string(), time, why: z.string() }).nullable(),
});
const listSchema = z.object({ cases: z.array(caseSchema), next: z.string().nullable() });
const keySchema = z.object({
  /** PEM. */
  publicKey: z.string(),
  /** SHA-256 of it, hex: what is told to those who will verify. */
  fingerprint: z.string(),
});
const camera = z.string().regex(slugPattern, 'must be the id of a camera');
const moment = z.int().min(0).max(8.64e15);
const caseBody = z.strictObject({
  why: said(500).min(1),
  /** Default: from 30 s before it to 60 s after it. */
  from: moment.optional(),
  to: moment.optional(),
  /** Default: those that are in it. */
  cameras: z.array(camera).max(16).optional(),
  /** Without masks: for those with the right `unmasked`. */
  unmasked: z.boolean().default(false),
});
const caseId = z.object({ id: z.string().regex(uuidPattern, 'must be the id of a case') });
const listQuery = z.object({
  incident: incidentId.optional(),
  after: caseId.shape.id.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

const before = 30_000;
const after = 60_000;
/** Rows looked through for those of one's zones, in one call. */
const mostScanned = 10_000;

/** What was taken out about incidents: signed files, who made them, when and why. */
export function addCaseRoutes(
  app: App,
  campus: CampusView,
  desks: { readonly incidents: IncidentDesk; readonly footage: FootageDesk; readonly cases: CaseDesk },
): void {
  addMakingRoute(app, campus, desks);
  addReadingRoutes(app, campus, desks);
}

type Desks = Parameters<typeof addCaseRoutes>[2];

function addMakingRoute(app: App, { devices }: CampusView, { incidents, footage, cases }: Desks): void {
  const isCamera = (id: string) => devices.some((device) => device.id === id && device.protocol === 'onvif');

  app.post(
    '/api/v1/incidents/:id/case',
    {
      config: { access: 'evidence' },
      schema: {
        tags: ['cases'],
        summary:
          'Takes an incident out: footage, pictures, course and audit as one signed zip, which is made meanwhile',
        description: 'Its footage is kept until the case is let go. What cannot be had is said in the manifest.',
        params: z.object({ id: incidentId }),
        body: caseBody,
        response: { ...problems(400, 404, 409, 503), 202: caseSchema },
      },
    },
    async (request, reply) => {
      const scope = incidents.scopeOf(request);
      const incident = incidents.find(request.params.id, scope);
      const {
        why,
        unmasked,
        cameras = incident.devices.filter((id) => isCamera(id) && scope.seesDevice(id)).slice(0, 16),
      } = request.body;
      if (unmasked) requireRight(principalOf(request), 'unmasked');
      for (const id of cameras) footage.cameraOf(request, id);
      const begin = request.body.from ?? incident.from - before;
      const end = Math.min(request.body.to ?? incident.to + after, cases.now);
      if (end <= begin) throw new CodedError('BAD_SPAN', 'to: must be after from, and not in the future');
      const wish = { incident: incident.id, cameras, begin, end, masked: !unmasked, reason: why, ...personOf(request) };
      return reply.code(202).send(await cases.begin(wish, incident, scope));
    },
  );
}

function addReadingRoutes(app: App, { reader, rpc }: CampusView, { incidents, cases }: Desks): void {
  /** All of it: of its incident's zone, of the cameras whose footage is in it, and of what was merged into it by others. */
  const mayHold = (request: FastifyRequest, { zone, cameras: of, incident, who }: Case): boolean => {
    const scope = incidents.scopeOf(request);
    if (scope.isWhole) return true;
    if (!scope.covers(zone ?? undefined) || !of.every(scope.seesDevice)) return false;
    // What he took out himself has nothing in it that he could not see.
    return who === principalOf(request).who || reader.incident(incident)?.devices.every(scope.seesDevice) === true;
  };
  const find = (request: FastifyRequest, id: string): Case => {
    const one = reader.case(id);
    if (one !== null && mayHold(request, one)) return one;
    throw new CodedError('CASE_NOT_FOUND', `there is no case ${id}`);
  };
  const config = { access: 'evidence' } as const;

  app.get(
    '/api/v1/cases',
    {
      config,
      schema: {
        tags: ['cases'],
        summary: 'Cases of one’s zones, newest first; `next` as `after` gives the next page',
        querystring: listQuery,
        response: { ...problems(400, 503), 200: listSchema },
      },
    },
    async (request): Promise<z.infer<typeof listSchema>> => {
      await cases.tidy();
      const { incident, after: cursor, limit } = request.query;
      const asked = incident === undefined ? {} : { incident };
      const own: Case[] = [];
      let last = cursor;
      for (let scanned = 0; scanned < mostScanned; scanned += limit) {
        const page = reader.cases({ ...asked, ...(last === undefined ? {} : { after: last }), limit });
        for (const one of page) {
          last = one.id;
          if (mayHold(request, one)) own.push(one);
          if (own.length === limit) return { cases: own, next: one.id };
        }
        if (page.length < limit) return { cases: own, next: null };
      }
      return { cases: own, next: last ?? null };
    },
  );

  app.get(
    '/api/v1/cases/key',
    {
      config,
      schema: {
        tags: ['cases'],
        summary: 'The key with which this campus signs its cases: its fingerprint is told to those who will verify',
        response: { ...problems(503), 200: keySchema },
      },
    },
    async () => {
      const { publicKey, fingerprint } = await cases.key();
      return { publicKey, fingerprint };
    },
  );

  app.get(
    '/api/v1/cases/:id',
    {
      config,
      schema: {
        tags: ['cases'],
        summary: 'One case, and how far it is',
        params: caseId,
        response: { ...problems(400, 404, 503), 200: caseSchema },
      },
    },
    (request) => find(request, request.params.id),
  );

  app.get(
    '/api/v1/cases/:id/file',
    {
      config,
      schema: {
        tags: ['cases'],
        summary: 'The zip of a case',
        params: caseId,
        response: {
          ...problems(400, 404, 409, 503),
          200: { description: 'the zip', content: { 'application/zip': { schema: z.unknown() } } },
        },
      },
    },
    async (request, reply) => {
      const one = find(request, request.params.id);
      if (!one.masked) requireRight(principalOf(request), 'unmasked');
      const { handle, bytes } = await cases.open(one);
      try {
        await audit(rpc, request, { what: `case.fetch ${one.id}`, result: `${bytes} bytes, SHA-256 ${one.sha256}` });
      } catch (error) {
        await handle.close();
        throw error;
      }
      const name = `case-${new Date(one.time).toISOString().slice(0, 10)}-${one.id.slice(-12)}.zip`;
      return reply
        .type('application/zip')
        .header('content-length', bytes)
        .header('cache-control', 'no-store')
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(handle.createReadStream());
    },
  );

  app.post(
    '/api/v1/cases/:id/release',
    {
      config,
      schema: {
        tags: ['cases'],
        summary: 'Lets a case go: its file is removed, its footage is kept for it no longer, that it was made stays',
        params: caseId,
        body: reasonBody,
        response: { ...problems(400, 404, 409, 503), 200: caseSchema },
      },
    },
    async (request) => {
      const { id } = find(request, request.params.id);
      const gone = caseSchema.parse(await rpc.call('case.release', { id, ...request.body, ...personOf(request) }));
      await cases.release(id);
      return gone;
    },
  );
}
