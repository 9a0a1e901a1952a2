import { z } from 'zod';
import { type EnergyBuilding, media, subItems } from '#edge/domain/energy.ts';
import type { PointRef, SpaceId, ZoneId } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import { clockTime, duration, name, slug } from './site-values.ts';

/*
 * What the site file says of its meters, tariffs and limits of demand. References are checked in site-energy-check.ts; what needs the
 * points of devices in energy/plan.ts. A section without mistakes is an `EnergySection` of that file. Durations are ms in code.
 */

const positive = z.number().positive();
const pointName = slug;
const outputRef = z
  .string()
  .refine((text) => splitPointRef(text) !== null, 'must be <device>/<point>')
  .transform((text) => text as PointRef);

const shares = z.union(
  [
    slug,
    z.strictObject({ by: z.enum(['area', 'people']), of: z.array(slug).min(1).optional() }),
    z.record(slug, z.number().min(0).max(1, 'must be a share between 0 and 1')),
  ],
  {
    error:
      'must be a building, shares such as {teaching: 0.6, canteen: 0.4}, or {by: area} or {by: people}, perhaps with of: [...]',
  },
);

const term = z
  .string()
  .regex(/^-?[a-z0-9][a-z0-9_-]{0,62}$/, 'must be the id of a meter, with - before it where it is taken off');

const meter = z
  .strictObject({
    id: slug,
    /** Default: that of the device. */
    name: name.optional(),
    medium: z.enum(media).default('electricity'),
    /** The meter on whose line it hangs. */
    under: slug.optional(),
    /** Default: that of the meter above. So are the buildings. */
    subItem: z.enum(subItems).optional(),
    buildings: shares.optional(),
    device: slug.optional(),
    /** Default: energy_import, power, volume ...: what the device has. */
    points: z
      .strictObject({
        energy: pointName.optional(),
        power: pointName.optional(),
        phases: z.array(pointName).min(2).max(3).optional(),
        powerFactor: pointName.optional(),
        reactive: pointName.optional(),
      })
      .optional(),
    sum: z.array(term).min(1).max(200).optional(),
    /** Class as a share: 0.01 of class 1. */
    accuracy: z.number().min(0).max(0.2).optional(),
    /** What hangs under it is meant to count all of it: a difference is told. */
    complete: z.boolean().optional(),
  })
  .superRefine(({ device, sum, points, name: called, accuracy }, context) => {
    const wrong = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if ((device === undefined) === (sum === undefined)) wrong('device', 'a meter has either a device or a sum');
    if (sum === undefined) return;
    if (called === undefined) wrong('name', 'is needed: a sum has no device that lends it its name');
    if (points !== undefined) wrong('points', 'a sum has none');
    if (accuracy !== undefined) wrong('accuracy', 'a sum has none of its own');
  });

const building = z.strictObject({
  /** m2. */
  area: positive.nullable().default(null),
  /** Pupils and staff. */
  people: positive.nullable().default(null),
});

/** Amounts are known by the quarter of an hour, so prices change there. */
const quarter = clockTime.refine((minutes) => minutes % 15 === 0, 'must be at a quarter of an hour');

const period = z.strictObject({
  id: slug,
  name,
  price: z.number(),
  months: z.array(z.int().min(1).max(12)).default([]),
  days: z.array(z.int().min(1).max(7)).default([]),
  times: z
    .array(
      z
        .strictObject({ from: quarter.refine((at) => at < 1_440, 'must be before 24:00'), to: quarter })
        .refine(({ from, to }) => from !== to, 'begins when it ends: write 00:00 to 24:00 for a whole day'),
    )
    .min(1),
});

const tariff = z.strictObject({
  medium: z.enum(media).default('electricity'),
  name,
  /** First local day. */
  from: z.iso.date(),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be a code of ISO 4217 such as CNY')
    .default('CNY'),
  price: z.number(),
  periods: z.array(period).max(50).default([]),
  demandPrice: z.number().min(0).optional(),
  powerFactor: z.number().min(0.5).max(1).optional(),
});
export type SiteTariff = z.infer<typeof tariff>;

const shedTime = duration.refine((ms) => ms <= 86_400_000, 'must be at most 24h');

const load = z.strictObject({
  output: outputRef,
  /** What is written to shed it. */
  value: z.union([z.boolean(), z.number(), z.string().max(256)]).default(false),
  /** kW. */
  power: positive,
  minOff: shedTime.default(300_000),
  maxOff: shedTime,
  minOn: shedTime.default(300_000),
});

const demand = z.strictObject({
  meter: slug,
  /** kW. */
  limit: positive,
  window: duration
    .refine((ms) => ms >= 300_000 && ms <= 3_600_000 && 3_600_000 % ms === 0, 'must part an hour evenly: 5min to 1h')
    .default(900_000),
  kind: z.enum(['fixed', 'sliding']).default('fixed'),
  reserve: z.number().min(0).optional(),
  stagger: duration.refine((ms) => ms >= 1_000 && ms <= 600_000, 'must be between 1s and 10min').default(30_000),
  protected: z
    .strictObject({
      outputs: z.array(outputRef).default([]),
      zones: z.array(slug.transform((text) => text as ZoneId)).default([]),
      spaces: z.array(slug.transform((text) => text as SpaceId)).default([]),
    })
    .prefault({}),
  tiers: z.array(z.strictObject({ id: slug, name, loads: z.array(load).min(1).max(200) })).max(20),
});
export type SiteDemand = z.infer<typeof demand>;

export const energySection = z
  .strictObject({
    meters: z.array(meter).max(2_000).default([]),
    /** By the id of a building of this campus. */
    buildings: z
      .record(slug, building)
      .default({})
      .transform((all): EnergyBuilding[] => Object.entries(all).map(([id, one]) => ({ building: id, ...one }))),
    tariffs: z.array(tariff).max(200).default([]),
    demand: z.array(demand).max(20).default([]),
  })
  .optional();
export type SiteEnergy = NonNullable<z.infer<typeof energySection>>;
