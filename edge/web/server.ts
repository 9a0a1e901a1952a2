import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import fastifyHttpProxy from '@fastify/http-proxy';
import fastifyStatic from '@fastify/static';
import fastifySwagger from '@fastify/swagger';
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Device } from '#edge/domain/device.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { Reader } from '#edge/store/reader.ts';
import { addHistoryRoutes } from './history-routes.ts';
import type { LiveState } from './live.ts';
import { addLiveRoutes } from './live-routes.ts';
import { addRequestRoutes } from './request-routes.ts';
import { Streams } from './stream.ts';
import { CookieSessions, isSameSecret } from './token.ts';

export interface WebOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly live: LiveState;
  /** null when the site file is broken: then only the error is shown. */
  readonly campus: CampusView | null;
  readonly siteError: string | null;
}

/** What the routes of a working campus need. */
export interface CampusView {
  readonly site: Site;
  readonly devices: readonly Device[];
  /** Devices whose profile or address is broken, and why. */
  readonly broken: readonly { readonly device: string; readonly message: string }[];
  readonly reader: Reader;
  readonly rpc: RpcClient;
  readonly snapshotFolder: string;
  /** Node-RED's loopback address; null when flows are off. */
  readonly flows: { readonly port: number; readonly header: string; readonly secret: string } | null;
}

export type App = ReturnType<typeof createApp>;

export interface Web extends AsyncDisposable {
  readonly url: string;
}

function createApp() {
  return fastify({
    bodyLimit: 64_000,
    requestTimeout: 30_000,
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>();
}

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Serves people on the campus. Throws HTTP_PORT_TAKEN naming the address and what to set. */
export async function startWeb(options: WebOptions): Promise<Web> {
  const app = createApp();
  const sessions = new CookieSessions(options.clock);
  using cleanup = new DisposableStack();
  const streams = cleanup.use(new Streams(options.live, options.campus?.reader ?? null));
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  addErrorHandler(app, options.log);
  await app.register(fastifySwagger, {
    openapi: {
      info: { title: 'Campus Edge', version: '1', description: 'Times are ms since epoch UTC; units are UCUM codes.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
  });
  app.addHook('onRequest', async (request, reply) => {
    if (!request.url.startsWith('/flows-editor')) reply.header('content-security-policy', policy);
    reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer');
    if (isOpenToAll(request)) return;
    if (request.url.startsWith('/flows-editor')) {
      if (sessions.isOpen(request.headers.cookie) && isSameOrigin(request)) return;
    } else if (isSameSecret(bearerOf(request), options.token)) return;
    await reply
      .code(401)
      .send({ error: 'unauthorized', message: 'send the token of <data>/admin-token as a bearer token' });
  });
  await app.register(async (scope) => {
    const routes = scope.withTypeProvider<ZodTypeProvider>();
    addLiveRoutes(routes, options, streams, sessions);
    if (options.campus !== null) {
      addHistoryRoutes(routes, options.campus);
      addRequestRoutes(routes, options.campus.rpc);
    }
  });
  if (options.campus?.flows) await addFlowsEditor(app, options.campus.flows);
  await app.register(fastifyStatic, { root: join(import.meta.dirname, 'page'), cacheControl: false });
  await listen(app, options.host, options.port);
  const owned = cleanup.move();
  return {
    url: urlOf(app),
    async [Symbol.asyncDispose]() {
      owned.dispose();
      await app.close();
    },
  };
}

/** The page itself holds no data; it asks for the token and then uses the API like anybody else. */
function isOpenToAll(request: FastifyRequest): boolean {
  const path = request.url.split('?')[0] ?? '';
  return (
    path === '/healthz' ||
    !(path.startsWith('/api/') || path.startsWith('/metrics') || path.startsWith('/flows-editor'))
  );
}

function bearerOf(request: FastifyRequest): string {
  return /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

/** Browsers name the origin on every WebSocket and on every writing request: a foreign page gets no ride on the cookie. */
function isSameOrigin(request: FastifyRequest): boolean {
  const { origin, host } = request.headers;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}

function addErrorHandler(app: App, log: Log): void {
  app.setErrorHandler(async (error, request, reply) => {
    if (hasZodFastifySchemaValidationErrors(error)) {
      const message = error.validation
        .map(
          (issue) =>
            `${error.validationContext ?? 'request'}${issue.instancePath.replaceAll('/', '.')}: ${issue.message}`,
        )
        .join('; ');
      return reply.code(400).send({ error: 'bad-request', message });
    }
    if (error instanceof CodedError) {
      const code =
        error.code === 'RPC_AWAY' || error.code === 'TIMEOUT' ? 503 : error.code.endsWith('_NOT_FOUND') ? 404 : 409;
      return reply.code(code).send({ error: error.code.toLowerCase().replaceAll('_', '-'), message: error.message });
    }
    const status = statusOf(error);
    if (status >= 500) log.error({ error, url: request.url }, 'http request failed');
    return reply
      .code(status)
      .send({ error: codeOf(error) || 'failed', message: status >= 500 ? 'internal error' : messageOf(error) });
  });
}

function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : 500;
  return status >= 400 && status < 600 ? status : 500;
}

/** Node-RED listens on loopback only and trusts this header, which nobody else can send: ours replaces what came. */
async function addFlowsEditor(
  app: App,
  flows: { readonly port: number; readonly header: string; readonly secret: string },
): Promise<void> {
  const withSecret = (headers: IncomingHttpHeaders): IncomingHttpHeaders => {
    const { authorization: _a, cookie: _c, ...kept } = headers;
    return { ...kept, [flows.header]: `${flows.secret}:admin` };
  };
  // Its types leave out rewriteRequestHeaders, which is how the editor's own socket gets the secret.
  const wsClientOptions: object = { rewriteRequestHeaders: withSecret };
  await app.register(fastifyHttpProxy, {
    upstream: `http://127.0.0.1:${flows.port}`,
    prefix: '/flows-editor',
    rewritePrefix: '/flows-editor',
    websocket: true,
    replyOptions: { rewriteRequestHeaders: (_request, headers) => withSecret(headers) },
    wsClientOptions,
  });
}

async function listen(app: FastifyInstance | App, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    throw new CodedError(
      'HTTP_PORT_TAKEN',
      `port ${port} on ${host} is taken by another program: set http.port in the site file, or start with --http-port`,
      { cause: error },
    );
  }
}

function urlOf(app: App): string {
  const address = app.server.address();
  if (address === null || typeof address === 'string') return '';
  const host = address.address.includes(':') ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
