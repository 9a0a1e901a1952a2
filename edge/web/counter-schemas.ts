import { z } from 'zod';
import { uuidPattern } from '#edge/domain/ids.ts';
import { historyQuery } from './schemas.ts';

/* Steps of counters (decision 22). Values are in the point's unit, times ms since epoch UTC. */

const time = z.number();
const ref = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}\/[a-z0-9][a-z0-9_-]{0,62}$/, 'must be <device>/<point>');
const state = z.enum(['open', 'accepted', 'rejected', 'returned']);

export const counterStepSchema = z.object({
  id: z.string(),
  ref: z.string(),
  kind: z.enum(['swap', 'spike', 'reset']),
  state,
  /** Last believed value. */
  from: z.number(),
  fromTime: time,
  /** What the meter showed first after the step, and what it shows now. */
  to: z.number(),
  toTime: time,
  last: z.number(),
  lastTime: time,
  agreed: z.number().int(),
  serial: z.object({ before: z.string(), after: z.string() }).optional(),
  /** What a person says was counted in between. */
  between: z.number().optional(),
  decided: z.object({ by: z.string(), time, note: z.string() }).optional(),
});

export const counterStepsSchema = z.object({ steps: z.array(counterStepSchema) });

export const counterListQuery = z.object({
  ref: ref.optional(),
  state: state.optional(),
  /** Steps that began at `from` <= t < `to`. */
  from: z.coerce.number().int().optional(),
  to: z.coerce.number().int().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

const verdict = z.enum(['accept', 'reject']);
const between = z.number().min(0).nullable().default(null);
const note = z.string().max(300);

export const counterDecisionBody = z.strictObject({ verdict, between, note });

/** POST /counters/decide: of a meter that was swapped, all of its counters at once. */
export const counterDecisionsBody = z.strictObject({
  steps: z
    .array(z.strictObject({ id: z.string().regex(uuidPattern, 'must be the id of a counter step'), between }))
    .min(1)
    .max(50),
  verdict,
  note,
});

/** What a meter showed while its counter was not believed. */
export const shownQuery = historyQuery.extend({ limit: z.coerce.number().int().min(1).max(5_000).default(500) });
