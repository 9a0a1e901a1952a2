import { encodeRegisters } from '#edge/profiles/encode.ts';
import { inVariant, type ModbusAddress, type Table } from '#edge/profiles/modbus-address.ts';
import { composed, type Order, type Place, type Registers } from '#edge/profiles/plausibility-readings.ts';
import { slotOf, toPlain } from '#edge/profiles/plausibility-snapshot.ts';

/* Loads as a campus has them, and the registers of a meter that measures them, with mistakes planted between the two. */

/** mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export type Truth = ReadonlyMap<string, number>;

/** Least and most believable values of a slot by the profile, in plain units. */
function topOf(places: readonly Place[], wanted: string): number {
  const tops = places.flatMap((place) => {
    const found = slotOf(place);
    return found?.slot === wanted && place.range !== undefined ? [place.range[1] * toPlain(place.unit)] : [];
  });
  return Math.min(Number.POSITIVE_INFINITY, ...tops);
}

export interface LoadOptions {
  /** Enough flows on every phase that a mistake can show. */
  readonly isLoaded?: boolean;
}

/** What the quantities of a meter are, in plain units by `<slot><phase>`. Loads of a campus: from nothing to nearly all a meter can take. */
export function plausibleLoad(places: readonly Place[], random: () => number, options: LoadOptions = {}): Truth {
  const between = (low: number, high: number) => low + (high - low) * random();
  const jitter = () => between(0.994, 1.006);
  const isThree = places.some((place) => (slotOf(place)?.phase ?? 0) > 1);
  const count = isThree ? 3 : 1;
  const canFeed = places.some((place) => slotOf(place)?.slot === 'exported');
  const isLoaded = options.isLoaded === true;
  const base = between(212, 243);
  const most = Math.min(topOf(places, 'current'), topOf(places, 'power') / (count * 280), 600) * 0.8;
  const least = isLoaded ? Math.min(4, most / 4) : 0.03;
  const amperes = !isLoaded && random() < 0.08 ? 0 : least * (most / least) ** random();
  const kind = random();
  const isFeeding = !isLoaded && canFeed && kind < 0.2;
  const phi = isLoaded ? between(0.05, 0.6) : between(-0.5, 1.1);
  // Electronics: true power factor below cos phi.
  const distortion = isLoaded ? between(0.9, 1) : random() < 0.4 ? between(0.62, 1) : 1;
  const plant = isFeeding ? between(0, 1) * most * 230 : 0;
  const truth = new Map<string, number>();
  let [p, q, arithmetic] = [0, 0, 0];
  for (let phase = 1; phase <= count; phase++) {
    const u = base * between(0.985, 1.015);
    const isOff = !isLoaded && random() < 0.1;
    const i = isOff ? 0 : Math.min(most, amperes * between(isLoaded ? 0.6 : 0.1, 1.25));
    const angle = phi + between(-0.08, 0.08);
    const net = u * i * Math.cos(angle) * distortion - plant;
    const reactive = u * i * Math.sin(angle) * distortion;
    const apparent = plant === 0 ? u * i : Math.hypot(net, reactive);
    truth.set(`voltage${phase}`, u);
    truth.set(`current${phase}`, apparent / u);
    // Below the starting current a meter shows no power.
    const isStarted = apparent / u > 0.02;
    const watts = isStarted ? net * jitter() : 0;
    truth.set(`power${phase}`, watts);
    p += watts;
    q += isStarted ? reactive : 0;
    arithmetic += apparent;
  }
  const vector = random() < 0.5 ? Math.max(Math.hypot(p, q), 0) : arithmetic;
  const byAngle = random() < 0.3;
  const whole = Math.max(byAngle ? Math.hypot(p, q) : vector, Math.abs(p), 1e-9);
  truth.set('power0', p * between(0.998, 1.002));
  truth.set('apparent0', Math.min(vector, arithmetic) * between(0.997, 1.003));
  truth.set('reactive0', q * between(0.997, 1.003));
  // No load: meters say 1, or 0.
  truth.set('factor0', Math.abs(p) < 2 ? (random() < 0.5 ? 1 : 0) : Math.max(-1, Math.min(1, p / whole)));
  truth.set('frequency0', between(49.7, 50.3));
  const imported = 10 ** between(3, 7.5);
  truth.set('imported0', imported);
  truth.set('exported0', isFeeding ? imported * between(0.03, 1.5) : random() < 0.7 ? 0 : imported * 1e-4);
  return truth;
}

