import { z } from 'zod';
import { mqttPlace } from '#edge/profiles/phrases-address.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues, duration } from '#edge/runtime/site.ts';

const timeout = duration.refine((ms) => ms >= 50 && ms <= 30_000, 'must be between 50ms and 30s').default(3_000);
const host = z.string().regex(/^(\[[0-9a-fA-F:.%a-z]+\]|[^\s/@?#[\]]{1,253})$/, 'must be a host name or an IP address');

const schema = z.union([
  /** What stands for `{at}` in its topic. */
  z.strictObject({ mqtt: z.string().regex(mqttPlace, 'must be levels of a topic such as ir-203, without wildcards') }),
  z.strictObject({ tcp: z.strictObject({ host, port: z.int().min(1).max(65_535) }), timeout }),
  z
    .strictObject({
      http: z.url({ protocol: /^https?$/, error: 'must be such as http://192.0.2.51:8080' }).max(300),
      /** With `username` Basic, without it a bearer token. */
      username: z.string().min(1).max(100).optional(),
      password: z.string().min(1).max(500).optional(),
      timeout,
    })
    .refine(({ http }) => new URL(http).username === '', {
      message: 'must have no name and no password in it: say username and password',
      path: ['http'],
    }),
]);

/** `device.address` of a device with a phrase book. */
export type PhrasesConfig = z.output<typeof schema>;

const ways = ['mqtt', 'tcp', 'http'] as const;

/** Throws DEVICE_CONFIG with one line per mistake, each naming its key. */
export function parsePhrasesConfig(input: unknown): PhrasesConfig {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const way = ways.find((name) => typeof input === 'object' && input !== null && name in input);
  const option = way === undefined ? undefined : schema.options[ways.indexOf(way)];
  const error = option?.safeParse(input).error;
  const lines = error == null ? ['must be {mqtt: ...}, {tcp: ...} or {http: ...}'] : describeIssues(error).split('\n');
  throw new CodedError('DEVICE_CONFIG', lines.map((line) => `address.${line}`).join('\n'));
}
