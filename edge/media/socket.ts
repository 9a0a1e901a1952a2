import { randomBytes } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { writeDurably } from '#edge/runtime/durable-file.ts';
import type { Log } from '#edge/runtime/log.ts';
import { isSameSecret } from '#edge/runtime/secret.ts';

/* Where media answers web: HTTP over a unix socket. Whoever has no key of this start is not answered; web alone may read it. */

/** Answers a request whose key is right, or says that it is not its own. What it throws is logged and answered with 500. */
export type MediaHandler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean> | boolean;
/** Takes over a WebSocket, or says that the path is not its own. */
export type MediaSocketHandler = (path: readonly string[], query: URLSearchParams, socket: WebSocket) => boolean;

export interface MediaSocketOptions {
  readonly socketFile: string;
  readonly keyFile: string;
  readonly handlers: readonly MediaHandler[];
  readonly socketHandlers: readonly MediaSocketHandler[];
  readonly log: Log;
}

export const keyHeader = 'x-media-key';
/** A unix socket has no addresses to tell flooding by; web bounds its people itself. */
const mostConnections = 1_024;
/** For the headers of a request, ms. */
const headersTime = 10_000;

/** Listens on the unix socket; both files are made anew. Throws what the file system does not allow. */
export async function openMediaSocket(options: MediaSocketOptions): Promise<AsyncDisposable> {
  const key = randomBytes(32).toString('base64url');
  await writeDurably(options.keyFile, `${key}\n`, 0o600);
  await rm(options.socketFile, { force: true });
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 4_096 });
  const connections = new Set<Socket>();
  const server = createServer((request, response) => void serve(request, response, key, options));
  server.maxConnections = mostConnections;
  server.headersTimeout = headersTime;
  server.on('connection', (connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
  });
  server.on('upgrade', (request, connection: Socket, head: Buffer) => {
    connection.on('error', () => {}); // 'close' follows
    const target = hasKey(request, key) ? targetOf(request) : null;
    if (target === null) return refuseUpgrade(connection, '403 Forbidden');
    sockets.handleUpgrade(request, connection, head, (socket) => {
      socket.on('error', () => socket.terminate()); // what is no frame; 'close' follows
      const isTaken = options.socketHandlers.some((handler) => handler(target.path, target.query, socket));
      if (!isTaken) socket.close(4004, 'there is no such stream');
    });
  });
  await listen(server, options.socketFile);
  await chmod(options.socketFile, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      for (const connection of connections) connection.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(options.socketFile, { force: true });
    },
  };
}

function listen(server: Server, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(file, resolve);
  });
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  key: string,
  { handlers, log }: MediaSocketOptions,
): Promise<void> {
  const answer = (status: number, error: string, message: string): void => {
    if (response.headersSent) return void response.destroy();
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error, message }));
  };
  if (!hasKey(request, key)) return answer(403, 'FORBIDDEN', 'the key is not that of this start');
  try {
    for (const handler of handlers) if (await handler(request, response)) return;
    answer(404, 'NOT_FOUND', 'there is no such thing');
  } catch (error) {
    if (response.destroyed) return;
    log.error({ error, path: request.url?.split('?')[0] }, 'a question of web could not be answered');
    answer(500, 'INTERNAL', 'it failed');
  }
}

function hasKey(request: IncomingMessage, key: string): boolean {
  const given = request.headers[keyHeader];
  return typeof given === 'string' && isSameSecret(given, key);
}

function targetOf(request: IncomingMessage): { path: readonly string[]; query: URLSearchParams } | null {
  try {
    const url = new URL(request.url ?? '/', 'http://media');
    return {
      path: url.pathname
        .split('/')
        .filter((part) => part !== '')
        .map(decodeURIComponent),
      query: url.searchParams,
    };
  } catch {
    return null;
  }
}

function refuseUpgrade(connection: Socket, status: string): void {
  connection.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
