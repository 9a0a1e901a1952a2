import type { Clock } from '#edge/runtime/clock.ts';
import { DigestAuth } from '#edge/runtime/http-digest.ts';
import type { Credentials } from './config.ts';
import { PasswordTries } from './password-tries.ts';
import type { SoapReply } from './soap.ts';
import { child, envelope, parseSoap, text } from './soap.ts';
import type { Endpoint, HttpReply } from './transport.ts';
import { endpointName, exchange } from './transport.ts';
import { Trouble } from './trouble.ts';
import { usernameToken } from './wsse.ts';

/** An answer larger than this is not an answer: the profiles of a recorder with 64 channels are 400 kB. */
const bodyCap = 600_000;
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
  /** The path of the device service: with it, a refused token is judged by the camera's clock as it is now. */
  readonly devicePath?: string;
  /** The camera's clock turned out to have jumped; ms ahead of ours. */
  readonly onClock?: (skew: number) => void;
}

/** Cameras take tokens that are off by less, ms. */
const clockJump = 5_000;

function refusal(reply: SoapReply): boolean {
  const { status, fault } = reply;
  if (status === 401 || status === 403) return true;
  if (!fault) return false;
  return (
    /NotAuthorized|FailedAuthentication|InvalidSecurity|OperationProhibited/i.test(fault.subcode) ||
    /not authori[sz]ed|authority failure|authentication fail|invalid (user|password)|locked/i.test(fault.reason)
  );
}

interface Signed {
  readonly soap: SoapReply;
  /** `stale`: the password was right, and what proved it too old. */
  readonly learnt: 'none' | 'fresh' | 'stale';
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

  /** What reading its answers has kept this process from everything else, ms, since the start. */
  burden = 0;

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
      const stale = scheme !== 'open' && learnt === 'stale';
      if (scheme !== 'open' && !stale) {
        this.#options.count('password-refused');
        if (countsTries(soap)) this.tries.lock();
      }
      if (call.optional === true && scheme !== 'open' && !stale) throw this.#refusedTrouble(call, soap);
      // Users of ONVIF and of the web page may be two lists (Hikvision): the second try is signed the other way.
      if (stale) this.#scheme = scheme;
      else if (learnt === 'none' || (scheme === 'digest' && !reused)) this.#scheme = 'wsse';
      else this.#scheme = 'digest';
      // An old nonce without `stale` looks like a refusal: one more try with the new one, and it counts as the second.
      const again = scheme === 'open' || stale || (scheme === 'digest' && reused);
      if (!again || round >= 2 || this.tries.exhausted) throw this.#refusedTrouble(call, soap);
    }
  }

  /** Sends as the camera last asked for, and takes what it asks for now. */
  async #sendSigned(call: Call): Promise<Signed> {
    const scheme = this.#scheme;
    let digest = this.#digest;
    if (call.optional === true && scheme === 'digest') {
      // Beside the events an old nonce must not look like a second refused password: these calls ask for one each, and use it once.
      const { soap, challenges } = await this.#send(call, '', {});
      if (!refusal(soap)) return { soap, learnt: 'none' };
      const own = new DigestAuth();
      if (own.learn(challenges) !== 'none') digest = own;
    }
    const send = async () => {
      const { soap, challenges } = await this.#send(call, ...this.#sign(call, digest));
      return { soap, learnt: refusal(soap) ? digest.learn(challenges) : 'none' };
    };
    if (scheme === 'open') return send();
    const judged = async () => {
      const sent = await send();
      const jumped = scheme === 'wsse' && refusal(sent.soap) && (await this.#clockJumped(call));
      return {
        soap: sent.soap,
        learnt: jumped ? 'stale' : scheme === 'wsse' && sent.learnt === 'stale' ? 'fresh' : sent.learnt,
      };
    };
    return this.tries.spend(call.optional === true ? 'optional' : call.what, judged, ({ soap, learnt }) => {
      if (!refusal(soap)) return 'accepted';
      return learnt === 'stale' ? 'stale' : 'refused';
    });
  }

  /**
   * A camera judges a token by its own clock (agsh/onvif#249): one that has jumped refuses the right password. Then the token was
   * too old, and the password is not in doubt.
   */
  async #clockJumped({ timeout, signal }: Call): Promise<boolean> {
    const { clock, devicePath, onClock, count } = this.#options;
    if (devicePath === undefined) return false;
    const before = this.skew ?? 0;
    try {
      await readCameraClock(this, clock, { path: devicePath, timeout, signal });
    } catch {
      // It does not say: then the refusal counts.
      return false;
    }
    const skew = this.skew ?? 0;
    if (Math.abs(skew - before) <= clockJump) return false;
    count('clock-jumped');
    onClock?.(skew);
    return true;
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

  #sign(call: Call, digest: DigestAuth): [security: string, headers: Record<string, string>] {
    const user = this.#credentials;
    if (this.#scheme === 'wsse') return [usernameToken(user, this.#options.clock.now() + (this.skew ?? 0)), {}];
    if (this.#scheme === 'digest') {
      const authorization = digest.header(user, 'POST', call.path, envelope(call.header ?? '', call.body));
      if (authorization !== null) return ['', { authorization }];
    }
    return ['', {}];
  }

  async #send(call: Call, security: string, headers: Record<string, string>) {
    const action = call.action === undefined ? '' : `; action="${call.action}"`;
    const { endpoint, count, clock } = this.#options;
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
    const started = clock.monotonic();
    try {
      return this.#read(reply);
    } finally {
      this.burden += clock.monotonic() - started;
    }
  }

  #read(reply: HttpReply) {
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
