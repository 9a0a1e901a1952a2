import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Knowledge } from './facts.ts';
import type { AbilityTimings } from './facts-timings.ts';

export interface KeeperOptions {
  readonly clock: Clock;
  readonly timings: AbilityTimings;
  readonly log: Log;
  readonly count: (outcome: string) => void;
  readonly signal: AbortSignal;
  readonly read: (signal: AbortSignal) => Promise<Knowledge>;
  /** `no`: it is left to the loop that brings it back. `later`: it answers, but not as it should; its events go first. */
  readonly mayAsk: () => 'now' | 'later' | 'no';
  readonly onKnowledge: (knowledge: Knowledge) => void;
}

/**
 * Keeps what is known of a camera fresh: read at each connection and every hour, never closer together than `factsGap`, and never
 * in the way of its events. What was known stays known while the camera is away.
 */
export class FactsKeeper {
  readonly #options: KeeperOptions;
  readonly #backoff: Backoff;
  readonly #first = Promise.withResolvers<void>();
  #known: Knowledge | null = null;
  #readAt = 0;
  #wake = new AbortController();
  #reading: Promise<Knowledge> | null = null;
  #running: Promise<void> | null = null;

  constructor(options: KeeperOptions) {
    this.#options = options;
    const { factsGap } = options.timings;
    this.#backoff = new Backoff({ first: factsGap, cap: Math.max(factsGap, options.timings.factsEvery / 4) });
  }

  get known(): Knowledge | null {
    return this.#known;
  }

  /** The camera has just let us in. */
  connected(): void {
    this.#wake.abort();
    this.#running ??= this.#run();
  }

  /** What is known; waits for the first reading of a camera that has just been opened, while `patience` lasts. */
  async wait(patience: AbortSignal): Promise<Knowledge | null> {
    if (this.#known !== null) return this.#known;
    const given = new Promise<void>((resolve) => patience.addEventListener('abort', () => resolve(), { once: true }));
    if (!patience.aborted) await Promise.race([this.#first.promise, given]);
    return this.#known;
  }

  /** Not older than `factsGap`: what is asked again and again in vain does not bother the camera each time. */
  async recent(): Promise<Knowledge> {
    const { clock, timings } = this.#options;
    if (this.#known !== null && clock.monotonic() - this.#readAt < timings.factsGap) return this.#known;
    return this.fresh();
  }

  /** Asks the camera now; whoever asks meanwhile gets the same answer. */
  fresh(): Promise<Knowledge> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #read(): Promise<Knowledge> {
    const { clock, read, signal, onKnowledge, count } = this.#options;
    const knowledge = await read(signal);
    this.#known = knowledge;
    this.#readAt = clock.monotonic();
    count('facts');
    this.#first.resolve();
    if (!signal.aborted) onKnowledge(knowledge);
    return knowledge;
  }

  async #run(): Promise<void> {
    const { timings, signal, count, log } = this.#options;
    for (let isCalled = true; !signal.aborted; isCalled = this.#wake.signal.aborted) {
      if (isCalled) await delay(timings.factsAfter, signal);
      if (signal.aborted) return;
      this.#wake = new AbortController();
      let pause = timings.factsEvery;
      try {
        if (await this.#mayAsk(isCalled)) {
          await this.fresh();
          this.#backoff.reset();
        }
      } catch (error) {
        if (signal.aborted) return;
        count('facts-failed');
        log.warn({ reason: messageOf(error) }, 'what the camera can do could not be read');
        pause = this.#backoff.next();
      }
      // Whatever the connection does meanwhile, the gap is kept.
      await delay(Math.min(timings.factsGap, pause), signal);
      await delay(Math.max(0, pause - timings.factsGap), AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  /** A camera that has just let us in gets some time to tell events: it may also have none to tell. */
  async #mayAsk(isCalled: boolean): Promise<boolean> {
    const { clock, timings, signal, mayAsk } = this.#options;
    const until = clock.monotonic() + timings.factsGap / 2;
    while (isCalled && mayAsk() === 'later' && clock.monotonic() < until && !signal.aborted) {
      await delay(timings.factsAfter, signal);
    }
    return !signal.aborted && mayAsk() !== 'no';
  }

  /** Resolves when nothing is asked any more; the signal has ended it. */
  async idle(): Promise<void> {
    await this.#running;
  }
}
