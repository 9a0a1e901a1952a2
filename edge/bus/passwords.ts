import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { CodedError } from '#edge/runtime/errors.ts';

/*
 * scrypt (RFC 7914) with N = 16384, r = 8, p = 1: 16 MB and some 40 ms for each try. The parameters are kept in the
 * hash, so that they can be raised without making old passwords void.
 */

const cost = { N: 16_384, r: 8, p: 1 } as const;
const keyBytes = 32;
const hashPattern = /^scrypt\$(\d{1,7})\$(\d{1,3})\$(\d{1,2})\$([A-Za-z0-9_-]{22,88})\$([A-Za-z0-9_-]{43})$/;
/** Largest memory that a stored hash may ask for, bytes: the file is ours, but it is a file. */
const maxMemory = 128 * 1024 * 1024;

/** `scrypt$N$r$p$salt$key`, the last two in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(Buffer.from(password, 'utf8'), salt, cost);
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

export function isPasswordHash(text: string): boolean {
  return hashPattern.test(text);
}

/** Is this the password? Throws BUS_CREDENTIALS_BROKEN when the hash is not one of ours. */
export async function verifyPassword(hash: string, password: Buffer): Promise<boolean> {
  const [, n, r, p, salt, key] = hashPattern.exec(hash) ?? [];
  if (salt === undefined || key === undefined) {
    throw new CodedError('BUS_CREDENTIALS_BROKEN', 'a stored password hash is not of the form scrypt$N$r$p$salt$key');
  }
  const parameters = { N: Number(n), r: Number(r), p: Number(p) };
  const derived = await derive(password, Buffer.from(salt, 'base64url'), parameters);
  return timingSafeEqual(derived, Buffer.from(key, 'base64url'));
}

function derive(password: Buffer, salt: Buffer, parameters: { N: number; r: number; p: number }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, keyBytes, { ...parameters, maxmem: maxMemory }, (error, key) => {
      if (error) reject(new CodedError('BUS_CREDENTIALS_BROKEN', 'scrypt refused a stored hash', { cause: error }));
      else resolve(key);
    });
  });
}

/** A hash of nobody's password: an unknown client costs as much time as a known one. */
const nobody = `scrypt$${cost.N}$${cost.r}$${cost.p}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/** scrypt runs in libuv's four threads, which files and DNS share: at most two at once, and a short queue behind them. */
const concurrency = 2;
const longestQueue = 64;
const rememberedPasswords = 8_192;

/**
 * Checks passwords without letting strangers spend our memory and threads. A password that was right is remembered as
 * an HMAC under a key that dies with the process, so that 5,000 reconnecting clients do not cost 5,000 scrypts.
 */
export class PasswordChecker {
  readonly #secret = randomBytes(32);
  readonly #right = new Map<string, Buffer>();
  readonly #running = new Map<string, Promise<boolean>>();
  readonly #queue: (() => void)[] = [];
  #active = 0;

  /** `hash` null: nobody has that name, which must not show. Resolves `busy` when too many wait. */
  async check(hash: string | null, password: Buffer): Promise<boolean | 'busy'> {
    const stored = hash ?? nobody;
    const proof = createHmac('sha256', this.#secret).update(stored).update('\0').update(password).digest();
    const right = this.#right.get(stored);
    if (right !== undefined && timingSafeEqual(right, proof)) return true;
    const key = proof.toString('base64');
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    if (this.#queue.length >= longestQueue) return 'busy';
    const verdict = this.#verify(stored, password).finally(() => this.#running.delete(key));
    this.#running.set(key, verdict);
    const isRight = (await verdict) && hash !== null;
    if (isRight) this.#remember(stored, proof);
    return isRight;
  }

  async #verify(hash: string, password: Buffer): Promise<boolean> {
    if (this.#active >= concurrency) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#active += 1;
    try {
      return await verifyPassword(hash, password);
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#active -= 1;
      else next(); // the turn is handed on, so that #active stays
    }
  }

  #remember(hash: string, proof: Buffer): void {
    this.#right.set(hash, proof);
    const [oldest] = this.#right.keys();
    if (this.#right.size > rememberedPasswords && oldest !== undefined) this.#right.delete(oldest);
  }
}
