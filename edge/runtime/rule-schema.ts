import { z } from 'zod';
import type { DeviceId, PointRef, SpaceId, ZoneId } from '#edge/domain/ids.ts';
import { slugPattern } from '#edge/domain/ids.ts';
import { ruleKinds } from '#edge/domain/rule.ts';
import { duration as anyDuration } from './site-values.ts';

/*
 * The shape of a rule file (docs/writing-a-rule.md): what a key may be, and what it is when it is left out. What keys must be
 * together is in rule-sense.ts. Editors get the same as JSON Schema (rule-json-schema.ts), so every limit stands here once.
 */

export const ruleLimits = {
  /** Of a file, and of a body as JSON. */
  bytes: 64_000,
  /** `any` and `all` within each other. */
  nesting: 8,
  conditions: 64,
  actions: 32,
  tests: 50,
  /** A month: whatever lasts longer is not automation. */
  duration: 31 * 86_400_000,
} as const;

/** Below safety every hold ends by itself (priority 12 always expires), ms. */
export const usualHold = 12 * 3_600_000;
/** What is `24:00` in a file is the midnight on which the next day begins. */
const day = 1_440;

const slug = z.string().regex(slugPattern, 'must be a slug: a-z, 0-9, _ or -, at most 63 characters');
const zoneId = slug.transform((text) => text as ZoneId);
const spaceId = slug.transform((text) => text as SpaceId);
const deviceId = slug.transform((text) => text as DeviceId);
const pointRef = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}\/[a-z0-9][a-z0-9_-]{0,62}$/, 'must be <device>/<point>')
  .transform((text) => text as PointRef);
const duration = anyDuration.refine(
  (ms) => ms <= ruleLimits.duration,
  `must be at most ${ruleLimits.duration / 86_400_000}d`,
);
const span = duration.refine((ms) => ms >= 1_000, 'must be at least 1s');
const number = z.number().min(-1e12).max(1e12);
const value = z.union([number, z.boolean(), z.string().max(256)], 'must be a number, true, false or a text');

/**
 * Signs that nobody sees and that change what others look like (control characters, marks of direction, blanks of no width, halves of
 * characters): whoever approves a rule must see what he approves. Line ends and tabs are in texts, and joiners in emoji.
 */
const unseen = /(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** A name in both languages. */
const words = (longest: number) => {
  const text = z
    .string()
    .min(1)
    .max(longest)
    .refine((text) => !unseen.test(text), 'has signs that nobody can see: control characters or marks of direction')
    .refine((text) => /[^\s\u200c\u200d]/.test(text), 'is empty');
  return z.strictObject({ zh: text, en: text });
};
const name = words(120);
/** Alarms and notices show so much of it (rules/alarm-machine.ts). */
const message = words(256);

/** Any characters but the slash, `*` for any number of them. */
const deviceGlob = z.string().regex(/^[a-z0-9_*-]{1,63}$/, 'must be a device, with * for any characters');
const pointGlob = z
  .string()
  .regex(/^[a-z0-9_*-]{1,63}\/[a-z0-9_*-]{1,63}$/, 'must be <device>/<point>, with * for any characters within each');
const zones = z.array(zoneId).min(1).max(200);
const here = z.literal(true, 'must be true, or left out');

const selection = z.union(
  [
    pointGlob.transform((of) => ({ of })),
    z.strictObject({
      of: pointGlob,
      zones: zones.optional(),
      spaces: z.array(spaceId).min(1).max(200).optional(),
      tags: z.array(slug).min(1).max(20).optional(),
      here: here.optional(),
    }),
  ],
  'must be <device>/<point>, or {of, zones, spaces, tags, here}',
);

const hysteresis = number.positive().optional();
const comparison = z.union(
  [
    z.strictObject({ is: value }),
    z.strictObject({ isNot: value }),
    z.strictObject({ above: number, hysteresis }),
    z.strictObject({ below: number, hysteresis }),
  ],
  'must be one of {is}, {isNot}, {above, hysteresis} and {below, hysteresis}',
);
const needs = z.union([z.enum(['any', 'all']), z.int().min(1).max(10_000)], 'must be any, all or a whole number');
const onBad = z.enum(['trip', 'hold', 'ignore']);
const held = duration.default(0);

const clock = z
  .string()
  .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'must be HH:MM')
  .transform((text) => (Number(text.slice(0, 2)) * 60 + Number(text.slice(3))) % day);

const weekdays = z.array(z.int().min(1).max(7)).min(1).max(7);

const counted = z.union(
  [
    z.strictObject({ event: slug, device: deviceGlob.default('*'), zones: zones.optional(), here: here.optional() }),
    z.strictObject({ points: selection, becomes: comparison }),
  ],
  'must be {event, device, zones, here} or {points, becomes}',
);
const change = z.union(
  [z.strictObject({ rises: number.positive() }), z.strictObject({ falls: number.positive() })],
  'must be {rises} or {falls}',
);

/** As the file has it; rule-parse.ts makes the domain's of it. */
export type ConditionInput =
  | z.infer<typeof simpleCondition>
  | { readonly kind: 'any'; readonly conditions: readonly ConditionInput[] }
  | { readonly kind: 'all'; readonly conditions: readonly ConditionInput[] };

