import { statSync } from 'node:fs';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { Case } from '#edge/domain/case.ts';
import type { CounterStep } from '#edge/domain/counter.ts';
import type { BroadcastRecord, Delivery } from '#edge/domain/delivery.ts';
import type { ValueType } from '#edge/domain/device.ts';
import type { Emergency } from '#edge/domain/emergency.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { Incident } from '#edge/domain/incident.ts';
import type { Notice } from '#edge/domain/notice.ts';
import type { Command, CommandResult, Request, RequestResult } from '#edge/domain/output.ts';
import type { PatrolCheckIn } from '#edge/domain/patrol.ts';
import type { Clip } from '#edge/domain/recording.ts';
import type { LedgerLine } from '#edge/domain/school.ts';
import { type Clock, systemClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Aggregate, OutboxLane } from './batch.ts';
import { sampleSource } from './blocks.ts';
import { type CounterStepFilter, counterStepReader } from './counter-step-reader.ts';
import { type Db, databaseFile, notReady, openReadOnly, storeError } from './database.ts';
import { documentReader } from './document-reader.ts';
import type { DocumentKind, StoredDocument } from './documents.ts';
import {
  type CaseFilter,
  type ClipFilter,
  gatehouseReader,
  type IncidentCount,
  type IncidentFilter,
  type PatrolFilter,
} from './gatehouse-reader.ts';
import { type Bucket, fixedBuckets, givenBuckets, PointHistory } from './history.ts';
import { schemaVersion } from './migrations.ts';
import { decodeBody, laneNumber, laneSpan, laneStates } from './outbox.ts';
import {
  type AlarmFilter,
  type AuditEntry,
  type AuditFilter,
  type AuditPage,
  alarmReader,
  auditPageReader,
  type ChainedEntry,
  chainedColumns,
  type FiredRule,
  firedReader,
  type JournalEntry,
  type JournalFilter,
  journalReader,
  type NoticeFilter,
  noticeReader,
} from './pages.ts';
import { hourMs, pointFinder } from './points.ts';
import type { LaneState } from './report.ts';
import type { HistorySample } from './sample.ts';
import { type SchoolLedgerFilter, schoolLedgerReader } from './school-ledger-reader.ts';
import { type BroadcastFilter, type EmergencyFilter, soundReader } from './sound-reader.ts';

export type { Aggregate } from './batch.ts';
export type { CounterStepFilter } from './counter-step-reader.ts';
export type { CaseFilter, ClipFilter, IncidentCount, IncidentFilter, PatrolFilter } from './gatehouse-reader.ts';
export type {
  AlarmFilter,
  AuditEntry,
  AuditFilter,
  AuditPage,
  ChainedEntry,
  FiredRule,
  JournalEntry,
  JournalFilter,
  NoticeFilter,
} from './pages.ts';
export type { LaneState } from './report.ts';
export type { HistorySample } from './sample.ts';
export type { SchoolLedgerFilter } from './school-ledger-reader.ts';
export type { BroadcastFilter, EmergencyFilter } from './sound-reader.ts';

const stepSizes = { '1min': 60_000, '15min': 900_000, '1h': 3_600_000, '1d': 86_400_000 } as const;
export type Step = 'raw' | keyof typeof stepSizes;

/** Ascending in time. `samples` for step raw, `buckets` (only those in which something is known) for the others. */
export interface History {
  readonly ref: string;
  readonly type: ValueType;
  readonly unit: string;
  readonly step: Step;
  /** For how long a value stands when no other comes, ms; 0: for ever. */
  readonly staleAfter: number;
  readonly samples: readonly HistorySample[];
  readonly buckets: readonly Aggregate[];
  /** There is more than `limit`: ask again from the last one's time. */
  readonly more: boolean;
}

export interface DayBounds {
  /** Days (and hours) begin at multiples of the step in local time: UTC + this, ms. Default 0. */
  readonly utcOffset?: number;
  /** Or the boundaries themselves, ascending, ms since epoch: n + 1 for n buckets. For zones with summer time. */
  readonly boundaries?: readonly number[];
}

