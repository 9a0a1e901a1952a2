import { z } from 'zod';
import { uuidPattern } from '#edge/domain/ids.ts';

/* The shapes of the HTTP API. Times are ms since epoch UTC, units are UCUM codes, points are `<device>/<point>`. */

/** ms since epoch, UTC. */
const time = z.number();
const value = z.union([z.number(), z.boolean(), z.string()]);
const name = z.object({ zh: z.string(), en: z.string() });
const priority = z.union([z.literal(1), z.literal(5), z.literal(8), z.literal(12), z.literal(15)]);

export const problemSchema = z.object({ error: z.string(), message: z.string() });

type ProblemStatus = 400 | 404 | 409 | 413 | 415 | 429 | 503;

/** The error answers of a route; every route that is not open has 401 and 403. */
export function problems<Status extends ProblemStatus = never>(
  ...statuses: Status[]
): Record<Status | 401 | 403, typeof problemSchema> {
  const all: [Status | 401 | 403, typeof problemSchema][] = [401 as const, 403 as const, ...statuses].map((status) => [
    status,
    problemSchema,
  ]);
  return Object.fromEntries(all) as Record<Status | 401 | 403, typeof problemSchema>;
}

export const processSchema = z.object({
  name: z.string(),
  state: z.string(),
  restarts: z.number().int(),
  since: time,
  lastExit: z.string().nullable(),
  rss: z.number().nullable(),
  loopDelay: z.number().nullable(),
});

export const healthSchema = z.object({
  status: z.enum(['ok', 'degraded']),
  /** Empty when there is no supervisor (one process for everything). */
  processes: z.array(processSchema),
  coreConnected: z.boolean(),
  siteError: z.string().nullable(),
});

export const deviceHealthSchema = z.object({
  process: z.string(),
  device: z.string(),
  state: z.string(),
  message: z.string(),
  since: time,
  counters: z.record(z.string(), z.number()),
});

export const pointSchema = z.object({
  id: z.string(),
  device: z.string(),
  point: z.string(),
  deviceName: name,
  label: name,
  zone: z.string(),
  type: z.enum(['number', 'boolean', 'text']).optional(),
  /** Present on outputs: what may be requested. */
  write: z.object({ min: z.number().optional(), max: z.number().optional(), step: z.number().optional() }).optional(),
  value: value.nullable(),
  unit: z.string(),
  quality: z.enum(['good', 'uncertain', 'bad']),
  reason: z.string().optional(),
  sourceTime: time,
  receivedTime: time,
});

export const campusSchema = z.object({
  id: z.string(),
  name,
  timeZone: z.string(),
  /** Only what lies in one's zones; `allZones` says whether that is the whole campus. */
  allZones: z.boolean(),
  buildings: z.array(
    z.object({
      id: z.string(),
      name,
      floors: z.array(z.object({ id: z.string(), name, spaces: z.array(z.object({ id: z.string(), name })) })),
    }),
  ),
  zones: z.array(z.object({ id: z.string(), name, spaces: z.array(z.string()) })),
  devices: z.array(
    z.object({
      id: z.string(),
      name,
      zone: z.string(),
      space: z.string().nullable(),
      /** What rules may choose it by. */
      tags: z.array(z.string()),
      protocol: z.string(),
      /** `meter`, `relay`, `camera`, `speaker`, `climate`, `sensor`. */
      kind: z.string(),
      profile: z.string(),
      profileName: name,
      /** Adopted in the console (and may be given up there), not declared in the site file. */
      adopted: z.boolean(),
    }),
  ),
  interlocks: z.array(z.object({ id: z.string(), name, latch: z.boolean() })),
  clips: z.array(z.string()),
  flowsEditor: z.boolean(),
});

export const stepSchema = z.enum(['raw', '1min', '15min', '1h', '1d']);

/** `auto`: the finest step that needs at most `buckets` buckets; the answer says which. */
export const historyQuery = z.object({
  from: z.coerce.number().int(),
  to: z.coerce.number().int(),
  step: z.union([stepSchema, z.literal('auto')]).default('raw'),
  buckets: z.coerce.number().int().min(10).max(10_000).default(800),
});

export const historySchema = z.object({
  id: z.string(),
  unit: z.string(),
  step: stepSchema,
  /** For how long a sample stands when no other comes, ms; 0: for ever. After that nothing is known. */
  staleAfter: z.number(),
  /** Present for step=raw. */
  samples: z
    .array(z.object({ t: time, value: value.nullable(), quality: z.string(), reason: z.string().optional() }))
    .optional(),
  /** Present for every other step; `t` is the start of the bucket, the mean is time-weighted over the good seconds. */
  buckets: z
    .array(
      z.object({
        t: time,
        min: z.number().nullable(),
        max: z.number().nullable(),
        mean: z.number().nullable(),
        last: z.number().nullable(),
        count: z.number(),
        goodSeconds: z.number(),
        delta: z.number().nullable(),
      }),
    )
    .optional(),
  /** True when `limit` cut the answer: ask again from the last `t`. */
  truncated: z.boolean(),
});

export const eventSchema = z.object({
  id: z.string(),
  type: z.string(),
  device: z.string().optional(),
  zone: z.string().optional(),
  active: z.boolean().optional(),
  time,
  sourceTime: time.optional(),
  data: z.record(z.string(), value),
  /** Fetch it from /api/v1/events/{id}/snapshot. */
  snapshot: z.string().optional(),
});

