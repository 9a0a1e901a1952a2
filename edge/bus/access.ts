import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isSlug } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { writeDurably } from '#edge/runtime/durable-file.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { isSameSecret } from '#edge/runtime/secret.ts';
import { Attempts } from './attempts.ts';
import type { CertificateRefusal } from './device-certificates.ts';
import type { Grant } from './grants.ts';
import { hashPassword, isPasswordHash, PasswordChecker } from './passwords.ts';

/*
 * Who is who. Passwords of network clients lie as scrypt hashes in <data>/credentials.json (0600); what a client may
 * do is not there but in the site file (grants.ts).
 */

/** Client id -> password hash. */
export type Credentials = ReadonlyMap<string, string>;

const fileSchema = z.strictObject({
  version: z.literal(1),
  clients: z.record(z.string().refine(isSlug, 'must be a slug'), z.string().refine(isPasswordHash, 'is not a hash')),
});
const shortestPassword = 8;
const longestPassword = 256;

function credentialsFile(dataFolder: string): string {
  return join(dataFolder, 'credentials.json');
}

/** No file means no clients. Throws BUS_CREDENTIALS_BROKEN naming the file and what is wrong. */
export async function loadCredentials(dataFolder: string): Promise<Credentials> {
  const file = credentialsFile(dataFolder);
  try {
    const { clients } = fileSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    return new Map(Object.entries(clients));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return new Map();
    const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new CodedError('BUS_CREDENTIALS_BROKEN', `cannot use ${file}: ${why}`, { cause: error });
  }
}

export async function listClients(dataFolder: string): Promise<string[]> {
  return [...(await loadCredentials(dataFolder)).keys()].sort();
}

/** Creates the client or changes its password; takes effect within a second, without a restart. */
export async function setClientPassword(dataFolder: string, client: string, password: string): Promise<void> {
  if (!isSlug(client)) {
    throw new CodedError(
      'BUS_CLIENT_INVALID',
      `"${client}" is not a client id: a-z, 0-9, _ or -, at most 63 characters`,
    );
  }
  if (password.length < shortestPassword || password.length > longestPassword) {
    const range = `${shortestPassword} to ${longestPassword} characters`;
    throw new CodedError('BUS_PASSWORD_INVALID', `the password of "${client}" must have ${range}`);
  }
  const hash = await hashPassword(password);
  await changeCredentials(dataFolder, (clients) => clients.set(client, hash));
}

/** True when there was such a client. Its open connections stay until they end; new ones are refused. */
export async function removeClient(dataFolder: string, client: string): Promise<boolean> {
  let known = false;
  await changeCredentials(dataFolder, (clients) => {
    known = clients.delete(client);
  });
  return known;
}

async function changeCredentials(dataFolder: string, change: (clients: Map<string, string>) => void): Promise<void> {
  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  await using _lock = await lockFile(`${credentialsFile(dataFolder)}.lock`);
  const clients = new Map(await loadCredentials(dataFolder));
  change(clients);
  const sorted = Object.fromEntries([...clients].sort(([a], [b]) => (a < b ? -1 : 1)));
  await writeDurably(credentialsFile(dataFolder), `${JSON.stringify({ version: 1, clients: sorted }, null, 2)}\n`);
}

/** Two `campus client add` at once must not lose one. A lock older than 10 s belongs to a process that died. */
async function lockFile(file: string): Promise<AsyncDisposable> {
  for (let attempt = 0; ; attempt++) {
    try {
      await (await open(file, 'wx', 0o600)).close();
      return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      if (attempt >= lockAttempts) {
        await rm(file, { force: true });
        throw new CodedError('BUS_CREDENTIALS_LOCKED', `${file} was held for 10 s; it has been removed: try again`);
      }
      await new Promise((resolve) => setTimeout(resolve, lockPause));
    }
  }
}
const lockPause = 50;
const lockAttempts = 200;

// --- authentication -------------------------------------------------------------------------------------------------

export type RefusedLogin =
  | 'no-credentials'
  | 'bad-credentials'
  | 'too-many-attempts'
  | 'not-in-site'
  | 'unavailable'
  | 'certificate-mismatch'
  | CertificateRefusal;

export type Login =
  | { readonly ok: true; readonly client: string; readonly grant: Grant }
  | { readonly ok: false; readonly reason: RefusedLogin; readonly message: string };

export interface Access {
  /** Never rejects. The user name is the client id of the access model, whatever MQTT client id is used. */
  authenticate(username: string | undefined, password: Buffer | undefined, address: string): Promise<Login>;
  /** A client that has shown its certificate; the user name it gives, if any, must be its own. */
  certified(client: string, username: string | undefined, address: string): Login;
}

