import { z } from 'zod';
import { type PointRef, splitPointRef, type ZoneId } from '#edge/domain/ids.ts';
import { duration, name, slug } from './site-values.ts';

/** 100-V amplifiers whose power and zone relays are switched for each sound, and the loudspeaker outputs that hang on them. */

const relay = z
  .string()
  .refine((text) => splitPointRef(text) !== null, 'must be <device>/<point>, such as relay-hall/relay_1')
  .transform((text) => text as PointRef);
const zoneId = slug.transform((id) => id as ZoneId);

/** A bell waits for 10 s at most, and nobody waits for an emergency's first word for half a minute. */
const longestWarmUp = 20_000;

const amplifier = z.strictObject({
  id: slug,
  name,
  /** Switches its power. */
  power: relay,
  /** From power to the first word. */
  warmUp: duration.refine((ms) => ms <= longestWarmUp, 'must be at most 20s').default(3_000),
  /** Its power stays on for so long after the last sound. */
  afterRun: duration.default(60_000),
  /** Loudspeakers that feed it; each is heard in its own zone. */
  speakers: z.array(slug).min(1).max(64),
  /** The relay of each zone on its line; a zone without one is wired for good. */
  zones: z.record(zoneId, relay).default({}),
});
export type SiteAmplifier = z.infer<typeof amplifier>;

export const amplifiersSection = z.array(amplifier).max(64).default([]);

/** One line per mistake. */
export function findBrokenAmplifiers(site: {
  readonly amplifiers: readonly SiteAmplifier[];
  readonly zones: readonly { readonly id: string }[];
  readonly devices: readonly { readonly id: string; readonly zone: string }[];
}): string[] {
  const zones = new Set(site.zones.map(({ id }) => id));
  const zoneOf = new Map(site.devices.map(({ id, zone }) => [id, zone]));
  const users = new Map<string, string>();
  /** A relay or a loudspeaker has one user. */
  const taken = (what: string, where: string): string[] => {
    const before = users.get(what);
    users.set(what, before ?? where);
    return before === undefined ? [] : [`${where}: "${what}" is used by ${before} already`];
  };
  const relayMistakes = (ref: string, where: string): string[] => {
    const device = splitPointRef(ref)?.device ?? '';
    return zoneOf.has(device) ? taken(ref, where) : [`${where}: unknown device "${device}"`];
  };
  return site.amplifiers.flatMap(({ id, power, speakers, zones: relays }, i) => {
    const at = `amplifiers[${i}]`;
    const here = new Set(speakers.map((speaker) => zoneOf.get(speaker)));
    return [
      ...(site.amplifiers.findIndex((other) => other.id === id) < i ? [`${at}.id: "${id}" is used twice`] : []),
      ...relayMistakes(power, `${at}.power`),
      ...speakers.flatMap((speaker, j) =>
        zoneOf.has(speaker)
          ? taken(speaker, `${at}.speakers[${j}]`)
          : [`${at}.speakers[${j}]: unknown device "${speaker}"`],
      ),
      ...Object.entries(relays).flatMap(([zone, ref]) => [
        ...(!zones.has(zone)
          ? [`${at}.zones.${zone}: unknown zone "${zone}"`]
          : here.has(zone)
            ? []
            : [`${at}.zones.${zone}: none of its speakers is in this zone`]),
        ...relayMistakes(ref, `${at}.zones.${zone}`),
      ]),
    ];
  });
}
