import { isIP } from 'node:net';
import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';

const schema = z.strictObject({
  /** Of the network card that listens while the rest sleeps. */
  mac: z.string().regex(/^([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}$/, 'must be a MAC address such as 02:1a:4b:00:00:07'),
  /** Where the sleeper hears it: the broadcast address of its network, or `ff02::1%<interface>`. */
  broadcast: z
    .string()
    .refine((text) => isIP(text) !== 0, 'must be an IP address, best the broadcast address of its network')
    .default('255.255.255.255'),
  port: z.int().min(1).max(65_535).default(9),
  /** Its own address, for whoever wants to know whether it woke: probed by the network monitor. */
  host: z.string().min(1).max(253).optional(),
});

/** `device.address` of a sleeper. */
export type WakeConfig = z.output<typeof schema>;

/** Throws DEVICE_CONFIG with one line per mistake, each naming its key. */
export function parseWakeConfig(input: unknown): WakeConfig {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const lines = describeIssues(result.error).split('\n');
  throw new CodedError('DEVICE_CONFIG', lines.map((line) => `address.${line}`).join('\n'));
}
