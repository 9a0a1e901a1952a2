import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import { itemClasses, type LedgerLine, ledgerOutcomes, type SchoolEntry } from '#edge/domain/school.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { datesFrom } from '#edge/school/dates.ts';
import { powersOf } from '#edge/school/power-plan.ts';
import { dayOf } from '#edge/school/resolve-day.ts';
import { occurrenceRows, timetableRows } from '#edge/school/school-table.ts';
import { daysRows } from '#edge/school/table-days.ts';
import { powerRows } from '#edge/school/table-power.ts';
import { classWord, headOf, type TableLanguage } from '#edge/school/table-words.ts';
import { csvRows, readCsv, writeCsv } from './csv.ts';
import { audit } from './documents.ts';
import { createLocalTime } from './local-time.ts';
import { problems } from './schemas.ts';
import { type SchoolViews, seenLine, seesEntry } from './school-desk.ts';
import { spanOf } from './school-plan-routes.ts';
import { calendarQuery, entryId } from './school-schemas.ts';
import { planTableImport, tableKinds } from './school-table-import.ts';
import type { App, CampusView } from './server.ts';
import { limitUploads } from './uploads.ts';

const tags = ['school'];
const mostDays = 366;
const mostBellDays = 62;
const importBytes = 2_000_000;
const pageLines = 1_000;
/** A year of a large school. */
const mostLines = 100_000;
const language = z.enum(['zh', 'en']).default('zh');
const planName = z.string().regex(/^[a-z0-9-]{1,80}$/, 'must be draft, signed or the id of a release');
const table = {
  ...problems(400, 404, 503),
  200: { description: 'the table', content: { 'text/csv': { schema: z.unknown() } } },
};
const attachment = (name: string) => `attachment; filename="${name}.csv"`;
const csv = 'text/csv; charset=utf-8';

/** The school day as tables for spreadsheets (UTF-8 with BOM), and what such a table would change in the draft. */
export async function addSchoolTableRoutes(app: App, campus: CampusView, views: SchoolViews): Promise<void> {
  addPlanTables(app, views);
  addEntryTables(app, views);
  addLedgerTable(app, campus, views);
  // Tables are understood by this route and by no other.
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addHook('onRequest', limitUploads());
    const parser = { parseAs: 'buffer', bodyLimit: importBytes } as const;
    scope.addContentTypeParser('text/csv', parser, (_, body, done) => done(null, body));
    addImportRoute(scope.withTypeProvider<ZodTypeProvider>(), views);
  });
}

function addPlanTables(app: App, views: SchoolViews): void {
  app.get(
    '/api/v1/school/bells.csv',
    {
      config: { access: 'export' },
      schema: {
        tags,
        summary:
          'What happens on these days in one’s zones: bells, switches and modes, silenced ones with their reason',
        querystring: calendarQuery,
        response: table,
      },
    },
    async (request, reply) => {
      const { of, language } = request.query;
      const { from, to } = spanOf(views, request.query, mostBellDays);
      const days = await views.days(of, from, to, views.scopeOf(request));
      const rows = occurrenceRows(
        days.flatMap((day) => day.occurrences),
        language,
      );
      return reply
        .type(csv)
        .header('content-disposition', attachment(`school-bells-${from}`))
        .send(writeCsv(rows));
    },
  );

  app.get(
    '/api/v1/school/days.csv',
    {
      config: { access: 'export' },
      schema: {
        tags,
        summary: 'What the days of a layer are: kind, week, whose lessons, timetable, what is not confirmed',
        querystring: calendarQuery,
        response: table,
      },
    },
    async (request, reply) => {
      const { of, layer, language } = request.query;
      const { from, to } = spanOf(views, request.query, mostDays);
      const { plan } = views.planOn(of, from);
      if (plan === null) throw new CodedError('RELEASE_NOT_FOUND', `nothing is signed for ${from}`);
      if (!plan.layers.has(layer)) throw new CodedError('LAYER_NOT_FOUND', `the plan has no layer "${layer}"`);
      // What is signed may change from one day to the next.
      const days = datesFrom(from, to).flatMap((date) => {
        const known = views.planOn(of, date).plan;
        return known === null ? [] : [dayOf(known, date, layer)];
      });
      return reply
        .type(csv)
        .header('content-disposition', attachment(`school-days-${from}`))
        .send(writeCsv(daysRows(days, language)));
    },
  );
}

function addEntryTables(app: App, views: SchoolViews): void {
  app.get(
    '/api/v1/school/timetable.csv',
    {
      config: { access: 'export' },
      schema: {
        tags,
        summary: 'A timetable of a plan, a row for each piece; the import takes it back',
        querystring: z.object({ of: planName.default('draft'), id: entryId, language }),
        response: table,
      },
    },
    async (request, reply) => {
      const { of, id, language } = request.query;
      const entry = views.planOn(of, views.today()).plan?.entries[id];
      if (entry?.part !== 'timetable') throw new CodedError('ENTRY_NOT_FOUND', `the plan has no timetable "${id}"`);
      return reply
        .type(csv)
        .header('content-disposition', attachment(`timetable-${id}`))
        .send(writeCsv(timetableRows(entry, language)));
    },
  );

  app.get(
    '/api/v1/school/power.csv',
    {
      config: { access: 'export' },
      schema: {
        tags,
        summary: 'The week of each circuit, a row for each stretch; the import takes it back',
        querystring: z.object({ of: planName.default('draft'), language }),
        response: table,
      },
    },
    async (request, reply) => {
      const { of, language } = request.query;
      const scope = views.scopeOf(request);
      const { plan } = views.planOn(of, views.today());
      const powers = plan === null ? [] : powersOf(plan).filter((one) => seesEntry(one, plan, scope));
      return reply
        .type(csv)
        .header('content-disposition', attachment('school-power'))
        .send(writeCsv(powerRows(powers, language)));
    },
  );
}

