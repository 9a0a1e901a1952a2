import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import { documentSchemas, placedView } from '#edge/store/documents.ts';

/* The shapes of plans, what lies on them, the register of assets, the inbox, and adopting devices. */

const time = z.number();
const name = z.object({ zh: z.string(), en: z.string() });
const newName = z.strictObject({ zh: z.string().min(1).max(64), en: z.string().min(1).max(64) });
const slug = z.string().regex(slugPattern, 'must be a slug: a-z, 0-9, _ or -, at most 63 characters');
const value = z.union([z.number(), z.boolean(), z.string()]);

/** GET /api/v1/plans. The picture is at /api/v1/plans/{id}/image. */
export const planSchema = z.object({
  id: z.string(),
  rev: z.number().int(),
  name,
  floor: z.string().nullable(),
  format: z.enum(['png', 'svg']),
  /** Where its picture is, with its version: another picture has another address, so a browser may keep it for ever. */
  image: z.string(),
  width: z.number(),
  height: z.number(),
  order: z.number().int(),
  /** What lies on it (only devices of one's zones). x, y: fractions of width and height from the upper left corner. */
  places: z.array(
    z.object({
      device: z.string(),
      x: z.number(),
      y: z.number(),
      /** What a camera sees of the drawing; absent: nobody drew it here, or he may not watch live. */
      view: placedView.optional(),
    }),
  ),
});
export type PlanView = z.infer<typeof planSchema>;

/**
 * POST /api/v1/plans?id=&zh=&en=&floor= with the picture as the body (image/png or image/svg+xml, at most 5 MB) -> plan.
 * An SVG with scripts, links, style imports or foreign content is refused, with what and where.
 */
export const planQuery = z.strictObject({
  id: slug,
  zh: z.string().min(1).max(64),
  en: z.string().min(1).max(64),
  floor: slug.optional(),
});
/** PUT /api/v1/plans/:id/image?rev= with another picture as the body; what lies on the plan stays where it is. */
/** PATCH /api/v1/plans/:id; DELETE /api/v1/plans/:id?rev= removes it with all that lies on it. */
export const planChange = z.strictObject({
  rev: z.number().int(),
  name: newName.optional(),
  floor: slug.nullable().optional(),
  order: z.number().int().optional(),
});
/**
 * PUT /api/v1/plans/:id/places/:device; DELETE takes it off. `view`: null takes away what was drawn; absent, it stays as it is as long
 * as the device stays on this plan.
 */
export const placeBody = z.strictObject({
  x: z.number().min(0).max(1),
  y: z.number().min(0).max(1),
  view: placedView.nullable().optional(),
});
export type PlacedView = z.infer<typeof placedView>;

/** GET /api/v1/assets: one line a device, empty fields where nobody wrote anything yet. */
export const assetSchema = z.object({
  device: z.string(),
  deviceName: name,
  zone: z.string(),
  /** 0: nobody wrote anything yet. */
  rev: z.number().int(),
  ...documentSchemas.asset.shape,
  /** From the profile, where the register says nothing. */
  profileMake: z.string(),
  profileModel: z.string(),
  /** ISO date of the next maintenance; null when none is planned. */
  due: z.string().nullable(),
});
export type AssetView = z.infer<typeof assetSchema>;

/** PUT /api/v1/assets/:device (maintenance lines are added by POST /api/v1/assets/:device/maintenance). */
export const assetBody = documentSchemas.asset.omit({ maintenance: true }).extend({ rev: z.number().int() });
export const maintenanceBody = z.strictObject({ date: z.iso.date(), note: z.string().min(1).max(500) });
/** POST /api/v1/assets.csv?write=false (text/csv): what would change, line by line; with write=true it is done, all or nothing. */
export const importSchema = z.object({
  written: z.boolean(),
  changed: z.number().int(),
  same: z.number().int(),
  /** Line numbers count from 1, the header line. */
  mistakes: z.array(z.object({ line: z.number().int(), message: z.string() })),
});
export type ImportView = z.infer<typeof importSchema>;

