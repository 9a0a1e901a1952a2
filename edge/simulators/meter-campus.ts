import type { Clock } from '#edge/runtime/clock.ts';
import { ExactCounter } from './meter-counter.ts';
import { ElectricMeter, type PhasePower, serialOf } from './meter-electric.ts';
import { circuits, loads, type SchoolLoad, schoolPower, schoolWater } from './meter-school.ts';
import type { SchoolState } from './meter-state.ts';

/*
 * The school's meters, counting exactly what the model says flows. The main meter counts what the others count and what is lost
 * on the way, to the milliwatt-hour. Nothing here runs by itself: whoever looks brings it up to now.
 */

export interface SchoolOptions {
  readonly clock: Clock;
  readonly seed?: number;
  /** How long the power stays as it is, ms; must part a quarter of an hour. Default 2,000. */
  readonly step?: number;
  /** Goes on from there: what flowed since then is counted, as meters do that nobody reads. */
  readonly state?: SchoolState | null;
}

const electric = {
  main: { start: 48_213_60, powerFactor: 0.94, seed: 1 },
  canteen: { start: 12_877_20, powerFactor: 0.95, seed: 2 },
  dormitory: { start: 7_340_90, powerFactor: 0.97, seed: 3 },
  teaching: { start: 15_902_15, powerFactor: 0.93, seed: 4 },
  'data-room': { start: 9_120_44, powerFactor: 0.98, seed: 5 },
  'air-conditioning': { start: 11_463_07, powerFactor: 0.89, seed: 6 },
  motive: { start: 4_218_33, powerFactor: 0.86, seed: 7 },
  'street-lights': { start: 3_077_58, powerFactor: 0.92, seed: 8 },
} as const;
export type SchoolMeterName = keyof typeof electric;

/** Hundredths of a kWh, XXXXXX.XX: rolls over at a million kWh. */
const energyDigits = { resolution: 10_000, wrap: 100_000_000 };
/** Hundredths of a m3. */
const volumeDigits = { resolution: 10_000, wrap: 100_000_000 };

/** 尖 19 to 21, 峰 8 to 11 and 15 to 19, 谷 23 to 7: by the meter's own clock. */
export function tariffOf(now: number): 0 | 1 | 2 | 3 {
  const hours = ((now + 8 * 3_600_000) % 86_400_000) / 3_600_000;
  if (hours >= 19 && hours < 21) return 0;
  if ((hours >= 8 && hours < 11) || (hours >= 15 && hours < 19)) return 1;
  return hours >= 23 || hours < 7 ? 3 : 2;
}

/** Further than this in one go is gone over in steps of a minute; further than two months, of a quarter of an hour. */
const away = 24 * 3_600_000;
const longAway = 60 * away;

export class School {
  readonly meters: Readonly<Record<SchoolMeterName, ElectricMeter>>;
  /** `losses` has no meter; its truth is here all the same. */
  readonly losses = new ExactCounter({ ...energyDigits, serial: 'losses', start: 0 });
  /** Water of the boarding house, and of all of the school with it. */
  readonly water = {
    dormitory: new ExactCounter({ ...volumeDigits, serial: serialOf(31), start: 1_204_11 }),
    main: new ExactCounter({ ...volumeDigits, serial: serialOf(32), start: 8_850_73 }),
  };
  /** At the end of the last month, hundredths of a m3. */
  readonly waterSettled = { dormitory: 1_180_40, main: 8_790_12 };
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #step: number;
  readonly #circuits = circuits.map(() => true);
  readonly #cut = new Set<SchoolLoad>();
  #isOverloaded = false;
  #isLeaking = true;
  #now: number;

  constructor({ clock, seed = 1, step = 2_000, state = null }: SchoolOptions) {
    this.#clock = clock;
    this.#seed = seed;
    this.#step = step;
    this.#now = clock.now();
    const meter = (name: SchoolMeterName) =>
      new ElectricMeter({ ...electric[name], ...energyDigits, serial: serialOf(electric[name].seed), rate: tariffOf });
    this.meters = {
      main: meter('main'),
      canteen: meter('canteen'),
      dormitory: meter('dormitory'),
      teaching: meter('teaching'),
      'data-room': meter('data-room'),
      'air-conditioning': meter('air-conditioning'),
      motive: meter('motive'),
      'street-lights': meter('street-lights'),
    };
    if (state !== null) this.#resume(state);
    this.#flow(this.#now, this.#now);
  }

