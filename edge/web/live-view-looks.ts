import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';

/*
 * Who watched which camera live, in the audit. Whoever goes on watching, or comes back within a quarter of an hour, makes one line. While
 * core is away the gatehouse still sees its cameras: what is owed is written when core is back, with the time it happened.
 */

interface Line {
  readonly who: string;
  readonly from: string;
  readonly what: string;
  readonly why: string;
  readonly result: string;
}

/** After the last picture, ms. */
const merged = 900_000;
const mostKnown = 4_000;
const mostOwed = 1_000;
const tryEvery = 5_000;

export class LiveLooks implements Disposable {
  readonly #rpc: Pick<RpcClient, 'call'>;
  readonly #clock: Clock;
  readonly #log: Log;
  /** How often he watches it now, and until when another look is the same (monotonic ms). The oldest first. */
  readonly #known = new Map<string, { open: number; until: number }>();
  readonly #ticker: Ticker;
  #owed: Line[] = [];
  /** Lines that found no room while core was away. */
  lost = 0;

  constructor(rpc: Pick<RpcClient, 'call'>, clock: Clock, log: Log) {
    this.#rpc = rpc;
    this.#clock = clock;
    this.#log = log;
    this.#ticker = new Ticker(tryEvery, () => this.#pay());
  }

  /** Somebody begins to watch; the disposable says that he stopped. */
  begin(actor: { readonly who: string; readonly from: string }, camera: string, role: string): Disposable {
    const key = `${actor.who} ${actor.from} ${camera}`;
    const now = this.#clock.monotonic();
    const known = this.#known.get(key);
    const look = known ?? { open: 0, until: Number.NEGATIVE_INFINITY };
    if (look.open === 0 && look.until < now) {
      const at = new Date(this.#clock.now()).toISOString();
      this.#owe({ ...actor, what: `look live ${camera}`, why: '', result: `${role}, from ${at} on` });
    }
    look.open += 1;
    this.#known.delete(key);
    this.#known.set(key, look);
    this.#forget();
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        look.open -= 1;
        look.until = this.#clock.monotonic() + merged;
      },
    };
  }

  [Symbol.dispose](): void {
    this.#ticker[Symbol.dispose]();
  }

  #owe(line: Line): void {
    if (this.#owed.length >= mostOwed) this.lost += 1;
    else this.#owed.push(line);
    void this.#pay();
  }

  async #pay(): Promise<void> {
    const lines = this.#owed;
    this.#owed = [];
    for (const [index, line] of lines.entries()) {
      try {
        await this.#rpc.call('audit', line);
      } catch (error) {
        if (isAway(error)) {
          this.#owed = [...lines.slice(index), ...this.#owed];
          return;
        }
        this.lost += 1;
        this.#log.error({ error, line: line.what, who: line.who }, 'the audit does not take who watched a camera');
      }
    }
  }

  #forget(): void {
    for (const [key, { open }] of this.#known) {
      if (this.#known.size <= mostKnown) return;
      if (open === 0) this.#known.delete(key);
    }
  }
}

/** Core, its store or its disk is not there now. */
function isAway(error: unknown): boolean {
  const code = codeOf(error);
  return ['RPC_AWAY', 'RPC_BUSY', 'TIMEOUT'].includes(code) || code.startsWith('STORE_');
}
