import { z } from 'zod';
import type { Alarm } from '#edge/domain/alarm.ts';
import { uuidPattern } from '#edge/domain/ids.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Reader } from '#edge/store/reader.ts';
import { actorOf, principalOf } from './access.ts';
import { alarmPages } from './alarm-pages.ts';
import { alarmQuery, alarmSchema, problems, shelveBodySchema } from './schemas.ts';
import { createScopes, type Scope } from './scope.ts';
import type { App, CampusView } from './server.ts';

const params = z.object({ id: z.string().regex(uuidPattern, 'must be the id of an alarm') });
type AlarmView = z.infer<typeof alarmSchema>;
type Asker = Parameters<typeof actorOf>[0];

/** Alarms of one's zones: what stands, what was, and what a person does about it. */
export function addAlarmRoutes(app: App, { site, reader, rpc }: CampusView): void {
  const scopeOf = createScopes(site.devices);

  /** Throws ALARM_NOT_FOUND, also for one that lies elsewhere. */
  const find = async (id: string, scope: Scope): Promise<Alarm> => {
    const [found] = await alarmsOf(reader, scope, {}, (alarm) => alarm.id === id, 1);
    if (found === undefined) throw new CodedError('ALARM_NOT_FOUND', `there is no alarm ${id}`);
    return found;
  };

  app.get(
    '/api/v1/alarms',
    {
      config: { access: 'see' },
      schema: {
        tags: ['alarms'],
        summary: 'Alarms, latest raised first; the id of the last one as `before` gives the next page',
        description: '`from` and `to` bound when they were raised. Shelved ones are among them, and say so.',
        querystring: alarmQuery,
        response: { ...problems(400, 503), 200: z.array(alarmSchema) },
      },
    },
    async (request) => {
      const { limit, state, class: severity, zone, ...filter } = request.query;
      const scope = scopeOf(principalOf(request));
      const wanted = (alarm: Alarm) =>
        isAmong(alarm.state, state) && isAmong(alarm.class, severity) && (zone === undefined || alarm.zone === zone);
      const found = await alarmsOf(reader, scope, filter, wanted, limit);
      return found.map((alarm) => ({ ...scope.alarm(alarm) }));
    },
  );

  app.get(
    '/api/v1/alarms/:id',
    {
      config: { access: 'see' },
      schema: {
        tags: ['alarms'],
        summary: 'One alarm, open or over, with all that was done about it',
        params,
        response: { ...problems(400, 404, 503), 200: alarmSchema },
      },
    },
    async (request) => {
      const scope = scopeOf(principalOf(request));
      return { ...scope.alarm(await find(request.params.id, scope)) };
    },
  );

  const act = async (request: Asker, method: string, id: string, what: object): Promise<AlarmView> => {
    const scope = scopeOf(principalOf(request));
    if (!scope.isWhole) await find(id, scope);
    return scope.alarm(alarmSchema.parse(await rpc.call(method, { id, ...what, ...actorOf(request) })));
  };

  app.post(
    '/api/v1/alarms/:id/acknowledge',
    {
      config: { access: 'acknowledge' },
      schema: {
        tags: ['alarms'],
        summary: 'Says that a person has seen it; the body may be missing',
        params,
        body: z.strictObject({ note: z.string().max(500).default('') }).nullish(),
        response: { ...problems(400, 404, 409, 503), 200: alarmSchema },
      },
    },
    (request) => act(request, 'alarm.acknowledge', request.params.id, { note: request.body?.note ?? '' }),
  );

  app.post(
    '/api/v1/alarms/:id/shelve',
    {
      config: { access: 'acknowledge' },
      schema: {
        tags: ['alarms'],
        summary: 'Puts an alarm out of sight for some minutes, with a reason; its state goes on beneath',
        description:
          'At most 60 minutes for a critical one, 480 for others; 409 for what may not be shelved, with why.',
        params,
        body: shelveBodySchema,
        response: { ...problems(400, 404, 409, 503), 200: alarmSchema },
      },
    },
    (request) => act(request, 'alarm.shelve', request.params.id, request.body),
  );

  app.post(
    '/api/v1/alarms/:id/unshelve',
    {
      config: { access: 'acknowledge' },
      schema: {
        tags: ['alarms'],
        summary: 'Takes a shelved alarm back into sight',
        params,
        body: z.strictObject({}).nullish(),
        response: { ...problems(400, 404, 409, 503), 200: alarmSchema },
      },
    },
    (request) => act(request, 'alarm.unshelve', request.params.id, {}),
  );
}

function isAmong<T extends string>(one: T, wanted: T | readonly T[] | undefined): boolean {
  return wanted === undefined || [wanted].flat().includes(one);
}

type Filter = Pick<z.infer<typeof alarmQuery>, 'open' | 'device' | 'from' | 'to' | 'before'>;

/** Newest first, until there are enough. */
async function alarmsOf(
  reader: Pick<Reader, 'alarms'>,
  scope: Scope,
  filter: Partial<Filter>,
  wanted: (alarm: Alarm) => boolean,
  limit: number,
): Promise<Alarm[]> {
  const found: Alarm[] = [];
  for await (const page of alarmPages(reader, scope, filter)) {
    for (const alarm of page) {
      if (wanted(alarm)) found.push(alarm);
      if (found.length === limit) return found;
    }
  }
  return found;
}
