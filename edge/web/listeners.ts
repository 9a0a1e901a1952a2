import { createServer, type Server } from 'node:https';
import type { Server as NetServer, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Admission, type AdmissionRefusal } from '#edge/bus/admission.ts';
import { type BrokerLimits, defaultLimits } from '#edge/bus/limits.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Pki } from '#edge/runtime/pki.ts';
import { modernTls } from '#edge/runtime/pki-tls.ts';
import type { App } from './server.ts';

/*
 * Where the pages are reached: plain HTTP for this machine, HTTPS for everybody else. One application answers on all
 * of them; what is encrypted is decrypted here and handed to the same router and the same upgrade listeners.
 */

export interface HttpsLine {
  readonly hosts: readonly string[];
  /** 0 takes a free one. */
  readonly port: number;
  readonly pki: Pki;
}

export interface LineOptions {
  /** Plain HTTP: loopback only, which the site file sees to. */
  readonly host: string;
  readonly port: number;
  readonly https: HttpsLine | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the encrypted lines: connections, and the time for a handshake. */
  readonly limits?: Partial<BrokerLimits>;
}

export interface Lines {
  /** Where a person on this machine opens the page. */
  readonly url: string;
  /** Where others do; null: nowhere. */
  readonly httpsUrl: string | null;
}

const maxConnections = 1_000;
/** One neighbour cannot take all connections: 256 is forty browsers behind one address. */
const defaults: BrokerLimits = {
  ...defaultLimits,
  connectTimeout: 10_000, // for a handshake, ms
  connections: maxConnections,
  connectionsFromLoopback: maxConnections,
  connectionsPerAddress: 256,
  connectBurst: 256,
  connectsPerSecond: 64,
};
/** Half a year, RFC 6797. Only with a certificate that others vouch for: ours may be made anew one day. */
const strictTransport = 'max-age=15552000';

/**
 * Starts listening; call it after every route is registered. Throws HTTP_PORT_TAKEN, HTTP_ADDRESS, HTTPS_PORT_TAKEN or
 * HTTPS_ADDRESS naming the address and what to set. Closing the app closes every line.
 */
export async function openLines(app: App, options: LineOptions): Promise<Lines> {
  const { host, port, https } = options;
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  const renewals = new DisposableStack();
  app.server.maxConnections = maxConnections;
  own(app.server, 'connection', sockets);
  app.addHook('preClose', async () => {
    renewals.dispose();
    for (const server of servers) server.close();
    for (const socket of sockets) socket.destroySoon();
    for (const server of servers) server.closeAllConnections();
  });
  await listenPlain(app, host, port);
  if (https === null) return { url: urlOf('http', host, portOf(app.server)), httpsUrl: null };
  const limits = { ...defaults, ...options.limits };
  const admission = new Admission(limits, options.clock);
  const create = () => {
    const server = createLine(app, https.pki, limits.connectTimeout);
    guardHandshakes(server, admission, options.log);
    own(server, 'secureConnection', sockets);
    return server;
  };
  try {
    servers.push(...(await listenEncrypted(https, create, options.log)));
  } catch (error) {
    await app.close();
    throw error;
  }
  renewals.use(
    https.pki.onChange(() => {
      for (const server of servers) server.setSecureContext(contextOf(https.pki));
    }),
  );
  const [first] = servers;
  const reached = reachableHost(https.hosts);
  return {
    url: urlOf('http', host, portOf(app.server)),
    httpsUrl: first ? urlOf('https', reached, portOf(first)) : null,
  };
}

/**
 * Node stops listening for errors of a socket once it asks for an upgrade, and closing the server forgets it: a browser
 * that vanishes in that moment must not end the process, nor one that stays hold up the end.
 */
