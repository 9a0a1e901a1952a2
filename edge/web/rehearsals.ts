import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { rehearsalSchema } from './rule-schemas.ts';

export type RehearsalView = z.infer<typeof rehearsalSchema>;

/** A rule's version as its file holds it; 0: it was never saved. */
export interface RehearsedVersion {
  readonly version: number;
  readonly body: unknown;
}

export interface RehearsalWish {
  readonly draft: RehearsedVersion;
  readonly live: RehearsedVersion | null;
  readonly from: number;
  readonly to: number;
}

export type RehearsalOutcome = Readonly<Pick<RehearsalView, 'samples' | 'draft' | 'live' | 'differences' | 'gaps'>>;

/** Runs one elsewhere. Rejects with what went wrong; `signal` ends it. */
export type RunRehearsal = (
  wish: RehearsalWish,
  onProgress: (share: number) => void,
  signal: AbortSignal,
) => Promise<RehearsalOutcome>;

const mostAtOnce = 2;
const mostKept = 20;
const keptFor = 3_600_000;
/** Nobody waits longer, ms. */
const patience = 10 * 60_000;

interface Entry {
  view: RehearsalView;
  readonly owner: string;
  readonly started: number;
  readonly ending: AbortController;
}

/** Rehearsals under way and their results, for an hour; each belongs to whoever began it. */
export class Rehearsals implements Disposable {
  readonly #run: RunRehearsal;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(run: RunRehearsal, clock: Clock) {
    this.#run = run;
    this.#clock = clock;
  }

  /** Throws TOO_MANY_REQUESTS while two are under way. */
  start(owner: string, wish: RehearsalWish): RehearsalView {
    this.#forget();
    const running = [...this.#entries.values()].filter(({ view }) => view.state === 'running');
    if (running.length >= mostAtOnce) {
      throw new CodedError(
        'TOO_MANY_REQUESTS',
        `${mostAtOnce} rehearsals are under way: wait for one to end, or end it`,
      );
    }
    const { from, to } = wish;
    const view: RehearsalView = {
      id: randomUUID(),
      state: 'running',
      progress: 0,
      message: '',
      from,
      to,
      took: null,
      samples: 0,
      draft: null,
      live: null,
      differences: [],
      gaps: [],
    };
    const entry: Entry = { view, owner, started: this.#clock.monotonic(), ending: new AbortController() };
    this.#entries.set(view.id, entry);
    const signal = AbortSignal.any([entry.ending.signal, AbortSignal.timeout(patience)]);
    const onProgress = (progress: number) => {
      entry.view = { ...entry.view, progress };
    };
    const settle = (end: Partial<RehearsalView>) => {
      if (entry.view.state !== 'running') return;
      entry.view = { ...entry.view, ...end, took: Math.round(this.#clock.monotonic() - entry.started) };
    };
    this.#run(wish, onProgress, signal).then(
      (outcome) => settle({ ...outcome, state: 'done', progress: 1 }),
      (error: unknown) => settle({ state: 'failed', message: messageOf(error).slice(0, 1_000) }),
    );
    return entry.view;
  }

  /** Throws REHEARSAL_NOT_FOUND, also for somebody else's. */
  get(id: string, owner: string): RehearsalView {
    return this.#find(id, owner).view;
  }

  end(id: string, owner: string): void {
    const entry = this.#find(id, owner);
    if (entry.view.state === 'running') entry.view = { ...entry.view, state: 'ended' };
    entry.ending.abort();
  }

  #find(id: string, owner: string): Entry {
    const entry = this.#entries.get(id);
    if (entry?.owner === owner) return entry;
    throw new CodedError('REHEARSAL_NOT_FOUND', `there is no rehearsal ${id}: results are kept for an hour`);
  }

  /** What is old, and what is too many: the oldest first. */
  #forget(): void {
    const now = this.#clock.monotonic();
    for (const [id, { started, view }] of this.#entries) {
      const isOver = now - started > keptFor || (this.#entries.size >= mostKept && view.state !== 'running');
      if (isOver) this.#entries.delete(id);
    }
  }

  [Symbol.dispose](): void {
    for (const { ending } of this.#entries.values()) ending.abort();
  }
}
