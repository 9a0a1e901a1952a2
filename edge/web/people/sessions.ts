import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Role } from '#edge/domain/access.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { SitePeople } from '#edge/runtime/site.ts';
import type { DocumentBody } from '#edge/store/documents.ts';
import type { Deed, Person, Records, Session } from './records.ts';

export type Method = DocumentBody<'session'>['method'];

/** Somebody signed in, as his cookie shows. */
export interface SignedIn {
  readonly session: Session;
  readonly person: Person;
  /** What everything that is not GET must carry in `x-csrf-token`. */
  readonly csrf: string;
}

const defaultIdle = 30 * 60_000;
/** Being seen is written no more often, ms. */
const writeSeen = 5 * 60_000;
/** One more signs out the one that was seen longest ago. */
const mostOfOne = 20;
const secretPattern = /^[\w-]{43}$/;
/** Sessions of which is remembered when they were seen; the store has the others to some minutes. */
const mostSeen = 10_000;

export interface SessionsOptions {
  readonly records: Records;
  readonly people: SitePeople;
  readonly clock: Clock;
  readonly log: Log;
  /** A session is over: whatever it holds open must close. */
  readonly onEnd: (id: string) => void;
}

/**
 * Sessions of people. The cookie holds 256 random bits, the store their digest: a stolen database opens nothing. They
 * outlive restarts; while core is away they are read, none begins.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  /** Seen since the store was told, ms since epoch. */
  readonly #seen = new Map<string, number>();
  /** When being seen was last written, or tried to be, ms since epoch. */
  readonly #written = new Map<string, number>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  idleOf(role: Role): number {
    const { idle } = this.#options.people;
    return idle[role] ?? idle.default ?? defaultIdle;
  }

  /** Who the secret of a cookie belongs to, if his session still stands. */
  find(secret: string | undefined): SignedIn | null {
    if (secret === undefined || !secretPattern.test(secret)) return null;
    const { records } = this.#options;
    const session = records.one('session', idOf(secret));
    const person = session === null ? null : records.one('person', session.body.person);
    if (session === null || person === null || !this.#stands(session, person)) return null;
    return { session, person, csrf: csrfOf(secret) };
  }

  isStanding(id: string): boolean {
    const { records } = this.#options;
    const session = records.one('session', id);
    const person = session === null ? null : records.one('person', session.body.person);
    return session !== null && person !== null && this.#stands(session, person);
  }

  lastSeen({ id, body }: Session): number {
    return Math.max(body.lastSeen, this.#seen.get(id) ?? 0);
  }

  #stands(session: Session, person: Person): boolean {
    const { body } = session;
    const now = this.#options.clock.now();
    if (person.body.disabled || body.created < person.body.passwordTime) return false;
    // A clock that was set back far makes sessions of the future: they are over.
    if (body.created > now + 60_000) return false;
    return now < body.expires && now - this.lastSeen(session) < this.idleOf(person.body.role);
  }

  /** A person did something: his session goes on. Written in the background, seldom. */
  touch({ session, person }: SignedIn): void {
    const now = this.#options.clock.now();
    remember(this.#seen, session.id, now);
    const pause = Math.min(writeSeen, this.idleOf(person.body.role) / 4);
    if (now - Math.max(session.body.lastSeen, this.#written.get(session.id) ?? 0) < pause) return;
    remember(this.#written, session.id, now);
    void this.#write(session, now);
  }

  async #write({ id, rev, body }: Session, now: number): Promise<void> {
    const { records, log } = this.#options;
    try {
      await records.put(
        'session',
        { id, rev, body: { ...body, lastSeen: now } },
        { who: `person:${body.person}`, from: body.from },
      );
    } catch (error) {
      if (codeOf(error) === 'DOCUMENT_CHANGED') this.#written.delete(id);
      // Otherwise core is away: what is remembered here counts until it is written.
      log.debug({ problem: messageOf(error) }, 'a session was not noted as seen');
    }
  }

  /** Always a new secret: one that somebody brought along from before is worth nothing. Rejects with RPC_AWAY. */
  async begin(
    person: string,
    { from, agent, method }: { readonly from: string; readonly agent: string; readonly method: Method },
  ): Promise<{ readonly secret: string; readonly expires: number }> {
    const { records, people, clock } = this.#options;
    const secret = randomBytes(32).toString('base64url');
    const now = clock.now();
    const expires = now + people.session;
    const body = { person, created: now, lastSeen: now, expires, from: from.slice(0, 100), agent, method };
    const deed = { who: `person:${person}`, from };
    await records.put('session', { id: idOf(secret), rev: 0, body }, deed);
    const others = records.sessionsOf(person).toSorted((a, b) => this.lastSeen(b) - this.lastSeen(a));
    for (const old of others.slice(mostOfOne)) await this.end(old, deed);
    return { secret, expires };
  }

  /** Rejects with RPC_AWAY: then it still stands. */
  async end(session: Session, deed: Deed): Promise<void> {
    const { records, onEnd } = this.#options;
    for (let current: Session | null = session; current !== null; current = records.one('session', session.id)) {
      try {
        await records.put('session', { id: current.id, rev: current.rev, body: null }, deed);
        break;
      } catch (error) {
        // It was noted as seen between our look and our word.
        if (codeOf(error) !== 'DOCUMENT_CHANGED') throw error;
      }
    }
    this.#seen.delete(session.id);
    this.#written.delete(session.id);
    onEnd(session.id);
  }

  async endAllOf(person: string, deed: Deed, except: string | null = null): Promise<number> {
    const ending = this.#options.records.sessionsOf(person).filter(({ id }) => id !== except);
    for (const session of ending) await this.end(session, deed);
    return ending.length;
  }

  /** Those that stand. */
  list(): readonly { readonly session: Session; readonly person: Person }[] {
    const { records } = this.#options;
    const persons = new Map(records.all('person').map((person) => [person.id, person]));
    return records.all('session').flatMap((session) => {
      const person = persons.get(session.body.person);
      return person === undefined || !this.#stands(session, person) ? [] : [{ session, person }];
    });
  }

  /** Removes the rows of sessions that are over. Rejects with RPC_AWAY. */
  async sweep(): Promise<void> {
    const { records } = this.#options;
    const persons = new Map(records.all('person').map((person) => [person.id, person]));
    for (const session of records.all('session')) {
      const person = persons.get(session.body.person);
      if (person !== undefined && this.#stands(session, person)) continue;
      await this.end(session, { who: `person:${session.body.person}`, from: 'web' });
    }
  }
}

function remember(times: Map<string, number>, id: string, now: number): void {
  times.delete(id);
  times.set(id, now);
  const [oldest] = times.keys();
  if (times.size > mostSeen && oldest !== undefined) times.delete(oldest);
}

function idOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** Made of the cookie's secret, which no foreign page can read; needs no store. */
function csrfOf(secret: string): string {
  return createHmac('sha256', secret).update('csrf').digest('base64url');
}
