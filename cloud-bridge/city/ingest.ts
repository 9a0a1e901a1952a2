import { maxFrameBytes } from '#bridge/contract/frame.ts';
import { isLane, laneWindow } from '#bridge/contract/lanes.ts';
import { type Hello, type Nack, readHello, readWill } from '#bridge/contract/messages.ts';
import { parseUpTopic } from '#bridge/contract/topics.ts';
import type { Bus, InboundMessage } from '#edge/bus/bus.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { Answers } from './answers.ts';
import { type ArrivalLimits, Arrivals, type Waiting } from './arrivals.ts';
import { Presence } from './presence.ts';
import type { Arrival, Verdict } from './store.ts';
import type { Remote, WriteMethods } from './store-port.ts';

/*
 * Frames in the order they arrived, up to 20 in a transaction, then the acknowledgements. One queue for all campuses:
 * one TCP connection and one queue are what keeps a campus in order.
 */

export interface IngestLimits extends ArrivalLimits {
  /** Frames in one transaction. */
  readonly batch: number;
  /** Least pause between two nacks on one lane, ms: undamped, one lost frame makes a storm of them. */
  readonly nackEvery: number;
  /** What the edges are told. */
  readonly credit: number;
  readonly paceMs: number;
}

export const ingestLimits: IngestLimits = {
  batch: 20,
  queueBytes: 64 * 1_024 * 1_024,
  queuePerCampus: 256,
  nackEvery: 1_000,
  credit: laneWindow,
  paceMs: 0,
};

export interface IngestCounters {
  readonly applied: number;
  readonly duplicate: number;
  readonly gap: number;
  readonly refused: number;
  readonly unsupported: number;
  /** The queue was full. */
  readonly dropped: number;
  /** Not a topic or message of ours. */
  readonly unreadable: number;
  readonly failedCommits: number;
}

export interface IngestContext {
  readonly store: Remote<WriteMethods>;
  readonly bus: Pick<Bus, 'publish'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<IngestLimits>;
}

