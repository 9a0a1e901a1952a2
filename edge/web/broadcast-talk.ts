import { z } from 'zod';
import type { SoundClass } from '#edge/domain/broadcast.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import type { TalkEnd } from './broadcast-schemas.ts';
import type { Holder } from './held.ts';

/*
 * Who speaks now. An item of core's with a lease stands behind each talk: it is renewed while somebody speaks, stopped when he ends, and
 * ends by itself where web is not there any more to do either.
 */

export interface Talk {
  /** Of the live source, and of the socket. */
  readonly session: string;
  readonly item: string;
  readonly class: SoundClass;
  /** A clip; null: none. */
  readonly chime: string | null;
  /** He hears what the rooms answer: asked for, allowed, and in the audit. */
  readonly listens: boolean;
  readonly holder: Holder;
  readonly actor: { readonly who: string; readonly from: string };
  /** Loudspeakers that have it now, of how many; 0 of 0 until core has said it. */
  playing: number;
  outputs: number;
}

export interface TalkDeskOptions {
  readonly rpc: Pick<RpcClient, 'call'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** ms: core ends an item that is not renewed for so long. */
export const talkLease = 10_000;
const renewEvery = 3_000;
/** Asked for and not taken up: the rooms must not stay silent for it, ms. */
const openWithin = 8_000;
/** Live sessions of the studio are 32; others (a wall, a SIP terminal) want some. */
const mostTalks = 16;
/** A stop that core could not be told is told when it is back; by then its lease is over too, ms. */
const stopPatience = 120_000;
const mostOwed = 64;
const callPatience = 5_000;

const renewed = z.object({ goesOn: z.boolean() });
/** Of an item that is over nothing is said. */
const whyItem = z.object({ parts: z.array(z.object({ state: z.string() })).optional() });

interface Held {
  readonly talk: Talk;
  state: 'awaited' | 'open';
  timer: NodeJS.Timeout;
  /** Ends the sockets of an open one. */
  end: (reason: TalkEnd) => void;
}

export class TalkDesk implements Disposable {
  readonly #options: TalkDeskOptions;
  readonly #talks = new Map<string, Held>();
  /** Whom core is being asked for. */
  readonly #asking = new Set<string>();
  readonly #ending = new AbortController();
  #owed = 0;

  constructor(options: TalkDeskOptions) {
    this.#options = options;
  }

  /**
   * He may ask core for a talk, until the answer is disposed of. Throws TALK_OPEN (he speaks already), STREAMS_FULL. What he asked for
   * before and did not take up is over.
   */
  admit({ who }: Holder): Disposable {
    const own = [...this.#talks.values()].filter(({ talk }) => talk.holder.who === who);
    if (this.#asking.has(who) || own.some(({ state }) => state === 'open'))
      throw new CodedError('TALK_OPEN', 'you are speaking already, perhaps in another window: end that first');
    for (const { talk } of own) this.#drop(talk, 'another talk was begun');
    if (this.#talks.size + this.#asking.size >= mostTalks)
      throw new CodedError('STREAMS_FULL', `${mostTalks} people are speaking, which is the most`);
    this.#asking.add(who);
    return { [Symbol.dispose]: () => void this.#asking.delete(who) };
  }

  /** Core has taken it: it waits for its socket. */
  await(talk: Talk): void {
    const timer = setTimeout(() => this.#drop(talk, 'nobody began to speak'), openWithin);
    this.#talks.set(talk.session, { talk, state: 'awaited', timer, end: () => {} });
  }

  /** The talk of this session, for its one socket. `null`: there is none of his that waits. */
  awaited(session: string, holder: Holder): Talk | null {
    const held = this.#talks.get(session);
    if (held?.state !== 'awaited') return null;
    const { who, sessionId } = held.talk.holder;
    return who === holder.who && sessionId === holder.sessionId ? held.talk : null;
  }

  /** Its socket is there: from now on it is renewed. `end` is called when core says that it is over. */
  open(talk: Talk, end: (reason: TalkEnd) => void): void {
    const held = this.#talks.get(talk.session);
    if (held === undefined) return;
    clearTimeout(held.timer);
    held.state = 'open';
    held.end = end;
    held.timer = setInterval(() => void this.#renew(held), renewEvery);
    void this.#renew(held);
  }

  /** Its sockets are closed, whatever the reason. */
  close(talk: Talk, reason: TalkEnd | 'lost'): void {
    const held = this.#talks.get(talk.session);
    if (held === undefined) return;
    clearInterval(held.timer);
    this.#talks.delete(talk.session);
    if (reason !== 'stopped') void this.#stop(talk, reason);
  }

  /** Speaking, and about to. */
  get size(): number {
    return this.#talks.size;
  }

  [Symbol.dispose](): void {
    for (const held of [...this.#talks.values()]) {
      if (held.state === 'open') held.end('stopping');
      else this.#drop(held.talk, 'web is ending');
    }
    this.#ending.abort();
  }

  #drop(talk: Talk, why: string): void {
    const held = this.#talks.get(talk.session);
    if (held === undefined) return;
    clearTimeout(held.timer);
    this.#talks.delete(talk.session);
    void this.#stop(talk, why);
  }

  /** While core is away the voice goes on: what it says when it is back counts. */
  async #renew(held: Held): Promise<void> {
    const { rpc, log } = this.#options;
    const { talk } = held;
    try {
      const { goesOn } = renewed.parse(await rpc.call('broadcast.renew', { item: talk.item }, callPatience));
      if (!goesOn && this.#talks.get(talk.session) === held) return held.end('stopped');
      const { parts } = whyItem.parse(await rpc.call('broadcast.item', { id: talk.item }, callPatience));
      if (parts === undefined) return;
      talk.outputs = parts.length;
      talk.playing = parts.filter(({ state }) => state === 'playing').length;
    } catch (error) {
      if (!isAway(error)) log.error({ error, item: talk.item }, 'a live page cannot be renewed');
    }
  }

  /** Core is told until it answers: a second time does no harm, and its lease ends it as well. */
  async #stop({ item, actor }: Talk, why: string): Promise<void> {
    const { rpc, clock, log } = this.#options;
    if (this.#owed >= mostOwed) return;
    this.#owed += 1;
    const backoff = new Backoff({ first: 300, cap: 5_000 });
    const begun = clock.monotonic();
    try {
      while (clock.monotonic() - begun < stopPatience) {
        try {
          await rpc.call('broadcast.stop', { item, why: `live page: ${why}`, ...actor }, callPatience);
          return;
        } catch (error) {
          if (!isAway(error)) {
            log.error({ item, problem: messageOf(error) }, 'a live page cannot be stopped: its lease ends it');
            return;
          }
        }
        if (this.#ending.signal.aborted) return;
        await delay(backoff.next(), this.#ending.signal);
      }
    } finally {
      this.#owed -= 1;
    }
  }
}

function isAway(error: unknown): boolean {
  const code = codeOf(error);
  return ['RPC_AWAY', 'RPC_BUSY', 'TIMEOUT'].includes(code) || code.startsWith('STORE_');
}
