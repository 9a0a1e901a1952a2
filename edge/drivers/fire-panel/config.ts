import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues, duration } from '#edge/runtime/site.ts';

const words = z.array(z.string().min(1).max(40)).max(20);
const schema = z
  .strictObject({
    tcp: z.strictObject({ host: z.string().min(1).max(253), port: z.int().min(1).max(65_535) }).optional(),
    serial: z
      .strictObject({
        path: z.string().min(1).max(200),
        baud: z.int().min(300).max(115_200).default(9_600),
        dataBits: z.union([z.literal(7), z.literal(8)]).default(8),
        parity: z.enum(['none', 'even', 'odd']).default('none'),
        stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
      })
      .optional(),
    encoding: z.enum(['gbk', 'utf-8']).default('gbk'),
    /** Words that this panel prints beside the usual ones: `{fire: [报警], reset: [总清]}`. */
    words: z
      .strictObject({
        fire: words.optional(),
        reset: words.optional(),
        fault: words.optional(),
        cleared: words.optional(),
        disabled: words.optional(),
        supervisory: words.optional(),
        started: words.optional(),
        other: words.optional(),
      })
      .default({}),
    /** A panel that prints its self-test each day is missed after so long; absent: its silence cannot be told from peace. */
    quietFor: duration.refine((ms) => ms >= 60_000 && ms <= 7 * 86_400_000, 'must be between 1min and 7d').optional(),
  })
  .refine(({ tcp, serial }) => (tcp === undefined) !== (serial === undefined), 'needs tcp or serial, one of them');

/** `device.address` of a fire panel. */
export type FirePanelConfig = z.output<typeof schema>;

/** Throws DEVICE_CONFIG with one line per mistake, each naming its key. */
export function parseFirePanelConfig(input: unknown): FirePanelConfig {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const lines = describeIssues(result.error).split('\n');
  throw new CodedError('DEVICE_CONFIG', lines.map((line) => `address.${line}`).join('\n'));
}
