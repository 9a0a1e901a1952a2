/*
 * What a school with a boarding house draws and drinks, minute by minute of any year: a pure function of the time, a seed and
 * what is switched. The shapes are those facility managers draw: lessons and breaks, the canteen at noon, air conditioning by
 * the weather, the boarding house in the evening, a base that never sleeps. The figures are made up.
 */

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const chinaOffset = 8 * hour;

export const loads = [
  'teaching',
  'canteen',
  'dormitory',
  'air-conditioning',
  'motive',
  'street-lights',
  'data-room',
  'losses',
] as const;
export type SchoolLoad = (typeof loads)[number];

export interface Circuit {
  readonly feeds: Exclude<SchoolLoad, 'losses'>;
  /** 0 = L1 .. 2 = L3. */
  readonly phase: 0 | 1 | 2;
  /** Full load, W. */
  readonly watts: number;
}

/** Relay channels 1..8 and what hangs on them; the last is the one that goes first when power is short. */
export const circuits: readonly Circuit[] = [
  { feeds: 'teaching', phase: 0, watts: 1_200 }, // corridor lights
  { feeds: 'teaching', phase: 1, watts: 1_500 }, // classroom lights, east
  { feeds: 'teaching', phase: 2, watts: 1_500 }, // classroom lights, west
  { feeds: 'motive', phase: 0, watts: 2_200 }, // ventilation
  { feeds: 'air-conditioning', phase: 1, watts: 3_000 }, // east
  { feeds: 'air-conditioning', phase: 2, watts: 3_000 }, // west
  { feeds: 'teaching', phase: 1, watts: 1_800 }, // hand dryers
  { feeds: 'teaching', phase: 0, watts: 2_500 }, // water heaters
];

export type DayKind = 'school' | 'weekend' | 'holiday' | 'vacation';

/** [month and day from, to]: holidays and vacations about as they fall in most years. */
const vacations = [
  [120, 224],
  [705, 831],
] as const;
const holidays = [
  [101, 103],
  [404, 406],
  [501, 505],
  [619, 621],
  [925, 927],
  [1001, 1007],
] as const;

interface LocalTime {
  /** Days since the epoch, in China. */
  readonly date: number;
  readonly weekday: number;
  /** 0 to 24. */
  readonly hours: number;
  /** 0 to 1 through the year, from January. */
  readonly year: number;
  readonly kind: DayKind;
}

function localTime(now: number): LocalTime {
  const local = new Date(now + chinaOffset);
  const monthDay = (local.getUTCMonth() + 1) * 100 + local.getUTCDate();
  const within = (spans: readonly (readonly [number, number])[]) =>
    spans.some(([from, to]) => monthDay >= from && monthDay <= to);
  const weekday = local.getUTCDay();
  const isWeekend = weekday === 0 || weekday === 6;
  return {
    date: Math.floor((now + chinaOffset) / day),
    weekday,
    hours: ((now + chinaOffset) % day) / hour,
    year: (local.getUTCMonth() + (local.getUTCDate() - 1) / 31) / 12,
    kind: within(vacations) ? 'vacation' : within(holidays) ? 'holiday' : isWeekend ? 'weekend' : 'school',
  };
}

export const dayKindOf = (now: number): DayKind => localTime(now).kind;

/** A number in [0, 1) that belongs to (seed, index) and to nothing else. */
function hash(seed: number, index: number): number {
  let t = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(index | 0, 0x85ebca6b)) >>> 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** Between -1 and 1, from one knot every `period` to the next without a jump. */
function wander(now: number, period: number, seed: number): number {
  const at = Math.floor(now / period);
  const share = now / period - at;
  const eased = share * share * (3 - 2 * share);
  return 2 * (hash(seed, at) * (1 - eased) + hash(seed, at + 1) * eased) - 1;
}

/** Outside, Cel: the year, the day, and weather that lasts for days. */
export function outdoorTemperature(now: number, seed: number): number {
  const { year, hours } = localTime(now);
  const season = 17 + 12 * Math.cos(2 * Math.PI * (year - 0.56));
  return season + 4 * Math.cos((2 * Math.PI * (hours - 15)) / 24) + 4 * wander(now, 3 * day, seed + 77);
}

