import { randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { type Principal, rightsOf } from '#edge/domain/access.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import { loadSealer } from '#edge/runtime/seal.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { Reader } from '#edge/store/reader.ts';
import { bearerOf, type Identity, type RefusalCode } from '../guard.ts';
import type { Holder } from '../held.ts';
import type { Problem } from '../problems.ts';
import { Accounts } from './accounts.ts';
import { sessionCookie } from './cookies.ts';
import { SetupCode } from './first-administrator.ts';
import { Locks } from './locks.ts';
import { Notes } from './notes.ts';
import { Oidc } from './oidc.ts';
import { campusWords, PasswordDesk } from './password-desk.ts';
import { Records } from './records.ts';
import { Sessions, type SignedIn } from './sessions.ts';
import { SignIn } from './sign-in.ts';
import { SignInFile } from './sign-in-file.ts';
import { Tokens } from './tokens.ts';
import { SecondFactor } from './totp.ts';

export interface PeopleOptions {
  readonly site: Pick<Site, 'campus' | 'people' | 'zones' | 'folder'>;
  readonly data: string;
  readonly reader: Pick<Reader, 'document' | 'documents'>;
  readonly rpc: Pick<RpcClient, 'call'>;
  readonly clock: Clock;
  readonly log: Log;
  /** `<data>/admin-token`. */
  readonly token: string;
  /** What the flows process shows when it asks what was; null: there is none. */
  readonly flowsToken?: string | null;
  /** The code for the first administrator, told to whoever reads the terminal: again when it changes. */
  readonly saySetup: (code: string) => void;
  /** Whoever holds a stream or socket open for a session (or as a token) must let go. */
  readonly onEnd: (isOver: (holder: Holder) => boolean) => void;
}

/** Rows of sessions that are over are removed this often, and streams of what expired ended, ms. */
const sweepEvery = 10 * 60_000;
const endEvery = 20_000;

/** Everything about who is who on a campus, put together. */
export class People implements AsyncDisposable {
  readonly campus: Name;
  readonly records: Records;
  readonly sessions: Sessions;
  readonly passwords = new PasswordDesk();
  readonly secondFactor: SecondFactor;
  readonly locks: Locks;
  readonly notes: Notes;
  readonly signIn: SignIn;
  readonly accounts: Accounts;
  readonly setup: SetupCode;
  readonly oidc: Oidc | null;
  readonly clock: Clock;
  readonly #tokens: Tokens;
  readonly #tickers: readonly Ticker[];

  constructor(options: PeopleOptions) {
    const { site, reader, rpc, clock, log, onEnd } = options;
    this.clock = clock;
    this.campus = site.campus.name;
    this.records = new Records(reader, rpc);
    this.notes = new Notes({ rpc, clock, log });
    const { records, notes, passwords } = this;
    const endSession = (id: string) => onEnd(({ sessionId }) => sessionId === id);
    this.sessions = new Sessions({ records, people: site.people, clock, log, onEnd: endSession });
    const file = new SignInFile(options.data, log);
    this.locks = new Locks(clock, file);
    this.secondFactor = new SecondFactor({
      sealer: loadSealer(options.data),
      file,
      clock,
      issuer: `Campus Edge ${site.campus.name.zh}`,
    });
    const { sessions, locks, secondFactor } = this;
    this.signIn = new SignIn({ records, sessions, locks, passwords, secondFactor, notes, clock });
    this.accounts = new Accounts({
      records,
      sessions,
      passwords,
      clock,
      zones: site.zones.map(({ id }) => id),
      campusNames: campusWords(site.campus.name),
      onTokenEnd: (id) => onEnd(({ who }) => who === `token:${id}`),
    });
    this.#tokens = new Tokens({ records, local: options.token, flows: options.flowsToken ?? null, clock, log });
    this.setup = new SetupCode(options.saySetup);
    const { oidc } = site.people;
    this.oidc = oidc === undefined ? null : new Oidc(oidc, site.folder, clock);
    this.#tickers = [
      new Ticker(sweepEvery, () => this.#sweep(log)),
      new Ticker(endEvery, () => onEnd((holder) => this.#isOver(holder))),
    ];
  }

  /** Who sends a request: a token if it shows one, else the session of its cookie. */
  identify(request: FastifyRequest): Identity | null {
    const bearer = bearerOf(request);
    if (bearer !== null) {
      const principal = this.#tokens.find(bearer);
      return principal === null ? null : { principal, session: null };
    }
    const found = this.signedIn(request);
    if (found === null) return null;
    // What a page asks by itself is not a person at work.
    if (request.headers['x-campus-background'] === undefined) this.sessions.touch(found);
    const { session, person, csrf } = found;
    return {
      principal: principalOfPerson(found),
      session: { id: session.id, csrf, mustChangePassword: person.body.expired },
    };
  }

  signedIn(request: FastifyRequest): SignedIn | null {
    return this.sessions.find(request.cookies[sessionCookie(request).name]);
  }

  /** Somebody was turned away by the guard. */
  noteRefusal(request: FastifyRequest, principal: Principal | null, why: RefusalCode): void {
    if (why === 'unauthorized') this.#noteStranger(request);
    else this.#noteRefused(request, principal, why);
  }

  /** What a handler refused, or nobody even handed to one: an attack, or a mistake that looks like one. */
  noteProblem(request: FastifyRequest, { status, error, message }: Problem): void {
    const isTold = ['GET', 'HEAD', 'OPTIONS'].includes(request.method) ? status === 403 : told.has(status);
    // The sign-in and the setup write their own.
    if (isTold && error !== 'wrong-setup-code') this.#noteRefused(request, request.principal, error, message);
  }

  /** Bytes that are no request. */
  noteMalformed(from: string, why: string): void {
    this.notes.count({ who: 'nobody', from, what: 'malformed request', why, result: 'refused' });
  }

  #noteRefused(request: FastifyRequest, principal: Principal | null, error: string, why = ''): void {
    const what = `${request.method} ${routeOf(request)}`;
    this.notes.count({ who: principal?.who ?? 'nobody', from: request.ip, what, why, result: `refused: ${error}` });
  }

  /** Which route is said of the first one only: a stranger who tries all of them has one line a minute. */
  #noteStranger(request: FastifyRequest): void {
    const hasCookie = request.cookies[sessionCookie(request).name] !== undefined;
    const shown = bearerOf(request) !== null ? 'an unknown token' : hasCookie ? 'a session that is over' : 'no session';
    this.notes.count({
      who: 'nobody',
      from: request.ip,
      what: 'request without a session',
      why: `${request.method} ${routeOf(request)}`,
      result: `refused: ${shown}`,
    });
  }

  #isOver({ who, sessionId }: Holder): boolean {
    try {
      return sessionId === null
        ? !this.#tokens.isStanding(who.replace(/^token:/, ''))
        : !this.sessions.isStanding(sessionId);
    } catch (error) {
      // The store cannot be asked now (it is being replaced): nobody is cut off for that.
      if (codeOf(error).startsWith('STORE_')) return false;
      throw error;
    }
  }

  async #sweep(log: Log): Promise<void> {
    try {
      await this.sessions.sweep();
    } catch (error) {
      // Core or the store is away: next time.
      log.debug({ problem: messageOf(error) }, 'ended sessions were not removed');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const ticker of this.#tickers) ticker[Symbol.dispose]();
    await this.notes[Symbol.asyncDispose]();
  }
}

/** Answers that say no: what was sent, who sent it, how long or of which type it is. */
const told: ReadonlySet<number> = new Set([400, 403, 413, 415]);

function routeOf(request: FastifyRequest): string {
  return request.is404 ? 'no route' : (request.routeOptions.url ?? 'no route');
}

function principalOfPerson({ person }: SignedIn): Principal {
  const { name, role, zones } = person.body;
  return { who: `person:${person.id}`, id: person.id, name, role, rights: rightSets[role], zones };
}

const rightSets = {
  security: new Set(rightsOf.security),
  facility: new Set(rightsOf.facility),
  timetable: new Set(rightsOf.timetable),
  administrator: new Set(rightsOf.administrator),
  auditor: new Set(rightsOf.auditor),
  viewer: new Set(rightsOf.viewer),
} as const;

/** An id for an account that an identity provider brings: what he is called there, as far as ids allow. */
export function accountIdOf(account: string, isTaken: (id: string) => boolean): string {
  const plain = account
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^[-_]+|-+$/g, '')
    .slice(0, 40);
  const base = plain === '' ? 'oidc' : plain;
  for (let id = base; ; id = `${base}-${randomBytes(3).toString('hex')}`) if (!isTaken(id)) return id;
}
