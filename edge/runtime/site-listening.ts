import { z } from 'zod';
import { type PointRef, splitPointRef } from '#edge/domain/ids.ts';
import { slug } from './site-values.ts';

/** Sound-level sensors that listen whether a loudspeaker is heard. */

const point = z
  .string()
  .refine((text) => splitPointRef(text) !== null, 'must be <device>/<point>, such as noise-201/sound_level')
  .transform((text) => text as PointRef);

const listener = z
  .strictObject({
    /** A level in dB(A). */
    point,
    /** The loudspeakers that it hears. */
    speakers: z.array(slug).max(64).default([]),
    /** All loudspeakers of these spaces. */
    spaces: z.array(slug).max(64).default([]),
    /** dB that a sound must stand above the room. */
    margin: z.number().min(3).max(30).default(8),
    /** dB(A) that it reads at the least when its loudspeaker plays at full level: where the room is nearly as loud, nothing is told. */
    loudness: z.number().min(40).max(120).default(65),
  })
  .refine(({ speakers, spaces }) => speakers.length + spaces.length > 0, 'must name speakers or spaces');
export type SiteListener = z.infer<typeof listener>;

export const listeningSection = z.array(listener).max(1_000).default([]);

/** One line per mistake. */
export function findBrokenListening(site: {
  readonly broadcast: { readonly listening: readonly SiteListener[] };
  readonly devices: readonly { readonly id: string; readonly profile: string; readonly space?: string | undefined }[];
  readonly buildings: readonly {
    readonly floors: readonly { readonly spaces: readonly { readonly id: string }[] }[];
  }[];
}): string[] {
  const devices = new Map(site.devices.map((device) => [device.id, device]));
  const spaces = new Set(
    site.buildings.flatMap(({ floors }) => floors.flatMap((floor) => floor.spaces)).map(({ id }) => id),
  );
  const isSpeaker = ({ profile }: { readonly profile: string }) => profile.startsWith('speaker/');
  const { listening } = site.broadcast;
  return listening.flatMap((one, i) => {
    const at = `broadcast.listening[${i}]`;
    const device = splitPointRef(one.point)?.device ?? '';
    const first = listening.findIndex(({ point: other }) => other === one.point);
    return [
      ...(devices.has(device) ? [] : [`${at}.point: unknown device "${device}"`]),
      ...(first < i ? [`${at}.point: "${one.point}" listens in broadcast.listening[${first}] already`] : []),
      ...one.speakers.flatMap((id, j) => {
        const found = devices.get(id);
        if (found === undefined) return [`${at}.speakers[${j}]: unknown device "${id}"`];
        return isSpeaker(found) ? [] : [`${at}.speakers[${j}]: "${id}" is no loudspeaker`];
      }),
      ...one.spaces.flatMap((id, j) => {
        if (!spaces.has(id)) return [`${at}.spaces[${j}]: unknown space "${id}"`];
        const isThere = site.devices.some((other) => other.space === id && isSpeaker(other));
        return isThere ? [] : [`${at}.spaces[${j}]: there is no loudspeaker in "${id}"`];
      }),
    ];
  });
}
