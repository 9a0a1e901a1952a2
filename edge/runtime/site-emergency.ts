import { z } from 'zod';
import { emergencyKinds } from '#edge/domain/emergency.ts';
import type { ZoneId } from '#edge/domain/ids.ts';
import { warningSeverities } from '#edge/domain/warning.ts';
import { name, slug } from './site-values.ts';

/** What a campus does in danger. All of it has a use when nothing is said; what is said replaces the usual. */

const zones = z.union([z.literal('all'), z.array(slug.transform((id) => id as ZoneId)).min(1)]);
const clips = z.array(slug).min(1).max(3);

const plan = z.strictObject({
  /** Said in this order, again and again: a siren first, then one or two messages. */
  clips: clips.optional(),
  /** The words of these messages, for people to read. */
  words: name.optional(),
  zones: zones.default('all'),
  /** What to do, in order. */
  steps: z.array(name).max(30).optional(),
});

const sender = z.strictObject({
  /** As in its messages. */
  sender: z.string().min(1).max(200),
  /** PEM, relative to the site file; several while one is replaced by the next. */
  certificates: z.array(z.string().min(1)).max(5).default([]),
  /** Without a signature nothing of it counts. */
  mustSign: z.boolean().default(true),
});

export const emergencySection = z
  .strictObject({
    plans: z.partialRecord(z.enum(emergencyKinds), plan).default({}),
    /** Said once when an emergency has been ended. */
    allClear: slug.nullable().default(null),
    warnings: z
      .strictObject({
        senders: z.array(sender).max(50).default([]),
        /** Statistical division codes (行政区划代码) that this campus lies in. */
        codes: z
          .array(z.string().regex(/^\d{6}(?:\d{3}){0,2}$/, 'must have 6, 9 or 12 digits'))
          .max(10)
          .default([]),
        point: z
          .strictObject({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) })
          .nullable()
          .default(null),
        /** What is at least so bad is said aloud. */
        soundFrom: z.enum(warningSeverities).default('Severe'),
      })
      .prefault({}),
    earthquake: z
      .strictObject({
        /** Felt less strongly (GB/T 17742, 1 to 12) it is only shown. */
        from: z.number().min(1).max(12).default(4),
        /** Clips by the seconds that they say are left: `{10: count-10, 9: count-9}`; each of one second where they follow each other. */
        countdown: z
          .record(z.string().regex(/^(?:0|[1-9]\d?|[12]\d\d|300)$/, 'must be seconds: 0 to 300'), slug)
          .default({}),
      })
      .prefault({}),
    /** Fire panels whose printed text is read. */
    panel: z
      .strictObject({
        /** Its own sounders are the law's; true: the clips of the plan for a fire sound besides. */
        sounds: z.boolean().default(false),
        /** Where a detector is, by a part of what the panel prints of it; the first that fits. Else it is where the plan says. */
        places: z
          .array(z.strictObject({ text: z.string().trim().min(1).max(60), zone: slug.transform((id) => id as ZoneId) }))
          .max(500)
          .default([]),
      })
      .prefault({}),
  })
  .prefault({});
export type SiteEmergency = z.infer<typeof emergencySection>;

/** One line per mistake. */
export function findBrokenEmergency(site: {
  readonly emergency: SiteEmergency;
  readonly clips: Readonly<Record<string, unknown>>;
  readonly zones: readonly { readonly id: string }[];
}): string[] {
  const known = new Set(site.zones.map(({ id }) => id));
  const { plans, allClear, warnings, panel, earthquake } = site.emergency;
  const clip = (word: string, where: string) =>
    Object.hasOwn(site.clips, word) ? [] : [`emergency.${where}: unknown clip "${word}"`];
  const senders = warnings.senders.flatMap(({ mustSign, certificates }, i) =>
    mustSign && certificates.length === 0
      ? [`emergency.warnings.senders[${i}].certificates: is needed where mustSign is true`]
      : [],
  );
  return [
    ...emergencyKinds.flatMap((kind) => [
      ...(plans[kind]?.clips ?? []).flatMap((word, i) => clip(word, `plans.${kind}.clips[${i}]`)),
      ...[...(plans[kind]?.zones ?? [])].flatMap((zone, i) =>
        plans[kind]?.zones === 'all' || known.has(zone)
          ? []
          : [`emergency.plans.${kind}.zones[${i}]: unknown zone "${zone}"`],
      ),
    ]),
    ...(allClear === null ? [] : clip(allClear, 'allClear')),
    ...Object.entries(earthquake.countdown).flatMap(([number, word]) => clip(word, `earthquake.countdown.${number}`)),
    ...panel.places.flatMap(({ zone }, i) =>
      known.has(zone) ? [] : [`emergency.panel.places[${i}].zone: unknown zone "${zone}"`],
    ),
    ...senders,
  ];
}
