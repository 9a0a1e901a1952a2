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
/** One answer takes no longer once its turn has come, ms. */
const patience = 30_000;
const mostWaiting = 20;
/** Of them, of one person: a page asks two or three questions at once. */
const mostOfOne = 6;
/** Of a thread that nobody asks: its memory is worth more than the tenth of a second of a start. */
const idleMs = 5 * 60_000;
/** Answers kept, and the meters in all of them together: one meter of a report is some 2 kB. */
const mostKept = 60;
const fewestKept = 6;
const mostMetersKept = 12_000;
const dayMs = 86_400_000;

interface Waiting {
  readonly question: EnergyQuestion;
  readonly asker: string;
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
  /** Local dates on which people said that there are no lessons. */
  readonly holidays: () => Promise<readonly string[]>;
  /** Of one answer, ms; tests have less. */
  readonly patience?: number;
}

/** Where answers about energy are made, one after the other in a thread of its own, and kept as long as they hold. */
export class EnergyDesk implements AsyncDisposable {
  readonly #options: EnergyDeskOptions;
  readonly #kept = new Map<string, Kept>();
  /** In the order in which they were asked. */
  readonly #waiting = new Set<Waiting>();
  #asked: { readonly id: number; readonly one: Waiting; readonly timer: NodeJS.Timeout } | null = null;
  #lastAsker = '';
  #worker: Worker | null = null;
  #next = 1;
  #idle: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: EnergyDeskOptions) {
    this.#options = options;
  }

  /**
   * `visible`: ids of the meters that whoever asks sees; null: all. `keep`: for how long the answer holds, ms; it holds no longer
   * once somebody decides a step of a counter. `asker`: who asks; nobody takes all the places. Throws TOO_MANY_REQUESTS, TIMEOUT, and
   * what the reader throws.
   */
  async ask<Q extends keyof EnergyQuestions>(
    what: Q,
    ask: EnergyQuestions[Q]['ask'],
    visible: readonly string[] | null,
    keep: number,
    asker: string,
  ): Promise<EnergyQuestions[Q]['answer']> {
    const { clock } = this.#options;
    const holidays = await this.#options.holidays();
    const edition = `${this.#edition()} ${holidays.join()}`;
    const key = JSON.stringify([what, ask, visible, edition]);
    const known = this.#kept.get(key);
    if (known !== undefined && clock.monotonic() < known.until) {
      return known.answer as Promise<EnergyQuestions[Q]['answer']>;
    }
    const question = { what, ask, now: clock.now(), visible, holidays, edition } as EnergyQuestion;
    const answer = this.#put(question, asker) as Promise<EnergyQuestions[Q]['answer']>;
    this.#keep(key, { answer, until: clock.monotonic() + keep });
    return answer;
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const most = Math.max(fewestKept, Math.min(mostKept, mostMetersKept / this.#options.plan.meters.length));
    for (const old of this.#kept.keys()) {
      if (this.#kept.size <= most) break;
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

  #put(question: EnergyQuestion, asker: string): Promise<unknown> {
    if (this.#closed) return Promise.reject(new CodedError('TIMEOUT', 'this process is ending'));
    const refused = this.#whyNot(question, asker);
    if (refused !== null) return Promise.reject(new CodedError('TOO_MANY_REQUESTS', refused));
    if (this.#idle !== null) clearTimeout(this.#idle);
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.add({ question, asker, resolve, reject });
      this.#askNext();
    });
  }

  #whyNot({ what }: EnergyQuestion, asker: string): string | null {
    const others = [...this.#waiting, ...(this.#asked === null ? [] : [this.#asked.one])].filter(
      (one) => (one.question.what === 'today') === (what === 'today'),
    );
    if (others.length >= mostWaiting) return 'too much is being added up already: ask again soon';
    // What everybody looks at has one question for all who see the same.
    if (what === 'today' || others.filter((one) => one.asker === asker).length < mostOfOne) return null;
    return `${mostOfOne} of your questions are being added up already: wait for their answers`;
  }

  /** What everybody looks at first; then people in turn, each in the order in which he asked. */
  #askNext(): void {
    if (this.#asked !== null) return;
    const waiting = [...this.#waiting];
    const one =
      waiting.find(({ question }) => question.what === 'today') ??
      waiting.find(({ asker }) => asker !== this.#lastAsker) ??
      waiting[0];
    if (one === undefined) {
      this.#rest();
      return;
    }
    this.#waiting.delete(one);
    if (one.question.what !== 'today') this.#lastAsker = one.asker;
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const id = this.#next++;
    const limit = this.#options.patience ?? patience;
    const timer = setTimeout(() => {
      this.#end(worker, new CodedError('TIMEOUT', `adding up took longer than ${limit / 1_000} s: ask again`));
    }, limit);
    this.#asked = { id, one, timer };
    worker.postMessage({ id, question: one.question } satisfies ToEnergyThread);
  }

  /** The one who was asked has his answer, or never will; the next has his turn. */
  #settle(then: (one: Waiting) => void): void {
    if (this.#asked === null) return;
    const { one, timer } = this.#asked;
    clearTimeout(timer);
    this.#asked = null;
    then(one);
    this.#askNext();
  }

  #start(): Worker {
    const { reader: _reader, clock: _clock, holidays: _holidays, patience: _patience, ...options } = this.#options;
    const worker = new Worker(new URL('./energy-thread.ts', import.meta.url), {
      name: 'energy',
      workerData: options satisfies EnergyThreadOptions,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: youngMb },
    });
    worker.on('message', (message: FromEnergyThread) => {
      if (this.#worker !== worker || this.#asked?.id !== message.id) return;
      this.#settle((one) => {
        if ('answer' in message) one.resolve(message.answer as never);
        else one.reject(new CodedError(message.code, message.message));
      });
    });
    worker.on('error', (error) => this.#end(worker, error));
    worker.on('exit', () =>
      this.#end(worker, new CodedError('TIMEOUT', 'adding up ended without an answer: ask again')),
    );
    return worker;
  }

  /** Whoever was asked for hears why; the next question starts another thread. */
  #end(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    void worker.terminate();
    this.#settle((one) => one.reject(error instanceof Error ? error : new Error(messageOf(error))));
  }

  #rest(): void {
    if (this.#closed) return;
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
    const ending = new CodedError('TIMEOUT', 'this process is ending');
    for (const { reject } of this.#waiting) reject(ending);
    this.#waiting.clear();
    const worker = this.#worker;
    if (worker === null) return;
    this.#end(worker, ending);
    await worker.terminate();
  }
}
