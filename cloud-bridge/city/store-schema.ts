export const schemaVersion = 1;

/*
 * Natural keys everywhere that a row can come twice: they are the second line of defence behind the watermark. The
 * exception is `received`, which is filled in tests only and has no unique key, so that doubling can be seen.
 * Times are ms since epoch UTC.
 */
export const schema = `
CREATE TABLE IF NOT EXISTS campuses (
  campus TEXT PRIMARY KEY, lastSeen INTEGER NOT NULL, clockOffset INTEGER, session TEXT
) WITHOUT ROWID;

-- epoch 0: the edge has said hello but nothing of this lane has come yet. t0: of the frame at seq.
CREATE TABLE IF NOT EXISTS watermarks (
  campus TEXT NOT NULL, lane TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, t0 INTEGER,
  heldEpoch INTEGER NOT NULL DEFAULT 0, head INTEGER NOT NULL DEFAULT 0, oldest INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (campus, lane)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS points (
  id INTEGER PRIMARY KEY, campus TEXT NOT NULL, ref TEXT NOT NULL, unit TEXT NOT NULL, UNIQUE (campus, ref)
);

-- doubtful = 1: the campus's clock was off by more than 60 s, or the time lay in the future. Kept, not ranked.
CREATE TABLE IF NOT EXISTS summaries (
  point INTEGER NOT NULL REFERENCES points (id), t INTEGER NOT NULL,
  min REAL, max REAL, mean REAL, last REAL, count INTEGER NOT NULL, goodSeconds REAL NOT NULL, delta REAL,
  rev INTEGER NOT NULL, doubtful INTEGER NOT NULL,
  PRIMARY KEY (point, t)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS events (
  campus TEXT NOT NULL, id TEXT NOT NULL, time INTEGER NOT NULL, type TEXT NOT NULL, device TEXT, zone TEXT,
  active INTEGER, data TEXT NOT NULL,
  PRIMARY KEY (campus, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS eventsByTime ON events (campus, time);
CREATE INDEX IF NOT EXISTS eventsOfAll ON events (time);

-- The latest state of each occurrence, as the contract's alarm body.
CREATE TABLE IF NOT EXISTS alarms (
  campus TEXT NOT NULL, id TEXT NOT NULL, raised INTEGER NOT NULL, state TEXT NOT NULL, class TEXT NOT NULL,
  ended INTEGER, body TEXT NOT NULL,
  PRIMARY KEY (campus, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS alarmsByTime ON alarms (campus, raised);

-- The latest word of each process.
CREATE TABLE IF NOT EXISTS health (
  campus TEXT NOT NULL, process TEXT NOT NULL, time INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (campus, process)
) WITHOUT ROWID;

-- Visible loss. last is null where the edge cannot know (a new epoch).
CREATE TABLE IF NOT EXISTS gaps (
  id INTEGER PRIMARY KEY, campus TEXT NOT NULL, lane TEXT NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER, reason TEXT NOT NULL, message TEXT NOT NULL, time INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS gapsByCampus ON gaps (campus, id);

-- Frames that could not be understood, as they came.
CREATE TABLE IF NOT EXISTS rejected (
  id INTEGER PRIMARY KEY, campus TEXT NOT NULL, lane TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  message TEXT NOT NULL, frame BLOB NOT NULL, time INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS rejectedByCampus ON rejected (campus, id);

CREATE TABLE IF NOT EXISTS received (
  id INTEGER PRIMARY KEY, campus TEXT NOT NULL, lane TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  ct TEXT NOT NULL, body TEXT NOT NULL
);
`;
