import { neighbourOf, TokenBucket } from '#edge/bus/admission.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';

/** A line of the audit, without its time: core sets it. */
export interface Note {
  readonly who: string;
  readonly from: string;
  readonly what: string;
  readonly why: string;
  readonly result: string;
}

const elsewhere = 'many addresses';

interface Counted {
  readonly note: Note;
  /** Not yet written. */
  waiting: number;
  since: number;
}

/** The same again within this is counted, not written, ms. */
const window = 60_000;
const mostKinds = 500;
/** New lines for strangers, and as many for everybody else: a flood of refusals is counted, not written. The audit is kept for half a year. */
const burst = 200;
const perSecond = 0.2;

/**
 * Writes what people did, and what they were refused, to the audit. Refusals can be had as often as somebody likes: the
 * same one (who, from where, what, result) has a line when it begins, and one a minute with how often it went on. Of a
 * flood of different ones some have lines, and the others one together.
 */
export class Notes implements AsyncDisposable {
  readonly #rpc: Pick<RpcClient, 'call'>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #counted = new Map<string, Counted>();
  readonly #ticker: Ticker;
  readonly #budgets: { readonly strangers: TokenBucket; readonly others: TokenBucket };
  #isAway = false;

  constructor({ rpc, clock, log }: { rpc: Pick<RpcClient, 'call'>; clock: Clock; log: Log }) {
    this.#rpc = rpc;
    this.#clock = clock;
    this.#log = log;
    this.#budgets = {
      strangers: new TokenBucket(perSecond, burst, clock),
      others: new TokenBucket(perSecond, burst, clock),
    };
    this.#ticker = new Ticker(window / 4, () => this.flush());
  }

  /** Resolves when it is on disk; rejects with what the RPC says (RPC_AWAY). */
  async write(note: Note): Promise<void> {
    await this.#rpc.call('audit', trimmed(note));
  }

  /** Never waits and never throws: while core is away it is counted further and written later. */
  count(note: Note): void {
    const key = keyOf(note);
    const known = this.#counted.get(key);
    if (known !== undefined) {
      known.waiting++;
      return;
    }
    if (this.#counted.size < mostKinds && this.#mayWrite(note)) {
      this.#counted.set(key, { note, waiting: 1, since: this.#clock.monotonic() });
      void this.#send(key);
    } else {
      this.#countElsewhere(note);
    }
  }

  /** Writes what is due; forgets what came to rest. */
  async flush(): Promise<void> {
    for (const [key, entry] of [...this.#counted]) {
      if (this.#clock.monotonic() - entry.since < window) continue;
      if (entry.waiting === 0) this.#counted.delete(key);
      else if (this.#mayWrite(entry.note)) await this.#send(key);
    }
  }

  #mayWrite({ who, from }: Note): boolean {
    if (from === elsewhere) return true;
    const budget = who === 'nobody' ? this.#budgets.strangers : this.#budgets.others;
    if (budget.available() < 1) return false;
    budget.spend(1);
    return true;
  }

  /** More different refusals than anybody would read: told together. */
  #countElsewhere({ what }: Note): void {
    const note = { who: 'nobody', from: elsewhere, what, why: '', result: 'refused' };
    const known = this.#counted.get(keyOf(note));
    if (known !== undefined) known.waiting++;
    else this.#counted.set(keyOf(note), { note, waiting: 1, since: this.#clock.monotonic() });
  }

  async #send(key: string): Promise<void> {
    const entry = this.#counted.get(key);
    if (entry === undefined) return;
    const { note, waiting } = entry;
    entry.waiting = 0;
    entry.since = this.#clock.monotonic();
    try {
      await this.write({ ...note, result: waiting > 1 ? `${note.result} (${waiting} times)` : note.result });
      this.#isAway = false;
    } catch (error) {
      entry.waiting += waiting;
      if (!this.#isAway) this.#log.warn({ problem: messageOf(error) }, 'refusals wait for core to be audited');
      this.#isAway = true;
    }
  }

  /** What was counted is written, if core is there. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ticker[Symbol.dispose]();
    for (const [key, entry] of this.#counted) if (entry.waiting > 0) await this.#send(key);
  }
}

function keyOf({ who, from, what, result }: Note): string {
  return [who, neighbourOf(from), what, result].join('\0');
}

/** Core's limits. */
function trimmed({ who, from, what, why, result }: Note): Note {
  return {
    who: who.slice(0, 100),
    from: from.slice(0, 100),
    what: what.slice(0, 300),
    why: why.slice(0, 300),
    result: result.slice(0, 300),
  };
}
