import { z } from 'zod';
import type { DeviceId, PointRef, ZoneId } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import { duration, name, slug } from './site-values.ts';

/*
 * What the site file says for the gatehouse: how happenings become incidents, one-key alarms, and the key places that are patrolled.
 * References are checked in site-gatehouse-check.ts. Durations are ms in code.
 */

const zone = slug.transform((id) => id as ZoneId);
const camera = slug.transform((id) => id as DeviceId);
const zones = z.union([z.literal('all'), z.array(zone).min(1)]);
const glob = z.string().min(1).max(100);

const grouping = z.strictObject({
  types: z.array(glob).min(1).max(50),
  zones: zones.default('all'),
  devices: z.union([z.literal('all'), z.array(camera).min(1)]).default('all'),
  /** A calendar label or a mode, e.g. closed. */
  during: slug.nullable().default(null),
  class: z.enum(['critical', 'high', 'medium', 'low']),
  within: duration.default(120_000),
  longest: duration.default(1_800_000),
  escalateAfter: duration.nullable().default(null),
});

export const incidentsSection = z
  .strictObject({
    /** The first that fits counts; what fits none is no incident. Default: see `defaultGrouping`. */
    rules: z.array(grouping).max(100).optional(),
    /** Resolved incidents are kept so long. */
    keep: duration.default(400 * 86_400_000),
    /** Footage of an incident is protected so long after it was resolved; of a case: until somebody lets it go. */
    keepFootage: duration.default(30 * 86_400_000),
  })
  .prefault({});

const grave = { zones: 'all', devices: 'all', within: 120_000, longest: 1_800_000 } as const;

/** What schools that say nothing get: grave things always, people and movement when nobody should be there. */
export const defaultGrouping = [
  { ...grave, types: ['emergency'], during: null, class: 'critical', escalateAfter: null },
  {
    ...grave,
    types: ['intrusion', 'line_cross', 'fence*', 'climbing', 'loitering'],
    during: 'closed',
    class: 'high',
    escalateAfter: 180_000,
  },
  { ...grave, types: ['person', 'motion', 'pir'], during: 'closed', class: 'medium', escalateAfter: 600_000 },
  { ...grave, types: ['tamper', 'device_fault'], during: null, class: 'high', escalateAfter: 600_000 },
  {
    ...grave,
    types: ['intrusion', 'line_cross', 'climbing', 'loitering', 'digital_input'],
    during: null,
    class: 'medium',
    escalateAfter: null,
  },
] as const;

const panicButton = z.strictObject({
  id: slug,
  name,
  zone,
  input: z
    .string()
    .refine((text) => splitPointRef(text) !== null, 'must be <device>/<point>')
    .transform((text) => text as PointRef),
  /** Absent: nothing is said aloud (a silent alarm). */
  sound: z
    .strictObject({ clip: slug, zones: zones.default('all') })
    .nullable()
    .default(null),
  cameras: z
    .array(z.strictObject({ device: camera, preset: z.string().min(1).max(64).nullable().default(null) }))
    .max(16)
    .default([]),
});

export const panicSection = z.array(panicButton).max(100).default([]);

export const keyPlacesSection = z
  .array(
    z.strictObject({
      id: slug,
      name,
      zone,
      cameras: z.array(camera).max(32).default([]),
      panic: z.array(slug).max(16).default([]),
      patrols: z.int().min(0).max(48).default(5),
      /** Cards (as a reader tells them) that check in here are told apart by the reader's point. */
      reader: z
        .string()
        .refine((text) => splitPointRef(text) !== null, 'must be <device>/<point>')
        .transform((text) => text as PointRef)
        .nullable()
        .default(null),
    }),
  )
  .max(200)
  .default([]);

export type SiteIncidents = z.output<typeof incidentsSection>;
export type SitePanic = z.output<typeof panicSection>;
export type SiteKeyPlaces = z.output<typeof keyPlacesSection>;
