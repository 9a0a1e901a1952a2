import { z } from 'zod';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { actorOf, principalOf } from './access.ts';
import { writeCsv } from './csv.ts';
import {
  beginBody,
  begun,
  clearBody,
  clearedView,
  emergenciesView,
  emergencyId,
  emergencyView,
  noteBody,
  planView,
  rollBody,
  soundsBody,
  stepBody,
  warningView,
} from './emergency-schemas.ts';
import { problems } from './schemas.ts';
import { createScopes, type Scope } from './scope.ts';
import type { App, CampusView } from './server.ts';

const tags = ['emergencies'];
const params = z.object({ id: emergencyId });
const done = z.object({});
const mostPast = 20;
const coreList = z.object({
  time: z.number(),
  open: z.array(emergencyView),
  plans: z.array(planView),
  warnings: z.array(warningView),
});

/** Emergencies and their exercises: what goes on, beginning and ending one, the roll-call. Core decides; a person is behind each act. */
export function addEmergencyRoutes(app: App, campus: CampusView): void {
  addReadRoutes(app, campus);
  addBeginRoutes(app, campus);
  addCourseRoutes(app, campus);
}

type EmergencyView = z.infer<typeof emergencyView>;

function seen(one: { readonly zones: readonly string[] }, scope: Scope): boolean {
  return scope.isWhole || one.zones.some((zone) => scope.covers(zone));
}

function past(one: object): EmergencyView {
  return emergencyView.parse({ ...one, standing: '' });
}

/** Rooms elsewhere are not told of (a line of the roll without a zone may name any); people are told by their names. */
function viewOf(one: EmergencyView, scope: Scope, nameOf: (who: string) => string): EmergencyView {
  const roll = one.roll.filter(({ zone }) => scope.covers(zone));
  return {
    ...one,
    by: nameOf(one.by),
    zones: one.zones.filter((zone) => scope.covers(zone)),
    silent: one.silent.filter((zone) => scope.covers(zone)),
    causes: one.causes.map((cause) => ({ ...cause, by: nameOf(cause.by) })),
    roll: roll.map((room) => ({ ...room, by: nameOf(room.by) })),
    steps: one.steps.map(({ text, done: by }) => ({ text, done: by === null ? null : { ...by, by: nameOf(by.by) } })),
    timeline: one.timeline
      .filter(({ zone, act }) => (zone === undefined ? act !== 'roll' || scope.isWhole : scope.covers(zone)))
      .map((line) => ({ ...line, who: nameOf(line.who) })),
  };
}

/** An account that is gone keeps its id; and so does everybody while the database cannot be read. */
function namesFrom(reader: CampusView['reader']): (who: string) => string {
  const known = new Map<string, string>();
  return (who) => {
    if (!who.startsWith('person:')) return who;
    const id = who.slice('person:'.length);
    const name = known.get(id) ?? nameFrom(reader, id);
    known.set(id, name);
    return name;
  };
}

function nameFrom(reader: CampusView['reader'], id: string): string {
  try {
    return reader.document('person', id)?.body.name ?? id;
  } catch {
    return id;
  }
}

/** What goes on is shown whatever the disk does. */
function pastOf(reader: CampusView['reader']) {
  try {
    return { over: reader.emergencies({ open: false, limit: mostPast }), pastProblem: '' };
  } catch (error) {
    return { over: [], pastProblem: messageOf(error) };
  }
}

/** One that he may see, as he may see it. Throws EMERGENCY_NOT_FOUND, also for one elsewhere. */
function finderOf({ rpc, reader }: CampusView) {
  return async (id: string, scope: Scope): Promise<EmergencyView> => {
    const { open } = coreList.parse(await rpc.call('crisis.list', {}));
    // What just began is not on disk yet.
    const stored = open.some((one) => one.id === id) ? null : reader.emergency(id);
    const found = open.find((one) => one.id === id) ?? (stored === null ? null : past(stored));
    if (found === null || !seen(found, scope))
      throw new CodedError('EMERGENCY_NOT_FOUND', `there is no emergency ${id}`);
    return viewOf(found, scope, namesFrom(reader));
  };
}

