import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { LedgerLine, SchoolEntry } from '#edge/domain/school.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { actorOf } from './access.ts';
import { problems } from './schemas.ts';
import { createSchoolViews, type SchoolViews, seenLine, seesEntry } from './school-desk.ts';
import { addSchoolFileRoutes } from './school-file-routes.ts';
import { addSchoolPlanRoutes } from './school-plan-routes.ts';
import { addSchoolPowerRoute } from './school-power-route.ts';
import { addSchoolPowerWeeksRoute } from './school-power-weeks-route.ts';
import {
  answerBody,
  bulkBody,
  bulkView,
  changedProblem,
  clockBody,
  entriesView,
  entryId,
  entryView,
  ledgerQuery,
  ledgerView,
  nowView,
  putBody,
  removeQuery,
} from './school-schemas.ts';
import { addSchoolTableRoutes } from './school-table-routes.ts';
import type { App, CampusView } from './server.ts';

const tags = ['school'];
const params = z.object({ id: entryId });
/** Draft, signatures and holidays are the whole campus's; what is said for a while may be one's own zones'. */
const write = { access: 'school', wholeCampus: true } as const;
/** A line of core.sock is 1 MB at most. */
const bulkBytes = 900_000;

/** The school day: its draft, what it comes to, what is signed, what became of it. */
export async function addSchoolRoutes(app: App, campus: CampusView, clock: Clock): Promise<void> {
  const views = createSchoolViews(campus, clock);
  addEntryRoutes(app, campus, views);
  addSchoolPlanRoutes(app, campus, views, clock);
  addSchoolFileRoutes(app, campus, views, clock);
  addLedgerRoutes(app, campus, views);
  addSchoolPowerRoute(app, campus, views);
  addSchoolPowerWeeksRoute(app, views);
  await addSchoolTableRoutes(app, campus, views);
}

