import { Worker } from 'node:worker_threads';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { Reader } from '#edge/store/reader.ts';
import type {
  EnergyQuestion,
  EnergyQuestions,
  EnergyThreadOptions,
  FromEnergyThread,
  ToEnergyThread,
} from './energy-thread.ts';

const heapMb = 192;
/** What it makes dies young: with the usual size of that part a month of forty meters grows this process by 200 MB, with this by 90. */
const youngMb = 16;
/** Nobody waits longer for one answer, ms. */
const patience = 30_000;
const mostWaiting = 20;
/** Of a thread that nobody asks: its memory is worth more than the tenth of a second of a start. */
const idleMs = 5 * 60_000;
/** Answers kept; one of forty meters is some 60 kB. */
const mostKept = 60;
const dayMs = 86_400_000;

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

interface Kept {
  readonly answer: Promise<unknown>;
  readonly until: number;
}

export interface EnergyDeskOptions extends EnergyThreadOptions {
  readonly reader: Pick<Reader, 'counterSteps'>;
  readonly clock: Clock;
  /** Of one answer, ms; tests have less. */
  readonly patience?: number;
}

/** Where answers about energy are made, one after the other in a thread of its own, and kept as long as they hold. */
export class EnergyDesk implements AsyncDisposable {
  readonly #options: EnergyDeskOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #next = 1;
  #idle: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: EnergyDeskOptions) {
    this.#options = options;
  }

  /**
   * `visible`: ids of the meters that whoever asks sees; null: all. `keep`: for how long the answer holds, ms; it holds no longer
   * once somebody decides a step of a counter. Throws TOO_MANY_REQUESTS, TIMEOUT, and what the reader throws.
   */
  async ask<Q extends keyof EnergyQuestions>(
    what: Q,
    ask: EnergyQuestions[Q]['ask'],
    visible: readonly string[] | null,
    keep: number,
  ): Promise<EnergyQuestions[Q]['answer']> {
    const { clock } = this.#options;
    const edition = this.#edition();
    const key = JSON.stringify([what, ask, visible, edition]);
    const known = this.#kept.get(key);
    if (known !== undefined && clock.monotonic() < known.until) {
      return known.answer as Promise<EnergyQuestions[Q]['answer']>;
    }
    const question = { what, ask, now: clock.now(), visible, edition } as EnergyQuestion;
    const answer = this.#put(question) as Promise<EnergyQuestions[Q]['answer']>;
    this.#keep(key, { answer, until: clock.monotonic() + keep });
    return answer;
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    for (const old of this.#kept.keys()) {
      if (this.#kept.size <= mostKept) break;
      this.#kept.delete(old);
    }
    kept.answer.catch(() => {
      // What failed is not kept: whoever asks next tries again.
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
    });
  }

  /** What people decided about counters, of the last year and a bit: each decision changes history. */
  #edition(): string {
    const { reader, clock } = this.#options;
    const steps = reader.counterSteps({ from: clock.now() - 400 * dayMs, limit: 1_000 });
    const decided = steps.filter(({ state }) => state !== 'open');
    const latest = decided.reduce((time, one) => Math.max(time, one.decided?.time ?? one.lastTime), 0);
    return `${decided.length}/${latest}`;
  }

  #put(question: EnergyQuestion): Promise<unknown> {
    if (this.#closed) return Promise.reject(new CodedError('TIMEOUT', 'this process is ending'));
    if (this.#waiting.size >= mostWaiting) {
      return Promise.reject(new CodedError('TOO_MANY_REQUESTS', 'too much is being added up already: ask again soon'));
    }
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const id = this.#next++;
    if (this.#idle !== null) clearTimeout(this.#idle);
    const limit = this.#options.patience ?? patience;
    return new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#end(worker, new CodedError('TIMEOUT', `adding up took longer than ${limit / 1_000} s: ask again`));
      }, limit);
      const settled =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          this.#waiting.delete(id);
          this.#rest();
          then(value);
        };
      this.#waiting.set(id, { resolve: settled(resolve), reject: settled(reject) });
      worker.postMessage({ id, question } satisfies ToEnergyThread);
    });
  }

  #start(): Worker {
    const { reader: _reader, clock: _clock, patience: _patience, ...options } = this.#options;
    const worker = new Worker(new URL('./energy-thread.ts', import.meta.url), {
      name: 'energy',
      workerData: options satisfies EnergyThreadOptions,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: youngMb },
    });
    worker.on('message', (message: FromEnergyThread) => {
      const waiting = this.#waiting.get(message.id);
      if ('answer' in message) waiting?.resolve(message.answer as never);
      else waiting?.reject(new CodedError(message.code, message.message));
    });
    worker.on('error', (error) => this.#end(worker, error));
    worker.on('exit', () =>
      this.#end(worker, new CodedError('TIMEOUT', 'adding up ended without an answer: ask again')),
    );
    return worker;
  }

  /** Whoever waits hears why; the next question starts another. */
  #end(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const why = error instanceof Error ? error : new Error(messageOf(error));
    for (const { reject } of [...this.#waiting.values()]) reject(why);
    void worker.terminate();
  }

  #rest(): void {
    if (this.#waiting.size > 0 || this.#closed) return;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      const worker = this.#worker;
      this.#worker = null;
      void worker?.terminate();
    }, idleMs).unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    if (this.#idle !== null) clearTimeout(this.#idle);
    const worker = this.#worker;
    if (worker === null) return;
    this.#end(worker, new CodedError('TIMEOUT', 'this process is ending'));
    await worker.terminate();
  }
}
