import { auditAtLeast } from '#edge/runtime/site.ts';
import type { AuditLog } from './audit-log.ts';
import type { Db } from './database.ts';
import type { Slice } from './fold.ts';
import type { Outbox } from './outbox.ts';
import { blockKey, hourOf } from './points.ts';
import type { Dropped } from './report.ts';
import type { StoreRetention } from './wire.ts';

const day = 86_400_000;
/** Hourly aggregates outlive the samples by so many times, and by space for at least a month. */
const headerAges = 5;
const headersAtLeast = 30 * day;
const step = 500;
/** How long what became of a notice is known, ms. */
const noticeAge = 90 * day;
/** Commands, some 300 MB: two for each time that a rule switches an output and lets go of it. */
const mostCommands = 500_000;
/** Lines of the journal, some 300 MB: rules that chatter must not fill the disk, whatever their age. */
const mostJournal = 400_000;
const mostNotices = 100_000;
const mostSteps = 5_000;
/** Alarm and patrol records are kept for a month at least (GB/T 29315-2022), ms. */
const patrolsAtLeast = 30 * day;
/** Incidents and clips, some 400 MB and 60 MB: a camera that barks at every leaf must not fill the disk. */
const mostIncidents = 200_000;
const mostClips = 200_000;
/** A year of school and what a school year needs to be looked back on; some 100 lines a day. ms, rows. */
const schoolLedgerAge = 400 * day;
const mostSchoolLedger = 400_000;
/** Items of broadcast, and each on each loudspeaker: forty bells a day in a hundred rooms for half a year. */
const mostBroadcasts = 100_000;
const mostDeliveries = 800_000;

/** What there is of the disk. */
export interface Space {
  /** Pages in use and the write-ahead log, bytes. */
  used(): number;
  /** Free for us in the file system, bytes. */
  free(): number;
  /** Brings the write-ahead log into the database: it counts too, and nothing need be dropped for it. */
  settle(): void;
  unusedPages(): number;
  /** Gives some unused pages back to the file system. */
  giveBack(): void;
}

export interface RetentionOptions {
  readonly retention: StoreRetention;
  readonly outboxBytes: number;
  /** Readings younger than this are never dropped for space, ms. */
  readonly keepAtLeast: number;
  /** Rows that are kept at most, whatever their age. */
  readonly most?: { readonly journal: number; readonly notices: number; readonly incidents?: number };
}

