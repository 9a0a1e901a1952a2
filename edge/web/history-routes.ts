import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { splitPointRef, uuidPattern } from '#edge/domain/ids.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { auditSchema, eventSchema, historySchema, inboxSchema, problemSchema, stepSchema } from './schemas.ts';
import type { App, CampusView } from './server.ts';

const limit = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual);
const uuid = z.string().regex(uuidPattern, 'must be the id of an event');

/** Everything that was: read from the store over this process's own read-only connection. */
export function addHistoryRoutes(app: App, campus: CampusView): void {
  const { reader } = campus;

  app.get(
    '/api/v1/points/:device/:point/history',
    {
      schema: {
        params: z.object({ device: z.string(), point: z.string() }),
        querystring: z.object({
          from: z.coerce.number().int(),
          to: z.coerce.number().int(),
          step: stepSchema.default('raw'),
          limit: limit(100_000, 10_000),
        }),
        response: { 200: historySchema, 400: problemSchema, 404: problemSchema },
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
      schema: {
        querystring: z.object({
          after: uuid.optional(),
          limit: limit(1_000, 100),
          newest: z.stringbool().default(false),
        }),
        response: { 200: z.array(eventSchema), 400: problemSchema },
      },
    },
    ({ query }) => {
      const found = query.newest ? reader.newestEvents(query.limit) : reader.events(query.after ?? null, query.limit);
      return found.map((event) => ({ ...event, data: { ...event.data } }));
    },
  );

  app.get(
    '/api/v1/events/:id/snapshot',
    { schema: { params: z.object({ id: uuid }), response: { 404: problemSchema } } },
    async ({ params }, reply) => {
      const path = reader.event(params.id)?.snapshot;
      // The name came over the bus: it must stay below the snapshot folder whatever it says.
      if (path === undefined || !/^\d{4}-\d{2}-\d{2}\/[0-9a-f-]+\.jpg$/.test(path)) throw noPicture(params.id);
      const file = join(campus.snapshotFolder, path);
      try {
        await (await open(file)).close();
      } catch {
        throw noPicture(params.id);
      }
      return reply
        .type('image/jpeg')
        .header('cache-control', 'private, max-age=86400')
        .send(createReadStream(file) as never);
    },
  );

  app.get(
    '/api/v1/audit',
    {
      schema: {
        querystring: z.object({ after: z.coerce.number().int().min(0).default(0), limit: limit(1_000, 200) }),
        response: { 200: z.array(auditSchema), 400: problemSchema },
      },
    },
    ({ query }) => [...reader.audit(query.after, query.limit)],
  );

  app.get(
    '/api/v1/inbox',
    { schema: { querystring: z.object({ limit: limit(1_000, 200) }), response: { 200: z.array(inboxSchema) } } },
    ({ query }) => [...reader.inbox(query.limit)],
  );
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
