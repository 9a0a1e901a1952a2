import type { Clock } from '#edge/runtime/clock.ts';
import type { Credentials } from './config.ts';
import { DigestAuth } from './digest.ts';
import { PasswordTries } from './password-tries.ts';
import type { SoapReply } from './soap.ts';
import { child, envelope, parseSoap, text } from './soap.ts';
import type { Endpoint } from './transport.ts';
import { endpointName, exchange } from './transport.ts';
import { Trouble } from './trouble.ts';
import { usernameToken } from './wsse.ts';

/** An answer larger than this is not an answer. */
const bodyCap = 1_000_000;
export interface Call {
  /** The operation's name, for messages: `PullMessages`. */
  readonly what: string;
  readonly path: string;
  readonly body: string;
  /** SOAP headers beside security. */
  readonly header?: string;
  /** WS-Addressing action, also put into the content type. */
  readonly action?: string;
  /**
   * The user may lack the right to it: a refusal leaves a doubt, which the next call that is accepted clears, and is not tried
   * the other way.
   */
  readonly optional?: true;
  readonly timeout: number;
  readonly signal: AbortSignal;
}

export interface CallerOptions {
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  readonly count: (outcome: string) => void;
}

function refusal(reply: SoapReply): boolean {
  const { status, fault } = reply;
  if (status === 401 || status === 403) return true;
  if (!fault) return false;
  return (
    /NotAuthorized|FailedAuthentication|InvalidSecurity|OperationProhibited/i.test(fault.subcode) ||
    /not authori[sz]ed|authority failure|authentication fail|invalid (user|password)|locked/i.test(fault.reason)
  );
}

/** "You still have 26 attempt(s)", "The account is locked": the camera counts, so we stop (agsh/onvif#112). */
function countsTries(reply: SoapReply): boolean {
  const said = reply.fault?.reason ?? '';
  const left = /(\d+)\s*attempt/i.exec(said)?.[1];
  // Not the clock of "token rejected: clock skew", nor a blocked right.
  return /(?<![cb])lock/i.test(said) || (left !== undefined && Number(left) <= 3);
}

/**
 * SOAP calls to one camera, signed the way it asks for: nothing first, then HTTP digest if it challenges, else a
 * WS-UsernameToken stamped with the camera's own time. Counts every refused password and refuses to spend a third.
 */
export class Caller {
  readonly #options: CallerOptions;
  readonly #digest = new DigestAuth();
  #credentials: Credentials = { username: '', password: '', version: '' };
  #scheme: 'open' | 'digest' | 'wsse' = 'open';

  /** Camera clock minus ours, ms; null until the camera was asked. */
  skew: number | null = null;

