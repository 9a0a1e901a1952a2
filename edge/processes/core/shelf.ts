import { rawRefOf } from '#edge/domain/counter.ts';
import type { Device } from '#edge/domain/device.ts';
import { pointRef } from '#edge/domain/ids.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { Store } from '#edge/store/store.ts';

type Registration = Parameters<Store['registerPoints']>[0][number];

/**
 * The store, which must know a point before its first reading. A registration that fails is tried again with the next
 * reading of such a point; what carries no reading of one never waits for it.
 */
export class Shelf {
  readonly #store: Pick<Store, 'append' | 'registerPoints'>;
  readonly #unknown = new Map<string, Registration>();
  #registering: Promise<void> | null = null;

  constructor(store: Pick<Store, 'append' | 'registerPoints'>) {
    this.#store = store;
  }

  register(devices: readonly Device[]): void {
    for (const registration of devices.flatMap(registrations)) this.#unknown.set(registration.ref, registration);
    this.#register().catch(() => {}); // tried again by whoever needs it
  }

  async append(batch: Batch): Promise<void> {
    const waits = () => batch.readings?.some(({ ref }) => this.#unknown.has(ref)) === true;
    // In this very turn when nothing is to be waited for: what was done is then in the store's hands before anything else.
    if (this.#unknown.size === 0 || !waits()) return this.#store.append(batch);
    await this.#register();
    if (waits()) await this.#register();
    return this.#store.append(batch);
  }

  #register(): Promise<void> {
    this.#registering ??= this.#registerAll().finally(() => {
      this.#registering = null;
    });
    return this.#registering;
  }

  async #registerAll(): Promise<void> {
    const due = [...this.#unknown.values()];
    if (due.length > 0) await this.#store.registerPoints(due);
    for (const registration of due) {
      if (this.#unknown.get(registration.ref) === registration) this.#unknown.delete(registration.ref);
    }
  }
}

function registrations(device: Device): Registration[] {
  return device.points.flatMap((point): Registration[] => {
    const { type, unit, staleAfter, counter } = point;
    const ref = pointRef(device.id, point.name);
    const plain = { ref, type, unit, staleAfter, counter: counter !== undefined };
    if (counter === undefined) return [plain];
    // What its meter shows while it is not believed is kept beside it.
    const raw = { ref: rawRefOf(ref), type, unit, staleAfter: 0, counter: false, raw: true };
    return [{ ...plain, ...(counter.wrap === undefined ? {} : { wrap: counter.wrap }) }, raw];
  });
}
