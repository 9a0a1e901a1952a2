import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { type AuditVerdict, verifyAudit } from '#edge/store/audit-chain.ts';
import type { AuditEntry } from '#edge/store/reader.ts';
import { csvRows } from './csv.ts';
import { audit } from './documents.ts';
import { createLocalTime, type LocalTime } from './local-time.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';
import { auditPageSchema, auditVerdictSchema } from './system-schemas.ts';
import { requireWholeCampus } from './whole-campus.ts';

const filter = z.object({
  /** What it begins with: `person:lin`. */
  who: z.string().max(100).optional(),
  /** Anywhere in it. */
  what: z.string().max(100).optional(),
  from: z.coerce.number().int().min(0).optional(),
  to: z.coerce.number().int().min(0).optional(),
});
const pageQuery = filter.extend({
  before: z.coerce.number().int().min(1).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});
type Filter = z.infer<typeof filter>;

/** Lines read at a time for an export: a few milliseconds, then others have their turn. */
const pageLines = 1_000;

/** Who did what: to look through, to take away, and to prove that nothing was altered. */
export function addAuditRoutes(app: App, campus: CampusView): void {
  const { reader, rpc, site, data } = campus;
  const localTime = createLocalTime(site.campus.timeZone);
  const verify = shared(() => verifyAudit(data));

  app.get(
    '/api/v1/audit',
    {
      config: { access: 'audit' },
      schema: {
        tags: ['audit'],
        summary: 'Who did what, why, and what came of it, newest first; a page may be short though `before` has more',
        querystring: pageQuery,
        response: { ...problems(400, 503), 200: auditPageSchema },
      },
    },
    (request) => {
      requireWholeCampus(request);
      const { before, limit, ...wanted } = request.query;
      const page = reader.auditPage({ ...given(wanted), limit, ...(before === undefined ? {} : { before }) });
      return { lines: [...page.lines], before: page.before };
    },
  );

  app.get(
    '/api/v1/audit.csv',
    {
      config: { access: 'audit' },
      schema: {
        tags: ['audit'],
        summary: 'The same as a table, oldest first (UTF-8 with BOM, times of the campus)',
        querystring: filter.extend({ lang: z.enum(['zh', 'en']).default('zh') }),
        response: {
          ...problems(400, 503),
          200: { description: 'the table', content: { 'text/csv': { schema: z.unknown() } } },
        },
      },
    },
    async (request, reply) => {
      requireWholeCampus(request);
      const { lang, ...wanted } = request.query;
      const about = JSON.stringify(given(wanted));
      const end = reader.auditHead()?.seq ?? 0;
      await audit(rpc, request, { what: `export audit ${about}`, result: `lines up to ${end}` });
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="audit.csv"')
        .send(Readable.from(table(campus, wanted, end, lang, localTime), { objectMode: false }));
    },
  );

  app.get(
    '/api/v1/audit/verify',
    {
      config: { access: 'audit' },
      schema: {
        tags: ['audit'],
        summary: 'Whether every line is as it was written and none is missing; works while core is away',
        response: { ...problems(503), 200: auditVerdictSchema },
      },
    },
    async (request) => {
      requireWholeCampus(request);
      const { faults, ...verdict } = await verify();
      return { ...verdict, faults: faults.map((fault) => ({ ...fault })) };
    },
  );
}

/** Those who ask while it runs get the same answer. */
function shared(work: () => Promise<AuditVerdict>): () => Promise<AuditVerdict> {
  let running: Promise<AuditVerdict> | null = null;
  return () => {
    running ??= work().finally(() => {
      running = null;
    });
    return running;
  };
}

/** An empty field of a form asks for nothing. */
function given({ who, what, from, to }: Filter) {
  return {
    ...(who === undefined || who === '' ? {} : { who }),
    ...(what === undefined || what === '' ? {} : { what }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}

const headers = {
  zh: ['序号', '时间', '谁', '来自', '做了什么', '原因', '结果'],
  en: ['No.', 'Time', 'Who', 'From', 'What', 'Why', 'Result'],
} as const;

async function* table(
  { reader }: CampusView,
  wanted: Filter,
  end: number,
  language: 'zh' | 'en',
  localTime: LocalTime,
): AsyncGenerator<string> {
  yield `\uFEFF${csvRows([headers[language]])}`;
  for (let after = 0; after < end; ) {
    const lines = reader.audit(after, pageLines).filter(({ seq }) => seq <= end);
    const last = lines.at(-1);
    if (last === undefined) return;
    after = last.seq;
    const rows = lines
      .filter((line) => fits(line, wanted))
      .map(({ seq, time, who, from, what, why, result }) => [
        String(seq),
        localTime.iso(time),
        who,
        from,
        what,
        why,
        result,
      ]);
    if (rows.length > 0) yield csvRows(rows);
    await nextTurn();
  }
}

function fits(line: AuditEntry, { who = '', what = '', from = 0, to = Number.POSITIVE_INFINITY }: Filter): boolean {
  const isWhat = line.what.toLowerCase().includes(what.toLowerCase());
  return line.who.startsWith(who) && isWhat && line.time >= from && line.time < to;
}
