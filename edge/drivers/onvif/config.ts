import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { duration } from '#edge/runtime/site-values.ts';
import { Trouble } from './trouble.ts';

const path = z.string().regex(/^\/[!-~]*$/, 'must be an absolute URL path such as /onvif/device_service');
const port = z.int().min(1).max(65535);

const schema = z
  .strictObject({
    host: z.string().regex(/^(\[[0-9a-fA-F:.%a-z]+\]|[^\s/@?#[\]]{1,253})$/, 'must be a host name or an IP address'),
    port: port.default(80),
    path: path.default('/onvif/device_service'),
    username: z.string().min(1).max(64),
    password: z.string().min(1).max(128).optional(),
    passwordFile: z.string().min(1).optional(),
    tls: z
      .strictObject({
        /** SHA-256 of the camera's certificate as `openssl x509 -fingerprint -sha256` prints it. */
        fingerprint: z
          .string()
          .regex(/^([0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2}$/, 'must be 32 hex pairs with colons')
          .optional(),
      })
      .optional(),
    /**
     * The password may be sent in clear (RTSP Basic, or within the address) for the video of a camera that knows nothing better:
     * whoever stands between, or takes the camera's place, has it then.
     */
    clearPassword: z.boolean().default(false),
    events: z.enum(['pull', 'off']).default('pull'),
    /** How long the camera is asked to wait for an event before it answers that there is none. */
    pull: duration.refine((ms) => ms >= 5_000 && ms <= 50_000, 'must be 5s to 50s').optional(),
    /** After so long a state that the camera has not ended is taken for ended; 0s: never. */
    stuckAfter: duration.refine((ms) => ms <= 86_400_000, 'must be at most 1d').optional(),
    snapshot: z.boolean().default(true),
    /** Where pictures are served when it is not the ONVIF port (Reolink: ONVIF on 8000, pictures on 80). */
    snapshotPort: port.optional(),
  })
  .refine((c) => (c.password === undefined) !== (c.passwordFile === undefined), {
    message: 'exactly one of password and passwordFile must be given',
    path: ['passwordFile'],
  });

/** One camera as the site file gives it. Ports in 1..65535; `passwordFile` is preferred over `password`. */
export type OnvifConfig = z.output<typeof schema>;

/** @throws CodedError ONVIF_CONFIG naming the key. */
export function parseOnvifConfig(input: unknown): OnvifConfig {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.join('.') || 'address'}: ${issue.message}`);
  throw new CodedError('ONVIF_CONFIG', `ONVIF address: ${issues.join('; ')}`);
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** Changes when the password may have changed: a held camera is tried again then. */
  readonly version: string;
}

/** @throws Trouble `config` when the file is missing, empty, or open to others. */
export async function loadCredentials(config: OnvifConfig): Promise<Credentials> {
  if (config.passwordFile === undefined) {
    return { username: config.username, password: config.password ?? '', version: 'config' };
  }
  const file = config.passwordFile;
  try {
    const { mode, mtimeMs, ino } = await stat(file);
    if ((mode & 0o077) !== 0) throw new Trouble('config', `password file ${file} must be readable by its owner only`);
    const password = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
    if (password === '') throw new Trouble('config', `password file ${file} is empty`);
    return { username: config.username, password, version: `${ino}:${mtimeMs}` };
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw new Trouble('config', `password file ${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
