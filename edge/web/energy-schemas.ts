import { z } from 'zod';
import { findingKinds, media, subItems } from '#edge/domain/energy.ts';

/*
 * Shapes of the API about energy. Times are ms since epoch UTC; amounts kW.h (m3 for water and gas), powers kW (m3/h). null: not known,
 * and shown as that. GET unless said otherwise; access `see`; who sees some zones only sees the meters whose devices lie there.
 */

const time = z.number();
const name = z.object({ zh: z.string(), en: z.string() });
const medium = z.enum(media);
const subItem = z.enum(subItems);

/** What is known of an amount: `known` (of buckets, too) is the share of its time, `estimated` the part of `value` whose time is a guess. */
export const amountSchema = z.object({ value: z.number().nullable(), known: z.number(), estimated: z.number() });
const bucket = z.object({
  from: time,
  to: time,
  amount: z.number().nullable(),
  known: z.number(),
  estimated: z.number(),
});

export const energyMeterSchema = z.object({
  id: z.string(),
  name,
  medium,
  /** 分类能耗 code. */
  code: z.string(),
  unit: z.enum(['kW.h', 'm3']),
  under: z.string().nullable(),
  subItem: subItem.nullable(),
  buildings: z.array(z.object({ building: z.string(), share: z.number() })),
  kind: z.enum(['real', 'virtual', 'missing']),
  device: z.string().nullable(),
  energy: z.string().nullable(),
  power: z.string().nullable(),
  /** Of a virtual one. */
  terms: z.array(z.object({ meter: z.string(), sign: z.union([z.literal(1), z.literal(-1)]) })),
  /** Why a missing one is missing. */
  problem: z.string().nullable(),
});
export type EnergyMeterView = z.infer<typeof energyMeterSchema>;

/** GET /energy/plan: what is metered, for whom, at which price, below which limit. Empty meters: the site file has no section `energy`. */
export const energyPlanSchema = z.object({
  meters: z.array(energyMeterSchema),
  buildings: z.array(
    z.object({ building: z.string(), name, area: z.number().nullable(), people: z.number().nullable() }),
  ),
  tariffs: z.array(
    z.object({
      medium,
      name,
      from: z.string(),
      currency: z.string(),
      price: z.number(),
      periods: z.array(
        z.object({
          id: z.string(),
          name,
          price: z.number(),
          months: z.array(z.number()),
          days: z.array(z.number()),
          times: z.array(z.object({ from: z.number(), to: z.number() })),
        }),
      ),
      demandPrice: z.number().nullable(),
      powerFactor: z.number().nullable(),
      /** Is it the one of today? */
      current: z.boolean(),
    }),
  ),
  demand: z.array(
    z.object({
      meter: z.string(),
      limit: z.number(),
      window: z.number(),
      kind: z.enum(['fixed', 'sliding']),
      tiers: z.array(
        z.object({
          id: z.string(),
          name,
          loads: z.array(z.object({ output: z.string(), name, power: z.number() })),
        }),
      ),
    }),
  ),
  problems: z.array(z.string()),
});
export type EnergyPlanView = z.infer<typeof energyPlanSchema>;

/** One demand limit as core sees it this moment. */
export const demandNowSchema = z.object({
  meter: z.string(),
  limit: z.number(),
  status: z.enum(['ok', 'shedding', 'short', 'blind']),
  /** The window that runs, or of a sliding one the worst to come. */
  from: time,
  to: time,
  /** Mean so far, mean at its end if all goes on, the same had nothing been shed, kW. */
  soFar: z.number().nullable(),
  predicted: z.number().nullable(),
  unshed: z.number().nullable(),
  power: z.number().nullable(),
  sheds: z.array(
    z.object({
      output: z.string(),
      name,
      tier: z.string(),
      since: time,
      notBefore: time,
      until: time,
      why: name,
      saves: z.number(),
      defies: z.boolean(),
    }),
  ),
  /** Windows of today that are over, ascending. */
  windows: z.array(
    z.object({
      from: time,
      to: time,
      demand: z.number().nullable(),
      unshed: z.number().nullable(),
      exceeded: z.boolean(),
    }),
  ),
  /** kW.h that shedding kept from being drawn today. */
  saved: z.number(),
});
export type DemandNowView = z.infer<typeof demandNowSchema>;