const ledgerQuery = z.object({
  from: z.coerce.number().int().optional(),
  to: z.coerce.number().int().optional(),
  entry: entryId.optional(),
  outcome: z.enum(ledgerOutcomes).optional(),
  class: z.enum(itemClasses).optional(),
  language,
});

function addLedgerTable(app: App, campus: CampusView, views: SchoolViews): void {
  app.get(
    '/api/v1/school/ledger.csv',
    {
      config: { access: 'export' },
      schema: {
        tags,
        summary: 'What became of everything that was to happen, latest planned first, at most 100,000 lines',
        querystring: ledgerQuery,
        response: table,
      },
    },
    async (request, reply) => {
      const { language, ...wanted } = request.query;
      await audit(campus.rpc, request, { what: `export school ledger ${JSON.stringify(wanted)}`, result: 'begun' });
      const rows = ledgerTable(campus, views.scopeOf(request), wanted, language);
      return reply
        .type(csv)
        .header('content-disposition', attachment('school-ledger'))
        .send(Readable.from(rows, { objectMode: false }));
    },
  );
}

async function* ledgerTable(
  { reader, site }: CampusView,
  scope: ReturnType<SchoolViews['scopeOf']>,
  { from, to, entry, outcome, class: of }: Omit<z.infer<typeof ledgerQuery>, 'language'>,
  language: TableLanguage,
): AsyncGenerator<string> {
  const { iso } = createLocalTime(site.campus.timeZone);
  const columns = ['planned', 'zh', 'en', 'class', 'outcome', 'reason', 'message', 'decided', 'zones'] as const;
  yield `\uFEFF${csvRows([headOf([...columns, 'release', 'key'], language)])}`;
  let after: string | undefined;
  for (let read = 0; read < mostLines; read += pageLines) {
    const page = reader.schoolLedger({
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(entry === undefined ? {} : { entry }),
      ...(outcome === undefined ? {} : { outcomes: [outcome] }),
      ...(after === undefined ? {} : { after }),
      limit: pageLines,
    });
    const seen = page.flatMap((line) => seenLine(line, scope) ?? []);
    const wanted = of === undefined ? seen : seen.filter((line) => line.class === of);
    if (wanted.length > 0) yield csvRows(wanted.map((line) => ledgerRow(line, iso, language)));
    after = page.at(-1)?.key;
    if (page.length < pageLines) return;
    await nextTurn();
  }
  yield csvRows([
    [language === 'zh' ? '行数已达上限：请缩小时间范围' : 'There is more than fits: ask for a shorter time'],
  ]);
}

function ledgerRow(line: LedgerLine, iso: (time: number) => string, language: TableLanguage): readonly string[] {
  const { planned, name, entry, class: of, outcome, reason, message, time, zones = [], release, key } = line;
  return [
    ...[iso(planned), name?.zh ?? entry, name?.en ?? entry, classWord(of, language), outcome, reason, message],
    ...[iso(time), zones.join(' '), release, key],
  ];
}

const importQuery = z.object({
  of: z.enum(tableKinds),
  /** Of a timetable: the entry that it becomes. */
  id: entryId.optional(),
  /** Of a timetable that is new: its names. */
  zh: z.string().trim().min(1).max(80).optional(),
  en: z.string().trim().min(1).max(80).optional(),
  layer: z.string().regex(slugPattern, 'must be the id of a layer, or "campus"').default('campus'),
  /** Of items without days in the table: 1 to 7, joined by commas; none: every school day. */
  weekdays: z
    .string()
    .regex(/^[1-7](,[1-7]){0,6}$/)
    .optional(),
  from: z.iso.date().optional(),
  to: z.iso.date().optional(),
});
const importAnswer = z.object({
  /** To be written by POST /school/entries as they are; `before`: what is in the draft now, null: it is new. */
  changes: z.array(
    z.object({
      id: z.string(),
      rev: z.number(),
      line: z.number(),
      body: z.record(z.string(), z.unknown()),
      before: z.record(z.string(), z.unknown()).nullable(),
    }),
  ),
  /** Ids of entries that the table says as they are. */
  same: z.array(z.string()),
  /** `line` of the file, from 1 (0: the table), `column` as the API names it, `code`, and what stands there. */
  mistakes: z.array(z.object({ line: z.number(), column: z.string(), code: z.string(), cell: z.string() })),
});

function addImportRoute(app: App, views: SchoolViews): void {
  app.post(
    '/api/v1/school/table-import',
    {
      config: { access: 'school', wholeCampus: true },
      bodyLimit: importBytes,
      schema: {
        tags,
        summary:
          'What a table (text/csv, UTF-8 or GB18030) would change in the draft; nothing is kept. Write it by POST /school/entries',
        description:
          '`of`: `timetable` (with `id`), `items` (bells and programmes), `days` (the calendar), `power` (the week of circuits).',
        consumes: ['text/csv'],
        querystring: importQuery,
        response: { ...problems(400, 413, 415, 429, 503), 200: importAnswer },
      },
    },
    async (request: FastifyRequest<{ Querystring: z.infer<typeof importQuery> }>) => {
      if (!Buffer.isBuffer(request.body))
        throw new CodedError('BAD_CSV', 'send the table itself as the body, as text/csv');
      const { weekdays, ...asked } = request.query;
      const draft = new Map(
        // Checked when it was stored; ids are branded there.
        views.draft().map(({ id, rev, body }) => [id, { rev, body: body as SchoolEntry }]),
      );
      const found = planTableImport(readCsv(request.body), { ...asked, weekdays: weekdays ?? '' }, draft);
      return importAnswer.parse(found);
    },
  );
}
