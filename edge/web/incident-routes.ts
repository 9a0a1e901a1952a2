import { setImmediate } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Incident } from '#edge/domain/incident.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { IncidentFilter } from '#edge/store/reader.ts';
import { actorOf, principalOf } from './access.ts';
import {
  claimBody,
  clipSchema,
  incidentCountsSchema,
  incidentId,
  incidentListSchema,
  incidentPageSchema,
  incidentQuery,
  incidentSchema,
  markBody,
  mergeBody,
  noteBody,
  reasonBody,
  releaseBody,
  resolveBody,
  seenBody,
} from './incident-schemas.ts';
import { incidentFor } from './incident-views.ts';
import { problems } from './schemas.ts';
import { createScopes, type Scope } from './scope.ts';
import type { App, CampusView } from './server.ts';

const params = z.object({ id: incidentId });
const mostClips = 200;
type IncidentView = z.infer<typeof incidentSchema>;

/** Who does it, as core writes it down: by name, for the hand-over. */
export function personOf(request: FastifyRequest) {
  return { ...actorOf(request), name: principalOf(request).name.slice(0, 100) };
}

/** What the routes of the gatehouse share. */
export interface IncidentDesk {
  readonly scopeOf: (request: FastifyRequest) => Scope;
  /** Throws INCIDENT_NOT_FOUND, also for one that lies elsewhere. */
  find(id: string, scope: Scope): Incident;
}

export function createIncidentDesk({ site, reader }: CampusView): IncidentDesk {
  const scopes = createScopes(site.devices);
  return {
    scopeOf: (request) => scopes(principalOf(request)),
    find: (id, scope) => {
      const incident = reader.incident(id);
      if (incident !== null && scope.seesIncident(incident)) return incident;
      throw new CodedError('INCIDENT_NOT_FOUND', `there is no incident ${id}`);
    },
  };
}

/** The review list of the security desk, and what staff do about what is in it. Shared by all: what one has seen, all have. */
export function addIncidentRoutes(app: App, campus: CampusView, desk: IncidentDesk): void {
  addListRoutes(app, campus, desk);
  addActRoutes(app, campus, desk);
}

function addListRoutes(app: App, { site, reader }: CampusView, { scopeOf, find }: IncidentDesk): void {
  app.get(
    '/api/v1/incidents',
    {
      config: { access: 'incidents' },
      schema: {
        tags: ['incidents'],
        summary: 'Incidents of one’s zones, latest opened first; `next` as `after` gives the next page',
        querystring: incidentQuery,
        response: { ...problems(400, 503), 200: incidentListSchema },
      },
    },
    (request): z.infer<typeof incidentListSchema> => {
      const { query } = request;
      const scope = scopeOf(request);
      const found = reader.incidents(filterOf(query, scope, site));
      const incidents = found.map((incident) => {
        const { events: _e, course: _c, ...brief } = incidentFor(scope, incident);
        return brief;
      });
      return { incidents, next: found.length < query.limit ? null : (found.at(-1)?.id ?? null) };
    },
  );

  app.get(
    '/api/v1/incidents/counts',
    {
      config: { access: 'incidents' },
      schema: {
        tags: ['incidents'],
        summary: 'How many are open, and how many nobody has looked at, by class',
        response: { ...problems(503), 200: incidentCountsSchema },
      },
    },
    (request) => countsOf(reader.incidentCounts(scopeOf(request).zones)),
  );

  app.get(
    '/api/v1/incidents/:id',
    {
      config: { access: 'incidents' },
      schema: {
        tags: ['incidents'],
        summary: 'One incident with its course, its events and the footage that is kept of it',
        params,
        response: { ...problems(400, 404, 503), 200: incidentPageSchema },
      },
    },
    async (request): Promise<z.infer<typeof incidentPageSchema>> => {
      const scope = scopeOf(request);
      const incident = find(request.params.id, scope);
      const events = incident.events.flatMap((id) => reader.event(id) ?? []).filter(scope.seesEvent);
      await setImmediate();
      const clips = reader.clips({ incident: incident.id, limit: mostClips });
      return {
        incident: incidentFor(scope, incident),
        events: events.map((event) => ({ ...scope.event(event), data: { ...event.data } })),
        clips: clips.filter(({ camera }) => scope.seesDevice(camera)),
      };
    },
  );
}