export interface AccessOptions {
  readonly dataFolder: string;
  /** Our own processes: client id -> token, made at boot by the supervisor. They take precedence over the file. */
  readonly internal: ReadonlyMap<string, string>;
  /** What the site lets a client do; null = it is not in the site file. */
  readonly grants: (client: string) => Grant | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** The file is looked at this often at most, and only when somebody logs in, ms. */
const lookEvery = 1_000;
const loginTimeout = 10_000;

export function createAccess(options: AccessOptions): Access {
  const { internal, grants, clock, log } = options;
  const file = new CredentialsFile(options);
  const checker = new PasswordChecker();
  const attempts = new Attempts(clock);

  const judge = async (user: string, password: Buffer, address: string): Promise<Login> => {
    const name = `${address} ${user}`;
    const pause = attempts.pause(name);
    if (pause > 0) {
      const seconds = Math.ceil(pause / 1000);
      return refuse(
        'too-many-attempts',
        `too many wrong passwords for "${user}" from ${address}; try again in ${seconds} s`,
      );
    }
    const token = internal.get(user);
    const verdict =
      token === undefined
        ? await checker.check((await file.current()).get(user) ?? null, password)
        : isSameSecret(password, token);
    if (verdict === 'busy')
      return refuse('unavailable', 'too many logins are being checked; try again in a few seconds');
    if (!verdict) {
      attempts.fail(name);
      return refuse('bad-credentials', `wrong user name or password for "${user}" from ${address}`);
    }
    attempts.succeed(name);
    const grant = grants(user);
    if (grant !== null) return { ok: true, client: user, grant };
    return refuse('not-in-site', `the password of "${user}" is right, but the site file has no client of that id`);
  };

  return {
    authenticate: async (username, password, address) => {
      if (username === undefined || username === '' || password === undefined) {
        return refuse('no-credentials', `a client from ${address} gave no user name or no password`);
      }
      // What is not a slug is not in the file; saying so here keeps log lines and maps small.
      if (!isSlug(username)) return refuse('bad-credentials', `a user name from ${address} is not a client id`);
      if (password.length > 4 * longestPassword) return refuse('bad-credentials', 'the password is too long');
      try {
        return await within(loginTimeout, 'checking a password', judge(username, password, address));
      } catch (error) {
        log.error({ error, client: username }, 'login could not be checked');
        return refuse('unavailable', 'the login could not be checked; the log of core says why');
      }
    },
    certified: (client, username, address) => {
      if (username !== undefined && username !== '' && username !== client) {
        const other = isSlug(username) ? `"${username}"` : 'somebody else';
        const what = `a client from ${address} shows the certificate of "${client}" and calls itself ${other}`;
        return refuse('certificate-mismatch', what);
      }
      const grant = grants(client);
      // Our own processes have passwords of one boot; no certificate stands for them.
      if (grant !== null && grant.internal !== true) return { ok: true, client, grant };
      return refuse(
        'not-in-site',
        `the certificate of "${client}" is good, but the site file has no client of that id`,
      );
    },
  };
}

function refuse(reason: RefusedLogin, message: string): Login {
  return { ok: false, reason, message };
}

/** The credentials as they now are on disk; a broken file keeps the last good ones and is logged once. */
class CredentialsFile {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #credentials: Credentials = new Map();
  #looked = Number.NEGATIVE_INFINITY;
  #version = '';
  #looking: Promise<void> | null = null;

  constructor(options: Pick<AccessOptions, 'dataFolder' | 'clock' | 'log'>) {
    this.#folder = options.dataFolder;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  async current(): Promise<Credentials> {
    if (this.#looking === null && this.#clock.monotonic() - this.#looked >= lookEvery) {
      this.#looking = this.#look().finally(() => {
        this.#looking = null;
      });
    }
    // Whoever logs in while the file is being read waits for it: the clients of a whole campus come at once.
    if (this.#looking !== null) await this.#looking;
    return this.#credentials;
  }

  async #look(): Promise<void> {
    const version = await this.#readVersion();
    this.#looked = this.#clock.monotonic();
    if (version === this.#version) return;
    this.#version = version;
    try {
      this.#credentials = await loadCredentials(this.#folder);
      this.#log.info({ clients: this.#credentials.size }, 'client credentials loaded');
    } catch (error) {
      this.#log.error({ error }, 'client credentials are broken, the last good ones stay');
    }
  }

  async #readVersion(): Promise<string> {
    try {
      const { mtimeNs, ino, size } = await stat(credentialsFile(this.#folder), { bigint: true });
      return `${mtimeNs}-${ino}-${size}`;
    } catch (error) {
      return codeOf(error);
    }
  }
}