/**
 * Drops what its age or the lack of room forces out, in that order, and writes an audit line for each deletion. Pages that
 * become free are used again by the next writes, so the file does not grow: moving pages about to shrink it would only wear
 * the flash. Below the free-space floor the file does shrink, because then the room is somebody else's.
 */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #space: Space;
  readonly #outbox: Outbox;
  readonly #audit: AuditLog;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: Db, outbox: Outbox, audit: AuditLog, space: Space, options: RetentionOptions) {
    this.#options = options;
    this.#space = space;
    this.#outbox = outbox;
    this.#audit = audit;
    this.#statements = prepare(db);
  }

  *run(
    now: number,
    slice: Slice,
  ): Generator<void, { dropped: Dropped[]; freed: number; evicted: number; full: boolean }> {
    const dropped: Dropped[] = [];
    let freed = 0;
    let evicted = 0;
    slice.transaction(() => {
      freed = this.#outbox.free(now);
      const forced = this.#outbox.evict(this.#options.outboxBytes, now, 'outbox size cap');
      freed += forced.freed;
      evicted = forced.evicted;
      if (evicted > 0) {
        const what = 'outbox rows that the city never acknowledged';
        this.#note(dropped, { what, why: `more than ${this.#options.outboxBytes} bytes waited`, rows: evicted }, now);
      }
    });
    yield;
    for (const target of this.#byAge(now)) yield* this.#drop(target, now, slice, dropped);
    yield* this.#dropAudit(now, slice, dropped);
    const full = yield* this.#forSpace(now, slice, dropped);
    return { dropped, freed, evicted, full };
  }

  #byAge(now: number): Target[] {
    const { readings, events, audit, incidents } = this.#options.retention;
    const patrolAge = Math.max(events, patrolsAtLeast);
    const s = this.#statements;
    const before = (age: number) => wholeDaysBefore(now, age);
    const keyOf = (age: number) => blockKey(Math.max(0, hourOf(before(age))), 0);
    const raw = { what: 'raw readings', table: s.block, cut: keyOf(readings), why: days(readings) };
    const headerAge = headerAges * readings;
    return [
      raw,
      { what: 'hourly aggregates', table: s.hour, cut: keyOf(headerAge), why: days(headerAge) },
      { what: 'events', table: s.event, cut: before(events), why: days(events) },
      { what: 'ended alarms', table: s.alarm, cut: before(events), why: days(events) },
      { what: 'inbox entries', table: s.inbox, cut: before(events), why: days(events) },
      { what: 'requests', table: s.request, cut: before(audit), why: days(audit) },
      { what: 'commands', table: s.command, cut: before(audit), why: days(audit) },
      { what: "lines of the rules' journal", table: s.journal, cut: before(events), why: days(events) },
      {
        what: 'incidents that are over',
        table: s.incident,
        cut: before(incidents ?? audit),
        why: days(incidents ?? audit),
      },
      {
        what: 'clips that nothing keeps',
        table: s.clip,
        cut: before(incidents ?? audit),
        why: days(incidents ?? audit),
      },
      {
        what: 'cases that were let go',
        table: s.evidence,
        cut: before(incidents ?? audit),
        why: days(incidents ?? audit),
      },
      {
        what: 'lines of the school day',
        table: s.schoolLedger,
        cut: before(schoolLedgerAge),
        why: days(schoolLedgerAge),
      },
      { what: 'what sounded', table: s.broadcast, cut: before(events), why: days(events) },
      { what: 'proofs of delivery', table: s.delivery, cut: before(events), why: days(events) },
      { what: 'exercises', table: s.drill, cut: before(events), why: days(events) },
      { what: 'emergencies', table: s.emergency, cut: before(audit), why: days(audit) },
      { what: 'patrols', table: s.patrol, cut: before(patrolAge), why: days(patrolAge) },
      { what: 'notices', table: s.notice, cut: before(noticeAge), why: days(noticeAge) },
      ...this.#byCount(),
    ];
  }

  /** The oldest of what rules can make many of; a tenth at a time, so that it is not one row a minute. */
  #byCount(): Target[] {
    const { commandRows, journalRows, noticeRows, stepRows, incidentRows, clipRows, schoolLedgerRows } =
      this.#statements;
    const { broadcastRows, deliveryRows } = this.#statements;
    const most = this.#options.most ?? { journal: mostJournal, notices: mostNotices };
    const over = (what: string, table: CountedTable, limit: number): Target[] => {
      const cut = table.cut(limit);
      return cut === null ? [] : [{ what, table, cut, why: `more than ${limit} are kept` }];
    };
    return [
      ...over("lines of the rules' journal", journalRows, most.journal),
      ...over('notices', noticeRows, most.notices),
      ...over('commands', commandRows, mostCommands),
      ...over('counter steps that are over', stepRows, mostSteps),
      ...over('incidents that are over', incidentRows, most.incidents ?? mostIncidents),
      ...over('clips that nothing keeps', clipRows, mostClips),
      ...over('lines of the school day', schoolLedgerRows, mostSchoolLedger),
      ...over('what sounded', broadcastRows, mostBroadcasts),
      ...over('proofs of delivery', deliveryRows, mostDeliveries),
    ];
  }

  /** Returns true when space is short and nothing more may be dropped. */
  *#forSpace(now: number, slice: Slice, dropped: Dropped[]): Generator<void, boolean> {
    const { database, freeSpaceFloor } = this.#options.retention;
    for (;;) {
      if (this.#space.used() > database) this.#space.settle();
      const used = this.#space.used();
      const free = this.#space.free();
      const over = used > database;
      if (!over && free >= freeSpaceFloor) return false;
      // Somebody else filled the disk: dropping all of ours would not help them, and would cost us our history.
      if (!over && free + used < freeSpaceFloor) return true;
      const why = over ? `${used} bytes of ${database} in use` : `${free} bytes free, ${freeSpaceFloor} wanted`;
      if (!over && this.#gaveBack()) {
        yield;
        continue;
      }
      const target = this.nextForSpace(now, why);
      if (target !== null) yield* this.#drop(target, now, slice, dropped);
      yield;
      if (target === null) return over || this.#space.free() < freeSpaceFloor;
    }
  }

  /** Room that we hold and do not use goes before anything is dropped. */
  #gaveBack(): boolean {
    const before = this.#space.unusedPages();
    if (before > 0) this.#space.giveBack();
    return this.#space.unusedPages() < before;
  }

  /** The oldest quarter of a day that may go, raw readings first; null when nothing may. */
  nextForSpace(now: number, why: string): Target | null {
    const s = this.#statements;
    const candidates = [
      { what: 'raw readings', table: s.block, keep: this.#options.keepAtLeast },
      { what: 'hourly aggregates', table: s.hour, keep: headersAtLeast },
    ];
    for (const { what, table, keep } of candidates) {
      const oldest = table.oldest.get();
      const limit = blockKey(Math.max(0, hourOf(now - keep)), 0);
      if (oldest === undefined || oldest === null || oldest >= limit) continue;
      return { what, table, cut: Math.min(limit, oldest + blockKey(6, 0)), why };
    }
    return null;
  }

  /** Drops one step of the oldest at once, inside the caller's transaction (a full disk). */
  dropOne(now: number): void {
    const target = this.nextForSpace(now, 'the disk is full');
    if (target === null) return;
    const rows = target.table.count.get({ cut: target.cut }) ?? 0;
    target.table.remove.run({ cut: target.cut, most: rows });
    this.#note([], { what: target.what, why: target.why, rows }, now);
  }

  *#drop(target: Target, now: number, slice: Slice, dropped: Dropped[]): Generator<void> {
    const { table, cut } = target;
    const rows = table.count.get({ cut }) ?? 0;
    if (rows === 0) return;
    // The line goes first: a deletion that a crash cuts short is announced, never unannounced.
    slice.transaction(() => {
      this.#note(dropped, { what: target.what, why: target.why, rows }, now);
    });
    for (let left = rows; left > 0; left -= step) {
      slice.transaction(() => {
        table.remove.run({ cut, most: step });
      });
      yield;
    }
  }

  /** The audit is let go by age alone, never for room: each step says up to where, in the transaction that removes it. */
  *#dropAudit(now: number, slice: Slice, dropped: Dropped[]): Generator<void> {
    const age = Math.max(this.#options.retention.audit, auditAtLeast);
    const cut = wholeDaysBefore(now, age);
    const rows = this.#audit.countOld(cut);
    if (rows === 0) return;
    const why = days(age);
    slice.transaction(() => this.#note(dropped, { what: 'audit lines', why, rows }, now));
    for (let left = rows; left > 0; left -= step) {
      slice.transaction(() => {
        this.#audit.release(cut, step, now, why);
      });
      yield;
    }
  }

  #note(dropped: Dropped[], entry: Dropped, now: number): void {
    dropped.push(entry);
    this.#audit.append([now, 'process:core', 'store', `retention drop ${entry.what}`, entry.why, `${entry.rows} rows`]);
  }
}

