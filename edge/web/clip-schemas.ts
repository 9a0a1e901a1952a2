import { z } from 'zod';
import { soundClasses } from '#edge/domain/broadcast.ts';
import { slugPattern } from '#edge/domain/ids.ts';

/*
 * The shapes of the clip library over HTTP. Times are ms since epoch, lengths ms. Its clips lie below `/api/v1/broadcast/clips`:
 * `/api/v1/clips` is footage that is kept.
 */

const time = z.number();
const slug = z.string().regex(slugPattern, 'must be a slug: a-z, 0-9, _ or -, at most 63 characters');
const name = z.object({ zh: z.string().max(64), en: z.string().max(64) });

export const clipView = z.object({
  id: z.string(),
  rev: z.number(),
  name,
  /** `site`: of the site file, cannot be changed here. */
  source: z.enum(['site', 'upload', 'speech', 'recording']),
  /** What is spoken. */
  text: z.string().nullable(),
  length: z.number().nullable(),
  /** LUFS (EBU R 128) before it was made even; null: unknown (site clips). */
  loudness: z.number().nullable(),
  endless: z.boolean(),
  ahead: z.boolean(),
  /** Why it cannot be played; null: it can. */
  problem: z.string().nullable(),
  time: time.nullable(),
  by: z.string(),
  /** Where it is used: `rule:<id>`, `school:<entry>`, `panic:<id>`, `emergency:<kind>`, `template:<id>`. */
  usedBy: z.array(z.string()),
});
/** `GET /api/v1/broadcast/clips`. */
export const clipsView = z.array(clipView);
/**
 * `POST /api/v1/broadcast/clips?id&zh&en&ahead` with the file as body (audio/*, at most 64 MB; anything ffmpeg reads, up to 60 min): it is trimmed
 * of silence at both ends, made mono 48 kHz and as loud as all others.
 */
export const uploadQuery = z.object({
  id: slug,
  zh: z.string().trim().min(1).max(64),
  en: z.string().trim().min(1).max(64),
  ahead: z.stringbool().default(false),
  /** Of the clip that it replaces; absent: it is new. */
  rev: z.coerce.number().int().min(1).optional(),
});
/** `POST /api/v1/broadcast/clips/speak`: makes a clip of a text. `keep: false`: for one announcement; it is tidied away after a week. */
export const speakBody = z.strictObject({
  id: slug.optional(),
  name: name.optional(),
  text: z.string().trim().min(1).max(1_000),
  voice: z.string().max(64).optional(),
  /** 0.5 to 2; absent: 1. */
  rate: z.number().min(0.5).max(2).optional(),
  keep: z.boolean().default(false),
  ahead: z.boolean().default(false),
});
/** `POST /api/v1/broadcast/clips/preview` answers audio/wav; the same text, voice and rate make the same bytes. */
export const previewBody = z.strictObject({
  text: z.string().trim().min(1).max(1_000),
  voice: z.string().max(64).optional(),
  rate: z.number().min(0.5).max(2).optional(),
});
/** `GET /api/v1/voices`. */
export const voicesView = z.array(
  z.object({
    id: z.string(),
    engine: z.enum(['espeak', 'espeak-wasm', 'sherpa']),
    name,
    language: z.string(),
    isDefault: z.boolean(),
  }),
);
/** `GET|PUT|DELETE /api/v1/announcement-templates/:id`: a text with fields in braces, e.g. `{class}同学请到{place}`. */
export const templateBody = z.strictObject({
  name,
  text: z.string().trim().min(1).max(1_000),
  fields: z
    .array(
      z.strictObject({
        key: z.string().regex(/^[a-z][a-z0-9_]{0,31}$/),
        name,
        /** What one chooses from; empty: anything. */
        options: z.array(z.string().max(100)).max(200).default([]),
      }),
    )
    .max(12)
    .default([]),
  class: z.enum(soundClasses).default('page'),
  chime: slug.nullable().default(null),
});
export const templateView = z.object({ id: z.string(), rev: z.number(), body: templateBody });
export { slug as clipId };
