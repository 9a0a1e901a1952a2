import type { ModbusAddress, Table } from '#edge/profiles/modbus-address.ts';

/** A stretch of one table: registers, or bits. */
export interface Span {
  readonly table: Table;
  readonly at: number;
  readonly length: number;
}

/** One read request and the values it brings. */
export interface Block<T> extends Span {
  readonly items: readonly T[];
}

export interface PlanLimits {
  /** Most registers in one read; bits may be 16 times as many. */
  readonly max: number;
  /** `auto`, or the most unasked registers to read through. */
  readonly gap: 'auto' | number;
  /** What one more request costs, in registers: asking for less than this in between is cheaper than asking twice. */
  readonly overhead: number;
  /** Addresses that no block may run across, learned from refusals: `<table>:<first address behind the barrier>`. */
  readonly barriers: ReadonlySet<string>;
}

export interface Planned {
  readonly address: Pick<ModbusAddress, 'table' | 'at' | 'length' | 'block'>;
}

const isBits = (table: Table) => table === 'coil' || table === 'discrete';

/** What must be read for a value: itself, or the whole block its profile asks for. */
export function spanOf({ table, at, length, block }: Planned['address']): Span {
  return block === undefined ? { table, at, length } : { table, ...block };
}

export const barrierAt = (table: Table, at: number) => `${table}:${at}`;

/**
 * The cheapest reads that bring all values: for each table the split with the least bus time, cost of a request +
 * its length, within the limits. Values that overlap come in one block. O(n^2) in the values of a table.
 */
export function planReads<T extends Planned>(items: readonly T[], limits: PlanLimits): Block<T>[] {
  const tables = new Map<Table, T[]>();
  for (const item of items) {
    const list = tables.get(item.address.table) ?? [];
    list.push(item);
    tables.set(item.address.table, list);
  }
  return [...tables].flatMap(([table, list]) => planTable(table, list, limits));
}

interface Cell<T> {
  at: number;
  end: number;
  readonly items: T[];
}

function planTable<T extends Planned>(table: Table, items: readonly T[], limits: PlanLimits): Block<T>[] {
  const scale = isBits(table) ? 16 : 1;
  const max = Math.min(limits.max * scale, isBits(table) ? 2000 : 125);
  const overhead = limits.overhead * scale;
  const widest = limits.gap === 'auto' ? Number.POSITIVE_INFINITY : limits.gap * scale;
  const cells = joinOverlaps(table, items);
  // best[i]: least cost of the first i cells; from[i]: the first cell of the last block in it.
  const best: number[] = [0];
  const from: number[] = [0];
  for (let i = 1; i <= cells.length; i++) {
    best[i] = Number.POSITIVE_INFINITY;
    const end = cells[i - 1]?.end ?? 0;
    for (let j = i - 1; j >= 0; j--) {
      const first = cells[j];
      const next = cells[j + 1];
      if (first === undefined) break;
      if (j < i - 1 && next !== undefined) {
        if (next.at - first.end > Math.min(widest, max) || crosses(table, first.end, next.at, limits.barriers)) break;
      }
      // A single cell longer than max is asked for as it is: the profile said so (a long text, a read_block).
      if (end - first.at > max && j < i - 1) break;
      const cost = (best[j] ?? 0) + overhead + (end - first.at);
      if (cost < (best[i] ?? 0)) {
        best[i] = cost;
        from[i] = j;
      }
    }
  }
  const blocks: Block<T>[] = [];
  for (let i = cells.length; i > 0; i = from[i] ?? 0) {
    const group = cells.slice(from[i] ?? 0, i);
    const at = group[0]?.at ?? 0;
    blocks.unshift({ table, at, length: (group.at(-1)?.end ?? at) - at, items: group.flatMap((cell) => cell.items) });
  }
  return blocks;
}

/** A barrier stands between two cells when it is anywhere in the hole, its end included. */
function crosses(table: Table, holeStart: number, holeEnd: number, barriers: ReadonlySet<string>): boolean {
  if (barriers.size === 0) return false;
  for (let at = holeStart; at <= holeEnd; at++) if (barriers.has(barrierAt(table, at))) return true;
  return false;
}

function joinOverlaps<T extends Planned>(table: Table, items: readonly T[]): Cell<T>[] {
  const sorted = items
    .map((item) => ({ item, span: spanOf(item.address) }))
    .sort((a, b) => a.span.at - b.span.at || a.span.length - b.span.length);
  const cells: Cell<T>[] = [];
  for (const { item, span } of sorted) {
    const last = cells.at(-1);
    const end = span.at + span.length;
    if (last !== undefined && span.at < last.end && span.table === table) {
      last.end = Math.max(last.end, end);
      last.items.push(item);
    } else cells.push({ at: span.at, end, items: [item] });
  }
  return cells;
}

/**
 * Where to cut a block that the device refuses (exception 2 or 3): at its widest hole, else in the middle. Returns the
 * address of the first value behind the cut, or null when there is nothing to cut.
 */
export function cutOf<T extends Planned>({ table, items }: Block<T>): number | null {
  const cells = joinOverlaps(table, items);
  if (cells.length < 2) return null;
  let cut = Math.floor(cells.length / 2);
  let widest = 0;
  for (let i = 1; i < cells.length; i++) {
    const hole = (cells[i]?.at ?? 0) - (cells[i - 1]?.end ?? 0);
    if (hole > widest) {
      widest = hole;
      cut = i;
    }
  }
  return cells[cut]?.at ?? null;
}

/** Whether registers that nobody asked for lie between the values of a block. */
export function hasHole<T extends Planned>({ table, items }: Block<T>): boolean {
  const cells = joinOverlaps(table, items);
  return cells.some((cell, i) => cell.at > (cells[i - 1]?.end ?? cell.at));
}

/**
 * What one request costs beside its registers, in registers (facts of RTU physics: request 8 bytes, answer 5 + 2N, two
 * silences of 3.5 characters, which above 19200 baud are 1.75 ms each). `think` is the device's own time, ms.
 */
export function requestOverhead(line: { baud: number; bitsPerCharacter: number } | 'tcp', think = 10): number {
  if (line === 'tcp') return 125;
  const character = (1000 * line.bitsPerCharacter) / line.baud;
  const silence = line.baud > 19_200 ? 1.75 : 3.5 * character;
  return Math.round((13 * character + 2 * silence + think) / (2 * character));
}
