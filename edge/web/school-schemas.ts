import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import { itemClasses, ledgerOutcomes } from '#edge/domain/school.ts';
import { mostEntries, overrideWhatSchema, schoolEntrySchema } from '#edge/runtime/school-schema.ts';

/* The shapes of the school day over HTTP. Times are ms since epoch, dates local days, seconds those of the day. */

const time = z.number();
const name = z.object({ zh: z.string(), en: z.string() });
const loose = z.record(z.string(), z.unknown());
const date = z.iso.date();
const rev = z.int().min(0);
const why = z.string().trim().min(1).max(300);
const layer = z.string().regex(slugPattern, 'must be the id of a layer, or "campus"');
export const entryId = z.string().regex(slugPattern, 'must be a slug: a-z, 0-9, _ or -, at most 63 characters');
const planName = z.string().regex(/^[a-z0-9-]{1,80}$/, 'must be draft, signed or the id of a release');

export const reasonSchema = z.object({ code: z.string(), entry: z.string().optional(), params: loose.optional() });
export const powerDecision = z.object({
  value: z.union([z.number(), z.boolean(), z.string()]),
  on: z.boolean(),
  why: z.array(reasonSchema),
  since: time,
  /** Until then it stays so unless a sensor says something else; null: nothing is known to change it. */
  until: time.nullable(),
});
export const entryView = z.object({ id: z.string(), rev: z.number(), time, who: z.string(), body: schoolEntrySchema });
export const entriesView = z.object({
  entries: z.array(entryView),
  /** What is wrong with the draft, by entry; `weight` mistake keeps it from being signed. */
  mistakes: z.array(
    z.object({ entry: z.string(), path: z.string(), code: z.string(), params: loose, weight: z.string() }),
  ),
  years: z.array(z.object({ year: z.number(), source: z.string(), published: z.string() })),
});
/** 409: somebody changed it meanwhile, and this is what is there now (body null: it was removed). */
export const changedProblem = z.object({
  error: z.string(),
  message: z.string(),
  others: z
    .array(
      z.object({
        id: z.string(),
        rev: z.number(),
        time: time.nullable(),
        who: z.string().nullable(),
        body: schoolEntrySchema.nullable(),
      }),
    )
    .optional(),
});
const anything = z.record(z.string(), z.unknown());
export const putBody = z.strictObject({ rev, body: anything, why: z.string().max(300).default('') });
export const removeQuery = z.object({ rev: z.coerce.number().int().min(1), why: z.string().max(300).default('') });
export const bulkBody = z.strictObject({
  changes: z
    .array(z.strictObject({ id: entryId, rev, body: anything.nullable() }))
    .min(1)
    .max(mostEntries),
  why: z.string().max(300).default(''),
});
export const bulkView = z.object({ revs: z.record(z.string(), z.number()) });

const span = { from: date.optional(), to: date.optional() };
export const planQuery = z.object({
  ...span,
  of: planName.default('draft'),
  /** With what circuits do on each day. */
  power: z.stringbool().default(false),
});
export const compareQuery = z.object({ ...span, before: planName.default('signed'), after: planName.default('draft') });
const occurrence = z.object({
  key: z.string(),
  entry: z.string(),
  name,
  class: z.enum(itemClasses),
  layer: z.string(),
  at: time,
  date: z.string(),
  second: z.number(),
  do: loose,
  zones: z.array(z.string()),
  why: z.array(reasonSchema),
  silenced: reasonSchema.nullable(),
});
const day = z.looseObject({
  date: z.string(),
  layer: z.string(),
  kind: z.string(),
  weekday: z.number(),
  lessonsOf: z.number().nullable(),
  week: z.object({ term: z.string(), number: z.number(), parity: z.string() }).nullable(),
  timetable: z.string().nullable(),
  slots: z.array(z.object({ id: z.string(), kind: z.string(), name, from: z.number(), to: z.number() })),
  why: z.array(reasonSchema),
  unconfirmed: z.array(reasonSchema),
});
export const dayView = z.object({
  date: z.string(),
  release: z.string().nullable(),
  layers: z.array(day),
  occurrences: z.array(occurrence),
  conflicts: z.array(
    z.object({ code: z.string(), date: z.string(), of: z.array(z.string()), params: loose.optional() }),
  ),
  /** By circuit: how its day begins, then each switching. `assumed-occupied`, `assumed-temperature` among why: it may come otherwise. */
  circuits: z
    .array(
      z.object({
        entry: z.string(),
        outputs: z.array(z.string()),
        changes: z.array(z.object({ at: time, decision: powerDecision })),
      }),
    )
    .optional(),
});
export const planView = z.object({
  of: z.string(),
  days: z.array(dayView),
  /** To be accepted by name when these days are signed. */
  assumptions: z.array(z.object({ name: z.string(), reason: reasonSchema })),
});
export const compareView = z.object({
  days: z.array(z.object({ date: z.string(), days: z.array(loose), occurrences: z.array(loose) })),
});