export interface InboxLine {
  readonly key: string;
  readonly kind: string;
  readonly client: string;
  readonly topic: string;
  readonly message: string;
  readonly excerpt: string;
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

export interface OutboxRow {
  readonly seq: number;
  readonly time: number;
  readonly body: unknown;
}

export interface OutboxGap {
  readonly lane: number;
  readonly first: number;
  readonly last: number;
  readonly time: number;
  readonly reason: string;
}

/**
 * Reads the campus's database from any process, while it is being written or while nobody writes. Every call is one short
 * read transaction. All throw STORE_NOT_READY while there is no database yet, STORE_NEWER for one of newer code, STORE_IO,
 * STORE_CORRUPT, and history STORE_BAD_BLOCK where samples are damaged (steps of 1h and 1d still answer). A `limit` above 100,000 counts as that.
 */
export interface Reader extends Disposable {
  /** Null: no such point. `from` <= t < `to`, ms. */
  history(ref: string, from: number, to: number, step?: Step, limit?: number, days?: DayBounds): History | null;
  /** In the order in which they were stored: those after the event `after`, or (null) from the oldest on. */
  events(after: string | null, limit: number): CampusEvent[];
  /** Newest first. */
  newestEvents(limit: number): CampusEvent[];
  /** The last event stored before those of a time, as `after` of `events` to read on from there; null: they are the oldest. */
  eventBefore(time: number): string | null;
  event(id: string): CampusEvent | null;
  /** Latest raised first. */
  alarms(filter: AlarmFilter): Alarm[];
  /** What rules decided, newest first. */
  journal(filter: JournalFilter): JournalEntry[];
  /** Of each rule that ever fired (not only in shadow), by rule: when last, and how often since `from`. */
  firedRules(from: number): FiredRule[];
  /** Newest first. */
  notices(filter: NoticeFilter): Notice[];
  /** Steps of counters (decision 22), newest first. Of those that still hold one, `last` is up to a quarter of an hour old: core knows it. */
  counterSteps(filter: CounterStepFilter): CounterStep[];
  /** Latest opened first. */
  incidents(filter: IncidentFilter): Incident[];
  incident(id: string): Incident | null;
  /** How many there are of each state and class, seen and not; only those of these zones, when some are given. */
  incidentCounts(zones?: readonly string[]): IncidentCount[];
  /** Those that begin latest first. */
  clips(filter: ClipFilter): Clip[];
  clip(id: string): Clip | null;
  /** Newest first. */
  patrols(filter: PatrolFilter): PatrolCheckIn[];
  /** Newest first. */
  cases(filter: CaseFilter): Case[];
  case(id: string): Case | null;
  /** What became of things that the school day was to do, latest planned first. */
  schoolLedger(filter: SchoolLedgerFilter): LedgerLine[];
  /** What the arbiter of sound left (`StoredSound`), unchecked. */
  sounds(): unknown[];
  /** Newest first. */
  broadcasts(filter: BroadcastFilter): BroadcastRecord[];
  broadcast(id: string): BroadcastRecord | null;
  /** Of one item, by loudspeaker. */
  deliveries(filter: { readonly item: string; readonly limit: number }): Delivery[];
  /** Of all items that were asked for at from <= t < until. */
  deliveriesBetween(from: number, until: number, limit: number): Delivery[];
  /** Newest first. */
  emergencies(filter: EmergencyFilter): Emergency[];
  emergency(id: string): Emergency | null;
  /** Ascending, with seq > `after`. */
  audit(after: number, limit: number): ChainedEntry[];
  /** Newest first. */
  newestAudit(limit: number): AuditEntry[];
  /** Newest first. At most 200,000 lines are looked through in a call: a page may be short, and there may still be more. */
  auditPage(filter: AuditFilter): AuditPage;
  /** The newest line, with its hash (hex); null when there is none. */
  auditHead(): { readonly seq: number; readonly time: number; readonly hash: string } | null;
  /** Last seen first. */
  inbox(limit: number): InboxLine[];
  /** What people set (documents.ts); null: there is none. Throws STORE_BAD_DOCUMENT for one that cannot be understood. */
  document<K extends DocumentKind>(kind: K, id: string): StoredDocument<K> | null;
  /** By id. */
  documents<K extends DocumentKind>(kind: K): StoredDocument<K>[];
  /** Newest first. */
  requests(limit: number): { request: Request; result: RequestResult }[];
  commands(limit: number): { command: Command; result: CommandResult }[];
  /** Ascending, with seq > `after`. */
  outbox(lane: OutboxLane, after: number, limit: number): OutboxRow[];
  outboxState(): Readonly<Record<OutboxLane, LaneState>>;
  gaps(limit: number): OutboxGap[];
  meta(): { readonly epoch: number; readonly created: number; readonly schema: number };
}

const mostRows = 100_000;
const atMost = (limit: number) => Math.max(0, Math.min(mostRows, Math.floor(limit)));

/** Opens when first asked, and again when the file was replaced: made before there is a database, it works once there is. */
export function openReader(folder: string, clock: Clock = systemClock): Reader {
  const connection = new Connection(folder);
  const ask = <T>(question: (open: Prepared) => T): T => connection.read(question);
  return {
    history: (ref, from, to, step = 'raw', limit = 10_000, days = {}) =>
      ask((open) => history(open, { ref, from, to, step, limit: atMost(limit), days }, clock.now())),
    events: (after, limit) => ask((open) => events(open, after, atMost(limit))),
    newestEvents: (limit) => ask(({ s }) => parseAll<CampusEvent>(s.newestEvents.all(atMost(limit)))),
    eventBefore: (time) => ask((open) => eventBefore(open, time)),
    event: (id) => ask(({ s }) => parse<CampusEvent>(s.event.get(id))),
    alarms: (filter) => ask((open) => open.alarms(filter, atMost(filter.limit))),
    journal: (filter) => ask((open) => open.journal(filter, atMost(filter.limit))),
    firedRules: (from) => ask((open) => open.fired(from)),
    notices: (filter) => ask((open) => open.notices(filter, atMost(filter.limit))),
    counterSteps: (filter) => ask((open) => open.counterSteps(filter, atMost(filter.limit))),
    incidents: (filter) => ask((open) => open.gatehouse.incidents(filter, atMost(filter.limit))),
    incident: (id) => ask((open) => open.gatehouse.incident(id)),
    incidentCounts: (zones) => ask((open) => open.gatehouse.incidentCounts(zones)),
    clips: (filter) => ask((open) => open.gatehouse.clips(filter, atMost(filter.limit))),
    clip: (id) => ask((open) => open.gatehouse.clip(id)),
    patrols: (filter) => ask((open) => open.gatehouse.patrols(filter, atMost(filter.limit))),
    cases: (filter) => ask((open) => open.gatehouse.cases(filter, atMost(filter.limit))),
    case: (id) => ask((open) => open.gatehouse.case(id)),
    schoolLedger: (filter) => ask((open) => open.schoolLedger(filter, atMost(filter.limit))),
    sounds: () => ask((open) => open.sound.sounds()),
    broadcasts: (filter) => ask((open) => open.sound.broadcasts(filter, atMost(filter.limit))),
    broadcast: (id) => ask((open) => open.sound.broadcast(id)),
    deliveries: ({ item, limit }) => ask((open) => open.sound.deliveries(item, atMost(limit))),
    deliveriesBetween: (from, until, limit) => ask((open) => open.sound.deliveriesBetween(from, until, atMost(limit))),
    emergencies: (filter) => ask((open) => open.sound.emergencies(filter, atMost(filter.limit))),
    emergency: (id) => ask((open) => open.sound.emergency(id)),
    audit: (after, limit) => ask(({ s }) => s.audit.all(after, atMost(limit))),
    newestAudit: (limit) => ask((open) => [...open.auditPage({ limit }, atMost(limit)).lines]),
    auditPage: (filter) => ask((open) => open.auditPage(filter, atMost(filter.limit))),
    auditHead: () => ask(({ s }) => s.auditHead.get() ?? null),
    inbox: (limit) => ask(({ s }) => s.inbox.all(atMost(limit))),
    document: (kind, id) => ask((open) => open.documents.one(kind, id)),
    documents: (kind) => ask((open) => open.documents.all(kind)),
    requests: (limit) => ask(({ s }) => parseAll(s.requests.all(atMost(limit)))),
    commands: (limit) => ask(({ s }) => parseAll(s.commands.all(atMost(limit)))),
    outbox: (lane, after, limit) =>
      ask(({ s }) => {
        const base = laneNumber(lane) * laneSpan;
        const rows = s.outbox.all(base + after, base + laneSpan, atMost(limit));
        return rows.map((row) => ({ seq: row.id - base, time: row.time, body: decodeBody(row.encoding, row.body) }));
      }),
    outboxState: () => ask(({ db, epoch }) => lanesByName(db, epoch)),
    gaps: (limit) => ask(({ s }) => s.gaps.all(atMost(limit))),
    meta: () => ask(({ db, epoch, created }) => ({ epoch, created, schema: schemaVersion(db) })),
    [Symbol.dispose]: () => connection.close(),
  };
}

/** Bodies were written by this room from checked values: reading them back is the parse. */
function parse<T>(body: string | undefined): T | null {
  return body === undefined ? null : (JSON.parse(body) as T);
}

function parseAll<T>(bodies: readonly string[]): T[] {
  return bodies.map((body) => JSON.parse(body) as T);
}

function events({ s }: Prepared, after: string | null, limit: number): CampusEvent[] {
  // An event that retention has dropped is older than all that are left.
  const seq = after === null ? 0 : (s.eventSeq.get(after) ?? 0);
  return parseAll<CampusEvent>(s.events.all(seq, limit));
}

/** By halves: events have no index by time, and are stored in its order but for moments. */
function eventBefore({ s }: Prepared, time: number): string | null {
  let [low, high] = [0, s.lastEvent.get() ?? 0];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    // What retention took away, or what a failed write left out, stands for the one before it.
    const found = s.eventUpTo.get(middle);
    if (found === undefined || found.time < time) low = middle;
    else high = Math.min(middle, found.seq) - 1;
  }
  return s.eventUpTo.get(low)?.id ?? null;
}

