import { type CounterDigits, type CounterState, ExactCounter } from './meter-counter.ts';
import { seededRandom } from './meter-faults.ts';

/* An electricity meter: what it measures from the power that flows through it, and what it remembers. */

/** Whole milliwatts of L1, L2, L3; constant over a step of the model. */
export type PhasePower = readonly [number, number, number];

export interface Frozen {
  readonly time: number;
  /** Total, then 尖峰平谷, hundredths of kWh. */
  readonly energies: readonly number[];
}

/** What any protocol shows of it. */
export interface ElectricFace {
  readonly serial: string;
  /** V, A, W of L1 to L3. */
  readonly voltage: readonly number[];
  readonly current: readonly number[];
  readonly power: readonly number[];
  readonly powerFactor: number;
  readonly frequency: number;
  /** Imported, in the steps of its last digit: 0 the total, 1 to 4 尖峰平谷. */
  energy(rate: number): number;
  /** At the end of a month, 1 the last one. */
  settled(month: number): readonly number[] | undefined;
  frozen(kind: 'command' | 'hour' | 'day', back: number): Frozen | undefined;
  freeze(now: number): void;
  /** Highest mean of 15 minutes of this month. */
  readonly demand: { readonly kilowatts: number; readonly time: number };
}

export interface ElectricOptions extends CounterDigits {
  readonly serial: string;
  /** Steps of the last digit at the beginning. */
  readonly start: number;
  readonly seed: number;
  readonly powerFactor: number;
  /** Which of 尖峰平谷 (0 to 3) the meter's own clock is in; default the flat one. */
  readonly rate?: (now: number) => 0 | 1 | 2 | 3;
}

/** The total, 尖峰平谷, and what was settled at the ends of months. */
export interface ElectricState {
  readonly counters: readonly CounterState[];
  readonly months: readonly (readonly number[])[];
}

const hour = 3_600_000;
const quarter = hour / 4;
const chinaOffset = 8 * hour;
const kept = { command: 3, hour: 48, day: 62 } as const;

/** Up to the thousandth it is certain; below it is noise that has no meaning. */
const milli = (value: number) => Math.round(value * 1000) / 1000;

export class ElectricMeter implements ElectricFace {
  readonly total: ExactCounter;
  readonly #options: ElectricOptions;
  readonly #rates: readonly ExactCounter[];
  readonly #frozen: Record<'command' | 'hour' | 'day', Frozen[]> = { command: [], hour: [], day: [] };
  readonly #months: (readonly number[])[] = [];
  #power: PhasePower = [0, 0, 0];
  #now = 0;
  #demand = { kilowatts: 0, time: 0 };
  #window = 0;

  constructor(options: ElectricOptions) {
    this.#options = options;
    this.total = new ExactCounter(options);
    // The four add up to the total at the beginning, to the last digit.
    const shares = [0.08, 0.27, 0.38].map((share) => Math.floor(options.start * share));
    const starts = [...shares, options.start - shares.reduce((sum, one) => sum + one, 0)];
    this.#rates = starts.map((start) => new ExactCounter({ ...options, start }));
  }

  get serial(): string {
    return this.total.serial;
  }

  get power(): readonly number[] {
    return this.#power.map((milliwatts) => milliwatts / 1000);
  }

  get powerFactor(): number {
    const { powerFactor, seed } = this.#options;
    return milli(Math.min(0.999, powerFactor + 0.015 * Math.sin(this.#now / 900_000 + seed)));
  }

  /** Sags a little under load: 0.02 ohm of line. */
  get voltage(): readonly number[] {
    const { seed } = this.#options;
    return this.power.map(
      (watts, phase) => 231 + 1.4 * Math.sin(this.#now / 613_000 + seed + 2 * phase) - (0.02 * watts) / 231,
    );
  }

  get current(): readonly number[] {
    const { voltage, powerFactor } = this;
    return this.power.map((watts, phase) => watts / (voltage[phase] ?? 231) / powerFactor);
  }

  get frequency(): number {
    return 50 + 0.02 * Math.sin(this.#now / 11_000);
  }

  get demand() {
    return this.#demand;
  }

  /** So much flows until then. Steps must not reach over a full quarter of an hour. */
  add(power: PhasePower, from: number, to: number): void {
    const { rate = () => 2 as const } = this.#options;
    const sum = power[0] + power[1] + power[2];
    this.#power = power;
    this.#now = to;
    if (this.#demand.time === 0) this.#demand = { kilowatts: 0, time: to };
    if (to <= from) return;
    this.total.add(sum, to - from, to);
    this.#rates[rate(from)]?.add(sum, to - from, to);
    this.#window += sum * (to - from);
    if (to % quarter === 0) this.#closeQuarter(to);
    if (to % hour === 0) this.#closeHour(to);
  }

  energy(rate: number): number {
    const counter = rate === 0 ? this.total : this.#rates[rate - 1];
    return counter?.shown(this.#now) ?? 0;
  }

  settled(month: number): readonly number[] | undefined {
    return this.#months[month - 1];
  }

  frozen(kind: 'command' | 'hour' | 'day', back: number): Frozen | undefined {
    return this.#frozen[kind][back - 1];
  }

  freeze(now: number): void {
    this.#keep('command', now);
  }

  get state(): ElectricState {
    return { counters: [this.total, ...this.#rates].map((counter) => counter.state), months: this.#months };
  }

  resume({ counters, months }: ElectricState): void {
    [this.total, ...this.#rates].forEach((counter, i) => {
      const state = counters[i];
      if (state !== undefined) counter.resume(state);
    });
    this.#months.push(...months);
  }

  /** Another meter in this place. */
  swap(serial: string, now: number): void {
    for (const counter of [this.total, ...this.#rates]) counter.swap(serial, now);
    this.#months.length = 0;
    for (const list of Object.values(this.#frozen)) list.length = 0;
  }

  stick(now: number): void {
    for (const counter of [this.total, ...this.#rates]) counter.stick(now);
  }

  free(now: number, missed: 'caught-up' | 'lost'): void {
    for (const counter of [this.total, ...this.#rates]) counter.free(now, missed);
  }

  /** Off: it does not answer, and what flows past is the truth's affair. */
  supply(on: boolean, now: number, zerosFor = 0): void {
    for (const counter of [this.total, ...this.#rates]) counter.power(on, now, zerosFor);
  }

  get isDead(): boolean {
    return this.total.isDead;
  }

  #all(): number[] {
    return [0, 1, 2, 3, 4].map((rate) => this.energy(rate));
  }

  #keep(kind: 'command' | 'hour' | 'day', time: number): void {
    const list = this.#frozen[kind];
    list.unshift({ time, energies: this.#all() });
    list.length = Math.min(list.length, kept[kind]);
  }

  #closeQuarter(now: number): void {
    const kilowatts = this.#window / quarter / 1e6;
    this.#window = 0;
    if (kilowatts > this.#demand.kilowatts) this.#demand = { kilowatts, time: now };
  }

  #closeHour(now: number): void {
    this.#keep('hour', now);
    const local = new Date(now + chinaOffset);
    if (local.getUTCHours() !== 0) return;
    this.#keep('day', now);
    if (local.getUTCDate() !== 1) return;
    this.#demand = { kilowatts: 0, time: now };
    this.#months.unshift(this.#all());
    this.#months.length = Math.min(this.#months.length, 12);
  }
}

/** Twelve digits that look like a serial number and are the same every time. */
export function serialOf(seed: number): string {
  const random = seededRandom(seed);
  return Array.from({ length: 12 }, (_, i) => (i === 0 ? 2 : Math.floor(random() * 10))).join('');
}
