import type { Clock } from '#edge/runtime/clock.ts';

/*
 * What a school building draws: a base, a day curve, slow noise, and eight switched circuits. Deterministic for a clock, so
 * that two runs of a test see the same campus.
 */

export interface Circuit {
  /** 0 = L1 .. 2 = L3. */
  readonly phase: 0 | 1 | 2;
  /** Full load, W. */
  readonly watts: number;
}

/** Relay channels 1..8 and what hangs on them; the last is the one that goes first when power is short. */
export const circuits: readonly Circuit[] = [
  { phase: 0, watts: 1_200 }, // corridor lights
  { phase: 1, watts: 1_500 }, // classroom lights, east
  { phase: 2, watts: 1_500 }, // classroom lights, west
  { phase: 0, watts: 2_200 }, // ventilation
  { phase: 1, watts: 3_000 }, // air conditioning, east
  { phase: 2, watts: 3_000 }, // air conditioning, west
  { phase: 1, watts: 1_800 }, // hand dryers
  { phase: 0, watts: 2_500 }, // water heaters
];

/** Extra draw of the last circuit while the overload is on, W: about 75 A more on its phase. */
const overloadWatts = 17_500;
const hour = 3_600_000;
const chinaOffset = 8 * hour;

/** Share of the full load at a time of day (UTC+8): quiet at night, two humps with a lunch dip. */
export function dayShare(now: number): number {
  const h = ((now + chinaOffset) % (24 * hour)) / hour;
  const hump = (centre: number, width: number) => Math.exp(-(((h - centre) / width) ** 2));
  return Math.min(1, 0.12 + 0.75 * hump(10, 2.2) + 0.7 * hump(15, 2.4) + 0.3 * hump(19.5, 1.6));
}

/** Slow noise around 1: three sines whose periods share no multiple. */
function ripple(now: number, seed: number): number {
  const s = now / 1000 + seed * 997;
  return 1 + 0.02 * Math.sin(s / 7.3) + 0.015 * Math.sin(s / 41.7) + 0.03 * Math.sin(s / 613);
}

export interface LoadState {
  readonly relays: readonly boolean[];
  readonly overload: boolean;
}

export interface PhaseState {
  readonly voltage: readonly number[];
  readonly current: readonly number[];
  readonly power: readonly number[];
  readonly frequency: number;
  readonly powerFactor: number;
}

export interface FeederOptions {
  readonly clock: Clock;
  readonly seed: number;
  /** Unswitched load at full share, W per phase. */
  readonly base: number;
  /** Whether the relay's circuits hang on this feeder. */
  readonly switched: 'with-circuits' | 'without-circuits';
  /** Meter reading at start, kWh. */
  readonly energy: number;
}

/** One three-phase feeder: what a meter in it would show, with an energy counter that integrates the power. */
export class Feeder {
  readonly #options: FeederOptions;
  readonly #load: () => LoadState;
  #energy: number;
  #since: number;

  constructor(options: FeederOptions, load: () => LoadState) {
    this.#options = options;
    this.#load = load;
    this.#energy = options.energy;
    this.#since = options.clock.now();
  }

  now(): PhaseState {
    const { clock, seed, base, switched } = this.#options;
    const now = clock.now();
    const share = dayShare(now);
    const { relays, overload } = this.#load();
    const power = [0, 1, 2].map((phase) => {
      const own = base * share * ripple(now, seed + phase) * (1 + 0.06 * (phase - 1));
      if (switched === 'without-circuits') return own;
      const fed = circuits.map((circuit, channel) => {
        if (circuit.phase !== phase || relays[channel] !== true) return 0;
        const extra = overload && channel === circuits.length - 1 ? overloadWatts : 0;
        return circuit.watts * Math.max(0.35, share) * ripple(now, seed + 10 + channel) + extra;
      });
      return own + fed.reduce((sum, watts) => sum + watts, 0);
    });
    const powerFactor = 0.93 + 0.03 * Math.sin(now / 900_000 + seed);
    // Voltage sags a little under load: 0.02 ohm of line.
    const voltage = power.map((watts, phase) => 231 * ripple(now, seed + 20 + phase) ** 0.2 - (0.02 * watts) / 231);
    const current = power.map((watts, phase) => watts / (voltage[phase] ?? 231) / powerFactor);
    return { voltage, current, power, frequency: 50 + 0.02 * Math.sin(now / 11_000 + seed), powerFactor };
  }

  /** kWh since the meter was made; rises by the power now for the time since it was last asked. */
  energy(): number {
    const now = this.#options.clock.now();
    const watts = this.now().power.reduce((sum, phase) => sum + phase, 0);
    this.#energy += (watts * Math.max(0, now - this.#since)) / hour / 1000;
    this.#since = now;
    return this.#energy;
  }
}
