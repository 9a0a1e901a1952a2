import type { Alarm, AlarmClass } from '#edge/domain/alarm.ts';
import type { AuditLine } from '#edge/domain/audit.ts';
import type { Notice, NoticeState } from '#edge/domain/notice.ts';
import { type RuleDecision, ruleOfInstance } from '#edge/domain/rule.ts';
import type { Db } from './database.ts';

/* Alarms, audit lines, what rules decided and notices: newest first, page by page, as people look through them. */

export interface AuditEntry extends AuditLine {
  /** Grows by one with each line. */
  readonly seq: number;
}

export interface ChainedEntry extends AuditEntry {
  /** Its link of the chain, hex. */
  readonly hash: string;
}

export interface AuditFilter {
  /** Only lines with a smaller seq. */
  readonly before?: number;
  readonly limit: number;
  /** What `who` begins with: `person:`, `person:lin`. */
  readonly who?: string;
  /** Anywhere within `what`; A to Z in either case. */
  readonly what?: string;
  /** from <= time < to, ms since epoch. */
  readonly from?: number;
  readonly to?: number;
}

export interface AuditPage {
  readonly lines: readonly AuditEntry[];
  /** Ask again with it; null: nothing older is left. */
  readonly before: number | null;
}

export interface AlarmFilter {
  readonly open?: boolean;
  readonly class?: AlarmClass;
  /** Only those of these zones; without it also those of none. */
  readonly zones?: readonly string[];
  readonly device?: string;
  /** from <= raised < to, ms since epoch. */
  readonly from?: number;
  readonly to?: number;
  /** Id of the last alarm of the page before: only those raised earlier. */
  readonly before?: string;
  readonly limit: number;
}

export interface JournalFilter {
  readonly rule?: string;
  /** Of its rule. */
  readonly instance?: string;
  /** Only versions that watch, or only those that act. */
  readonly shadow?: boolean;
  /** from <= time < to, ms since epoch. */
  readonly from?: number;
  readonly to?: number;
  /** seq of the last line of the page before. */
  readonly before?: number;
  readonly limit: number;
}

export interface JournalEntry extends RuleDecision {
  /** Grows with each line. */
  readonly seq: number;
}

export interface NoticeFilter {
  readonly state?: NoticeState;
  readonly about?: string;
  /** Id of the last notice of the page before: only those created earlier. */
  readonly before?: string;
  readonly limit: number;
}

export const auditColumns = 'SELECT seq, time, who, origin AS "from", what, why, result FROM audit';
export const chainedColumns =
  'SELECT seq, time, who, origin AS "from", what, why, result, lower(hex(hash)) AS hash FROM audit';
/** What a call looks through: 60 ms on a small machine. */
const mostScanned = 200_000;
const farthest = Number.MAX_SAFE_INTEGER;

export function auditPageReader(db: Db): (filter: AuditFilter, limit: number) => AuditPage {
  const page = db.prepare<[Record<string, string | number | null>], AuditEntry>(
    `${auditColumns} WHERE seq < @before AND seq >= @floor
       AND (@who IS NULL OR substr(who, 1, length(@who)) = @who) AND (@what IS NULL OR what LIKE @what ESCAPE '\\')
       AND (@from IS NULL OR time >= @from) AND (@to IS NULL OR time < @to)
     ORDER BY seq DESC LIMIT @limit`,
  );
  const ends = db.prepare<[], { oldest: number | null; newest: number | null }>(
    'SELECT (SELECT min(seq) FROM audit) AS oldest, (SELECT max(seq) FROM audit) AS newest',
  );
  return ({ before, who = null, what, from = null, to = null }, limit) => {
    const { oldest, newest } = ends.get() ?? { oldest: null, newest: null };
    if (oldest === null || newest === null || limit === 0) return { lines: [], before: null };
    const top = Math.min(before ?? newest + 1, newest + 1);
    const floor = Math.max(oldest, top - mostScanned);
    const pattern = what === undefined ? null : `%${what.replace(/[\\%_]/g, '\\$&')}%`;
    const lines = page.all({ before: top, floor, who, what: pattern, from, to, limit });
    const last = lines.length === limit ? (lines.at(-1)?.seq ?? floor) : floor;
    return { lines, before: last > oldest ? last : null };
  };
}

