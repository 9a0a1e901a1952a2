import { randomBytes } from 'node:crypto';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Account } from './account.ts';
import { parseNameAddress, parseUri, sameAddress } from './address.ts';
import { belongsTo, type Dialog, dialogOf, isOther, within } from './dialog.ts';
import { cseqOf, type Header, headerOf, listOf, type SipRequest, type SipResponse } from './message.ts';
import { type Description, parseDescription } from './sdp.ts';
import type { Ask, Asked, Respond, SipStack } from './stack.ts';
import type { Endpoint, Transport } from './wire.ts';
import { statusWords } from './words.ts';

export type CallState =
  | { readonly kind: 'calling' }
  | { readonly kind: 'ringing' }
  | { readonly kind: 'connected' }
  | CallEnd;

export interface CallEnd {
  readonly kind: 'ended';
  /** `us`: hung up here; `them`: they hung up; `failed`: it never came to be, or broke. */
  readonly by: 'us' | 'them' | 'failed';
  readonly words: string;
  /** SIP's status where there was one. */
  readonly status: number | null;
  /** Something came back: it is there, whatever it said. */
  readonly isReached: boolean;
  /** What the far end asks to be left alone for, ms. */
  readonly retryAfter: number | null;
}

export interface CallOptions {
  readonly stack: SipStack;
  readonly account: Account;
  readonly transport: Transport;
  /** Who is called, and where that is sent. */
  readonly target: string;
  readonly to: Endpoint;
  /** `"Campus" <sip:campus@10.0.0.2>`, without its tag. */
  readonly from: string;
  readonly contact: string;
  /** What makes it answer by itself, and whatever else its maker wants. */
  readonly headers: readonly Header[];
  /** Until somebody answers, from the INVITE on, ms; and until anything at all comes back. */
  readonly answerWithin: number;
  readonly silentWithin: number;
  /** Our side, as an offer or, once theirs is known, as an answer. */
  describe(): string;
  /** Theirs. A sentence: why it cannot be used. */
  agree(theirs: Description): string | null;
  /** On each change; the last is `ended`. */
  changed(state: CallState): void;
}

const agent: Header = ['user-agent', 'Campus Edge'];
const allow: Header = ['allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO'];
const sdpType: Header = ['content-type', 'application/sdp'];
/** A wrong nonce once, a proxy and its server: more is a circle. */
const mostChallenges = 3;
const mostRedirects = 2;
const mostForks = 8;
const longestRetryAfter = 60_000;

/** One outgoing call. It is over for whoever made it as soon as he hangs up; what courtesy then demands goes on in the stack. */
export class Call {
  readonly #options: CallOptions;
  readonly #callId = randomBytes(16).toString('hex');
  readonly #from: string;
  readonly #forks = new Set<string>();
  #target: string;
  #state: CallState = { kind: 'calling' };
  #cseq = 0;
  #challenges = 0;
  /** Which challenges were answered with their own nonce: the same once more means that the password is wrong. */
  readonly #answered = new Set<number>();
  #redirects = 0;
  #invite: Ask | null = null;
  #asked: Asked | null = null;
  #dialog: Dialog | null = null;
  #ack: { bytes: Buffer; to: Endpoint } | null = null;
  #isAwaitingAnswer = false;
  #isReached = false;
  #silence: NodeJS.Timeout | undefined;
  #ringing: NodeJS.Timeout | undefined;

  constructor(options: CallOptions) {
    this.#options = options;
    this.#target = options.target;
    this.#from = `${options.from};tag=${randomBytes(8).toString('hex')}`;
  }

  get state(): CallState {
    return this.#state;
  }

