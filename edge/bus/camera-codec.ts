import { z } from 'zod';
import { streamRoles } from '#edge/domain/camera.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { slugPattern } from '#edge/domain/ids.ts';
import { recordingModes } from '#edge/domain/recording.ts';

/* Shapes of what cameras are, and of how recording goes: everything here was said by a camera or a disk, so it has bounds. */

const device = z
  .string()
  .regex(slugPattern)
  .transform((id) => id as DeviceId);
const time = z.int().min(0).max(8.64e15);
const word = z.string().max(256);
const sentence = z.string().max(1024);
const amount = z.number().min(0);
const share = z.number().min(0).max(1).nullable();

const stream = z.strictObject({
  role: z.enum(streamRoles),
  profile: word,
  codec: z.enum(['h264', 'h265', 'other']),
  width: z.int().min(0).max(65_535).nullable(),
  height: z.int().min(0).max(65_535).nullable(),
  frameRate: amount.max(1000).nullable(),
  uri: z
    .string()
    .regex(/^rtsps?:\/\/[^\s@]+$/, 'must be an RTSP address without a password')
    .max(1024),
});

const facts = z.strictObject({
  device,
  time,
  maker: word,
  model: word,
  firmware: word,
  endpoint: word,
  serial: word,
  streams: z.array(stream).max(8),
  ptz: z
    .strictObject({ presets: z.array(z.strictObject({ token: word, name: word })).max(256), home: z.boolean() })
    .nullable(),
  inputs: z.array(word).max(64),
  relays: z.array(word).max(64),
});

export const cameraFactsSchema = z.array(facts).max(1024);

const recording = z.strictObject({
  camera: device,
  mode: z.enum(recordingModes),
  state: z.enum(['recording', 'waiting', 'stopped', 'off']),
  message: sentence,
  since: time,
  oldest: time.nullable(),
  bytes: amount,
  bytesPerDay: amount,
  daysRequired: amount,
  daysThere: amount,
  daysExpected: amount.nullable(),
  complete24h: share,
  complete: share,
  viewers: z.int().min(0),
  frameRate: amount.nullable(),
  codec: z.string().max(64),
});

export const mediaHealthSchema = z.strictObject({
  ffmpeg: z.strictObject({ path: sentence, version: word, isOld: z.boolean() }).nullable(),
  bytes: amount,
  protectedBytes: amount,
  freeBytes: amount.nullable(),
  problem: sentence,
  transcodes: z.int().min(0),
  recoding: z
    .strictObject({ pictures: z.int().min(0), masked: z.int().min(0), cpu: amount.nullable() })
    .exactOptional(),
  cameras: z.array(recording).max(1024),
});
