import { randomBytes } from 'node:crypto';
import { hostText, parseVia, sameAddress, tagOf } from './address.ts';
import {
  callIdOf,
  cseqOf,
  type Header,
  headerOf,
  linesOf,
  listOf,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  writeMessage,
} from './message.ts';
import { type Timings, usualTimings } from './timings.ts';
import type { Endpoint, Wire } from './wire.ts';

/** A request without its Via, which is the transaction's. */
export interface Ask {
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly Header[];
  readonly body?: Buffer | string;
}

export interface AskListener {
  /** Provisional ones, the first final one; of an INVITE each 2xx, retransmitted or of another branch of a fork. */
  response(response: SipResponse, from: Endpoint): void;
  /** No final answer in its time, or the wire broke. */
  failed(words: string): void;
}

export interface Asked {
  readonly branch: string;
  /**
   * Ends an INVITE that rings (RFC 3261 section 9.1). One that nothing came back for yet may not be cancelled: it is only not sent
   * again, and cancelled by whoever hears that something does come back.
   */
  cancel(): void;
  /** Nothing more of it is wanted: neither sent again nor heard. */
  forget(): void;
}

export interface StackListener {
  /** A request that is new; `respond` may be called several times, the last final response is sent again when it is asked again. */
  request(request: SipRequest, from: Endpoint, respond: Respond): void;
  /** The ACK of a 2xx we gave. */
  acknowledged(ack: SipRequest): void;
  /** A 2xx to a re-INVITE that nobody acknowledged. */
  unacknowledged(request: SipRequest): void;
  dropped(why: string): void;
}

export type Respond = (status: number, reason: string, more?: readonly Header[], body?: string) => void;

/** A device has a call, a probe and a registration; the rest is somebody's flood or a call that ends. */
const mostAsked = 64;
const mostAnswered = 64;

interface ClientTransaction extends Asked {
  readonly ask: Ask;
  readonly to: Endpoint;
  readonly listener: AskListener;
  readonly via: string;
  readonly cseq: number;
  state: 'calling' | 'proceeding' | 'completed' | 'accepted';
  ack: Buffer | null;
  /** Retransmission and the end. */
  again: NodeJS.Timeout | undefined;
  end: NodeJS.Timeout | undefined;
}

interface ServerTransaction {
  readonly request: SipRequest;
  readonly to: Endpoint;
  last: Buffer | null;
  again: NodeJS.Timeout | undefined;
  end: NodeJS.Timeout | undefined;
}

/** Transactions of one device (RFC 3261 section 17, RFC 6026): what is sent again, what belongs to what, and what is a stranger's. */
export class SipStack implements Disposable {
  readonly #wire: Wire;
  readonly #timings: Timings;
  readonly #listener: StackListener;
  readonly #asked = new Map<string, ClientTransaction>();
  readonly #answered = new Map<string, ServerTransaction>();
  #isOpen = true;

  constructor(options: { readonly wire: Wire; readonly timings?: Timings; readonly listener: StackListener }) {
    this.#wire = options.wire;
    this.#timings = options.timings ?? usualTimings;
    this.#listener = options.listener;
  }

