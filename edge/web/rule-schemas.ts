import { z } from 'zod';
import { ruleKinds, ruleParameterTypes } from '#edge/domain/rule.ts';
import { findMonster } from '#edge/runtime/rule-monster.ts';

/*
 * Shapes of the API about rules, modes, notices and the repair of devices. Times are ms since epoch UTC. A rule's body is what its
 * file holds, as JSON (durations as text, `20min`): core checks it against the one schema of rule files and answers mistakes with
 * their paths.
 */

const time = z.number().int();
const value = z.union([z.number(), z.boolean(), z.string()]);
const name = z.object({ zh: z.string(), en: z.string() });
export const ruleBodySchema = z.record(z.string(), z.unknown());
/** As somebody sends it: what is too deep or too large goes no further, for whoever tells it on would overflow. */
export const givenBodySchema = ruleBodySchema.superRefine((body, context) => {
  const monster = findMonster(body);
  if (monster !== null) context.addIssue({ code: 'custom', message: monster });
});
export const ruleStateSchema = z.enum(['draft', 'shadow', 'active', 'off']);

export const seenSchema = z.object({
  ref: z.string(),
  value: value.nullable(),
  quality: z.string(),
  reason: z.string().optional(),
  time,
});

/** A line of the journal. GET /api/v1/rules/{id}/journal?from&to&limit&shadow, newest first; GET /api/v1/journal for all rules. */
export const ruleDecisionSchema = z.object({
  time,
  rule: z.string(),
  instance: z.string(),
  version: z.number().int(),
  shadow: z.boolean(),
  what: z.enum(['fired', 'cleared', 'ended', 'reset', 'blind', 'sighted', 'stepped']),
  why: z.string(),
  saw: z.array(seenSchema).readonly(),
  event: z.string().optional(),
  did: z.array(z.string()).readonly(),
});

/** One instance as it is now. */
export const ruleInstanceSchema = z.object({
  instance: z.string(),
  place: z.string().nullable(),
  fired: z.boolean(),
  since: time.nullable(),
  blind: z.boolean(),
  /** May not fire before then, though its cause stands (cool-down). */
  coolsUntil: time.nullable(),
});

/** A line of the journal as the API tells it; `seq` of the last one is `before` of the next page. */
export const journalEntrySchema = ruleDecisionSchema.extend({ seq: z.number().int() });

/** GET /api/v1/rules: everybody with `see`. `rules` of all kinds, those nobody activated too. */
export const ruleSummarySchema = z.object({
  id: z.string(),
  name,
  about: name.nullable(),
  kind: z.enum(ruleKinds),
  priority: z.number().int(),
  state: ruleStateSchema,
  /** Version that runs; null: none. */
  active: z.number().int().nullable(),
  shadow: z.number().int().nullable(),
  latest: z.number().int(),
  /** The newest version is neither active nor in shadow. */
  hasDraft: z.boolean(),
  /** A safety rule that waits for its second person. */
  proposal: z
    .object({
      /** null: to be turned off. */
      version: z.number().int().nullable(),
      /** Of what exactly is proposed: whoever approves it sends it back. null with version null. */
      digest: z.string().nullable(),
      /** `person:<id>`, or `file`: somebody edited the file. */
      by: z.string(),
      time,
      why: z.string(),
    })
    .nullable(),
  instances: z.number().int(),
  fired: z.number().int(),
  blind: z.number().int(),
  lastFired: time.nullable(),
  firedToday: z.number().int(),
  /** What is wrong with the active version here (an unknown point ...), a sentence each. */
  problems: z.array(z.string()),
});
export const rulesSchema = z.object({
  rules: z.array(ruleSummarySchema),
  /** Files in the rules folder that cannot be used, and why. */
  broken: z.array(z.object({ file: z.string(), message: z.string() })),
});

export const ruleVersionSchema = z.object({
  version: z.number().int(),
  time,
  by: z.string(),
  why: z.string(),
  /** `person`, `file` (somebody edited the file), `template`, `rollback`. */
  from: z.enum(['person', 'file', 'template', 'rollback']),
  /** The second person of a safety rule, as it was last approved; null: nobody had to, or it never was. */
  approved: z.object({ by: z.string(), time }).nullable(),
  body: ruleBodySchema,
});

