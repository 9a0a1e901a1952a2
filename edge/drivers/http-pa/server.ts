import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { DigestAuth } from '#edge/runtime/http-digest.ts';
import { at } from './answers.ts';
import type { PaConfig } from './config.ts';
import { readAuthority, secretOf } from './secrets.ts';
import { TokenKeeper, type TokenLogin } from './token.ts';
import { exchange, exchangeLine, type Trust, type WireAnswer, type WireRequest } from './wire.ts';

/** Servers lock out whoever tries a wrong password again and again, ms. */
export const afterRefusedLogin = 60_000;
/** Who waits behind so many waits for nothing. */
const mostWaiting = 200;

export interface PaRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string | Buffer | undefined;
  /** Of the body; absent: JSON. */
  readonly type?: string;
  /** Bytes of the body in a second. */
  readonly rate?: number;
  /** ms; absent: the server's. */
  readonly timeout?: number;
  /** It takes no place of others: an upload lasts long. */
  readonly isAside?: boolean;
  /** 0 goes before all others that wait. */
  readonly rank: number;
  readonly signal: AbortSignal;
}
export interface PaAnswer {
  readonly status: number;
  readonly text: string;
  readonly type: string;
}

/**
 * One server for all loudspeakers behind it: one login, `atOnce` requests, the strongest of those that wait first.
 * Throws PA_SILENT (it may have heard), PA_UNREACHED, PA_TLS, PA_LOGIN, PA_BUSY (it has not), PA_NO.
 */
export class PaServer {
  readonly #server: PaConfig['server'];
  readonly #digest = new DigestAuth();
  readonly #waiting: { readonly rank: number; readonly go: () => void }[] = [];
  readonly #clock: Clock;
  #tokens: TokenKeeper | undefined;
  #running = 0;
  #lockedUntil = 0;
  #lockedBy = '';

  constructor(server: PaConfig['server'], clock: Clock) {
    this.#server = server;
    this.#clock = clock;
  }

  async ask(request: PaRequest): Promise<PaAnswer> {
    const takesPlace = request.isAside !== true;
    if (takesPlace) await this.#turn(request);
    try {
      return await this.#withLogin({
        ...request,
        signal: AbortSignal.any([request.signal, AbortSignal.timeout(request.timeout ?? this.#server.timeout)]),
      });
    } finally {
      if (takesPlace) this.#leave();
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

  /** Locks out ourselves before the server does; whoever waits behind it is told so. */
  async #withLogin(request: PaRequest): Promise<PaAnswer> {
    if (this.#clock.monotonic() < this.#lockedUntil)
      throw new CodedError('PA_LOGIN', `its server refused our login a moment ago: ${this.#lockedBy}`);
    try {
      const { status, text, type, elsewhere } = await this.#exchange(request);
      if (status >= 300 && status < 400) {
        const where = elsewhere === '' ? 'elsewhere' : `to ${elsewhere.slice(0, 80)}`;
        throw new CodedError('PA_NO', `it answers ${status} and sends us ${where}: not followed`);
      }
      if (status === 401 || status === 403) {
        this.#digest.forget();
        throw new CodedError('PA_LOGIN', `its server refuses our login (${status})`);
      }
      return { status, text, type };
    } catch (error) {
      if (codeOf(error) === 'PA_LOGIN') {
        this.#lockedUntil = this.#clock.monotonic() + afterRefusedLogin;
        this.#lockedBy = messageOf(error);
      }
      throw error;
    }
  }

  async #exchange(request: PaRequest): Promise<WireAnswer> {
    const { url, login, caFile, fingerprint } = this.#server;
    if (url.startsWith('tcp:')) return exchangeLine(url, request.path, request.signal);
    const trust = { fingerprint, ca: caFile === undefined ? undefined : await readAuthority(caFile) };
    const secret = login.kind === 'none' ? '' : await secretOf(login);
    const go = (headers: Readonly<Record<string, string>>) =>
      exchange(url, trust, {
        ...{ method: request.method, path: request.path, body: request.body },
        headers: {
          ...(request.body !== undefined && { 'content-type': request.type ?? 'application/json' }),
          ...headers,
        },
        ...{ signal: request.signal, rate: request.rate },
      });
    switch (login.kind) {
      case 'none':
        return go({});
      case 'bearer':
        return go({ authorization: `Bearer ${secret}` });
      case 'basic':
        return go({ authorization: `Basic ${Buffer.from(`${login.username}:${secret}`).toString('base64')}` });
      case 'digest':
        return this.#withDigest(request, { username: login.username, password: secret }, go);
      case 'token':
        return this.#withToken(login, secret, trust, go);
    }
  }

  /** One more try: a password that is wrong stays wrong, and servers lock out whoever tries on. Basic is never fallen back to. */
  async #withDigest(
    { method, path, body }: PaRequest,
    user: { readonly username: string; readonly password: string },
    go: (headers: Readonly<Record<string, string>>) => Promise<WireAnswer>,
  ): Promise<WireAnswer> {
    const said = (): Record<string, string> => {
      const header = this.#digest.header(user, method, path, typeof body === 'string' ? body : '');
      return header === null ? {} : { authorization: header };
    };
    const first = await go(said());
    if (first.status !== 401) return first;
    return this.#digest.learn(first.challenges) === 'none' ? first : go(said());
  }

  async #withToken(
    login: TokenLogin,
    secret: string,
    trust: Trust,
    go: (headers: Readonly<Record<string, string>>) => Promise<WireAnswer>,
  ): Promise<WireAnswer> {
    this.#tokens ??= new TokenKeeper(login, this.#clock);
    const keeper = this.#tokens;
    // Whoever asked first may give up; the login is for all.
    const ask = (one: Omit<WireRequest, 'signal'>) =>
      exchange(this.#server.url, trust, { ...one, signal: AbortSignal.timeout(this.#server.timeout) });
    const isSpent = ({ status, text }: WireAnswer) =>
      status === 401 || (login.expired !== undefined && at(text, login.expired.pointer) === login.expired.is);
    const token = await keeper.token(secret, ask);
    const first = await go({ [login.header]: `${login.prefix}${token}` });
    if (!isSpent(first)) return first;
    keeper.spoil(token);
    const next = await keeper.token(secret, ask);
    const second = await go({ [login.header]: `${login.prefix}${next}` });
    if (!isSpent(second)) return second;
    keeper.spoil(next);
    throw new CodedError('PA_LOGIN', 'its server refuses the token that it has just given');
  }
}
