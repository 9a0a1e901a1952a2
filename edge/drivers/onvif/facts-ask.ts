import type { Caller } from './caller.ts';
import type { Xml } from './soap.ts';
import { child } from './soap.ts';
import { Trouble, type TroubleKind } from './trouble.ts';

export const deviceNs = 'http://www.onvif.org/ver10/device/wsdl';
export const schemaNs = 'http://www.onvif.org/ver10/schema';

/** One question of ours: the operation with its namespace, in XML that is escaped already. */
export interface Question {
  readonly path: string;
  /** `<GetPresets xmlns="...">...`: its name is the operation. */
  readonly body: string;
  /** ms; default: what the asker was given. */
  readonly timeout?: number;
}

/** What a camera answers when it has not got something: a fault by the book, and what web servers say instead. */
const cannot: ReadonlySet<TroubleKind> = new Set(['fault', 'http', 'not-onvif', 'broken-xml', 'too-large']);
/** Some hang up, or never answer, when they do not know an operation; a camera that is gone does so again and again. */
const perhapsCannot: ReadonlySet<TroubleKind> = new Set(['closed', 'timeout']);
const patience = 3;

export function operationOf(body: string): string {
  return /^<(?:\w+:)?(\w+)/.exec(body)?.[1] ?? 'call';
}

/** Asks a camera beside its events what it can do, and forgives it what it cannot. */
export class Asker {
  readonly #caller: Caller;
  readonly #timeout: number;
  readonly #devicePath: string;
  readonly #forbidden = new Set<string>();
  #silences = 0;

  constructor(caller: Caller, options: { readonly timeout: number; readonly devicePath: string }) {
    this.#caller = caller;
    this.#timeout = options.timeout;
    this.#devicePath = options.devicePath;
  }

  get devicePath(): string {
    return this.#devicePath;
  }

  get where(): string {
    return this.#caller.where;
  }

  /** What every camera knows and every user may ask. */
  get #known(): Question {
    return { path: this.#devicePath, body: `<GetDeviceInformation xmlns="${deviceNs}"/>` };
  }

  /** A new look: what was forbidden may be allowed by now. */
  forgive(): void {
    this.#forbidden.clear();
  }

  /** The element of the answer. @throws Trouble `fault` when the camera or this user may not, and all others. */
  async ask({ path, body, timeout = this.#timeout }: Question, signal: AbortSignal): Promise<Xml> {
    const what = operationOf(body);
    const call = { what, path, body, timeout, signal, optional: true as const };
    try {
      const reply = await this.#caller.call(call);
      this.#silences = 0;
      const answer = child(reply.body, `${what}Response`);
      if (answer !== undefined) return answer;
    } catch (error) {
      if (!(error instanceof Trouble) || (error.kind !== 'auth' && error.kind !== 'locked')) throw error;
      await this.#prove(error, signal);
      throw new Trouble('fault', `the user of the camera may not do ${what}`, { cause: error });
    }
    throw new Trouble('broken-xml', `camera ${this.where} answers without ${what}Response`);
  }

  /** The element of the answer, or null from a camera that has not got it or a user that may not. @throws Trouble when it is gone. */
  async tryAsk(question: Question, signal: AbortSignal): Promise<Xml | null> {
    const key = `${question.path} ${operationOf(question.body)}`;
    if (this.#forbidden.has(key)) return null;
    try {
      return await this.ask(question, signal);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      if (perhapsCannot.has(error.kind)) {
        this.#silences += 1;
        if (this.#silences >= patience) await this.ask(this.#known, signal);
        return null;
      }
      if (!cannot.has(error.kind)) throw error;
      // Asked again only after an hour: each refusal stands in the camera's log as a failed login.
      if (error.message.includes('may not do') && this.#forbidden.size < 64) this.#forbidden.add(key);
      return null;
    }
  }

  /**
   * A right that is missing looks like a wrong password. What every user may do tells them apart: it clears the doubt, or spends
   * the second and last try.
   */
  async #prove(refused: Trouble, signal: AbortSignal): Promise<void> {
    if (this.#caller.tries.exhausted) throw refused;
    const { path, body } = this.#known;
    const what = operationOf(body);
    const timeout = this.#timeout;
    await this.#caller.call({ what, path, body, timeout, signal });
  }
}
