import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import snmp, { type Session, type Varbind } from 'net-snmp';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import { Lane } from '../ports/lane.ts';
import { type Credentials, loadCredentials, type SnmpConfig } from './config.ts';
import { SnmpError } from './errors.ts';
import { isProvable } from './proof.ts';
import { quietSocket } from './quiet-socket.ts';

export interface AgentOptions {
  readonly config: SnmpConfig;
  readonly clock: Clock;
  /** Counts an outcome. */
  readonly count: (word: string) => void;
}

export type Question =
  | { readonly kind: 'get'; readonly oids: readonly string[] }
  /** GETBULK: the next `rows` instances after each of these. */
  | { readonly kind: 'bulk'; readonly after: readonly string[]; readonly rows: number }
  | { readonly kind: 'set'; readonly oid: string; readonly integer: number };

/** What came back, by OID. What was not asked for may be in it, what was asked for may be missing. */
export type Answer = ReadonlyMap<string, Varbind>;

const maxWaiting = 64;
const recentlyHeard = 60_000;
const resolveTimeout = 3_000;

interface Open {
  readonly session: Session;
  readonly socket: { allowSends(): void };
  /** Ends the request that is under way. */
  fail: ((error: SnmpError) => void) | null;
}

/** One agent and its one request at a time. After anything but an answer the session is thrown away: late datagrams find nobody. */
export class Agent implements AsyncDisposable {
  readonly #options: AgentOptions;
  readonly #lane: Lane;
  readonly #open = new Map<'read' | 'write', Open>();
  #lastHeard = Number.NEGATIVE_INFINITY;
  #isEnded = false;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#lane = new Lane({ clock: options.clock, limit: maxWaiting });
  }

  get label(): string {
    const { host, port } = this.#options.config;
    return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
  }

  /** Rejects with an SnmpError, or LANE_FULL / LANE_ABORTED / LANE_CLOSED. */
  ask(question: Question, urgency: 'read' | 'write', signal: AbortSignal): Promise<Answer> {
    const work = async () => {
      try {
        return await this.#askTwice(question, signal);
      } catch (error) {
        if (error instanceof SnmpError) this.#options.count(error.outcome);
        throw error;
      }
    };
    return this.#lane.run({ key: 'agent', urgency, signal, work });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    this.#lane[Symbol.dispose]();
    for (const use of [...this.#open.keys()]) this.#drop(use, new SnmpError('closed', 'given up'));
  }

  /** UDP loses datagrams: whoever was heard lately is asked once more. A write is not repeated, its read-back tells. */
  async #askTwice(question: Question, signal: AbortSignal): Promise<Answer> {
    try {
      return await this.#askOnce(question, signal);
    } catch (error) {
      const isLoss = error instanceof SnmpError && (error.outcome === 'timeout' || error.outcome === 'garbage');
      const isRecent = this.#options.clock.monotonic() - this.#lastHeard < recentlyHeard;
      if (!isLoss || !isRecent || question.kind === 'set' || signal.aborted) throw error;
      this.#options.count('again');
      return this.#askOnce(question, signal);
    }
  }

  async #askOnce(question: Question, signal: AbortSignal): Promise<Answer> {
    const use = question.kind === 'set' ? 'write' : 'read';
    const open = this.#open.get(use) ?? (await this.#connect(use));
    if (this.#isEnded || signal.aborted) throw new SnmpError('closed', 'given up');
    const { timeout } = this.#options.config;
    open.socket.allowSends();
    try {
      const answer = await new Promise<readonly Varbind[]>((resolve, reject) => {
        const late = () => fail(new SnmpError('timeout', `no answer within ${timeout} ms`));
        const timer = setTimeout(late, timeout);
        const giveUp = () => fail(new SnmpError('closed', 'given up'));
        const settle = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', giveUp);
          open.fail = null;
        };
        const fail = (error: SnmpError) => {
          settle();
          reject(error);
        };
        open.fail = fail;
        signal.addEventListener('abort', giveUp, { once: true });
        send(open.session, question, (error, varbinds) => {
          if (open.fail !== fail) return;
          if (error !== null) return fail(understood(error));
          settle();
          resolve(varbinds);
        });
      });
      this.#lastHeard = this.#options.clock.monotonic();
      return new Map(answer.map((varbind) => [varbind.oid, varbind]));
    } catch (error) {
      // An error status is an answer too.
      const isAnswer = error instanceof SnmpError && (error.outcome === 'failed' || error.outcome === 'too-big');
      if (isAnswer) this.#lastHeard = this.#options.clock.monotonic();
      else this.#drop(use, null);
      throw error;
    }
  }

  async #connect(use: 'read' | 'write'): Promise<Open> {
    const { config } = this.#options;
    const credentials = await loadCredentials(config, use);
    const host = await resolve(config.host.replace(/^\[(.*)\]$/, '$1'));
    const transport = isIPv6(host) ? 'udp6' : 'udp4';
    const failNow = (error: SnmpError) => this.#open.get(use)?.fail?.(error);
    const socket = quietSocket({ host, port: config.port }, transport, {
      garbage: (error) => failNow(new SnmpError('garbage', `it answers nonsense: ${messageOf(error)}`)),
      accepts: (bytes) => {
        const isFine = credentials.version === 2 || isProvable(bytes);
        if (!isFine) this.#options.count('unsigned');
        return isFine;
      },
      fault: (error) => {
        const failure = new SnmpError('closed', faultText(error), { cause: error });
        failNow(failure);
        this.#drop(use, failure);
      },
    });
    // The library's own timer comes later than ours: it only tidies up.
    const options = {
      port: config.port,
      transport,
      retries: 0,
      timeout: config.timeout + 1_000,
      dgramModule: { createSocket: () => socket },
    } as const;
    const session = createSession(host, credentials, options);
    session.on('error', (error: unknown) =>
      failNow(new SnmpError('garbage', `it answers nonsense: ${messageOf(error)}`)),
    );
    const open: Open = { session, socket, fail: null };
    if (this.#isEnded) session.close();
    else this.#open.set(use, open);
    return open;
  }

  #drop(use: 'read' | 'write', why: SnmpError | null): void {
    const open = this.#open.get(use);
    if (open === undefined) return;
    this.#open.delete(use);
    if (why !== null) open.fail?.(why);
    open.session.close();
  }
}

