import type { Database } from 'better-sqlite3';
import { CodedError } from '#edge/runtime/errors.ts';
import { chainOldLines } from './audit-log.ts';

/** Where the database lies, and when it is. */
export interface Place {
  readonly db: Database;
  readonly folder: string;
  /** ms since epoch. */
  readonly now: number;
}

type Step = string | ((place: Place) => void);

/*
 * Numbered steps, each in one transaction; PRAGMA user_version counts them. A step that has shipped is never edited.
 *
 * Keys: a block's id is hour * 2^20 + point (hour = floor(t / 3,600,000)), an outbox row's is lane * 2^48 + seq. So whatever
 * is written now lands at the end of its tree: an hour of 500 points fills a few neighbouring pages instead of touching one
 * page per point, which on eMMC is the difference between 1 and 100 times the bytes.
 */
export const migrations: readonly Step[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

  CREATE TABLE point (
    id INTEGER PRIMARY KEY, ref TEXT NOT NULL UNIQUE, type TEXT NOT NULL, unit TEXT NOT NULL,
    stale_after INTEGER NOT NULL, counter INTEGER NOT NULL, wrap REAL, kept INTEGER NOT NULL
  );
  -- The append-only log of what is not yet in blocks, in order of arrival. value has no type: SQLite keeps its bits.
  CREATE TABLE hot (
    id INTEGER PRIMARY KEY, point INTEGER NOT NULL, t INTEGER NOT NULL, d INTEGER NOT NULL, code INTEGER NOT NULL, value
  );
  -- Aggregates of one point over one UTC hour by its own samples (rollup.ts, Part).
  CREATE TABLE hour (
    id INTEGER PRIMARY KEY, count INTEGER NOT NULL, good_ms INTEGER NOT NULL, min, max, mean, first_good, last, delta,
    first_t INTEGER NOT NULL, tail_t INTEGER NOT NULL, tail_code INTEGER NOT NULL, tail_value
  );
  -- The samples of that hour (codec.ts). Absent once retention has dropped them and kept the aggregates.
  CREATE TABLE block (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
  -- The newest folded sample of each point, and its newest good value.
  CREATE TABLE latest (
    point INTEGER PRIMARY KEY, t INTEGER NOT NULL, d INTEGER NOT NULL, code INTEGER NOT NULL, value, good_t INTEGER, good_value
  );

  CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, time INTEGER NOT NULL, body TEXT NOT NULL
  );
  CREATE TABLE alarm (
    id TEXT PRIMARY KEY, raised INTEGER NOT NULL, open INTEGER NOT NULL, body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX alarm_open ON alarm (open, raised);
  CREATE TABLE request (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, time INTEGER NOT NULL, body TEXT NOT NULL);
  CREATE TABLE command (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, time INTEGER NOT NULL, body TEXT NOT NULL);
  CREATE TABLE hold (ref TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE state (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE inbox (
    key TEXT PRIMARY KEY, kind TEXT NOT NULL, client TEXT NOT NULL, topic TEXT NOT NULL, message TEXT NOT NULL,
    excerpt TEXT NOT NULL, count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, who TEXT NOT NULL, origin TEXT NOT NULL,
    what TEXT NOT NULL, why TEXT NOT NULL, result TEXT NOT NULL
  );
  -- Append-only: a line may go only after a row here has said, for good, that it and all before it are let go.
  CREATE TABLE audit_released (upto INTEGER NOT NULL, time INTEGER NOT NULL, why TEXT NOT NULL);
  CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
  CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    WHEN OLD.seq > (SELECT coalesce(max(upto), 0) FROM audit_released)
    BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
  -- INSERT OR REPLACE deletes without asking the trigger above.
  CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
  CREATE TRIGGER audit_released_no_update BEFORE UPDATE ON audit_released
    BEGIN SELECT RAISE(ABORT, 'audit_released is append-only'); END;
  CREATE TRIGGER audit_released_no_delete BEFORE DELETE ON audit_released
    BEGIN SELECT RAISE(ABORT, 'audit_released is append-only'); END;

  -- encoding: 0 JSON text, 1 zstd of JSON text.
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY, time INTEGER NOT NULL, encoding INTEGER NOT NULL, body BLOB NOT NULL
  );
  -- min: the oldest seq still held (head + 1 when none is); bytes: of the bodies held.
  CREATE TABLE lane (
    lane INTEGER PRIMARY KEY, head INTEGER NOT NULL, min INTEGER NOT NULL, watermark INTEGER NOT NULL, bytes INTEGER NOT NULL
  );
  -- What the watermark was when, so that acknowledged rows are kept 72 h from their acknowledgement.
  CREATE TABLE acknowledged (
    lane INTEGER NOT NULL, watermark INTEGER NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (lane, watermark)
  ) WITHOUT ROWID;
  -- Rows that a limit forced out before the city had them: visible loss.
  CREATE TABLE gap (
    id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    time INTEGER NOT NULL, reason TEXT NOT NULL
  );
  INSERT INTO lane VALUES (0, 0, 1, 0, 0), (1, 0, 1, 0, 0), (2, 0, 1, 0, 0), (3, 0, 1, 0, 0);
  `,
  `
  -- What people set (documents.ts). rev grows with each change.
  CREATE TABLE document (
    kind TEXT NOT NULL, id TEXT NOT NULL, rev INTEGER NOT NULL, time INTEGER NOT NULL, who TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
  ) WITHOUT ROWID;
  -- Alarms are looked through newest first, page by page.
  CREATE INDEX alarm_raised ON alarm (raised);
  `,
  ({ db, folder, now }) => chainOldLines(db, folder, now),
  `
  -- What rules decided, and with what they saw. shadow: 1 for a version that only watches.
  CREATE TABLE journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, rule TEXT NOT NULL, instance TEXT NOT NULL,
    version INTEGER NOT NULL, shadow INTEGER NOT NULL, body TEXT NOT NULL
  );
  CREATE INDEX journal_rule ON journal (rule, time);
  CREATE INDEX journal_time ON journal (time);
  -- When each rule last fired, and how often since: asked whenever somebody looks at the list of rules.
  CREATE INDEX journal_fired ON journal (rule, time) WHERE shadow = 0 AND body ->> '$.what' = 'fired';
  -- Words on their way to people outside the console (domain/notice.ts).
  CREATE TABLE notice (
    id TEXT PRIMARY KEY, created INTEGER NOT NULL, state TEXT NOT NULL, about TEXT NOT NULL, body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX notice_state ON notice (state, created);
  CREATE INDEX notice_created ON notice (created);
  CREATE INDEX notice_about ON notice (about, created);
  `,
  `
  -- 1: what a meter showed while its counter was not believed. It has history, and is told to nobody.
  ALTER TABLE point ADD COLUMN raw INTEGER NOT NULL DEFAULT 0;
  -- Steps of counters that a person decides (domain/counter.ts). time: of its first read.
  CREATE TABLE counter_step (
    id TEXT PRIMARY KEY, ref TEXT NOT NULL, state TEXT NOT NULL, time INTEGER NOT NULL, body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX counter_step_time ON counter_step (time);
  CREATE INDEX counter_step_ref ON counter_step (ref, time);
  -- Closed minutes of a counter whose samples changed afterwards: the city is told them again, from due on, with a larger rev.
  CREATE TABLE reissue (
    point INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, rev INTEGER NOT NULL, due INTEGER NOT NULL
  );
  `,
  `
  -- What security staff work through (domain/incident.ts). class: 0 is the gravest. marks: ' d:<device> t:<type> ', words: what people
  -- wrote, in lower case; both are looked through, so they stand in an index of their own and no body is read for it.
  CREATE TABLE incident (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, opened INTEGER NOT NULL, last INTEGER NOT NULL, state TEXT NOT NULL,
    class INTEGER NOT NULL, seen INTEGER NOT NULL, zone TEXT, marks TEXT NOT NULL, words TEXT NOT NULL, body TEXT NOT NULL
  );
  CREATE INDEX incident_review ON incident (opened, id, state, class, seen, zone, marks);
  CREATE INDEX incident_state ON incident (state, opened, id, class, seen, zone, marks);
  CREATE INDEX incident_unseen ON incident (opened, id, state, class, zone, marks) WHERE seen = 0;
  CREATE INDEX incident_words ON incident (opened, words) WHERE words <> '';
  -- Footage that is kept (domain/recording.ts). first, last: of the footage, ms.
  CREATE TABLE clip (
    id TEXT PRIMARY KEY, camera TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, state TEXT NOT NULL,
    protected INTEGER NOT NULL, incident TEXT, body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX clip_camera ON clip (camera, first);
  CREATE INDEX clip_first ON clip (first);
  CREATE INDEX clip_incident ON clip (incident) WHERE incident IS NOT NULL;
  CREATE INDEX clip_pending ON clip (first) WHERE state = 'pending';
  CREATE INDEX clip_protected ON clip (camera, first, last) WHERE protected = 1;
  -- Rounds of the guards (domain/patrol.ts).
  CREATE TABLE patrol (id TEXT PRIMARY KEY, place TEXT NOT NULL, time INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX patrol_time ON patrol (time);
  CREATE INDEX patrol_place ON patrol (place, time);
  -- What was taken out (domain/case.ts).
  CREATE TABLE evidence (
    id TEXT PRIMARY KEY, incident TEXT NOT NULL, state TEXT NOT NULL, time INTEGER NOT NULL, body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX evidence_time ON evidence (time);
  CREATE INDEX evidence_incident ON evidence (incident);
  `,
  `
  -- What became of each thing that the school day was to do (domain/school.ts, LedgerLine). planned: ms.
  CREATE TABLE IF NOT EXISTS school_ledger (
    key TEXT PRIMARY KEY, planned INTEGER NOT NULL, entry TEXT NOT NULL, outcome TEXT NOT NULL, body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS school_ledger_planned ON school_ledger (planned, key);
  CREATE INDEX IF NOT EXISTS school_ledger_begun ON school_ledger (planned) WHERE outcome = 'begun';
  `,
  `
  -- What sounds or waits, as the arbiter of sound must know it after a restart (rules/sound.ts, StoredSound).
  CREATE TABLE IF NOT EXISTS sound (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
  -- Items of broadcast, and each of them on each loudspeaker (domain/delivery.ts). time: ms.
  CREATE TABLE IF NOT EXISTS broadcast (
    id TEXT PRIMARY KEY, time INTEGER NOT NULL, class TEXT NOT NULL, over INTEGER NOT NULL, missed INTEGER NOT NULL,
    body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS broadcast_time ON broadcast (time, id);
  CREATE TABLE IF NOT EXISTS delivery (
    item TEXT NOT NULL, ref TEXT NOT NULL, time INTEGER NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (item, ref)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS delivery_time ON delivery (time);
  -- Emergencies and their exercises (domain/emergency.ts).
  CREATE TABLE IF NOT EXISTS emergency (
    id TEXT PRIMARY KEY, time INTEGER NOT NULL, open INTEGER NOT NULL, drill INTEGER NOT NULL, body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS emergency_time ON emergency (time, id);
  `,
];

export function schemaVersion(db: Database): number {
  return Number(db.pragma('user_version', { simple: true }));
}

/** Brings a database up to this code. Throws STORE_NEWER for one that newer code has written. */
export function migrate(place: Place): void {
  const { db } = place;
  const found = schemaVersion(db);
  if (found > migrations.length) {
    throw new CodedError(
      'STORE_NEWER',
      `${db.name} has schema ${found}, but this version knows only up to ${migrations.length}: install the newer version again, or restore an older database`,
    );
  }
  for (let version = found; version < migrations.length; version++) {
    db.transaction(() => {
      const step = migrations[version] ?? '';
      if (typeof step === 'string') db.exec(step);
      else step(place);
      db.pragma(`user_version = ${version + 1}`);
    }).immediate();
  }
}