function filterOf(query: z.infer<typeof incidentQuery>, scope: Scope, site: CampusView['site']): IncidentFilter {
  const { state, class: severity, zone, camera, type, seen, from, to, q, after, limit } = query;
  const asked = zone === undefined ? undefined : [zone].flat();
  const zones = asked === undefined ? scope.zones : asked.filter((id) => scope.covers(id));
  return {
    limit,
    ...(state === undefined ? {} : { states: [state].flat() }),
    ...(severity === undefined ? {} : { classes: [severity].flat() }),
    ...(zones === undefined ? {} : { zones }),
    ...(camera === undefined ? {} : { device: camera }),
    ...(type === undefined ? {} : { type }),
    ...(seen === undefined ? {} : { seen }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(after === undefined ? {} : { after }),
    ...(q === undefined ? {} : { text: textOf(q, scope, site) }),
  };
}

/** People look for a camera by its name. */
function textOf(q: string, scope: Scope, site: CampusView['site']): NonNullable<IncidentFilter['text']> {
  const wanted = q.toLowerCase();
  const devices = site.devices
    .filter(({ id, name }) => scope.seesDevice(id) && [id, name.zh, name.en].join('\n').toLowerCase().includes(wanted))
    .map(({ id }) => id);
  return { words: q, devices, types: /^[a-z0-9_-]+$/.test(wanted) ? [wanted] : [] };
}

function countsOf(rows: ReturnType<CampusView['reader']['incidentCounts']>): z.infer<typeof incidentCountsSchema> {
  const none = { critical: 0, high: 0, medium: 0, low: 0 };
  const counts = {
    open: { ...none },
    unseen: { ...none },
    byState: { new: 0, claimed: 0, escalated: 0, resolved: 0 },
  };
  for (const { state, class: severity, seen, count } of rows) {
    counts.byState[state] += count;
    if (state !== 'resolved') counts.open[severity] += count;
    if (!seen) counts.unseen[severity] += count;
  }
  return counts;
}

function addActRoutes(app: App, { reader, rpc }: CampusView, { scopeOf, find }: IncidentDesk): void {
  const act = async (request: FastifyRequest, id: string, method: string, what: object): Promise<IncidentView> => {
    const scope = scopeOf(request);
    find(id, scope);
    const done = incidentSchema.parse(await rpc.call(`incident.${method}`, { id, ...what, ...personOf(request) }));
    return incidentFor(scope, done as Incident);
  };
  const answer = { ...problems(400, 404, 409, 503), 200: incidentSchema };
  const about = (summary: string) => ({ tags: ['incidents'], summary, params, response: answer });
  const config = { access: 'incidents' } as const;

  app.post(
    '/api/v1/incidents/seen',
    {
      config,
      bodyLimit: 200_000,
      schema: {
        tags: ['incidents'],
        summary: 'Says of many that somebody has looked at them; answers how many nobody had',
        body: seenBody,
        response: { ...problems(400, 503), 200: z.object({ seen: z.number().int() }) },
      },
    },
    async (request) => {
      const scope = scopeOf(request);
      const ids = request.body.ids.filter((id) => {
        const incident = reader.incident(id);
        return incident !== null && scope.seesIncident(incident);
      });
      if (ids.length === 0) return { seen: 0 };
      return z.object({ seen: z.int() }).parse(await rpc.call('incident.see', { ids, ...personOf(request) }));
    },
  );

  app.post(
    '/api/v1/incidents/:id/seen',
    { config, schema: { ...about('Says that somebody has looked at it'), body: z.strictObject({}).nullish() } },
    async (request) => {
      const scope = scopeOf(request);
      const { id } = request.params;
      find(id, scope);
      await rpc.call('incident.see', { ids: [id], ...personOf(request) });
      return incidentFor(scope, find(id, scope));
    },
  );

  app.post(
    '/api/v1/incidents/:id/claim',
    {
      config,
      schema: { ...about('Takes it on; `take`: also out of another’s hands (409 without it)'), body: claimBody },
    },
    (request) => act(request, request.params.id, 'claim', { take: request.body?.take ?? false }),
  );
  app.post(
    '/api/v1/incidents/:id/release',
    { config, schema: { ...about('Lets go of it, with a note for whoever comes next'), body: releaseBody } },
    (request) => act(request, request.params.id, 'release', { note: request.body?.note ?? '' }),
  );
  app.post(
    '/api/v1/incidents/:id/note',
    { config, schema: { ...about('A note, for the hand-over'), body: noteBody } },
    (request) => act(request, request.params.id, 'note', request.body),
  );
  app.post(
    '/api/v1/incidents/:id/escalate',
    {
      config,
      schema: { ...about('Calls for others: it becomes an alarm, whose ladder tells people'), body: reasonBody },
    },
    (request) => act(request, request.params.id, 'escalate', request.body),
  );
  app.post(
    '/api/v1/incidents/:id/resolve',
    {
      config,
      schema: {
        ...about('Ends it with what came of it; a one-key alarm is ended by its own reset'),
        body: resolveBody,
      },
    },
    (request) => act(request, request.params.id, 'resolve', request.body),
  );
  app.post(
    '/api/v1/incidents/:id/reopen',
    { config, schema: { ...about('Begins it again, with a reason'), body: reasonBody } },
    (request) => act(request, request.params.id, 'reopen', request.body),
  );
  app.post(
    '/api/v1/incidents/:id/merge',
    {
      config,
      schema: { ...about('Makes `part` a part of it: what was seen and said there goes on here'), body: mergeBody },
    },
    (request) => {
      find(request.body.part, scopeOf(request));
      return act(request, request.params.id, 'merge', request.body);
    },
  );

  app.post(
    '/api/v1/incidents/:id/bookmark',
    {
      config,
      schema: {
        tags: ['incidents'],
        summary: 'Marks footage of a camera as part of it; it is kept until somebody lets it go',
        params,
        body: markBody,
        response: { ...problems(400, 404, 409, 503), 200: clipSchema },
      },
    },
    async (request) => {
      const scope = scopeOf(request);
      const { id } = request.params;
      find(id, scope);
      const { camera, from, to, note } = request.body;
      if (!scope.seesDevice(camera)) throw new CodedError('CAMERA_NOT_FOUND', `there is no camera "${camera}"`);
      const wish = { id, camera, begin: from, end: to, note, ...personOf(request) };
      return clipSchema.parse(await rpc.call('incident.bookmark', wish));
    },
  );
}