function createSession(
  host: string,
  credentials: Credentials,
  options: Parameters<typeof snmp.createSession>[2],
): Session {
  if (credentials.version === 2) {
    return snmp.createSession(host, credentials.community, { ...options, version: snmp.Version2c });
  }
  const { user, auth, authPassword, privacy, privacyPassword } = credentials;
  return snmp.createV3Session(
    host,
    {
      name: user,
      level: snmp.SecurityLevel.authPriv,
      authProtocol: snmp.AuthProtocols[auth],
      authKey: authPassword,
      privProtocol: snmp.PrivProtocols[privacy],
      privKey: privacyPassword,
    },
    options,
  );
}

function send(
  session: Session,
  question: Question,
  done: (error: Error | null, varbinds: readonly Varbind[]) => void,
): void {
  switch (question.kind) {
    case 'get':
      session.get(question.oids, (error, varbinds = []) => done(error, varbinds));
      break;
    case 'bulk':
      session.getBulk(question.after, 0, question.rows, (error, columns = []) => done(error, columns.flat()));
      break;
    case 'set': {
      const varbind = { oid: question.oid, type: snmp.ObjectType.Integer, value: question.integer };
      session.set([varbind], (error, varbinds = []) => done(error, varbinds));
    }
  }
}

/** Names of the library's errors: RequestTimedOutError, RequestFailedError (with a status), ResponseInvalidError (with a code). */
function understood(error: Error): SnmpError {
  if (error instanceof SnmpError) return error;
  if (error.name === 'RequestTimedOutError') return new SnmpError('timeout', 'no answer');
  if (error.name === 'RequestFailedError') {
    const isTooBig = 'status' in error && error.status === 1;
    return new SnmpError(isTooBig ? 'too-big' : 'failed', `it answers ${error.message}`, { cause: error });
  }
  // USM: unknown user, wrong digest, decryption error. A time window missed is cured by the next session.
  const isLogin = /unknown user name|wrong digest|decryption error|unsupported security|authentication digest|decrypt/i;
  if (isLogin.test(error.message)) {
    // Its own words hold digests, which are nobody's business.
    return new SnmpError('auth', `it refuses the user or a password of SNMPv3 (${error.message.slice(0, 40)})`);
  }
  return new SnmpError('garbage', `it answers nonsense: ${error.message.slice(0, 200)}`, { cause: error });
}

function faultText(error: Error): string {
  return codeOf(error) === 'ECONNREFUSED' ? 'the host is there, but nothing listens on this port' : error.message;
}

async function resolve(host: string): Promise<string> {
  if (isIP(host.split('%')[0] ?? '') > 0) return host;
  try {
    return (await within(resolveTimeout, `finding ${host}`, lookup(host))).address;
  } catch (error) {
    throw new SnmpError('closed', `${host}: ${messageOf(error)}`, { cause: error });
  }
}
