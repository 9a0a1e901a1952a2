import { CodedError } from '#edge/runtime/errors.ts';
import type { Batch } from './batch.ts';
import { caseItem, clipItem, incidentItem, patrolItem } from './gatehouse-items.ts';
import { toStored } from './sample.ts';
import { schoolLedgerItem } from './school-ledger-items.ts';
import { broadcastItem, deliveryItem, emergencyItem, soundItem } from './sound-items.ts';
import { columns, type Group, type Item } from './wire.ts';

/** What a row or an item costs in memory besides its text, bytes; rough. */
const itemBytes = 200;

/** Everything of a batch but its readings, as rows to insert. Throws a TypeError for what is no JSON (a cycle, a bigint). */
function itemsOf(batch: Batch): Item[] {
  const items: Item[] = [];
  for (const event of batch.events ?? []) {
    items.push({ kind: 'event', id: event.id, time: event.time, body: JSON.stringify(event) });
  }
  for (const alarm of batch.alarms ?? []) {
    const open = Number(alarm.state !== 'normal');
    items.push({ kind: 'alarm', id: alarm.id, raised: alarm.raised, open, body: JSON.stringify(alarm) });
  }
  for (const entry of batch.requests ?? []) {
    const { id, time } = entry.request;
    items.push({ kind: 'request', id, time, body: JSON.stringify(entry) });
  }
  for (const entry of batch.commands ?? []) {
    items.push({ kind: 'command', id: entry.command.id, time: entry.command.issued, body: JSON.stringify(entry) });
  }
  for (const { time, who, from, what, why, result } of batch.audit ?? []) {
    items.push({ kind: 'audit', row: [time, who, from, what, why, result] });
  }
  for (const { key, kind, client, topic, message, excerpt, time } of batch.inbox ?? []) {
    items.push({ kind: 'inbox', row: [key, kind, client, topic, message, excerpt, time] });
  }
  for (const { ref, holds } of batch.holds ?? []) {
    items.push({ kind: 'hold', ref, body: holds.length === 0 ? null : JSON.stringify(holds) });
  }
  for (const { body, ...change } of batch.documents ?? []) {
    items.push({ kind: 'document', change, body: body === null ? null : JSON.stringify(body) });
  }
  for (const key of batch.forgetInbox ?? []) items.push({ kind: 'forget', body: key });
  for (const [name, value] of Object.entries(batch.state ?? {})) {
    items.push({ kind: 'state', name, body: value === null || value === undefined ? null : JSON.stringify(value) });
  }
  for (const line of batch.journal ?? []) {
    const { time, rule, instance, version, shadow } = line;
    items.push({ kind: 'journal', row: [time, rule, instance, version, Number(shadow), JSON.stringify(line)] });
  }
  for (const notice of batch.notices ?? []) {
    const { id, created, state, about } = notice;
    items.push({ kind: 'notice', row: [id, created, state, about, JSON.stringify(notice)] });
  }
  for (const step of batch.counters ?? []) {
    items.push({ kind: 'counter', row: [step.id, step.ref, step.state, step.toTime, JSON.stringify(step)] });
  }
  for (const incident of batch.incidents ?? []) items.push(incidentItem(incident));
  for (const clip of batch.clips ?? []) items.push(clipItem(clip));
  for (const patrol of batch.patrols ?? []) items.push(patrolItem(patrol));
  for (const one of batch.cases ?? []) items.push(caseItem(one));
  for (const line of batch.schoolLedger ?? []) items.push(schoolLedgerItem(line));
  for (const sound of batch.sounds ?? []) items.push(soundItem(sound));
  for (const record of batch.broadcasts ?? []) items.push(broadcastItem(record));
  for (const delivery of batch.deliveries ?? []) items.push(deliveryItem(delivery));
  for (const emergency of batch.emergencies ?? []) items.push(emergencyItem(emergency));
  for (const correction of batch.corrections ?? []) items.push({ kind: 'correct', correction, body: null });
  for (const body of batch.health ?? []) items.push({ kind: 'health', body: JSON.stringify(body) });
  return items;
}

function sizeOf(item: Item): number {
  if ('row' in item)
    return item.row.reduce<number>((n, cell) => n + (typeof cell === 'string' ? cell.length : 8), itemBytes);
  return itemBytes + (item.body?.length ?? 0);
}

export interface Waiter {
  resolve(): void;
  reject(error: CodedError): void;
}

/** Batches that wait for the next transaction, already in the form in which they cross to the thread. */
export class PendingGroup {
  readonly waiters: Waiter[] = [];
  readonly #items: Item[] = [];
  readonly #texts: string[] = [];
  readonly #ends: (readonly [number, number])[] = [];
  #rows: Float64Array<ArrayBuffer> = new Float64Array(columns * 64);
  #count = 0;
  #bytes = 0;
  #patient = true;

  get rows(): number {
    return this.#count;
  }

  /** Carries something that is not telemetry. */
  get urgent(): boolean {
    return this.#items.length > 0;
  }

  /** All that is in it may wait. */
  get patient(): boolean {
    return this.#patient;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** All of a batch or, when it throws, nothing. Codes: STORE_UNKNOWN_POINT, STORE_BAD_READING, STORE_REFUSED. */
  add(batch: Batch, pointIds: ReadonlyMap<string, number>, waiter: Waiter): void {
    const before = { count: this.#count, bytes: this.#bytes, texts: this.#texts.length };
    let items: Item[];
    try {
      for (const reading of batch.readings ?? []) {
        const point = pointIds.get(reading.ref);
        if (point === undefined) {
          throw new CodedError('STORE_UNKNOWN_POINT', `${reading.ref} was never registered with the store`);
        }
        const sample = toStored(reading);
        const isText = typeof sample.value === 'string';
        if (typeof sample.value === 'string') {
          this.#texts.push(sample.value);
          this.#bytes += itemBytes + sample.value.length;
        }
        this.#row(point, sample.t, sample.d, sample.code, isText ? this.#texts.length - 1 : Number(sample.value));
      }
      items = itemsOf(batch);
    } catch (error) {
      this.#count = before.count;
      this.#bytes = before.bytes;
      this.#texts.length = before.texts;
      if (error instanceof CodedError) throw error;
      throw new CodedError('STORE_REFUSED', 'a batch cannot be written as JSON', { cause: error });
    }
    for (const item of items) {
      this.#items.push(item);
      this.#bytes += sizeOf(item);
    }
    this.#ends.push([this.#count, this.#items.length]);
    this.waiters.push(waiter);
    if (batch.patient !== true) this.#patient = false;
  }

  #row(point: number, t: number, d: number, code: number, value: number): void {
    const at = this.#count * columns;
    if (at === this.#rows.length) {
      const larger = new Float64Array(this.#rows.length * 2);
      larger.set(this.#rows);
      this.#rows = larger;
    }
    this.#rows[at] = point;
    this.#rows[at + 1] = t;
    this.#rows[at + 2] = d;
    this.#rows[at + 3] = code;
    this.#rows[at + 4] = value;
    this.#count += 1;
    this.#bytes += columns * 8;
  }

  /** To be posted with `rows.buffer` transferred; this object is done afterwards. */
  toGroup(now: number): Group & { rows: Float64Array<ArrayBuffer> } {
    return { now, rows: this.#rows, texts: this.#texts, items: this.#items, ends: this.#ends };
  }
}
