import { isIPv6 } from 'node:net';
import type { Clock } from '#edge/runtime/clock.ts';
import type { BrokerLimits } from './limits.ts';

/** A bucket of tokens: `burst` at once, then `perSecond`. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #time: number;

  constructor(perSecond: number, burst: number, clock: Clock) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#time = clock.monotonic();
  }

  /** What may be taken now. */
  available(): number {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#time) / 1000) * this.#perSecond);
    this.#time = now;
    return this.#tokens;
  }

  /** Takes `cost`, below zero if need be: the debt is paid first. */
  spend(cost: number): void {
    this.#tokens -= cost;
  }
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

/** What counts as one neighbour: an IPv4 address, or an IPv6 /64 (a host there has as many addresses as it likes). */
export function neighbourOf(address: string): string {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  if (!isIPv6(plain)) return plain;
  if (plain === '::1') return plain;
  const [head = '', tail] = (plain.split('%')[0] ?? '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  while (tail !== undefined && groups.length + rest.length < 8) groups.push('0');
  return `${[...groups, ...rest].slice(0, 4).join(':')}::/64`;
}

export type AdmissionRefusal = 'too-many-connections' | 'too-many-from-address' | 'connecting-too-fast';

interface Neighbour {
  count: number;
  readonly bucket: TokenBucket;
}

/** Neighbours that are remembered while they have no connection; the one that was quiet longest is forgotten first. */
const rememberedNeighbours = 4_096;

/** Decides at accept time, before a byte is read, who may have a connection. */
export class Admission {
  readonly #limits: BrokerLimits;
  readonly #clock: Clock;
  readonly #neighbours = new Map<string, Neighbour>();
  #total = 0;

  constructor(limits: BrokerLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get connections(): number {
    return this.#total;
  }

  /** null admits: `release` must follow once. */
  admit(address: string): AdmissionRefusal | null {
    const limits = this.#limits;
    const loopback = isLoopback(address);
    const neighbour = this.#neighbour(address, loopback);
    if (this.#total >= limits.connections) return 'too-many-connections';
    const most = loopback ? limits.connectionsFromLoopback : limits.connectionsPerAddress;
    if (neighbour.count >= most) return 'too-many-from-address';
    if (neighbour.bucket.available() < 1) return 'connecting-too-fast';
    neighbour.bucket.spend(1);
    neighbour.count += 1;
    this.#total += 1;
    return null;
  }

  release(address: string): void {
    const neighbour = this.#neighbours.get(neighbourOf(address));
    if (neighbour !== undefined) neighbour.count -= 1;
    this.#total -= 1;
  }

  #neighbour(address: string, loopback: boolean): Neighbour {
    const key = neighbourOf(address);
    const known = this.#neighbours.get(key);
    // Re-inserted, so that the map stays ordered by last use.
    if (known !== undefined) this.#neighbours.delete(key);
    const factor = loopback ? 10 : 1;
    const { connectsPerSecond, connectBurst } = this.#limits;
    const neighbour = known ?? {
      count: 0,
      bucket: new TokenBucket(connectsPerSecond * factor, connectBurst * factor, this.#clock),
    };
    this.#neighbours.set(key, neighbour);
    if (this.#neighbours.size > rememberedNeighbours) this.#forget();
    return neighbour;
  }

  #forget(): void {
    for (const [key, neighbour] of this.#neighbours) {
      if (neighbour.count > 0) continue;
      this.#neighbours.delete(key);
      return;
    }
  }
}
