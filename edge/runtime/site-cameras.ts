import { z } from 'zod';
import { streamRoles } from '#edge/domain/camera.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { recordingModes } from '#edge/domain/recording.ts';
import { addressesOf, largestRange } from './address-range.ts';
import { byteSize, duration, slug } from './site-values.ts';

/*
 * The `cameras` section of a site file: what is recorded, for how long, and what of a picture only few may see. Whether the cameras
 * named here exist is checked where devices are known. Durations are ms in code.
 */

const camera = slug.transform((id) => id as DeviceId);
const degrees = z.number().min(0).max(360);
/** Parts of the picture, 0 to 1 from its upper left corner. */
const part = z.number().min(0).max(1);

const mask = z
  .strictObject({ x: part, y: part, width: part, height: part })
  .refine(({ x, y, width, height }) => x + width <= 1.0001 && y + height <= 1.0001, 'must lie within the picture')
  .refine(({ width, height }) => width > 0 && height > 0, 'must have a width and a height');

const recording = {
  mode: z.enum(recordingModes).optional(),
  /** Days that must be kept: 30 by GB/T 29315-2022, 90 where the school is a key target. */
  days: z.int().min(1).max(400).optional(),
  preRoll: duration.refine((ms) => ms <= 60_000, 'must be at most 60s').optional(),
  postRoll: duration.refine((ms) => ms >= 1_000 && ms <= 600_000, 'must be 1s to 10min').optional(),
  /** Most bytes of one camera; default: no limit of its own. */
  quota: byteSize.optional(),
  stream: z.enum(streamRoles).optional(),
};

const ofCamera = z.strictObject({
  ...recording,
  /** Covered in what leaves the campus page for those without the right `unmasked`. */
  masks: z.array(mask).max(16).default([]),
  /** What it looks at, for the map: compass direction and opening angle, and how far it sees in metres. */
  view: z
    .strictObject({ direction: degrees, angle: degrees.default(80), range: z.number().min(1).max(500).default(25) })
    .optional(),
  /** Preset to return to when nobody has moved it for so long. */
  home: z.strictObject({ preset: z.string().min(1).max(64).optional(), after: duration.default(120_000) }).optional(),
  /** Record it otherwise while a calendar label or a mode holds, e.g. {closed: continuous}. */
  during: z.record(slug, z.enum(recordingModes)).default({}),
});

/** Defaults stand here so that every place that asks gets the same. */
export const recordingDefaults = {
  mode: 'continuous',
  days: 30,
  preRoll: 10_000,
  postRoll: 20_000,
  stream: 'main',
} as const;

export const camerasSection = z
  .strictObject({
    record: z.strictObject(recording).prefault({}),
    /** Where footage lies, relative to the site file; default: `<data>/footage`. */
    folder: z.string().min(1).optional(),
    /** Most bytes of all footage; default: what the free-space floor leaves. */
    quota: byteSize.optional(),
    /** Room for protected footage, which days and bytes do not touch. */
    protectedQuota: byteSize.default(20e9),
    freeSpaceFloor: byteSize.default(2e9),
    /** Streams recoded at the same time, for browsers that cannot show H.265. */
    transcodes: z.int().min(0).max(16).default(2),
    /** May set the clock of a camera that is set by hand and is off by more than 5 s. */
    setClocks: z.boolean().default(false),
    /** Looks for cameras by WS-Discovery, on every network that this box is in. */
    discovery: z.boolean().default(true),
    /** Address ranges that may be scanned for cameras, e.g. 10.0.3.0/24 (at most 1,024 addresses each). */
    scan: z
      .array(
        z
          .string()
          .max(60)
          .refine((range) => addressesOf(range) !== null, {
            message: `must be IPv4 addresses such as 10.0.3.0/24 or 10.0.3.10-10.0.3.90, at most ${largestRange}`,
          }),
      )
      .max(16)
      .default([]),
    byCamera: z.record(camera, ofCamera).default({}),
  })
  .prefault({});

export type SiteCameras = z.output<typeof camerasSection>;
export type PictureMask = z.output<typeof mask>;

/** How one camera is recorded, with everything that is not said filled in. */
export interface RecordingPlan {
  readonly mode: (typeof recordingModes)[number];
  readonly during: Readonly<Record<string, (typeof recordingModes)[number]>>;
  readonly days: number;
  readonly preRoll: number;
  readonly postRoll: number;
  /** Bytes; null: no limit of its own. */
  readonly quota: number | null;
  readonly stream: (typeof streamRoles)[number];
  readonly masks: readonly PictureMask[];
}

export function recordingPlanOf(cameras: SiteCameras, device: DeviceId): RecordingPlan {
  const own = cameras.byCamera[device];
  const all = cameras.record;
  return {
    mode: own?.mode ?? all.mode ?? recordingDefaults.mode,
    during: own?.during ?? {},
    days: own?.days ?? all.days ?? recordingDefaults.days,
    preRoll: own?.preRoll ?? all.preRoll ?? recordingDefaults.preRoll,
    postRoll: own?.postRoll ?? all.postRoll ?? recordingDefaults.postRoll,
    quota: own?.quota ?? all.quota ?? null,
    stream: own?.stream ?? all.stream ?? recordingDefaults.stream,
    masks: own?.masks ?? [],
  };
}
