import type { Incident, IncidentBrief, IncidentEntry } from '#edge/domain/incident.ts';
import type { Scope } from './scope.ts';

/* Incidents as somebody may see them: no path of this box, and nothing of devices elsewhere (two zones may have been made one). */

type Sight = Pick<Scope, 'isWhole' | 'seesDevice' | 'words'>;

export function incidentFor<T extends IncidentBrief | Incident>(scope: Sight, incident: T): T {
  const picture = pictureOf(incident.picture);
  if (scope.isWhole) return { ...incident, picture };
  const course = 'course' in incident ? { course: incident.course.map((entry) => entryFor(scope, entry)) } : {};
  return { ...incident, ...course, devices: incident.devices.filter(scope.seesDevice), picture };
}

/** Which device it was, core writes into its lines, and before the words of whoever marked footage. */
function entryFor(scope: Sight, entry: IncidentEntry): IncidentEntry {
  const isOurs = entry.who.startsWith('process:') || entry.what === 'bookmarked';
  return isOurs ? { ...entry, text: scope.words(entry.text) } : entry;
}

/** The event whose picture it is, to be had from /api/v1/events/{id}/snapshot. */
function pictureOf(path: string | null): string | null {
  return /([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jpg$/.exec(path ?? '')?.[1] ?? null;
}