/** 1 between two times of day, with ramps of so many hours. */
function during(hours: number, from: number, to: number, ramp = 0.25): number {
  return Math.max(0, Math.min(1, (hours - from) / ramp + 0.5, (to - hours) / ramp + 0.5));
}

/** Share of the classrooms in use: lessons of 40 minutes with breaks of 10, a long noon, evening study. */
function lessons({ kind, hours, weekday }: LocalTime): number {
  if (kind !== 'school') return kind === 'vacation' ? 0.03 : 0.06;
  const isBreak = (hours * 60 - 480) % 50 >= 40;
  const day = Math.max(during(hours, 8, 11.9), 0.35 * during(hours, 11.9, 14), during(hours, 14, 17.3));
  const evening = weekday === 5 ? 0 : 0.4 * during(hours, 18.5, 20.75);
  const early = 0.5 * during(hours, 7, 8);
  return Math.max(0.05, early, evening, day * (isBreak ? 0.8 : 1));
}

/** Share of the boarders who are in their rooms and awake. */
function boarders({ kind, hours, weekday }: LocalTime): number {
  const awake = Math.max(
    0.5 * during(hours, 6.1, 7.6),
    0.3 * during(hours, 12.4, 14),
    during(hours, 17.5, 22.4, 0.75),
    0.12,
  );
  const isHome = kind === 'vacation' || kind === 'holiday' || weekday === 6 || (weekday === 5 && hours > 17);
  return isHome ? 0.12 * awake : weekday === 0 ? (hours > 16 ? 0.8 : 0.15) * awake : awake;
}

function cooking({ kind, hours }: LocalTime): number {
  const meals = Math.max(
    0.45 * during(hours, 5.5, 7.5, 0.75),
    during(hours, 10, 12.6, 1),
    0.7 * during(hours, 16, 18.4, 0.75),
  );
  return meals * { school: 1, weekend: 0.25, holiday: 0.1, vacation: 0.05 }[kind];
}

function isDark({ hours, year }: LocalTime): boolean {
  // Sunset at 17:05 in December and 19:05 in June, sunrise at 6:55 and 4:55.
  const light = Math.cos(2 * Math.PI * (year - 0.47));
  return hours > 18.1 + light || hours < 5.9 - light;
}

/** How much heating or cooling the weather asks for, 0 to 1. */
function conditioning(now: number, seed: number): number {
  const outside = outdoorTemperature(now, seed);
  return Math.min(1, Math.max(0, (outside - 25) / 7, (10 - outside) / 10));
}

/** Watts of each load without its circuits, and how far each circuit is used. */
function demandOf(now: number, seed: number) {
  const time = localTime(now);
  const [taught, lived, cooked] = [lessons(time), boarders(time), cooking(time)];
  const weather = conditioning(now, seed);
  const served = Math.max(taught, 0.8 * cooked, 0.5 * lived);
  const lift = hash(seed + 5, Math.floor(now / (3 * minute))) < 0.4 * taught ? 900 : 0;
  const watts: Record<Exclude<SchoolLoad, 'losses'>, number> = {
    teaching: 700 + 7_500 * taught,
    canteen: 1_300 + 10_500 * cooked,
    dormitory: 700 + 7_800 * lived,
    'air-conditioning': 120 + 10_500 * weather * served,
    motive: 320 + 1_500 * Math.max(taught, lived * 0.6) + lift,
    'street-lights': isDark(time) ? (time.hours > 23 || time.hours < 5 ? 800 : 1_600) : 12,
    'data-room': 1_050 + 120 * weather,
  };
  return { watts, taught, weather: weather * served };
}

/** On which phases a load sits: single-phase circuits are never spread evenly. */
const spread: Readonly<Record<Exclude<SchoolLoad, 'losses'>, readonly [number, number, number]>> = {
  teaching: [0.31, 0.36, 0.33],
  canteen: [0.34, 0.33, 0.33],
  dormitory: [0.36, 0.31, 0.33],
  'air-conditioning': [0.33, 0.34, 0.33],
  motive: [0.34, 0.33, 0.33],
  'street-lights': [0.3, 0.3, 0.4],
  'data-room': [0, 0.5, 0.5],
};

