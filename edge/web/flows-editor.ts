import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import fastifyHttpProxy from '@fastify/http-proxy';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import { principalOf } from './access.ts';
import { audit } from './documents.ts';
import type { Held } from './held.ts';

/** Where Node-RED listens, and what it believes. */
export interface FlowsAddress {
  readonly port: number;
  readonly header: string;
  readonly secret: string;
  /** What it shows us when it asks what was. */
  readonly guestToken?: string;
}

type SocketRequest = Pick<FastifyRequest, 'principal' | 'sessionId'> & { readonly raw: { readonly socket: Socket } };

const root = '/flows-editor';
/** What of Node-RED's answer reaches a browser. The rest would be its word in our name: cookies, policies, how far a worker reaches. */
const passedOn = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'content-language',
  'content-disposition',
  'transfer-encoding',
  'cache-control',
  'expires',
  'etag',
  'last-modified',
  'vary',
  'date',
]);

/**
 * Node-RED listens on loopback only and trusts one header, `<secret>:<edit|view>:<user>`, which nobody else can send:
 * what a browser sends under that name is replaced, and neither our token nor our cookie goes any further.
 */
export async function addFlowsEditor(
  app: FastifyInstance,
  flows: FlowsAddress,
  held: Held,
  rpc: RpcClient,
): Promise<void> {
  const withSecret = (
    headers: IncomingHttpHeaders,
    request: Pick<FastifyRequest, 'principal'>,
  ): IncomingHttpHeaders => {
    const { authorization: _a, cookie: _c, ...kept } = headers;
    const { role, id, who, rights } = principalOf(request);
    const user = role === null ? who : id;
    return { ...kept, [flows.header]: `${flows.secret}:${rights.has('flows-edit') ? 'edit' : 'view'}:${user}` };
  };
  const openSocket = (headers: IncomingHttpHeaders, request: SocketRequest): IncomingHttpHeaders => {
    held.hold({ who: principalOf(request).who, sessionId: request.sessionId }, request.raw.socket);
    return withSecret(headers, request);
  };
  // Its types leave out rewriteRequestHeaders, which is how the editor's own socket gets the secret.
  const wsClientOptions: object = { rewriteRequestHeaders: openSocket, handshakeTimeout: 5_000 };
  await app.register(fastifyHttpProxy, {
    upstream: `http://127.0.0.1:${flows.port}`,
    prefix: root,
    rewritePrefix: root,
    config: { access: 'flows-view', foreignPage: root, wholeCampus: true },
    preHandler: async (request) => {
      requireNamedHost(request);
      await auditDeed(rpc, request);
    },
    websocket: true,
    replyOptions: {
      rewriteHeaders,
      rewriteRequestHeaders: (request, headers) => withSecret(headers, request),
      timeout: 20_000,
      onError: (reply, { error }) =>
        void reply.send(
          new CodedError('FLOWS_AWAY', 'the flows do not answer: they are started again', { cause: error }),
        ),
    },
    wsServerOptions: { maxPayload: 1_000_000 },
    wsClientOptions,
  });
}

/** A policy names hosts, and an IPv6 address cannot stand in one: nothing would keep the editor shut in. */
function requireNamedHost({ headers, sessionId }: Pick<FastifyRequest, 'headers' | 'sessionId'>): void {
  if (sessionId === null || headers.host?.startsWith('[') !== true) return;
  throw new CodedError(
    'FLOWS_NEED_NAME',
    'open the console by a name (localhost) or an IPv4 address: browsers cannot keep the flow editor apart at an IPv6 address',
  );
}

/** How the editor keeps what one likes (which tabs are open), over and over: nobody's business. */
const settings = `${root}/settings/user`;

/** Written before Node-RED hears of it, and by us: what it says itself is said by whatever people write in flows. */
async function auditDeed(rpc: RpcClient, request: FastifyRequest): Promise<void> {
  if (['GET', 'HEAD', 'OPTIONS'].includes(request.method) || !principalOf(request).rights.has('flows-edit')) return;
  const [path = ''] = request.url.split('?');
  if (path.toLowerCase() === settings) return;
  const isDeploy = /^\/flows-editor\/flows?(\/|$)/i.test(path);
  const what = isDeploy ? 'flows.deploy' : `flows.change ${request.method} ${path.slice(root.length)}`;
  await audit(rpc, request, { what, result: 'begun' });
}

/** A redirect leads to the editor itself: policies of browsers do not look at the path of where one leads. */
function rewriteHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const kept = Object.entries(headers).filter(([name]) => passedOn.has(name));
  const { location = '' } = headers;
  const isWithin = /^\/flows-editor(\/(?!.*(\.\.|%2e|\\))|[?#]|$)/i.test(location);
  return Object.fromEntries(isWithin ? [...kept, ['location', location]] : kept);
}
