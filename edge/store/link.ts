import { Worker } from 'node:worker_threads';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { Calls, FromThread, Method, ThreadOptions } from './wire.ts';

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: CodedError) => void;
  readonly timer: NodeJS.Timeout;
}

export interface LinkListeners {
  /** The thread ended without being asked to. */
  ended(error: CodedError): void;
  fault(fault: { code: string; message: string; active: boolean }): void;
}

/** Core's end of the port to one store thread: calls with answers, each with a time limit. */
export class StoreLink {
  /** Rejects with the reason why the database cannot be opened. */
  readonly opened: Promise<{ epoch: number; movedAside: string | null }>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #terminating = false;

  constructor(options: ThreadOptions, heapMb: number, listeners: LinkListeners) {
    this.#worker = new Worker(new URL('./thread.ts', import.meta.url), {
      name: 'store',
      workerData: options,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    let crash: unknown = null;
    let isOpen = false;
    this.opened = new Promise((resolve, reject) => {
      this.#worker.on('message', (message: FromThread) => {
        if (message.kind === 'opened') {
          isOpen = true;
          resolve({ epoch: message.epoch, movedAside: message.movedAside });
        } else if (message.kind === 'refused') reject(new CodedError(message.error.code, message.error.message));
        else if (message.kind === 'fault') listeners.fault(message);
        else this.#settle(message);
      });
      this.#worker.on('error', (error) => {
        crash = error;
      });
      this.#worker.on('exit', (code) => {
        const why = crash === null ? `exit code ${code}` : messageOf(crash);
        const error = new CodedError('STORE_CRASHED', `the store's thread ended: ${why}`, { cause: crash });
        reject(error);
        for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(error);
        if (isOpen && !this.#terminating) listeners.ended(error);
      });
    });
    // Whoever opens asks for it; until then a rejection must not count as unhandled.
    this.opened.catch(() => {});
  }

  call<M extends Method>(
    method: M,
    params: Calls[M]['params'],
    patience: number,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Calls[M]['result']> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const error = new CodedError(
          'STORE_TIMEOUT',
          `the store's thread did not answer ${method} within ${patience} ms`,
        );
        this.#take(id)?.reject(error);
      }, patience);
      this.#waiting.set(id, { resolve: (result) => resolve(result as Calls[M]['result']), reject, timer });
      if (method === 'close') this.#terminating = true;
      this.#worker.postMessage({ id, method, params }, transfer);
    });
  }

  async terminate(): Promise<void> {
    this.#terminating = true;
    await this.#worker.terminate();
  }

  #settle(message: Extract<FromThread, { kind: 'answer' | 'failed' }>): void {
    const waiting = this.#take(message.id);
    if (message.kind === 'answer') waiting?.resolve(message.result);
    else waiting?.reject(new CodedError(message.error.code, message.error.message));
  }

  #take(id: number): Waiting | null {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return null;
    clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    return waiting;
  }
}
