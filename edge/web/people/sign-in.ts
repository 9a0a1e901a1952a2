import { isSlug } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import type { Locks } from './locks.ts';
import type { Notes } from './notes.ts';
import type { PasswordDesk } from './password-desk.ts';
import type { Person, Records } from './records.ts';
import { RetryLater } from './retry-later.ts';
import type { Method, Sessions } from './sessions.ts';
import type { SecondFactor } from './totp.ts';

/** A browser that wants to be somebody. */
export interface Client {
  readonly from: string;
  readonly agent: string;
}

/** What becomes the cookie. */
export interface NewSession {
  readonly person: string;
  readonly secret: string;
  readonly expires: number;
}

export interface Credentials {
  readonly id: string;
  readonly password: string;
  readonly totp?: string | undefined;
}

export interface SignInOptions {
  readonly records: Records;
  readonly sessions: Sessions;
  readonly locks: Locks;
  readonly passwords: PasswordDesk;
  readonly secondFactor: SecondFactor;
  readonly notes: Notes;
  readonly clock: Clock;
}

/**
 * Signs people in by password. Whether an account exists, is disabled, or has no password shows neither in the answer nor
 * in the work done for it.
 */
export class SignIn {
  readonly #options: SignInOptions;
  /** Tries that are being looked at: guesses side by side would get past the counting. */
  readonly #trying = new Set<string>();

  constructor(options: SignInOptions) {
    this.#options = options;
  }

  /** Throws WRONG_CREDENTIALS, TOTP_NEEDED, LOCKED (RetryLater), TOO_MANY_REQUESTS, RPC_AWAY. */
  async withPassword(given: Credentials, client: Client): Promise<NewSession> {
    const id = given.id.trim().toLowerCase();
    return this.#oneAtATime(id, client, async (known) => {
      const person = await this.#prove(id, known, given.password, client);
      const method = await this.#proveSecond(person, given.totp, client);
      this.#options.locks.succeed(id, client.from);
      return this.begin(person.id, method, client);
    });
  }

  /** Somebody who is signed in proves once more that it is he. Counted like signing in. */
  async confirm(id: string, password: string, client: Client): Promise<Person> {
    return this.#oneAtATime(id, client, async (known) => {
      const person = await this.#prove(id, known, password, client);
      this.#options.locks.succeed(id, client.from);
      return person;
    });
  }

  /** A new session of somebody who has proved who he is. */
  async begin(person: string, method: Method, { from, agent }: Client): Promise<NewSession> {
    const { sessions, notes } = this.#options;
    try {
      const session = await sessions.begin(person, { from, agent, method });
      await notes.write({ who: `person:${person}`, from, what: 'sign-in', why: method, result: 'signed in' });
      return { person, ...session };
    } catch (error) {
      if (codeOf(error) !== 'RPC_AWAY') throw error;
      throw new CodedError('RPC_AWAY', 'core is away: nobody can sign in until it is back', { cause: error });
    }
  }

  async #oneAtATime<T>(id: string, client: Client, work: (known: Person | null) => Promise<T>): Promise<T> {
    const { records, locks } = this.#options;
    const known = isSlug(id) ? records.one('person', id) : null;
    const pause = locks.pause(id, known, client.from);
    if (pause > 0) {
      this.#note(known, client, 'refused: locked');
      throw new RetryLater('LOCKED', 'too many wrong tries: wait before the next', pause);
    }
    if (this.#trying.has(id)) throw new RetryLater('TOO_MANY_REQUESTS', 'one try at a time', 1_000);
    this.#trying.add(id);
    try {
      return await work(known);
    } finally {
      this.#trying.delete(id);
    }
  }

  async #prove(id: string, known: Person | null, password: string, client: Client): Promise<Person> {
    const { records, passwords } = this.#options;
    const isOpen = known !== null && !known.body.disabled;
    const isRight = await passwords.verify(isOpen ? known.body.password : null, password);
    // While it was looked at, the account may have been changed.
    const now = isRight ? records.one('person', id) : null;
    if (now !== null && !now.body.disabled && now.body.password === known?.body.password) return now;
    throw this.#fail(id, known, client, 'wrong password');
  }

  async #proveSecond(person: Person, code: string | undefined, client: Client): Promise<'password' | 'totp'> {
    const { secondFactor } = this.#options;
    const { totp } = person.body;
    if (totp === null) return 'password';
    if (code === undefined || code === '') throw new CodedError('TOTP_NEEDED', 'this account wants a code as well');
    if (secondFactor.isCode(person.id, totp, code) || (await this.#useRecovery(person, code, client))) return 'totp';
    throw this.#fail(person.id, person, client, 'wrong code');
  }

  /** A recovery code works once: whoever is second finds the account changed. */
  async #useRecovery({ id, rev, body }: Person, code: string, { from }: Client): Promise<boolean> {
    const { records, secondFactor } = this.#options;
    const found = secondFactor.findRecovery(id, body.recovery, code);
    if (found === null) return false;
    const recovery = body.recovery.filter((digest) => digest !== found);
    const deed = { who: `person:${id}`, from, what: `person.use-recovery-code ${id}`, why: `${recovery.length} left` };
    try {
      await records.put('person', { id, rev, body: { ...body, recovery } }, deed);
      return true;
    } catch (error) {
      if (codeOf(error) === 'DOCUMENT_CHANGED') return false;
      throw error;
    }
  }

  #fail(id: string, known: Person | null, client: Client, why: string): CodedError {
    const isLocked = this.#options.locks.fail(id, known, client.from);
    this.#note(known, client, `refused: ${why}`);
    if (isLocked) this.#note(known, client, 'locked: too many wrong tries');
    return new CodedError('WRONG_CREDENTIALS', 'the account, the password or the code is wrong');
  }

  /** What nobody is called is not written down: it may be a password in the wrong field. */
  #note(known: Person | null, { from }: Client, result: string): void {
    const who = known === null ? 'nobody' : `person:${known.id}`;
    this.#options.notes.count({ who, from, what: 'sign-in', why: '', result });
  }
}
