import { createHash } from 'node:crypto';
import type { Notice, NoticeState } from '#edge/domain/notice.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { NotifyRecipient } from '#edge/runtime/site-notify.ts';
import { Backlog, isCritical, type Waiting } from './backlog.ts';
import type { Channel, Message, Outcome } from './channel.ts';
import { Circuit, type CircuitOptions } from './circuit.ts';
import { Pace } from './pace.ts';
import { digestOf, type Sender, wordsOf } from './words.ts';

/** What became of a notice, or of a try: state `queued` says that it is tried again at `at`. */
export interface Settlement {
  readonly id: Notice['id'];
  readonly about: string;
  readonly state: NoticeState;
  readonly attempts: number;
  /** When it is tried next, or when it was settled; ms since epoch. */
  readonly at: number;
  readonly detail: string;
}

export interface LaneOptions {
  readonly channel: Channel;
  readonly recipients: ReadonlyMap<string, NotifyRecipient>;
  readonly sender: Sender;
  readonly settle: (settlement: Settlement) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly tuning?: LaneTuning;
}

export interface LaneTuning {
  readonly circuit?: Partial<CircuitOptions>;
  /** First and longest pause of one notice between two tries, ms. */
  readonly retry?: { readonly first: number; readonly cap: number };
}

/** Who has not taken it by then never will. */
const mostAttempts = 60;
const usualCircuit: CircuitOptions = { failures: 3, first: 10_000, cap: 300_000 };
const usualRetry = { first: 5_000, cap: 300_000 };

/**
 * One channel: what waits for it, in which order, how fast, and how its far end fares. Lanes know nothing of each other, so a dead
 * gateway delays nobody else. Its owner calls `pump` often; nothing here has a timer.
 */
export class Lane implements AsyncDisposable {
  readonly #options: LaneOptions;
  readonly #backlog: Backlog;
  readonly #underWay = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  readonly #pace: Pace;
  readonly #circuit: Circuit;
  readonly #retry: { readonly first: number; readonly cap: number };
  #filesProblem = '';
  #delivered = 0;
  #failed = 0;
  #lastDelivered: number | null = null;

  constructor(options: LaneOptions) {
    this.#options = options;
    const { channel, clock, tuning = {} } = options;
    this.#pace = new Pace(channel.pace);
    this.#circuit = new Circuit({ ...usualCircuit, ...tuning.circuit }, clock);
    this.#retry = tuning.retry ?? usualRetry;
    this.#backlog = new Backlog(clock, this.#retry.cap);
  }

  get health() {
    const { isOpen, problem, brokenSince } = this.#circuit;
    return {
      queued: this.#backlog.size,
      delivered: this.#delivered,
      failed: this.#failed,
      lastDelivered: this.#lastDelivered,
      isOpen,
      brokenSince,
      problem: problem === '' ? this.#filesProblem : problem,
      isMisconfigured: this.#filesProblem !== '',
    };
  }

  get size(): number {
    return this.#backlog.size;
  }

  has(id: string): boolean {
    return this.#backlog.has(id);
  }

  add(notice: Notice): void {
    this.#backlog.add(notice);
  }

  /** Somebody else settled the others: an acknowledged alarm needs no more words. What is under way goes on. */
  keepOnly(queued: ReadonlySet<string>): void {
    this.#backlog.keepOnly(queued);
  }

  /** What was sent before this process began counts as well: a robot shuts out whoever starts anew too often. */
  remember(time: number): void {
    const { clock } = this.#options;
    const age = clock.now() - time;
    if (age >= 0) this.#pace.note(clock.monotonic() - age);
  }

  /** Looks at the files of the channel, so that a mistake is seen before the first alarm. */
  async check(): Promise<void> {
    try {
      this.#filesProblem = (await this.#options.channel.check()) ?? '';
    } catch (error) {
      this.#filesProblem = messageOf(error);
    }
  }

  /** Starts whatever may be started now. */
  pump(): void {
    this.#expire();
    const { channel, clock } = this.#options;
    const now = clock.monotonic();
    while (!this.#ending.signal.aborted && this.#underWay.size < this.#circuit.width(channel.width)) {
      const batch = this.#backlog.next((one) => this.#pace.allows(now, isCritical(one)));
      if (batch === null) return;
      this.#pace.note(now);
      this.#start(batch);
    }
  }

