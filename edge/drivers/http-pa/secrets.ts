import { readFile, stat } from 'node:fs/promises';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';

export interface SecretSource {
  readonly password?: string | undefined;
  readonly passwordFile?: string | undefined;
}

/** Throws PA_LOGIN naming the file, never what is in it. */
export async function secretOf({ password, passwordFile }: SecretSource): Promise<string> {
  return passwordFile === undefined ? (password ?? '') : readSecret(passwordFile);
}

async function readSecret(file: string): Promise<string> {
  try {
    const { mode, size } = await stat(file);
    if ((mode & 0o077) !== 0) throw new Error('it must be readable by its owner only');
    if (size > 1_024) throw new Error('it is longer than a password');
    const text = await readFile(file, { encoding: 'utf8', signal: AbortSignal.timeout(5_000) });
    return text.replace(/\r?\n$/, '');
  } catch (error) {
    throw new CodedError('PA_LOGIN', `password file ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** Throws PA_TLS naming the file. */
export async function readAuthority(file: string): Promise<string> {
  try {
    return await readFile(file, { encoding: 'utf8', signal: AbortSignal.timeout(5_000) });
  } catch (error) {
    throw new CodedError('PA_TLS', `authority file ${file}: ${messageOf(error)}`, { cause: error });
  }
}
