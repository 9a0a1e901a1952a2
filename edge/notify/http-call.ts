import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Outcome } from './channel.ts';

/** One HTTP exchange: certificates are checked, redirects are not followed, and no far end keeps us waiting or fills the memory. */
export interface Call {
  readonly url: URL;
  readonly method: 'POST' | 'PUT' | 'GET';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** PEM; null: what the system trusts. */
  readonly ca: string | null;
  /** For the whole of it, ms. */
  readonly timeout: number;
}

export interface Answer {
  readonly status: number;
  /** The first 64 kB. */
  readonly text: string;
  /** There was more, or its end did not come. */
  readonly isCut: boolean;
  /** Of the header `retry-after`, ms. */
  readonly retryAfter: number | null;
}

const mostBytes = 65_536;
/** A gateway may ask for a pause, but not for a day, ms. */
const longestPause = 3_600_000;

/** Throws NOTIFY_UNREACHABLE, NOTIFY_TIMEOUT or NOTIFY_TLS; their messages name the host and nothing else of the address. */
export async function callHttp(call: Call, signal: AbortSignal): Promise<Answer> {
  const late = AbortSignal.timeout(call.timeout);
  const { host, protocol } = call.url;
  try {
    return await exchange(call, AbortSignal.any([signal, late]));
  } catch (error) {
    if (late.aborted) {
      throw new CodedError('NOTIFY_TIMEOUT', `${host} did not answer within ${call.timeout / 1_000} s`, {
        cause: error,
      });
    }
    const code = codeOf(error);
    const isTls = protocol === 'https:' && /CERT|TLS|SSL|SIGNATURE|ISSUER|EPROTO/.test(code);
    const why = isTls ? 'its certificate or encryption is not accepted' : 'cannot be reached';
    throw new CodedError(isTls ? 'NOTIFY_TLS' : 'NOTIFY_UNREACHABLE', `${host}: ${why} (${code || messageOf(error)})`, {
      cause: error,
    });
  }
}

function exchange({ url, method, headers, body, ca }: Call, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const send = url.protocol === 'https:' ? requestSecure : requestPlain;
  const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const sent = send(url, {
    method,
    headers: { accept: 'application/json', 'user-agent': 'campus-edge', ...headers, ...length, connection: 'close' },
    agent: false,
    signal,
    maxHeaderSize: 16_384,
    ...(ca === null ? {} : { ca }),
  });
  let isAnswered = false;
  // Once the status is known a body that breaks off, or never ends, is told apart by `isCut`.
  sent.on('error', (error) => {
    if (!isAnswered) reject(error);
  });
  // Without a listener Node 24 drops such a connection in silence: neither error nor answer would ever come.
  sent.on('upgrade', (_, socket) => {
    socket.destroy();
    reject(new Error('it wants to speak another protocol'));
  });
  sent.on('close', () => {
    if (!isAnswered) reject(new Error('it hung up'));
  });
  sent.on('response', (response) => {
    isAnswered = true;
    const chunks: Buffer[] = [];
    let bytes = 0;
    let isWhole = false;
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk.subarray(0, mostBytes - bytes));
      bytes += chunk.length;
      // What is said in the first 64 kB is enough.
      if (bytes > mostBytes) sent.destroy();
    });
    response.on('end', () => {
      isWhole = true;
    });
    response.on('error', () => {});
    response.on('close', () =>
      resolve({
        status: response.statusCode ?? 0,
        text: Buffer.concat(chunks).toString('utf8'),
        isCut: !isWhole || bytes > mostBytes,
        retryAfter: pauseOf(response.headers['retry-after']),
      }),
    );
  });
  sent.end(body ?? undefined);
  return promise;
}

function pauseOf(header: string | undefined): number | null {
  if (header === undefined || !/^\d{1,6}$/.test(header)) return null;
  return Math.min(Number(header) * 1_000, longestPause);
}

/** What a status alone says; null: it is a good one. `said`: what the far end wrote, without secrets. */
export function judgeStatus({ status, retryAfter }: Answer, said: string): Outcome | null {
  if (status >= 200 && status < 300) return null;
  const detail = `HTTP ${status}${said === '' ? '' : `: ${said}`}`;
  if (status === 429) return { kind: 'limited', detail, after: retryAfter ?? 60_000 };
  if (status >= 300 && status < 400) {
    return {
      kind: 'broken',
      detail: `HTTP ${status}: it wants to be asked elsewhere, which is not followed: set the right address`,
    };
  }
  if (retryAfter !== null && status === 503) return { kind: 'limited', detail, after: retryAfter };
  // Only these speak of the message; 401, 403 and 404 speak of what is configured.
  return { kind: [400, 413, 415, 422].includes(status) ? 'refused' : 'broken', detail };
}
