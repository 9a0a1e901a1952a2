import { z } from 'zod';
import { findBrokenListening, listeningSection } from './site-listening.ts';
import { duration, slug } from './site-values.ts';

/** Broadcast as a whole; what is set in the console (loudness, clips that people made) is not here. */
export const broadcastSection = z
  .strictObject({
    /** The clip that says "this is an exercise", put in front of every message of one; absent: no exercise of clips sounds. */
    drillWord: z
      .strictObject({ clip: slug, length: duration.default(2_000) })
      .nullable()
      .default(null),
    /** Clips without words: an exercise says its word before messages, not before these. */
    sirens: z.array(slug).max(20).default([]),
    /** Sensors that listen whether what is played is heard. */
    listening: listeningSection,
  })
  .prefault({});

/** One line per mistake. */
export function findBrokenBroadcast(
  site: {
    readonly broadcast: z.infer<typeof broadcastSection>;
    readonly clips: Readonly<Record<string, unknown>>;
  } & Parameters<typeof findBrokenListening>[0],
): string[] {
  const { drillWord, sirens } = site.broadcast;
  const unknown = (clip: string, where: string) =>
    Object.hasOwn(site.clips, clip) ? [] : [`broadcast.${where}: unknown clip "${clip}"`];
  return [
    ...(drillWord === null ? [] : unknown(drillWord.clip, 'drillWord.clip')),
    ...sirens.flatMap((clip, i) => unknown(clip, `sirens[${i}]`)),
    ...findBrokenListening(site),
  ];
}
