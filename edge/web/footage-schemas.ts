import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';

/* Shapes of footage, as domain/recording.ts has them; ms since epoch, `to` exclusive. */

export const cameraId = z.string().regex(slugPattern, 'must be the id of a camera');
const time = z.int().min(0).max(8.64e15);
export const momentQuery = z.coerce.number().int().min(0).max(8.64e15);

const range = z.object({ from: time, to: time });
const segment = range.extend({ id: z.string(), bytes: z.number(), isProtected: z.boolean() });

export const footageSchema = z.object({
  ranges: z.array(range),
  /** At most 5,000; those that follow are asked for with the end of the last as `from`. */
  segments: z.array(segment),
  /** What is sent has its masks burnt in: for those without the right `unmasked`, where the camera has masks. */
  isMasked: z.boolean(),
});

export const exportBody = z.strictObject({
  cameras: z.array(cameraId).min(1).max(16),
  from: time,
  to: time,
  /** Without masks: for those with the right `unmasked`. */
  unmasked: z.boolean().default(false),
  /** Why it is taken out, for the audit. */
  why: z.string().trim().min(1).max(200),
});

const exportedFile = z.object({
  camera: z.string(),
  file: z.string(),
  /** What it really shows: it begins at a key frame. */
  from: time,
  to: time,
  bytes: z.number(),
  /** Without footage: the picture before stands still. */
  gaps: z.array(range),
  isMasked: z.boolean(),
});

export const exportSchema = z.object({
  id: z.string(),
  state: z.enum(['waiting', 'running', 'ready', 'failed']),
  /** 0 to 1. */
  progress: z.number(),
  message: z.string(),
  cameras: z.array(z.string()),
  from: time,
  to: time,
  isMasked: z.boolean(),
  files: z.array(exportedFile),
});
