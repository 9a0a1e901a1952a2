import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { actorOf, principalOf } from './access.ts';
import { quietsAnswer } from './broadcast-core.ts';
import type { BroadcastParts } from './broadcast-parts.ts';
import { levelsBody, levelsPut, levelsView, quietBody, quietView } from './broadcast-schemas.ts';
import { problems } from './schemas.ts';
import type { Scope } from './scope.ts';
import type { App } from './server.ts';

const tags = ['broadcast'];
type Levels = z.infer<typeof levelsBody>;
type QuietView = z.infer<typeof quietView>[number];
/** The one document of levels. */
const levelsId = 'campus';
/** A lesson or an examination is not longer. */
const longestQuiet = 12 * 3_600_000;
const revAnswer = z.object({ rev: z.number() });

/** How loud what is, and which rooms are quiet. */
export function addBroadcastSettingsRoutes(app: App, parts: BroadcastParts): void {
  addLevelRoutes(app, parts);
  addQuietRoutes(app, parts);
}

function addLevelRoutes(app: App, { campus: { reader, rpc }, now, desk }: BroadcastParts): void {
  const stored = () => {
    const found = reader.document('soundLevels', levelsId);
    return { rev: found?.rev ?? 0, body: levelsBody.parse(found?.body ?? {}) };
  };

  app.get(
    '/api/v1/broadcast/levels',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'How loud what is: by class, zone and loudspeaker, and caps of the night',
        response: { ...problems(503), 200: levelsView },
      },
    },
    (request) => {
      const { rev, body } = stored();
      return { rev, body: seenLevels(body, desk.scopeOf(request)) };
    },
  );

  app.put(
    '/api/v1/broadcast/levels',
    {
      config: { access: 'broadcast' },
      schema: {
        tags,
        summary:
          'Sets how loud what is; whoever is limited to zones sets those, and 409 if somebody changed it meanwhile',
        body: levelsPut,
        response: { ...problems(400, 409, 503), 200: revAnswer },
      },
    },
    async (request) => {
      const scope = desk.scopeOf(request);
      const { rev, body, why } = request.body;
      const before = stored();
      const after = scope.isWhole ? body : ownLevels(before.body, body, scope);
      const answer = await rpc.call('broadcast.levels', { rev, body: after, why, ...actorOf(request) });
      now.forget();
      return revAnswer.parse(answer);
    },
  );
}

const kept = <T>(record: Readonly<Record<string, T>>, keep: (key: string) => boolean): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => keep(key)));

function seenLevels(body: Levels, scope: Scope): Levels {
  if (scope.isWhole) return body;
  const caps = body.caps.flatMap((cap) => {
    const zones = cap.zones === 'all' ? cap.zones : cap.zones.filter((zone) => scope.covers(zone));
    return zones.length === 0 ? [] : [{ ...cap, zones }];
  });
  return { ...body, caps, zones: kept(body.zones, scope.covers), devices: kept(body.devices, scope.seesDevice) };
}

/** His zones and loudspeakers as he wants them, all else as it was. Throws FORBIDDEN for what concerns others. */
function ownLevels(before: Levels, wanted: Levels, scope: Scope): Levels {
  const seen = seenLevels(before, scope);
  const same = (['classes', 'emergency', 'caps'] as const).every((key) => isDeepStrictEqual(seen[key], wanted[key]));
  const foreign = [
    ...Object.keys(wanted.zones).filter((zone) => !scope.covers(zone)),
    ...Object.keys(wanted.devices).filter((device) => !scope.seesDevice(device)),
  ];
  if (!same || foreign.length > 0) {
    const what = foreign[0] ?? 'classes, emergencies and caps';
    throw new CodedError('FORBIDDEN', `only the loudness of your own zones is yours to set, not that of ${what}`);
  }
  const notHis = { zones: (zone: string) => !scope.covers(zone), devices: (one: string) => !scope.seesDevice(one) };
  return {
    ...before,
    zones: { ...kept(before.zones, notHis.zones), ...wanted.zones },
    devices: { ...kept(before.devices, notHis.devices), ...wanted.devices },
  };
}

function addQuietRoutes(app: App, { campus: { rpc }, clock, now, desk }: BroadcastParts): void {
  /** Of one's own rooms; `all`: whether all of its rooms are. */
  const seenQuiets = async (scope: Scope, mayChange: boolean): Promise<QuietView[]> => {
    const all = quietsAnswer.parse(await rpc.call('broadcast.quiets', {}));
    return all.flatMap(({ id, kind, outputs, from, until, reason, by }) => {
      const devices = outputs.filter(scope.seesRef).flatMap((output) => desk.deviceOf(output) ?? []);
      if (devices.length === 0) return [];
      const isPersonal = /^(person|token):/.test(by);
      const mayEnd = mayChange && isPersonal && outputs.every(scope.seesRef);
      return [{ id, kind, devices, from, until, reason: scope.words(reason), by, mayEnd }];
    });
  };

  app.get(
    '/api/v1/broadcast/quiet',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'Rooms that are quiet, or will be: examinations of the school day, and lessons that are recorded',
        response: { ...problems(503), 200: quietView },
      },
    },
    (request) => seenQuiets(desk.scopeOf(request), principalOf(request).rights.has('broadcast')),
  );

  app.post(
    '/api/v1/broadcast/quiet',
    {
      config: { access: 'broadcast' },
      schema: {
        tags,
        summary: 'Makes rooms quiet until a time: nothing but emergencies is heard there',
        body: quietBody,
        response: { ...problems(400, 404, 409, 503), 200: z.object({ id: z.string() }) },
      },
    },
    async (request) => {
      const scope = desk.scopeOf(request);
      const { kind, zones, devices, until, why } = request.body;
      const wish = desk.zonesOf(zones, scope);
      for (const device of devices) desk.outputOf(device, scope);
      if (wish !== 'all' && wish.length + devices.length === 0)
        throw new CodedError('BAD_REQUEST', 'body: zones or devices must name at least one place');
      const left = until - clock.now();
      if (left <= 0 || left > longestQuiet)
        throw new CodedError('BAD_REQUEST', 'body.until: must lie within the next 12 hours');
      const asked = { kind, zones: wish, devices, until, why, ...actorOf(request) };
      const answer = z.object({ id: z.string() }).parse(await rpc.call('broadcast.quiet', asked));
      now.forget();
      return answer;
    },
  );

  app.delete(
    '/api/v1/broadcast/quiet/:id',
    {
      config: { access: 'broadcast' },
      schema: {
        tags,
        summary: 'Ends a quiet that a person asked for; those of the school day are ended there',
        params: z.object({ id: z.string().regex(/^[A-Za-z0-9_-]{1,80}$/, 'must be the id of quiet rooms') }),
        querystring: z.object({ why: z.string().trim().min(1).max(300).default('ended') }),
        response: { ...problems(400, 404, 409, 503), 200: z.object({}) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const found = (await seenQuiets(desk.scopeOf(request), true)).find((one) => one.id === id);
      if (found === undefined) throw new CodedError('QUIET_NOT_FOUND', `there are no quiet rooms "${id}"`);
      if (!found.mayEnd)
        throw new CodedError('QUIET_NOT_YOURS', `"${id}" is of the school day, or also in zones that are not yours`);
      await rpc.call('broadcast.quiet.end', { id, why: request.query.why, ...actorOf(request) });
      now.forget();
      return {};
    },
  );
}
