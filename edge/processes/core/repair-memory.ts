import { z } from 'zod';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import { type RepairRecord, repairSteps } from '#edge/rules/repair-plan.ts';

/* What the repairs remember over a restart, as it lies in the store under `repair`. */

const time = z.number();
const record = z.strictObject({
  device: z.string().transform((text) => text as DeviceId),
  state: z.enum(['working', 'healed', 'person']),
  began: time,
  ended: time.nullable(),
  steps: z
    .array(
      z.strictObject({
        step: z.enum(repairSteps),
        state: z.enum(['done', 'running', 'next', 'skipped']),
        at: time.nullable(),
        outcome: z.string(),
      }),
    )
    .length(repairSteps.length),
  phase: z
    .strictObject({
      kind: z.enum(['wait', 'off', 'on']),
      at: time,
      ref: z
        .string()
        .refine((text) => splitPointRef(text) !== null)
        .transform((text) => text as PointRef)
        .nullable(),
    })
    .nullable(),
  wellSince: time.nullable(),
  flaps: z.number(),
  cuts: z.array(time),
});

const memory = z.strictObject({
  records: z.array(record),
  /** When repairs restarted a driver, by process. */
  restarted: z.record(z.string(), z.array(time)),
});

export interface RepairMemory {
  readonly records: readonly RepairRecord[];
  readonly restarted: Readonly<Record<string, readonly number[]>>;
}

/** What cannot be understood (another version of this program wrote it) is begun anew: repairs are not history. */
export function readMemory(stored: unknown): RepairMemory {
  return memory.safeParse(stored).data ?? { records: [], restarted: {} };
}
