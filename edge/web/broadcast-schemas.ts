import { z } from 'zod';
import { interruptions, proofs, soundClasses } from '#edge/domain/broadcast.ts';
import { deliveryStates } from '#edge/domain/delivery.ts';
import { slugPattern, uuidPattern } from '#edge/domain/ids.ts';

/* The shapes of broadcast over HTTP. Times are ms since epoch, lengths ms, loudness percent. */

const time = z.number();
const name = z.object({ zh: z.string(), en: z.string() });
const slug = z.string().regex(slugPattern, 'must be a slug: a-z, 0-9, _ or -, at most 63 characters');
export const soundItemId = z.string().regex(uuidPattern, 'must be the id of what sounds');
export const soundClass = z.enum(soundClasses);
const percent = z.number().min(0).max(100);
const why = z.string().trim().min(1).max(300);
const zonesWish = z.union([z.literal('all'), z.array(slug).max(500)]);

// --- what sounds ----------------------------------------------------------------------------------------------------

const blocker = z.object({
  kind: z.enum(['item', 'outside', 'quiet']),
  class: soundClass.nullable(),
  name: name.nullable(),
  reason: z.string(),
  until: time.nullable(),
  /** Of `outside`: who holds it (`interlock:<rule>`, `person:<id>` ...). */
  owner: z.string().optional(),
  /** Of `quiet`: what kind of rooms. */
  rooms: z.enum(['exam', 'recording']).optional(),
});
/** One item on one loudspeaker. */
export const soundPart = z.object({
  item: z.string(),
  class: soundClass,
  name,
  state: z.enum(['waiting', 'playing', 'cut', 'over']),
  /** ms of it that were heard; null: it has not begun here. */
  position: z.number().nullable(),
  blocker: blocker.nullable(),
  /** Given up then if it has not begun; over then. */
  patience: time.nullable(),
  until: time.nullable(),
  by: z.string(),
  why: z.string(),
  drill: z.boolean(),
});
/** One loudspeaker: what it plays and why, or why it is silent. */
export const soundRoom = z.object({
  output: z.string(),
  device: z.string(),
  name,
  zone: z.string(),
  space: z.string().nullable(),
  /** As `OutputAnswer` of rules/sound.ts has it. */
  reason: z.enum(['plays', 'level-zero', 'outside', 'silenced-outside', 'quiet', 'nothing-asked']),
  playing: soundPart.nullable(),
  waiting: z.array(soundPart),
  /** Who holds it past the arbiter: a safety rule, a request by hand. */
  outside: z.object({ owner: z.string(), reason: z.string(), since: time, class: soundClass }).nullable(),
  quiet: z.object({ kind: z.enum(['exam', 'recording']), reason: z.string(), until: time.nullable() }).nullable(),
  /** What would be heard now, and what keeps it down; null: nothing plays. */
  level: z
    .object({
      level: percent,
      from: z.enum(['item', 'place', 'class', 'emergency']),
      cap: z.object({ most: percent, until: time.nullable(), reason: z.string() }).nullable(),
    })
    .nullable(),
  proof: z.enum(proofs),
  evidence: z.string(),
  /** Whether the loudspeaker answers; null: it cannot say. */
  online: z.boolean().nullable(),
  /** Its last delivery that was missed and is not seen to yet; null: none. */
  trouble: z.object({ item: z.string(), reason: z.string(), time }).nullable(),
});
export const soundItem = z.object({
  id: z.string(),
  class: soundClass,
  name,
  clips: z.array(z.string()),
  live: z.boolean(),
  state: z.enum(['waiting', 'playing', 'cut', 'over']),
  since: time,
  length: z.number().nullable(),
  until: time.nullable(),
  drill: z.boolean(),
  by: z.string(),
  why: z.string(),
  /** Loudspeakers, in all and by state of their delivery. */
  outputs: z.number(),
  counts: z.partialRecord(z.enum(deliveryStates), z.number()),
});
/** `GET /api/v1/broadcast/now`: of one's zones. Asked again when `v1/out/sound` changes (stream message `sound`). */
export const broadcastNow = z.object({
  time,
  rooms: z.array(soundRoom),
  /** What plays, waits or is cut, strongest first. */
  items: z.array(soundItem),
});

/** `GET /api/v1/broadcast/why/:device`: one loudspeaker with the latest that happened there, newest first. */
export const whyView = z.object({
  time,
  room: soundRoom,
  recent: z.array(
    z.object({
      kind: z.string(),
      at: time,
      reason: z.string(),
      item: z.string(),
      class: soundClass,
      /** null: the item is long over. */
      name: name.nullable(),
      blocker: blocker.nullable(),
      said: z.object({ by: z.string(), why: z.string() }).nullable(),
    }),
  ),
});

