import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Backoff } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Settlement } from './lane.ts';

/** Core was away, busy or slow: the same is said again. Whatever else it answers will not change. */
const again = new Set(['RPC_AWAY', 'RPC_BUSY', 'TIMEOUT', 'RPC_FAILED', 'STORE_OVERLOADED', 'STORE_IO', 'STORE_STUCK']);
/** Under way at once: core writes them in one commit. */
const width = 8;

export interface SettlementsOptions {
  /** Resolves when it is on disk. Rejects with a coded error. */
  readonly settle: (settlement: Settlement) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
  /** First and longest pause while core is away, ms. */
  readonly retry?: { readonly first: number; readonly cap: number };
}

/**
 * What is known of notices and not yet on disk. Of each the latest word only; what is final is said before what is not. A crash
 * meanwhile sends those again that were delivered: better twice than never.
 */
export class Settlements {
  readonly #options: SettlementsOptions;
  readonly #pending = new Map<string, Settlement>();
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #backoff: Backoff;
  #notBefore = 0;
  #isAway = false;

  constructor(options: SettlementsOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.retry ?? { first: 1_000, cap: 30_000 });
  }

  get size(): number {
    return this.#pending.size;
  }

  /** It is over, whatever the disk still says. */
  isFinal(id: string): boolean {
    const known = this.#pending.get(id);
    return known !== undefined && known.state !== 'queued';
  }

  add(settlement: Settlement): void {
    this.#pending.delete(settlement.id);
    this.#pending.set(settlement.id, settlement);
  }

  pump(): void {
    if (this.#options.clock.monotonic() < this.#notBefore) return;
    const free = [...this.#pending.values()].filter(({ id }) => !this.#underWay.has(id));
    const final = free.filter(({ state }) => state !== 'queued');
    const rest = free.filter(({ state }) => state === 'queued');
    const room = (this.#isAway ? 1 : width) - this.#underWay.size;
    for (const settlement of [...final, ...rest].slice(0, Math.max(0, room))) {
      const work = this.#tell(settlement).finally(() => this.#underWay.delete(settlement.id));
      this.#underWay.set(settlement.id, work);
    }
  }

  /** Whatever can be said now is said. */
  async drain(): Promise<void> {
    while (!this.#isAway && this.#pending.size > 0) {
      this.pump();
      if (this.#underWay.size === 0) return;
      await Promise.all(this.#underWay.values());
    }
  }

  async #tell(settlement: Settlement): Promise<void> {
    const { settle, clock, log } = this.#options;
    try {
      await settle(settlement);
      this.#isAway = false;
      this.#backoff.reset();
    } catch (error) {
      if (again.has(codeOf(error))) {
        this.#isAway = true;
        this.#notBefore = clock.monotonic() + this.#backoff.next();
        return;
      }
      log.error({ notice: settlement.id, why: messageOf(error) }, 'core does not take what became of a notice');
    }
    // Unless something newer was said meanwhile.
    if (this.#pending.get(settlement.id) === settlement) this.#pending.delete(settlement.id);
  }
}
