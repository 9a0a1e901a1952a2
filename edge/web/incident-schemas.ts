import { z } from 'zod';
import { slugPattern, uuidPattern } from '#edge/domain/ids.ts';
import { incidentOutcomes, incidentStates } from '#edge/domain/incident.ts';
import { eventSchema } from './schemas.ts';

/* Shapes of incidents and of footage that is kept, as domain/{incident,recording}.ts have them. Times are ms since epoch UTC. */

const time = z.number();
export const incidentId = z.string().regex(uuidPattern, 'must be the id of an incident');
const somebody = z.object({ who: z.string(), name: z.string(), time }).nullable();
export const alarmClass = z.enum(['critical', 'high', 'medium', 'low']);
export const outcome = z.enum(incidentOutcomes);

const entry = z.object({
  time,
  who: z.string(),
  name: z.string(),
  what: z.enum([
    ...['opened', 'grew', 'seen', 'claimed', 'released', 'noted', 'escalated', 'resolved', 'reopened', 'merged'],
    ...['bookmarked', 'exported'],
  ] as const),
  text: z.string(),
});

/** As the stream tells it, in messages `incident`. */
export const incidentBriefSchema = z.object({
  id: z.string(),
  state: z.enum(incidentStates),
  class: alarmClass,
  zone: z.string().nullable(),
  /** The gravest first. */
  types: z.array(z.string()).readonly(),
  devices: z.array(z.string()).readonly(),
  from: time,
  to: time,
  isClosed: z.boolean(),
  count: z.number().int(),
  /** The event whose picture it is: /api/v1/events/{id}/snapshot (right `pictures`). */
  picture: z.string().nullable(),
  claimedBy: somebody,
  seenBy: somebody,
  escalatesAt: time.nullable(),
  outcome: outcome.nullable(),
  mergedInto: z.string().optional(),
  /** Id of the one-key alarm: only its reset ends it. */
  emergency: z.string().nullable(),
  rev: z.number().int(),
});

export const incidentSchema = incidentBriefSchema.extend({
  note: z.string(),
  /** Newest first, at most 200; `count` is the true number. */
  events: z.array(z.string()).readonly(),
  course: z.array(entry).readonly(),
});

export const incidentListSchema = z.object({
  incidents: z.array(incidentBriefSchema.extend({ note: z.string() })),
  /** `after` of the next page; null: there is none. */
  next: z.string().nullable(),
});

export const clipSchema = z.object({
  id: z.string(),
  camera: z.string(),
  from: time,
  to: time,
  why: z.enum(['event', 'person', 'emergency']),
  state: z.enum(['pending', 'ready', 'missing']),
  isProtected: z.boolean(),
  incident: z.string().optional(),
  note: z.string(),
});

export const incidentPageSchema = z.object({
  incident: incidentSchema,
  /** Those of `events` that are still known, newest first. */
  events: z.array(eventSchema),
  clips: z.array(clipSchema),
});

export const incidentCountsSchema = z.object({
  /** Not resolved, by class. */
  open: z.record(alarmClass, z.number()),
  /** Nobody has looked at them yet, resolved or not, by class. */
  unseen: z.record(alarmClass, z.number()),
  byState: z.record(z.enum(incidentStates), z.number()),
});

const many = <T extends z.ZodType>(one: T, most: number) => z.union([one, z.array(one).max(most)]).optional();

/** GET /api/v1/incidents. `state`, `class` and `zone` may be given more than once. */
export const incidentQuery = z.object({
  state: many(z.enum(incidentStates), 4),
  class: many(alarmClass, 4),
  zone: many(z.string().max(63), 100),
  camera: z.string().max(63).optional(),
  type: z.string().max(63).optional(),
  seen: z.stringbool().optional(),
  /** Opened from (included) to (excluded). */
  from: z.coerce.number().int().optional(),
  to: z.coerce.number().int().optional(),
  /** Within what people wrote, or in the name or id of a device or type that is in it. */
  q: z.string().trim().min(1).max(100).optional(),
  /** Id of the last incident of the page before. */
  after: incidentId.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

/** Lines and tabs may be in it; what no screen shows, and what turns the order of writing round, would make it say something else. */
const unseen = /(?![\t\n\r])[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u;

/** What people write about what happened. */
export const said = (most: number) =>
  z
    .string()
    .trim()
    .max(most)
    .refine((words) => !unseen.test(words), 'must be without control characters and marks that reverse the writing');

const text = said(2_000);
const reason = said(500).min(1);
const camera = z.string().regex(slugPattern, 'must be the id of a camera');
const moment = z.int().min(0).max(8.64e15);

export const seenBody = z.strictObject({ ids: z.array(incidentId).min(1).max(2_000) });
export const claimBody = z.strictObject({ take: z.boolean().default(false) }).nullish();
export const releaseBody = z.strictObject({ note: text.default('') }).nullish();
export const noteBody = z.strictObject({ note: text.min(1) });
export const reasonBody = z.strictObject({ reason });
export const resolveBody = z.strictObject({ outcome, note: text.default('') });
export const mergeBody = z.strictObject({ part: incidentId });
export const markBody = z.strictObject({
  camera,
  from: moment,
  to: moment,
  note: said(500).default(''),
});

export const clipQuery = z.object({
  camera: z.string().max(63).optional(),
  incident: incidentId.optional(),
  state: clipSchema.shape.state.optional(),
  protected: z.stringbool().optional(),
  from: z.coerce.number().int().optional(),
  to: z.coerce.number().int().optional(),
  after: z.string().regex(uuidPattern, 'must be the id of a clip').optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
