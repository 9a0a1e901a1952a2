import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import fastifyHttpProxy from '@fastify/http-proxy';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CodedError } from '#edge/runtime/errors.ts';
import { principalOf } from './access.ts';
import type { Holder } from './people/people.ts';

/** Where Node-RED listens, and what it believes. */
export interface FlowsAddress {
  readonly port: number;
  readonly header: string;
  readonly secret: string;
}

type SocketRequest = Pick<FastifyRequest, 'principal' | 'sessionId'> & { readonly raw: { readonly socket: Socket } };

/** The editor's WebSockets, which must not outlive the session they were opened with. */
export class EditorSockets {
  readonly #held = new Map<Socket, Holder>();

  hold(holder: Holder, socket: Socket): void {
    this.#held.set(socket, holder);
    socket.on('close', () => this.#held.delete(socket));
  }

  end(isOver: (holder: Holder) => boolean): void {
    for (const [socket, holder] of this.#held) if (isOver(holder)) socket.destroy();
  }
}

/**
 * Node-RED listens on loopback only and trusts one header, `<secret>:<edit|view>:<user>`, which nobody else can send:
 * what a browser sends under that name is replaced, and neither our token nor our cookie goes any further.
 */
export async function addFlowsEditor(app: FastifyInstance, flows: FlowsAddress, sockets: EditorSockets): Promise<void> {
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
    sockets.hold({ who: principalOf(request).who, sessionId: request.sessionId }, request.raw.socket);
    return withSecret(headers, request);
  };
  // Its types leave out rewriteRequestHeaders, which is how the editor's own socket gets the secret.
  const wsClientOptions: object = { rewriteRequestHeaders: openSocket, handshakeTimeout: 5_000 };
  await app.register(fastifyHttpProxy, {
    upstream: `http://127.0.0.1:${flows.port}`,
    prefix: '/flows-editor',
    rewritePrefix: '/flows-editor',
    config: { access: 'flows-view', foreignPage: true },
    websocket: true,
    replyOptions: {
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
