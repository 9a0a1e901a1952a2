import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { isSameSecret } from '#edge/runtime/secret.ts';
import type { Ingest } from './ingest.ts';
import type { ReadMethods, Remote } from './store-port.ts';

/** A campus that reports to this city. */
export interface CampusEntry {
  /** 10-digit school code. */
  readonly id: string;
  readonly name: { readonly zh: string; readonly en: string };
}

export interface ApiContext {
  readonly campuses: readonly CampusEntry[];
  readonly store: Remote<ReadMethods>;
  readonly ingest: Ingest;
  readonly token: string;
  readonly clock: Clock;
  readonly log: Log;
}

const page = join(import.meta.dirname, 'page');
const assets: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
};
const safeHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

const hour = 3_600_000;
/** Longest stretch of summaries in one answer, ms. */
const longestSpan = 31 * 24 * hour;
const time = z.coerce.number().int().min(0);
const reference = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}\/[a-z0-9][a-z0-9_-]{0,62}$/, 'must be <device>/<point>');
const spanQuery = z.strictObject({ from: time.optional(), to: time.optional(), ref: reference.optional() });
const beforeQuery = z.strictObject({ before: time.optional() });
const nothing = z.strictObject({});
const campusParams = z.object({ id: z.string() });

/** The HTTP API and its one page; call `listen` on what comes back. */
export async function createApi(context: ApiContext): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: 1_024,
    requestTimeout: 10_000,
    connectionTimeout: 30_000,
    forceCloseConnections: true,
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(safeHeaders);
    const open = request.url === '/healthz' || Object.hasOwn(assets, request.url);
    if (!open && !isAuthorized(request.headers.authorization, context.token)) {
      reply.header('www-authenticate', 'Bearer');
      throw new ApiError(
        401,
        'UNAUTHORIZED',
        'a bearer token is needed; it is in the file admin-token of the data folder',
      );
    }
  });
  app.setErrorHandler((error, _request, reply) => answerError(error, reply, context.log));
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: 'NOT_FOUND', message: `there is no ${request.method} ${request.url.split('?')[0]}` }),
  );
  await addPage(app);
  addHealth(app, context);
  addCampuses(app, context);
  return app;
}

class ApiError extends CodedError {
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(code, message);
    this.status = status;
  }
}

function isAuthorized(header: string | undefined, token: string): boolean {
  return isSameSecret(header ?? '', `Bearer ${token}`);
}

function answerError(error: unknown, reply: FastifyReply, log: Log): FastifyReply {
  if (error instanceof ApiError) return reply.code(error.status).send({ error: error.code, message: error.message });
  const code = codeOf(error);
  if (code.startsWith('FST_')) return reply.code(400).send({ error: 'BAD_REQUEST', message: messageOf(error) });
  log.error({ error }, 'a request failed');
  return reply.code(503).send({ error: code || 'FAILED', message: 'the city could not answer; its log says why' });
}

function check<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const said = result.error.issues.map((issue) => `${issue.path.join('.') || '(query)'}: ${issue.message}`);
  throw new ApiError(400, 'BAD_REQUEST', said.join('; '));
}

async function addPage(app: FastifyInstance): Promise<void> {
  for (const [path, [file, type]] of Object.entries(assets)) {
    const bytes = await readFile(join(page, file));
    app.get(path, (_request, reply) => reply.type(type).send(bytes));
  }
}

function addHealth(app: FastifyInstance, { campuses, ingest }: ApiContext): void {
  app.get('/healthz', (_request, reply) => {
    const { fault } = ingest;
    const online = campuses.filter(({ id }) => ingest.presence.isOnline(id)).length;
    const state = { status: fault === null ? 'ok' : 'failing', campuses: campuses.length, online, fault };
    return reply.code(fault === null ? 200 : 503).send({ ...state, frames: ingest.counters });
  });
}

function addCampuses(app: FastifyInstance, context: ApiContext): void {
  const { campuses, store, ingest, clock } = context;
  const known = new Map(campuses.map((campus) => [campus.id, campus]));
  const campusOf = (params: unknown): string => {
    const { id } = check(campusParams, params);
    if (!known.has(id)) throw new ApiError(404, 'NO_SUCH_CAMPUS', 'no campus with this id reports to this city');
    return id;
  };

  app.get('/api/v1/campuses', async (request) => {
    check(nothing, request.query);
    const statuses = await store.campuses(campuses.map(({ id }) => id));
    const shaped = statuses.map(({ campus, lastSeen, ...status }) => ({
      id: campus,
      name: known.get(campus)?.name,
      online: ingest.presence.isOnline(campus),
      lastSeen: ingest.presence.lastWord(campus) ?? lastSeen,
      ...status,
    }));
    return { time: clock.now(), campuses: shaped };
  });

  app.get('/api/v1/campuses/:id/summaries', async (request) => {
    const campus = campusOf(request.params);
    const { to = clock.now(), ref = null, ...query } = check(spanQuery, request.query);
    const from = query.from ?? Math.max(0, to - hour);
    if (to <= from) throw new ApiError(400, 'BAD_REQUEST', 'to: must be after from');
    if (to - from > longestSpan) throw new ApiError(400, 'BAD_REQUEST', 'from, to: at most 31 days apart');
    return { campus, from, to, step: 60_000, ...(await store.summaries({ campus, from, to, ref })) };
  });

  app.get('/api/v1/campuses/:id/alarms', async (request) => {
    check(nothing, request.query);
    const campus = campusOf(request.params);
    return { campus, alarms: await store.alarms(campus) };
  });

  app.get('/api/v1/campuses/:id/events', async (request) => {
    const campus = campusOf(request.params);
    const { before = Number.MAX_SAFE_INTEGER } = check(beforeQuery, request.query);
    return { campus, events: await store.events(campus, before) };
  });

  app.get('/api/v1/campuses/:id/gaps', async (request) => {
    check(nothing, request.query);
    const campus = campusOf(request.params);
    return { campus, gaps: await store.gaps(campus) };
  });

  app.get('/api/v1/campuses/:id/health', async (request) => {
    check(nothing, request.query);
    const campus = campusOf(request.params);
    return { campus, health: await store.health(campus) };
  });
}
