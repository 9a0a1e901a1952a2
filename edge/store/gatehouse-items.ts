import type { AlarmClass } from '#edge/domain/alarm.ts';
import type { Case } from '#edge/domain/case.ts';
import type { Incident } from '#edge/domain/incident.ts';
import type { PatrolCheckIn } from '#edge/domain/patrol.ts';
import type { Clip } from '#edge/domain/recording.ts';
import type { Db } from './database.ts';

/* Incidents, clips, patrols and cases as rows: upserts by id. */

/** How grave, the smaller the graver: what the column `class` holds. */
export const classRank: Readonly<Record<AlarmClass, number>> = { critical: 0, high: 1, medium: 2, low: 3 };

/** What people wrote about one incident and can be looked for, characters. */
const mostWords = 2_000;

/** id, opened, last, state, class, seen, zone, marks, words, body */
type IncidentRow = [string, number, number, string, number, number, string | null, string, string, string];
/** id, camera, first, last, state, protected, incident, body */
type ClipRow = [string, string, number, number, string, number, string | null, string];
/** id, place, time, body */
type PatrolRow = [string, string, number, string];
/** id, incident, state, time, body */
type CaseRow = [string, string, string, number, string];

export type GatehouseItem =
  | { readonly kind: 'incident'; readonly row: Readonly<IncidentRow> }
  | { readonly kind: 'clip'; readonly row: Readonly<ClipRow> }
  | { readonly kind: 'patrol'; readonly row: Readonly<PatrolRow> }
  | { readonly kind: 'case'; readonly row: Readonly<CaseRow> };

export const deviceMark = (device: string): string => ` d:${device} `;
export const typeMark = (type: string): string => ` t:${type} `;

export function incidentItem(incident: Incident): GatehouseItem {
  const { id, from, to, state, zone, seenBy, devices, types } = incident;
  const marks = [...devices.map(deviceMark), ...types.map(typeMark)].join('');
  const seen = Number(seenBy !== null);
  const body = JSON.stringify(incident);
  return {
    kind: 'incident',
    row: [id, from, to, state, classRank[incident.class], seen, zone, marks, wordsOf(incident), body],
  };
}

/** The newest words first: they are what somebody looks for. */
function wordsOf({ note, course }: Incident): string {
  const said = course.filter(({ who }) => !who.startsWith('process:')).flatMap(({ text, name }) => [text, name]);
  const words = [...new Set([note, ...said.toReversed()])].filter((text) => text !== '');
  return words.join('\n').toLowerCase().slice(0, mostWords);
}

export function clipItem(clip: Clip): GatehouseItem {
  const { id, camera, from, to, state, isProtected, incident = null } = clip;
  return { kind: 'clip', row: [id, camera, from, to, state, Number(isProtected), incident, JSON.stringify(clip)] };
}

export function patrolItem(patrol: PatrolCheckIn): GatehouseItem {
  return { kind: 'patrol', row: [patrol.id, patrol.place, patrol.time, JSON.stringify(patrol)] };
}

export function caseItem(one: Case): GatehouseItem {
  return { kind: 'case', row: [one.id, one.incident, one.state, one.time, JSON.stringify(one)] };
}

/** The statements, inside the caller's transaction. */
export function gatehouseWriter(db: Db): (item: GatehouseItem) => void {
  const incident = db.prepare<IncidentRow>(
    `INSERT INTO incident (id, opened, last, state, class, seen, zone, marks, words, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET opened = excluded.opened, last = excluded.last, state = excluded.state,
       class = excluded.class, seen = excluded.seen, zone = excluded.zone, marks = excluded.marks, words = excluded.words,
       body = excluded.body`,
  );
  const clip = db.prepare<ClipRow>('INSERT OR REPLACE INTO clip VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const patrol = db.prepare<PatrolRow>('INSERT OR REPLACE INTO patrol VALUES (?, ?, ?, ?)');
  const evidence = db.prepare<CaseRow>('INSERT OR REPLACE INTO evidence VALUES (?, ?, ?, ?, ?)');
  return (item) => {
    switch (item.kind) {
      case 'incident':
        incident.run(...item.row);
        return;
      case 'clip':
        clip.run(...item.row);
        return;
      case 'patrol':
        patrol.run(...item.row);
        return;
      case 'case':
        evidence.run(...item.row);
        return;
    }
  };
}
