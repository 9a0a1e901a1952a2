import { z } from 'zod';
import { streamRoles } from '#edge/domain/camera.ts';
import { recordingModes } from '#edge/domain/recording.ts';

/* What a console knows of a camera. No address, no password, no path of this box. */

const name = z.object({ zh: z.string(), en: z.string() });
const share = z.number().nullable();

/** domain/recording.ts, without its camera. */
const recordingSchema = z.object({
  mode: z.enum(recordingModes),
  state: z.enum(['recording', 'waiting', 'stopped', 'off']),
  message: z.string(),
  since: z.number(),
  oldest: z.number().nullable(),
  bytes: z.number(),
  bytesPerDay: z.number(),
  daysRequired: z.number(),
  daysThere: z.number(),
  daysExpected: z.number().nullable(),
  complete24h: share,
  complete: share,
  viewers: z.number(),
  frameRate: z.number().nullable(),
  codec: z.string(),
});

export const cameraSchema = z.object({
  id: z.string(),
  name,
  zone: z.string(),
  space: z.string().nullable(),
  maker: z.string(),
  model: z.string(),
  firmware: z.string(),
  /** When the camera said so; null: it never did. */
  factsTime: z.number().nullable(),
  /** Empty: unknown yet. `sub` is asked for on walls; where there is none, `main` is shown. */
  streams: z.array(
    z.object({
      role: z.enum(streamRoles),
      codec: z.enum(['h264', 'h265', 'other']),
      width: z.number().nullable(),
      height: z.number().nullable(),
      frameRate: z.number().nullable(),
    }),
  ),
  /** null: it cannot be turned, or he may not watch it. */
  ptz: z.object({ presets: z.array(z.object({ token: z.string(), name: z.string() })), home: z.boolean() }).nullable(),
  inputs: z.number(),
  relays: z.number(),
  /** Compass direction and opening angle, degrees; how far it sees, m. null: not in the site file. */
  view: z.object({ direction: z.number(), angle: z.number(), range: z.number() }).nullable(),
  /** Parts of the picture (0 to 1 from the upper left corner) that he must not see; empty for those with the right `unmasked`. */
  masks: z.array(z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })),
  /** null: media has said nothing (yet), or he has no right to know. */
  recording: recordingSchema.nullable(),
  /** What he may do with this camera. `turn`: presets and movement (rights `live` and `operate`). */
  may: z.object({
    live: z.boolean(),
    playback: z.boolean(),
    evidence: z.boolean(),
    turn: z.boolean(),
    unmasked: z.boolean(),
  }),
});

export const cameraListSchema = z.object({
  cameras: z.array(cameraSchema),
  media: z.object({
    /** Whether the process answers now. */
    isThere: z.boolean(),
    /** What must be mended before there is video; '' when nothing must. */
    problem: z.string(),
    ffmpeg: z.object({ version: z.string(), isOld: z.boolean() }).nullable(),
    bytes: z.number(),
    protectedBytes: z.number(),
    freeBytes: z.number().nullable(),
    transcodes: z.number(),
    /** Streams shown as a picture a second; of these and of those recoded, how many have masks burnt in; what all cost, % of a core. */
    recoding: z.object({ pictures: z.number(), masked: z.number(), cpu: z.number().nullable() }),
  }),
});

export type CameraView = z.infer<typeof cameraSchema>;
export type CameraListView = z.infer<typeof cameraListSchema>;
