import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';

const schema = z.strictObject({
  host: z
    .string()
    .regex(/^(\[[0-9a-fA-F:.%a-z]+\]|[^\s/@?#[\]-][^\s/@?#[\]]{0,252})$/, 'must be a host name or an IP address'),
  /** Tried where this machine has no `ping`; whether something listens there does not matter. */
  port: z.int().min(1).max(65_535).default(80),
});

export type PingConfig = z.output<typeof schema>;

/** Throws DEVICE_CONFIG with one line per mistake, each naming its key. */
export function parsePingConfig(input: unknown): PingConfig {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const lines = describeIssues(result.error).split('\n');
  throw new CodedError('DEVICE_CONFIG', lines.map((line) => `address.${line}`).join('\n'));
}
