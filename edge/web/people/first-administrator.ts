import { isSameSecret } from '#edge/runtime/secret.ts';
import { base32 } from './totp.ts';

/** Wrong tries at one code; then it is void and another is printed. Five at 50 bits guess nothing. */
const mostWrong = 5;
const length = 10;

/**
 * The code that lets whoever reads the terminal make the first administrator. It is in the memory of this process alone,
 * works once, and each new one is said where the first was.
 */
export class SetupCode {
  readonly #say: (code: string) => void;
  #code = base32(length);
  #wrong = 0;
  #isSaid = false;

  constructor(say: (code: string) => void) {
    this.#say = say;
  }

  /** The code, for whoever says it. */
  said(): string {
    this.#isSaid = true;
    return this.#code;
  }

  /** Somebody is asked for it: whoever reads the terminal must know it. */
  sayOnce(): void {
    if (!this.#isSaid) this.#say(this.said());
  }

  /** Counts a wrong one; the fifth voids the code and says a new one. */
  isRight(given: string): boolean {
    if (isSameSecret(given.toUpperCase().replaceAll(/[\s-]/g, ''), this.#code)) return true;
    this.#wrong++;
    if (this.#wrong >= mostWrong) {
      this.renew();
      this.sayOnce();
    }
    return false;
  }

  /** What was taken back because the account could not be made works again. */
  restore(code: string): void {
    this.#code = code.toUpperCase().replaceAll(/[\s-]/g, '');
  }

  renew(): void {
    this.#code = base32(length);
    this.#wrong = 0;
    this.#isSaid = false;
  }
}
