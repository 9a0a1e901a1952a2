import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { streamRoles } from '#edge/domain/camera.ts';
import { slugPattern } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { actorOf, principalOf } from './access.ts';
import type { Held } from './held.ts';
import { LiveViews } from './live-view.ts';
import { LiveLooks } from './live-view-looks.ts';
import { problems } from './schemas.ts';
import { createScopes } from './scope.ts';
import type { App, CampusView } from './server.ts';

interface Clocked {
  readonly clock: Clock;
  readonly log: Log;
}

/** Requests that ask for a WebSocket, and what came behind their headers. */
const heads = new WeakMap<IncomingMessage, Buffer>();
/** What came behind the headers of a request that asks for a WebSocket; undefined: it does not. */
export const upgradeHead = (request: IncomingMessage): Buffer | undefined => heads.get(request);
const editorPath = '/flows-editor';

const query = z.object({
  role: z.enum(streamRoles).default('sub'),
  /** What the browser can show: `avc1`, `hvc1`. */
  codecs: z
    .string()
    .regex(/^[a-z0-9]{4}(,[a-z0-9]{4}){0,7}$/, 'must be names of codecs, such as avc1,hvc1')
    .default('avc1'),
});

/**
 * `GET /api/v1/cameras/:id/live` as a WebSocket. Text frames are `LiveMessage` of media/live.ts, binary frames an init and then fragments, or
 * JPEG files. The guard has judged the request like every other; the socket ends with the session.
 */
export function addLiveViewRoutes(app: App, campus: CampusView, held: Held, { clock, log }: Clocked): Disposable {
  const { site, devices, rpc, data } = campus;
  const scopeOf = createScopes(site.devices);
  const cameras = new Set<string>(devices.filter(({ protocol }) => protocol === 'onvif').map(({ id }) => id));
  const stack = new DisposableStack();
  const views = stack.use(new LiveViews(data));
  const looks = stack.use(new LiveLooks(rpc, clock, log));
  // Video does not get smaller by compressing it again.
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 4_096 });

  app.get(
    '/api/v1/cameras/:id/live',
    {
      config: { access: 'live', webSocket: true },
      schema: {
        tags: ['cameras'],
        summary: 'A camera live, as a WebSocket: H.264 as it is, H.265 as it is or recoded, or a picture a second',
        description:
          'Text frames: {kind: stream | state | skipped, ...}. Binary frames: an init segment after each `stream`, then fragments of ' +
          'MP4 (or JPEG files). Where the camera has masks they are burnt in, unless one has the right `unmasked`. ' +
          '400 without an upgrade; 503 when too many are open. One line of the audit per person and camera.',
        params: z.object({ id: z.string().regex(slugPattern) }),
        querystring: query,
        response: problems(400, 404, 503),
      },
    },
    (request, reply) => {
      const { id } = request.params;
      const { role, codecs } = request.query;
      if (!cameras.has(id) || !scopeOf(principalOf(request)).seesDevice(id)) {
        throw new CodedError('CAMERA_NOT_FOUND', `there is no camera "${id}"`);
      }
      const head = heads.get(request.raw);
      if (head === undefined) {
        throw new CodedError('BAD_UPGRADE', 'a camera is watched live over a WebSocket: ask for an upgrade');
      }
      const isUnmasked = principalOf(request).rights.has('unmasked');
      const holder = { who: principalOf(request).who, sessionId: request.sessionId };
      views.admit(holder);
      const actor = actorOf(request);
      const { socket } = request.raw;
      reply.hijack();
      // The line of pages closes what is silent for a minute; a viewer says nothing.
      socket.setTimeout(0);
      sockets.handleUpgrade(request.raw, socket, head, (browser) => {
        const look = looks.begin(actor, id, role);
        browser.once('close', () => look[Symbol.dispose]());
        held.hold(holder, socket);
        views.serve(browser, { camera: id, role, codecs, isUnmasked, holder });
      });
    },
  );
  return stack;
}

/**
 * Hands requests for a WebSocket to the router, so that the guard judges them like all others. To be called after the flow editor has
 * added its own listener, which then keeps to its own path.
 */
export function routeUpgrades(app: App): void {
  const hasEditor = app.server.listenerCount('upgrade') > 0;
  app.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const path = request.url?.split('?')[0] ?? '';
    if (hasEditor && (path === editorPath || path.startsWith(`${editorPath}/`))) return;
    heads.set(request, head);
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    // Only what is refused is answered this way.
    response.on('finish', () => socket.destroySoon());
    app.routing(request, response);
  });
}
