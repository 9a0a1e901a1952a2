import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { describeIssues, duration } from '#edge/runtime/site.ts';

/** A kind 1 to 6 and a number or letter (PJLink specifications 2.00, 4.4). */
const code = z.string().regex(/^[1-6][1-9A-Z]$/, 'must be a code of PJLink such as 31');

const schema = z
  .strictObject({
    host: z.string().regex(/^(\[[0-9a-fA-F:.%a-z]+\]|[^\s/@?#[\]]{1,253})$/, 'must be a host name or an IP address'),
    port: z.int().min(1).max(65_535).default(4_352),
    /** The specification: at most 32 characters. */
    password: z.string().min(1).max(32).optional(),
    passwordFile: z.string().min(1).optional(),
    /** What its sources are called here: `{computer: "31", signage: "32"}`. They are read and chosen by these names then. */
    inputs: z
      .record(z.string().regex(/^[a-z][a-z0-9_-]{0,30}$/, 'must be a name such as signage'), code)
      .refine((inputs) => Object.keys(inputs).length <= 20, 'must have at most 20 names')
      .refine(
        (inputs) => new Set(Object.values(inputs)).size === Object.keys(inputs).length,
        'must have one name for a source',
      )
      .default({}),
    /** For the connection, and for each answer; the specification gives a projector two seconds. */
    timeout: duration.refine((ms) => ms >= 50 && ms <= 30_000, 'must be between 50ms and 30s').default(3_000),
  })
  .refine((c) => c.password === undefined || c.passwordFile === undefined, {
    message: 'only one of password and passwordFile may be given',
    path: ['passwordFile'],
  });

/** `device.address` of a projector. */
export type PjlinkConfig = z.output<typeof schema>;

/** Throws DEVICE_CONFIG with one line per mistake, each naming its key. */
export function parsePjlinkConfig(input: unknown): PjlinkConfig {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const lines = describeIssues(result.error).split('\n');
  throw new CodedError('DEVICE_CONFIG', lines.map((line) => `address.${line}`).join('\n'));
}

/** null: none is set. Read anew for each look, so that a changed file is heard of. Throws PJLINK_CONFIG. */
export async function passwordOf({ password, passwordFile }: PjlinkConfig): Promise<string | null> {
  if (passwordFile === undefined) return password ?? null;
  try {
    const { mode } = await stat(passwordFile);
    if ((mode & 0o077) !== 0) throw new Error('it must be readable by its owner only');
    const text = await readFile(passwordFile, { encoding: 'utf8', signal: AbortSignal.timeout(5_000) });
    const found = text.replace(/\r?\n$/, '');
    if (found === '' || found.length > 32) throw new Error('a password of PJLink has 1 to 32 characters');
    return found;
  } catch (error) {
    throw new CodedError('PJLINK_CONFIG', `password file ${passwordFile}: ${messageOf(error)}`, { cause: error });
  }
}
