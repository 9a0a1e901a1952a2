import type { Bus, BusUnit } from './data.ts';

/* What is wrong with a shared line, and what to do about it. Pure; times are ms since epoch. */

export const faults = [
  'serial',
  'down',
  'allSilent',
  'duplicate',
  'crc',
  'crcOne',
  'silent',
  'exceptions',
  'slow',
  'busy',
  'waiting',
] as const;
export type Fault = (typeof faults)[number];

export interface Advice {
  readonly fault: Fault;
  /** The unit it is about; null: the line. */
  readonly unit: BusUnit | null;
}

/** Counts are since the process began: a fault of before lunch is none now. */
const recently = 15 * 60_000;
/** Shares of requests that are too many, and how many there must have been at least. */
const tooMany = { crc: 0.01, exceptions: 0.05, least: 5 } as const;
const busy = 0.85;
const crowded = 20;
/** More pieces of advice than this about single units of one line, and nobody reads them. */
const mostOfUnits = 4;

const isRecent = ({ lastFailure }: BusUnit, now: number) => lastFailure !== null && now - lastFailure.time < recently;

export function isGarbled(unit: BusUnit, now: number): boolean {
  return unit.crcErrors >= tooMany.least && unit.crcErrors > tooMany.crc * unit.requests && isRecent(unit, now);
}

function refuses(unit: BusUnit): boolean {
  return unit.exceptions >= tooMany.least && unit.exceptions > tooMany.exceptions * unit.requests;
}

/** Most pressing first. A line that is down says nothing of its units. */
export function adviceOf(bus: Bus, now: number): Advice[] {
  const line = (fault: Fault): Advice => ({ fault, unit: null });
  if (bus.state === 'down') return [line(bus.label.startsWith('/') ? 'serial' : 'down')];
  const { units } = bus;
  const silent = units.filter(({ state }) => state === 'quarantined');
  const isAllSilent = silent.length > 1 && silent.length === units.length;
  const garbled = units.filter((unit) => isGarbled(unit, now) && !unit.duplicate);
  const isLineGarbled = garbled.length > 1 || (garbled.length === 1 && units.length === 1);
  const of = (fault: Fault, some: readonly BusUnit[]) => some.map((unit): Advice => ({ fault, unit }));
  const ofUnits = [
    ...of(
      'duplicate',
      units.filter(({ duplicate }) => duplicate),
    ),
    ...(isLineGarbled ? [] : of('crcOne', garbled)),
    ...(isAllSilent ? [] : of('silent', silent)),
    ...of('exceptions', units.filter(refuses)),
    ...of(
      'slow',
      units.filter(({ state }) => state === 'slow'),
    ),
  ];
  return [
    ...(isAllSilent ? [line('allSilent')] : []),
    ...(isLineGarbled ? [line('crc')] : []),
    ...ofUnits.slice(0, mostOfUnits),
    ...(bus.utilisation >= busy ? [line('busy')] : []),
    ...(bus.waiting >= crowded ? [line('waiting')] : []),
  ];
}

const weights: Readonly<Record<Fault, number>> = {
  down: 10_000,
  serial: 10_000,
  allSilent: 8_000,
  duplicate: 3_000,
  crc: 2_000,
  crcOne: 500,
  silent: 400,
  exceptions: 100,
  busy: 100,
  waiting: 50,
  slow: 20,
};

/** How much trouble a line is in; 0: none. */
export function troubleOf(bus: Bus, now: number): number {
  const connecting = bus.state === 'connecting' && bus.units.some(({ requests }) => requests > 0) ? 200 : 0;
  return adviceOf(bus, now).reduce((sum, { fault }) => sum + weights[fault], connecting);
}

/** Worst first; those in equal trouble keep their places from one look to the next. */
export function byTrouble(buses: readonly Bus[], now: number): Bus[] {
  const order = (bus: Bus) => `${bus.process} ${bus.label}`;
  return [...buses].sort((a, b) => troubleOf(b, now) - troubleOf(a, now) || (order(a) < order(b) ? -1 : 1));
}

function unitTrouble(unit: BusUnit, now: number): number {
  const state = { quarantined: 400, slow: 20, unknown: 5, answering: 0 }[unit.state];
  return (unit.duplicate ? 1_000 : 0) + state + (isGarbled(unit, now) ? 300 : 0) + (refuses(unit) ? 100 : 0);
}

export function unitsByTrouble(units: readonly BusUnit[], now: number): BusUnit[] {
  const number = ({ unit }: BusUnit) => unit.padStart(14, '0');
  return [...units].sort((a, b) => unitTrouble(b, now) - unitTrouble(a, now) || (number(a) < number(b) ? -1 : 1));
}