  get #isReliable(): boolean {
    return this.#wire.transport !== 'UDP';
  }

  /** Sends a request and, over UDP, sends it again until it is answered. The first copy leaves in this turn. */
  ask(ask: Ask, to: Endpoint, listener: AskListener, patience = this.#timings.lifetime): Asked {
    const branch = `z9hG4bK${randomBytes(12).toString('hex')}`;
    const { transport, local } = this.#wire;
    const via = `SIP/2.0/${transport} ${hostText(local.address)}:${local.port};branch=${branch};rport`;
    const bytes = this.#write(ask, via);
    const transaction: ClientTransaction = {
      branch,
      ask,
      to,
      listener,
      via,
      cseq: cseqOf(ask)?.number ?? -1,
      state: 'calling',
      ack: null,
      again: undefined,
      end: undefined,
      cancel: () => this.#cancel(transaction),
      forget: () => this.#forget(transaction),
    };
    const [oldest] = this.#asked.values();
    if (this.#asked.size >= mostAsked && oldest !== undefined) this.#fail(oldest, 'too many calls at once');
    this.#asked.set(branch, transaction);
    this.#wire.send(bytes, to);
    if (!this.#isReliable) this.#repeat(transaction, bytes, this.#timings.t1);
    transaction.end = setTimeout(() => this.#fail(transaction, 'does not answer'), patience);
    return transaction;
  }

  /** An ACK of a 2xx: a transaction of its own that nothing answers. */
  acknowledge(ask: Ask, to: Endpoint): Buffer {
    const { transport, local } = this.#wire;
    const branch = `z9hG4bK${randomBytes(12).toString('hex')}`;
    const bytes = this.#write(
      ask,
      `SIP/2.0/${transport} ${hostText(local.address)}:${local.port};branch=${branch};rport`,
    );
    this.#wire.send(bytes, to);
    return bytes;
  }

  /** The same bytes once more. */
  resend(bytes: Buffer, to: Endpoint): void {
    this.#wire.send(bytes, to);
  }

  take(message: SipMessage, from: Endpoint): void {
    if (!this.#isOpen) return;
    if (message.kind === 'response') this.#takeResponse(message, from);
    else this.#takeRequest(message, from);
  }

  /** Nothing that waits will be answered. */
  broken(words: string): void {
    for (const transaction of [...this.#asked.values()]) {
      if (transaction.state === 'calling' || transaction.state === 'proceeding') this.#fail(transaction, words);
    }
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    for (const transaction of this.#asked.values()) stopTimers(transaction);
    for (const transaction of this.#answered.values()) stopTimers(transaction);
    this.#asked.clear();
    this.#answered.clear();
  }

  #write({ method, uri, headers, body }: Ask, via: string): Buffer {
    return writeMessage(`${method} ${uri} SIP/2.0`, [['via', via], ['max-forwards', '70'], ...headers], body);
  }

  #repeat(transaction: ClientTransaction, bytes: Buffer, pause: number): void {
    transaction.again = setTimeout(() => {
      this.#wire.send(bytes, transaction.to);
      const longest = transaction.ask.method === 'INVITE' ? Number.POSITIVE_INFINITY : this.#timings.t2;
      const next = transaction.state === 'proceeding' ? this.#timings.t2 : Math.min(pause * 2, longest);
      this.#repeat(transaction, bytes, next);
    }, pause);
  }

  #takeResponse(response: SipResponse, from: Endpoint): void {
    const vias = listOf(response, 'via');
    const branch = parseVia(vias[0] ?? '')?.params.branch ?? '';
    // A CANCEL has the branch of its INVITE.
    const isCancel = cseqOf(response)?.method === 'CANCEL';
    const transaction = this.#asked.get(isCancel ? `${branch} CANCEL` : branch);
    if (transaction === undefined) {
      this.#listener.dropped('stray');
      return;
    }
    const reason = misfit(transaction, response, from, vias.length);
    if (reason !== null) {
      this.#listener.dropped(reason);
      return;
    }
    if (transaction.ask.method === 'INVITE') this.#inviteResponse(transaction, response, from);
    else this.#otherResponse(transaction, response, from);
  }

  #inviteResponse(transaction: ClientTransaction, response: SipResponse, from: Endpoint): void {
    const { status } = response;
    const { state } = transaction;
    if (status < 200) {
      if (state !== 'calling' && state !== 'proceeding') return;
      transaction.state = 'proceeding';
      clearTimeout(transaction.again);
      transaction.listener.response(response, from);
      return;
    }
    if (status < 300) {
      if (state === 'completed') return;
      if (state !== 'accepted') this.#linger(transaction, 'accepted', this.#timings.lifetime);
      transaction.listener.response(response, from);
      return;
    }
    if (state === 'accepted') return;
    if (transaction.ack === null) transaction.ack = this.#ackOf(transaction, response);
    this.#wire.send(transaction.ack, transaction.to);
    if (state === 'completed') return;
    this.#linger(transaction, 'completed', this.#isReliable ? 0 : this.#timings.lifetime);
    transaction.listener.response(response, from);
  }

  #otherResponse(transaction: ClientTransaction, response: SipResponse, from: Endpoint): void {
    if (transaction.state === 'completed') return;
    if (response.status < 200) transaction.state = 'proceeding';
    else this.#linger(transaction, 'completed', this.#isReliable ? 0 : this.#timings.t4);
    transaction.listener.response(response, from);
  }

  /** The ACK of a refusal is the transaction's own: the same branch (RFC 3261 section 17.1.1.3). */
  #ackOf({ ask, via, cseq }: ClientTransaction, response: SipResponse): Buffer {
    const kept = ask.headers.filter(([name]) => name === 'from' || name === 'call-id' || name === 'route');
    const to: Header = ['to', headerOf(response, 'to') ?? ''];
    return this.#write({ ...ask, method: 'ACK', headers: [...kept, to, ['cseq', `${cseq} ACK`]], body: '' }, via);
  }

  #cancel(transaction: ClientTransaction): void {
    if (transaction.state === 'calling') clearTimeout(transaction.again);
    if (transaction.state !== 'proceeding' || !this.#isOpen) return;
    const { ask, via, to, cseq, branch } = transaction;
    const kept = ask.headers.filter(([name]) => ['from', 'to', 'call-id', 'route'].includes(name));
    const cancel: Ask = { method: 'CANCEL', uri: ask.uri, headers: [...kept, ['cseq', `${cseq} CANCEL`]] };
    const key = `${branch} CANCEL`;
    if (this.#asked.has(key)) return;
    const bytes = this.#write(cancel, via);
    this.#wire.send(bytes, to);
    // Its answer says nothing: what counts is the answer of the INVITE. It is sent again a few times, and no more.
    const nobody: AskListener = { response: () => {}, failed: () => {} };
    const own: ClientTransaction = {
      ...transaction,
      ...{ branch: key, ask: cancel, listener: nobody, state: 'calling', again: undefined, end: undefined },
      cancel: () => {},
      forget: () => this.#forget(own),
    };
    this.#asked.set(key, own);
    if (!this.#isReliable) this.#repeat(own, bytes, this.#timings.t1);
    own.end = setTimeout(() => this.#forget(own), this.#timings.t1 * 8);
  }

  #linger(transaction: ClientTransaction, state: 'completed' | 'accepted', pause: number): void {
    stopTimers(transaction);
    transaction.state = state;
    transaction.end = setTimeout(() => this.#asked.delete(transaction.branch), pause);
  }

  #fail(transaction: ClientTransaction, words: string): void {
    this.#forget(transaction);
    transaction.listener.failed(words);
  }

  #forget(transaction: ClientTransaction): void {
    stopTimers(transaction);
    this.#asked.delete(transaction.branch);
  }

  #takeRequest(request: SipRequest, from: Endpoint): void {
    const via = parseVia(listOf(request, 'via')[0] ?? '');
    if (via === null) {
      this.#listener.dropped('garbage-via');
      return;
    }
    if (request.method === 'ACK') {
      this.#takeAck(request, via.params.branch ?? '');
      return;
    }
    const key = `${via.params.branch ?? ''} ${via.host}:${via.port ?? ''} ${request.method} ${callIdOf(request)}`;
    const known = this.#answered.get(key);
    if (known !== undefined) {
      if (known.last !== null) this.#wire.send(known.last, known.to);
      return;
    }
    if (this.#answered.size >= mostAnswered) {
      this.#listener.dropped('flood');
      return;
    }
    // RFC 3581: where it came from, if it asks so; else where it says that it listens.
    const port = 'rport' in via.params || this.#isReliable ? from.port : (via.port ?? 5_060);
    const transaction: ServerTransaction = {
      request,
      to: { address: from.address, port },
      last: null,
      again: undefined,
      end: setTimeout(() => this.#drop(key), this.#timings.lifetime),
    };
    this.#answered.set(key, transaction);
    this.#listener.request(request, from, (status, reason, more = [], body = '') => {
      if (!this.#isOpen) return;
      transaction.last = responseTo(request, from, { status, reason, more, body });
      this.#wire.send(transaction.last, transaction.to);
      // Sent again until its ACK comes, over TCP too (RFC 3261 section 13.3.1.4).
      if (request.method === 'INVITE' && status >= 200 && status < 300) this.#awaitAck(transaction, this.#timings.t1);
    });
  }

  #awaitAck(transaction: ServerTransaction, pause: number): void {
    clearTimeout(transaction.again);
    transaction.again = setTimeout(() => {
      if (transaction.last !== null) this.#wire.send(transaction.last, transaction.to);
      this.#awaitAck(transaction, Math.min(pause * 2, this.#timings.t2));
    }, pause);
  }

  #takeAck(ack: SipRequest, branch: string): void {
    const cseq = cseqOf(ack)?.number;
    for (const [key, transaction] of this.#answered) {
      const { request } = transaction;
      if (request.method !== 'INVITE' || callIdOf(request) !== callIdOf(ack)) continue;
      if (cseqOf(request)?.number !== cseq || tagOf(headerOf(request, 'from')) !== tagOf(headerOf(ack, 'from')))
        continue;
      const wasOpen = transaction.again !== undefined;
      clearTimeout(transaction.again);
      transaction.again = undefined;
      if (key.startsWith(`${branch} `)) return;
      if (wasOpen) this.#listener.acknowledged(ack);
      return;
    }
    this.#listener.dropped('stray');
  }

  #drop(key: string): void {
    const transaction = this.#answered.get(key);
    this.#answered.delete(key);
    if (transaction === undefined) return;
    const isUnacknowledged = transaction.again !== undefined;
    stopTimers(transaction);
    if (isUnacknowledged) this.#listener.unacknowledged(transaction.request);
  }
}

