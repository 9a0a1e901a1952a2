import type { BusUnitHealth } from '#edge/domain/health.ts';
import { Backoff } from '#edge/runtime/lifecycle.ts';

/** So many timeouts in a row, and nothing heard for so long (ms): a unit counts as silent and is asked ever more rarely. */
const silentAfter = { misses: 2, ms: 3_000 };
/** Pauses between probes of a silent unit, ms; longer once it was silent for `longSilence`. */
const probes = { first: 500, cap: 10_000 };
const rareProbes = { first: 30_000, cap: 60_000 };
const longSilence = 600_000;
/** A silent unit is probed with so short a timeout, but every third time with its full one: it may be slow. */
const probeTimeout = 250;
/** Measured answer times say nothing before so many, and no timeout is shorter than the floor. */
const enoughAnswers = 8;
const timeoutFloor = 250;
/** The timers of Node are kept in one list per duration: round ones stay few. */
const timeoutStep = 50;
const latencyRing = 64;
/** A unit whose share of garbled answers is over the first while that of all others is under the second. */
const garbled = { own: 0.2, others: 0.05, enough: 20 };
/** How long evidence of two devices with one id counts, ms. */
const sharedFor = 600_000;
const maxMessage = 240;

/** What is known of one unit of a line, and how it is to be treated. Times are monotonic ms but for `lastFailure`. */
export class Unit {
  readonly key: string;
  device = '';
  requests = 0;
  timeouts = 0;
  crcErrors = 0;
  exceptions = 0;
  /** Smoothed answer time, ms; null before the first answer. */
  latency: number | null = null;
  lastHeard = Number.NEGATIVE_INFINITY;
  nextProbe = 0;
  lastFailure: BusUnitHealth['lastFailure'] = null;
  /** Smoothed share of garbled answers. */
  garbled = 0;
  /** When it was last listened to for a second answer. */
  listened = Number.NEGATIVE_INFINITY;
  #answers = 0;
  #misses = 0;
  #isSilent = false;
  #silentSince = 0;
  #isConfusing = false;
  #probesSent = 0;
  /** Longest answer time lately; fades by 2 % with every answer. */
  #peak = 0;
  #sharedUntil = Number.NEGATIVE_INFINITY;
  #serials: readonly string[] = [];
  readonly #ring = new Float64Array(latencyRing);
  #backoff = new Backoff(probes);

  constructor(key: string) {
    this.key = key;
  }

  get isQuarantined(): boolean {
    return this.#isSilent;
  }

  /**
   * How long to wait for its answer, never longer than `configured`: at least four times its usual time and twice the
   * longest of lately, and in full after a miss, so that a gateway that hesitates once is not taken for a dead one.
   */
  timeoutFor(configured: number): number {
    if (this.#isSilent) return this.#probesSent % 3 === 2 ? configured : this.#known(probeTimeout, configured);
    return this.#misses > 0 || this.#answers < enoughAnswers ? configured : this.#known(timeoutFloor, configured);
  }

  #known(floor: number, configured: number): number {
    const needed = Math.max(floor, 4 * (this.latency ?? 0), 2 * this.#peak);
    return Math.min(configured, timeoutStep * Math.ceil(needed / timeoutStep));
  }

  heard(now: number, ms: number): void {
    const wasSilent = this.#isSilent;
    this.#isSilent = false;
    this.#misses = 0;
    this.#probesSent = 0;
    if (wasSilent) this.#backoff = new Backoff(probes);
    this.latency = this.latency === null ? ms : this.latency + 0.2 * (ms - this.latency);
    this.#peak = Math.max(ms, 0.98 * this.#peak);
    this.#ring[this.#answers++ % latencyRing] = ms;
    this.garbled *= 0.95;
    this.lastHeard = now;
  }

  /** No answer, or only the gateway's word for it; `isConfusing`: one that did not fit, which ended the connection. */
  missed(now: number, isConfusing = false): void {
    this.#isConfusing = isConfusing;
    this.#misses++;
    if (this.#isSilent) this.#probesSent++;
    else if (this.#misses < silentAfter.misses || now - this.lastHeard < silentAfter.ms) return;
    else {
      this.#isSilent = true;
      this.#silentSince = now;
    }
    const isLong = now - this.#silentSince > longSilence;
    if (isLong && this.#probesSent % 8 === 0) this.#backoff = new Backoff(rareProbes);
    this.nextProbe = now + this.#backoff.next();
  }

  garble(): void {
    this.crcErrors++;
    this.garbled += 0.05 * (1 - this.garbled);
  }

  /** It answers, but later than it was waited for. */
  late(ms: number): void {
    this.#peak = Math.max(this.#peak, ms);
  }

  /** The line is back after all of it was silent: whoever was silent with it may be asked soon. */
  probeSoon(now: number): void {
    // Not whoever ended the last connection: it would be asked at once over each new one, and end that.
    if (!this.#isSilent || this.#isConfusing) return;
    this.#backoff = new Backoff(probes);
    this.nextProbe = Math.min(this.nextProbe, now);
  }

  failed(message: string, time: number): void {
    this.lastFailure = { message: message.slice(0, maxMessage), time };
  }

  /** Two devices answered one question. */
  second(now: number): void {
    this.#sharedUntil = now + sharedFor;
  }

  /** The serial number it says it has. Back to an earlier one after another: two devices take turns. */
  serial(serial: string, now: number): void {
    if (this.#serials.at(-1) === serial) return;
    if (this.#serials.includes(serial)) this.#sharedUntil = now + sharedFor;
    this.#serials = [...this.#serials.filter((known) => known !== serial), serial].slice(-4);
  }

  /** There is proof that two devices use this id: nobody knows whose value is whose. */
  isShared(now: number): boolean {
    return now < this.#sharedUntil;
  }

  isGarbledAlone(others: readonly Unit[]): boolean {
    if (this.garbled < garbled.own) return false;
    const judged = others.filter((other) => other !== this && other.requests >= garbled.enough);
    return judged.length > 0 && judged.every((other) => other.garbled < garbled.others);
  }

  p95(): number | null {
    const count = Math.min(this.#answers, latencyRing);
    if (count === 0) return null;
    const sorted = this.#ring.slice(0, count).sort();
    return sorted[Math.min(count - 1, Math.floor(0.95 * count))] ?? null;
  }
}

const rounded = (ms: number | null) => (ms === null ? null : Math.round(10 * ms) / 10);
/** Answer times over this are shown as slow, ms. */
const slow = 500;

/** `wall` turns a monotonic time into ms since epoch. */
export function unitHealth(
  unit: Unit,
  all: readonly Unit[],
  now: number,
  wall: (monotonic: number) => number,
): BusUnitHealth {
  const { key, device, latency, requests, timeouts, crcErrors, exceptions, lastFailure, isQuarantined } = unit;
  const answers = latency === null ? 'unknown' : latency > slow ? 'slow' : 'answering';
  return {
    unit: key,
    device,
    state: isQuarantined ? 'quarantined' : answers,
    latency: rounded(latency),
    latencyP95: rounded(unit.p95()),
    requests,
    timeouts,
    crcErrors,
    exceptions,
    duplicate: unit.isShared(now) || unit.isGarbledAlone(all),
    lastFailure,
    nextProbe: isQuarantined ? Math.round(wall(Math.max(now, unit.nextProbe))) : null,
  };
}
