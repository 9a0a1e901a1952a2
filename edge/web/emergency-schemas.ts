import { z } from 'zod';
import { emergencyActs, emergencyKinds, rollStates } from '#edge/domain/emergency.ts';
import { slugPattern, uuidPattern } from '#edge/domain/ids.ts';

/* The shapes of emergencies over HTTP. Times are ms since epoch. */

const time = z.number();
const name = z.object({ zh: z.string(), en: z.string() });
const slug = z.string().regex(slugPattern, 'must be a slug: a-z, 0-9, _ or -, at most 63 characters');
/** One line that people read: nothing in it moves a cursor or turns the direction of writing. */
const plainText = (most: number) =>
  z
    .string()
    .trim()
    .max(most)
    .refine((text) => !/\p{Cc}|\p{Bidi_Control}|\p{Zl}|\p{Zp}/u.test(text), 'must not hold control characters');
const why = plainText(300);
const zonesWish = z.union([z.literal('all'), z.array(slug).min(1).max(500)]);
export const emergencyId = z.string().regex(uuidPattern, 'must be the id of an emergency');
const kind = z.enum(emergencyKinds);

const origin = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('person') }),
  z.object({ kind: z.literal('rule'), rule: z.string() }),
  z.object({ kind: z.literal('panel'), device: z.string() }),
  z.object({ kind: z.literal('warning'), key: z.string() }),
  z.object({
    kind: z.literal('terminal'),
    device: z.string(),
    event: z.string(),
    arrival: time,
    intensity: z.number(),
    magnitude: z.number().nullable(),
    place: z.string(),
  }),
]);
export const rollCall = z.object({
  room: z.string(),
  zone: z.string(),
  name,
  state: z.enum(rollStates),
  present: z.number().nullable(),
  missing: z.number().nullable(),
  note: z.string(),
  by: z.string(),
  time: time.nullable(),
});
const line = z.object({
  time,
  act: z.enum(emergencyActs),
  who: z.string(),
  text: z.string(),
  zone: z.string().optional(),
});
const cause = z.object({ origin, by: z.string(), until: time.nullable() });
export const emergencyView = z.object({
  id: z.string(),
  kind,
  name,
  drill: z.boolean(),
  origin,
  /** Who asks for it; it goes on while one does. */
  causes: z.array(cause).default([]),
  zones: z.array(z.string()),
  since: time,
  cleared: time.nullable(),
  by: z.string(),
  why: z.string(),
  items: z.array(z.string()),
  /** Where somebody silenced it for now. */
  silent: z.array(z.string()).default([]),
  steps: z.array(z.object({ text: name, done: z.object({ by: z.string(), time }).nullable() })),
  roll: z.array(rollCall),
  timeline: z.array(line),
  until: time.nullable(),
  /** Its rule or panel still stands: all clear is refused until that is over. '' : nothing stands in the way. */
  standing: z.string(),
});
/** What the site file (or the usual) has for a kind. */
export const planView = z.object({
  kind,
  name,
  /** What will be said, in words and clips, in order. */
  clips: z.array(z.string()),
  words: name,
  zones: z.union([z.literal('all'), z.array(z.string())]),
  steps: z.array(name),
  /** Why it cannot sound as it is (a missing clip, no loudspeaker); null: it can. */
  problem: z.string().nullable(),
  /** What its siren and voices are not as GB 50116 wants them; ms. */
  mistakes: z.array(z.object({ code: z.string(), clip: z.string().optional(), length: z.number().optional() })),
  mayDrill: z.boolean(),
});
export const warningView = z.object({
  key: z.string(),
  event: z.string(),
  headline: z.string(),
  severity: z.string(),
  sender: z.string(),
  sent: time,
  until: time.nullable(),
  sounds: z.boolean(),
});
/** `GET /api/v1/emergencies`: those that go on, the latest that are over (20), and the plans behind the buttons. */
export const emergenciesView = z.object({
  time,
  open: z.array(emergencyView),
  past: z.array(emergencyView.omit({ roll: true, timeline: true, steps: true })),
  /** Why those that are over cannot be read now; '': they can. */
  pastProblem: z.string(),
  plans: z.array(planView),
  /** Public warnings that are in force here and are only shown, newest first. */
  warnings: z.array(warningView),
});
/** `GET /api/v1/emergencies/:id`. */
export const emergencyStory = emergencyView;

/** `POST /api/v1/emergencies`: by a person who has signed in. `confirm` is the word of the guarded button. */
export const beginBody = z.strictObject({
  kind,
  drill: z.boolean(),
  /** Absent: where the plan of its kind says. */
  zones: zonesWish.optional(),
  why: why.default(''),
  confirm: z.literal('begin'),
});
/** 200 even if such an emergency goes on already: it is that one then (`joined`). */
export const begun = z.object({ id: z.string(), joined: z.boolean(), message: z.string() });
/** `POST /api/v1/emergencies/:id/all-clear`: `cleared: false` while its rule or panel stands, `message` says what. */
export const clearBody = z.strictObject({ why: why.min(1), confirm: z.literal('all-clear') });
export const clearedView = z.object({ cleared: z.boolean(), message: z.string() });
/** `POST /api/v1/emergencies/:id/sounds`: silence for a moment of listening, or sound again. It stays an emergency. */
export const soundsBody = z.strictObject({ on: z.boolean(), why: why.min(1) });
/** `POST /api/v1/emergencies/:id/roll`. Revisions: the last word of each room counts; both are in the timeline. */
export const rollBody = z.strictObject({
  rooms: z
    .array(
      z.strictObject({
        room: z.string().max(80),
        state: z.enum(rollStates),
        present: z.int().min(0).max(5_000).nullable().default(null),
        missing: z.int().min(0).max(5_000).nullable().default(null),
        note: plainText(300).default(''),
      }),
    )
    .min(1)
    .max(2_000),
});
/** `POST /api/v1/emergencies/:id/steps/:index`, `POST /api/v1/emergencies/:id/notes`. */
export const stepBody = z.strictObject({ done: z.boolean() });
export const noteBody = z.strictObject({ text: plainText(500).min(1) });
/** `GET /api/v1/emergencies/:id/report.csv`: the timeline and the roll-call as a table. */

/** `POST /api/v1/warnings` (right `warn`): CAP 1.2 as application/cap+xml, application/xml or text/xml, or the same as application/json. */
export const warningAnswer = z.object({
  act: z.enum(['sound', 'show', 'end', 'none']),
  reason: z.string(),
  key: z.string(),
  emergency: z.string().nullable(),
});
/** `POST /api/v1/earthquake` (right `warn`): what a terminal says, over and over until the waves are here. */
export const earthquakeBody = z.strictObject({
  /** The same for all messages of one earthquake. */
  event: plainText(100).min(1),
  /** Grows with each message; an older one changes nothing. */
  update: z.int().min(0).default(0),
  test: z.boolean().default(false),
  cancel: z.boolean().default(false),
  origin: time.optional(),
  /** When the strong waves arrive here, ms since epoch; or `seconds` from the moment the message is handed in. */
  arrival: time.optional(),
  seconds: z.number().min(0).max(600).optional(),
  intensity: z.number().min(0).max(12),
  magnitude: z.number().min(0).max(10).nullable().default(null),
  place: plainText(100).default(''),
});
export const earthquakeAnswer = z.object({ act: z.string(), emergency: z.string().nullable() });
