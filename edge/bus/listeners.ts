import { createServer as createHttpServer, Server as HttpServer } from 'node:http';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Pki } from '#edge/runtime/pki.ts';
import { modernTls } from '#edge/runtime/pki-tls.ts';
import { type CertificateClaim, noCertificate } from './device-certificates.ts';

/** Dead peers that never said goodbye are found by TCP itself, ms. */
const tcpKeepAlive = 60_000;
const backlog = 1_024;
const portAttempts = 5;

export interface Listener extends AsyncDisposable {
  /** The same on every host. */
  readonly port: number;
}

/** False = it was refused, and the socket is destroyed. */
export type Admit = (socket: Socket) => boolean;
export type Transport = 'tcp' | 'websocket' | 'tls';
export type Accept = (stream: Duplex, address: string, transport: Transport, claim: CertificateClaim) => void;

interface ListenOptions {
  readonly hosts: readonly string[];
  readonly port: number;
  /** The key of the site file that sets the port. */
  readonly siteKey: string;
  readonly log: Log;
}

// Half open: what a client sent before it closed its side is still dealt with, and answered.
const tcpOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: tcpKeepAlive, allowHalfOpen: true };

export function listenTcp(options: ListenOptions, admit: Admit, accept: Accept): Promise<Listener> {
  return listenEverywhere(options, () =>
    createServer(tcpOptions, (socket) => {
      if (admit(socket)) accept(socket, socket.remoteAddress ?? '', 'tcp', noCertificate);
    }),
  );
}

export interface TlsListenOptions extends ListenOptions {
  readonly pki: Pki;
  readonly wantsCertificate: boolean;
  /** ms */
  readonly handshakeTimeout: number;
  readonly claimOf: (socket: TLSSocket, address: string) => Promise<CertificateClaim>;
  readonly onHandshakeFailed: (error: Error, address: string) => void;
}

/**
 * MQTT over TLS. A socket is admitted before a byte of its handshake is read, as on the other listeners; what a client
 * sends behind its handshake waits in its socket until its certificate is looked up.
 */
export async function listenTls(options: TlsListenOptions, admit: Admit, accept: Accept): Promise<Listener> {
  const { pki, wantsCertificate, handshakeTimeout, claimOf, onHandshakeFailed } = options;
  const context = () => ({ ...modernTls, cert: pki.server.cert, key: pki.server.key, ca: pki.authority });
  // Every certificate gets as far as CONNECT, where it is refused in words that the client and the log understand.
  const handshakes = createTlsServer(
    { ...context(), requestCert: wantsCertificate, rejectUnauthorized: false, handshakeTimeout },
    (socket) => {
      const address = socket.remoteAddress ?? '';
      socket.on('error', () => socket.destroy());
      void claimOf(socket, address).then((claim) => {
        if (!socket.destroyed) accept(socket, address, 'tls', claim);
      });
    },
  );
  handshakes.on('tlsClientError', (error, socket) => {
    onHandshakeFailed(error, socket.remoteAddress ?? '');
    socket.destroy();
  });
  const renewal = pki.onChange(() => handshakes.setSecureContext(context()));
  try {
    const listener = await listenEverywhere(options, () =>
      createServer(tcpOptions, (socket) => {
        if (admit(socket)) handshakes.emit('connection', socket);
      }),
    );
    return {
      port: listener.port,
      async [Symbol.asyncDispose]() {
        renewal[Symbol.dispose]();
        await listener[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    renewal[Symbol.dispose]();
    throw error;
  }
}

/** MQTT over WebSocket (MQTT 3.1.1 section 6): subprotocol `mqtt`, binary frames. */
export function listenWebSocket(
  options: ListenOptions & { readonly packetBytes: number; readonly connectTimeout: number },
  admit: Admit,
  accept: Accept,
): Promise<Listener> {
  const { packetBytes, connectTimeout, log } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: packetBytes + 64 * 1024, // a frame may carry the end of one packet and some more
    handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : offered.has('mqttv3.1') ? 'mqttv3.1' : false),
  });
  return listenEverywhere(options, () => {
    const server = createHttpServer(
      { noDelay: true, keepAlive: true, headersTimeout: connectTimeout, connectionsCheckingInterval: 1_000 },
      (_request, response) => {
        response.writeHead(426, { 'content-type': 'text/plain', connection: 'close', upgrade: 'websocket' });
        response.end('This port speaks MQTT over WebSocket (subprotocol mqtt).\n');
      },
    );
    server.on('connection', (socket) => void admit(socket));
    server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      if (!/(^|[\s,])mqtt(v3\.1)?($|[\s,])/.test(request.headers['sec-websocket-protocol'] ?? '')) {
        socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\nthe subprotocol must be mqtt\n');
        return;
      }
      sockets.handleUpgrade(request, socket, head, (websocket) => {
        websocket.on('message', (_data, isBinary) => {
          if (!isBinary) websocket.close(1003, 'MQTT is binary'); // MQTT-6.0.0-1
        });
        const stream = createWebSocketStream(websocket, { allowHalfOpen: true });
        accept(stream, request.socket.remoteAddress ?? '', 'websocket', noCertificate);
      });
    });
    server.on('clientError', (error, socket) => {
      log.debug({ error }, 'websocket client sent no HTTP');
      socket.destroy();
    });
    return server;
  });
}

