import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';

const file = 'admin-token';

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

/** Short-lived cookie sessions for what a browser opens without headers (the flows editor); lost at a restart. */
export class CookieSessions {
  readonly #sessions = new Map<string, number>();
  readonly #clock: Clock;
  readonly #lifetime: number;

  constructor(clock: Clock, lifetimeMs = 8 * 3_600_000) {
    this.#clock = clock;
    this.#lifetime = lifetimeMs;
  }

  create(): string {
    for (const [id, expires] of this.#sessions) if (expires < this.#clock.now()) this.#sessions.delete(id);
    const oldest = this.#sessions.keys().next();
    if (this.#sessions.size >= 100 && oldest.done !== true) this.#sessions.delete(oldest.value);
    const id = randomBytes(24).toString('base64url');
    this.#sessions.set(id, this.#clock.now() + this.#lifetime);
    return id;
  }

  /** Whether a Cookie header carries a live session. */
  isOpen(cookieHeader: string | undefined): boolean {
    const id = /(?:^|;\s*)campus_session=([\w-]+)/.exec(cookieHeader ?? '')?.[1];
    return id !== undefined && (this.#sessions.get(id) ?? 0) > this.#clock.now();
  }
}