  /** Counts up to now. Whoever reads a meter asks for this first. */
  advance(): this {
    const until = this.#clock.now();
    // A clock that was set back: nothing flows twice.
    if (until < this.#now) this.#now = until;
    const ahead = until - this.#now;
    const step = ahead > longAway ? 900_000 : ahead > away ? Math.max(60_000, this.#step) : this.#step;
    while (this.#now < until) {
      const end = Math.min(until, (Math.floor(this.#now / step) + 1) * step);
      this.#flow(this.#now, end);
      this.#now = end;
    }
    return this;
  }

  /** State of the relay channels, first = channel 1. */
  relays(): readonly boolean[] {
    return [...this.#circuits];
  }

  switch(channel: number, on: boolean): void {
    this.#change(() => {
      if (channel < this.#circuits.length) this.#circuits[channel] = on;
    });
  }

  /** The relay in a meter: behind it nothing flows while it is open, and the meter itself lives on. */
  feed(load: SchoolLoad, on: boolean): void {
    if (this.#cut.has(load) === !on) return;
    this.#change(() => {
      if (on) this.#cut.delete(load);
      else this.#cut.add(load);
    });
  }

  setOverload(on: boolean): void {
    this.#change(() => {
      this.#isOverloaded = on;
    });
  }

  get isLeaking(): boolean {
    return this.#isLeaking;
  }

  /** Another meter in this place: a new serial number, and it begins at 0. */
  replace(name: SchoolMeterName): void {
    this.advance();
    const { total } = this.meters[name];
    const swaps = total.marks.filter(({ kind }) => kind === 'swap').length;
    this.meters[name].swap(serialOf(100 * (electric[name].seed + 1) + swaps), this.#now);
  }

  setLeak(on: boolean): void {
    this.#change(() => {
      this.#isLeaking = on;
    });
  }

  /** Everything that a later school needs to go on. */
  get state(): SchoolState {
    this.advance();
    return {
      time: this.#now,
      meters: Object.fromEntries(Object.entries(this.meters).map(([name, meter]) => [name, meter.state])),
      losses: this.losses.state,
      water: { dormitory: this.water.dormitory.state, main: this.water.main.state },
      settled: { ...this.waterSettled },
    };
  }

  #resume(state: SchoolState): void {
    for (const [name, meter] of Object.entries(this.meters)) {
      const known = state.meters[name];
      if (known !== undefined) meter.resume(known);
    }
    this.losses.resume(state.losses);
    this.water.dormitory.resume(state.water.dormitory);
    this.water.main.resume(state.water.main);
    Object.assign(this.waterSettled, state.settled);
    this.#now = Math.min(state.time, this.#now);
  }

  /** Until now it was as it was. From now on it is otherwise, at once and not with the next step. */
  #change(change: () => void): void {
    this.advance();
    change();
    this.#flow(this.#now, this.#now);
  }

  #flow(from: number, to: number): void {
    // The power of a step is that at its beginning, however often somebody looks within it.
    const at = Math.floor(from / this.#step) * this.#step;
    const power = schoolPower(at, this.#seed, { circuits: this.#circuits, isOverloaded: this.#isOverloaded });
    const sum: [number, number, number] = [0, 0, 0];
    for (const load of loads) {
      const own = this.#isOff(load) ? ([0, 0, 0] as const) : power[load];
      for (const phase of [0, 1, 2] as const) sum[phase] += own[phase];
      if (load === 'losses') this.#lose(own, from, to);
      else this.meters[load].add(own, from, to);
    }
    this.meters.main.add(sum, from, to);
    if (to > from) this.#drink(schoolWater(at, this.#seed, this.#isLeaking), from, to);
  }

  /** Where there is no power nothing flows: a meter that is dead has lost nothing. */
  #isOff(load: SchoolLoad): boolean {
    return this.meters.main.isDead || this.#cut.has(load) || (load !== 'losses' && this.meters[load].isDead);
  }

  #lose(power: PhasePower, from: number, to: number): void {
    if (to > from) this.losses.add(power[0] + power[1] + power[2], to - from, to);
  }

  #drink(flow: { readonly dormitory: number; readonly others: number }, from: number, to: number): void {
    this.water.dormitory.add(flow.dormitory, to - from, to);
    this.water.main.add(flow.dormitory + flow.others, to - from, to);
    const local = new Date(to + 8 * 3_600_000);
    if (to % 3_600_000 !== 0 || local.getUTCHours() !== 0 || local.getUTCDate() !== 1) return;
    this.waterSettled.dormitory = this.water.dormitory.shown(to);
    this.waterSettled.main = this.water.main.shown(to);
  }
}
