import type { Alarm } from '#edge/domain/alarm.ts';
import type { AuditLine, InboxEntry } from '#edge/domain/audit.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { Notice } from '#edge/domain/notice.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { RuleDecision } from '#edge/domain/rule.ts';
import type { Batch } from '#edge/store/batch.ts';

/** Most of a kind that are kept in memory: an hour of a busy campus, some 10 MB. */
const maxOwed = 20_000;
const maxAtOnce = 512;

/** Rows that are written whole, the newest form of each: by what tells one of a kind from another. */
const rowKeys = {
  incidents: ({ id }: Row<'incidents'>) => id,
  clips: ({ id }: Row<'clips'>) => id,
  patrols: ({ id }: Row<'patrols'>) => id,
  cases: ({ id }: Row<'cases'>) => id,
  emergencies: ({ id }: Row<'emergencies'>) => id,
  broadcasts: ({ item }: Row<'broadcasts'>) => item.id,
  deliveries: ({ item, output }: Row<'deliveries'>) => `${item} ${output}`,
};
type RowKind = 'incidents' | 'clips' | 'patrols' | 'cases' | 'emergencies' | 'broadcasts' | 'deliveries';
type Row<K extends RowKind> = NonNullable<Batch[K]>[number];
const rowKinds = Object.keys(rowKeys) as RowKind[];

/** Key and row of each. */
function rowsOf(batch: Batch, kind: RowKind): [string, object][] {
  const keyOf = rowKeys[kind] as (row: object) => string;
  return (batch[kind] ?? []).map((row) => [keyOf(row), row]);
}

/** A part of the debt on its way to the disk. */
export interface Part {
  readonly batch: Batch;
  readonly client: string;
  /** It is owed no more. */
  readonly paid: () => void;
}

/** What the disk has refused and must still get, bounded; the oldest goes first, and is counted. */
export class Debt {
  /** By the client that was refused the acknowledgement. */
  readonly #readings = new Map<string, Set<Reading>>();
  #readingCount = 0;
  readonly #lines = new Set<
    { readonly event: CampusEvent } | { readonly audit: AuditLine } | { readonly journal: RuleDecision }
  >();
  /** By key: the same stranger counts once. */
  readonly #inbox = new Map<string, InboxEntry>();
  /** The newest form of each. */
  readonly #alarms = new Map<string, Alarm>();
  readonly #notices = new Map<string, Notice>();
  readonly #rows = new Map(rowKinds.map((kind) => [kind, new Map<string, object>()]));
  readonly #state = new Map<string, unknown>();
  #dropped = 0;

  get dropped(): number {
    return this.#dropped;
  }

