import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { at, fill } from './answers.ts';
import type { PaConfig } from './config.ts';
import type { WireAnswer, WireRequest } from './wire.ts';

export type TokenLogin = Extract<PaConfig['server']['login'], { kind: 'token' }>;

/** A token is renewed so long before its end, ms. */
const early = 5_000;
/** A server that forgets tokens again and again is not asked for new ones more often, in a minute. */
const mostLogins = 6;

/**
 * The token of a server, for all loudspeakers behind it: whoever needs one while a login is under way waits for that one. Kept in memory
 * only, and in no message.
 */
export class TokenKeeper {
  readonly #login: TokenLogin;
  readonly #clock: Clock;
  #held: { readonly token: string; readonly until: number } | null = null;
  #running: Promise<string> | null = null;
  #logins: number[] = [];

  constructor(login: TokenLogin, clock: Clock) {
    this.#login = login;
    this.#clock = clock;
  }

  /** Throws PA_LOGIN, and what the wire throws. */
  token(secret: string, ask: (request: Omit<WireRequest, 'signal'>) => Promise<WireAnswer>): Promise<string> {
    const held = this.#held;
    if (held !== null && this.#clock.monotonic() < held.until) return Promise.resolve(held.token);
    this.#running ??= this.#logIn(secret, ask).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** It was refused; another that came meanwhile stays. */
  spoil(token: string): void {
    if (this.#held?.token === token) this.#held = null;
  }

  async #logIn(secret: string, ask: (request: Omit<WireRequest, 'signal'>) => Promise<WireAnswer>): Promise<string> {
    const { method, path, body, username, tokenAt, lifetimeAt } = this.#login;
    const now = this.#clock.monotonic();
    this.#logins = this.#logins.filter((time) => now - time < 60_000);
    if (this.#logins.length >= mostLogins)
      throw new CodedError('PA_LOGIN', 'its server forgets our token again and again');
    this.#logins.push(now);
    const words = { username, password: secret };
    const answer = await ask({
      ...{ method, path, headers: { 'content-type': 'application/json' } },
      body: fill(body, words, (text) => JSON.stringify(text).slice(1, -1)),
    });
    // What it answers is not said on: a token may be in it.
    if (answer.status >= 500) throw new CodedError('PA_BUSY', `its login answers ${answer.status}`);
    const found = at(answer.text, tokenAt);
    const isToken = typeof found === 'string' && /^[\x21-\x7e]{1,4096}$/.test(found);
    if (answer.status < 200 || answer.status > 299 || !isToken)
      throw new CodedError('PA_LOGIN', `its server refuses our login (${answer.status}, no token at ${tokenAt})`);
    const seconds = lifetimeAt === undefined ? undefined : Number(at(answer.text, lifetimeAt));
    const length = seconds !== undefined && seconds > 0 ? seconds * 1_000 : Number.POSITIVE_INFINITY;
    this.#held = { token: found, until: this.#clock.monotonic() + Math.max(length / 2, length - early) };
    return found;
  }
}
