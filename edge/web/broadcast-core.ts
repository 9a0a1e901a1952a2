import { z } from 'zod';
import { interruptions, proofs, soundClasses } from '#edge/domain/broadcast.ts';

/*
 * What core's broadcast desk answers over core.sock: the answers of rules/sound.ts as JSON. What is not told on to anybody is left out.
 */

const time = z.number();
const name = z.object({ zh: z.string(), en: z.string() });
const soundClass = z.enum(soundClasses);

const blocker = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('item'), item: z.string(), class: soundClass, name }),
  z.object({ kind: z.literal('outside'), owner: z.string(), class: soundClass, reason: z.string() }),
  z.object({
    kind: z.literal('quiet'),
    id: z.string(),
    rooms: z.enum(['exam', 'recording']),
    reason: z.string(),
    until: time.nullable(),
  }),
]);
export type CoreBlocker = z.infer<typeof blocker>;

const part = z.object({
  item: z.string(),
  class: soundClass,
  name,
  state: z.enum(['waiting', 'playing', 'cut', 'over']),
  position: z.number().nullable(),
  blocker: blocker.nullable(),
  cutAt: time.nullable(),
  patience: time.nullable(),
  until: time.nullable(),
  by: z.string(),
  why: z.string(),
  isDrill: z.boolean(),
});
export type CorePart = z.infer<typeof part>;

const happening = z.object({
  kind: z.string(),
  item: z.string(),
  class: soundClass,
  outputs: z.array(z.string()),
  at: time,
  reason: z.string(),
  by: blocker.nullable(),
  position: z.number().nullable(),
  said: z.object({ by: z.string(), why: z.string() }).nullable(),
});
export type CoreHappening = z.infer<typeof happening>;

export const outputAnswer = z.object({
  output: z.string(),
  reason: z.enum(['plays', 'level-zero', 'outside', 'silenced-outside', 'quiet', 'nothing-asked']),
  playing: part.nullable(),
  level: z
    .object({
      level: z.number(),
      from: z.enum(['item', 'place', 'class', 'emergency']),
      cap: z.object({ id: z.string(), most: z.number(), until: time.nullable(), reason: z.string() }).nullable(),
    })
    .nullable(),
  outside: z.object({ owner: z.string(), reason: z.string(), since: time, class: soundClass.optional() }).nullable(),
  quiet: z
    .object({ id: z.string(), kind: z.enum(['exam', 'recording']), reason: z.string(), until: time.nullable() })
    .nullable(),
  waiting: z.array(part),
  recent: z.array(happening).default([]),
});
export type CoreOutput = z.infer<typeof outputAnswer>;

export const itemAnswer = z.object({
  item: z.object({
    id: z.string(),
    class: soundClass,
    name,
    source: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('clips'), clips: z.array(z.string()), loop: z.boolean() }),
      z.object({ kind: z.literal('live'), session: z.string() }),
    ]),
    outputs: z.array(z.string()),
    since: time,
    length: z.number().nullable(),
    until: time.nullable(),
    interruption: z.enum(interruptions),
    drill: z.boolean(),
    by: z.string(),
    why: z.string(),
  }),
  state: z.enum(['waiting', 'playing', 'cut', 'over']),
  parts: z.array(z.object({ output: z.string(), state: z.enum(['waiting', 'playing', 'cut', 'over']) })),
});
export type CoreItem = z.infer<typeof itemAnswer>;
/** `broadcast.item`: nothing is known of it when `item` is missing, since null cannot be told over core.sock. */
export function readItem(answer: unknown): CoreItem | null {
  const { item } = z.looseObject({ item: z.unknown().optional() }).parse(answer);
  return item === undefined || item === null ? null : itemAnswer.parse(answer);
}

/** As `broadcast.now` tells it: its loudspeakers by how far they are. */
const itemNow = z.object({
  item: itemAnswer.shape.item.omit({ outputs: true }),
  state: itemAnswer.shape.state,
  outputs: z.partialRecord(itemAnswer.shape.state, z.array(z.string())),
});
export type CoreItemNow = z.infer<typeof itemNow>;

const after = z.object({ kind: z.enum(['room', 'item']), id: z.string() });
export type CoreAfter = z.infer<typeof after>;

/** One page of `broadcast.now { after }`; `next`: where the one behind it begins. */
export const nowAnswer = z.object({
  rooms: z.array(z.object({ output: z.string(), answer: outputAnswer, proof: z.enum(proofs), evidence: z.string() })),
  items: z.array(itemNow),
  next: after.nullable(),
});
export type CoreNow = Omit<z.infer<typeof nowAnswer>, 'next'>;

/** `broadcast.play`: PutAnswer and a message. */
export const putAnswer = z.object({
  outcome: z.enum(['taken', 'joined', 'known', 'refused']),
  item: z.string().nullable(),
  refusal: z.object({ code: z.string() }).nullable(),
  refusedOn: z.array(z.string()),
  message: z.string().default(''),
});
/** `broadcast.stop`. */
export const stopAnswer = z.object({
  outcome: z.enum(['stopped', 'goes-on', 'unknown']),
  askers: z.array(z.string()).default([]),
});
/** `broadcast.quiets {}`. */
export const quietsAnswer = z.array(
  z.object({
    id: z.string(),
    kind: z.enum(['exam', 'recording']),
    outputs: z.array(z.string()),
    from: time,
    until: time.nullable(),
    reason: z.string(),
    by: z.string(),
  }),
);
