import { createHash, timingSafeEqual } from 'node:crypto';

/** Compares digests, so that neither content nor length shows in the time it takes. */
export function isSameSecret(given: string | Buffer, expected: string): boolean {
  const digest = (input: string | Buffer) => createHash('sha256').update(input).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