function lanesByName(db: Db, epoch: number): Record<OutboxLane, LaneState> {
  const states = laneStates(db, epoch);
  const of = (lane: OutboxLane): LaneState => {
    const { min = 1, head = 0, watermark = 0 } = states.find((state) => state.lane === lane) ?? {};
    return { lane, epoch, min, head, watermark };
  };
  return { alarm: of('alarm'), event: of('event'), agg1m: of('agg1m'), health: of('health') };
}

interface Question {
  readonly ref: string;
  readonly from: number;
  readonly to: number;
  readonly step: Step;
  readonly limit: number;
  readonly days: DayBounds;
}

function history(open: Prepared, question: Question, now: number): History | null {
  const { ref, from, to, step, limit, days } = question;
  const point = open.findPoint(ref);
  if (point === null) return null;
  const { staleAfter, counter } = point.rule;
  const about = { ref, type: point.type, unit: point.unit, step, staleAfter: counter ? 0 : staleAfter };
  if (step === 'raw') {
    const samples = new PointHistory(open.source, point, to).raw(from, to, limit + 1);
    const more = samples.length > limit;
    if (more) samples.length = limit;
    return { ...about, samples, buckets: [], more };
  }
  // A bucket that begins before `to` is answered whole.
  const end = to + stepSizes[step];
  const found = new PointHistory(open.source, point, end).aggregates(bucketsOf(step, to, days), from, now, limit + 1);
  return { ...about, samples: [], buckets: found.slice(0, limit), more: found.length > limit };
}

