import { randomBytes } from 'node:crypto';
import { messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay, within } from '#edge/runtime/lifecycle.ts';
import type { Account } from './account.ts';
import { hostText, parseNameAddress } from './address.ts';
import { contactOf } from './dialog.ts';
import { type Header, headerOf, listOf, type SipResponse } from './message.ts';
import { answerTo } from './probe.ts';
import type { SipStack } from './stack.ts';
import type { Endpoint, Transport } from './wire.ts';
import { statusWords } from './words.ts';

interface Place {
  readonly stack: SipStack;
  readonly far: Endpoint;
  readonly local: Endpoint;
  readonly transport: Transport;
  readonly domain: string;
  readonly login: string;
}

const patience = 5_000;
const goodbye = 500;
const shortest = 10_000;
const longest = 3_600_000;

/** Keeps one address known to an exchange (RFC 3261 section 10): refreshed before it runs out, tried again ever more rarely, given back at the end. */
export class Registration implements AsyncDisposable {
  readonly #options: { readonly account: Account; readonly expires: number; readonly onCount: (word: string) => void };
  readonly #callId = randomBytes(16).toString('hex');
  #cseq = 0;
  #wanted: number;
  #place: Place | null = null;
  #ending = new AbortController();
  #done: Promise<void> = Promise.resolve();
  /** Why the exchange does not know us; null: it does, or it is not yet known. */
  problem: string | null = null;
  isRegistered = false;

  constructor(options: {
    readonly account: Account;
    readonly expires: number;
    readonly onCount: (word: string) => void;
  }) {
    this.#options = options;
    this.#wanted = options.expires;
  }

  /** From here on by this socket; what was before is forgotten. */
  start(place: Place): void {
    this.#ending.abort();
    this.#ending = new AbortController();
    this.#place = place;
    this.#done = this.#run(place, this.#ending.signal);
  }

  async #run(place: Place, signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ first: 2_000, cap: 60_000 });
    while (!signal.aborted) {
      const outcome = await this.#register(place, this.#wanted, signal);
      if (signal.aborted) return;
      if (typeof outcome === 'number') {
        backoff.reset();
        this.problem = null;
        if (!this.isRegistered) this.#options.onCount('registered');
        this.isRegistered = true;
        await delay(outcome * 0.7, signal);
      } else {
        this.#options.onCount('register-failed');
        this.isRegistered = false;
        this.problem = outcome;
        await delay(backoff.next(), signal);
      }
    }
  }

  /** How long it is known now, ms, or why not. */
  async #register(place: Place, expires: number, signal: AbortSignal): Promise<number | string> {
    const { account } = this.#options;
    const { stack, far } = place;
    for (let i = 0; i < 3; i++) {
      const answer = await answerTo(stack, far, { ask: this.#ask(place, expires), patience, signal });
      if (typeof answer === 'string') return answer;
      const { status, reason } = answer;
      if (status === 401 || status === 407) {
        try {
          const kind = account.learn(answer);
          if (i > 0 && kind === 'fresh') return 'refuses the password';
        } catch (error) {
          return messageOf(error);
        }
      } else if (status === 423) {
        const least = Number(headerOf(answer, 'min-expires') ?? Number.NaN) * 1_000;
        if (!(least > expires && least <= longest)) return statusWords(status, reason);
        this.#wanted = least;
        return statusWords(status, reason);
      } else if (status >= 200 && status < 300) return granted(answer, expires, this.#contact(place));
      else return `does not register us: ${statusWords(status, reason)}`;
    }
    return 'refuses the password';
  }

  #contact({ local, transport, login }: Place): string {
    return contactOf(login, local, transport);
  }

  #ask(place: Place, expires: number) {
    const { login, domain } = place;
    const uri = `sip:${hostText(domain)}`;
    const who = `<sip:${login}@${hostText(domain)}>`;
    const headers: Header[] = [
      ['from', `${who};tag=${randomBytes(8).toString('hex')}`],
      ['to', who],
      ['call-id', this.#callId],
      ['cseq', `${++this.#cseq} REGISTER`],
      ['contact', this.#contact(place)],
      ['expires', String(Math.round(expires / 1_000))],
      ...this.#options.account.headers('REGISTER', uri),
    ];
    return { method: 'REGISTER', uri, headers };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#done;
    if (this.#place === null || !this.isRegistered) return;
    this.isRegistered = false;
    const leaving = new AbortController();
    const left = this.#register(this.#place, 0, leaving.signal);
    await within(goodbye, 'unregistering', left).catch(() => {}); // It runs out by itself.
    leaving.abort();
  }
}

/** What the exchange grants: of our own contact, else of all (RFC 3261 section 10.2.4). */
function granted(answer: SipResponse, wanted: number, contact: string): number {
  const uri = parseNameAddress(contact)?.uri;
  const ours = listOf(answer, 'contact')
    .map(parseNameAddress)
    .find((entry) => entry?.uri === uri);
  const said = Number(ours?.params.expires ?? headerOf(answer, 'expires') ?? Number.NaN) * 1_000;
  return Math.min(longest, Math.max(shortest, Number.isNaN(said) ? wanted : said));
}
