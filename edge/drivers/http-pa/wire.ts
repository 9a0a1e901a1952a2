import { type IncomingMessage, request as plain, type RequestOptions } from 'node:http';
import { Agent, request as secure } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';

/** More of an answer is not read: it is torn. */
const longestAnswer = 65_536;
/** A paced body goes in parts of so many bytes. */
const partBytes = 8_192;

export interface Trust {
  readonly ca?: string | undefined;
  /** SHA-256 of the one certificate that is believed, whoever signed it. */
  readonly fingerprint?: string | undefined;
}

export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
  readonly signal: AbortSignal;
  /** Bytes in a second at the most; absent: as fast as it goes. */
  readonly rate?: number | undefined;
}

export interface WireAnswer {
  readonly status: number;
  readonly text: string;
  readonly type: string;
  /** Where it would send us, without what stands behind the host. */
  readonly elsewhere: string;
  readonly challenges: readonly string[];
}

/** Throws PA_SILENT (it may have heard), PA_UNREACHED and PA_TLS (it has not). Redirects are never followed. */
export function exchange(base: string, trust: Trust, request: WireRequest): Promise<WireAnswer> {
  const { method, path, body, signal } = request;
  const url = new URL(path, base);
  const done = Promise.withResolvers<WireAnswer>();
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const isSecure = url.protocol === 'https:';
  const over = new AbortController();
  const options: RequestOptions & { ca?: string } = {
    ...{ method, signal, agent: false },
    headers: { ...request.headers, ...(bytes !== undefined && { 'content-length': bytes.length }) },
    ...(isSecure && trust.ca !== undefined && { ca: trust.ca }),
  };
  if (isSecure && trust.fingerprint !== undefined) options.agent = pinned(trust.fingerprint, over.signal);
  const sent = (isSecure ? secure : plain)(url, options, (message) => {
    const parts: Buffer[] = [];
    let length = 0;
    message.on('data', (part: Buffer) => {
      length += part.length;
      if (length > longestAnswer) message.destroy(new Error('its answer is too long'));
      else parts.push(part);
    });
    message.on('error', (error) => done.reject(new CodedError('PA_SILENT', wordsOf(error, signal), { cause: error })));
    message.on('end', () => done.resolve(answerOf(message, Buffer.concat(parts).toString('utf8'), url)));
  });
  sent.on('error', (error) => done.reject(faultOf(error, signal)));
  if (bytes === undefined || request.rate === undefined) sent.end(bytes);
  else void pace(sent, bytes, request.rate, signal);
  return done.promise.finally(() => over.abort());
}

function wordsOf(error: Error, signal: AbortSignal): string {
  return signal.aborted ? 'did not answer in time' : messageOf(error);
}

function answerOf(message: IncomingMessage, text: string, url: URL): WireAnswer {
  const { location, 'content-type': type = '' } = message.headers;
  const target = location !== undefined && URL.canParse(location, url.href) ? new URL(location, url.href).host : '';
  return {
    ...{ status: message.statusCode ?? 0, text, type: type.toLowerCase(), elsewhere: target },
    challenges: message.headersDistinct['www-authenticate'] ?? [],
  };
}

/** A school's line is not filled by a clip. */
async function pace(sent: ReturnType<typeof plain>, bytes: Buffer, rate: number, signal: AbortSignal): Promise<void> {
  for (let at = 0; at < bytes.length && !signal.aborted && !sent.destroyed; at += partBytes) {
    sent.write(bytes.subarray(at, at + partBytes));
    if (at + partBytes < bytes.length) await delay((partBytes / rate) * 1_000, signal);
  }
  if (!signal.aborted && !sent.destroyed) sent.end();
}

/** Pins before a single byte of HTTP, and so the password, is written. `over`: a handshake that hangs ends with its request. */
function pinned(fingerprint: string, over: AbortSignal): Agent {
  const agent = new Agent({ keepAlive: false });
  agent.createConnection = (options, callback) => {
    const { servername, ...rest } = options as ConnectionOptions;
    const named = servername === undefined || servername === '' ? {} : { servername };
    const socket = connectTls({ ...rest, ...named, rejectUnauthorized: false });
    over.addEventListener('abort', () => socket.destroy(), { once: true });
    socket.once('secureConnect', () => {
      const found = socket.getPeerCertificate().fingerprint256 ?? '';
      if (found.toUpperCase() === fingerprint.toUpperCase()) return callback?.(null, socket);
      socket.destroy();
      const words = `its certificate (${found}) is not the one of address.server.fingerprint`;
      callback?.(new CodedError('PA_TLS', words), socket);
    });
    socket.once('error', (error) => callback?.(error, socket));
    return undefined;
  };
  return agent;
}

const unsigned = /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;
const otherTls = /^(CERT_|ERR_TLS|ERR_SSL|EPROTO)/;

function faultOf(error: Error, signal: AbortSignal): CodedError {
  if (error instanceof CodedError) return error;
  const code = codeOf(error);
  if (unsigned.test(code)) {
    const words = `its certificate is signed by nobody we trust (${code}): not spoken to; set address.server.fingerprint to the SHA-256 fingerprint that the device itself shows, or caFile`;
    return new CodedError('PA_TLS', words, { cause: error });
  }
  if (otherTls.test(code)) return new CodedError('PA_TLS', `TLS: ${messageOf(error)}`, { cause: error });
  const isUnreached = /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND/.test(code);
  return new CodedError(isUnreached ? 'PA_UNREACHED' : 'PA_SILENT', wordsOf(error, signal), { cause: error });
}

/** One line there, one line back, on a connection of its own. Throws as `exchange` does. */
export function exchangeLine(base: string, line: string, signal: AbortSignal): Promise<WireAnswer> {
  const { hostname, port } = new URL(base);
  const done = Promise.withResolvers<WireAnswer>();
  const socket = connectTcp({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) });
  const parts: Buffer[] = [];
  let length = 0;
  let isConnected = false;
  const end = () => socket.destroy(new Error('did not answer in time'));
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  socket.on('connect', () => {
    isConnected = true;
    socket.write(`${line}\n`);
  });
  socket.on('data', (part) => {
    length += part.length;
    parts.push(part);
    const text = Buffer.concat(parts).toString('utf8');
    if (text.includes('\n')) {
      const [answer = ''] = text.split(/\r?\n/, 1);
      done.resolve({ status: 200, text: answer, type: '', elsewhere: '', challenges: [] });
      socket.destroy();
    } else if (length > longestAnswer) socket.destroy(new Error('its answer is too long'));
  });
  socket.on('error', (error) => done.reject(faultOfLine(error, isConnected)));
  socket.on('close', () => done.reject(faultOfLine(new Error('it hung up without a whole line'), isConnected)));
  return done.promise.finally(() => signal.removeEventListener('abort', end));
}

/** What was never connected has heard nothing. */
function faultOfLine(error: Error, isConnected: boolean): CodedError {
  return new CodedError(isConnected ? 'PA_SILENT' : 'PA_UNREACHED', messageOf(error), { cause: error });
}