function bucketsOf(step: Exclude<Step, 'raw'>, to: number, days: DayBounds): (t: number) => Bucket | null {
  if (days.boundaries !== undefined) return givenBuckets(days.boundaries, to);
  return fixedBuckets(stepSizes[step], days.utcOffset ?? 0, to);
}

type Prepared = ReturnType<typeof prepare>;

/** A read-only connection that is opened late and follows a file that is replaced (a corrupt one that was moved aside). */
class Connection {
  readonly #folder: string;
  readonly #file: string;
  #open: Prepared | null = null;
  #inode = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.#file = databaseFile(folder);
  }

  read<T>(question: (open: Prepared) => T): T {
    try {
      const open = this.#current();
      return open.db.transaction(() => question(open)).deferred();
    } catch (error) {
      throw storeError(error, `cannot read ${this.#file}`);
    }
  }

  close(): void {
    this.#open?.db.close();
    this.#open = null;
  }

  #current(): Prepared {
    const inode = statSync(this.#file, { throwIfNoEntry: false })?.ino;
    if (inode === undefined) {
      this.close();
      throw notReady(`${this.#file} does not exist yet: core makes it when it starts`);
    }
    if (this.#open !== null && inode === this.#inode) return this.#open;
    this.close();
    this.#open = connect(this.#folder);
    this.#inode = inode;
    return this.#open;
  }
}

