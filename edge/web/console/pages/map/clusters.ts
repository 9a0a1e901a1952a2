import type { Size, Spot } from './view.ts';

/* Glyphs that would lie on each other become one. Pure. */

export interface Placed extends Spot {
  readonly id: string;
  readonly space: string | null;
}
export interface Cluster<T extends Placed = Placed> extends Spot {
  /** Of its first member: it stays the same while one zooms. */
  readonly id: string;
  readonly members: readonly T[];
}

/** Closer than this and they cover each other, px; of one space they join from further away. */
const near = 34;
const nearInSpace = 52;
/** What was joined lies elsewhere and may cover something there. */
const mostRounds = 4;

/**
 * Joins by distance on the screen, in the order given: devices of one space first, then whatever still overlaps. A cluster
 * lies in the middle of its members. Looks only at neighbours: 2,000 devices are no matter.
 */
export function clustersOf<T extends Placed>(placed: readonly T[], layer: Size): Cluster<T>[] {
  const spaces = Map.groupBy(placed, ({ space, id }) => space ?? `alone ${id}`);
  let clusters = [...spaces.values()].flatMap((own) => joined(own.map(alone), layer, nearInSpace));
  for (let round = 0; round < mostRounds; round++) {
    const before = clusters.length;
    clusters = joined(clusters, layer, near);
    if (clusters.length === before) break;
  }
  return clusters;
}

function alone<T extends Placed>(member: T): Cluster<T> {
  return { id: member.id, x: member.x, y: member.y, members: [member] };
}

function joined<T extends Placed>(clusters: readonly Cluster<T>[], layer: Size, reach: number): Cluster<T>[] {
  const cells = new Map<string, number[]>();
  const groups: Cluster<T>[] = [];
  for (const cluster of clusters) {
    const column = Math.floor((cluster.x * layer.width) / reach);
    const row = Math.floor((cluster.y * layer.height) / reach);
    const at = neighbours(column, row)
      .flatMap((cell) => cells.get(cell) ?? [])
      .find((index) => distance(groups[index] ?? cluster, cluster, layer) < reach);
    const group = at === undefined ? undefined : groups[at];
    if (at === undefined || group === undefined) {
      // It is found where its first member lies, also when its middle has moved on.
      const key = `${column} ${row}`;
      cells.set(key, [...(cells.get(key) ?? []), groups.length]);
      groups.push(cluster);
    } else groups[at] = together(group, cluster);
  }
  return groups;
}

function neighbours(column: number, row: number): string[] {
  const around = [0, -1, 1];
  return around.flatMap((right) => around.map((down) => `${column + right} ${row + down}`));
}

function together<T extends Placed>(a: Cluster<T>, b: Cluster<T>): Cluster<T> {
  const members = [...a.members, ...b.members];
  const mean = (of: 'x' | 'y') => members.reduce((sum, member) => sum + member[of], 0) / members.length;
  return { id: a.id, x: mean('x'), y: mean('y'), members };
}

function distance(a: Spot, b: Spot, layer: Size): number {
  return Math.hypot((a.x - b.x) * layer.width, (a.y - b.y) * layer.height);
}
