import { z } from 'zod';

/*
 * Shapes of the API about flows. Times are ms since epoch UTC. The flows process says most of this of itself; what people write
 * there runs in it, so nothing here is taken for proved: names and figures are checked, and shown as what flows say.
 */

const time = z.number().int();
const count = z.number().int();
const text = z.string().max(1_000);

export const flowChangesSchema = z.object({ added: count, removed: count, changed: count, moved: count });
export const flowVersionSchema = z.object({
  version: count,
  time,
  /** A person's id, `token:<id>`, or `file`: it was shipped or written by hand. */
  by: text,
  why: text,
  /** Against the version before; what only lies elsewhere on the page is `moved`. */
  changes: flowChangesSchema,
});

export const flowBudgetSchema = z.object({
  tab: text,
  state: z.enum(['within', 'over-budget', 'halted']),
  since: time,
  /** Over the last ten seconds: messages a second, share of one core, requests a minute, requests refused. */
  messages: z.number(),
  cpu: z.number(),
  requests: z.number(),
  refused: count,
  /** What is too much, in a sentence; '' while it is within. */
  why: text,
  /** The node that takes most. */
  offender: z.object({ tab: text, node: text, type: text, name: text }).nullable(),
});

export const flowTabSchema = z.object({
  id: text,
  kind: z.enum(['tab', 'subflow']),
  label: text,
  /** Below the flows folder of the site. */
  file: text,
  locked: z.boolean(),
  disabled: z.boolean(),
  nodes: count,
  /**
   * `disabled` by its own setting; `quarantined`: started disabled, because it ended the process twice; `stopped`: no flow runs
   * (see `problem`); `over-budget`: its requests are refused; `halted`: stopped for some minutes, or until the next deploy.
   */
  state: z.enum(['running', 'disabled', 'quarantined', 'stopped', 'over-budget', 'halted']),
  budget: flowBudgetSchema.nullable(),
  /** Its node that ran when the process ended, and when. */
  ended: z.object({ tab: text, node: text, name: text, times: z.array(time) }).nullable(),
  /** Oldest first; the newest is what runs, if nobody changed the file since. */
  versions: z.array(flowVersionSchema),
});

/** GET /api/v1/flows (right `flows-view`) */
export const flowsSchema = z.object({
  /** Why no flow runs (`safe-mode`, `missing-types: [...]`); null: they run. */
  problem: text.nullable(),
  /** After three crashes in ten minutes the editor opens and nothing runs: POST /api/v1/flows/restart ends it. */
  isSafeMode: z.boolean(),
  tabs: z.array(flowTabSchema),
  /** Tabs that were removed, and can be brought back by rolling back to a version. */
  removed: z.array(z.object({ tab: text, label: text, versions: z.array(flowVersionSchema) })),
});

/** GET /api/v1/flows/{tab}/versions/{version} */
export const flowVersionBodySchema = flowVersionSchema.extend({ entries: z.array(z.record(z.string(), z.unknown())) });

/** GET /api/v1/flows/{tab}/diff?from&to */
export const flowDiffSchema = z.object({
  from: count,
  to: count,
  nodes: z.array(
    z.object({
      id: text,
      type: text,
      name: text,
      what: z.enum(['added', 'removed', 'changed', 'moved']),
      /** Properties that differ. */
      keys: z.array(text),
    }),
  ),
});

/** POST /api/v1/flows/{tab}/rollback (right `flows-edit`): deploys an earlier version, as a new one. */
export const flowRollbackBody = z.strictObject({
  version: z.number().int().min(1),
  why: z.string().trim().min(1).max(300),
});
export const flowRollbackAnswer = z.object({ version: count });

/** POST /api/v1/flows/restart (right `flows-edit`): starts all flows anew from their files. */
export const flowRestartBody = z.strictObject({ why: z.string().trim().min(1).max(300) });
export const flowRestartAnswer = z.object({ problem: text.nullable() });
