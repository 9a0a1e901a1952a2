import { isIPv6 } from 'node:net';
import type { Clock } from '#edge/runtime/clock.ts';
import { Attempts } from './attempts.ts';
import type { Person } from './records.ts';
import type { SignInFile } from './sign-in-file.ts';

/**
 * Who may try to sign in now. Accounts are counted apart from addresses: neither one guesser at many accounts nor many
 * at one gets far. Names that nobody has are locked like all others, so that a lock tells nothing.
 */
export class Locks {
  readonly #accounts: Attempts;
  readonly #addresses: Attempts;
  readonly #file: SignInFile;

  constructor(clock: Clock, file: SignInFile) {
    this.#accounts = new Attempts(clock);
    this.#addresses = new Attempts(clock);
    this.#file = file;
    for (const [id, { count, until, last }] of Object.entries(file.state.locks)) {
      this.#accounts.restore(id, { count, until, last });
    }
  }

  /** ms until a try is looked at. */
  pause(id: string, person: Person | null, from: string): number {
    // The account first: lifting its lock frees the address as well.
    const pause = this.#pauseOf(id, person);
    return Math.max(pause, this.#addresses.pause(neighbourhood(from)));
  }

  /** Until when an account is locked, ms since epoch; null: it is not. */
  lockedUntil(person: Person): number | null {
    return this.#pauseOf(person.id, person) === 0 ? null : (this.#accounts.of(person.id)?.until ?? null);
  }

  /** Counts a wrong try; true when it locked the account or the address. */
  fail(id: string, person: Person | null, from: string): boolean {
    const account = this.#accounts.fail(id);
    const address = this.#addresses.fail(neighbourhood(from));
    const failures = this.#accounts.of(id);
    if (account > 0 && failures !== undefined) {
      if (person !== null) {
        delete this.#file.state.locks[id];
        this.#file.state.locks[id] = { ...failures, rev: person.rev, from };
      }
      // Also for a name that nobody has: the time that the disk takes would tell which names somebody has.
      this.#file.save();
    }
    return account > 0 || address > 0;
  }

  /** An address is forgiven what it failed at this account: whoever has one of his own gets no more tries at others. */
  succeed(id: string, from: string): void {
    this.#addresses.forgive(neighbourhood(from), this.#accounts.of(id)?.count ?? 0);
    this.#accounts.succeed(id);
    this.#forget(id);
  }

  /** Whoever changes an account (a new password, `campus user unlock`) lifts its lock. */
  #pauseOf(id: string, person: Person | null): number {
    const pause = this.#accounts.pause(id);
    const lock = this.#file.state.locks[id];
    if (pause === 0 || person === null || lock === undefined || lock.rev >= person.rev) return pause;
    this.#addresses.forgive(neighbourhood(lock.from), lock.count);
    this.#accounts.succeed(id);
    this.#forget(id);
    return 0;
  }

  #forget(id: string): void {
    if (this.#file.state.locks[id] === undefined) return;
    delete this.#file.state.locks[id];
    this.#file.save();
  }
}

/** One subscriber has a whole /64 of IPv6 and could try from another address each time. IPv4 in IPv6 is IPv4. */
export function neighbourhood(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0');
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::/64`;
}
