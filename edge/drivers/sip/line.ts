import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay, within as inTime } from '#edge/runtime/lifecycle.ts';
import { type Account, createAccount, type Login } from './account.ts';
import { hostText, parseUri, sameAddress } from './address.ts';
import { Call, type CallState } from './call.ts';
import type { Route, SipConfig } from './config.ts';
import { contactOf } from './dialog.ts';
import type { SipMessage, SipRequest } from './message.ts';
import { away, outcomeOfProbe, probeAsk } from './probe.ts';
import { Registration } from './registration.ts';
import type { Description } from './sdp.ts';
import { type Respond, SipStack } from './stack.ts';
import { openStreamWire, type TlsTrust } from './stream-wire.ts';
import { type Timings, usualTimings } from './timings.ts';
import { type Endpoint, familyOf, localAddress, openUdpWire, type Transport, type Wire } from './wire.ts';

export interface LineOptions {
  readonly config: SipConfig;
  readonly login: Login | null;
  /** PEM, when `tls.caFile` names one. */
  readonly ca: string | undefined;
  readonly clock: Clock;
  /** Pause between two probes of a device that answers, ms. */
  readonly probeEvery: number;
  readonly timings?: Timings;
  /** On transitions, in words that name where. */
  readonly onState: (state: 'online' | 'offline', words: string) => void;
  readonly onCount: (word: string) => void;
}

export interface CallWishes {
  readonly route: Route;
  /** Our description, made with the address that the far end reaches us at. */
  describe(address: string): string;
  agree(theirs: Description): string | null;
  changed(state: CallState): void;
}

const transports: Readonly<Record<SipConfig['transport'], Transport>> = { udp: 'UDP', tcp: 'TCP', tls: 'TLS' };
const lookupPatience = 5_000;
/** A loudspeaker answers OPTIONS in milliseconds; three copies leave in this time. */
const probePatience = 2_500;
/** Until anything comes back on a call: two copies were lost by then. */
const silentWithin = 3_000;
/** Calls that are over and still answer what wanders in the network. */
const mostCalls = 8;

interface Open {
  readonly far: Endpoint;
  readonly wire: Wire;
  readonly stack: SipStack;
}

/** The way to one device: its socket, its transactions, whether it is there, and its registration at an exchange. */
export class SipLine implements AsyncDisposable {
  readonly #options: LineOptions;
  readonly #transport: Transport;
  readonly #account: Account;
  readonly #registration: Registration | null;
  readonly #ending = new AbortController();
  readonly #calls: Call[] = [];
  #open: Open | null = null;
  #state: 'unknown' | 'online' | 'offline' = 'unknown';
  #words = 'not asked yet';
  #done: Promise<void> = Promise.resolve();
  #first = Promise.withResolvers<void>();

