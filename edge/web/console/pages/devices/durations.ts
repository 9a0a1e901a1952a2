/* How long a person may hold an output: at most a day, so that nothing stays held because somebody forgot. Pure. */

export const longestMinutes = 1_440;

export type DurationChoice = 'minutes15' | 'hour1' | 'hours4' | 'evening' | 'custom';

/** The school day ends then, in hours after midnight. */
const eveningHour = 18;
/** Closer to the evening than this, "until then" is too short to be meant, ms. */
const least = 15 * 60_000;

/** 18:00 of the day that began at `midnight`; null when it is over or nearly so. */
export function eveningOf(now: number, midnight: number): number | null {
  const evening = midnight + eveningHour * 3_600_000;
  return evening - now >= least ? evening : null;
}

/** Seconds of a choice; null when it makes none. */
export function secondsOf(
  choice: DurationChoice,
  customMinutes: number | null,
  now: number,
  midnight: number,
): number | null {
  switch (choice) {
    case 'minutes15':
      return 900;
    case 'hour1':
      return 3_600;
    case 'hours4':
      return 14_400;
    case 'evening': {
      const evening = eveningOf(now, midnight);
      return evening === null ? null : Math.round((evening - now) / 1000);
    }
    case 'custom': {
      if (customMinutes === null || !Number.isFinite(customMinutes)) return null;
      return customMinutes >= 1 && customMinutes <= longestMinutes ? Math.round(customMinutes * 60) : null;
    }
  }
}
