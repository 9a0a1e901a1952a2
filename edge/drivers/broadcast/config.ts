import { isIP } from 'node:net';
import { z } from 'zod';
import { type SoundClass, soundClasses } from '#edge/domain/broadcast.ts';
import type { Priority } from '#edge/domain/output.ts';
import { type Codec, codecs, dynamicTypes, formats } from '#edge/drivers/sound/codecs.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';
import type { Multicast, Target } from './outlet.ts';

/** What priorities of outputs are called here; each stands for all classes that it covers. */
export const priorityWords = ['life-safety', 'critical', 'operator', 'automation', 'schedule'] as const;
export type PriorityWord = (typeof priorityWords)[number];

const wordOfPriority: Readonly<Record<Priority, PriorityWord>> = {
  1: 'life-safety',
  5: 'critical',
  8: 'operator',
  12: 'automation',
  15: 'schedule',
};
const wordOfClass: Readonly<Record<SoundClass, PriorityWord>> = {
  fire: 'life-safety',
  danger: 'life-safety',
  microphone: 'life-safety',
  warning: 'critical',
  page: 'operator',
  exam: 'operator',
  bell: 'schedule',
  exercise: 'schedule',
  programme: 'schedule',
  background: 'automation',
};

const target = z.strictObject({ host: z.string().min(1).max(253), port: z.int().min(1).max(65_535) });
const zoneWords = [...soundClasses, ...priorityWords] as const;
const configSchema = z.strictObject({
  rtp: target,
  codec: z.enum(codecs).default('PCMA'),
  payloadType: z.int().min(96).max(127).optional(),
  multicast: z.strictObject({ ttl: z.int().min(1).max(255).default(8), interface: z.string().min(1) }).optional(),
  probe: z.enum(['empty-datagram', 'none']).default('empty-datagram'),
  rtcp: z.enum(['next-port', 'mux', 'none']).optional(),
  gap: z.int().min(0).max(90).default(0),
  zonePriority: z.partialRecord(z.enum(zoneWords), target).optional(),
});

/** `device.address` of a loudspeaker. */
export interface SpeakerConfig {
  readonly rtp: Target;
  readonly codec: Codec;
  /** For a codec that has no payload type of its own. */
  readonly payloadType: number;
  /** Required for a multicast group, refused for a single receiver. */
  readonly multicast?: Multicast | undefined;
  /**
   * How a dead speaker is found while nothing plays: an empty datagram every 15 s tells a closed port and a missing host of the
   * same network. `none` for a receiver that cannot bear it. Groups are never probed.
   */
  readonly probe: 'empty-datagram' | 'none';
  /**
   * Sender reports go to the port after that of the sound, or to the same one (RFC 5761), and receiver reports come back. Absent: to the
   * next port where the sound's is even, as RFC 3550 has it; with sound on an odd port the next one may be another zone's.
   */
  readonly rtcp: 'next-port' | 'mux' | 'none';
  /** Silence between two sounds on one port, ms: for receivers that take a new stream only after the old one has gone. */
  readonly gap: number;
  /**
   * Receivers that know priorities know them by address (Yealink: place in the listen list; Axis: ordered sources; Barix: a
   * priority port): where a class, or all that a priority covers, is played instead of at `rtp`.
   */
  readonly zonePriority?: Partial<Readonly<Record<SoundClass | PriorityWord, Target>>> | undefined;
}

/** Throws SPEAKER_CONFIG, one line per mistake, each naming its key. */
export function parseSpeakerConfig(input: unknown): SpeakerConfig {
  const result = configSchema.safeParse(input);
  if (!result.success) throw new CodedError('SPEAKER_CONFIG', describeIssues(result.error));
  const config = result.data;
  const fixed = formats[config.codec].payloadType;
  if (fixed !== null && config.payloadType !== undefined) {
    throw new CodedError('SPEAKER_CONFIG', `payloadType: ${config.codec} is always ${fixed}: leave it out`);
  }
  const targets = [['rtp', config.rtp] as const, ...Object.entries(config.zonePriority ?? {})];
  for (const [key, { host }] of targets) {
    const where = key === 'rtp' ? 'rtp.host' : `zonePriority.${key}.host`;
    if (isMulticast(host) !== (config.multicast !== undefined)) {
      const mistake =
        config.multicast === undefined ? 'is a multicast group: say multicast.interface' : 'is not a group';
      throw new CodedError('SPEAKER_CONFIG', `${where}: "${host}" ${mistake}`);
    }
  }
  return {
    ...config,
    payloadType: config.payloadType ?? fixed ?? dynamicTypes[config.codec] ?? 96,
    rtcp: config.rtcp ?? (config.rtp.port % 2 === 0 ? 'next-port' : 'none'),
  };
}

/** Where a sound of this class is played; an order that does not say its class has that of its command's priority. */
export function targetOf(config: SpeakerConfig, soundClass: SoundClass | undefined, priority: Priority): Target {
  const map = config.zonePriority ?? {};
  const word = soundClass === undefined ? wordOfPriority[priority] : wordOfClass[soundClass];
  const own = soundClass === undefined ? undefined : map[soundClass];
  // Whoever has a place for fire alone means it for what is as urgent, if nothing else is said.
  const alike = soundClasses.find((other) => wordOfClass[other] === word && map[other] !== undefined);
  const near = soundClass === undefined && alike !== undefined ? map[alike] : undefined;
  return own ?? map[word] ?? near ?? config.rtp;
}

/** What the sound is played as, in a word. */
export function classWord(soundClass: SoundClass | undefined, priority: Priority): string {
  return soundClass ?? wordOfPriority[priority];
}

/** 224.0.0.0/4 and ff00::/8. */
function isMulticast(host: string): boolean {
  const bare = host.replace(/%.*$/, '');
  if (isIP(bare) === 4) return Number(bare.split('.')[0]) >> 4 === 14;
  return isIP(bare) === 6 && /^ff/i.test(bare);
}
