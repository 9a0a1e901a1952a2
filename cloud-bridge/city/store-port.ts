import { Worker } from 'node:worker_threads';
import type { Hello } from '#bridge/contract/messages.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { Arrival, Verdict, Watermark } from './store.ts';
import type { CampusStatus, GapRow, Summaries, SummaryQuery } from './store-queries.ts';

/** The broker's side of the store threads: plain calls that are answered after the work is done. */

export interface WriteMethods {
  /** Answers when the database is open and of the right shape. */
  ready(): void;
  apply(arrivals: readonly Arrival[]): readonly Verdict[];
  hello(campus: string, hello: Hello, time: number): Readonly<Record<string, Watermark>>;
  prune(before: number, limit: number): number;
  close(): void;
}

export interface ReadMethods {
  ready(): void;
  campuses(ids: readonly string[]): readonly CampusStatus[];
  summaries(query: SummaryQuery): Summaries;
  alarms(campus: string): readonly unknown[];
  events(campus: string, before: number): readonly unknown[];
  gaps(campus: string): readonly GapRow[];
  health(campus: string): readonly unknown[];
  close(): void;
}

export interface ThreadCall {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

export type ThreadReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string } };

export interface StoreThreadData {
  readonly mode: 'write' | 'read';
  readonly file: string;
  readonly logReceived: boolean;
  /** Negative control, ms between answer and commit; null: answer after the commit, as it must be. */
  readonly acknowledgeBeforeCommit: number | null;
}

/** The methods of a thread as seen from here: each answers a promise. */
export type Remote<M> = {
  readonly [K in keyof M]: M[K] extends (...params: infer P) => infer R ? (...params: P) => Promise<R> : never;
};

export interface StoreThread<M> extends AsyncDisposable {
  readonly call: Remote<M>;
}

/** A commit that takes longer than this is a dead disk, ms. */
const callTimeout = 60_000;
/** Calls that may wait at once; the callers themselves are few, so this is only reached when the disk hangs. */
const maxWaiting = 1_000;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * Starts a store thread. Calls reject with the thread's coded error (`SQLITE_FULL`), STORE_BUSY or TIMEOUT. A thread
 * that ends by itself is a bug or a broken database: the error is thrown in the main thread and ends the process.
 */
export function startStoreThread<M extends { close(): void }>(data: StoreThreadData): StoreThread<M> {
  const worker = new Worker(new URL('./store-thread.ts', import.meta.url), { workerData: data });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let closing = false;
  const failAll = (error: Error): void => {
    for (const call of waiting.values()) call.reject(error);
    waiting.clear();
  };
  worker.on('message', (reply: ThreadReply) => {
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('error' in reply) call?.reject(new CodedError(reply.error.code || 'STORE_FAILED', reply.error.message));
    else call?.resolve(reply.result);
  });
  worker.on('error', (error) => {
    const fault = error instanceof Error ? error : new Error(String(error));
    failAll(fault);
    throw new CodedError('STORE_THREAD', `the city's store thread ended: ${fault.message}`, { cause: fault });
  });
  worker.on('exit', (code) => {
    failAll(new CodedError('STORE_CLOSED', 'the store thread has ended'));
    if (!closing) throw new CodedError('STORE_THREAD', `the city's store thread ended with code ${code}`);
  });
  const invoke = (method: string, params: readonly unknown[]): Promise<unknown> => {
    if (waiting.size >= maxWaiting) {
      return Promise.reject(new CodedError('STORE_BUSY', `${waiting.size} calls wait for the store`));
    }
    const id = ++lastId;
    const answer = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }));
    worker.postMessage({ id, method, params } satisfies ThreadCall);
    return within(callTimeout, `the store's ${method}`, answer).finally(() => waiting.delete(id));
  };
  const call = new Proxy(
    {},
    {
      get:
        (_, method) =>
        (...params: unknown[]) =>
          invoke(String(method), params),
    },
  ) as Remote<M>;
  return {
    call,
    [Symbol.asyncDispose]: async () => {
      closing = true;
      try {
        await invoke('close', []);
      } finally {
        await worker.terminate();
      }
    },
  };
}