/** Cables and transformer: a share of what goes through. */
const lossShare = 0.014;
/** While it is on the water heaters draw as much more, W, and L1 of the main meter carries 115 A at least. */
const overloadWatts = 17_500;
const overloadFloor = 115 * 231 * 0.94;

export interface Switched {
  readonly circuits: readonly boolean[];
  readonly isOverloaded: boolean;
}

export type SchoolPower = Readonly<Record<SchoolLoad, readonly [number, number, number]>>;

/** What each load draws on L1, L2, L3: whole milliwatts. Constant over a step of the caller's choosing. */
export function schoolPower(now: number, seed: number, switched: Switched): SchoolPower {
  const { watts, taught, weather } = demandOf(now, seed);
  const power = {} as Record<SchoolLoad, [number, number, number]>;
  const total: [number, number, number] = [0, 0, 0];
  loads.forEach((load, index) => {
    if (load === 'losses') return;
    // Two minutes of drift and a step of flicker: appliances are many and small.
    const noise = 1 + 0.04 * wander(now, 2 * minute, seed + index) + 0.015 * wander(now, 5_000, seed + 40 + index);
    power[load] = [0, 0, 0];
    for (const phase of [0, 1, 2] as const) power[load][phase] = watts[load] * spread[load][phase] * noise;
  });
  circuits.forEach(({ feeds, phase, watts: full }, channel) => {
    if (switched.circuits[channel] !== true) return;
    const use = feeds === 'air-conditioning' ? Math.max(0.04, weather) : Math.max(0.15, taught);
    power[feeds][phase] += full * use * (1 + 0.03 * wander(now, minute, seed + 60 + channel));
  });
  for (const load of loads) {
    if (load !== 'losses') for (const phase of [0, 1, 2] as const) total[phase] += power[load][phase];
  }
  const heaters = circuits.length - 1;
  if (switched.isOverloaded && switched.circuits[heaters] === true) {
    const extra = Math.max(overloadWatts, overloadFloor - total[0]);
    power.teaching[0] += extra;
    total[0] += extra;
  }
  power.losses = [total[0] * lossShare, total[1] * lossShare, total[2] * lossShare];
  const whole = ([a, b, c]: readonly [number, number, number]): readonly [number, number, number] => [
    Math.round(a * 1000),
    Math.round(b * 1000),
    Math.round(c * 1000),
  ];
  return {
    teaching: whole(power.teaching),
    canteen: whole(power.canteen),
    dormitory: whole(power.dormitory),
    'air-conditioning': whole(power['air-conditioning']),
    motive: whole(power.motive),
    'street-lights': whole(power['street-lights']),
    'data-room': whole(power['data-room']),
    losses: whole(power.losses),
  };
}

export interface SchoolWater {
  /** mL/h, whole. */
  readonly dormitory: number;
  /** The rest of the school: canteen and classrooms. */
  readonly others: number;
}

/** A pipe in the boarding house that drips day and night, L/h. */
export const leakLitres = 110;

export function schoolWater(now: number, seed: number, isLeaking: boolean): SchoolWater {
  const time = localTime(now);
  const washing = boarders(time) > 0.2 ? boarders(time) * during(time.hours, 6, 22.6) : 0;
  // People turn taps on and off: at night often nothing flows at all.
  const tap = (index: number, often: number) => (hash(seed + index, Math.floor(now / (2 * minute))) < often ? 1 : 0);
  const dormitory = 1_900 * washing * (0.6 + 0.4 * tap(91, 0.5)) + 60 * tap(92, 0.04);
  const others = 1_500 * cooking(time) + 900 * lessons(time) * tap(93, 0.7) * (lessons(time) > 0.1 ? 1 : 0);
  return {
    dormitory: Math.round(1000 * (dormitory + (isLeaking ? leakLitres : 0))),
    others: Math.round(1000 * (others + 40 * tap(94, 0.03))),
  };
}