const pointCondition = z.strictObject({
  kind: z.literal('point'),
  points: selection,
  needs: needs.default('any'),
  test: comparison,
  for: held,
  onBad: onBad.default('hold'),
});
const rateCondition = z.strictObject({
  kind: z.literal('rate'),
  points: selection,
  needs: needs.default('any'),
  change,
  within: span,
  onBad: onBad.default('hold'),
});
const eventCondition = z.strictObject({
  kind: z.literal('event'),
  type: slug,
  device: deviceGlob.default('*'),
  zones: zones.optional(),
  here: here.optional(),
  for: held,
});
const countCondition = z.strictObject({
  kind: z.literal('count'),
  of: counted,
  atLeast: z.int().min(1).max(1_000),
  within: span,
});
const unacknowledgedCondition = z.strictObject({ kind: z.literal('unacknowledged'), rule: slug, for: span });
const calendarCondition = z.strictObject({ kind: z.literal('calendar'), is: slug });
const timeCondition = z.strictObject({
  kind: z.literal('time'),
  from: clock,
  to: clock,
  days: weekdays.optional(),
});
const modeCondition = z.strictObject({ kind: z.literal('mode'), mode: slug, is: z.boolean().default(true) });
const simpleCondition = z.discriminatedUnion('kind', [
  pointCondition,
  rateCondition,
  eventCondition,
  countCondition,
  unacknowledgedCondition,
  calendarCondition,
  timeCondition,
  modeCondition,
]);

export const conditionSchema: z.ZodType<ConditionInput> = z.lazy(() => {
  const conditions = z.array(conditionSchema).min(1).max(ruleLimits.conditions);
  return z.discriminatedUnion('kind', [
    pointCondition,
    rateCondition,
    eventCondition,
    countCondition,
    unacknowledgedCondition,
    calendarCondition,
    timeCondition,
    modeCondition,
    z.strictObject({ kind: z.literal('any'), conditions }),
    z.strictObject({ kind: z.literal('all'), conditions }),
  ]);
});

/** Recipient, group or channel of the site file; `@<channel>` says by which one. */
const addressee = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,62}(@[a-z0-9][a-z0-9_-]{0,62})?$/,
    'must be a recipient, a group or a channel, or <recipient>@<channel>',
  );

export const actionSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('hold'), outputs: selection, value, for: span.optional() }),
  z.strictObject({ kind: z.literal('forbid'), outputs: selection, value }),
  z.strictObject({
    kind: z.literal('shed'),
    order: z.array(pointRef).min(1).max(100),
    value,
    every: span.default(60_000),
  }),
  z.strictObject({
    kind: z.literal('broadcast'),
    clip: slug,
    zones: z.union([z.enum(['all', 'here']), zones], 'must be all, here or a list of zones'),
    for: span.optional(),
  }),
  z.strictObject({
    kind: z.literal('alarm'),
    class: z.enum(['critical', 'high', 'medium', 'low']),
    message,
    next: message,
    camera: deviceId.optional(),
  }),
  z.strictObject({ kind: z.literal('snapshot'), camera: deviceId }),
  z.strictObject({ kind: z.literal('notify'), to: z.array(addressee).min(1).max(50), message }),
]);
export type ActionInput = z.infer<typeof actionSchema>;

/** What the parameters of templates are made of. */
export {
  addressee as recipientName,
  deviceId as deviceName,
  selection as pointsSelection,
  slug as clipName,
  zoneId as zoneName,
};

const eachSchema = z.strictObject({ place: z.enum(['space', 'zone', 'device']), of: selection });

const instance = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}(@[a-z0-9][a-z0-9_-]{0,62})?$/, 'must be <rule> or <rule>@<place>');
const references = z.array(pointRef).min(1).max(200);
const instances = z.array(instance).max(200);
const values = z.record(pointRef, value).refine((all) => Object.keys(all).length <= 200, 'must be at most 200 points');

const stepSchema = z.strictObject({
  at: duration,
  set: values.optional(),
  bad: references.optional(),
  event: z.strictObject({ type: slug, device: deviceId }).optional(),
  mode: z
    .record(slug, z.boolean())
    .refine((all) => Object.keys(all).length <= 20, 'must be at most 20 modes')
    .optional(),
  acknowledge: z.array(slug).min(1).max(20).optional(),
});
const expectationSchema = z.strictObject({
  at: duration,
  fired: instances.optional(),
  holds: values.optional(),
  alarm: z.enum(['critical', 'high', 'medium', 'low']).nullable().optional(),
  notified: z.int().min(0).max(10_000).optional(),
});
export const testSchema = z.strictObject({
  name,
  start: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d$/, 'must be YYYY-MM-DDTHH:MM')
    .refine(isRealDay, 'is a day that no calendar has'),
  given: z.array(stepSchema).max(100).default([]),
  expect: z.array(expectationSchema).min(1).max(100),
});

/** Everything that a rule file and a template have in common. */
export const ruleKeys = {
  id: slug,
  name,
  about: words(600).optional(),
  kind: z.enum(ruleKinds),
  priority: z.union([z.literal(1), z.literal(5)], 'must be 1 (life safety) or 5 (critical equipment)').optional(),
  each: eachSchema.optional(),
  when: conditionSchema,
  while: z.array(conditionSchema).max(20).default([]),
  then: z.array(actionSchema).min(1).max(ruleLimits.actions),
  latch: z.boolean().default(false),
  clearAfter: held,
  coolDown: held,
  tests: z.array(testSchema).max(ruleLimits.tests).default([]),
};

export const ruleFileSchema = z.strictObject({
  rule: z.literal(1, 'must be 1, the version of this format'),
  ...ruleKeys,
});
export type RuleInput = z.infer<typeof ruleFileSchema>;

/** `2026-02-30` fits the pattern. */
function isRealDay(start: string): boolean {
  const [year = 0, month = 0, date = 0] = start.slice(0, 10).split('-').map(Number);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return date <= ([31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0);
}
