import { coversZone, type Principal } from '#edge/domain/access.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { ProcessHealth } from '#edge/domain/health.ts';
import type { IncidentBrief } from '#edge/domain/incident.ts';
import type { OutputState } from '#edge/domain/output.ts';

/**
 * What somebody may see of the campus: his zones, and nothing that would tell of the others. What lies in no zone
 * (processes, the store, the bridge) is seen by those who see the whole campus.
 */
export interface Scope {
  /** The same for everybody who sees the same. */
  readonly key: string;
  readonly isWhole: boolean;
  /** The zones, unless it is the whole campus. */
  readonly zones: readonly string[] | undefined;
  covers(zone: string | undefined): boolean;
  /** A device that is not (or no longer) of this campus is seen by those who see the whole. */
  seesDevice(device: string): boolean;
  /** What cameras look at, and so what they do not: for those who may watch them. */
  readonly seesViews: boolean;
  seesRef(ref: string): boolean;
  seesEvent(event: CampusEvent): boolean;
  seesAlarm(alarm: Alarm): boolean;
  /** Of one's zones, and only for those who have to do with incidents. */
  seesIncident(incident: Pick<IncidentBrief, 'zone'>): boolean;
  /** Words of core, without what they say of devices elsewhere. */
  words(text: string): string;
  /** As he may read them: in such words, and without pictures that he may not see. */
  event(event: CampusEvent): CampusEvent;
  alarm<T extends { readonly reason?: string | undefined }>(alarm: T): T;
  output(output: OutputState): OutputState;
  /** null: none of its devices is his. */
  health(health: ProcessHealth): ProcessHealth | null;
}

/** Zones are few, and so are their sets; made-up ones of tokens must not fill the memory. */
const maxScopes = 500;

/** The scope of each principal; those who see the same share one. */
export function createScopes(
  devices: readonly { readonly id: string; readonly zone: string }[],
): (principal: Pick<Principal, 'zones' | 'rights'>) => Scope {
  const zoneOf = new Map(devices.map(({ id, zone }) => [id, zone]));
  const known = new Map<string, Scope>();
  return ({ zones, rights }) => {
    const sorted = zones === 'all' ? undefined : [...new Set(zones)].sort();
    const pictures = rights.has('pictures');
    const incidents = rights.has('incidents');
    const views = rights.has('live');
    const may = `${pictures ? ' +pictures' : ''}${incidents ? ' +incidents' : ''}${views ? ' +views' : ''}`;
    const key = `${sorted?.join() ?? '*'}${may}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size >= maxScopes) known.clear();
    const scope = makeScope(key, sorted, { pictures, incidents, views }, zoneOf);
    known.set(key, scope);
    return scope;
  };
}

function makeScope(
  key: string,
  zones: readonly string[] | undefined,
  { pictures, incidents, views }: Readonly<Record<'pictures' | 'incidents' | 'views', boolean>>,
  zoneOf: ReadonlyMap<string, string>,
): Scope {
  const isWhole = zones === undefined;
  const covers = (zone: string | undefined) => coversZone(zones ?? 'all', zone);
  const seesDevice = (device: string) => covers(zoneOf.get(device));
  // Asked for every reading and every console: no parsing.
  const seesRef = (ref: string) => isWhole || seesDevice(ref.slice(0, Math.max(0, ref.indexOf('/'))));
  /** Where a device is now; where something happened, when the device is gone or there was none. */
  const seesPlace = (device: string | undefined, zone: string | undefined) =>
    covers((device === undefined ? undefined : zoneOf.get(device)) ?? zone);
  const redacted = createRedaction((token) => zoneOf.has(token), seesDevice);
  const words = (text: string) => (isWhole ? text : redacted(text));
  return {
    key,
    isWhole,
    zones,
    covers,
    seesDevice,
    seesViews: views,
    seesRef,
    seesEvent: ({ device, zone }) => seesPlace(device, zone),
    seesIncident: ({ zone }) => incidents && covers(zone ?? undefined),
    seesAlarm: ({ device, ref, zone }) => seesPlace(device, zone) && (ref === undefined || seesRef(ref)),
    words,
    event: (event) => (pictures || event.snapshot === undefined ? event : withoutPicture(event)),
    alarm: (alarm) => (alarm.reason === undefined ? alarm : { ...alarm, reason: words(alarm.reason) }),
    output: (output) => {
      if (isWhole) return output;
      const stack = output.stack.map((hold) => ({ ...hold, reason: words(hold.reason) }));
      const forbidden = output.forbidden.map((forbid) => ({ ...forbid, reason: words(forbid.reason) }));
      return { ...output, reason: words(output.reason), stack, forbidden };
    },
    health: (health) => {
      if (isWhole) return health;
      const devices = health.devices.filter(({ device }) => seesDevice(device));
      return devices.length === 0 ? null : { ...health, devices };
    },
  };
}

function withoutPicture({ snapshot: _, ...event }: CampusEvent): CampusEvent {
  return event;
}

/**
 * Evidence names points in clauses, `smoke-101/smoke is true (good), fire-panel/alarm is true (good)`: from the mention of
 * a device elsewhere to the next of one's own nothing is left but `…`.
 */
function createRedaction(
  isDevice: (token: string) => boolean,
  seesDevice: (device: string) => boolean,
): (text: string) => string {
  return (text) => {
    let isHiding = false;
    const clauses = text.split(', ').flatMap((clause) => {
      const mentions = [...clause.matchAll(/[a-z0-9][a-z0-9_-]*/g)].filter(([token]) => isDevice(token));
      const hidden = mentions.find(([token]) => !seesDevice(token));
      if (hidden !== undefined) {
        isHiding = true;
        return [`${clause.slice(0, hidden.index)}…`];
      }
      if (mentions.length > 0) isHiding = false;
      return isHiding ? [] : [clause];
    });
    return clauses.join(', ');
  };
}
