import { z } from 'zod';
import type { DeviceId, HappeningId, ZoneId } from '#edge/domain/ids.ts';
import { slugPattern, uuidPattern } from '#edge/domain/ids.ts';
import { incidentOutcomes, incidentStates } from '#edge/domain/incident.ts';

/* The shape of an incident as everybody is told of it; what people wrote about it is in the store only. */

const id = z
  .string()
  .regex(uuidPattern)
  .transform((text) => text as HappeningId);
const slug = z.string().regex(slugPattern);
const time = z.int().min(0).max(8.64e15);
const somebody = z.strictObject({ who: z.string().max(100), name: z.string().max(100), time }).nullable();

export const incidentSchema = z.strictObject({
  id,
  state: z.enum(incidentStates),
  class: z.enum(['critical', 'high', 'medium', 'low']),
  zone: slug.transform((text) => text as ZoneId).nullable(),
  types: z.array(slug).max(50),
  devices: z.array(slug.transform((text) => text as DeviceId)).max(100),
  from: time,
  to: time,
  isClosed: z.boolean(),
  count: z.int().min(0),
  picture: z.string().max(256).nullable(),
  claimedBy: somebody,
  seenBy: somebody,
  escalatesAt: time.nullable(),
  outcome: z.enum(incidentOutcomes).nullable(),
  mergedInto: id.optional(),
  emergency: z.string().max(63).nullable(),
  rev: z.int().min(0),
});