export function alarmReader(db: Db): (filter: AlarmFilter, limit: number) => Alarm[] {
  const select = (condition: string) =>
    db
      .prepare<[Record<string, string | number | null>], string>(
        `SELECT body FROM alarm WHERE ${condition} AND (raised, id) < (@raised, @id) AND raised >= @from AND raised < @to
           AND (@class IS NULL OR body ->> '$.class' = @class) AND (@device IS NULL OR body ->> '$.device' = @device)
           AND (@zones IS NULL OR body ->> '$.zone' IN (SELECT value FROM json_each(@zones)))
         ORDER BY raised DESC, id DESC LIMIT @limit`,
      )
      .pluck();
  const all = select('TRUE');
  const byState = select('open = @open');
  const raisedOf = db.prepare<[string], number>('SELECT raised FROM alarm WHERE id = ?').pluck();
  return (filter, limit) => {
    const { open, class: severity = null, device = null, from = 0, to = Number.MAX_SAFE_INTEGER, before } = filter;
    const raised = before === undefined ? Number.MAX_SAFE_INTEGER : raisedOf.get(before);
    // Let go of meanwhile, and with it all that is older.
    if (raised === undefined) return [];
    const cursor = { raised, id: before ?? '', from, to, class: severity, device, limit };
    const asked = { ...cursor, zones: filter.zones === undefined ? null : JSON.stringify(filter.zones) };
    const bodies = open === undefined ? all.all(asked) : byState.all({ ...asked, open: Number(open) });
    return bodies.map((body) => JSON.parse(body) as Alarm);
  };
}

export function journalReader(db: Db): (filter: JournalFilter, limit: number) => JournalEntry[] {
  const select = (which: string) =>
    db.prepare<[Record<string, string | number | null>], { seq: number; body: string }>(
      `SELECT seq, body FROM journal WHERE ${which} AND (time, seq) < (@time, @before) AND time >= @from AND time < @to
         AND (@instance IS NULL OR instance = @instance) AND (@shadow IS NULL OR shadow = @shadow)
       ORDER BY time DESC, seq DESC LIMIT @limit`,
    );
  const all = select('TRUE');
  const ofRule = select('rule = @rule');
  const timeOf = db.prepare<[number], number>('SELECT time FROM journal WHERE seq = ?').pluck();
  return (filter, limit) => {
    const { instance = null, from = 0, to = farthest, before = farthest } = filter;
    const rule = filter.rule ?? (instance === null ? null : ruleOfInstance(instance));
    const time = before === farthest ? farthest : timeOf.get(before);
    // Let go of meanwhile, and with it all that is older.
    if (time === undefined) return [];
    const shadow = filter.shadow === undefined ? null : Number(filter.shadow);
    const asked = { rule, instance, shadow, from, to, time, before, limit };
    const rows = rule === null ? all.all(asked) : ofRule.all(asked);
    return rows.map(({ seq, body }) => ({ seq, ...(JSON.parse(body) as RuleDecision) }));
  };
}

/** When rules last fired, and how often since `from`. */
export interface FiredRule {
  readonly rule: string;
  readonly last: number;
  readonly since: number;
}

export function firedReader(db: Db): (from: number) => FiredRule[] {
  const fired = db.prepare<[number], FiredRule>(
    `SELECT rule, max(time) AS last, sum(time >= ?) AS since FROM journal INDEXED BY journal_fired
     WHERE shadow = 0 AND body ->> '$.what' = 'fired' GROUP BY rule`,
  );
  return (from) => fired.all(from);
}

export function noticeReader(db: Db): (filter: NoticeFilter, limit: number) => Notice[] {
  const select = (condition: string) =>
    db
      .prepare<[Record<string, string | number | null>], string>(
        `SELECT body FROM notice WHERE ${condition} AND (created, id) < (@created, @id)
         ORDER BY created DESC, id DESC LIMIT @limit`,
      )
      .pluck();
  const all = select('TRUE');
  const byState = select('state = @state AND (@about IS NULL OR about = @about)');
  const byAbout = select('about = @about');
  const createdOf = db.prepare<[string], number>('SELECT created FROM notice WHERE id = ?').pluck();
  return ({ state = null, about = null, before }, limit) => {
    const created = before === undefined ? farthest : createdOf.get(before);
    // Let go of meanwhile, and with it all that is older.
    if (created === undefined) return [];
    const asked = { created, id: before ?? '', state, about, limit };
    const page = state !== null ? byState : about !== null ? byAbout : all;
    return page.all(asked).map((body) => JSON.parse(body) as Notice);
  };
}