  /** Where else than at its address it may speak from. */
  get peer(): Endpoint | null {
    const host = parseUri(this.#dialog?.target ?? '')?.host;
    return host === undefined ? null : { address: host, port: 0 };
  }

  /** The INVITE leaves in this turn. */
  start(): void {
    const { answerWithin, silentWithin } = this.#options;
    this.#silence = setTimeout(() => this.#abandon('does not answer'), silentWithin);
    this.#ringing = setTimeout(() => {
      this.#abandon(this.#state.kind === 'ringing' ? 'rings, but does not answer by itself' : 'does not take the call');
    }, answerWithin);
    this.#send();
  }

  /** Ends it, whatever it is at. Nobody waits: a BYE or CANCEL is sent again in the background until it is answered. */
  hangUp(words = 'hung up'): void {
    if (this.#state.kind === 'ended') return;
    this.#leave();
    this.#end({ by: 'us', words });
  }

  /** A request of the far end. False: not of this call. */
  take(request: SipRequest, respond: Respond): boolean {
    const dialog = this.#dialog;
    if (dialog === null || !belongsTo(dialog, request)) return false;
    const cseq = cseqOf(request)?.number ?? 0;
    if (cseq <= dialog.remoteCseq) {
      respond(500, 'Out of order');
      return true;
    }
    dialog.remoteCseq = cseq;
    if (this.#state.kind === 'ended' && request.method !== 'BYE') respond(481, 'Call over');
    else if (request.method === 'BYE') {
      respond(200, 'OK');
      if (this.#state.kind !== 'ended') this.#end({ by: 'them', words: 'hung up' });
    } else if (request.method === 'INVITE' || request.method === 'UPDATE') this.#renegotiate(dialog, request, respond);
    else if (request.method === 'INFO' || request.method === 'OPTIONS') respond(200, 'OK', [allow]);
    else respond(405, 'Method Not Allowed', [allow]);
    return true;
  }

  /** The ACK of a re-INVITE; it has their side where we had to offer. False: not of this call. */
  acknowledged(ack: SipRequest): boolean {
    if (this.#dialog === null || !belongsTo(this.#dialog, ack)) return false;
    if (!this.#isAwaitingAnswer || this.#state.kind !== 'connected') return true;
    this.#isAwaitingAnswer = false;
    const wrong = this.#agree(ack.body);
    if (wrong !== null) this.#fail(wrong);
    return true;
  }

  /** The 2xx of a re-INVITE was never acknowledged (RFC 3261 section 14.2). False: not of this call. */
  unacknowledged(request: SipRequest): boolean {
    if (this.#dialog === null || !belongsTo(this.#dialog, request)) return false;
    if (this.#state.kind === 'connected') this.#fail('does not answer any more');
    return true;
  }

  #send(): void {
    const { stack, account, to, contact, headers, describe } = this.#options;
    this.#cseq++;
    this.#invite = {
      method: 'INVITE',
      uri: this.#target,
      headers: [
        ['from', this.#from],
        ['to', `<${this.#options.target}>`],
        ['call-id', this.#callId],
        ['cseq', `${this.#cseq} INVITE`],
        ['contact', contact],
        ...account.headers('INVITE', this.#target),
        allow,
        agent,
        ...headers,
        sdpType,
      ],
      body: describe(),
    };
    const invite = this.#invite;
    this.#asked = stack.ask(invite, to, {
      response: (response, from) => this.#heard(invite, response, from),
      failed: (words) => this.#fail(words),
    });
  }

  #heard(invite: Ask, response: SipResponse, from: Endpoint): void {
    const { status } = response;
    clearTimeout(this.#silence);
    this.#isReached = true;
    if (status >= 200 && status < 300) {
      this.#accepted(invite, response, from);
      return;
    }
    if (this.#state.kind === 'ended') {
      // Given up before anything came back: only now may it be cancelled (RFC 3261 section 9.1).
      if (status < 200) this.#asked?.cancel();
      return;
    }
    if (status < 200) {
      // 182 is a queue, 183 a progress of nothing we listen to.
      if (status !== 100 && this.#state.kind === 'calling') this.#set({ kind: 'ringing' });
    } else if (status === 401 || status === 407) this.#challenged(response);
    else if (status < 400) this.#redirected(response);
    else this.#refused(response);
  }

  #accepted(invite: Ask, response: SipResponse, from: Endpoint): void {
    const known = this.#dialog;
    if (known !== null && !isOther(known, response)) {
      // It did not get our ACK.
      if (this.#ack !== null) this.#options.stack.resend(this.#ack.bytes, this.#ack.to);
      return;
    }
    const { contact, transport } = this.#options;
    const dialog = dialogOf(invite, response, { peer: from, transport, contact });
    if (dialog === null) {
      if (this.#state.kind !== 'ended') this.#fail('answers in a way that makes no call');
      return;
    }
    const ack = this.#acknowledge(dialog, invite);
    if (known !== null || this.#state.kind === 'ended') {
      this.#refuse(dialog);
      return;
    }
    this.#dialog = dialog;
    this.#ack = ack;
    clearTimeout(this.#ringing);
    const wrong = this.#agree(response.body);
    if (wrong !== null) {
      this.#fail(wrong);
      return;
    }
    this.#set({ kind: 'connected' });
  }

  #acknowledge(dialog: Dialog, invite: Ask): { bytes: Buffer; to: Endpoint } {
    const login = invite.headers.filter(([name]) => name === 'authorization' || name === 'proxy-authorization');
    const { ask, to } = within(dialog, 'ACK', login);
    return { bytes: this.#options.stack.acknowledge(ask, to), to };
  }

  /** Another branch of a fork answered too, or it answered after all. */
  #refuse(dialog: Dialog): void {
    if (this.#forks.has(dialog.remoteTag) || this.#forks.size >= mostForks) return;
    this.#forks.add(dialog.remoteTag);
    this.#bye(dialog);
  }

  #challenged(response: SipResponse): void {
    this.#challenges++;
    try {
      const kind = this.#options.account.learn(response);
      if (kind === 'fresh' && this.#answered.has(response.status)) {
        this.#fail('refuses the password', response.status);
        return;
      }
      this.#answered.add(response.status);
    } catch (error) {
      this.#fail(messageOf(error), response.status);
      return;
    }
    if (this.#challenges >= mostChallenges) {
      this.#fail('asks for the password again and again', response.status);
      return;
    }
    this.#send();
  }

  /** Elsewhere on the same machine, yes; whoever sends us to another one would choose what is heard in the school. */
  #redirected(response: SipResponse): void {
    const uri = parseNameAddress(listOf(response, 'contact')[0] ?? '')?.uri ?? '';
    const host = parseUri(uri)?.host;
    const here = parseUri(this.#options.target)?.host ?? '';
    const isSame = host !== undefined && (host === here || sameAddress(host, this.#options.to.address));
    if (!isSame || this.#redirects >= mostRedirects) {
      this.#refused(response);
      return;
    }
    this.#redirects++;
    this.#target = uri;
    this.#send();
  }

  #refused(response: SipResponse): void {
    const { status, reason } = response;
    const seconds = Number(/^\d{1,6}/.exec(headerOf(response, 'retry-after') ?? '')?.[0] ?? Number.NaN);
    const retryAfter = Number.isNaN(seconds) ? null : Math.min(longestRetryAfter, seconds * 1_000);
    this.#end({ by: 'failed', words: statusWords(status, reason), status, retryAfter });
  }

  #agree(body: Buffer): string | null {
    const theirs = parseDescription(body);
    return typeof theirs === 'string' ? theirs : this.#options.agree(theirs);
  }

  #renegotiate(dialog: Dialog, request: SipRequest, respond: Respond): void {
    const { contact, describe } = this.#options;
    const target = parseNameAddress(listOf(request, 'contact')[0] ?? '')?.uri;
    if (target !== undefined && parseUri(target) !== null) dialog.target = target;
    const mine: readonly Header[] = [['contact', contact], allow];
    // An UPDATE without a description only keeps a session timer going (RFC 4028); an INVITE without one wants our offer.
    if (request.body.length === 0) {
      if (request.method === 'UPDATE') {
        respond(200, 'OK', mine);
        return;
      }
      this.#isAwaitingAnswer = true;
      respond(200, 'OK', [...mine, sdpType], describe());
      return;
    }
    const wrong = this.#agree(request.body);
    if (wrong !== null) {
      respond(488, 'Not Acceptable Here', [allow]);
      return;
    }
    respond(200, 'OK', [...mine, sdpType], describe());
  }

  #abandon(words: string): void {
    if (this.#state.kind !== 'calling' && this.#state.kind !== 'ringing') return;
    this.#fail(words);
  }

  /** What the far end must be told so that it does not go on. */
  #leave(): void {
    if (this.#dialog !== null) this.#bye(this.#dialog);
    else this.#asked?.cancel();
  }

  #bye(dialog: Dialog): void {
    const { stack, account } = this.#options;
    let tries = 0;
    const send = () => {
      const { ask, to } = within(dialog, 'BYE');
      const login = account.headers('BYE', ask.uri);
      stack.ask({ ...ask, headers: [...ask.headers, ...login] }, to, {
        response: (response) => {
          if ((response.status !== 401 && response.status !== 407) || ++tries > 1) return;
          try {
            account.learn(response);
          } catch {
            return; // It will notice that no sound comes.
          }
          send();
        },
        failed: () => {},
      });
    };
    send();
  }

  #fail(words: string, status: number | null = null): void {
    if (this.#state.kind === 'ended') return;
    this.#leave();
    this.#end({ by: 'failed', words, status });
  }

  #end(end: { by: CallEnd['by']; words: string; status?: number | null; retryAfter?: number | null }): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#ringing);
    const { by, words, status = null, retryAfter = null } = end;
    this.#set({ kind: 'ended', by, words, status, isReached: this.#isReached, retryAfter });
  }

  #set(state: CallState): void {
    this.#state = state;
    this.#options.changed(state);
  }
}