/** Cut at whole days: one audit line a day, not one a minute. */
function wholeDaysBefore(now: number, age: number): number {
  return Math.floor((now - age) / day) * day;
}

function days(age: number): string {
  return `older than ${Math.round(age / day)} days`;
}

interface Target {
  readonly what: string;
  readonly table: Prunable;
  readonly cut: number;
  readonly why: string;
}

interface Cut {
  readonly cut: number;
}

type Prunable = ReturnType<typeof prunable>;

/** Its `cut` keeps nine tenths of the limit; null while there are no more than the limit. */
interface CountedTable extends Prunable {
  cut(limit: number): number | null;
}

/** By number: none is ever left out between the first and the last, so nothing has to be counted. */
function countedBySeq(db: Db, table: 'command' | 'journal'): CountedTable {
  const ends = db.prepare<[], { first: number | null; last: number | null }>(
    `SELECT (SELECT min(seq) FROM ${table}) AS first, (SELECT max(seq) FROM ${table}) AS last`,
  );
  return {
    ...prunable(db, table, 'seq', 'seq < @cut'),
    cut: (limit) => {
      const { first, last } = ends.get() ?? { first: null, last: null };
      if (first === null || last === null || last - first < limit) return null;
      return last + 1 - Math.floor(limit * 0.9);
    },
  };
}

