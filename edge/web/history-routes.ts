import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { CampusEvent } from '#edge/domain/event.ts';
import { uuidPattern } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { actorOf, principalOf } from './access.ts';
import { eventsAfter, eventsBetween, newestWanted } from './event-pages.ts';
import type { FootageDesk } from './footage-routes.ts';
import { FreshPictures } from './fresh-picture.ts';
import { readHistory, settleStep, visibleRef } from './history.ts';
import { addExportRoutes } from './history-export.ts';
import { createLocalTime } from './local-time.ts';
import { actsOf } from './output-acts.ts';
import { eventSchema, historyQuery, historySchema, outputActSchema, problems } from './schemas.ts';
import { createScopes, type Scope } from './scope.ts';
import type { App, CampusView } from './server.ts';

const limit = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual);
const moment = z.coerce.number().int().min(0).max(8.64e15);
const uuid = z.string().regex(uuidPattern, 'must be the id of an event');

/** Everything that was, as far as one's zones go: read from the store over this process's own read-only connection. */
export function addHistoryRoutes(app: App, campus: CampusView, footage: FootageDesk, clock: Clock): void {
  const { reader, site } = campus;
  const scopeOf = createScopes(site.devices);
  const localTime = createLocalTime(site.campus.timeZone);
  const pictures = new FreshPictures(clock);

  app.get(
    '/api/v1/points/:device/:point/history',
    {
      config: { access: 'see' },
      schema: {
        tags: ['history'],
        summary:
          'One point from (included) to (excluded): raw samples, or buckets of 1min, 15min, 1h, 1d (campus time)',
        description: 'step=auto takes the finest step that needs at most `buckets` buckets, and `step` says which.',
        params: z.object({ device: z.string(), point: z.string() }),
        querystring: historyQuery.extend({ limit: limit(100_000, 10_000) }),
        response: { ...problems(400, 404, 503), 200: historySchema },
      },
    },
    (request): z.infer<typeof historySchema> => {
      const { params, query } = request;
      const ref = visibleRef(params.device, params.point, scopeOf(principalOf(request)));
      const found = readHistory(campus, localTime, ref, settleStep(query), query.limit);
      const { unit, step, staleAfter, samples, buckets, more } = found;
      const head = { id: ref, unit, step, staleAfter, truncated: more };
      return step === 'raw' ? { ...head, samples: [...samples] } : { ...head, buckets: [...buckets] };
    },
  );

  addExportRoutes(app, campus, { scopeOf, localTime });

  app.get(
    '/api/v1/outputs/:device/:point/history',
    {
      config: { access: 'see' },
      schema: {
        tags: ['history'],
        summary: 'Who switched this: recent requests and commands of one output, newest first',
        params: z.object({ device: z.string(), point: z.string() }),
        querystring: z.object({ limit: limit(200, 50) }),
        response: { ...problems(400, 404, 503), 200: z.array(outputActSchema) },
      },
    },
    (request) => {
      const scope = scopeOf(principalOf(request));
      const ref = visibleRef(request.params.device, request.params.point, scope);
      const device = campus.devices.find(({ id }) => id === request.params.device);
      if (device?.points.find(({ name }) => name === request.params.point)?.write === undefined) {
        throw new CodedError('POINT_NOT_FOUND', `there is no output "${ref}"`);
      }
      const acts = actsOf(reader, ref, request.query.limit);
      return acts.map((act) => ({ ...act, message: scope.words(act.message) }));
    },
  );

  app.get(
    '/api/v1/events',
    {
      config: { access: 'see' },
      schema: {
        tags: ['history'],
        summary: 'In the order of storing, those after `after`; or with newest=true the newest first',
        description:
          'Of one device or type when asked so. The newest are looked for among the newest 32,000 of all. ' +
          'With `from` and `to` (ms) those of that time, the earliest first.',
        querystring: z.object({
          after: uuid.optional(),
          from: moment.optional(),
          to: moment.optional(),
          limit: limit(1_000, 100),
          newest: z.stringbool().default(false),
          device: z.string().max(63).optional(),
          type: z.string().max(63).optional(),
        }),
        response: { ...problems(400, 503), 200: z.array(eventSchema) },
      },
    },
    async (request) => {
      const { after, from, to, limit, newest, device, type } = request.query;
      const scope = scopeOf(principalOf(request));
      const wanted = (event: CampusEvent) =>
        (device === undefined || event.device === device) &&
        (type === undefined || event.type === type) &&
        scope.seesEvent(event);
      const span = from === undefined || to === undefined ? null : { from, to };
      const found =
        span !== null
          ? await eventsBetween(reader, span, wanted, limit)
          : newest
            ? await newestWanted((most) => reader.newestEvents(most), wanted, limit)
            : await eventsAfter(reader, after ?? null, wanted, limit);
      return found.map((event) => ({ ...scope.event(event), data: { ...event.data } }));
    },
  );

  app.get(
    '/api/v1/events/:id/snapshot',
    {
      config: { access: 'pictures' },
      schema: {
        tags: ['history'],
        summary:
          'The picture of an event; it may follow its event by a second or two, and is waited for nearly a second',
        params: z.object({ id: uuid }),
        response: {
          ...problems(400, 404, 503),
          200: { description: 'the picture', content: { 'image/jpeg': { schema: z.unknown() } } },
        },
      },
    },
    async (request, reply) => {
      const { event, picture } = await openPicture(
        { ...campus, pictures },
        request.params.id,
        scopeOf(principalOf(request)),
      );
      return (
        reply
          .type('image/jpeg')
          // Of this session only: the next person at the same screen may not see it.
          .header('vary', 'cookie, authorization')
          .header('cache-control', 'private, max-age=3600')
          .send(await seenBy(request, footage, event, picture))
      );
    },
  );
}

/** The name came over the bus: it must stay below the snapshot folder whatever it says. */
async function openPicture(
  { reader, snapshotFolder, pictures }: Pick<CampusView, 'reader' | 'snapshotFolder'> & { pictures: FreshPictures },
  id: string,
  scope: Scope,
) {
  const event = reader.event(id);
  const path = event !== null && scope.seesEvent(event) ? event.snapshot : undefined;
  if (event === null || path === undefined || !/^\d{4}-\d{2}-\d{2}\/[0-9a-f-]+\.jpg$/.test(path)) throw noPicture(id);
  const picture = await pictures.open(join(snapshotFolder, path), event.id);
  if (picture === null) throw noPicture(id);
  return { event, picture };
}

/** The picture as he may see it: in the audit first, and with its masks burnt in where he may not see what is behind them. */
async function seenBy(
  request: FastifyRequest,
  footage: FootageDesk,
  event: CampusEvent,
  picture: FileHandle,
): Promise<Readable | Buffer> {
  const device: string = event.device ?? 'unknown';
  try {
    await footage.looks.note(actorOf(request), device, 'events', event.time);
    if (!footage.isMasked(request, device)) return picture.createReadStream();
    const body = await picture.readFile();
    const headers = { 'content-type': 'image/jpeg' };
    const masked = await footage.media.bytes({ method: 'POST', path: `/pictures/${device}/mask`, headers, body });
    await picture.close();
    return masked;
  } catch (error) {
    await picture.close();
    throw error;
  }
}

function noPicture(id: string): CodedError {
  return new CodedError('SNAPSHOT_NOT_FOUND', `there is no picture (yet) for event ${id}`);
}
