import type { Sample } from '#edge/domain/reading.ts';
import type { ProfileCheck } from '#edge/profiles/profile.ts';

/** Names of values that the checks look at. */
export function checkedNames(checks: readonly ProfileCheck[]): Set<string> {
  return new Set(
    checks.flatMap((check) => ('value' in check ? [check.value] : 'sum' in check ? [...check.sum, check.near] : [])),
  );
}

/**
 * Is this the device that the profile describes? A wrong word order or a wrong map gives plausible nonsense, so nothing is
 * `good` before its plausibility checks passed once. null when they pass; what is wrong, in a sentence; `unheard` when a
 * value they need was not had.
 */
export function judgeChecks(checks: readonly ProfileCheck[], samples: readonly Sample[]): string | null | 'unheard' {
  const number = (name: string) => {
    const value = samples.find(({ point }) => point === name)?.value;
    return typeof value === 'number' ? value : null;
  };
  for (const check of checks) {
    if ('value' in check) {
      const value = number(check.value);
      if (value === null) return 'unheard';
      const [low, high] = check.in;
      if (value < low || value > high) return `${check.value} is ${value}, expected ${low} to ${high}`;
    } else if ('sum' in check) {
      const parts = check.sum.map(number);
      const whole = number(check.near);
      if (whole === null || parts.includes(null)) return 'unheard';
      const sum = parts.reduce<number>((total, part) => total + (part ?? 0), 0);
      const allowed = Math.max(check.floor, Math.abs(whole) * check.within);
      if (Math.abs(sum - whole) > allowed) {
        return `${check.sum.join(' + ')} is ${sum.toPrecision(6)}, but ${check.near} is ${whole}`;
      }
    }
  }
  return null;
}
