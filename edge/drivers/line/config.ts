import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';

export const programs = ['aplay', 'ffmpeg'] as const;
export type Program = (typeof programs)[number];

const configSchema = z.strictObject({
  /** As `aplay -L` lists it. Neither a path nor a command can be written here: ALSA would open it. */
  device: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9:,=_.-]{0,127}$/, 'must be an ALSA device such as default or plughw:CARD=PCH,DEV=0')
    .default('default'),
  program: z.enum(['auto', ...programs]).default('auto'),
  buffer: z.int().min(40).max(500).default(80),
  config: z.string().refine(isAbsolute, 'must be an absolute path').optional(),
  probe: z.enum(['open', 'none']).default('open'),
});

/** `device.address` of a loudspeaker on a sound card of this machine. */
export interface LineConfig {
  readonly device: string;
  /** What plays; `auto`: aplay where it is, else ffmpeg. */
  readonly program: 'auto' | Program;
  /** ms that the card keeps ahead: shorter is quicker, longer bears a busy machine. */
  readonly buffer: number;
  /** An ALSA configuration in place of the system's (ALSA_CONFIG_PATH). */
  readonly config?: string | undefined;
  /** How a missing card is found while nothing plays: it is opened and closed now and then, without a sound. */
  readonly probe: 'open' | 'none';
}

/** Throws LINE_CONFIG, one line per mistake, each naming its key. */
export function parseLineConfig(input: unknown): LineConfig {
  const result = configSchema.safeParse(input);
  if (!result.success) throw new CodedError('LINE_CONFIG', describeIssues(result.error));
  return result.data;
}

/** Two loudspeakers of one place share the card. */
export function placeOf({ device, config = '' }: LineConfig): string {
  return `${device} ${config}`;
}
