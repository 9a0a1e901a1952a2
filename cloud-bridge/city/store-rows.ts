import type Database from 'better-sqlite3';
import type { WireBodies, WireBody, WireSummaryRow } from '#bridge/contract/bodies.ts';
import type { FrameHeader } from '#bridge/contract/frame.ts';
import { WireError } from '#bridge/contract/wire-error.ts';

export interface RowWriter {
  /** Writes the rows of one body. Throws WireError (WIRE_BODY) for what this city will not take. */
  write(campus: string, body: WireBody, header: FrameHeader, time: number): void;
  prune(before: number, limit: number): number;
}

/** Points of one campus: ten times the largest school. */
const maxPointsPerCampus = 20_000;
/** A bucket that starts later than this after the city's clock is doubtful, ms (the two clocks may differ a little). */
const futureTolerance = 120_000;

export function createRowWriter(db: Database.Database): RowWriter {
  const writePoints = createSummaryWriter(db);
  const event = db.prepare(
    `INSERT INTO events (campus, id, time, type, device, zone, active, data)
     VALUES (@campus, @id, @time, @type, @device, @zone, @active, @data) ON CONFLICT DO NOTHING`,
  );
  const alarm = db.prepare(
    `INSERT INTO alarms (campus, id, raised, state, class, ended, body)
     VALUES (@campus, @id, @raised, @state, @class, @ended, @body)
     ON CONFLICT DO UPDATE SET raised = excluded.raised, state = excluded.state, class = excluded.class,
       ended = excluded.ended, body = excluded.body`,
  );
  const health = db.prepare(
    `INSERT INTO health (campus, process, time, body) VALUES (@campus, @process, @time, @body)
     ON CONFLICT DO UPDATE SET time = excluded.time, body = excluded.body WHERE excluded.time >= health.time`,
  );
  const writeEvent = (campus: string, content: WireBodies['event']): void => {
    const { id, time, type, device = null, zone = null, active, data } = content;
    const flag = active === undefined ? null : Number(active);
    event.run({ campus, id, time, type, device, zone, active: flag, data: JSON.stringify(data) });
  };
  return {
    write: (campus, body, header, time) => {
      switch (body.lane) {
        case 'agg1m':
          return writePoints(campus, body.content, header, time);
        case 'event':
          return writeEvent(campus, body.content);
        case 'alarm': {
          const { id, raised, state, ended = null } = body.content;
          const row = { campus, id, raised, state, class: body.content.class, ended };
          alarm.run({ ...row, body: JSON.stringify(body.content) });
          return;
        }
        case 'health': {
          const process = body.content.process ?? 'supervisor';
          health.run({ campus, process, time: body.content.time, body: JSON.stringify(body.content) });
          return;
        }
      }
    },
    prune: createPrune(db),
  };
}

type SummaryWriter = (campus: string, body: WireBodies['agg1m'], header: FrameHeader, time: number) => void;

function createSummaryWriter(db: Database.Database): SummaryWriter {
  const find = db.prepare<[string, string], { id: number; unit: string }>(
    'SELECT id, unit FROM points WHERE campus = ? AND ref = ?',
  );
  const count = db.prepare<[string], { n: number }>('SELECT count(*) AS n FROM points WHERE campus = ?');
  const add = db.prepare<[string, string, string]>('INSERT INTO points (campus, ref, unit) VALUES (?, ?, ?)');
  const rename = db.prepare<[string, number]>('UPDATE points SET unit = ? WHERE id = ?');
  const insert = db.prepare(
    `INSERT INTO summaries (point, t, min, max, mean, last, count, goodSeconds, delta, rev, doubtful)
     VALUES (@point, @t, @min, @max, @mean, @last, @count, @goodSeconds, @delta, @rev, @doubtful)
     ON CONFLICT DO UPDATE SET min = excluded.min, max = excluded.max, mean = excluded.mean, last = excluded.last,
       count = excluded.count, goodSeconds = excluded.goodSeconds, delta = excluded.delta, rev = excluded.rev,
       doubtful = excluded.doubtful
     WHERE excluded.rev >= summaries.rev`,
  );
  const pointOf = (campus: string, row: WireSummaryRow): number => {
    const known = find.get(campus, row.ref);
    if (known === undefined) {
      if ((count.get(campus)?.n ?? 0) >= maxPointsPerCampus) {
        throw new WireError('WIRE_BODY', `agg1m body: points: more than ${maxPointsPerCampus} points of one campus`);
      }
      return Number(add.run(campus, row.ref, row.unit).lastInsertRowid);
    }
    if (known.unit !== row.unit) rename.run(row.unit, known.id);
    return known.id;
  };
  return (campus, { t, points }, header, time) => {
    const doubtful = Number(header.q === 'clock' || t > time + futureTolerance);
    for (const row of points) {
      const { ref: _ref, unit: _unit, rev = 0, ...values } = row;
      insert.run({ point: pointOf(campus, row), t, ...values, rev, doubtful });
    }
  };
}

/** Old rows go in small portions, so that a prune never holds the writer for long. Open alarms and watermarks stay. */
function createPrune(db: Database.Database): RowWriter['prune'] {
  const points = db.prepare<[], { id: number }>('SELECT id FROM points');
  const old = db.prepare<{ id: number; before: number; left: number }>(
    `DELETE FROM summaries WHERE point = @id AND t IN (
       SELECT t FROM summaries WHERE point = @id AND t < @before ORDER BY t LIMIT @left)`,
  );
  const others = [
    `DELETE FROM events WHERE (campus, id) IN (SELECT campus, id FROM events WHERE time < ? LIMIT ?)`,
    `DELETE FROM alarms WHERE (campus, id) IN (SELECT campus, id FROM alarms WHERE ended < ? LIMIT ?)`,
    `DELETE FROM gaps WHERE id IN (SELECT id FROM gaps WHERE time < ? LIMIT ?)`,
    `DELETE FROM rejected WHERE id IN (SELECT id FROM rejected WHERE time < ? LIMIT ?)`,
  ].map((sql) => db.prepare<[number, number]>(sql));
  return (before, limit) => {
    let gone = 0;
    for (const statement of others) gone += statement.run(before, limit).changes;
    let left = limit;
    for (const { id } of points.all()) {
      if (left <= 0) break;
      const { changes } = old.run({ id, before, left });
      left -= changes;
      gone += changes;
    }
    return gone;
  };
}