function connect(folder: string): Prepared {
  const db = openReadOnly(folder);
  try {
    db.pragma('cache_size = -4000');
    return prepare(db, databaseFile(folder));
  } catch (error) {
    db.close();
    throw error;
  }
}

function prepare(db: Db, file: string) {
  const meta = db.prepare<[string], number>('SELECT value FROM meta WHERE key = ?').pluck();
  const epoch = meta.get('epoch');
  if (epoch === undefined) throw notReady(`${file} is being made`);
  const bodies = <P extends unknown[]>(sql: string) => db.prepare<P, string>(`SELECT body FROM ${sql}`).pluck();
  return {
    db,
    epoch,
    created: meta.get('created') ?? 0,
    source: sampleSource(db, (point, hour, cause) => {
      throw new CodedError(
        'STORE_BAD_BLOCK',
        `${file}: the samples of point ${point} in the hour from ${hour * hourMs} are damaged`,
        {
          cause,
        },
      );
    }),
    findPoint: pointFinder(db),
    documents: documentReader(db),
    alarms: alarmReader(db),
    journal: journalReader(db),
    fired: firedReader(db),
    notices: noticeReader(db),
    counterSteps: counterStepReader(db),
    gatehouse: gatehouseReader(db),
    schoolLedger: schoolLedgerReader(db),
    sound: soundReader(db),
    auditPage: auditPageReader(db),
    s: {
      event: bodies<[string]>('event WHERE id = ?'),
      eventSeq: db.prepare<[string], number>('SELECT seq FROM event WHERE id = ?').pluck(),
      lastEvent: db.prepare<[], number>('SELECT seq FROM event ORDER BY seq DESC LIMIT 1').pluck(),
      eventUpTo: db.prepare<[number], { readonly seq: number; readonly id: string; readonly time: number }>(
        'SELECT seq, id, time FROM event WHERE seq <= ? ORDER BY seq DESC LIMIT 1',
      ),
      events: bodies<[number, number]>('event WHERE seq > ? ORDER BY seq LIMIT ?'),
      newestEvents: bodies<[number]>('event ORDER BY seq DESC LIMIT ?'),
      audit: db.prepare<[number, number], ChainedEntry>(`${chainedColumns} WHERE seq > ? ORDER BY seq LIMIT ?`),
      auditHead: db.prepare<[], { seq: number; time: number; hash: string }>(
        'SELECT seq, time, lower(hex(hash)) AS hash FROM audit ORDER BY seq DESC LIMIT 1',
      ),
      inbox: db.prepare<[number], InboxLine>('SELECT * FROM inbox ORDER BY last DESC LIMIT ?'),
      requests: bodies<[number]>('request ORDER BY seq DESC LIMIT ?'),
      commands: bodies<[number]>('command ORDER BY seq DESC LIMIT ?'),
      outbox: db.prepare<[number, number, number], { id: number; time: number; encoding: number; body: Uint8Array }>(
        'SELECT * FROM outbox WHERE id > ? AND id < ? ORDER BY id LIMIT ?',
      ),
      gaps: db.prepare<[number], OutboxGap>('SELECT lane, first, last, time, reason FROM gap ORDER BY id DESC LIMIT ?'),
    },
  };
}