export class Ingest implements AsyncDisposable {
  readonly presence: Presence;
  readonly #context: IngestContext;
  readonly #limits: IngestLimits;
  readonly #arrivals: Arrivals;
  readonly #answers: Answers;
  /** When a lane was last told that something is missing; bounded by campuses times lanes. */
  readonly #nackedAt = new Map<string, number>();
  readonly #stop = new AbortController();
  readonly #counters = {
    applied: 0,
    duplicate: 0,
    gap: 0,
    refused: 0,
    unsupported: 0,
    unreadable: 0,
    failedCommits: 0,
  };
  #draining: Promise<void> | null = null;
  #fault: string | null = null;

  constructor(context: IngestContext) {
    this.#context = context;
    this.#limits = { ...ingestLimits, ...context.limits };
    this.#arrivals = new Arrivals(this.#limits);
    const { bus, clock, log } = context;
    const { credit, paceMs } = this.#limits;
    this.#answers = new Answers({ bus, clock, log, credit, paceMs });
    this.presence = new Presence(context.clock);
  }

  get counters(): IngestCounters {
    return { ...this.#counters, dropped: this.#arrivals.dropped };
  }

  /** What the last commit failed with; null when it worked. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Takes a message that the broker has authenticated. Never waits: an MQTT acknowledgement promises nothing here. */
  take(message: InboundMessage): void {
    try {
      this.#read(message);
    } catch (error) {
      // Bulkhead between campuses.
      this.#counters.unreadable += 1;
      this.#context.log.debug({ campus: message.client, reason: messageOf(error) }, 'a message is unreadable');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#draining;
    await this.#answers[Symbol.asyncDispose]();
  }

  #read(message: InboundMessage): void {
    const topic = parseUpTopic(message.topic);
    if (topic === null || topic.campus !== message.client) {
      this.#counters.unreadable += 1;
      return;
    }
    const { campus } = topic;
    const time = this.#context.clock.now();
    switch (topic.kind) {
      case 'lane':
        this.presence.heard(campus, null);
        if (message.payload.length > maxFrameBytes) this.#counters.refused += 1;
        else this.#add({ kind: 'frame', campus, arrival: { campus, lane: topic.lane, bytes: message.payload, time } });
        break;
      case 'hello': {
        const hello = readHello(message.payload);
        this.presence.heard(campus, hello.session);
        this.#add({ kind: 'hello', campus, hello, time });
        break;
      }
      case 'will':
        this.presence.left(campus, readWill(message.payload).session);
        break;
      case 'snapshot':
        // Reserved: nothing sends it yet.
        this.presence.heard(campus, null);
        break;
    }
  }

  #add(item: Waiting): void {
    if (this.#stop.signal.aborted) return;
    this.#arrivals.add(item);
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = null;
    });
  }

  async #drain(): Promise<void> {
    const backoff = new Backoff({ first: 100, cap: 10_000 });
    while (!this.#arrivals.isEmpty && !this.#stop.signal.aborted) {
      try {
        await this.#work(this.#arrivals.take(this.#limits.batch));
        if (this.#fault !== null) this.#context.log.info({}, 'commits work again');
        this.#fault = null;
        backoff.reset();
      } catch (error) {
        // Bulkhead: nothing of this batch was acknowledged, so the edges keep it and send it again.
        this.#counters.failedCommits += 1;
        if (this.#fault === null) this.#context.log.error({ error }, 'a commit failed');
        this.#fault = messageOf(error);
        await delay(backoff.next(), this.#stop.signal);
      }
    }
  }

  async #work(items: readonly Waiting[]): Promise<void> {
    const arrivals: Arrival[] = [];
    for (const item of items) {
      if (item.kind === 'hello') await this.#welcome(item.campus, item.hello, item.time);
      else arrivals.push(item.arrival);
    }
    if (arrivals.length > 0) this.#answer(await this.#apply(arrivals));
  }

  async #welcome(campus: string, hello: Hello, time: number): Promise<void> {
    const watermarks = await this.#context.store.hello(campus, hello, time);
    const lanes = Object.entries(watermarks).map(([lane, { epoch, seq, t0 }]) => {
      return [lane, { epoch, wm: seq, ...(t0 === null ? {} : { t0 }) }] as const;
    });
    this.#answers.acknowledge(campus, Object.fromEntries(lanes), hello.session);
  }

  /** What cannot be committed together is tried alone: one poisoned frame must not hold back 1,200 campuses. */
  async #apply(arrivals: readonly Arrival[]): Promise<readonly Verdict[]> {
    const { store, log } = this.#context;
    try {
      return await store.apply(arrivals);
    } catch (error) {
      // A disk that is full or broken is the same for every frame.
      if (arrivals.length === 1 || /^SQLITE_(FULL|IOERR|READONLY|CORRUPT)|^STORE_|^TIMEOUT/.test(codeOf(error)))
        throw error;
    }
    const verdicts: Verdict[] = [];
    for (const arrival of arrivals) {
      try {
        verdicts.push(...(await store.apply([arrival])));
      } catch (error) {
        this.#counters.failedCommits += 1;
        log.error({ campus: arrival.campus, lane: arrival.lane, error }, 'a frame could not be committed');
      }
    }
    return verdicts;
  }

  #answer(verdicts: readonly Verdict[]): void {
    for (const { campus, lane, outcome, epoch, seq, message } of verdicts) {
      this.#counters[outcome] += 1;
      switch (outcome) {
        case 'applied':
        case 'duplicate':
          this.#answers.acknowledge(campus, { [lane]: { epoch, wm: seq } });
          break;
        case 'gap':
        case 'unsupported': {
          if (!this.#mayNack(campus, lane)) break;
          const nack: Nack = { v: 1, kind: 'nack', lane, epoch: Math.max(1, epoch), expect: seq + 1, reason: outcome };
          this.#answers.miss(campus, message === '' ? nack : { ...nack, message: message.slice(0, 300) });
          break;
        }
        case 'refused':
          // Our own encoder cannot make one: somebody else holds this campus's password, or a bug.
          if (this.#mayNack(campus, lane))
            this.#context.log.warn({ campus, lane, reason: message }, 'a frame was refused');
          break;
      }
    }
  }

  #mayNack(campus: string, lane: string): boolean {
    const key = `${campus}/${isLane(lane) ? lane : '?'}`;
    const now = this.#context.clock.monotonic();
    const last = this.#nackedAt.get(key);
    if (last !== undefined && now - last < this.#limits.nackEvery) return false;
    this.#nackedAt.set(key, now);
    return true;
  }
}
