import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, codeOf, messageOf } from './errors.ts';

/*
 * Whoever runs as our user can open the socket; a process in Node's permission model can still do that, but cannot read
 * files. So a caller shows a key, and a key is a file beside the socket: `all`, or one for a single method. Handing
 * somebody one method is handing him one file.
 */

const all = 'all';

function keyFile(socket: string, scope: string): string {
  return join(`${socket}.keys`, scope);
}

/** The file that a process which may only call `method` must be able to read. */
export function methodKeyFile(socket: string, method: string): string {
  return keyFile(socket, method);
}

/** Reads the keys of a server, and makes (0600) those that are not there: they stay, so that a full disk locks nobody out. */
export function loadKeys(socket: string, methods: readonly string[]): ReadonlyMap<string, string> {
  mkdirSync(`${socket}.keys`, { recursive: true, mode: 0o700 });
  return new Map([all, ...methods].map((scope) => [scope, loadKey(keyFile(socket, scope))]));
}

function loadKey(file: string): string {
  try {
    const key = readFileSync(file, 'utf8').trim();
    if (key.length >= 32) return key;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const key = randomBytes(24).toString('base64url');
  writeFileSync(file, `${key}\n`, { mode: 0o600, flush: true });
  return key;
}

/** The methods that a key opens: a name, `all`, or null for a key of nobody. */
export function scopeOf(keys: ReadonlyMap<string, string>, given: string): string | null {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const wanted = digest(given);
  let found: string | null = null;
  for (const [scope, key] of keys) if (timingSafeEqual(digest(key), wanted)) found = scope;
  return found;
}

export function mayCall(scope: string, method: string): boolean {
  return scope === all || scope === method;
}

/** The key of a caller. Throws RPC_AWAY when there is none: core has never run here, or this process may not read it. */
export function readKey(socket: string, method: string = all): string {
  const file = keyFile(socket, method);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CodedError('RPC_AWAY', `core cannot be called: ${messageOf(error)}`, { cause: error });
  }
}
