import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Alarm } from '#edge/domain/alarm.ts';
import { slugPattern, splitPointRef } from '#edge/domain/ids.ts';
import { patrolsDone } from '#edge/domain/patrol.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { labelSvg } from './assets/label.ts';
import { type IncidentDesk, personOf } from './incident-routes.ts';
import { reasonBody, said } from './incident-schemas.ts';
import { createLocalTime } from './local-time.ts';
import { alarmSchema, problems } from './schemas.ts';
import type { Scope } from './scope.ts';
import type { App, CampusView } from './server.ts';

type Place = CampusView['site']['keyPlaces'][number];

const name = z.object({ zh: z.string(), en: z.string() });
const placeId = z.string().regex(slugPattern, 'must be the id of a key place');
const checkInSchema = z.object({
  id: z.string(),
  place: z.string(),
  time: z.number(),
  who: z.string(),
  name: z.string(),
  way: z.enum(['qr', 'card', 'desk']),
  note: z.string(),
});
const daySchema = z.object({
  /** ISO date on this campus. */
  date: z.string(),
  from: z.number(),
  to: z.number(),
  places: z.array(
    z.object({
      id: z.string(),
      name,
      zone: z.string(),
      required: z.number().int(),
      /** Check-ins that follow each other within 20 min are one patrol. */
      done: z.number().int(),
      /** Newest first. */
      checkIns: z.array(checkInSchema),
    }),
  ),
});
const placeSchema = z.object({
  id: z.string(),
  name,
  zone: z.string(),
  cameras: z.array(z.string()),
  panic: z.array(z.string()),
  required: z.number().int(),
  /** Alarms of its cameras, buttons and readers that have been open for more than 24 h: what the rule wants mended within a day. */
  faults: z.array(alarmSchema),
});
const checkInBody = z.strictObject({
  place: placeId,
  /** What its code says; absent: noted at the desk. */
  token: z.string().min(1).max(100).nullable().default(null),
  note: said(500).default(''),
});
const dayQuery = z.object({ date: z.iso.date().optional() });
const listQuery = z.object({
  place: placeId.optional(),
  from: z.coerce.number().int().optional(),
  to: z.coerce.number().int().optional(),
  limit: z.coerce.number().int().min(1).max(5_000).default(500),
});

const mostInDay = 5_000;
/** 24 h: GB/T 29315-2022 wants faults of what protects key places mended within it. */
const faultAge = 86_400_000;
const mostAlarms = 2_000;
const labelPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox";

/** Rounds at the key places: codes for their walls, check-ins, the count of a day, and what has been broken for longer than a day. */
export function addPatrolRoutes(app: App, campus: CampusView, desk: IncidentDesk, clock: Clock): void {
  addRoundRoutes(app, campus, desk, clock);
  addPlaceRoutes(app, campus, desk, clock);
}

function addRoundRoutes(app: App, { site, reader, rpc }: CampusView, { scopeOf }: IncidentDesk, clock: Clock): void {
  const local = createLocalTime(site.campus.timeZone);
  const config = { access: 'incidents' } as const;

  app.get(
    '/api/v1/patrols/day',
    {
      config,
      schema: {
        tags: ['patrols'],
        summary:
          'Each key place of one’s zones on a day (default today): patrols done and required, and who was there when',
        querystring: dayQuery,
        response: { ...problems(400, 503), 200: daySchema },
      },
    },
    (request) => {
      const { date } = request.query;
      // Noon of that day by the sun; its midnight is then looked for on this campus's clock.
      const within =
        date === undefined ? clock.now() : Date.parse(`${date}T12:00:00Z`) - local.offsetAt(Date.parse(date));
      const from = local.dayStart(within);
      const to = local.dayStart(from + 30 * 3_600_000);
      const places = placesOf(site, scopeOf(request)).map(({ id, name: called, zone, patrols }) => {
        const checkIns = reader.patrols({ place: id, from, to, limit: mostInDay });
        return { id, name: called, zone, required: patrols, done: patrolsDone(checkIns), checkIns };
      });
      return { date: local.date(from).date, from, to, places };
    },
  );

  app.get(
    '/api/v1/patrols',
    {
      config,
      schema: {
        tags: ['patrols'],
        summary: 'Check-ins from (included) to (excluded), newest first',
        querystring: listQuery,
        response: { ...problems(400, 503), 200: z.array(checkInSchema) },
      },
    },
    (request) => {
      const { limit, ...query } = request.query;
      const own = new Set<string>(placesOf(site, scopeOf(request)).map(({ id }) => id));
      const asked = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
      return reader
        .patrols({ ...asked, limit: mostInDay })
        .filter(({ place }) => own.has(place))
        .slice(0, limit);
    },
  );

  app.post(
    '/api/v1/patrols',
    {
      config,
      schema: {
        tags: ['patrols'],
        summary: 'Checks in at a key place, with what its code says, or by hand at the desk',
        description: '409 patrol-code-wrong: the code was renewed, or is of another place.',
        body: checkInBody,
        response: { ...problems(400, 404, 409, 503), 200: checkInSchema },
      },
    },
    async (request) => {
      findPlace(site, request.body.place, scopeOf(request));
      return checkInSchema.parse(await rpc.call('patrol.check-in', { ...request.body, ...personOf(request) }));
    },
  );
}

