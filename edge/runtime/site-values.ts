import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';

/* Values as people write them in the files of a site; in code they are ms, minutes and plain text. */

export const slug = z.string().regex(slugPattern, 'must be a slug: a-z, 0-9, _ or -, at most 63 characters');
export const name = z.strictObject({ zh: z.string().min(1), en: z.string().min(1) });

const durationUnits: Record<string, number> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };
/** `20min` in the file, ms in code. */
export const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|min|h|d)$/, 'must be a duration such as 500ms, 30s, 20min, 2h or 7d')
  .transform((text) => {
    const [, amount, unit] = /^([\d.]+)(ms|s|min|h|d)$/.exec(text) ?? [];
    return Math.round(Number(amount) * (durationUnits[unit ?? ''] ?? Number.NaN));
  });

/** `07:30` in the file, minutes after midnight in code; `24:00` is the end of the day. */
export const clockTime = z
  .string()
  .regex(/^([01]\d|2[0-4]):[0-5]\d$/, 'must be HH:MM')
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));

/** Only this machine itself can reach it. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

const byteUnits: Record<string, number> = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
export const byteSize = z
  .string()
  .regex(/^\d+(\.\d+)?(KB|MB|GB|TB)$/, 'must be a size such as 500MB or 2TB')
  .transform((text) => {
    const [, amount, unit] = /^([\d.]+)(KB|MB|GB|TB)$/.exec(text) ?? [];
    return Math.round(Number(amount) * (byteUnits[unit ?? ''] ?? Number.NaN));
  });