// --- what one may do ------------------------------------------------------------------------------------------------

/** `POST /api/v1/broadcast/play`. Without clips `text` is spoken. Classes above `page` need the right `emergency`. */
export const playBody = z.strictObject({
  class: soundClass.default('page'),
  name: name.optional(),
  clips: z.array(slug).max(4).default([]),
  text: z.string().trim().max(1_000).optional(),
  voice: z.string().max(64).optional(),
  loop: z.boolean().default(false),
  zones: zonesWish.default([]),
  /** Loudspeakers besides those of the zones: devices. */
  devices: z.array(slug).max(2_000).default([]),
  level: percent.optional(),
  interruption: z.enum(interruptions).optional(),
  why: why.default('announcement'),
});
export const played = z.object({
  /** null: refused. */
  item: z.string().nullable(),
  outcome: z.enum(['taken', 'joined', 'known', 'refused']),
  /** Why it was refused, in words. */
  message: z.string(),
  /** The same as a word: `Refusal` of rules/sound.ts, `no-speech`. */
  code: z.string().optional(),
  /** Loudspeakers where it cannot be heard, and why (a queue that is full, a quiet room). */
  refusedOn: z.array(z.string()),
});
/** `POST /api/v1/broadcast/items/:id/stop`. */
export const stopBody = z.strictObject({ devices: z.array(slug).max(2_000).optional(), why: why.default('stopped') });
export const stopped = z.object({
  outcome: z.enum(['stopped', 'goes-on', 'unknown']),
  message: z.string(),
  /** Loudspeakers that it ended on, and those of one's zones where it goes on. */
  ended: z.number().optional(),
  left: z.number().optional(),
});

/** `POST /api/v1/broadcast/talk`: begins a live page; then a WebSocket on `/api/v1/broadcast/talk/:session`. */
export const talkBody = z.strictObject({
  class: z.enum(['microphone', 'page']).default('page'),
  zones: zonesWish.default([]),
  devices: z.array(slug).max(2_000).default([]),
  /** A chime in front of the voice: a clip; null: none. */
  chime: slug.nullable().default(null),
  level: percent.optional(),
  /** To hear what rooms with a microphone answer while one speaks. */
  listen: z.boolean().default(false),
  why: why.default('live page'),
});
/** `listens`: what the rooms answer is heard; it is in the audit, and never recorded. */
export const talking = played.extend({ session: z.string().nullable(), listens: z.boolean() });
/**
 * Text frames of the socket. From the browser: `{kind: 'format', codec: 'pcm' | 'opus', rate}` first, `{kind: 'end'}` last; binary frames
 * between: 16-bit little-endian mono samples, or one Opus packet of 20 ms each. To the browser: `TalkMessage`.
 */
export const talkEnds = [
  ...(['ended', 'stopped', 'silent', 'too-long', 'too-fast'] as const),
  ...(['bad-sound', 'taken', 'full', 'sound-away', 'stopping'] as const),
] as const;
export type TalkEnd = (typeof talkEnds)[number];
export const talkMessage = z.discriminatedUnion('kind', [
  /** The chime is over: speak. */
  z.object({ kind: z.literal('speak') }),
  z.object({
    kind: z.literal('figures'),
    waiting: z.number(),
    underruns: z.number(),
    dropped: z.number(),
    /** ms recorded so far. */
    recorded: z.number(),
    /** The disk does not take it now; the voice goes on. */
    recordingFailed: z.boolean(),
    /** 0 to 1, of the last moments. */
    level: z.number(),
    /** Loudspeakers that have it now (the others are taken by something stronger, or must be quiet), of how many. */
    playing: z.number(),
    outputs: z.number(),
  }),
  /**
   * `ended`: as asked. `stopped`: by somebody else, or core does not know it any more. `silent`: no sound came for 10 s. `too-long`:
   * 30 min. `too-fast`, `bad-sound`: what came is no microphone. `taken`, `full`: of the sessions. `sound-away`: the process `broadcast` is
   * being started. `stopping`: this one ends.
   */
  /** The binary frames from now on (16-bit little-endian mono, 8,000 Hz) are the room of this loudspeaker. */
  z.object({ kind: z.literal('answers'), device: z.string() }),
  z.object({ kind: z.literal('over'), reason: z.enum(talkEnds) }),
]);
export type TalkMessage = z.infer<typeof talkMessage>;

// --- loudness and quiet rooms ---------------------------------------------------------------------------------------