  constructor(options: LineOptions) {
    this.#options = options;
    this.#transport = transports[options.config.transport];
    this.#account = createAccount(options.login);
    const { register } = options.config;
    this.#registration =
      register === undefined
        ? null
        : new Registration({ account: this.#account, expires: register.expires, onCount: options.onCount });
  }

  get state(): 'unknown' | 'online' | 'offline' {
    return this.#state;
  }

  get words(): string {
    return this.#words;
  }

  /** Of the device; 4 until it is known. */
  get family(): 4 | 6 {
    return this.#open === null ? 4 : familyOf(this.#open.far.address);
  }

  /** Resolves when the first try to open the socket has ended, well or not. */
  start(): Promise<void> {
    this.#done = this.#run();
    return this.#first.promise;
  }

  /** Places a call in this turn; a sentence says why that cannot be. */
  call({ route, describe, agree, changed }: CallWishes): Call | string {
    const open = this.#open;
    const { config } = this.#options;
    if (open === null) return this.#words;
    const { wire, stack, far } = open;
    const call: Call = new Call({
      stack,
      account: this.#account,
      transport: this.#transport,
      target: route.call,
      to: far,
      from: this.#from(wire),
      contact: contactOf(config.user, wire.local, this.#transport),
      headers: route.headers,
      answerWithin: config.answerWithin,
      silentWithin: Math.min(silentWithin, config.answerWithin),
      describe: () => describe(wire.local.address),
      agree,
      changed: (state) => {
        this.#judge(state);
        changed(state);
      },
    });
    this.#calls.push(call);
    if (this.#calls.length > mostCalls) this.#calls.shift();
    return call;
  }

  #from(wire: Wire): string {
    const { config } = this.#options;
    const name = Buffer.from(config.name, 'utf8').toString('latin1');
    // A registered one is who the exchange knows; else an address that can be called back.
    const domain = config.register === undefined ? null : parseUri(config.call)?.host;
    const at = domain === null || domain === undefined ? hostText(wire.local.address) : hostText(domain);
    return `"${name}" <sip:${config.register === undefined ? config.user : (config.username ?? config.user)}@${at}>`;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    const { probeEvery, config } = this.#options;
    const backoff = new Backoff({ first: 1_000, cap: Math.max(1_000, Math.min(15_000, probeEvery)) });
    while (!signal.aborted) {
      try {
        await this.#keepOpen();
        this.#first.resolve();
        if (config.probe === 'none')
          this.#say('online', `messages go to ${this.#where}; it is not asked whether it is there`);
        else await this.#probe(signal);
      } catch (error) {
        this.#first.resolve();
        this.#say('offline', `${this.#where}: ${messageOf(error)}`);
      }
      if (this.#state === 'online') backoff.reset();
      await delay(this.#state === 'online' ? probeEvery : Math.min(backoff.next(), probeEvery), signal);
    }
  }

  /** Opens the socket, and opens it anew when this machine or the device has got another address, unless somebody is speaking. */
  async #keepOpen(): Promise<void> {
    const { config } = this.#options;
    const open = this.#open;
    const isBusy = this.#calls.some(({ state }) => state.kind !== 'ended');
    if (open !== null && (isBusy || (await this.#isStillRight(open)))) return;
    if (open !== null) this.#options.onCount('reconnect');
    await this.#close();
    const far = await this.#resolve();
    const wire = await this.#openWire(far);
    if (this.#ending.signal.aborted) return void (await wire[Symbol.asyncDispose]());
    const stack = new SipStack({
      wire,
      timings: this.#options.timings ?? usualTimings,
      listener: {
        request: (request, _from, respond) => this.#request(request, respond),
        acknowledged: (ack) => void this.#calls.some((call) => call.acknowledged(ack)),
        unacknowledged: (request) => void this.#calls.some((call) => call.unacknowledged(request)),
        dropped: (why) => this.#options.onCount(why),
      },
    });
    this.#open = { far, wire, stack };
    const domain = parseUri(config.call)?.host ?? far.address;
    this.#registration?.start({
      stack,
      far,
      local: wire.local,
      transport: this.#transport,
      domain,
      login: config.username ?? config.user,
    });
  }

  async #isStillRight({ far, wire }: Open): Promise<boolean> {
    if (this.#transport !== 'UDP') return true;
    const [local, now] = await Promise.all([localAddress(far), this.#state === 'offline' ? this.#resolve() : far]);
    return sameAddress(local, wire.local.address) && sameAddress(now.address, far.address);
  }

  async #resolve(): Promise<Endpoint> {
    const { config } = this.#options;
    const uri = parseUri(config.call);
    const usual = config.transport === 'tls' ? 5_061 : 5_060;
    const host = config.proxy?.host ?? uri?.host ?? '';
    const port = config.proxy === undefined ? (uri?.port ?? usual) : (config.proxy.port ?? usual);
    if (isIP(host.replace(/%.*$/, '')) !== 0) return { address: host, port };
    const { address } = await inTime(lookupPatience, `looking up ${host}`, lookup(host));
    return { address, port };
  }

  async #openWire(far: Endpoint): Promise<Wire> {
    const { config, ca, clock } = this.#options;
    const listener = {
      admits: (from: Endpoint) => this.#admits(from),
      message: (message: SipMessage, from: Endpoint) => this.#open?.stack.take(message, from),
      dropped: (why: string) => this.#options.onCount(why),
      broken: (error: Error) => this.#open?.stack.broken(error.message),
    };
    const monotonic = () => clock.monotonic();
    if (this.#transport === 'UDP') return openUdpWire(far, { port: config.port ?? 0, listener, monotonic });
    const { fingerprint, serverName } = config.tls ?? {};
    const called = config.proxy?.host ?? parseUri(config.call)?.host ?? '';
    const name = serverName ?? (isIP(called) === 0 ? called : undefined);
    const trust: TlsTrust = { ca, fingerprint, serverName: name };
    return openStreamWire(far, { tls: this.#transport === 'TLS' ? trust : null, listener, monotonic });
  }

  /** Its address, and that of whom a call was put through to. */
  #admits(from: Endpoint): boolean {
    const { far } = this.#open ?? {};
    if (far === undefined) return false;
    if (sameAddress(from.address, far.address)) return true;
    return this.#calls.some(
      ({ peer }) => peer !== null && isIP(peer.address) !== 0 && sameAddress(peer.address, from.address),
    );
  }

  #request(request: SipRequest, respond: Respond): void {
    const { method } = request;
    const needs = request.headers.find(([name]) => name === 'require' || name === 'proxy-require')?.[1];
    if (needs !== undefined && needs !== '' && method !== 'CANCEL') {
      respond(420, 'Bad Extension', [['unsupported', needs]]);
      return;
    }
    if (this.#calls.some((call) => call.take(request, respond))) return;
    const allow = ['allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO'] as const;
    const isWithin = /;\s*tag=/i.test(request.headers.find(([name]) => name === 'to')?.[1] ?? '');
    if (method === 'OPTIONS') respond(200, 'OK', [allow]);
    else if (isWithin || method === 'CANCEL' || method === 'BYE') respond(481, 'Call/Transaction Does Not Exist');
    // Announcements are made from here; nobody calls them.
    else if (method === 'INVITE') respond(403, 'Takes no calls');
    else if (method === 'NOTIFY' || method === 'MESSAGE') respond(200, 'OK');
    else respond(405, 'Method Not Allowed', [allow]);
  }

  async #probe(signal: AbortSignal): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    const { wire, stack, far } = open;
    const { config } = this.#options;
    const contact = contactOf(config.user, wire.local, this.#transport);
    const outcome = await outcomeOfProbe(stack, far, {
      ask: (cseq) => probeAsk({ target: config.call, from: this.#from(wire), contact, cseq, account: this.#account }),
      account: this.#account,
      patience: probePatience,
      signal,
    });
    if (signal.aborted) return;
    const refused = this.#registration?.problem ?? null;
    if (outcome !== null) this.#say('offline', `${this.#where} ${outcome}`);
    else if (refused !== null) this.#say('offline', `${this.#where} ${refused}`);
    else this.#say('online', `${this.#where} answers`);
  }

  /** A call tells more of it than a probe. */
  #judge(state: CallState): void {
    if (state.kind === 'connected') this.#say('online', `${this.#where} took a call`);
    else if (state.kind === 'ended' && state.by === 'failed' && (!state.isReached || away.has(state.status ?? 0))) {
      this.#say('offline', `${this.#where} ${state.words}`);
    }
  }

  get #where(): string {
    const { config } = this.#options;
    return config.proxy === undefined ? config.call : `${config.call} (through ${config.proxy.host})`;
  }

  #say(state: 'online' | 'offline', words: string): void {
    const isNews = this.#state !== state || (state === 'offline' && this.#words !== words);
    this.#state = state;
    this.#words = words;
    if (isNews && !this.#ending.signal.aborted) this.#options.onState(state, words);
  }

  async #close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    if (open === null) return;
    open.stack[Symbol.dispose]();
    await open.wire[Symbol.asyncDispose]();
  }

  /** Calls are hung up, and their goodbyes leave. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    for (const call of this.#calls) call.hangUp('the driver ends');
    await this.#registration?.[Symbol.asyncDispose]();
    this.#first.resolve();
    await this.#done;
    await this.#close();
  }
}
