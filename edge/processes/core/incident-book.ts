import { z } from 'zod';
import type { HappeningId } from '#edge/domain/ids.ts';
import { uuidPattern } from '#edge/domain/ids.ts';
import type { Incident } from '#edge/domain/incident.ts';
import { gravity } from '#edge/rules/incident-groups.ts';

/** Under which name core remembers how far it has got. */
export const incidentState = 'incidents';

const memory = z.object({ last: z.string().regex(uuidPattern).nullable() });

/** The last event that was grouped; null: none, or it is not remembered. */
export function memoryOf(stored: unknown): HappeningId | null {
  const parsed = memory.safeParse(stored);
  return parsed.success ? (parsed.data.last as HappeningId | null) : null;
}

/** Resolved ones as they are, while their newest form may not be on disk yet. */
const mostSettled = 500;

/** Incidents as they are now: all that are not resolved, and the last that were. */
export function incidentBook() {
  const unresolved = new Map<string, Incident>();
  const growing = new Map<string, Incident>();
  const settled = new Map<string, Incident>();
  return {
    get size(): number {
      return unresolved.size;
    },
    get: (id: string): Incident | null => unresolved.get(id) ?? settled.get(id) ?? null,
    isOpen: (id: string): boolean => unresolved.has(id),
    open: (): readonly Incident[] => [...unresolved.values()],
    /** Those that events may still join. */
    growing: (): readonly Incident[] => [...growing.values()],
    /** The one that is let go of first: of the mildest that nobody has claimed the oldest; never one of the one-key alarm. */
    mildest: (): Incident | undefined => {
      let found: Incident | undefined;
      for (const incident of unresolved.values()) {
        if (incident.emergency !== null) continue;
        if (found === undefined || isMilder(incident, found)) found = incident;
      }
      return found;
    },
    put: (incident: Incident): void => {
      const { id, state, isClosed } = incident;
      if (state === 'resolved') {
        unresolved.delete(id);
        settled.delete(id);
        settled.set(id, incident);
        const [oldest] = settled.keys();
        if (settled.size > mostSettled && oldest !== undefined) settled.delete(oldest);
      } else {
        settled.delete(id);
        unresolved.set(id, incident);
      }
      if (isClosed) growing.delete(id);
      else growing.set(id, incident);
    },
  };
}

function isMilder(one: Incident, other: Incident): boolean {
  const order =
    gravity[other.class] - gravity[one.class] || Number(one.claimedBy !== null) - Number(other.claimedBy !== null);
  return order === 0 ? one.from < other.from : order < 0;
}
