import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Principal, rights } from '#edge/domain/access.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';

const file = 'admin-token';

/**
 * Whoever can read `<data>/admin-token` owns the box and could read the database itself: this token may do everything,
 * also what no single account may.
 */
export const localPrincipal: Principal = {
  who: 'token:local',
  id: 'local',
  name: 'local',
  role: null,
  rights: new Set(rights),
  zones: 'all',
};

/** The bearer token of the HTTP API: read from `<data>/admin-token`, or made there (0600) at the first start. */
export function loadAdminToken(dataFolder: string): string {
  const path = join(dataFolder, file);
  try {
    const token = readFileSync(path, 'utf8').trim();
    if (token.length < 32) throw new CodedError('TOKEN_TOO_SHORT', `${path} holds fewer than 32 characters; delete it`);
    chmodSync(path, 0o600);
    return token;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const token = randomBytes(24).toString('base64url');
  const handle = openSync(path, 'wx', 0o600);
  writeSync(handle, `${token}\n`);
  fsyncSync(handle);
  closeSync(handle);
  return token;
}