/** Whoever ends or silences it must answer for all of its places. Throws FORBIDDEN. */
function guardOf(campus: CampusView) {
  const scopes = createScopes(campus.site.devices);
  return async (request: Parameters<typeof principalOf>[0], id: string, reach: 'whole' | 'part') => {
    const scope = scopes(principalOf(request));
    const one = await finderOf(campus)(id, scope);
    if (reach === 'part' || scope.isWhole) return one;
    const { open } = coreList.parse(await campus.rpc.call('crisis.list', {}));
    const zones = open.find((each) => each.id === id)?.zones ?? [];
    if (zones.every((zone) => scope.covers(zone))) return one;
    throw new CodedError('FORBIDDEN', 'it is in zones that are not yours, too');
  };
}

function addReadRoutes(app: App, campus: CampusView): void {
  const { site, rpc, reader } = campus;
  const scopes = createScopes(site.devices);
  const find = finderOf(campus);

  app.get(
    '/api/v1/emergencies',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'Emergencies that go on, the latest that are over, what each kind will do, and warnings in force',
        response: { ...problems(503), 200: emergenciesView },
      },
    },
    async (request): Promise<z.infer<typeof emergenciesView>> => {
      const scope = scopes(principalOf(request));
      const { open, ...now } = coreList.parse(await rpc.call('crisis.list', {}));
      const nameOf = namesFrom(reader);
      const { over, pastProblem } = pastOf(reader);
      return {
        ...now,
        open: open.filter((one) => seen(one, scope)).map((one) => viewOf(one, scope, nameOf)),
        past: over
          .filter((one) => seen(one, scope))
          .map((one) => {
            const { roll: _r, timeline: _t, steps: _s, ...brief } = viewOf(past(one), scope, nameOf);
            return brief;
          }),
        pastProblem,
      };
    },
  );
  app.get(
    '/api/v1/emergencies/:id',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'One emergency with its timeline and roll-call, also when it is long over',
        params,
        response: { ...problems(400, 404, 503), 200: emergencyView },
      },
    },
    (request) => find(request.params.id, scopes(principalOf(request))),
  );
  app.get(
    '/api/v1/emergencies/:id/report.csv',
    {
      config: { access: 'export' },
      schema: {
        tags,
        summary: 'Its timeline and its roll-call as a table',
        params,
        response: { ...problems(400, 404, 503), 200: z.string() },
      },
    },
    async (request, reply) => {
      const one = await find(request.params.id, scopes(principalOf(request)));
      await rpc.call('audit', {
        ...actorOf(request),
        ...{ what: `crisis.report ${one.id}`, why: 'export', result: `${one.timeline.length} lines` },
      });
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="emergency-${one.id}.csv"`)
        .send(writeCsv(rowsOf(one)));
    },
  );
}

function rowsOf(one: EmergencyView): string[][] {
  const at = (time: number | null) => (time === null ? '' : new Date(time).toISOString());
  return [
    ['时间 time', '类别 what', '谁 who', '内容 text'],
    ...one.timeline.map(({ time, act, who, text }) => [at(time), act, who, text]),
    [],
    ['房间 room', '状态 state', '实到 present', '缺 missing', '备注 note', '谁 who', '时间 time'],
    ...one.roll.map(({ name, state, present, missing, note, by, time }) => [
      ...[name.zh, state, `${present ?? ''}`, `${missing ?? ''}`, note, by, at(time)],
    ]),
  ];
}

/** Only somebody who has signed in: a token has no hand in an emergency. Throws FORBIDDEN. */
function personOnly(request: Parameters<typeof principalOf>[0]): void {
  if (!principalOf(request).who.startsWith('person:'))
    throw new CodedError('FORBIDDEN', 'only a person who has signed in does this, not a token');
}

/** Whoever is limited to zones begins it in those of them that are meant: all, where the plan names none of them. */
function ownZones(
  own: readonly string[],
  wish: 'all' | readonly string[] | undefined,
  plan: { readonly zones: 'all' | readonly string[] } | undefined,
): readonly string[] {
  const meant = wish ?? plan?.zones ?? 'all';
  const mine = meant === 'all' ? own : own.filter((zone) => meant.includes(zone));
  return mine.length > 0 ? mine : own;
}

function addBeginRoutes(app: App, campus: CampusView): void {
  const { site, rpc } = campus;
  const guard = guardOf(campus);
  const scopes = createScopes(site.devices);
  app.post(
    '/api/v1/emergencies',
    {
      config: { access: 'emergency' },
      schema: {
        tags,
        summary: 'Begins an emergency, or an exercise of it; joins one of its kind that goes on; not by token',
        body: beginBody,
        response: { ...problems(400, 404, 409, 503), 200: begun },
      },
    },
    async (request) => {
      personOnly(request);
      const scope = scopes(principalOf(request));
      const { kind, drill, zones, why } = request.body;
      const known = new Set<string>(site.zones.map(({ id }) => id));
      const unknown = zones === 'all' ? undefined : zones?.find((zone) => !known.has(zone) || !scope.covers(zone));
      if (unknown !== undefined) throw new CodedError('ZONE_NOT_FOUND', `there is no zone "${unknown}"`);
      const wish =
        scope.zones === undefined ? (zones ?? null) : ownZones(scope.zones, zones, site.emergency.plans[kind]);
      const answer = await rpc.call('crisis.begin', { kind, drill, zones: wish, why, ...actorOf(request) });
      return { ...z.object({ id: z.string(), joined: z.boolean() }).parse(answer), message: '' };
    },
  );
  app.post(
    '/api/v1/emergencies/:id/all-clear',
    {
      config: { access: 'emergency' },
      schema: {
        tags,
        summary: 'Ends an emergency, with the reason; refused (`cleared: false`) while its cause stands; not by token',
        params,
        body: clearBody,
        response: { ...problems(400, 404, 503), 200: clearedView },
      },
    },
    async (request) => {
      personOnly(request);
      const { id } = request.params;
      await guard(request, id, 'whole');
      return clearedView.parse(await rpc.call('crisis.clear', { id, why: request.body.why, ...actorOf(request) }));
    },
  );
}

/** What is said and done while it goes on. */
function addCourseRoutes(app: App, campus: CampusView): void {
  const { rpc } = campus;
  const guard = guardOf(campus);
  app.post(
    '/api/v1/emergencies/:id/sounds',
    {
      config: { access: 'emergency' },
      schema: {
        tags,
        summary: 'Silence for a while, or sound again; it stays an emergency',
        params,
        body: soundsBody,
        response: { ...problems(400, 404, 409, 503), 200: done },
      },
    },
    async (request) => {
      personOnly(request);
      await guard(request, request.params.id, 'whole');
      await rpc.call('crisis.sounds', { id: request.params.id, ...request.body, ...actorOf(request) });
      return {};
    },
  );
  app.post(
    '/api/v1/emergencies/:id/roll',
    {
      config: { access: 'emergency' },
      schema: {
        tags,
        summary: 'Says who is accounted for, room by room; only numbers, never names of children',
        params,
        body: rollBody,
        response: { ...problems(400, 404, 503), 200: done },
      },
    },
    async (request) => {
      personOnly(request);
      const { rooms } = request.body;
      const { roll } = await guard(request, request.params.id, 'part');
      const elsewhere = rooms.find(({ room }) => !roll.some((each) => each.room === room));
      if (elsewhere !== undefined)
        throw new CodedError('ROOM_NOT_FOUND', `no room "${elsewhere.room}" is called in it`);
      await rpc.call('crisis.roll', { id: request.params.id, rooms, ...actorOf(request) });
      return {};
    },
  );
  app.post(
    '/api/v1/emergencies/:id/steps/:index',
    {
      config: { access: 'emergency' },
      schema: {
        tags,
        summary: 'Says that a step is done, or takes that back',
        params: params.extend({ index: z.coerce.number().int().min(0).max(100) }),
        body: stepBody,
        response: { ...problems(400, 404, 503), 200: done },
      },
    },
    async (request) => {
      personOnly(request);
      const { id, index } = request.params;
      await guard(request, id, 'part');
      await rpc.call('crisis.step', { id, index, done: request.body.done, ...actorOf(request) });
      return {};
    },
  );
  app.post(
    '/api/v1/emergencies/:id/notes',
    {
      config: { access: 'emergency' },
      schema: {
        tags,
        summary: 'Notes a line',
        params,
        body: noteBody,
        response: { ...problems(400, 404, 503), 200: done },
      },
    },
    async (request) => {
      personOnly(request);
      await guard(request, request.params.id, 'part');
      await rpc.call('crisis.note', { id: request.params.id, text: request.body.text, ...actorOf(request) });
      return {};
    },
  );
}