function addPlaceRoutes(app: App, campus: CampusView, { scopeOf }: IncidentDesk, clock: Clock): void {
  const { site, reader, rpc } = campus;
  const config = { access: 'incidents' } as const;
  const params = z.object({ id: placeId });

  app.get(
    '/api/v1/key-places',
    {
      config,
      schema: {
        tags: ['patrols'],
        summary:
          'The key places of one’s zones, with what looks after them and what of that is broken for longer than 24 h',
        response: { ...problems(503), 200: z.array(placeSchema) },
      },
    },
    (request) => {
      const scope = scopeOf(request);
      const old = reader.alarms({ open: true, to: clock.now() - faultAge, limit: mostAlarms }).filter(scope.seesAlarm);
      return placesOf(site, scope).map((place) => ({
        id: place.id,
        name: place.name,
        zone: place.zone,
        cameras: place.cameras.filter(scope.seesDevice),
        panic: place.panic,
        required: place.patrols,
        faults: old.filter((alarm) => isOf(place, alarm, site)).map((alarm) => ({ ...scope.alarm(alarm) })),
      }));
    },
  );

  app.get(
    '/api/v1/key-places/:id/code.svg',
    {
      config,
      schema: {
        tags: ['patrols'],
        summary: 'A label of 62 x 29 mm for the wall of a key place: its QR code opens the check-in',
        params,
        response: {
          ...problems(400, 404, 503),
          200: { description: 'the label', content: { 'image/svg+xml': { schema: z.unknown() } } },
        },
      },
    },
    async (request, reply) => {
      const { id, name: called } = findPlace(site, request.params.id, scopeOf(request));
      const { token } = z.object({ token: z.string() }).parse(await rpc.call('patrol.code', { place: id }));
      const url = `${originOf(request)}/#/patrol/${id}/${token}`;
      const label = { name: called, number: '', campus: site.campus.name, device: id, url };
      return reply
        .type('image/svg+xml; charset=utf-8')
        .header('content-security-policy', labelPolicy)
        .header('cache-control', 'no-store')
        .header('content-disposition', 'inline; filename="patrol-code.svg"')
        .send(labelSvg(label));
    },
  );

  app.post(
    '/api/v1/key-places/:id/renew',
    {
      config,
      schema: {
        tags: ['patrols'],
        summary: 'Gives a key place a new code; the one on its wall is void',
        params,
        body: reasonBody,
        response: { ...problems(400, 404, 503), 200: z.object({}) },
      },
    },
    async (request) => {
      const { id } = findPlace(site, request.params.id, scopeOf(request));
      await rpc.call('patrol.renew', { place: id, ...request.body, ...personOf(request) });
      return {};
    },
  );
}

function placesOf({ keyPlaces }: CampusView['site'], scope: Scope): readonly Place[] {
  return keyPlaces.filter(({ zone }) => scope.covers(zone));
}

function findPlace(site: CampusView['site'], id: string, scope: Scope): Place {
  const place = placesOf(site, scope).find((one) => one.id === id);
  if (place === undefined) throw new CodedError('PLACE_NOT_FOUND', `there is no key place "${id}"`);
  return place;
}

/** Of something that looks after it: its cameras, the lines of its buttons, its reader. */
function isOf(place: Place, { source, device }: Alarm, { panic }: CampusView['site']): boolean {
  const buttons = panic.filter(({ id }) => place.panic.includes(id));
  if (buttons.some(({ id }) => source === `interlock:panic.${id}.wire`)) return true;
  const refs = [...buttons.map(({ input }) => input), ...(place.reader === null ? [] : [place.reader])];
  const devices = [...place.cameras, ...refs.flatMap((ref) => splitPointRef(ref)?.device ?? [])];
  return device !== undefined && devices.includes(device);
}

/** As the browser that asks for the label names us. The guard has seen the name; what is no name at all is not printed. */
function originOf({ protocol, host }: FastifyRequest): string {
  const origin = `${protocol}://${host}`;
  if (!/^[\w.:[\]-]{1,255}$/.test(host) || !URL.canParse(origin))
    throw new CodedError('BAD_HOST', 'the Host header is no name that could stand on a label');
  return new URL(origin).origin;
}
