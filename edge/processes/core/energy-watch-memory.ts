import { z } from 'zod';
import { type EnergyPlan, findingKinds } from '#edge/domain/energy.ts';
import type { FindingMemory } from '#edge/energy/findings.ts';

/* What the energy watch remembers over a restart, as it lies in the store under `energy-watch`. */

export const energyWatchState = 'energy-watch';

export interface EnergyWatchMemory {
  readonly findings: FindingMemory;
  /** End of the last day that was looked at, ms since epoch; 0: none yet. */
  readonly judged: number;
  /** Local dates on which the mode `holiday` was on by day, ascending. */
  readonly holidays: readonly string[];
}

const time = z.number();
const finding = z.strictObject({
  kind: z.enum(findingKinds),
  meter: z.string(),
  from: time,
  to: time,
  found: z.number(),
  expected: z.number(),
  unit: z.string(),
  costPerDay: z.number().nullable(),
});
const memory = z.strictObject({
  findings: z.record(
    z.string(),
    z.strictObject({ finding, stands: z.boolean(), count: z.number(), heard: time, seen: time }),
  ),
  judged: time,
  holidays: z.array(z.iso.date()).max(100),
});

/** What cannot be understood (another version of this program wrote it) is begun anew: the last week is looked at again. */
export function readMemory(stored: unknown): EnergyWatchMemory {
  return memory.safeParse(stored).data ?? { findings: {}, judged: 0, holidays: [] };
}

export function findingSource({ meter, kind }: { readonly meter: string; readonly kind: string }): string {
  return `energy:${meter}/${kind}`;
}

/** Whether an alarm of before the start still has its finding. */
export function isFindingSource(source: string, stored: unknown, { meters }: Pick<EnergyPlan, 'meters'>): boolean {
  return Object.values(readMemory(stored).findings).some(
    (one) => one.stands && findingSource(one.finding) === source && meters.some(({ id }) => id === one.finding.meter),
  );
}