  #start(batch: readonly Waiting[]): void {
    for (const waiting of batch) waiting.isUnderWay = true;
    const work: Promise<void> = this.#send(batch).finally(() => {
      for (const waiting of batch) waiting.isUnderWay = false;
      this.#underWay.delete(work);
    });
    this.#underWay.add(work);
  }

  #expire(): void {
    const { clock, settle } = this.#options;
    for (const { notice, attempts, detail } of this.#backlog.takeExpired()) {
      this.#failed++;
      settle({
        id: notice.id,
        about: notice.about,
        state: 'expired',
        attempts,
        at: clock.now(),
        detail: detail === '' ? 'its time was over before it could be sent' : detail,
      });
    }
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const { channel, recipients } = this.#options;
    const [first] = batch;
    if (first === undefined) return;
    const { recipient } = first.notice;
    const to = recipient === null ? null : (recipients.get(recipient) ?? null);
    if (recipient !== null && to === null) {
      this.#close(batch, 'failed', 'the site file has no such recipient any more');
      return;
    }
    const outcome = await this.#attempt(channel, this.#messageOf(batch), to);
    if (outcome === null) return;
    this.#take(batch, outcome);
  }

  /** null: we are stopping, so it is not known what became of it. */
  async #attempt(channel: Channel, message: Message, to: NotifyRecipient | null): Promise<Outcome | null> {
    const { signal } = this.#ending;
    try {
      const outcome = await channel.send(message, to, signal);
      this.#filesProblem = '';
      return signal.aborted && outcome.kind !== 'delivered' ? null : outcome;
    } catch (error) {
      if (signal.aborted) return null;
      const { id } = channel.config;
      this.#options.log.debug({ channel: id, why: messageOf(error) }, 'a notice could not be sent');
      return { kind: 'broken', detail: messageOf(error) };
    }
  }

  #messageOf(batch: readonly Waiting[]): Message {
    const { sender, channel } = this.#options;
    const { language } = channel.config;
    const notices = batch.map(({ notice }) => notice);
    const [first, ...others] = notices;
    if (first === undefined) throw new Error('a message of nothing');
    if (others.length === 0) return { id: first.id, class: first.class, words: wordsOf(first, language, sender) };
    // Another id for another set: who has seen one of them must not take the rest for a repetition.
    const id = createHash('sha256')
      .update(notices.map((notice) => notice.id).join())
      .digest('hex')
      .slice(0, 32);
    return { id, class: first.class, words: digestOf(notices, language, sender) };
  }

  #take(batch: readonly Waiting[], outcome: Outcome): void {
    const { clock } = this.#options;
    const before = this.#circuit.brokenSince;
    switch (outcome.kind) {
      case 'delivered':
        this.#circuit.succeed();
        this.#lastDelivered = clock.now();
        this.#deliver(batch, outcome.detail);
        break;
      case 'refused':
        // It spoke to us: the channel works.
        this.#circuit.succeed();
        this.#close(batch, 'failed', outcome.detail);
        break;
      case 'later':
        this.#circuit.succeed();
        this.#again(batch, outcome.detail, 0);
        break;
      case 'limited':
        this.#circuit.pause(outcome.after);
        this.#again(batch, outcome.detail, outcome.after);
        break;
      case 'broken':
        this.#circuit.fail(outcome.detail);
        this.#again(batch, outcome.detail, 0);
        break;
    }
    this.#logTransition(before, outcome);
  }

  #logTransition(before: number | null, { detail }: Outcome): void {
    const { channel, log } = this.#options;
    const { brokenSince } = this.#circuit;
    const fields = { channel: channel.config.id, kind: channel.config.kind };
    if (before === null && brokenSince !== null)
      log.warn({ ...fields, why: detail }, 'a channel for notices does not work');
    if (before !== null && brokenSince === null) log.info(fields, 'a channel for notices works again');
  }

  #deliver(batch: readonly Waiting[], detail: string): void {
    const { clock, settle } = this.#options;
    const [first] = batch;
    for (const waiting of batch) {
      const { notice, attempts } = waiting;
      this.#backlog.remove(waiting);
      const isFirst = notice.id === first?.notice.id;
      if (isFirst) this.#delivered++;
      settle({
        id: notice.id,
        about: notice.about,
        state: isFirst ? 'delivered' : 'merged',
        attempts: attempts + 1,
        at: clock.now(),
        detail: isFirst
          ? batch.length === 1
            ? detail
            : `${detail}; told together with ${batch.length - 1} others`
          : `told with ${first?.notice.id ?? ''}`,
      });
    }
  }

  #close(batch: readonly Waiting[], state: 'failed', detail: string): void {
    const { clock, settle } = this.#options;
    if (batch.length > 1) {
      for (const waiting of batch) waiting.isAlone = true;
      this.#again(batch, detail, 0);
      return;
    }
    for (const waiting of batch) {
      const { notice, attempts } = waiting;
      this.#backlog.remove(waiting);
      this.#failed++;
      settle({ id: notice.id, about: notice.about, state, attempts: attempts + 1, at: clock.now(), detail });
    }
  }

  #again(batch: readonly Waiting[], detail: string, atLeast: number): void {
    const { clock, settle } = this.#options;
    const { first, cap } = this.#retry;
    for (const waiting of batch) {
      const { notice } = waiting;
      waiting.attempts++;
      waiting.detail = detail;
      if (waiting.attempts >= mostAttempts) {
        this.#backlog.remove(waiting);
        this.#failed++;
        settle({
          id: notice.id,
          about: notice.about,
          state: 'failed',
          attempts: waiting.attempts,
          at: clock.now(),
          detail,
        });
        continue;
      }
      const pause = Math.min(cap, first * 2 ** Math.min(waiting.attempts - 1, 20)) * (0.5 + 0.5 * Math.random());
      const wait = Math.max(atLeast, Math.round(pause));
      waiting.next = clock.monotonic() + wait;
      settle({
        id: notice.id,
        about: notice.about,
        state: 'queued',
        attempts: waiting.attempts,
        at: clock.now() + wait,
        detail,
      });
    }
  }

  /** What is under way gets its end, or is let go: it is still queued on disk. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await Promise.allSettled(this.#underWay);
  }
}
