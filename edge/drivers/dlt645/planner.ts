import type { Point } from '#edge/domain/device.ts';
import type { Dlt645Address } from '#edge/profiles/dlt645-address.ts';

export interface Item {
  readonly point: Point;
  readonly address: Dlt645Address;
}

/** One read: every item lies in the data of `di`. */
export interface Read {
  readonly di: string;
  /** Bytes of data that the answer should have. */
  readonly length: number;
  readonly isBlock: boolean;
  readonly items: readonly Item[];
  /** Of the items, for the session. */
  readonly points: readonly Point[];
}

/**
 * What a read costs besides its data, in characters on the line: two frames with their identifiers and wake-up bytes (40), and
 * what a meter thinks meanwhile (50 ms are 11 characters at 2400 8E1). Five values of three bytes cost 270 one by one and 66
 * as a block.
 */
const readCost = 51;

/**
 * The cheapest reads that bring these items. Values with the same identifier share a read; values with the same block share
 * the block where that costs less, and where the meter has the block (`missing` are those it refused).
 */
export function planReads(items: readonly Item[], options: { missing: ReadonlySet<string> }): Read[] {
  const blocks = new Map<string, Item[]>();
  const rest: Item[] = [];
  for (const item of items) {
    const { block } = item.address;
    if (block === undefined || options.missing.has(block.di)) rest.push(item);
    else blocks.set(block.di, [...(blocks.get(block.di) ?? []), item]);
  }
  const reads: Read[] = [];
  for (const [di, inside] of blocks) {
    const length = Math.max(...inside.map(({ address }) => address.block?.length ?? 0));
    const singles = readSingles(inside);
    const cost = singles.reduce((sum, read) => sum + readCost + read.length, 0);
    if (readCost + length < cost) reads.push(readOf(di, length, true, inside));
    else rest.push(...inside);
  }
  return [...reads, ...readSingles(rest)];
}

/** One read for each identifier. */
export function readSingles(items: readonly Item[]): Read[] {
  const byIdentifier = new Map<string, Item[]>();
  for (const item of items) byIdentifier.set(item.address.di, [...(byIdentifier.get(item.address.di) ?? []), item]);
  return [...byIdentifier].map(([di, same]) => {
    const { part, length } = same[0]?.address ?? { length: 0 };
    return readOf(di, part?.length ?? length, false, same);
  });
}

function readOf(di: string, length: number, isBlock: boolean, items: readonly Item[]): Read {
  return { di, length, isBlock, items, points: items.map(({ point }) => point) };
}