/** GET /energy/now: asked every 10 s by whoever looks. */
export const energyNowSchema = z.object({
  time,
  meters: z.array(
    z.object({
      meter: z.string(),
      power: z.number().nullable(),
      quality: z.string(),
      today: amountSchema,
      /** Up to this time of day on days like today: the median of the last four. */
      expected: z.number().nullable(),
      /** What it costs today so far. */
      cost: z.number().nullable(),
    }),
  ),
  currency: z.string().nullable(),
  demand: z.array(demandNowSchema),
  /** The month's highest so far of each demand plan. */
  highest: z.array(z.object({ meter: z.string(), value: z.number().nullable(), time: time.nullable() })),
});
export type EnergyNowView = z.infer<typeof energyNowSchema>;

export const findingSchema = z.object({
  kind: z.enum(findingKinds),
  meter: z.string(),
  name,
  from: time,
  to: time,
  found: z.number(),
  expected: z.number(),
  unit: z.string(),
  costPerDay: z.number().nullable(),
  currency: z.string().nullable(),
  /** What it says, and what to look at first. */
  message: name,
  next: name,
});
export type EnergyFindingView = z.infer<typeof findingSchema>;

const part = z.object({ amount: amountSchema, share: z.number().nullable(), cost: z.number().nullable() });

/** One period in all its figures: the page, the CSV and the PDF are made of it. */
export const energyReportSchema = z.object({
  kind: z.enum(['day', 'week', 'month']),
  /** ISO date of its first day, and of its last. */
  first: z.string(),
  last: z.string(),
  from: time,
  to: time,
  /** It still runs. */
  running: z.boolean(),
  /** Only of the meters in one's own zones: it is not the whole campus. */
  partial: z.boolean(),
  campus: name,
  currency: z.string().nullable(),
  media: z.array(
    z.object({
      medium,
      code: z.string(),
      unit: z.enum(['kW.h', 'm3']),
      total: amountSchema,
      /** The period before, up to the same place when this one runs. */
      before: amountSchema,
      /** Same weekdays before (electricity); null: not enough is known. */
      baseline: z.number().nullable(),
      cost: z.number().nullable(),
      /** By the hour (day) or by the day (week, month), with the baseline beside it. */
      course: z.array(bucket.extend({ baseline: z.number().nullable() })),
      subItems: z.array(part.extend({ subItem: subItem.nullable(), code: z.string().nullable() })),
      buildings: z.array(
        part.extend({
          building: z.string().nullable(),
          name,
          perArea: z.number().nullable(),
          perHead: z.number().nullable(),
        }),
      ),
      /** Rows of the meter tree, depth first. */
      meters: z.array(part.extend({ meter: z.string(), name, depth: z.number(), before: amountSchema })),
      /**
       * Flow of the tree for a picture: from a meter (or the word `medium`) to a meter, a sub-item or `unaccounted`. `toKind` tells a
       * meter that is called like a sub-item from the sub-item.
       */
      flows: z.array(
        z.object({
          from: z.string(),
          to: z.string(),
          toKind: z.enum(['meter', 'subItem', 'unaccounted']),
          amount: z.number(),
        }),
      ),
      /** Main minus subs: what no sub-meter explains; null: there are no subs. */
      unaccounted: z
        .object({ amount: z.number().nullable(), share: z.number().nullable(), tolerance: z.number().nullable() })
        .nullable(),
      /** By tariff period. */
      costParts: z.array(z.object({ name, price: z.number(), amount: z.number(), cost: z.number() })),
      /** Mean power at night and on days off, kW or m3/h, and its share of the whole. */
      base: z.object({ night: z.number().nullable(), weekend: z.number().nullable(), share: z.number().nullable() }),
    }),
  ),
  demand: z.array(
    z.object({
      meter: z.string(),
      name,
      limit: z.number().nullable(),
      highest: z.number().nullable(),
      at: time.nullable(),
      charge: z.number().nullable(),
    }),
  ),
  powerFactor: z.array(
    z.object({
      meter: z.string(),
      name,
      value: z.number().nullable(),
      standard: z.number(),
      /** Share by which the bill is raised (or lowered); null: the table of the utility does not say. */
      adjustment: z.number().nullable(),
    }),
  ),
  findings: z.array(findingSchema),
  /** Share of everything that should be known and is, 0 to 1, and the meters that fall short. */
  completeness: z.number(),
  gaps: z.array(z.object({ meter: z.string(), name, known: z.number() })),
});
export type EnergyReportView = z.infer<typeof energyReportSchema>;