  get isEmpty(): boolean {
    const owed = [this.#readings, this.#lines, this.#inbox, this.#alarms, this.#notices, this.#state];
    return [...owed, ...this.#rows.values()].every(({ size }) => size === 0);
  }

  /** Is something owed that this client was refused the acknowledgement of? */
  isTo(client: string): boolean {
    if (this.#readings.has(client)) return true;
    for (const entry of this.#inbox.values()) if (entry.client === client) return true;
    return false;
  }

  owe(batch: Batch, client: string): void {
    const { readings = [], events = [], audit = [], inbox = [], alarms = [], state = {} } = batch;
    const { journal = [], notices = [] } = batch;
    if (readings.length > 0) this.#oweReadings(readings, client);
    for (const event of events) this.#lines.add({ event });
    for (const line of audit) this.#lines.add({ audit: line });
    for (const line of journal) this.#lines.add({ journal: line });
    for (const notice of notices) this.#notices.set(notice.id, notice);
    for (const entry of inbox) this.#inbox.set(`${entry.client} ${entry.key}`, entry);
    for (const alarm of alarms) this.#alarms.set(alarm.id, alarm);
    for (const [kind, owed] of this.#rows) for (const [key, row] of rowsOf(batch, kind)) owed.set(key, row);
    for (const [name, value] of Object.entries(state)) this.#state.set(name, value);
    for (const owed of [this.#lines, this.#inbox, this.#alarms, this.#notices, ...this.#rows.values()])
      this.#trim(owed);
  }

  /** What is on disk in a newer form is owed no more. */
  forget(batch: Batch): void {
    const { alarms = [], notices = [], state = {} } = batch;
    for (const [kind, owed] of this.#rows) for (const [key] of rowsOf(batch, kind)) owed.delete(key);
    for (const notice of notices) this.#notices.delete(notice.id);
    for (const alarm of alarms) this.#alarms.delete(alarm.id);
    for (const name of Object.keys(state)) this.#state.delete(name);
  }

  /** What to pay next: people's and machines' lines first, then readings; null when nothing is owed. */
  next(): Part | null {
    return this.#nextLines() ?? this.#nextReadings();
  }

  #nextLines(): Part | null {
    const lines = first(this.#lines);
    const inbox = first(this.#inbox.entries());
    const alarms = [...this.#alarms.values()];
    const notices = first(this.#notices.values());
    const state = [...this.#state];
    const rows = [...this.#rows].flatMap(([kind, kept]) => {
      const some = first(kept);
      return some.length === 0 ? [] : [{ kind, kept, some }];
    });
    const owed = [lines, inbox, alarms, notices, state, rows];
    if (owed.every(({ length }) => length === 0)) return null;
    const paid = () => {
      for (const line of lines) this.#lines.delete(line);
      for (const [key, entry] of inbox) if (this.#inbox.get(key) === entry) this.#inbox.delete(key);
      for (const alarm of alarms) if (this.#alarms.get(alarm.id) === alarm) this.#alarms.delete(alarm.id);
      for (const notice of notices) if (this.#notices.get(notice.id) === notice) this.#notices.delete(notice.id);
      for (const { kept, some } of rows) for (const [key, row] of some) if (kept.get(key) === row) kept.delete(key);
      for (const [name, value] of state) if (this.#state.get(name) === value) this.#state.delete(name);
    };
    const events = lines.flatMap((line) => ('event' in line ? [line.event] : []));
    const audit = lines.flatMap((line) => ('audit' in line ? [line.audit] : []));
    const journal = lines.flatMap((line) => ('journal' in line ? [line.journal] : []));
    const batch: Batch = {
      ...(events.length > 0 ? { events } : {}),
      ...(audit.length > 0 ? { audit } : {}),
      ...(inbox.length > 0 ? { inbox: inbox.map(([, entry]) => entry) } : {}),
      ...(alarms.length > 0 ? { alarms } : {}),
      ...(journal.length > 0 ? { journal } : {}),
      ...(notices.length > 0 ? { notices } : {}),
      ...Object.fromEntries(rows.map(({ kind, some }) => [kind, some.map(([, row]) => row)])),
      ...(state.length > 0 ? { state: Object.fromEntries(state) } : {}),
    };
    return { batch, client: '', paid };
  }

  #nextReadings(): Part | null {
    const [entry] = this.#readings;
    if (entry === undefined) return null;
    const [client, owed] = entry;
    const readings = first(owed);
    return { batch: { readings }, client, paid: () => this.#forgetReadings(client, readings) };
  }

  #oweReadings(readings: readonly Reading[], client: string): void {
    const owed = this.#readings.get(client) ?? new Set();
    this.#readings.set(client, owed);
    this.#readingCount -= owed.size;
    for (const reading of readings) owed.add(reading);
    this.#readingCount += owed.size;
    while (this.#readingCount > maxOwed) {
      const [most] = [...this.#readings].sort(([, a], [, b]) => b.size - a.size);
      if (most === undefined) return;
      const oldest = first(most[1]);
      this.#forgetReadings(most[0], oldest);
      this.#dropped += oldest.length;
    }
  }

  #forgetReadings(client: string, readings: readonly Reading[]): void {
    const owed = this.#readings.get(client);
    if (owed === undefined) return;
    for (const reading of readings) if (owed.delete(reading)) this.#readingCount--;
    if (owed.size === 0) this.#readings.delete(client);
  }

  #trim(owed: { readonly size: number; keys(): Iterator<unknown>; delete(key: never): boolean }): void {
    while (owed.size > maxOwed) {
      const oldest = owed.keys().next();
      owed.delete(oldest.value as never);
      this.#dropped++;
    }
  }
}

function first<T>(owed: Iterable<T>): T[] {
  const some: T[] = [];
  for (const one of owed) {
    if (some.length === maxAtOnce) break;
    some.push(one);
  }
  return some;
}
