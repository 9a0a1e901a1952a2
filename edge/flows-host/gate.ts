import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import RED from 'node-red';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import { controlRoot, type createControl } from './control.ts';
import { type EditorUser, editorRoot, tokenHeader, type tokenReader } from './settings.ts';

/** Nothing of Node-RED, not even its static files, is seen without the token; the editor's own check comes after. */
export function gate(
  readToken: ReturnType<typeof tokenReader>,
  inner: Server,
  control: ReturnType<typeof createControl>,
): Server {
  const userOf = (request: IncomingMessage): EditorUser | null => {
    const header = request.headers[tokenHeader];
    return readToken(typeof header === 'string' ? header : undefined);
  };
  const isAllowed = (request: IncomingMessage) => userOf(request) !== null;
  const refuse = (response: ServerResponse, status: number, error: string) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
  };
  const server = createServer((request, response) => {
    const user = userOf(request);
    if (user === null) return refuse(response, 401, `${tokenHeader} is missing or wrong`);
    const url = request.url ?? '/';
    if (url.startsWith(`${controlRoot}/`)) return void control(request, response, user);
    const rest = url.slice(editorRoot.length);
    if (!url.startsWith(editorRoot) || !/^([/?]|$)/.test(rest))
      return refuse(response, 404, `only ${editorRoot} is here`);
    // What Express does for an application that is mounted below a path.
    const mounted = Object.assign(request, { originalUrl: url, baseUrl: editorRoot });
    mounted.url = rest.startsWith('/') ? rest : `/${rest}`;
    RED.httpAdmin(mounted, response);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (isAllowed(request) && request.url?.split('?')[0] === `${editorRoot}/comms`) {
      inner.emit('upgrade', request, socket, head);
    } else {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n');
    }
  });
  return server;
}

/** The port on which all of them listen. */
export async function listenAll(
  create: () => Server,
  hosts: readonly string[],
  port: number,
  stack: AsyncDisposableStack,
): Promise<number> {
  let taken = port;
  let missing: unknown = null;
  let count = 0;
  for (const host of hosts) {
    try {
      const server = await listen(create(), host, taken);
      stack.defer(() => closeServer(server));
      const address = server.address();
      if (typeof address === 'object' && address !== null) taken = address.port;
      count++;
    } catch (error) {
      if (codeOf(error) !== 'FLOWS_HOST_MISSING') throw error;
      missing = error;
    }
  }
  if (count === 0) throw missing;
  return taken;
}

async function listen(server: Server, host: string, port: number): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (cause) => {
    const isMissing = ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(cause));
    const what = `the flow editor cannot listen on ${host} port ${port} (flows.port in the site file): ${cause.message}`;
    reject(new CodedError(isMissing ? 'FLOWS_HOST_MISSING' : 'FLOWS_PORT_TAKEN', what, { cause }));
  });
  server.listen(port, host, resolve);
  await promise;
  return server;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
