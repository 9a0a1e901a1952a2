import { z } from 'zod';
import type { ProcessStatus } from '#edge/domain/health.ts';
import type { LogLevel } from './log.ts';

/* What the supervisor and a child say to each other: JSON over the IPC channel that fork() makes. */

export type FromSupervisor =
  | {
      readonly kind: 'init';
      readonly init: unknown;
      readonly logLevel: LogLevel;
      /** Where its lines also go; absent: nowhere but standard error. */
      readonly logFolder?: string;
      readonly beatMs: number;
    }
  | { readonly kind: 'processes'; readonly processes: readonly ProcessStatus[] };

const figure = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const schema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('ready'),
    info: z
      .record(z.string().max(64), z.union([z.string().max(500), z.number()]))
      .refine((info) => Object.keys(info).length <= 16),
  }),
  z.strictObject({ kind: z.literal('beat'), rss: figure, loopDelay: figure }),
  z.strictObject({ kind: z.literal('stopping') }),
  /** Start these again with what is true now; heard from whom the spec allows it. */
  z.strictObject({ kind: z.literal('reload'), processes: z.array(z.string().max(64)).min(1).max(8) }),
]);

export type FromChild = z.infer<typeof schema>;

/**
 * A child runs other people's code (flows) or breaks: what it sends is checked like anything from outside, because the
 * supervisor may not fall. null = not a message of ours.
 */
export function readChildMessage(input: unknown): FromChild | null {
  return schema.safeParse(input).data ?? null;
}