/** GET /energy/meters/{id}?kind=day|week|month&date=YYYY-MM-DD: the page of one meter. */
export const energyMeterPageSchema = z.object({
  meter: energyMeterSchema,
  kind: z.enum(['day', 'week', 'month']),
  first: z.string(),
  last: z.string(),
  from: time,
  to: time,
  total: amountSchema,
  before: amountSchema,
  baseline: z.number().nullable(),
  cost: z.number().nullable(),
  currency: z.string().nullable(),
  /** By quarter of an hour (day), hour (week) or day (month). */
  course: z.array(bucket.extend({ baseline: z.number().nullable() })),
  costParts: z.array(z.object({ name, price: z.number(), amount: z.number(), cost: z.number() })),
  /** Mean power of quarter hours, the highest of the period, and when. */
  highest: z.object({ value: z.number().nullable(), time: time.nullable() }),
  /** Mean power of each phase over the period, kW, and how uneven they are (largest distance from the mean, as a share). */
  phases: z.object({ means: z.array(z.number().nullable()), imbalance: z.number().nullable() }).nullable(),
  powerFactor: z.number().nullable(),
  base: z.object({ night: z.number().nullable(), weekend: z.number().nullable(), share: z.number().nullable() }),
  /** Meters below it, and what they leave unexplained. */
  below: z.array(z.object({ meter: z.string(), name, amount: amountSchema })),
  findings: z.array(findingSchema),
});
export type EnergyMeterPageView = z.infer<typeof energyMeterPageSchema>;

/** `?kind=month&date=2026-11-01`: the period that the date is in; default: today. Report: /energy/report, .csv and .pdf (`&language=zh|en`). */
export const energyPeriodQuery = z.strictObject({
  kind: z.enum(['day', 'week', 'month']).default('day'),
  date: z.iso.date().optional(),
});

const busUnit = z.object({
  unit: z.string(),
  device: z.string(),
  state: z.enum(['answering', 'slow', 'quarantined', 'unknown']),
  latency: z.number().nullable(),
  latencyP95: z.number().nullable(),
  requests: z.number(),
  timeouts: z.number(),
  crcErrors: z.number(),
  exceptions: z.number(),
  duplicate: z.boolean(),
  lastFailure: z.object({ message: z.string(), time }).nullable(),
  nextProbe: time.nullable(),
});

/** GET /buses: every shared line as domain/health.ts has it; who sees some zones only sees lines with a device there, and only its units. */
export const busesSchema = z.object({
  buses: z.array(
    z.object({
      process: z.string(),
      label: z.string(),
      state: z.enum(['connected', 'connecting', 'down']),
      message: z.string(),
      since: time,
      utilisation: z.number(),
      waiting: z.number(),
      units: z.array(busUnit),
    }),
  ),
});
export type BusesView = z.infer<typeof busesSchema>;