export const releaseView = z.object({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  by: z.string(),
  time,
  why: z.string(),
  accepted: z.array(reasonSchema),
  undone: z.object({ by: z.string(), time, why: z.string() }).nullable(),
});
export const releaseFull = releaseView.extend({ entries: z.record(z.string(), schoolEntrySchema) });
export const signBody = z.strictObject({
  ...span,
  /** Every entry of the draft with its revision, as whoever signs has seen them. */
  revs: z.record(entryId, z.int().min(1)),
  accept: z.array(z.string().max(300)).max(2_000).default([]),
  why,
});
export const whyBody = z.strictObject({ why });

export const overrideView = z.object({
  id: z.string(),
  what: overrideWhatSchema,
  layer: z.string(),
  from: time,
  until: time,
  by: z.string(),
  why: z.string(),
});
export const overrideBody = z.strictObject({
  what: overrideWhatSchema,
  layer: layer.default('campus'),
  /** Default: now. */
  from: z.int().min(0).optional(),
  until: z.int().min(0),
  why,
});

export const ledgerQuery = z.object({
  from: z.coerce.number().int().optional(),
  to: z.coerce.number().int().optional(),
  entry: entryId.optional(),
  outcome: z.enum(ledgerOutcomes).optional(),
  after: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});
export const ledgerView = z.object({
  /** Latest planned first. */
  lines: z.array(
    z.object({
      key: z.string(),
      entry: z.string(),
      class: z.enum(itemClasses),
      planned: time,
      time,
      outcome: z.enum(ledgerOutcomes),
      reason: z.string(),
      message: z.string(),
      release: z.string(),
      name: name.optional(),
      zones: z.array(z.string()).optional(),
    }),
  ),
  /** Ask again with it as `after`; null: there is no more. */
  next: z.string().nullable(),
});
export const nowView = z.looseObject({
  clock: z.looseObject({ paused: z.string().nullable(), synchronised: z.boolean().nullable(), source: z.string() }),
  signed: z.array(z.object({ date: z.string(), release: z.string().nullable() })),
  next: z.array(occurrence),
  asked: z.array(occurrence),
  open: z.array(z.string()),
  unwritten: z.number(),
});
export const answerBody = z.strictObject({ key: z.string().min(1).max(200), give: z.boolean(), why });
export const clockBody = z.strictObject({ believe: z.boolean(), why });
export const calendarQuery = z.object({
  ...span,
  of: planName.default('signed'),
  layer: layer.default('campus'),
  language: z.enum(['zh', 'en']).default('zh'),
});
export const importBody = z.strictObject({
  text: z.string().min(1).max(1_500_000),
  layer: layer.default('campus'),
  ...span,
});
export const importView = z.object({ drafts: z.array(loose), timed: z.array(loose), refused: z.array(loose) });
export const yearBody = z.strictObject({ year: anything, why });
export const yearsView = z.array(
  z.object({
    year: z.number(),
    source: z.string(),
    published: z.string(),
    days: z.array(z.object({ date: z.string(), off: z.boolean(), name })),
  }),
);
