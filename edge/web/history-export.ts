import { pipeline, Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { stringify } from 'csv-stringify';
import { z } from 'zod';
import type { Principal } from '#edge/domain/access.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { History } from '#edge/store/reader.ts';
import { actorOf, principalOf } from './access.ts';
import { type HistoryQuestion, readHistory, settleStep, stepSizes, visibleRef } from './history.ts';
import { bucketRow, type Cell, cutRow, headerOf, type Language, mostRows, sampleRow } from './history-csv.ts';
import type { LocalTime } from './local-time.ts';
import { historyQuery, problems } from './schemas.ts';
import type { Scope } from './scope.ts';
import type { App, CampusView } from './server.ts';

/** Rows read at a time: some milliseconds, then others have their turn. */
const pageRows = 5_000;
/** Files being written at a time: each takes its share of this process. */
const mostAtOnce = 4;

interface Place {
  readonly scopeOf: (principal: Principal) => Scope;
  readonly localTime: LocalTime;
}

/** A point's history as a file for spreadsheets, of any length: read, written and sent page by page. */
export function addExportRoutes(app: App, campus: CampusView, { scopeOf, localTime }: Place): void {
  let underWay = 0;
  app.get(
    '/api/v1/points/:device/:point/history.csv',
    {
      config: { access: 'export' },
      schema: {
        tags: ['history'],
        summary: 'The same as a file: UTF-8 with BOM, times in the campus time zone, at most 1,000,000 rows',
        params: z.object({ device: z.string(), point: z.string() }),
        querystring: historyQuery.extend({ lang: z.enum(['zh', 'en']).default('zh') }),
        response: {
          ...problems(400, 404, 429, 503),
          200: { description: 'the rows', content: { 'text/csv': { schema: z.unknown() } } },
        },
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      const ref = visibleRef(params.device, params.point, scopeOf(principalOf(request)));
      const question = settleStep(query);
      if (underWay >= mostAtOnce) {
        throw new CodedError(
          'TOO_MANY_REQUESTS',
          `${mostAtOnce} files are being written already: wait until one is done`,
        );
      }
      // Read before the answer is begun, so that an error is an answer of its own; and said before it leaves the house.
      const first = readHistory(campus, localTime, ref, question, pageRows);
      const range = `${localTime.iso(question.from)} to ${localTime.iso(question.to)}, ${question.step}`;
      await campus.rpc.call('audit', {
        ...actorOf(request),
        what: `export ${ref} history`,
        why: '',
        result: range,
      });
      const file = `${params.device}_${params.point}_${localTime.date(question.from).date}_${question.step}.csv`;
      const rows = Readable.from(rowsOf(campus, localTime, ref, question, first, query.lang));
      const text = stringify({ bom: true, record_delimiter: 'windows', cast: { boolean: String } });
      underWay++;
      text.once('close', () => underWay--);
      // Whichever ends early ends the other; what went wrong breaks off the download.
      pipeline(rows, text, () => {});
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="${file}"`)
        .send(text);
    },
  );
}

async function* rowsOf(
  campus: CampusView,
  localTime: LocalTime,
  ref: string,
  question: HistoryQuestion,
  first: History,
  language: Language,
): AsyncGenerator<Cell[]> {
  yield headerOf(question.step === 'raw', first.unit, language);
  let rows = 0;
  for (let page = first; ; ) {
    const found = pageOf(page, localTime, language);
    yield* found.rows;
    rows += found.rows.length;
    if (!page.more || found.next === null) return;
    if (rows >= mostRows) return void (yield cutRow(language));
    await setImmediate();
    page = readHistory(campus, localTime, ref, { ...question, from: found.next }, pageRows);
  }
}

/** The rows of a page, and from where the next begins. */
function pageOf({ step, samples, buckets }: History, localTime: LocalTime, language: Language) {
  if (step === 'raw') {
    const last = samples.at(-1);
    const rows = samples.map((sample) => sampleRow(sample, localTime.iso, language));
    return { rows, next: last === undefined ? null : last.t + 1 };
  }
  const last = buckets.at(-1);
  const rows = buckets.map((bucket) => bucketRow(bucket, localTime.iso));
  return { rows, next: last === undefined ? null : last.t + stepSizes[step] };
}
