import type { Name } from '#edge/domain/place.ts';

/** One thing that was looked at. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail';
  /** What was found. */
  readonly found: Name;
  /** What to do; null when nothing is to be done. */
  readonly next: Name | null;
}

export function ok(check: string, zh: string, en: string): Finding {
  return { check, state: 'ok', found: { zh, en }, next: null };
}

export function warn(check: string, found: Name, next: Name): Finding {
  return { check, state: 'warn', found, next };
}

export function fail(check: string, found: Name, next: Name): Finding {
  return { check, state: 'fail', found, next };
}

/** Every check by itself: one that breaks is a finding and keeps no other from being made. */
export async function guarded(check: string, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [
      fail(
        check,
        { zh: `检查未能完成：${message}`, en: `could not be looked at: ${message}` },
        { zh: '按上述原因处理后再查', en: 'mend what it says and look again' },
      ),
    ];
  }
}
