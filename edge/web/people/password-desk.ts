import type { Name } from '#edge/domain/place.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { hashPersonPassword, nobodysHash, verifyPersonPassword, weaknessOf } from '#edge/runtime/password.ts';
import { isCommonPassword } from './common-passwords.ts';
import { RetryLater } from './retry-later.ts';

/** scrypt runs in libuv's four threads, which files and DNS share, and takes 32 MB each time. */
const concurrency = 2;
const longestQueue = 16;

/** Lets two passwords be hashed at once and a few wait: strangers shall not spend our memory and threads. */
export class PasswordDesk {
  readonly #queue: (() => void)[] = [];
  #active = 0;

  /**
   * Whether it is the password. Without a hash (nobody has that name, or he has no password) as much work is done for a
   * hash that nobody fits. Throws TOO_MANY_REQUESTS (RetryLater) when too many wait.
   */
  async verify(hash: string | null, password: string): Promise<boolean> {
    const isRight = await this.#inTurn(() => verifyPersonPassword(hash ?? nobodysHash, password));
    return isRight && hash !== null;
  }

  hash(password: string): Promise<string> {
    return this.#inTurn(() => hashPersonPassword(password));
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#active >= concurrency) {
      if (this.#queue.length >= longestQueue) {
        throw new RetryLater('TOO_MANY_REQUESTS', 'too many people sign in at once: try again soon', 3_000);
      }
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else {
      this.#active++;
    }
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#active--;
      else next(); // the turn is handed on, so that #active stays
    }
  }
}

/** What no password of this campus may contain: its names, and the longer words of them. */
export function campusWords({ zh, en }: Name): string[] {
  return [zh, en, ...en.split(/\s+/).filter((word) => word.length >= 5)];
}

/** Throws WEAK_PASSWORD saying how it falls short. `owner`: id and name of the account, and the names of the campus. */
export function requireStrong(password: string, owner: readonly string[]): void {
  const weakness = weaknessOf(password, owner);
  if (weakness !== null) {
    throw new CodedError('WEAK_PASSWORD', `${weakness.message.zh} / ${weakness.message.en}`);
  }
  if (isCommonPassword(password)) {
    throw new CodedError(
      'WEAK_PASSWORD',
      '这是常见密码，容易被猜到 / this is among the passwords that are guessed first',
    );
  }
}