  /** Shared with whoever else shows the password to this camera. */
  readonly tries: PasswordTries;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.tries = new PasswordTries(options.clock);
  }

  get where(): string {
    return endpointName(this.#options.endpoint);
  }

  /** New credentials, or a new round after a hold, start with fresh tries. */
  useCredentials(credentials: Credentials): void {
    this.#credentials = credentials;
    this.tries.reset();
    this.#scheme = 'open';
    this.#digest.forget();
  }

  /** A call that should work without a password; null from the cameras that want one all the same. */
  async open(call: Call): Promise<SoapReply | null> {
    const { soap } = await this.#send(call, '', {});
    return refusal(soap) ? null : this.#accept(call, soap);
  }

  /** @throws Trouble; `auth` and `locked` when the password was refused, `fault` for any other SOAP fault. */
  async call(call: Call): Promise<SoapReply> {
    for (let round = 0; ; round++) {
      if (this.#scheme !== 'open') await this.tries.turn(call.signal);
      if (!this.tries.mayTry) throw new Trouble('auth', `camera ${this.where} refuses the user name or password`);
      const scheme = this.#scheme;
      const reused = this.#digest.reused;
      const { soap, learnt } = await this.#sendSigned(call);
      if (!refusal(soap)) return this.#accept(call, soap);
      const stale = scheme === 'digest' && learnt === 'stale';
      if (scheme !== 'open' && !stale) {
        this.#options.count('password-refused');
        if (countsTries(soap)) this.tries.lock();
      }
      if (call.optional === true && scheme !== 'open' && !stale) throw this.#refusedTrouble(call, soap);
      // Users of ONVIF and of the web page may be two lists (Hikvision): the second try is signed the other way.
      if (learnt === 'none' || (scheme === 'digest' && !stale && !reused)) this.#scheme = 'wsse';
      else this.#scheme = 'digest';
      // An old nonce without `stale` looks like a refusal: one more try with the new one, and it counts as the second.
      const again = scheme === 'open' || stale || (scheme === 'digest' && reused);
      if (!again || round >= 2 || !this.tries.mayTry) throw this.#refusedTrouble(call, soap);
    }
  }

  /** Sends as the camera last asked for, and takes what it asks for now. */
  async #sendSigned(call: Call): Promise<{ soap: SoapReply; learnt: 'none' | 'fresh' | 'stale' }> {
    const send = async () => {
      const { soap, challenges } = await this.#send(call, ...this.#sign(call));
      return { soap, learnt: refusal(soap) ? this.#digest.learn(challenges) : 'none' };
    };
    const scheme = this.#scheme;
    if (scheme === 'open') return send();
    return this.tries.spend(call.optional === true ? 'optional' : call.what, send, ({ soap, learnt }) => {
      if (!refusal(soap)) return 'accepted';
      return scheme === 'digest' && learnt === 'stale' ? 'stale' : 'refused';
    });
  }

  #refusedTrouble(call: Call, soap: SoapReply): Trouble {
    const said = soap.fault ? `: ${soap.fault.reason}` : ` (HTTP ${soap.status})`;
    if (this.tries.locked)
      return new Trouble('locked', `camera ${this.where} refuses the user name or password and counts tries${said}`);
    return new Trouble('auth', `camera ${this.where} refuses the user name or password for ${call.what}${said}`);
  }

  #accept(call: Call, reply: SoapReply): SoapReply {
    if (!reply.fault) return reply;
    throw new Trouble('fault', `camera ${this.where} refuses ${call.what}: ${reply.fault.reason}`, {
      cause: reply.fault,
    });
  }

  #sign(call: Call): [security: string, headers: Record<string, string>] {
    const user = this.#credentials;
    if (this.#scheme === 'wsse') return [usernameToken(user, this.#options.clock.now() + (this.skew ?? 0)), {}];
    if (this.#scheme === 'digest') {
      const authorization = this.#digest.header(user, 'POST', call.path, envelope(call.header ?? '', call.body));
      if (authorization !== null) return ['', { authorization }];
    }
    return ['', {}];
  }

  async #send(call: Call, security: string, headers: Record<string, string>) {
    const action = call.action === undefined ? '' : `; action="${call.action}"`;
    const { endpoint, count } = this.#options;
    const reply = await exchange(endpoint, {
      method: 'POST',
      path: call.path,
      headers: { 'content-type': `application/soap+xml; charset=utf-8${action}`, ...headers },
      body: envelope(security + (call.header ?? ''), call.body),
      timeout: call.timeout,
      cap: bodyCap,
      signal: call.signal,
      what: call.what,
    });
    count('request');
    const { challenges, status } = reply;
    // A digest challenge comes with whatever body the camera's web server has.
    if (status === 401 || status === 403) {
      try {
        return { challenges, soap: parseSoap(reply, this.where) };
      } catch {
        return { challenges, soap: { status, body: undefined, raw: '', fault: null } };
      }
    }
    return { challenges, soap: parseSoap(reply, this.where) };
  }
}

const digits = (value: string) => (/^\d{1,5}$/.test(value) ? Number(value) : Number.NaN);

function readDateTime(node: unknown): number {
  const part = (...path: string[]) => digits(text(node, ...path));
  return Date.UTC(
    part('Date', 'Year'),
    part('Date', 'Month') - 1,
    part('Date', 'Day'),
    part('Time', 'Hour'),
    part('Time', 'Minute'),
    part('Time', 'Second'),
  );
}

/**
 * Asks the camera's clock (unauthenticated by the standard) and keeps its distance to ours on the caller. Cameras
 * without UTC give their local time, which is then what their tokens are judged by. Resolution 1 s.
 */
export async function readCameraClock(
  caller: Caller,
  clock: Clock,
  options: { path: string; timeout: number; signal: AbortSignal },
): Promise<void> {
  const started = clock.monotonic();
  const reply = await caller.open({
    what: 'GetSystemDateAndTime',
    body: '<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/>',
    ...options,
  });
  if (reply === null) {
    // Then our own time has to do: HTTP digest does not need it, and tokens are right if the camera keeps time.
    caller.skew ??= 0;
    return;
  }
  const answer = child(reply.body, 'GetSystemDateAndTimeResponse', 'SystemDateAndTime');
  if (child(reply.body, 'GetSystemDateAndTimeResponse') === undefined) {
    throw new Trouble(
      'not-onvif',
      `camera ${caller.where} answers something else than was asked (GetSystemDateAndTime)`,
    );
  }
  const utc = readDateTime(child(answer, 'UTCDateTime'));
  const told = Number.isNaN(utc) ? readDateTime(child(answer, 'LocalDateTime')) : utc;
  // A camera that tells no time is taken at our word: there is nothing better.
  const halfway = (clock.monotonic() - started) / 2;
  caller.skew = Number.isNaN(told) ? 0 : told - (clock.now() - halfway);
}
