import type { Notification } from './notification.ts';
import type { TopicRow } from './topics-table.ts';
import { classTypes, topicRows } from './topics-table.ts';

/** What one notification means. `active` is absent for a pulse and for a state that cannot be read. */
export interface Meaning {
  readonly type: string;
  readonly kind: 'property' | 'stateless';
  readonly active?: boolean;
  /** Tells several states of one topic and source apart (classes, named items). */
  readonly part: string;
}

export type Verdict =
  | { readonly kind: 'happening'; readonly meanings: readonly Meaning[] }
  /** Known, and not worth an event. */
  | { readonly kind: 'info' | 'health' | 'counter' | 'ignore' | 'unknown' };

const silentKinds = ['info', 'health', 'counter', 'ignore'] as const;

function pattern(topic: string): RegExp {
  const escaped = topic.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.+');
  return new RegExp(`^${escaped}$`, 'i');
}

const rows = topicRows.map((row) => ({ row, matches: pattern(row.topic) }));
const exact = new Map(topicRows.filter((row) => !row.topic.includes('*')).map((row) => [row.topic.toLowerCase(), row]));

/** Vendors put their own prefixes on some segments and forget them on others. */
export function bareTopic(topic: string): string {
  return topic
    .split('/')
    .map((segment) => segment.replace(/^[^:]*:/, ''))
    .join('/');
}

function findRow(topic: string): TopicRow | undefined {
  const bare = bareTopic(topic);
  return exact.get(bare.toLowerCase()) ?? rows.find(({ matches }) => matches.test(bare))?.row;
}

const truths = new Set(['true', '1', 'active', 'on']);
const lies = new Set(['false', '0', 'inactive', 'off', '']);

function truth(value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  const word = value.trim().toLowerCase();
  return truths.has(word) ? true : lies.has(word) ? false : undefined;
}

function named(data: ReadonlyMap<string, string>, names: readonly string[]): boolean | undefined {
  for (const name of names) {
    for (const [key, value] of data) {
      if (key.toLowerCase() === name.toLowerCase()) return truth(value);
    }
  }
  return undefined;
}

/** The first item that looks like a truth value and is not a denial (`IsNotPerson`). */
function guessed(data: ReadonlyMap<string, string>): boolean | undefined {
  for (const [key, value] of data) {
    const found = /^is_?not/i.test(key) ? undefined : truth(value);
    if (found !== undefined && value.trim() !== '') return found;
  }
  return undefined;
}

const withActive = (active: boolean | undefined) => (active === undefined ? {} : { active });

/** What a camera calls things; it may also call them `constructor`. */
const classOf = (word: string) => (Object.hasOwn(classTypes, word) ? classTypes[word] : undefined);

function byClass(row: TopicRow, value: string): readonly Meaning[] {
  const present = new Set(value.split(/[\s,;]+/).map((word) => classOf(word.toLowerCase()) ?? (word && 'object')));
  const types = [...new Set([...Object.values(classTypes), 'object'])];
  return types.map((type) => ({ type, kind: row.kind, active: present.has(type), part: type }));
}

function byItem(row: TopicRow, types: Readonly<Record<string, string>>, data: ReadonlyMap<string, string>) {
  const meanings: Meaning[] = [];
  for (const [item, type] of Object.entries(types)) {
    const active = named(data, [item]);
    if (active !== undefined) meanings.push({ type, kind: row.kind, active, part: item });
  }
  return meanings;
}

/** Looks a notification up in the table. */
export function interpret(notification: Notification): Verdict {
  const row = findRow(notification.topic);
  if (!row) return { kind: 'unknown' };
  const silent = silentKinds.find((kind) => kind === row.type);
  if (silent !== undefined) return { kind: silent };
  const { data } = notification;
  if (row.classItem !== undefined) {
    return { kind: 'happening', meanings: byClass(row, data.get(row.classItem) ?? '') };
  }
  if (row.typeByItem) {
    const meanings = byItem(row, row.typeByItem, data);
    if (meanings.length > 0) return { kind: 'happening', meanings };
  }
  const segment = bareTopic(notification.topic).split('/').at(-1)?.toLowerCase() ?? '';
  const type = row.typeBySegment === true ? (classOf(segment) ?? row.type) : row.type;
  if (row.kind === 'stateless') return { kind: 'happening', meanings: [{ type, kind: row.kind, part: '' }] };
  const active = named(data, row.active ?? []) ?? guessed(data);
  return { kind: 'happening', meanings: [{ type, kind: row.kind, part: '', ...withActive(active) }] };
}