async function listenEverywhere(options: ListenOptions, create: () => Server): Promise<Listener> {
  // `::` takes IPv4 too, and would collide with any other host.
  const hosts = options.hosts.includes('::') ? ['::'] : [...new Set(options.hosts)];
  for (let attempt = 1; ; attempt++) {
    const servers: Server[] = [];
    try {
      const port = await listenOnAll(hosts, options, create, servers);
      return { port, [Symbol.asyncDispose]: () => closeAll(servers) };
    } catch (error) {
      await closeAll(servers);
      // A port that the system chose on one address may be taken on the next.
      const isBadLuck = options.port === 0 && codeOf(error) === 'BROKER_PORT_TAKEN';
      if (!isBadLuck || attempt >= portAttempts) throw error;
    }
  }
}

async function listenOnAll(
  hosts: readonly string[],
  options: ListenOptions,
  create: () => Server,
  servers: Server[],
): Promise<number> {
  const missing: string[] = [];
  let port = options.port;
  for (const host of hosts) {
    const server = create();
    try {
      port = await listen(server, host, port, options.siteKey);
      servers.push(server);
    } catch (error) {
      if (codeOf(error) !== 'BROKER_HOST_MISSING') throw error;
      missing.push(messageOf(error));
    }
  }
  if (servers.length === 0) throw new CodedError('BROKER_HOST_MISSING', missing.join('; '));
  // ::1 on a machine without IPv6 is no reason not to start.
  if (missing.length > 0) options.log.warn({ missing }, 'some addresses cannot be listened on');
  return port;
}

function listen(server: Server, host: string, port: number, siteKey: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(describeListenError(error, host, port, siteKey)));
    server.listen({ host, port, backlog, ipv6Only: host !== '::' && host.includes(':') }, () => {
      server.removeAllListeners('error');
      server.on('error', () => {}); // accept errors (EMFILE) are not ours to die of: the next accept tries again
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function describeListenError(error: Error, host: string, port: number, siteKey: string): CodedError {
  const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  switch (codeOf(error)) {
    case 'EADDRINUSE': {
      const message = `${where} is taken by another program; set ${siteKey} in the site file to a free port`;
      return new CodedError('BROKER_PORT_TAKEN', message, { cause: error });
    }
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'ENOTFOUND': {
      const message = `${host} is not an address of this machine; set mqtt.hosts in the site file`;
      return new CodedError('BROKER_HOST_MISSING', message, { cause: error });
    }
    default:
      return new CodedError('BROKER_LISTEN_FAILED', `cannot listen on ${where}: ${error.message}`, { cause: error });
  }
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  for (const server of servers) {
    server.close(); // MQTT connections are ended by the broker
    if (server instanceof HttpServer) server.closeAllConnections();
  }
}
