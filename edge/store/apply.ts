import { CodedError } from '#edge/runtime/errors.ts';
import type { AuditLog } from './audit-log.ts';
import type { OutboxLane } from './batch.ts';
import type { Db } from './database.ts';
import { documentWriter } from './document-writer.ts';
import { gatehouseWriter } from './gatehouse-items.ts';
import type { Outbox } from './outbox.ts';
import { schoolLedgerWriter } from './school-ledger-items.ts';
import { soundWriter } from './sound-items.ts';
import { columns, type Group, type Item } from './wire.ts';

/** Keys in the inbox: a person looks through them; the oldest go first. */
const inboxKeys = 1_000;

/** The insert statements of everything but readings, inside the caller's transaction. */
export class ItemWriter {
  readonly #statements: ReturnType<typeof prepare>;
  readonly #outbox: Outbox;
  readonly #audit: AuditLog;
  readonly #document: ReturnType<typeof documentWriter>;
  readonly #gatehouse: ReturnType<typeof gatehouseWriter>;
  readonly #schoolLedger: ReturnType<typeof schoolLedgerWriter>;
  readonly #sound: ReturnType<typeof soundWriter>;
  inboxDropped = 0;

  constructor(db: Db, outbox: Outbox, audit: AuditLog) {
    this.#statements = prepare(db);
    this.#outbox = outbox;
    this.#audit = audit;
    this.#document = documentWriter(db, audit);
    this.#gatehouse = gatehouseWriter(db);
    this.#schoolLedger = schoolLedgerWriter(db);
    this.#sound = soundWriter(db);
  }

  write(item: Item, now: number): void {
    const s = this.#statements;
    switch (item.kind) {
      case 'event':
        // Sent again: stored once, told to the city once.
        if (s.event.run(item.id, item.time, item.body).changes > 0) this.#tell('event', item.time, item.body);
        return;
      case 'alarm':
        s.alarm.run(item.id, item.raised, item.open, item.body);
        this.#tell('alarm', now, item.body);
        return;
      case 'request':
        s.request.run(item.id, item.time, item.body);
        return;
      case 'command':
        s.command.run(item.id, item.time, item.body);
        return;
      case 'audit':
        this.#audit.append(item.row);
        return;
      case 'inbox':
        s.inbox.run(...item.row, item.row[6]);
        this.inboxDropped += s.trimInbox.run(inboxKeys).changes;
        return;
      case 'forget':
        s.forget.run(item.body);
        return;
      case 'document':
        this.#document(item.change, item.body);
        return;
      case 'hold':
        if (item.body === null) s.release.run(item.ref);
        else s.hold.run(item.ref, item.body);
        return;
      case 'state':
        if (item.body === null) s.unstate.run(item.name);
        else s.state.run(item.name, item.body);
        return;
      case 'journal':
        s.journal.run(...item.row);
        return;
      case 'notice':
        s.notice.run(...item.row);
        return;
      case 'counter':
        s.counter.run(...item.row);
        return;
      case 'incident':
      case 'clip':
      case 'patrol':
      case 'case':
        this.#gatehouse(item);
        return;
      case 'school-ledger':
        this.#schoolLedger(item);
        return;
      case 'sound':
      case 'broadcast':
      case 'delivery':
      case 'emergency':
        this.#sound(item);
        return;
      case 'correct':
        throw new CodedError('STORE_REFUSED', 'a correction is no row');
      case 'health':
        this.#tell('health', now, item.body);
        return;
    }
  }

  #tell(lane: OutboxLane, time: number, body: string): void {
    this.#outbox.append(lane, time, body);
  }
}

/**
 * Inserts rows [from, to) of a group into the hot log with ids from `nextId` on; those of points that keep no history go to
 * `unkept`. Returns how many were inserted. Ids are ours and never used again: SQLite would start at 1 in an emptied table,
 * and a fold that is still under way would then remove rows it has not seen.
 */
export function rowWriter(db: Db): (group: Group, span: Span, nextId: number, unkept: UnkeptPoints) => number {
  const insert = db.prepare<[number, number, number, number, number, number | string | null]>(
    'INSERT INTO hot (id, point, t, d, code, value) VALUES (?, ?, ?, ?, ?, ?)',
  );
  return (group, [from, to], nextId, unkept) => {
    const { rows } = group;
    let inserted = 0;
    for (let i = from; i < to; i++) {
      const at = i * columns;
      const point = rows[at] ?? 0;
      const t = rows[at + 1] ?? 0;
      const d = rows[at + 2] ?? 0;
      const code = rows[at + 3] ?? 0;
      const kind = code & 3;
      const double = rows[at + 4] ?? 0;
      const value = kind === 0 ? null : kind === 3 ? (group.texts[double] ?? null) : double;
      if (unkept.has(point)) {
        unkept.keep(point, { t, d, code, value });
      } else {
        insert.run(nextId + inserted, point, t, d, code, value);
        inserted += 1;
      }
    }
    return inserted;
  };
}

export type Span = readonly [from: number, to: number];

export interface UnkeptPoints {
  has(point: number): boolean;
  keep(point: number, sample: { t: number; d: number; code: number; value: number | string | null }): void;
}

function prepare(db: Db) {
  return {
    event: db.prepare<[string, number, string]>(
      'INSERT INTO event (id, time, body) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING',
    ),
    alarm: db.prepare<[string, number, number, string]>('INSERT OR REPLACE INTO alarm VALUES (?, ?, ?, ?)'),
    request: db.prepare<[string, number, string]>('INSERT INTO request (id, time, body) VALUES (?, ?, ?)'),
    command: db.prepare<[string, number, string]>('INSERT INTO command (id, time, body) VALUES (?, ?, ?)'),
    inbox: db.prepare<[string, string, string, string, string, string, number, number]>(
      `INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT (key) DO UPDATE SET
         kind = excluded.kind, client = excluded.client, topic = excluded.topic, message = excluded.message,
         excerpt = excluded.excerpt, count = count + 1, first = min(first, excluded.first), last = max(last, excluded.last)`,
    ),
    trimInbox: db.prepare<[number]>(
      'DELETE FROM inbox WHERE key IN (SELECT key FROM inbox ORDER BY last DESC LIMIT -1 OFFSET ?)',
    ),
    forget: db.prepare<[string]>('DELETE FROM inbox WHERE key = ?'),
    hold: db.prepare<[string, string]>('INSERT OR REPLACE INTO hold VALUES (?, ?)'),
    release: db.prepare<[string]>('DELETE FROM hold WHERE ref = ?'),
    counter: db.prepare<[string, string, string, number, string]>(
      'INSERT OR REPLACE INTO counter_step VALUES (?, ?, ?, ?, ?)',
    ),
    state: db.prepare<[string, string]>('INSERT OR REPLACE INTO state VALUES (?, ?)'),
    unstate: db.prepare<[string]>('DELETE FROM state WHERE name = ?'),
    journal: db.prepare<[number, string, string, number, number, string]>(
      'INSERT INTO journal (time, rule, instance, version, shadow, body) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    notice: db.prepare<[string, number, string, string, string]>(
      'INSERT OR REPLACE INTO notice (id, created, state, about, body) VALUES (?, ?, ?, ?, ?)',
    ),
  };
}
