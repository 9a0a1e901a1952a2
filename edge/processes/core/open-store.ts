import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { delay, Ticker, within } from '#edge/runtime/lifecycle.ts';
import { openStore, type Store, type StoreOptions } from '#edge/store/store.ts';
import type { Restored } from '#edge/store/wire.ts';

/** What core uses of a store. */
export type CoreStore = Pick<
  Store,
  | 'append'
  | 'registerPoints'
  | 'preview'
  | 'summarise'
  | 'maintain'
  | 'outboxAcknowledge'
  | 'copy'
  | 'onFault'
  | typeof Symbol.asyncDispose
>;

export interface OpenedStore {
  readonly store: CoreStore;
  readonly restored: Restored;
  /** Why there is no store; null when there is one. */
  readonly fault: CodedError | null;
}

const attempts = 3;
const pause = 500;
/** A disk that takes longer to open its database must not keep the siren waiting, ms. */
const patience = 8_000;
const lookAgain = 10_000;

/**
 * The store, or one that refuses everything and says why. Fire does not wait for a disk to be mended: without a store
 * core judges and acts from nothing remembered, owes what it should have written, and gives alarm.
 */
export async function openStoreOrNone(options: StoreOptions): Promise<OpenedStore> {
  let fault = new CodedError('STORE_IO', 'not opened yet');
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) await delay(pause);
    try {
      return { ...(await openAndRestore(options)), fault: null };
    } catch (error) {
      fault = asFault(error);
    }
  }
  options.log.error({ code: fault.code, error: fault }, 'core starts without its store');
  return {
    store: noStore(fault),
    restored: { latest: [], alarms: [], holds: [], good: [], counterSteps: [], state: {}, epoch: 0 },
    fault,
  };
}

async function openAndRestore(options: StoreOptions): Promise<{ store: Store; restored: Restored }> {
  const opening = openStore(options);
  let store: Store;
  try {
    store = await within(patience, 'opening the store', opening);
  } catch (error) {
    // Should it open after all, it must not keep the next attempt out.
    opening.then((late) => late[Symbol.asyncDispose]()).catch(() => {});
    throw error;
  }
  try {
    return { store, restored: await within(patience, 'reading what was stored', store.restore()) };
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Looks for the store now and then. When it can be opened and nothing is tripped, `restart`: what was stored (holds,
 * latched trips, alarms) is then the truth again. While something is tripped only this process knows of it, and stays.
 */
export function watchForStore(
  options: StoreOptions,
  { isCalm, restart, every = lookAgain }: { isCalm: () => boolean; restart: () => void; every?: number },
): Disposable {
  return new Ticker(every, async () => {
    if (!isCalm()) return;
    try {
      const { store } = await openAndRestore(options);
      await store[Symbol.asyncDispose]();
    } catch {
      return; // its alarm stands
    }
    options.log.info({}, 'the store can be opened again: core starts anew to go on from it');
    restart();
  });
}

function noStore(fault: CodedError): CoreStore {
  const refuse = () => Promise.reject(new CodedError(fault.code, `there is no store: ${fault.message}`));
  return {
    append: refuse,
    registerPoints: refuse,
    preview: () => Promise.resolve(0),
    summarise: () => Promise.resolve(0),
    maintain: refuse,
    outboxAcknowledge: refuse,
    copy: refuse,
    onFault: (listener) => {
      listener({ code: fault.code, message: fault.message, since: 0, active: true });
      return () => {};
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function asFault(error: unknown): CodedError {
  return error instanceof CodedError
    ? error
    : new CodedError(codeOf(error) || 'STORE_IO', messageOf(error), { cause: error });
}
