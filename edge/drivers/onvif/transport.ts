import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { socketTrouble, Trouble } from './trouble.ts';

/** The one place a camera is spoken to. Whatever a camera says about addresses, only this endpoint is dialled. */
export interface Endpoint {
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** TLS when present; with a fingerprint the certificate is pinned, without it the system's authorities decide. */
  readonly tls?: { readonly fingerprint?: string | undefined } | undefined;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly path: string;
  /** Only for pictures served beside ONVIF, from the site file. */
  readonly port?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Total time for the answer, ms. */
  readonly timeout: number;
  /** Largest body accepted, bytes. */
  readonly cap: number;
  readonly signal: AbortSignal;
  /** What was asked, for messages. */
  readonly what: string;
}

export interface HttpReply {
  readonly status: number;
  readonly type: string;
  /** Every WWW-Authenticate line as it came. */
  readonly challenges: readonly string[];
  readonly body: Buffer;
}

export function endpointName(endpoint: Endpoint): string {
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${host}:${endpoint.port}`;
}

/** As `openssl x509 -fingerprint -sha256` prints it; '' when no certificate was shown. */
export function fingerprintOf(socket: tls.TLSSocket): string {
  return socket.getPeerCertificate().fingerprint256 ?? '';
}

/** Pins before a single byte of HTTP is written. `over`: a handshake that hangs is nobody's until then, and would stay for ever. */
function pinnedAgent(fingerprint: string, over: AbortSignal): https.Agent {
  const agent = new https.Agent({ keepAlive: false });
  agent.createConnection = (options, callback) => {
    const { servername, ...rest } = options as tls.ConnectionOptions;
    const named = servername === undefined || servername === '' ? {} : { servername };
    const socket = tls.connect({ ...rest, ...named, rejectUnauthorized: false });
    const end = () => void socket.destroy();
    over.addEventListener('abort', end, { once: true });
    socket.once('close', () => over.removeEventListener('abort', end));
    socket.once('secureConnect', () => {
      const found = fingerprintOf(socket);
      if (found.toUpperCase() === fingerprint.toUpperCase()) return callback?.(null, socket);
      socket.destroy();
      callback?.(new Trouble('tls', `camera shows another certificate than the pinned one (${found})`), socket);
    });
    socket.once('error', (error) => callback?.(error, socket));
    return undefined;
  };
  return agent;
}

/**
 * One HTTP exchange on its own connection (cameras are poor at keep-alive), bounded in time and size.
 * @throws Trouble unreachable, closed, timeout, tls, too-large, aborted
 */
export function exchange(endpoint: Endpoint, request: HttpRequest): Promise<HttpReply> {
  const where = endpointName(endpoint);
  const { promise, resolve, reject } = Promise.withResolvers<HttpReply>();
  const body = request.body === undefined ? undefined : Buffer.from(request.body, 'utf8');
  const options: https.RequestOptions = {
    host: endpoint.host,
    port: request.port ?? endpoint.port,
    path: request.path,
    method: request.method,
    headers: { ...request.headers, connection: 'close', ...(body ? { 'content-length': body.length } : {}) },
    maxHeaderSize: 32_768,
  };
  const fingerprint = endpoint.tls?.fingerprint;
  const over = new AbortController();
  if (fingerprint !== undefined) options.agent = pinnedAgent(fingerprint, over.signal);
  else options.agent = false;
  const outgoing = (endpoint.tls === undefined ? http : https).request(options);

  const fail = (trouble: Trouble) => {
    reject(trouble);
    outgoing.destroy();
  };
  const onAbort = () => fail(new Trouble('aborted', `${request.what} was cancelled`));
  const seconds = Math.max(1, Math.round(request.timeout / 1000));
  const timer = setTimeout(() => {
    fail(new Trouble('timeout', `camera ${where} did not answer ${request.what} within ${seconds} s`));
  }, request.timeout);
  if (request.signal.aborted) onAbort();
  else request.signal.addEventListener('abort', onAbort, { once: true });

  outgoing.on('error', (error) => reject(socketTrouble(error, where)));
  outgoing.on('response', (incoming) => {
    const chunks: Buffer[] = [];
    let length = 0;
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= request.cap) chunks.push(chunk);
      else
        fail(new Trouble('too-large', `camera ${where} answers ${request.what} with more than ${request.cap} bytes`));
    });
    incoming.on('error', (error) => reject(socketTrouble(error, where)));
    incoming.on('end', () => {
      const challenges: string[] = [];
      for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
        if (incoming.rawHeaders[i]?.toLowerCase() === 'www-authenticate')
          challenges.push(incoming.rawHeaders[i + 1] ?? '');
      }
      const type = incoming.headers['content-type'] ?? '';
      resolve({ status: incoming.statusCode ?? 0, type, challenges, body: Buffer.concat(chunks) });
    });
  });
  outgoing.end(body);

  return promise.finally(() => {
    over.abort();
    clearTimeout(timer);
    request.signal.removeEventListener('abort', onAbort);
  });
}
