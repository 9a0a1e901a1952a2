import { isDeepStrictEqual } from 'node:util';
import type { FlowEntry } from './tab-files.ts';

/** One node that is not as it was. */
export interface NodeChange {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly what: 'added' | 'removed' | 'changed' | 'moved';
  /** Its properties that differ, at most 32; of a changed or moved one. */
  readonly keys: readonly string[];
}

/** How many nodes differ; those that only lie elsewhere on the page are counted apart. */
export interface ChangeCount {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly moved: number;
}

/** Where a node lies, and how big its frame is: nothing that it does. */
const placing: ReadonlySet<string> = new Set(['x', 'y', 'w', 'h', 'l']);
const mostKeys = 32;

/** From one version of a tab to another; nodes in the order of the newer one, then those that are gone. */
export function diffEntries(before: readonly FlowEntry[], after: readonly FlowEntry[]): readonly NodeChange[] {
  const old = new Map(before.map((entry) => [entry.id, entry]));
  const changes: NodeChange[] = [];
  for (const entry of after) {
    const was = old.get(entry.id);
    old.delete(entry.id);
    if (was === undefined) changes.push(change(entry, 'added', []));
    else if (!isDeepStrictEqual(was, entry)) {
      const keys = differing(was, entry);
      changes.push(change(entry, keys.every((key) => placing.has(key)) ? 'moved' : 'changed', keys));
    }
  }
  return [...changes, ...[...old.values()].map((entry) => change(entry, 'removed', []))];
}

export function countChanges(changes: readonly NodeChange[]): ChangeCount {
  const of = (what: NodeChange['what']) => changes.filter((one) => one.what === what).length;
  return { added: of('added'), removed: of('removed'), changed: of('changed'), moved: of('moved') };
}

function change({ id, type, name, label }: FlowEntry, what: NodeChange['what'], keys: readonly string[]): NodeChange {
  return { id, type, name: String(name ?? label ?? '').slice(0, 100), what, keys: keys.slice(0, mostKeys) };
}

function differing(a: object, b: object): string[] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].filter((key) => !isDeepStrictEqual(Reflect.get(a, key), Reflect.get(b, key)));
}
