import { createHash } from 'node:crypto';
import type { Device } from '#edge/domain/device.ts';
import type { ModbusProfile } from '#edge/profiles/profile.ts';

/** What a device taught us about itself, by what it refused. */
export interface Facts {
  /** Addresses that no read may run across: `<table>:<first address behind>`. */
  readonly barriers: readonly string[];
  /** Most registers it gives at once; absent: no limit of its own was met. */
  readonly max?: number;
  /** When the first of these was learned, ms: such things are forgotten after some weeks, devices get new firmware. */
  readonly since: number;
  /** What it does not have. */
  readonly refused: readonly Refusal[];
}

export interface Refusal {
  /** `<table>:<at>+<length>`. */
  readonly place: string;
  /** Not asked for again before, ms since epoch. */
  readonly until: number;
  /** How long it was put aside this time, ms. */
  readonly pause: number;
  readonly message: string;
}

/** Keeps facts over restarts. Nothing here throws or waits. */
export interface LearnedFacts {
  /** null: nothing is known of this device with this profile at this address. */
  recall(device: string, fingerprint: string): Facts | null;
  /** Replaces what is known; null forgets it. */
  keep(device: string, fingerprint: string, facts: Facts | null): void;
}

/** A value the device refuses is asked for again after some minutes, then ever more rarely, at last once a day. */
const refusedFirst = 60_000;
const refusedCap = 86_400_000;
const forgetAfter = 30 * 86_400_000;
/** What is learned beyond these is learned anew with each read. */
export const maxBarriers = 1_024;
export const maxRefused = 512;
/** Clocks are put right by less than this without a word, ms. */
const clockSlack = 3_600_000;
const maxMessage = 300;

/** The memory of one device. Times are ms since epoch. */
export class Teachings {
  readonly #barriers: Set<string>;
  readonly #refused: Map<string, Refusal>;
  #max: number | null;
  #since: number;

  constructor(facts: Facts | null, now: number) {
    const age = now - (facts?.since ?? 0);
    const isFresh = facts !== null && age > -clockSlack && age < forgetAfter;
    this.#barriers = new Set(isFresh ? facts.barriers : []);
    this.#max = isFresh ? (facts.max ?? null) : null;
    this.#since = isFresh ? facts.since : 0;
    // A pause that reaches further than any pause can was made by a clock that has been put right since.
    const known = facts?.refused.filter(({ until }) => until - now <= refusedCap) ?? [];
    this.#refused = new Map(known.map((refusal) => [refusal.place, refusal]));
  }

  get barriers(): ReadonlySet<string> {
    return this.#barriers;
  }

  /** Infinite when no limit was met. */
  get max(): number {
    return this.#max ?? Number.POSITIVE_INFINITY;
  }

  get refusals(): number {
    return this.#refused.size;
  }

  get firstMessage(): string | null {
    return this.#refused.values().next().value?.message ?? null;
  }

  facts(): Facts | null {
    if (this.#barriers.size === 0 && this.#refused.size === 0 && this.#max === null) return null;
    return {
      barriers: [...this.#barriers],
      ...(this.#max === null ? {} : { max: this.#max }),
      since: this.#since,
      refused: [...this.#refused.values()],
    };
  }

  /** false: there are too many to remember another one. */
  addBarrier(barrier: string, now: number): boolean {
    if (this.#barriers.size >= maxBarriers) return false;
    this.#started(now);
    this.#barriers.add(barrier);
    return true;
  }

  /** Not holes but the length was the trouble: `barriers` are gone, and no read is longer than `max`. */
  limit(max: number, barriers: readonly string[], now: number): void {
    this.#started(now);
    for (const barrier of barriers) this.#barriers.delete(barrier);
    this.#max = Math.min(max, this.max);
  }

  /** Puts a place aside, longer each time. */
  refuse(place: string, message: string, now: number): void {
    if (this.#refused.size >= maxRefused && !this.#refused.has(place)) return;
    const before = this.#refused.get(place)?.pause ?? refusedFirst / 4;
    const pause = Math.min(refusedCap, before * 4);
    this.#refused.set(place, { place, until: now + pause, pause, message: message.slice(0, maxMessage) });
  }

  /** true when it had been refused before. */
  accept(place: string): boolean {
    return this.#refused.size > 0 && this.#refused.delete(place);
  }

  /** When it may be asked for again; 0: now. */
  notBefore(place: string, now: number): number {
    const until = this.#refused.get(place)?.until ?? 0;
    return until > now && until - now <= refusedCap ? until : 0;
  }

  #started(now: number): void {
    if (this.#since === 0) this.#since = now;
  }
}

/** What was learned holds for this profile at this address and no other. */
export function fingerprintOf({ address }: Device, profile: ModbusProfile): string {
  return createHash('sha256')
    .update(JSON.stringify([address, profile]))
    .digest('base64url')
    .slice(0, 22);
}