/** GET /api/v1/rules/{id} */
export const ruleSchema = ruleSummarySchema.extend({
  versions: z.array(ruleVersionSchema),
  /** Of the active version (of the newest, when none is). */
  now: z.array(ruleInstanceSchema),
});

/** A condition with what it sees now: GET /api/v1/rules/{id}/why?instance= answers "why", and above all "why not". */
export interface ConditionView {
  kind: string;
  /** As the sentence of the rule says it: path in the rule's body, e.g. `when.conditions[1]`. */
  path: string;
  met: boolean;
  /** It stands, but not yet long enough: true at that time if nothing changes. */
  dueAt: number | null;
  /** n of m points say so. */
  count: number | null;
  needs: number | null;
  /** At most 20 points, those that say so first. */
  points: {
    ref: string;
    value: number | boolean | string | null;
    quality: string;
    reason?: string | undefined;
    time: number;
    met: boolean | null;
  }[];
  parts: ConditionView[];
}
export const conditionViewSchema: z.ZodType<ConditionView> = z.lazy(() =>
  z.object({
    kind: z.string(),
    path: z.string(),
    met: z.boolean(),
    dueAt: time.nullable(),
    count: z.number().int().nullable(),
    needs: z.number().int().nullable(),
    points: z.array(
      z.object({
        ref: z.string(),
        value: value.nullable(),
        quality: z.string(),
        reason: z.string().optional(),
        time,
        met: z.boolean().nullable(),
      }),
    ),
    parts: z.array(conditionViewSchema),
  }),
);
export const ruleWhySchema = z.object({
  instance: ruleInstanceSchema,
  when: conditionViewSchema,
  while: z.array(conditionViewSchema),
  /** What it holds now. */
  holds: z.array(z.object({ ref: z.string(), value })),
  last: ruleDecisionSchema.nullable(),
});

/**
 * POST /api/v1/rules/{id}/versions {body, why, base}: a new version, not yet running; `base`: the newest version that the writer saw
 * (0 for a new rule), 409 when there is a newer one. Answers {version, problems}. 400 RULE_INVALID lists mistakes with paths.
 * POST /api/v1/rules/check {body}: the same check, saving nothing; also runs its tests.
 */
export const ruleDraftBody = z.strictObject({
  body: givenBodySchema,
  why: z.string().min(1).max(300),
  base: z.number().int().min(0),
});
export const ruleCheckSchema = z.object({
  /** `path: what`, nothing when it can be used. */
  mistakes: z.array(z.string()),
  /** It can be used, but: `no point fits` ... */
  problems: z.array(z.string()),
  instances: z.array(z.string()),
  tests: z.array(z.object({ name, passed: z.boolean(), detail: z.string() })),
});

/**
 * POST /api/v1/rules/{id}/activate {version, why}: safety becomes a proposal (answer `proposed`), which another person approves with
 * POST .../approve {version, digest, why} or turns down with POST .../reject {version, digest, why}, both as the proposal says them:
 * what was changed meanwhile is answered with 409. {version: null} turns it off. Rolling back is
 * activating an older version. POST .../shadow {version | null, why}. POST .../remove {why}: only what does not run.
 */
export const ruleActBody = z.strictObject({
  version: z.number().int().min(1).nullable(),
  why: z.string().min(1).max(300),
});
export const ruleDecideBody = z.strictObject({
  version: z.number().int().min(1).nullable(),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  why: z.string().min(1).max(300),
});
export const ruleActAnswer = z.object({ outcome: z.enum(['done', 'proposed']), message: z.string() });

/**
 * GET /api/v1/rules/templates: shipped rules with parameters. POST /api/v1/rules/from-template {template, id, name?, values} fills one
 * in, saving nothing; with `save: {base, why}` and no mistakes it is also saved as a version `from: template`.
 */
export const ruleTemplateSchema = z.object({
  id: z.string(),
  name,
  about: name.nullable(),
  kind: z.enum(ruleKinds),
  parameters: z.array(
    z.object({
      id: z.string(),
      name,
      type: z.enum(ruleParameterTypes),
      unit: z.string().optional(),
      default: z.unknown().optional(),
      min: z.number().optional(),
      max: z.number().optional(),
    }),
  ),
  body: ruleBodySchema,
});

