import type { Incident, IncidentBrief } from '#edge/domain/incident.ts';
import type { Scope } from './scope.ts';

/* Incidents as somebody may see them: no path of this box, and nothing of devices elsewhere (two zones may have been made one). */

export function incidentFor<T extends IncidentBrief | Incident>(scope: Scope, incident: T): T {
  const devices = scope.isWhole ? incident.devices : incident.devices.filter(scope.seesDevice);
  return { ...incident, devices, picture: pictureOf(incident.picture) };
}

/** The event whose picture it is, to be had from /api/v1/events/{id}/snapshot. */
function pictureOf(path: string | null): string | null {
  return /([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jpg$/.exec(path ?? '')?.[1] ?? null;
}