export const alarmSchema = z.object({
  id: z.string(),
  source: z.string(),
  class: z.enum(['critical', 'high', 'medium', 'low']),
  state: z.enum(['unacknowledged', 'acknowledged', 'returned', 'normal']),
  active: z.boolean(),
  message: name,
  next: name,
  reason: z.string().optional(),
  device: z.string().optional(),
  ref: z.string().optional(),
  zone: z.string().optional(),
  event: z.string().optional(),
  /** Camera to look through first. */
  camera: z.string().optional(),
  /** Alarms of one cause share it. */
  group: z.string().optional(),
  escalation: z.object({ ladder: z.string(), step: z.number().int(), told: time, due: time.nullable() }).optional(),
  /** Source of the alarm that hides it; they are shown as one line. */
  suppressedBy: z.string().optional(),
  /** That alarm is over: this one is shown then, if it still stands. */
  suppressedUntil: time.optional(),
  raised: time,
  /** Since when it waits for a person, where that is later than `raised`. */
  shown: time.optional(),
  /** When its cause last came back. */
  came: time.optional(),
  /** It comes and goes so often that it is held up as one; `quiet`: since when its cause has stayed away. */
  chattering: z.object({ since: time, quiet: time.nullable() }).optional(),
  acknowledged: z.object({ time, by: z.string(), note: z.string() }).optional(),
  /** Out of sight until then, and why; the state goes on beneath. */
  shelved: z.object({ until: time, by: z.string(), reason: z.string() }).optional(),
  returned: time.optional(),
  ended: time.optional(),
  count: z.number().int(),
});

const alarmClasses = alarmSchema.shape.class;
const alarmStates = alarmSchema.shape.state;

/** GET /api/v1/alarms. `class` and `state` may be given more than once. */
export const alarmQuery = z.object({
  open: z.stringbool().optional(),
  state: z.union([alarmStates, z.array(alarmStates).max(4)]).optional(),
  class: z.union([alarmClasses, z.array(alarmClasses).max(4)]).optional(),
  zone: z.string().max(63).optional(),
  device: z.string().max(63).optional(),
  /** Raised from (included) to (excluded). */
  from: z.coerce.number().int().optional(),
  to: z.coerce.number().int().optional(),
  /** Id of the last alarm of the page before. */
  before: z.string().regex(uuidPattern, 'must be the id of an alarm').optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});

const holdSchema = z.object({
  ref: z.string(),
  priority,
  owner: z.string(),
  value,
  reason: z.string(),
  since: time,
  until: time.nullable(),
  /** `flow:<tab>/<node>` behind the owner. */
  origin: z.string().optional(),
});

export const outputSchema = z.object({
  ref: z.string(),
  value: value.nullable(),
  holder: z.string().nullable(),
  priority: priority.nullable(),
  reason: z.string(),
  since: time,
  until: time.nullable(),
  stack: z.array(holdSchema).readonly(),
  confirmed: z.object({ value: value.nullable(), outcome: z.string(), time }).nullable(),
  /** What it will be when the present hold ends. */
  next: z.object({ value: value.nullable(), holder: z.string().nullable(), at: time }).nullable(),
  /** Why what is wanted has not been sent yet. */
  waiting: z
    .object({ for: z.enum(['minimum-on', 'minimum-off', 'rate', 'stagger', 'device']), until: time.nullable() })
    .nullable(),
  /** Values that a permissive forbids now. */
  forbidden: z
    .array(z.object({ ref: z.string(), priority, owner: z.string(), value, reason: z.string(), since: time }))
    .readonly(),
  /** Turned by hand on the device itself. */
  local: z.object({ value, since: time }).nullable(),
});

/** GET /api/v1/outputs/{device}/{point}/history: who switched this, newest first. */
export const outputActSchema = z.object({
  /** Somebody asked (and what came of it), or core told the device (and what it answered). */
  kind: z.enum(['request', 'command']),
  id: z.string(),
  time,
  /** `person:<id>`, `token:<id>`, `client:<id>`; of a command null: the request or interlock before it says who. */
  who: z.string().nullable(),
  /** null relinquishes. */
  value: value.nullable(),
  priority,
  /** Of a request: for how long, and why. */
  seconds: z.number().optional(),
  reason: z.string().optional(),
  /** Of a request `holding`, `waiting`, `relinquished` or why not; of a command `done`, `sent`, `mismatch` ... */
  outcome: z.string(),
  message: z.string(),
  /** Of a command: what was read back. */
  confirmed: value.optional(),
});

export const requestBodySchema = z.strictObject({
  point: z.string().max(130),
  /** null relinquishes what was asked before. */
  value: value.nullable(),
  priority: z.union([z.literal(8), z.literal(15)]).default(8),
  seconds: z.int().min(1).max(86_400),
  reason: z.string().min(1).max(200),
});

export const requestResultSchema = z.object({
  id: z.string(),
  accepted: z.boolean(),
  outcome: z.string(),
  message: z.string(),
});

/** POST /api/v1/alarms/{id}/shelve: at most one hour for a critical alarm, eight for others (core judges). */
export const shelveBodySchema = z.strictObject({
  minutes: z.int().min(1).max(480),
  reason: z.string().min(1).max(200),
});

export const resetSchema = z.object({
  reset: z.boolean(),
  /** Why not, or what it did. */
  message: z.string().optional(),
});
