import type { AlarmClass } from '#edge/domain/alarm.ts';
import type { Case } from '#edge/domain/case.ts';
import type { Incident, IncidentState } from '#edge/domain/incident.ts';
import type { PatrolCheckIn } from '#edge/domain/patrol.ts';
import type { Clip } from '#edge/domain/recording.ts';
import type { Db } from './database.ts';
import { classRank, deviceMark, typeMark } from './gatehouse-items.ts';

/*
 * The review list and what hangs on it, newest first, page by page. Of 100,000 incidents a filter is answered from an index alone
 * (some 15 MB, 30 ms when it fits nothing); bodies are read of the page only.
 */

export interface IncidentFilter {
  readonly states?: readonly IncidentState[];
  readonly classes?: readonly AlarmClass[];
  readonly seen?: boolean;
  /** Only those of these zones; without it also those of none. */
  readonly zones?: readonly string[];
  readonly device?: string;
  readonly type?: string;
  /** Opened at from <= t < to, ms since epoch. */
  readonly from?: number;
  readonly to?: number;
  /** Within what people wrote about it, in either case; or one of these devices or types is in it. */
  readonly text?: { readonly words: string; readonly devices: readonly string[]; readonly types: readonly string[] };
  /** Id of the last incident of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface IncidentCount {
  readonly state: IncidentState;
  readonly class: AlarmClass;
  readonly seen: boolean;
  readonly count: number;
}

export interface ClipFilter {
  readonly camera?: string;
  readonly incident?: string;
  readonly state?: Clip['state'];
  readonly isProtected?: boolean;
  /** Footage that touches from <= t < to, ms. */
  readonly from?: number;
  readonly to?: number;
  /** Id of the last clip of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface PatrolFilter {
  readonly place?: string;
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
}

export interface CaseFilter {
  readonly incident?: string;
  readonly states?: readonly Case['state'][];
  /** Id of the last case of the page before. */
  readonly after?: string;
  readonly limit: number;
}

const farthest = Number.MAX_SAFE_INTEGER;
type Asked = Record<string, string | number | null>;

/** Bodies were written by this room from checked values: reading them back is the parse. */
export function gatehouseReader(db: Db) {
  const body = <T>(text: string | undefined): T | null => (text === undefined ? null : (JSON.parse(text) as T));
  const bodies = <T>(sql: string): ((asked: Asked) => T[]) => {
    const statement = db.prepare<[Asked], string>(sql).pluck();
    return (asked) => statement.all(asked).map((text) => JSON.parse(text) as T);
  };
  const bodyOf = (table: string) => db.prepare<[string], string>(`SELECT body FROM ${table} WHERE id = ?`).pluck();
  const [incident, clip, evidence] = [bodyOf('incident'), bodyOf('clip'), bodyOf('evidence')];
  const clips = bodies<Clip>(
    `SELECT body FROM clip WHERE (first, id) < (@first, @id) AND last > @from AND (@camera IS NULL OR camera = @camera)
       AND (@incident IS NULL OR incident = @incident) AND (@state IS NULL OR state = @state)
       AND (@protected IS NULL OR protected = @protected) ORDER BY first DESC, id DESC LIMIT @limit`,
  );
  const firstOf = db.prepare<[string], number>('SELECT first FROM clip WHERE id = ?').pluck();
  const patrols = bodies<PatrolCheckIn>(
    `SELECT body FROM patrol WHERE time >= @from AND time < @to AND (@place IS NULL OR place = @place)
     ORDER BY time DESC, id DESC LIMIT @limit`,
  );
  const cases = bodies<Case>(
    `SELECT body FROM evidence WHERE (time, id) < (@time, @id) AND (@incident IS NULL OR incident = @incident)
       AND (@states IS NULL OR state IN (SELECT value FROM json_each(@states))) ORDER BY time DESC, id DESC LIMIT @limit`,
  );
  const caseTime = db.prepare<[string], number>('SELECT time FROM evidence WHERE id = ?').pluck();
  return {
    incidents: incidentPages(db),
    incident: (id: string) => body<Incident>(incident.get(id)),
    incidentCounts: incidentCounts(db),
    clips: (
      { after, camera, incident: of, state, isProtected, from = 0, to = farthest }: ClipFilter,
      limit: number,
    ) => {
      const first = after === undefined ? to : firstOf.get(after);
      if (first === undefined) return [];
      const about = { camera: camera ?? null, incident: of ?? null, state: state ?? null };
      const kept = isProtected === undefined ? null : Number(isProtected);
      return clips({ first, id: after ?? '', from, ...about, protected: kept, limit });
    },
    clip: (id: string) => body<Clip>(clip.get(id)),
    patrols: ({ place, from = 0, to = farthest }: PatrolFilter, limit: number) =>
      patrols({ place: place ?? null, from, to, limit }),
    cases: ({ after, incident: of, states }: CaseFilter, limit: number) => {
      const time = after === undefined ? farthest : caseTime.get(after);
      if (time === undefined) return [];
      const wanted = states === undefined ? null : JSON.stringify(states);
      return cases({ time, id: after ?? '', incident: of ?? null, states: wanted, limit });
    },
    case: (id: string) => body<Case>(evidence.get(id)),
  };
}