function own(server: NetServer, event: 'connection' | 'secureConnection', sockets: Set<Socket>): void {
  server.on(event, (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
}

const contextOf = (pki: Pki) => ({ ...modernTls, cert: pki.pages.cert, key: pki.pages.key });

function createLine(app: App, pki: Pki, handshakeTimeout: number): Server {
  const { requestTimeout, keepAliveTimeout, timeout } = app.server;
  // Node takes no headersTimeout above a requestTimeout, and 0 as none.
  const headersTimeout = requestTimeout === 0 ? app.server.headersTimeout : requestTimeout;
  const timeouts = { requestTimeout, headersTimeout, keepAliveTimeout, handshakeTimeout };
  const options = { ...contextOf(pki), ...timeouts, ALPNProtocols: ['http/1.1'], noDelay: true, keepAlive: true };
  const server = createServer(options, (request, response) => {
    if (!pki.pages.selfSigned) response.setHeader('strict-transport-security', strictTransport);
    app.routing(request, response);
  });
  server.setTimeout(timeout);
  if (app.server.listenerCount('upgrade') > 0) {
    server.on('upgrade', (request, socket, head) => app.server.emit('upgrade', request, socket, head));
  }
  server.on('clientError', (error, socket) => {
    // What is not HTTP is answered like on the plain line; a handshake that failed has nobody to answer to.
    if (codeOf(error).startsWith('HPE_')) app.server.emit('clientError', error, socket);
    else socket.destroy();
  });
  return server;
}

/** Who may have a connection is decided before the first byte of a handshake is read: it is the handshake that costs. */
function guardHandshakes(server: Server, admission: Admission, log: Log): void {
  const begin = server.listeners('connection');
  server.removeAllListeners('connection');
  let refused: AdmissionRefusal | null = null;
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const reason = admission.admit(address);
    if (reason !== refused && reason !== null) log.warn({ reason, address }, 'connections to the pages are refused');
    refused = reason;
    if (reason !== null) return void socket.destroy();
    socket.on('error', () => socket.destroy());
    socket.once('close', () => admission.release(address));
    for (const listener of begin) listener.call(server, socket);
  });
}

async function listenPlain(app: App, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw explained(error, { host, port, section: 'http', option: '--http-port' });
  }
}

async function listenEncrypted({ hosts, port }: HttpsLine, create: () => Server, log: Log): Promise<Server[]> {
  // `::` takes IPv4 too, and would collide with any other host.
  const wanted = hosts.includes('::') ? ['::'] : [...new Set(hosts)];
  const servers: Server[] = [];
  const missing: string[] = [];
  let taken = port;
  for (const host of wanted) {
    const server = create();
    try {
      await listen(server, host, taken);
      taken = portOf(server);
      servers.push(server);
    } catch (error) {
      const problem = explained(error, {
        host,
        port: taken,
        section: 'https',
        option: '--http-port (HTTPS is the port after it)',
      });
      if (codeOf(problem) === 'HTTPS_ADDRESS') missing.push(messageOf(problem));
      else {
        for (const open of servers) open.close();
        throw problem;
      }
    }
  }
  if (servers.length === 0) throw new CodedError('HTTPS_ADDRESS', missing.join('; '));
  // ::1 on a machine without IPv6 is no reason not to start.
  if (missing.length > 0) log.warn({ missing }, 'some addresses cannot be listened on');
  return servers;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: host !== '::' && host.includes(':') }, () => {
      server.removeListener('error', reject);
      server.on('error', () => {}); // accept errors (EMFILE) are not ours to die of: the next accept tries again
      resolve();
    });
  });
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly section: 'http' | 'https';
  readonly option: string;
}

function explained(error: unknown, { host, port, section, option }: Place): unknown {
  const code = codeOf(error);
  if (code === 'EADDRINUSE') {
    const what = `port ${port} on ${host} is taken by another program: set ${section}.port in the site file, or start with ${option}`;
    return new CodedError(`${section.toUpperCase()}_PORT_TAKEN`, what, { cause: error });
  }
  if (!['EADDRNOTAVAIL', 'ENOTFOUND', 'EAFNOSUPPORT', 'EINVAL', 'EACCES'].includes(code)) return error;
  const what = `cannot listen on ${host} port ${port} (${code}): set ${section} in the site file`;
  return new CodedError(`${section.toUpperCase()}_ADDRESS`, what, { cause: error });
}

function portOf(server: { address(): ReturnType<Server['address']> }): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function urlOf(scheme: string, host: string, port: number): string {
  const local: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const name = local[host] ?? host;
  return `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** What a person on the network would type: for a wildcard, an address that this machine has there. */
function reachableHost(hosts: readonly string[]): string {
  const [first = '127.0.0.1'] = hosts.filter((host) => host !== '127.0.0.1' && host !== '::1').concat(hosts);
  if (first !== '::' && first !== '0.0.0.0') return first;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = addresses.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  return (outside.find(({ family }) => family === 'IPv4') ?? outside[0])?.address ?? first;
}
