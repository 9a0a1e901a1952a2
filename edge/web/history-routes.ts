import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { splitPointRef, uuidPattern } from '#edge/domain/ids.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { auditSchema, eventSchema, historySchema, inboxSchema, problems, stepSchema } from './schemas.ts';
import type { App, CampusView } from './server.ts';

const limit = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual);
const uuid = z.string().regex(uuidPattern, 'must be the id of an event');

/** Everything that was: read from the store over this process's own read-only connection. */
export function addHistoryRoutes(app: App, campus: CampusView): void {
  const { reader } = campus;

  app.get(
    '/api/v1/points/:device/:point/history',
    {
      config: { access: 'see' },
      schema: {
        tags: ['history'],
        summary:
          'One point from (included) to (excluded): raw samples, or buckets of 1min, 15min, 1h, 1d (campus time)',
        params: z.object({ device: z.string(), point: z.string() }),
        querystring: z.object({
          from: z.coerce.number().int(),
          to: z.coerce.number().int(),
          step: stepSchema.default('raw'),
          limit: limit(100_000, 10_000),
        }),
        response: { ...problems(400, 404, 503), 200: historySchema },
      },
    },
    ({ params, query }) => {
      const ref = `${params.device}/${params.point}`;
      if (splitPointRef(ref) === null) throw new CodedError('POINT_NOT_FOUND', `there is no point "${ref}"`);
      return readHistory(campus, ref, query);
    },
  );

  app.get(
    '/api/v1/events',
    {
      config: { access: 'see' },
      schema: {
        tags: ['history'],
        summary: 'In the order of storing, those after `after`; or with newest=true the newest first',
        querystring: z.object({
          after: uuid.optional(),
          limit: limit(1_000, 100),
          newest: z.stringbool().default(false),
        }),
        response: { ...problems(400, 503), 200: z.array(eventSchema) },
      },
    },
    ({ query }) => {
      const found = query.newest ? reader.newestEvents(query.limit) : reader.events(query.after ?? null, query.limit);
      return found.map((event) => ({ ...event, data: { ...event.data } }));
    },
  );

  app.get(
    '/api/v1/events/:id/snapshot',
    {
      config: { access: 'pictures' },
      schema: {
        tags: ['history'],
        summary: 'The picture of an event; it may follow its event by a second or two',
        params: z.object({ id: uuid }),
        response: {
          ...problems(400, 404, 503),
          200: { description: 'the picture', content: { 'image/jpeg': { schema: z.unknown() } } },
        },
      },
    },
    async ({ params }, reply) => {
      const picture = await openPicture(campus, params.id);
      return reply
        .type('image/jpeg')
        .header('cache-control', 'private, max-age=86400')
        .send(picture.createReadStream());
    },
  );

  app.get(
    '/api/v1/audit',
    {
      config: { access: 'audit' },
      schema: {
        tags: ['history'],
        summary: 'Who did what, why, and what came of it: ascending, those after `after`',
        querystring: z.object({ after: z.coerce.number().int().min(0).default(0), limit: limit(1_000, 200) }),
        response: { ...problems(400, 503), 200: z.array(auditSchema) },
      },
    },
    ({ query }) => [...reader.audit(query.after, query.limit)],
  );

  app.get(
    '/api/v1/inbox',
    {
      config: { access: 'devices' },
      schema: {
        tags: ['history'],
        summary: 'What was heard and belongs to no declared device or point, last seen first',
        querystring: z.object({ limit: limit(1_000, 200) }),
        response: { ...problems(400, 503), 200: z.array(inboxSchema) },
      },
    },
    ({ query }) => [...reader.inbox(query.limit)],
  );
}

/** The name came over the bus: it must stay below the snapshot folder whatever it says. */
async function openPicture({ reader, snapshotFolder }: CampusView, id: string): Promise<FileHandle> {
  const path = reader.event(id)?.snapshot;
  if (path === undefined || !/^\d{4}-\d{2}-\d{2}\/[0-9a-f-]+\.jpg$/.test(path)) throw noPicture(id);
  try {
    return await open(join(snapshotFolder, path));
  } catch {
    throw noPicture(id);
  }
}

function noPicture(id: string): CodedError {
  return new CodedError('SNAPSHOT_NOT_FOUND', `there is no picture (yet) for event ${id}`);
}

interface HistoryQuery {
  readonly from: number;
  readonly to: number;
  readonly step: z.infer<typeof stepSchema>;
  readonly limit: number;
}

/** Days begin at the campus's midnight; its zone's offset at the end of the range stands for the whole (China has no summer time). */
function readHistory(campus: CampusView, ref: string, query: HistoryQuery): z.infer<typeof historySchema> {
  const { from, to, step, limit } = query;
  if (to <= from) throw new CodedError('BAD_RANGE', `"to" (${to}) must be later than "from" (${from})`);
  const days = { utcOffset: zoneOffset(campus.site.campus.timeZone, to) };
  const found = campus.reader.history(ref, from, to, step, limit, days);
  if (found === null) throw new CodedError('POINT_NOT_FOUND', `there is no point "${ref}"`);
  const { unit, samples, buckets, more } = found;
  const head = { id: ref, unit, step, truncated: more };
  return step === 'raw' ? { ...head, samples: [...samples] } : { ...head, buckets: [...buckets] };
}

/** Local time minus UTC at an instant, ms. */
function zoneOffset(timeZone: string, at: number): number {
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(at);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours = '0', minutes = '0'] = /^GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(name) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
