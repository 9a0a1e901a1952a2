import { readFile, stat } from 'node:fs/promises';
import { type IncomingMessage, request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { DigestAuth } from '#edge/runtime/http-digest.ts';
import type { PaConfig } from './config.ts';

/** More of an answer is not read: it is torn. */
const longestAnswer = 65_536;
/** Who waits behind so many waits for nothing. */
const mostWaiting = 200;

export interface PaRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  /** 0 goes before all others that wait. */
  readonly rank: number;
  readonly signal: AbortSignal;
}
export interface PaAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * One server for all loudspeakers behind it: one login, `atOnce` requests, the strongest of those that wait first.
 * Throws PA_SILENT (it may have heard), PA_UNREACHED (it has not), PA_LOGIN, PA_BUSY.
 */
export class PaServer {
  readonly #server: PaConfig['server'];
  readonly #digest = new DigestAuth();
  readonly #waiting: { readonly rank: number; readonly go: () => void }[] = [];
  #running = 0;

  constructor(server: PaConfig['server']) {
    this.#server = server;
  }

  async ask(request: PaRequest): Promise<PaAnswer> {
    await this.#turn(request);
    try {
      return await this.#withLogin({
        ...request,
        signal: AbortSignal.any([request.signal, AbortSignal.timeout(this.#server.timeout)]),
      });
    } finally {
      this.#leave();
    }
  }

  /** Waits for a place; whoever leaves hands it on. */
  async #turn({ rank, signal }: PaRequest): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#server.atOnce) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= mostWaiting) throw new CodedError('PA_BUSY', 'too many requests wait for the server');
    const { promise, resolve } = Promise.withResolvers<void>();
    const behind = this.#waiting.findIndex((other) => other.rank > rank);
    const place = { rank, go: resolve };
    this.#waiting.splice(behind === -1 ? this.#waiting.length : behind, 0, place);
    let isGivenUp = false;
    const leave = () => {
      const at = this.#waiting.indexOf(place);
      if (at === -1) return;
      this.#waiting.splice(at, 1);
      isGivenUp = true;
      resolve();
    };
    signal.addEventListener('abort', leave, { once: true });
    await promise;
    signal.removeEventListener('abort', leave);
    if (!signal.aborted) return;
    if (!isGivenUp) this.#leave();
    signal.throwIfAborted();
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next.go();
  }

  async #withLogin(request: PaRequest): Promise<PaAnswer> {
    const { login } = this.#server;
    const secret = login.kind === 'none' ? '' : await readSecret(login.passwordFile);
    const ca = this.#server.caFile === undefined ? undefined : await readAuthority(this.#server.caFile);
    const said = () => {
      if (login.kind === 'none') return null;
      if (login.kind === 'bearer') return `Bearer ${secret}`;
      const { username, kind } = login;
      if (kind === 'basic') return `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`;
      return this.#digest.header({ username, password: secret }, request.method, request.path, request.body ?? '');
    };
    let [message, text] = await this.#exchange(request, said(), ca);
    if (message.statusCode === 401 && login.kind === 'digest') {
      // Once: a password that is wrong stays wrong, and servers lock out whoever tries on.
      const lines = message.headersDistinct['www-authenticate'] ?? [];
      if (this.#digest.learn(lines) !== 'none') [message, text] = await this.#exchange(request, said(), ca);
    }
    const status = message.statusCode ?? 0;
    if (status === 401 || status === 403) {
      this.#digest.forget();
      throw new CodedError('PA_LOGIN', `its server refuses our login (${status})`);
    }
    return { status, text };
  }

  async #exchange(
    request: PaRequest,
    authorization: string | null,
    ca: string | undefined,
  ): Promise<[IncomingMessage, string]> {
    const { method, path, body, signal } = request;
    const url = new URL(path, this.#server.url);
    const headers = {
      ...(authorization !== null && { authorization }),
      ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    const done = Promise.withResolvers<[IncomingMessage, string]>();
    const start = url.protocol === 'https:' ? secure : plain;
    // Redirects are not followed: whoever is sent elsewhere would take the password along.
    const sent = start(url, { method, headers, signal, agent: false, ...(ca !== undefined && { ca }) }, (message) => {
      const parts: Buffer[] = [];
      let length = 0;
      message.on('data', (part: Buffer) => {
        length += part.length;
        if (length > longestAnswer) message.destroy(new Error('its answer is too long'));
        else parts.push(part);
      });
      message.on('error', (error) => done.reject(new CodedError('PA_SILENT', messageOf(error), { cause: error })));
      message.on('end', () => done.resolve([message, Buffer.concat(parts).toString('utf8')]));
    });
    sent.on('error', (error) => {
      const isUnreached = /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND/.test(
        'code' in error ? String(error.code) : '',
      );
      const words = signal.aborted ? 'did not answer in time' : messageOf(error);
      done.reject(new CodedError(isUnreached ? 'PA_UNREACHED' : 'PA_SILENT', words, { cause: error }));
    });
    sent.end(body);
    return done.promise;
  }
}

async function readSecret(file: string): Promise<string> {
  try {
    const { mode, size } = await stat(file);
    if ((mode & 0o077) !== 0) throw new Error('it must be readable by its owner only');
    if (size > 1_024) throw new Error('it is longer than a password');
    const text = await readFile(file, { encoding: 'utf8', signal: AbortSignal.timeout(5_000) });
    return text.replace(/\r?\n$/, '');
  } catch (error) {
    throw new CodedError('PA_LOGIN', `password file ${file}: ${messageOf(error)}`, { cause: error });
  }
}

async function readAuthority(file: string): Promise<string> {
  try {
    return await readFile(file, { encoding: 'utf8', signal: AbortSignal.timeout(5_000) });
  } catch (error) {
    throw new CodedError('PA_LOGIN', `authority file ${file}: ${messageOf(error)}`, { cause: error });
  }
}