export const fromTemplateBody = z.strictObject({
  template: z.string().max(63),
  id: z.string().max(63),
  name: name.optional(),
  values: z
    .record(z.string().max(63), z.unknown())
    .refine((values) => findMonster(values) === null, 'is too deep or too large')
    .default({}),
  save: z.strictObject({ base: z.number().int().min(0), why: z.string().min(1).max(300) }).optional(),
});
export const fromTemplateAnswer = z.object({
  body: ruleBodySchema,
  /** `path: what`; nothing was saved while there is one. */
  mistakes: z.array(z.string()),
  /** null: not saved. */
  version: z.number().int().nullable(),
  problems: z.array(z.string()),
});

// --- rehearsal ------------------------------------------------------------------------------------------------------

/**
 * POST /api/v1/rehearsals {body | rule+version, from, to, against?: version | 'active' | null}: starts one in a process of its own;
 * answers {id}. GET /api/v1/rehearsals/{id}: progress, then the result. DELETE ends it. At most two at a time; kept for an hour.
 */
export const rehearsalBody = z.strictObject({
  rule: z.string(),
  /** The draft; absent: the saved `version`. */
  body: givenBodySchema.optional(),
  version: z.number().int().min(1).optional(),
  from: time,
  to: time,
  against: z.union([z.number().int().min(1), z.literal('active'), z.null()]).default('active'),
});
export const rehearsalSideSchema = z.object({
  /** 0: the draft as it was sent. */
  version: z.number().int(),
  fired: z.number().int(),
  /** ms in which at least one instance was fired. */
  firedTime: z.number(),
  alarms: z.record(z.string(), z.number().int()).readonly(),
  notices: z.number().int(),
  /** ms of sound. */
  broadcast: z.number(),
  /** Per output: how often it would have been switched, and ms held. */
  outputs: z.array(z.object({ ref: z.string(), switched: z.number().int(), held: z.number() })).readonly(),
  /** ms in which it was blind. */
  blind: z.number(),
  /** Spans in which instances were fired, ascending, at most 2,000; `more` counts the rest. */
  spans: z
    .array(
      z.object({
        instance: z.string(),
        from: time,
        to: time.nullable(),
        why: z.string(),
        saw: z.array(seenSchema).readonly(),
      }),
    )
    .readonly(),
  more: z.number().int(),
});
export const rehearsalSchema = z.object({
  id: z.string(),
  state: z.enum(['running', 'done', 'failed', 'ended']),
  /** 0 to 1 */
  progress: z.number(),
  message: z.string(),
  from: time,
  to: time,
  took: z.number().nullable(),
  /** Samples that went through the engine. */
  samples: z.number().int(),
  draft: rehearsalSideSchema.nullable(),
  live: rehearsalSideSchema.nullable(),
  /** Only one of the two was fired, or held an output that somebody stronger held in truth. */
  differences: z
    .array(
      z.object({
        from: time,
        to: time,
        kind: z.enum(['only-draft', 'only-live', 'conflict']),
        instance: z.string(),
        detail: z.string(),
      }),
    )
    .readonly(),
  /** What the window lacks: gaps in readings, events that retention has dropped. */
  gaps: z.array(z.string()).readonly(),
});

// --- modes ----------------------------------------------------------------------------------------------------------

/** GET /api/v1/modes; PUT /api/v1/modes/{id} {on, until, why} (right `rules` or `operate`). */
export const modeSchema = z.object({
  id: z.string(),
  name,
  on: z.boolean(),
  since: time.nullable(),
  until: time.nullable(),
  by: z.string().nullable(),
  why: z.string().nullable(),
});
export const modeBody = z.strictObject({ on: z.boolean(), until: time.nullable(), why: z.string().min(1).max(200) });

// --- notices and the alarm report -----------------------------------------------------------------------------------

