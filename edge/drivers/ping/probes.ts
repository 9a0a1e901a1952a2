import { existsSync } from 'node:fs';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { echo } from './icmp.ts';
import type { Target } from './targets.ts';
import { knock } from './tcp-probe.ts';

/** What three probes of one host came to. */
export interface Probed {
  readonly reachable: boolean;
  /** Mean round trip, ms; null when nothing came back. */
  readonly latency: number | null;
  /** Share of the probes that were lost, 0 to 1. */
  readonly loss: number;
  /** `icmp`: by the system's ping; `tcp`: by opening a connection, refused ones count as answers. */
  readonly way: 'icmp' | 'tcp';
  /** ms since epoch UTC. */
  readonly at: number;
}

export interface ProbesOptions {
  readonly clock: Clock;
  readonly log: Pick<Log, 'info'>;
  /** Where a `ping` may be. */
  readonly programs?: readonly string[];
}

const usualPrograms = ['/usr/bin/ping', '/bin/ping', '/usr/sbin/ping', '/sbin/ping'];
/** Hosts at a time. A dead one takes 3 s: 500 of them are through in two minutes. */
const mostAtOnce = 16;
const mostKept = 4_096;

/**
 * Probes hosts without raw sockets: by the system's `ping` where there is one, else over TCP. Several devices behind one address are
 * one host; who asks while it is being probed gets that answer.
 */
export class Probes implements AsyncDisposable {
  readonly #options: ProbesOptions;
  readonly #ending = new AbortController();
  readonly #latest = new Map<string, Probed>();
  readonly #running = new Map<string, Promise<Probed>>();
  readonly #waiting: (() => void)[] = [];
  #atOnce = 0;
  #program: string | null;

  constructor(options: ProbesOptions) {
    this.#options = options;
    this.#program = (options.programs ?? usualPrograms).find((file) => existsSync(file)) ?? null;
    options.log.info({ program: this.#program ?? 'none: over TCP' }, 'hosts are probed');
  }

  get way(): Probed['way'] {
    return this.#program === null ? 'tcp' : 'icmp';
  }

  latest(target: Target): Probed | null {
    return this.#latest.get(keyOf(target)) ?? null;
  }

  /** Never rejects; after the end everything is unreachable. */
  probe(target: Target): Promise<Probed> {
    const key = keyOf(target);
    const known = this.#running.get(key);
    if (known !== undefined) return known;
    const run = this.#inTurn(target).then((probed) => {
      this.#running.delete(key);
      if (this.#latest.size >= mostKept) this.#latest.clear();
      this.#latest.set(key, probed);
      return probed;
    });
    this.#running.set(key, run);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    for (const go of this.#waiting.splice(0)) go();
    await Promise.all(this.#running.values());
  }

  async #inTurn(target: Target): Promise<Probed> {
    if (this.#atOnce >= mostAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#atOnce++;
    try {
      return await this.#now(target);
    } finally {
      this.#atOnce--;
      this.#waiting.shift()?.();
    }
  }

  async #now(target: Target): Promise<Probed> {
    const { clock, log } = this.#options;
    const { signal } = this.#ending;
    const program = this.#program;
    let way: Probed['way'] = 'tcp';
    let found = { sent: 0, received: 0, latency: null as number | null };
    try {
      if (program !== null && !signal.aborted) {
        found = await echo(program, target.host, signal);
        way = 'icmp';
      }
    } catch (error) {
      if (codeOf(error) !== 'PING_UNUSABLE') throw error;
      if (this.#program !== null) log.info({ error }, 'this ping is of no use: hosts are probed over TCP');
      this.#program = null;
    }
    if (way === 'tcp') found = await knock(target, clock, signal);
    const { sent, received, latency } = found;
    return {
      reachable: received > 0,
      latency: latency === null ? null : Math.round(latency * 100) / 100,
      loss: sent === 0 ? 1 : Math.round((1 - received / sent) * 100) / 100,
      way,
      at: clock.now(),
    };
  }
}

function keyOf({ host, port }: Target): string {
  return `${host.toLowerCase()} ${port}`;
}
