import { isDate } from './dates.ts';
import type { IcsProperty } from './ics-text.ts';
import { createSchoolClock, type SchoolClock } from './local-clock.ts';

/** Clocks of zones that files named; a calendar has one or two. */
const clocks = new Map<string, SchoolClock | null>();
const mostClocks = 50;

/** ms since epoch of a DATE-TIME: in UTC, in a zone that the system knows by its name, or in the zone of the campus. null: no time. */
export function readMoment({ value, params }: IcsProperty, timeZone: string): number | 'unknown-zone' | null {
  const found = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(Z?)$/.exec(value.trim());
  if (found === null) return null;
  const date = `${found[1]}-${found[2]}-${found[3]}`;
  const [hour, minute, second] = [Number(found[4]), Number(found[5]), Math.min(59, Number(found[6]))];
  if (!isDate(date) || hour > 23 || minute > 59) return null;
  const clock = clockOf(found[7] === 'Z' ? 'UTC' : (params.TZID ?? timeZone));
  if (clock === null) return 'unknown-zone';
  return clock.timeOf(date, hour * 3_600 + minute * 60 + second).at;
}

/** Names such as "China Standard Time" would need the file's own VTIMEZONE; they are told of instead. */
function clockOf(zone: string): SchoolClock | null {
  const kept = clocks.get(zone);
  if (kept !== undefined) return kept;
  if (clocks.size >= mostClocks) clocks.clear();
  const clock = tryClock(zone);
  clocks.set(zone, clock);
  return clock;
}

function tryClock(zone: string): SchoolClock | null {
  try {
    return createSchoolClock(zone);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