/** GET /api/v1/inbox: heard, and belongs to no declared device or point. */
export const inboxLineSchema = z.object({
  key: z.string(),
  kind: z.string(),
  client: z.string(),
  topic: z.string(),
  message: z.string(),
  excerpt: z.string(),
  count: z.number().int(),
  first: time,
  last: time,
  ignored: z.boolean(),
  /** What adopting it would probably say: form fields to begin with. */
  suggestion: z
    .object({ id: z.string(), profile: z.string().nullable(), address: z.record(z.string(), z.unknown()) })
    .nullable(),
});
export type InboxView = z.infer<typeof inboxLineSchema>;
/** POST /api/v1/inbox/ignore */
export const ignoreBody = z.strictObject({ key: z.string().max(300), ignored: z.boolean() });

/** GET /api/v1/profiles */
export const profileSchema = z.object({
  id: z.string(),
  name,
  kind: z.string(),
  protocol: z.string(),
  points: z.number().int(),
  outputs: z.number().int(),
  /** An address as its driver or convention wants it, to begin with. */
  addressExample: z.record(z.string(), z.unknown()),
});
export type ProfileView = z.infer<typeof profileSchema>;

/** POST /api/v1/profiles/try -> what one reading of the device says; nothing is kept, nothing written. Takes up to 20 s. */
export const tryBody = z.strictObject({ profile: z.string().max(130), address: z.record(z.string(), z.unknown()) });
/** Whether what a tried electricity meter says can be, and which mistake would make it so. */
const judgementSchema = z.object({
  isJudged: z.boolean(),
  checks: z.array(z.object({ says: name, holds: z.boolean().nullable() })),
  suspicions: z.array(z.object({ kind: z.string(), points: z.array(z.string()), says: name })),
  /** The likeliest first. */
  proposals: z.array(
    z.object({
      kinds: z.array(z.string()),
      sure: z.enum(['certain', 'likely', 'possible']),
      says: name,
      /** What was compared, with the figures as they would be. */
      compared: z.array(name),
      /** What a profile of its own would have to say, as YAML; may be empty. */
      profile: z.string(),
    }),
  ),
});
export const trySchema = z.object({
  ok: z.boolean(),
  /** What went wrong, in a sentence; empty when ok. */
  message: z.string(),
  ms: z.number(),
  points: z.array(
    z.object({
      point: z.string(),
      label: name,
      value: value.nullable(),
      unit: z.string(),
      quality: z.enum(['good', 'uncertain', 'bad']),
      reason: z.string().optional(),
    }),
  ),
  judgement: judgementSchema.optional(),
});
export type TryView = z.infer<typeof trySchema>;

/**
 * POST /api/v1/devices: adopts a device. It is written beside the site file's own and the processes that must know of it
 * start again (a second or two). DELETE /api/v1/devices/:id gives an adopted one up.
 */
export const adoptBody = z.strictObject({
  id: slug,
  name: newName,
  profile: z.string().max(130),
  zone: slug,
  space: slug.optional(),
  address: z.record(z.string(), z.unknown()),
  /** The inbox line it came from: forgotten when it succeeds. */
  inboxKey: z.string().max(300).optional(),
});
export const adoptedSchema = z.object({ id: z.string(), restarts: z.array(z.string()) });

/** GET /api/v1/energy/today: what the strip of the overview shows. kW.h; null where it cannot be known. */
export const energySchema = z.object({
  meters: z.array(
    z.object({
      /** Point with the counter of energy. */
      ref: z.string(),
      deviceName: name,
      zone: z.string(),
      today: z.number().nullable(),
      /** The same weekday a week ago, up to this time of day. */
      weekAgo: z.number().nullable(),
      /** Mean power between 00:00 and 05:00 today, kW. */
      nightBase: z.number().nullable(),
      /** Every whole and the running hour since midnight. */
      hours: z.array(z.object({ t: time, energy: z.number().nullable() })),
    }),
  ),
});
export type EnergyView = z.infer<typeof energySchema>;
