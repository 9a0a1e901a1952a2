import { isIP } from 'node:net';
import { z } from 'zod';
import type { Priority } from '#edge/domain/output.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';
import type { Multicast, Target } from './outlet.ts';

/** Sound has a class ladder of its own; these are the classes that the priorities of outputs map to. */
export const soundClasses = ['life-safety', 'critical', 'operator', 'automation', 'schedule'] as const;
export type SoundClass = (typeof soundClasses)[number];

export function soundClassOf(priority: Priority): SoundClass {
  const classes: Readonly<Record<Priority, SoundClass>> = {
    1: 'life-safety',
    5: 'critical',
    8: 'operator',
    12: 'automation',
    15: 'schedule',
  };
  return classes[priority];
}

const target = z.strictObject({ host: z.string().min(1).max(253), port: z.int().min(1).max(65_535) });
const configSchema = z.strictObject({
  rtp: target,
  codec: z.enum(['PCMA', 'PCMU']).default('PCMA'),
  multicast: z.strictObject({ ttl: z.int().min(1).max(255).default(8), interface: z.string().min(1) }).optional(),
  probe: z.enum(['empty-datagram', 'none']).default('empty-datagram'),
  zonePriority: z.partialRecord(z.enum(soundClasses), target).optional(),
});

/** `device.address` of a loudspeaker. */
export interface SpeakerConfig {
  readonly rtp: Target;
  readonly codec: 'PCMA' | 'PCMU';
  /** Required for a multicast group, refused for a single receiver. */
  readonly multicast?: Multicast | undefined;
  /**
   * How a dead speaker is found while nothing plays: an empty datagram every 15 s tells a closed port and a missing host of the
   * same network. `none` for a receiver that cannot bear it. Groups are never probed.
   */
  readonly probe: 'empty-datagram' | 'none';
  /**
   * Receivers that know priorities know them by address (Yealink: place in the listen list; Axis: ordered sources; Barix: a
   * priority port): where a class is played instead of at `rtp`.
   */
  readonly zonePriority?: Partial<Readonly<Record<SoundClass, Target>>> | undefined;
}

/** Throws SPEAKER_CONFIG, one line per mistake, each naming its key. */
export function parseSpeakerConfig(input: unknown): SpeakerConfig {
  const result = configSchema.safeParse(input);
  if (!result.success) throw new CodedError('SPEAKER_CONFIG', describeIssues(result.error));
  const config = result.data;
  const targets = [['rtp', config.rtp] as const, ...Object.entries(config.zonePriority ?? {})];
  for (const [key, { host }] of targets) {
    const where = key === 'rtp' ? 'rtp.host' : `zonePriority.${key}.host`;
    if (isMulticast(host) !== (config.multicast !== undefined)) {
      const mistake =
        config.multicast === undefined ? 'is a multicast group: say multicast.interface' : 'is not a group';
      throw new CodedError('SPEAKER_CONFIG', `${where}: "${host}" ${mistake}`);
    }
  }
  return config;
}

/** 224.0.0.0/4 and ff00::/8. */
function isMulticast(host: string): boolean {
  const bare = host.replace(/%.*$/, '');
  if (isIP(bare) === 4) return Number(bare.split('.')[0]) >> 4 === 14;
  return isIP(bare) === 6 && /^ff/i.test(bare);
}