const minutes = z.int().min(0).max(1_440);
/** `GET` and `PUT /api/v1/broadcast/levels` (with `rev`, 409 when somebody changed it meanwhile). */
export const levelsBody = z.strictObject({
  /** Of a class; absent: 100. Emergencies have `emergency` alone. */
  classes: z.partialRecord(soundClass, percent).default({}),
  emergency: z.number().min(50).max(100).default(100),
  /** Percent of what the class has, by zone. */
  zones: z.record(slug, percent).default({}),
  /** The same, by loudspeaker (device); it replaces that of its zone. */
  devices: z.record(slug, percent).default({}),
  /** Minutes of the local day, may span midnight: never louder than `most` then, but for emergencies. */
  caps: z
    .array(
      z.strictObject({
        name: z.string().max(64),
        zones: zonesWish,
        from: minutes,
        to: minutes,
        days: z.array(z.int().min(1).max(7)).min(1).max(7).default([1, 2, 3, 4, 5, 6, 7]),
        most: percent,
      }),
    )
    .max(50)
    .default([]),
});
export const levelsView = z.object({ rev: z.number(), body: levelsBody });
export const levelsPut = z.strictObject({
  rev: z.int().min(0),
  body: levelsBody,
  why: z.string().max(300).default(''),
});
/** `POST /api/v1/broadcast/quiet`, `DELETE /api/v1/broadcast/quiet/:id`: rooms in which a lesson is recorded, or that must be quiet. */
export const quietBody = z.strictObject({
  kind: z.enum(['exam', 'recording']).default('recording'),
  zones: zonesWish.default([]),
  devices: z.array(slug).max(2_000).default([]),
  /** At most 12 h from now. */
  until: time,
  why,
});
export const quietView = z.array(
  z.object({
    id: z.string(),
    kind: z.enum(['exam', 'recording']),
    devices: z.array(z.string()),
    from: time,
    until: time.nullable(),
    reason: z.string(),
    /** Whose it is: the school day's plan, or a person. */
    by: z.string(),
    /** A person may end it here. */
    mayEnd: z.boolean(),
  }),
);

// --- proof ----------------------------------------------------------------------------------------------------------

export const delivery = z.object({
  item: z.string(),
  output: z.string(),
  device: z.string(),
  name,
  zone: z.string(),
  state: z.enum(deliveryStates),
  proof: z.enum(proofs),
  evidence: z.string(),
  begun: time.nullable(),
  ended: time.nullable(),
  heard: z.number(),
  /** ms that the loudspeaker counted itself; absent: it counts nothing. */
  counted: z.number().optional(),
  delay: z.number().nullable(),
  reason: z.string(),
});
/** `GET /api/v1/broadcast/items?from&until&class&state=missed&limit&before`: newest first. */
export const itemsQuery = z.object({
  from: z.coerce.number().int().min(0).optional(),
  until: z.coerce.number().int().min(0).optional(),
  class: soundClass.optional(),
  /** Only those that somewhere came to this. */
  state: z.enum(deliveryStates).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  before: soundItemId.optional(),
});
export const itemsPage = z.object({ items: z.array(soundItem.extend({ over: time.nullable() })), more: z.boolean() });
/** `GET /api/v1/broadcast/items/:id`: the whole story. */
export const itemStory = z.object({
  item: soundItem.extend({ over: time.nullable() }),
  deliveries: z.array(delivery),
  story: z.array(
    z.object({
      kind: z.string(),
      at: time,
      reason: z.string(),
      outputs: z.array(z.string()),
      blocker: blocker.nullable(),
      said: z.object({ by: z.string(), why: z.string() }).nullable(),
    }),
  ),
  /** A live page: its recording, `/api/v1/broadcast/items/:id/recording` (audio/wav). */
  recording: z.object({ length: z.number(), bytes: z.number() }).nullable(),
});
/** `GET /api/v1/broadcast/report?date=2026-09-01` (and `report.csv`): a local day. */
export const reportView = z.object({
  date: z.string(),
  items: z.number(),
  counts: z.partialRecord(z.enum(deliveryStates), z.number()),
  /**
   * Loudspeakers, worst first. `counter`: what the loudspeaker itself counted of what it was sent, ms, and our ledger's time on the air;
   * null: it counts nothing (plain RTP, a server told by HTTP, a SIP terminal without receiver reports).
   */
  devices: z.array(
    z.object({
      device: z.string(),
      name,
      zone: z.string(),
      counts: z.partialRecord(z.enum(deliveryStates), z.number()),
      heard: z.number(),
      counter: z
        .object({ what: z.enum(['rtcp']), value: z.number(), ours: z.number(), agrees: z.boolean() })
        .nullable(),
    }),
  ),
  missed: z.array(delivery.extend({ itemName: name, class: soundClass })),
});