/** Which index holds the fewest rows that may fit. */
function indexFor({ states, seen }: IncidentFilter): string {
  if (seen === false) return 'incident_unseen';
  return states !== undefined && !states.includes('resolved') ? 'incident_state' : 'incident_review';
}

function incidentPages(db: Db): (filter: IncidentFilter, limit: number) => Incident[] {
  const statements = new Map<string, ReturnType<typeof prepare>>();
  const prepare = (index: string, isText: boolean) =>
    db
      .prepare<[Asked], string>(
        `SELECT i.body FROM (
           SELECT seq, opened, id FROM incident INDEXED BY ${index}
           WHERE (opened, id) < (@opened, @id) AND opened >= @from
             AND (@states IS NULL OR state IN (SELECT value FROM json_each(@states)))
             AND (@classes IS NULL OR class IN (SELECT value FROM json_each(@classes)))
             ${index === 'incident_unseen' ? 'AND seen = 0' : 'AND (@seen IS NULL OR seen = @seen)'}
             AND (@zones IS NULL OR zone IN (SELECT value FROM json_each(@zones)))
             AND (@device IS NULL OR instr(marks, @device) > 0) AND (@type IS NULL OR instr(marks, @type) > 0)
             ${isText ? textCondition : ''}
           ORDER BY opened DESC, id DESC LIMIT @limit
         ) AS hit JOIN incident AS i ON i.seq = hit.seq ORDER BY hit.opened DESC, hit.id DESC`,
      )
      .pluck();
  const openedOf = db.prepare<[string], number>('SELECT opened FROM incident WHERE id = ?').pluck();
  return (filter, limit) => {
    const { states, classes, seen, zones, device, type, from = 0, to = farthest, text, after } = filter;
    // Let go of meanwhile, and with it all that is older.
    const opened = after === undefined ? to : openedOf.get(after);
    if (opened === undefined) return [];
    const index = indexFor(filter);
    const key = `${index} ${text !== undefined}`;
    const statement = statements.get(key) ?? prepare(index, text !== undefined);
    statements.set(key, statement);
    const asked: Asked = {
      ...{ opened, id: after ?? '', from, limit },
      states: states === undefined ? null : JSON.stringify(states),
      classes: classes === undefined ? null : JSON.stringify(classes.map((one) => classRank[one])),
      zones: zones === undefined ? null : JSON.stringify(zones),
      device: device === undefined ? null : deviceMark(device),
      type: type === undefined ? null : typeMark(type),
      ...(index === 'incident_unseen' ? {} : { seen: seen === undefined ? null : Number(seen) }),
      ...(text === undefined ? {} : textOf(text)),
    };
    return statement.all(asked).map((found) => JSON.parse(found) as Incident);
  };
}

const textCondition = `AND (
  EXISTS (SELECT 1 FROM json_each(@wanted) WHERE instr(marks, value) > 0)
  OR seq IN (SELECT seq FROM incident INDEXED BY incident_words WHERE words <> '' AND instr(words, @words) > 0))`;

function textOf({ words, devices, types }: NonNullable<IncidentFilter['text']>) {
  const wanted = [...devices.map(deviceMark), ...types.map(typeMark)];
  return { words: words.toLowerCase(), wanted: JSON.stringify(wanted) };
}

function incidentCounts(db: Db): (zones?: readonly string[]) => IncidentCount[] {
  const count = db.prepare<[Asked], { state: IncidentState; class: number; seen: number; count: number }>(
    `SELECT state, class, seen, count(*) AS count FROM incident INDEXED BY incident_state
     WHERE @zones IS NULL OR zone IN (SELECT value FROM json_each(@zones)) GROUP BY state, class, seen`,
  );
  const classes = Object.entries(classRank).map(([name, rank]) => [rank, name as AlarmClass] as const);
  const classOf = new Map(classes);
  return (zones) =>
    count.all({ zones: zones === undefined ? null : JSON.stringify(zones) }).map((row) => ({
      ...row,
      class: classOf.get(row.class) ?? 'low',
      seen: row.seen !== 0,
    }));
}
