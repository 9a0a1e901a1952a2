import { type SubItem, subItems } from '#edge/domain/energy.ts';
import type { EnergyMeterView } from '../../../energy-schemas.ts';
import type { MediumReport } from './data.ts';

/* The tree of meters as a picture of streams. Pure. */

export type Flow = MediumReport['flows'][number];

/** How a stream or a part is painted: by what it is used for, and what nobody knows. */
export type Paint = SubItem | 'none' | 'unaccounted';

export interface Node {
  /** Of the picture: a meter may be called like a sub-item. */
  readonly key: string;
  /** Of the meter or the sub-item; '' of the medium and of what is unaccounted. */
  readonly id: string;
  readonly what: 'medium' | Flow['toKind'];
  readonly amount: number;
  readonly paint: Paint;
}

export interface Stream {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
}

export interface Streams {
  readonly nodes: readonly Node[];
  readonly streams: readonly Stream[];
}

const source = 'medium';
const keyOf = (what: Node['what'], id: string) => (what === 'meter' || what === 'subItem' ? `${what}:${id}` : what);
const isSubItem = (id: string): id is SubItem => subItems.some((one) => one === id);

/**
 * Nothing flows in a circle and nothing flows backwards: what a picture of streams cannot draw is left out. The medium itself is drawn
 * where several main meters share it.
 */
export function streamsOf(all: readonly Flow[], meters: readonly EnergyMeterView[]): Streams {
  const roots = all.filter(({ from }) => from === source).length;
  const flows = roots > 1 || all.length === roots ? all : all.filter(({ from }) => from !== source);
  const items = new Map(meters.map(({ id, subItem }) => [id, subItem]));
  const next = new Map<string, string[]>();
  const streams: Stream[] = [];
  const nodes = new Map<string, Omit<Node, 'amount'>>();
  const add = (what: Node['what'], id: string): string => {
    const key = keyOf(what, id);
    nodes.set(key, {
      key,
      id: what === 'meter' || what === 'subItem' ? id : '',
      what,
      paint: paintOf(what, id, items),
    });
    return key;
  };
  for (const { from: origin, to: end, toKind, amount } of flows) {
    const from = keyOf(origin === source ? 'medium' : 'meter', origin);
    const to = keyOf(toKind, end);
    if (!(amount > 0) || reaches(next, to, from)) continue;
    add(origin === source ? 'medium' : 'meter', origin);
    add(toKind, end);
    next.set(from, [...(next.get(from) ?? []), to]);
    streams.push({ from, to, amount });
  }
  const sum = (of: (stream: Stream) => boolean) => streams.filter(of).reduce((total, { amount }) => total + amount, 0);
  // What comes in is what a meter counted, also where those below it count more.
  const counted = (key: string) =>
    all.filter(({ to, toKind }) => keyOf(toKind, to) === key).reduce((total, { amount }) => total + amount, 0);
  return {
    streams,
    nodes: [...nodes.values()].map((node) => ({
      ...node,
      amount: counted(node.key) || sum(({ from }) => from === node.key),
    })),
  };
}

function reaches(next: ReadonlyMap<string, readonly string[]>, from: string, to: string): boolean {
  const seen = new Set([from]);
  for (const at of seen) {
    if (at === to) return true;
    for (const one of next.get(at) ?? []) seen.add(one);
  }
  return false;
}

function paintOf(what: Node['what'], id: string, items: ReadonlyMap<string, SubItem | null>): Paint {
  if (what === 'unaccounted') return 'unaccounted';
  if (what === 'subItem') return isSubItem(id) ? id : 'none';
  return what === 'meter' ? (items.get(id) ?? 'none') : 'none';
}