export interface Planted {
  /** Relative to the profile's. */
  readonly order?: Order;
  readonly shift?: -1 | 1;
  readonly isOtherTable?: boolean;
  readonly variant?: string;
  /** What the register says that currents are scaled by; others that scale say 1. */
  readonly ratio?: number;
  /** What registers say that nobody asked for: nothing, noise, or they are refused. */
  /** Floats as a display shows them. */
  readonly isRounded?: boolean;
  readonly gaps?: 'zero' | 'noise' | 'refused';
}

/** Points of a place in the meter -> value in the point's unit. */
export function valueIn(place: Place, truth: Truth): number {
  const found = slotOf(place);
  const key = `${found?.slot}${found?.phase}`;
  const only = `${found?.slot}1`;
  return (truth.get(key) ?? truth.get(only) ?? 0) / toPlain(place.unit);
}

const other = (table: Table): Table => (table === 'holding' ? 'input' : 'holding');

/** The registers of such a meter. Throws PROFILE_NOT_ENCODABLE where a value does not fit. */
export function registersOf(
  places: readonly Place[],
  truth: Truth,
  random: () => number,
  planted: Planted = {},
): Registers {
  const words = new Map<string, number>();
  const {
    order = 'ABCD',
    shift = 0,
    isOtherTable = false,
    variant = '',
    ratio = 1,
    gaps = 'zero',
    isRounded = false,
  } = planted;
  const put = (address: Pick<ModbusAddress, 'table' | 'at' | 'length' | 'format'>, value: number, factor: number) => {
    const format = { ...address.format, order: composed(address.format.order, order) };
    const bytes = encodeRegisters(format, address.length, value, factor);
    const table = isOtherTable ? other(address.table) : address.table;
    for (let i = 0; i < address.length; i++) words.set(`${table}:${address.at + shift + i}`, bytes.readUInt16BE(2 * i));
  };
  const ratioAt = places.find((place) => slotOf(place)?.slot === 'current')?.address.scaleFrom?.[0]?.at;
  for (const place of places) {
    const address = inVariant(place.address, variant);
    if (address === null) continue;
    const factors = (address.scaleFrom ?? []).map((one) => (one.at === ratioAt ? ratio : 1));
    for (const [i, one] of (address.scaleFrom ?? []).entries()) put(one, factors[i] ?? 1, 1);
    put(
      address,
      isRounded ? Number(valueIn(place, truth).toPrecision(5)) : valueIn(place, truth),
      factors.reduce((product, one) => product * one, 1),
    );
  }
  const noise = new Map<string, number>();
  const word = (table: Table, at: number): number | null => {
    const key = `${table}:${at}`;
    const known = words.get(key);
    if (known !== undefined) return known;
    const isNear = [-2, -1, 1, 2].some((by) => words.has(`${table}:${at + by}`));
    if (gaps === 'refused' || !isNear) return null;
    if (gaps === 'zero') return 0;
    const made = noise.get(key) ?? Math.floor(random() * 65_536);
    noise.set(key, made);
    return made;
  };
  return {
    read(table, at, length) {
      const all = Array.from({ length }, (_, i) => word(table, at + i));
      if (all.includes(null)) return null;
      const bytes = Buffer.alloc(2 * length);
      for (const [i, one] of all.entries()) bytes.writeUInt16BE(one ?? 0, 2 * i);
      return bytes;
    },
  };
}