function stopTimers(transaction: { again: NodeJS.Timeout | undefined; end: NodeJS.Timeout | undefined }): void {
  clearTimeout(transaction.again);
  clearTimeout(transaction.end);
  transaction.again = undefined;
}

/** Why a response is none of this transaction, though it has its branch; null: it is. */
function misfit(
  { ask, to, cseq }: ClientTransaction,
  response: SipResponse,
  from: Endpoint,
  vias: number,
): string | null {
  if (!sameAddress(from.address, to.address)) return 'foreign';
  const answered = cseqOf(response);
  const fits =
    vias === 1 &&
    answered?.method === ask.method &&
    answered.number === cseq &&
    callIdOf(response) === callIdOf(ask) &&
    tagOf(headerOf(response, 'from')) === tagOf(headerOf(ask, 'from'));
  return fits ? null : 'misfit';
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly more: readonly Header[];
  readonly body: string;
}

/** What must be echoed, and a tag of ours for whoever has none yet. */
function responseTo(request: SipRequest, from: Endpoint, { status, reason, more, body }: Answer): Buffer {
  const vias = linesOf(request, 'via').map((line, index): Header => {
    if (index > 0) return ['via', line];
    const seen = line.replace(/;\s*rport(?=[;,\s]|$)/i, `;rport=${from.port}`);
    const [first = '', ...others] = seen.split(',');
    return ['via', [`${first};received=${from.address.replace(/%.*$/, '')}`, ...others].join(',')];
  });
  const to = headerOf(request, 'to') ?? '';
  const isTagged = status === 100 || tagOf(to) !== null;
  const headers: Header[] = [
    ...vias,
    ...linesOf(request, 'record-route').map((line): Header => ['record-route', line]),
    ['from', headerOf(request, 'from') ?? ''],
    ['to', isTagged ? to : `${to};tag=${randomBytes(8).toString('hex')}`],
    ['call-id', callIdOf(request)],
    ['cseq', headerOf(request, 'cseq') ?? ''],
    ...more,
  ];
  return writeMessage(`SIP/2.0 ${status} ${reason}`, headers, body);
}
