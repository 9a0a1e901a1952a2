import type { Ack, Nack } from '#bridge/contract/messages.ts';
import { downTopic, shardOf } from '#bridge/contract/topics.ts';
import type { Bus } from '#edge/bus/bus.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';

export interface AnswersContext {
  readonly bus: Pick<Bus, 'publish'>;
  readonly clock: Clock;
  readonly log: Log;
  /** What every acknowledgement tells the edge. */
  readonly credit: number;
  readonly paceMs: number;
}

/** What a campus is to be told next. Watermarks are cumulative, so later ones replace earlier ones: never more than this. */
interface Pending {
  session: string | undefined;
  lanes: Record<string, Ack['lanes'][string]> | null;
  readonly nacks: Map<string, Nack>;
}

/**
 * Tells each campus at its own speed: one message at a time per campus, the latest word only. A campus that does not read
 * its acknowledgements holds back neither the commits nor the others.
 */
export class Answers implements AsyncDisposable {
  readonly #context: AnswersContext;
  /** Bounded by the number of campuses that have credentials here. */
  readonly #pending = new Map<string, Pending>();
  readonly #telling = new Map<string, Promise<void>>();

  constructor(context: AnswersContext) {
    this.#context = context;
  }

  /** `session` answers a hello. */
  acknowledge(campus: string, lanes: Ack['lanes'], session?: string): void {
    const pending = this.#of(campus);
    pending.lanes = { ...pending.lanes, ...lanes };
    pending.session = session ?? pending.session;
    this.#start(campus);
  }

  miss(campus: string, nack: Nack): void {
    this.#of(campus).nacks.set(nack.lane, nack);
    this.#start(campus);
  }

  /** Waits for what is being told. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#telling.values());
  }

  #of(campus: string): Pending {
    const known = this.#pending.get(campus);
    if (known !== undefined) return known;
    const fresh: Pending = { session: undefined, lanes: null, nacks: new Map() };
    this.#pending.set(campus, fresh);
    return fresh;
  }

  #start(campus: string): void {
    if (this.#telling.has(campus)) return;
    const telling = this.#tellAll(campus).finally(() => this.#telling.delete(campus));
    this.#telling.set(campus, telling);
  }

  async #tellAll(campus: string): Promise<void> {
    // What one batch has to say to a campus goes in one message.
    await Promise.resolve();
    for (let next = this.#pending.get(campus); next !== undefined; next = this.#pending.get(campus)) {
      this.#pending.delete(campus);
      if (next.lanes !== null) await this.#tell(campus, this.#ack(next.lanes, next.session));
      for (const nack of next.nacks.values()) await this.#tell(campus, nack);
    }
  }

  #ack(lanes: Ack['lanes'], session: string | undefined): Ack {
    const { credit, paceMs, clock } = this.#context;
    const ack: Ack = { v: 1, kind: 'ack', proto: 1, lanes, credit, paceMs, time: clock.now() };
    return session === undefined ? ack : { ...ack, session };
  }

  async #tell(campus: string, message: Ack | Nack): Promise<void> {
    const { bus, log } = this.#context;
    try {
      const topic = downTopic({ shard: shardOf(campus), campus }, 'ack');
      await within(5_000, 'telling a campus', bus.publish(topic, message, { qos: 1 }));
    } catch (error) {
      // Bulkhead between campuses: this one sends again and is told again.
      log.debug({ campus, reason: messageOf(error) }, 'a campus could not be told');
    }
  }
}
