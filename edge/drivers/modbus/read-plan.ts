import type { Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { RegisterFormat, RegisterPlace } from '#edge/profiles/modbus-address.ts';
import type { Exchange } from './exchange.ts';
import type { Item } from './layout.ts';
import type { Teachings } from './learned.ts';
import type { Block, Planned } from './planner.ts';
import { planReads } from './planner.ts';

/** One thing a block brings: the value of an item, or a register that scales some. */
export interface Entry extends Planned {
  /** Index into the plan's values, or -1. */
  readonly value: number;
  /** Index into the plan's factors, or -1. */
  readonly factor: number;
}

/** One point to read. */
export interface Wanted {
  readonly point: PointName;
  readonly range: Point['range'];
  /** How its bytes become a value; null: this device does not have it, or refuses it for now. */
  readonly format: RegisterFormat | null;
  /** Indices of the factors it is scaled by. */
  readonly factors: readonly number[];
}

/** What became of the parts of a block that was refused as a whole. */
export interface Trial {
  open: number;
  /** Longest part that was given, registers. */
  longest: number;
  /** Something of it is refused by itself: then length was not the trouble. */
  isRefused: boolean;
  readonly barriers: string[];
}

/** Where in the bytes of a block one thing lies: worked out once, looked at with every answer. */
export interface Cell {
  readonly entry: Entry;
  /** First byte, or first bit in a table of bits. */
  readonly start: number;
  /** Bytes. */
  readonly length: number;
  /** Made of what the step's `image` says there: as long as the same bytes come again, it is said again. */
  sample: Sample | null;
}

/** One request of a pass. */
export interface Step {
  readonly block: Block<Entry>;
  readonly cells: readonly Cell[];
  /** null: it is no part of a block that was refused. */
  readonly trial: Trial | null;
  /** Made when it is sent first. */
  exchange: Exchange | null;
  /** The bytes that came last. */
  image: Buffer | null;
}

export interface Plan {
  readonly wanted: readonly Wanted[];
  readonly factors: readonly RegisterPlace[];
  readonly steps: readonly Step[];
  /** Holds until something refused may be asked for again, ms since epoch. */
  readonly until: number;
}

export interface PlanOptions {
  readonly max: number;
  readonly gap: 'auto' | number;
  readonly overhead: number;
  /** What the profile forbids to run across. */
  readonly barriers: ReadonlySet<string>;
  readonly teachings: Teachings;
  /** ms since epoch. */
  readonly now: number;
}

/** `<table>:<at>+<length>`: by which what the device refuses is known. */
export const placeOf = ({ table, at, length }: Pick<RegisterPlace, 'table' | 'at' | 'length'>) =>
  `${table}:${at}+${length}`;

/** `points` in the order in which their values are wanted; `layout` says where they are. */
export function makePlan(points: readonly Point[], layout: ReadonlyMap<PointName, Item>, options: PlanOptions): Plan {
  const { teachings, now } = options;
  const factors: RegisterPlace[] = [];
  const known = new Map<string, number>();
  let until = Number.POSITIVE_INFINITY;
  const isAskable = (place: RegisterPlace) => {
    const notBefore = teachings.notBefore(placeOf(place), now);
    if (notBefore > 0) until = Math.min(until, notBefore);
    return notBefore === 0;
  };
  const factorOf = (place: RegisterPlace): number => {
    const key = `${placeOf(place)} ${place.format.as}`;
    const index = known.get(key) ?? factors.push(place) - 1;
    known.set(key, index);
    return index;
  };
  const items = new Map<number, Item>();
  const wanted = points.map((point, index): Wanted => {
    const found = layout.get(point.name) ?? null;
    const places = found === null ? [] : [found.address, ...(found.address.scaleFrom ?? [])];
    const item = found !== null && places.every(isAskable) ? found : null;
    const scaledBy = item?.address.scaleFrom?.map(factorOf) ?? [];
    if (item !== null) items.set(index, item);
    const format = item?.address.format ?? null;
    return { point: point.name, range: point.range, format, factors: scaledBy };
  });
  const entries = [
    ...[...items].map(([value, { address }]): Entry => ({ address, value, factor: -1 })),
    ...factors.map((address, factor): Entry => ({ address, value: -1, factor })),
  ];
  const steps = blocksOf(entries, options).map((block) => stepOf(block, null));
  return { wanted, factors, steps, until };
}

/** The cheapest reads for these, given what is known of the device. */
export function blocksOf(
  entries: readonly Entry[],
  { max, gap, overhead, barriers, teachings }: Omit<PlanOptions, 'now'>,
): Block<Entry>[] {
  const all = barriers.size === 0 ? teachings.barriers : new Set([...barriers, ...teachings.barriers]);
  return planReads(entries, { max: Math.min(max, teachings.max), gap, overhead, barriers: all });
}

export function stepOf(block: Block<Entry>, trial: Trial | null): Step {
  const isBit = block.table === 'coil' || block.table === 'discrete';
  const cells = block.items.map((entry): Cell => {
    const offset = entry.address.at - block.at;
    return { entry, start: isBit ? offset : 2 * offset, length: 2 * entry.address.length, sample: null };
  });
  return { block, cells, trial, exchange: null, image: null };
}
