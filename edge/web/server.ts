import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import fastifySwagger from '@fastify/swagger';
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Device } from '#edge/domain/device.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import { isSameSecret } from '#edge/runtime/secret.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { Reader } from '#edge/store/reader.ts';
import { addFlowsEditor, type FlowsAddress } from './flows-editor.ts';
import { bearerOf, createGuard, type Identity, refuseRoutesWithoutAccess } from './guard.ts';
import { addHistoryRoutes } from './history-routes.ts';
import type { KnownProfile } from './known-profile.ts';
import type { LiveState } from './live.ts';
import { addLiveRoutes } from './live-routes.ts';
import type { TryView } from './place-schemas.ts';
import { addErrorHandler } from './problems.ts';
import { addRequestRoutes } from './request-routes.ts';
import { addStatusRoutes } from './status-routes.ts';
import { Streams } from './stream.ts';
import type { CertificateView } from './system-schemas.ts';
import { localPrincipal } from './token.ts';

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
  /** The data folder. */
  readonly data: string;
  /** By id. */
  readonly profiles: readonly KnownProfile[];
  /** One reading of a device by its real driver, in a process of its own; up to 20 s. Throws TRY_BUSY, TRY_FAILED. */
  tryProfile(profile: string, address: object, signal: AbortSignal): Promise<TryView>;
  /** What pages are served with; null while there is only plain HTTP on this machine. */
  certificate(): CertificateView | null;
  /** Node-RED's loopback address; null when flows are off. */
  readonly flows: FlowsAddress | null;
}

export type App = ReturnType<typeof createApp>;

export interface Web extends AsyncDisposable {
  readonly url: string;
}

const maxConnections = 1_000;

function createApp() {
  return fastify({
    bodyLimit: 64_000,
    // A whole request within 30 s; a socket on which nothing moves for 60 s (a reader that stopped) is closed.
    requestTimeout: 30_000,
    connectionTimeout: 60_000,
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>();
}

/** Serves people on the campus. Throws HTTP_PORT_TAKEN or HTTP_ADDRESS naming the address and what to set. */
export async function startWeb(options: WebOptions): Promise<Web> {
  const { host, token, campus } = options;
  const app = createApp();
  using cleanup = new DisposableStack();
  const streams = cleanup.use(new Streams({ live: options.live, events: campus?.reader ?? null }));
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  addErrorHandler(app, options.log);
  await app.register(fastifySwagger, { openapi, transform: jsonSchemaTransform });
  refuseRoutesWithoutAccess(app);
  app.decorateRequest('principal', null).decorateRequest('sessionId', null);
  const identify = (request: FastifyRequest): Identity | null =>
    isSameSecret(bearerOf(request) ?? '', token) ? { principal: localPrincipal, session: null } : null;
  app.addHook('onRequest', createGuard({ host, identify, onRefused: () => {} }));
  ownSockets(app);
  await app.register(async (scope) => {
    const routes = scope.withTypeProvider<ZodTypeProvider>();
    addStatusRoutes(routes, options, streams);
    if (campus === null) return;
    addLiveRoutes(routes, campus, options.live);
    addHistoryRoutes(routes, campus);
    addRequestRoutes(routes, campus.rpc);
  });
  if (campus?.flows) await addFlowsEditor(app, campus.flows);
  await app.register(addPage);
  await listen(app, host, options.port);
  const owned = cleanup.move();
  return {
    url: urlOf(app),
    async [Symbol.asyncDispose]() {
      owned.dispose();
      await app.close();
    },
  };
}

const openapi = {
  info: {
    title: 'Campus Edge',
    version: '1',
    description:
      'One campus. Times are ms since epoch UTC; units are UCUM codes; a point is `<device>/<point>`. ' +
      'Every error is `{error, message}`. 503 means that core or its store is away: ask again.',
  },
  components: { securitySchemes: { token: { type: 'http' as const, scheme: 'bearer' } } },
  security: [{ token: [] }],
};

/** The page holds no data; it asks for the token and then uses the API like anybody else. Only files that exist are routes. */
async function addPage(scope: FastifyInstance): Promise<void> {
  await scope.register(fastifyStatic, {
    root: join(import.meta.dirname, 'page'),
    serve: false,
    cacheControl: false,
    setHeaders: (reply) => void reply.header('cache-control', 'no-cache'),
  });
  for (const name of ['', ...readdirSync(join(import.meta.dirname, 'page'))]) {
    scope.get(`/${name}`, { config: { access: 'open' }, schema: { hide: true } }, (_, reply) =>
      reply.sendFile(name === '' ? 'index.html' : name),
    );
  }
}

/**
 * Node stops listening for errors of a socket once it asks for an upgrade, and closing the server forgets it: a browser
 * that vanishes in that moment must not end the process, nor one that stays hold up the end.
 */
function ownSockets(app: App): void {
  const sockets = new Set<Socket>();
  app.server.maxConnections = maxConnections;
  app.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  app.addHook('preClose', async () => {
    for (const socket of sockets) socket.destroySoon();
  });
}

async function listen(app: App, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EADDRINUSE') {
      throw new CodedError(
        'HTTP_PORT_TAKEN',
        `port ${port} on ${host} is taken by another program: set http.port in the site file, or start with --http-port`,
        { cause: error },
      );
    }
    if (!['EADDRNOTAVAIL', 'ENOTFOUND', 'EAFNOSUPPORT', 'EINVAL', 'EACCES'].includes(code)) throw error;
    throw new CodedError('HTTP_ADDRESS', `cannot listen on ${host} port ${port} (${code}): set http in the site file`, {
      cause: error,
    });
  }
}

/** Where a person on this machine opens it: a wildcard address is reached through loopback. */
function urlOf(app: App): string {
  const address = app.server.address();
  if (address === null || typeof address === 'string') return '';
  const local: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const host = local[address.address] ?? address.address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}