function countedNotices(db: Db): CountedTable {
  const count = db.prepare<[], number>('SELECT count(*) FROM notice').pluck();
  const createdOf = db
    .prepare<[number], number>('SELECT created FROM notice ORDER BY created DESC LIMIT 1 OFFSET ?')
    .pluck();
  return {
    ...prunable(db, 'notice', 'id', 'created < @cut'),
    cut: (limit) => ((count.get() ?? 0) <= limit ? null : (createdOf.get(Math.floor(limit * 0.9) - 1) ?? null)),
  };
}

/** Of those rows of a table that are over: as many as are kept, by a time. */
function countedWhere(db: Db, table: string, time: string, over: string, key = 'id'): CountedTable {
  const count = db.prepare<[], number>(`SELECT count(*) FROM ${table} WHERE ${over}`).pluck();
  const timeOf = db
    .prepare<[number], number>(`SELECT ${time} FROM ${table} WHERE ${over} ORDER BY ${time} DESC LIMIT 1 OFFSET ?`)
    .pluck();
  return {
    ...prunable(db, table, key, `${over} AND ${time} < @cut`),
    cut: (limit) => ((count.get() ?? 0) <= limit ? null : (timeOf.get(Math.floor(limit * 0.9) - 1) ?? null)),
  };
}

/** `old` is a condition on @cut. */
function prunable(db: Db, table: string, key: string, old: string) {
  return {
    count: db.prepare<[Cut], number>(`SELECT count(*) FROM ${table} WHERE ${old}`).pluck(),
    oldest: db.prepare<[], number | null>(`SELECT min(${key}) FROM ${table}`).pluck(),
    remove: db.prepare<[Cut & { most: number }]>(
      `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE ${old} ORDER BY ${key} LIMIT @most)`,
    ),
  };
}

function prepare(db: Db) {
  return {
    block: prunable(db, 'block', 'id', 'id < @cut'),
    hour: prunable(db, 'hour', 'id', 'id < @cut'),
    event: prunable(db, 'event', 'seq', 'time < @cut'),
    alarm: prunable(db, 'alarm', 'id', 'open = 0 AND raised < @cut'),
    inbox: prunable(db, 'inbox', 'key', 'last < @cut'),
    request: prunable(db, 'request', 'seq', 'time < @cut'),
    command: prunable(db, 'command', 'seq', 'time < @cut'),
    journal: prunable(db, 'journal', 'seq', 'time < @cut'),
    // What was never sent is of no use after so long either.
    notice: prunable(db, 'notice', 'id', 'created < @cut'),
    commandRows: countedBySeq(db, 'command'),
    journalRows: countedBySeq(db, 'journal'),
    noticeRows: countedNotices(db),
    stepRows: countedWhere(db, 'counter_step', 'time', "state <> 'open'"),
    // What is not resolved is never let go of, nor is footage that somebody or something keeps.
    incident: prunable(db, 'incident', 'id', "state = 'resolved' AND opened < @cut"),
    incidentRows: countedWhere(db, 'incident', 'opened', "state = 'resolved'"),
    clip: prunable(db, 'clip', 'id', 'protected = 0 AND first < @cut'),
    clipRows: countedWhere(db, 'clip', 'first', 'protected = 0'),
    evidence: prunable(db, 'evidence', 'id', "state IN ('released', 'failed') AND time < @cut"),
    schoolLedger: prunable(db, 'school_ledger', 'key', 'planned < @cut'),
    schoolLedgerRows: countedWhere(db, 'school_ledger', 'planned', "outcome <> 'begun'", 'key'),
    broadcast: prunable(db, 'broadcast', 'id', 'over = 1 AND time < @cut'),
    broadcastRows: countedWhere(db, 'broadcast', 'time', 'over = 1'),
    delivery: prunable(db, 'delivery', 'item', 'time < @cut'),
    deliveryRows: countedWhere(db, 'delivery', 'time', 'true', 'item'),
    drill: prunable(db, 'emergency', 'id', 'drill = 1 AND open = 0 AND time < @cut'),
    emergency: prunable(db, 'emergency', 'id', 'open = 0 AND time < @cut'),
    patrol: prunable(db, 'patrol', 'id', 'time < @cut'),
  };
}
