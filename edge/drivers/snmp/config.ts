import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { describeIssues, duration } from '#edge/runtime/site.ts';
import { SnmpError } from './errors.ts';

const host = z.string().regex(/^(\[[0-9a-fA-F:.%a-z]+\]|[^\s/@?#[\]]{1,253})$/, 'must be a host name or an IP address');
const community = z.string().min(1).max(64);
/** RFC 3414 section 11.2: eight characters at least. */
const passphrase = z.string().min(8).max(128);
const file = z.string().min(1);

const v3 = z
  .strictObject({
    user: z.string().min(1).max(32),
    auth: z.enum(['sha', 'sha256', 'sha512']).default('sha'),
    authPassword: passphrase.optional(),
    authPasswordFile: file.optional(),
    privacy: z.enum(['aes', 'aes256b', 'aes256r']).default('aes'),
    privacyPassword: passphrase.optional(),
    privacyPasswordFile: file.optional(),
  })
  .refine((c) => (c.authPassword === undefined) !== (c.authPasswordFile === undefined), {
    message: 'exactly one of authPassword and authPasswordFile must be given',
    path: ['authPasswordFile'],
  })
  .refine((c) => (c.privacyPassword === undefined) !== (c.privacyPasswordFile === undefined), {
    message: 'exactly one of privacyPassword and privacyPasswordFile must be given',
    path: ['privacyPasswordFile'],
  });

const index = z.int().min(0).max(0x7fff_ffff);

const schema = z
  .strictObject({
    host,
    port: z.int().min(1).max(65_535).default(161),
    /** SNMPv2c: nothing in it is secret on the wire. `writeCommunity` where writing has one of its own. */
    community: community.optional(),
    communityFile: file.optional(),
    writeCommunity: community.optional(),
    writeCommunityFile: file.optional(),
    /** SNMPv3, always authenticated and encrypted. */
    v3: v3.optional(),
    timeout: duration.refine((ms) => ms >= 50 && ms <= 30_000, 'must be between 50ms and 30s').default(2_000),
    /** ifIndex of the port that is printed 1, and the distance to the next: often 1, but 49153 or 10101 on some. */
    interfaces: z.strictObject({ first: index.default(1), step: z.int().min(1).max(10_000).default(1) }).prefault({}),
    /** Group and number of the first PoE port (RFC 3621): group 1 on what is not stacked. */
    poe: z.strictObject({ group: index.default(1), first: index.default(1) }).prefault({}),
  })
  .refine((c) => [c.community, c.communityFile, c.v3].filter((way) => way !== undefined).length === 1, {
    message: 'exactly one of community, communityFile and v3 must be given',
    path: ['community'],
  })
  .refine((c) => c.v3 === undefined || (c.writeCommunity ?? c.writeCommunityFile) === undefined, {
    message: 'v3 has no communities',
    path: ['writeCommunity'],
  });

/** One agent as the site file gives it. */
export type SnmpConfig = z.output<typeof schema>;

/** Throws DEVICE_CONFIG with one line per mistake, each naming its key (`address.v3.user: ...`). */
export function parseSnmpConfig(input: unknown): SnmpConfig {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const lines = describeIssues(result.error).split('\n');
  throw new CodedError('DEVICE_CONFIG', lines.map((line) => `address.${line}`).join('\n'));
}

export type Credentials =
  | { readonly version: 2; readonly community: string }
  | {
      readonly version: 3;
      readonly user: string;
      readonly auth: 'sha' | 'sha256' | 'sha512';
      readonly authPassword: string;
      readonly privacy: 'aes' | 'aes256b' | 'aes256r';
      readonly privacyPassword: string;
    };

/** Read anew for each connection, so that a changed file is heard of. Throws SnmpError `config`. */
export async function loadCredentials(config: SnmpConfig, use: 'read' | 'write'): Promise<Credentials> {
  if (config.v3 !== undefined) {
    const { user, auth, privacy } = config.v3;
    const authPassword = config.v3.authPassword ?? (await readSecret(config.v3.authPasswordFile ?? ''));
    const privacyPassword = config.v3.privacyPassword ?? (await readSecret(config.v3.privacyPasswordFile ?? ''));
    if (authPassword.length < 8 || privacyPassword.length < 8) {
      throw new SnmpError('config', 'the passwords of SNMPv3 have eight characters at least');
    }
    return { version: 3, user, auth, authPassword, privacy, privacyPassword };
  }
  const { writeCommunity, writeCommunityFile } = config;
  if (use === 'write' && (writeCommunity ?? writeCommunityFile) !== undefined) {
    return { version: 2, community: writeCommunity ?? (await readSecret(writeCommunityFile ?? '')) };
  }
  return { version: 2, community: config.community ?? (await readSecret(config.communityFile ?? '')) };
}

async function readSecret(path: string): Promise<string> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) throw new SnmpError('config', `password file ${path} must be readable by its owner only`);
    const text = (await readFile(path, { encoding: 'utf8', signal: AbortSignal.timeout(5_000) })).replace(/\r?\n$/, '');
    if (text === '') throw new SnmpError('config', `password file ${path} is empty`);
    return text;
  } catch (error) {
    if (error instanceof SnmpError) throw error;
    throw new SnmpError('config', `password file ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
