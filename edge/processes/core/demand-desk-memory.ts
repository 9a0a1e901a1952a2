import { z } from 'zod';
import type { DemandWindow } from '#edge/rules/demand-window.ts';

/* What the demand desk remembers over a restart, as it lies in the store. */

/** Of one limit: the controller's state, and what the limit owes (demand-desk-debt.ts). */
export const demandState = (meter: string) => `demand:${meter}`;
/** Its windows that are over: they are written when one ends, the rest every minute. */
export const windowsState = (meter: string) => `demand-windows:${meter}`;

/** Two days of quarter hours. */
export const mostWindows = 192;

const windows = z
  .array(
    z.object({
      from: z.number(),
      to: z.number(),
      demand: z.number().nullable(),
      unshed: z.number().nullable(),
      shed: z.number(),
      known: z.number(),
      limit: z.number(),
      exceeded: z.boolean(),
    }),
  )
  .max(mostWindows);

/** What cannot be understood (another version of this program wrote it) is begun anew. */
export function readWindows(stored: unknown): readonly DemandWindow[] {
  return windows.safeParse(stored).data ?? [];
}

const limit = z.object({ state: z.unknown(), debt: z.unknown() });

/** `state` and `debt` are checked by whoever knows them. */
export function readLimit(stored: unknown): { readonly state?: unknown; readonly debt?: unknown } {
  return limit.safeParse(stored).data ?? {};
}

/** Loads that were shed when the state was written, whatever of their plan is left. */
export function shedLoads(state: unknown): readonly string[] {
  const loads = z.object({ loads: z.record(z.string(), z.object({ shed: z.boolean() })) }).safeParse(state).data;
  return Object.entries(loads?.loads ?? {}).flatMap(([ref, { shed }]) => (shed ? [ref] : []));
}