/** GET /api/v1/notices?limit&before: newest first. Addresses of people are not in it. */
export const noticeSchema = z.object({
  id: z.string(),
  about: z.string(),
  class: z.string(),
  title: name,
  channel: z.string(),
  recipient: z.string().nullable(),
  step: z.number().int(),
  created: time,
  state: z.enum(['queued', 'delivered', 'failed', 'expired', 'merged']),
  attempts: z.number().int(),
  at: time,
  detail: z.string(),
});
/** GET /api/v1/notify: channels and how they fare. POST /api/v1/notify/{channel}/test {recipient} sends one. */
export const notifyChannelSchema = z.object({
  id: z.string(),
  kind: z.enum(['email', 'wecom', 'dingtalk', 'feishu', 'webhook', 'sms']),
  name,
  recipients: z.array(z.object({ id: z.string(), name, groups: z.array(z.string()) })),
  queued: z.number().int(),
  delivered: z.number().int(),
  failed: z.number().int(),
  lastDelivered: time.nullable(),
  problem: z.string().nullable(),
});
export const ladderSchema = z.object({
  id: z.string(),
  name,
  classes: z.array(z.string()),
  steps: z.array(z.object({ after: z.number(), during: z.string(), to: z.array(z.string()) })),
  /** Ids; null: everywhere. With zones, an alarm that lies in none is not on this ladder. */
  zones: z.array(z.string()).nullable(),
  /** Globs of alarm sources; null: all. */
  sources: z.array(z.string()).nullable(),
  /** After the last step, while nobody acknowledges. `every` is in ms. */
  repeat: z.object({ every: z.number(), times: z.number().int() }),
});
export const notifySchema = z.object({
  channels: z.array(notifyChannelSchema),
  ladders: z.array(ladderSchema),
  /** Minutes after local midnight; `from` > `to` reaches over it. Classes in `except` are told all the same. */
  quietHours: z.object({ from: z.number().int(), to: z.number().int(), except: z.array(z.string()) }).nullable(),
  /** What is more to one recipient over one channel is gathered; null: nobody is told. */
  perHour: z.number().int().nullable(),
});

/** GET /api/v1/alarms/report?from&to: ISA-18.2 / EEMUA 191 figures. */
export const alarmReportSchema = z.object({
  from: time,
  to: time,
  total: z.number().int(),
  /** Shown alarms (not suppressed) per 10 min: mean, worst, share of 10-min spans over the target of 1 and over 10 (flood). */
  rate: z.object({ target: z.number(), mean: z.number(), worst: z.number(), over: z.number(), flood: z.number() }),
  /** Count per 10 min (or coarser: `bucket` ms), ascending. */
  bucket: z.number(),
  counts: z.array(z.object({ t: time, count: z.number().int() })),
  byClass: z.record(z.string(), z.number().int()),
  /** ms; null: none. */
  acknowledge: z.object({ median: z.number().nullable(), p90: z.number().nullable(), never: z.number().int() }),
  top: z.array(z.object({ source: z.string(), message: name, count: z.number().int(), share: z.number() })),
  /** At least 3 times within 10 min. */
  chattering: z.array(
    z.object({ source: z.string(), message: name, count: z.number().int(), worst: z.number().int(), last: time }),
  ),
  /** Active for more than 24 h. */
  standing: z.array(z.object({ id: z.string(), source: z.string(), message: name, raised: time })),
  /** Out of sight now, and those of them that have been for longest (at most 100). */
  shelved: z.number().int(),
  shelf: z.array(
    z.object({ id: z.string(), source: z.string(), message: name, by: z.string(), reason: z.string(), until: time }),
  ),
  /** Hidden behind their cause: counted nowhere above but in `total`. */
  suppressed: z.number().int(),
});

// --- repair ---------------------------------------------------------------------------------------------------------

export const repairSteps = ['probe', 'reconnect', 'restart', 'switch', 'power', 'person'] as const;
/** GET /api/v1/repairs: every device that is being, or was lately, repaired. 检测 -> 重连 -> 重启 -> 切换/断电 -> 人工. */
export const repairSchema = z.object({
  device: z.string(),
  state: z.enum(['working', 'healed', 'person', 'idle']),
  began: time,
  ended: time.nullable(),
  steps: z.array(
    z.object({
      step: z.enum(repairSteps),
      state: z.enum(['done', 'running', 'next', 'skipped']),
      at: time.nullable(),
      outcome: z.string(),
    }),
  ),
});

/** GET /api/v1/network: reachability of every device with an address. */
export const networkSchema = z.object({
  device: z.string(),
  address: z.string(),
  reachable: z.boolean().nullable(),
  /** ms */
  latency: z.number().nullable(),
  /** Share of the last probes that were lost, 0 to 1. */
  loss: z.number().nullable(),
  at: time.nullable(),
  /** How it was probed: by the system's `ping`, or over TCP where there is none. */
  way: z.enum(['icmp', 'tcp']).nullable(),
  /** Switch and port it hangs on, when the site file says so. */
  uplink: z.object({ device: z.string(), port: z.number().int() }).nullable(),
});