function addEntryRoutes(app: App, { reader, rpc }: CampusView, views: SchoolViews): void {
  const visible = (request: FastifyRequest) => {
    const scope = views.scopeOf(request);
    const plan = views.draftPlan();
    // Checked when it was stored; ids are branded there.
    return views.draft().filter(({ body }) => seesEntry(body as SchoolEntry, plan, scope));
  };
  /** Answers 409 with what the other has made of it, so that the page can put both together. */
  const change = async (
    request: FastifyRequest,
    reply: FastifyReply,
    changes: z.infer<typeof bulkBody>['changes'],
    why: string,
  ): Promise<z.infer<typeof bulkView> | null> => {
    try {
      return bulkView.parse(await rpc.call('school.put', { changes, why, ...actorOf(request) }));
    } catch (error) {
      if (codeOf(error) !== 'DOCUMENT_CHANGED') throw error;
      const others = changes.flatMap(({ id, rev }) => {
        const now = reader.document('school', id);
        if ((now?.rev ?? 0) === rev) return [];
        return [{ id, rev: now?.rev ?? 0, time: now?.time ?? null, who: now?.who ?? null, body: now?.body ?? null }];
      });
      await reply.code(409).send({ error: 'document-changed', message: messageOf(error), others });
      return null;
    }
  };

  app.get(
    '/api/v1/school/entries',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'The draft of the school day, what is wrong with it, and the years whose holidays are known',
        response: { ...problems(503), 200: entriesView },
      },
    },
    (request) => {
      const entries = visible(request);
      const ids = new Set(entries.map(({ id }) => id));
      const mistakes = views.draftPlan().mistakes.filter(({ entry }) => ids.has(entry));
      const years = views.years().map(({ year, source, published }) => ({ year, source, published }));
      return { entries, mistakes: mistakes.map((one) => ({ ...one, params: { ...one.params } })), years };
    },
  );

  app.get(
    '/api/v1/school/entries/:id',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'One entry of the draft',
        params,
        response: { ...problems(400, 404, 503), 200: entryView },
      },
    },
    (request) => {
      const { id } = request.params;
      const entry = visible(request).find((one) => one.id === id);
      if (entry === undefined) throw new CodedError('ENTRY_NOT_FOUND', `the draft has no entry "${id}"`);
      return entry;
    },
  );

  app.put(
    '/api/v1/school/entries/:id',
    {
      config: write,
      bodyLimit: 200_000,
      schema: {
        tags,
        summary: 'Writes an entry of the draft (`rev` 0: a new one); 409 shows what somebody else made of it meanwhile',
        params,
        body: putBody,
        response: { ...problems(400, 503), 409: changedProblem, 200: z.object({ rev: z.number() }) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { rev, body, why } = request.body;
      const done = await change(request, reply, [{ id, rev, body }], why);
      return done === null ? reply : { rev: done.revs[id] ?? rev + 1 };
    },
  );

  app.delete(
    '/api/v1/school/entries/:id',
    {
      config: write,
      schema: {
        tags,
        summary: 'Takes an entry out of the draft; what is signed stays as it is',
        params,
        querystring: removeQuery,
        response: { ...problems(400, 503), 409: changedProblem, 200: z.object({}) },
      },
    },
    async (request, reply) => {
      const { rev, why } = request.query;
      const done = await change(request, reply, [{ id: request.params.id, rev, body: null }], why);
      return done === null ? reply : {};
    },
  );

  app.post(
    '/api/v1/school/entries',
    {
      config: write,
      bodyLimit: bulkBytes,
      schema: {
        tags,
        summary: 'Changes several entries of the draft at once: all of them, or none',
        body: bulkBody,
        response: { ...problems(400, 413, 503), 409: changedProblem, 200: bulkView },
      },
    },
    async (request, reply) => (await change(request, reply, request.body.changes, request.body.why)) ?? reply,
  );
}

function addLedgerRoutes(app: App, { reader, rpc }: CampusView, views: SchoolViews): void {
  app.get(
    '/api/v1/school/ledger',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'What became of everything that was to happen, latest planned first',
        querystring: ledgerQuery,
        response: { ...problems(400, 503), 200: ledgerView },
      },
    },
    (request) => {
      const scope = views.scopeOf(request);
      const { limit, outcome, from, to, entry, after } = request.query;
      const filter = Object.fromEntries(Object.entries({ from, to, entry }).filter(([, value]) => value !== undefined));
      const outcomes = outcome === undefined ? {} : { outcomes: [outcome] };
      const lines: LedgerLine[] = [];
      let place = after;
      // The limit counts what is seen.
      for (let pages = 0; pages < 20; pages++) {
        const page = reader.schoolLedger({
          ...filter,
          ...outcomes,
          ...(place === undefined ? {} : { after: place }),
          limit,
        });
        place = page.length < limit ? undefined : page.at(-1)?.key;
        for (const line of page) {
          const seen = seenLine(line, scope);
          if (seen === null) continue;
          if (lines.length === limit) return { lines: lines.map(told), next: lines.at(-1)?.key ?? null };
          lines.push(seen);
        }
        if (place === undefined || lines.length === limit) break;
      }
      return { lines: lines.map(told), next: place === undefined ? null : (lines.at(-1)?.key ?? place) };
    },
  );

  app.get(
    '/api/v1/school/now',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary:
          'Whether it rings by itself, what is signed for today and tomorrow, what comes next, and what somebody is asked',
        response: { ...problems(503), 200: nowView },
      },
    },
    async (request) => {
      const scope = views.scopeOf(request);
      const now = nowView.parse(await rpc.call('school.now', {}));
      if (scope.isWhole) return now;
      const own = (list: typeof now.next) => list.filter(({ zones }) => zones.some((zone) => scope.covers(zone)));
      return { ...now, next: own(now.next), asked: own(now.asked), open: [] };
    },
  );

  app.post(
    '/api/v1/school/answers',
    {
      config: { access: 'school', wholeCampus: true },
      schema: {
        tags,
        summary: 'A command of an examination that is late: given now, or left out',
        body: answerBody,
        response: { ...problems(400, 404, 503), 200: z.looseObject({ key: z.string(), outcome: z.string() }) },
      },
    },
    async (request) => {
      const line = await rpc.call('school.answer', { ...request.body, ...actorOf(request) });
      return z.looseObject({ key: z.string(), outcome: z.string() }).parse(line);
    },
  );

  app.post(
    '/api/v1/school/clock',
    {
      config: { access: 'system', wholeCampus: true },
      schema: {
        tags,
        summary: 'Says that the clock of this box is good although nothing synchronises it, or that it is not',
        body: clockBody,
        response: { ...problems(400, 503), 200: z.object({}) },
      },
    },
    async (request) => {
      await rpc.call('school.clock', { ...request.body, ...actorOf(request) });
      return {};
    },
  );
}

/** A copy that the schema may take apart. */
const told = ({ zones, ...rest }: LedgerLine) => ({ ...rest, ...(zones === undefined ? {} : { zones: [...zones] }) });
