import type { Clock } from '#edge/runtime/clock.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';

/*
 * Who looked at which camera, and at what time of it: in the audit before the first picture leaves. A look lasts a while: whoever plays
 * on, or lets his list load its pictures, makes one line and not hundreds.
 */

/** `footage`: played back. `moments`: single pictures of it. `events`: pictures that came with events. */
export type LookKind = 'footage' | 'moments' | 'events';

export interface Actor {
  readonly who: string;
  readonly from: string;
}

interface Look {
  /** Of the footage, ms since epoch. */
  readonly from: number;
  readonly to: number;
  /** Monotonic. */
  readonly over: number;
  readonly told: Promise<unknown>;
}

/** How much footage one line stands for, and how long, ms. */
const spans: Readonly<Record<LookKind, number>> = { footage: 900_000, moments: 3_600_000, events: 900_000 };
const lasts = 900_000;
/** A player asks for the file before the one that it needs. */
const before = 60_000;
const mostLooks = 4_000;
const words: Readonly<Record<LookKind, string>> = {
  footage: 'look footage',
  moments: 'look pictures',
  events: 'look event pictures',
};

export class Looks {
  readonly #rpc: Pick<RpcClient, 'call'>;
  readonly #clock: Clock;
  /** The oldest first. */
  readonly #looks = new Map<string, Look[]>();
  #count = 0;

  constructor(rpc: Pick<RpcClient, 'call'>, clock: Clock) {
    this.#rpc = rpc;
    this.#clock = clock;
  }

  /** Resolves when the audit has it: nothing may be shown before. Throws what core's RPC throws. */
  async note(actor: Actor, camera: string, kind: LookKind, time: number): Promise<void> {
    const key = `${actor.who} ${actor.from} ${camera} ${kind}`;
    const now = this.#clock.monotonic();
    const known = (this.#looks.get(key) ?? []).filter(({ over }) => over > now);
    const same = known.find(({ from, to }) => time >= from && time < to);
    if (same !== undefined) {
      await same.told;
      return;
    }
    const look = this.#begin(actor, camera, kind, time, now);
    this.#remember(key, [...known, look]);
    try {
      await look.told;
    } catch (error) {
      this.#remember(
        key,
        (this.#looks.get(key) ?? []).filter((one) => one !== look),
      );
      throw error;
    }
  }

  /** Something is taken out: always a line of its own. */
  async export(actor: Actor, camera: string, why: string, span: string): Promise<void> {
    await this.#rpc.call('audit', { ...actor, what: `export footage ${camera}`, why, result: span });
  }

  #begin(actor: Actor, camera: string, kind: LookKind, time: number, now: number): Look {
    const to = time + spans[kind];
    const iso = (at: number) => new Date(at).toISOString();
    const told = this.#rpc.call('audit', {
      ...actor,
      what: `${words[kind]} ${camera}`,
      why: '',
      result: kind === 'events' ? `from ${iso(time)} on` : `${iso(time)} to at most ${iso(to)}`,
    });
    told.catch(() => {}); // whoever waits for it is told
    // Pictures of events are of many times; the line stands for the list.
    const range =
      kind === 'events'
        ? { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }
        : { from: time - before, to };
    return { ...range, over: now + lasts, told };
  }

  #remember(key: string, looks: Look[]): void {
    this.#count += looks.length - (this.#looks.get(key)?.length ?? 0);
    this.#looks.delete(key);
    if (looks.length > 0) this.#looks.set(key, looks);
    for (const [oldest, of] of this.#looks) {
      if (this.#count <= mostLooks) return;
      this.#looks.delete(oldest);
      this.#count -= of.length;
    }
  }
}
