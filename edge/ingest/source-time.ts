/*
 * The clocks of strangers. A source time is believed when it is sane; otherwise the received time stands in for it and
 * the reading says `uncertain/clock`. All times are ms since epoch, UTC.
 */

const earliest = Date.UTC(2020, 0, 1);
const farthestAhead = 2 * 60_000;
const farthestBehind = 7 * 86_400_000;
/** A local time without offset is believed within this of our clock: beyond it, zone or clock are wrong. */
const localTolerance = 5 * 60_000;

export interface SourceTime {
  readonly time: number;
  readonly trusted: boolean;
  /** The device gave a time of its own, and it was believed. */
  readonly own: boolean;
}

export function judgeSourceTime(source: number | undefined, received: number): SourceTime {
  if (source === undefined) return { time: received, trusted: true, own: false };
  const sane =
    Number.isFinite(source) &&
    source >= earliest &&
    source <= received + farthestAhead &&
    source >= received - farthestBehind;
  if (!sane) return { time: received, trusted: false, own: false };
  // A clock slightly ahead must not make the next samples look late.
  return { time: Math.min(source, received), trusted: true, own: true };
}

const localPattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * A time as firmware prints it: ISO 8601 with an offset, or local without one (Tasmota), which is read in `zone`.
 * Returns NaN when it is no time, or a local one more than 5 minutes from ours: pass it to `judgeSourceTime`.
 */
export function parseDeviceTime(text: string, zone: string, received: number): number {
  const match = localPattern.exec(text);
  if (match === null) return Number.NaN;
  const [, year, month, day, hour, minute, second, offset] = match;
  if (offset !== undefined) return Date.parse(text);
  const wall = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const local = localToUtc(wall, zone, received);
  return Math.abs(local - received) <= localTolerance ? local : Number.NaN;
}

/** The instant at which a wall clock in `zone` shows `wall` (its fields as UTC); of two (autumn), the nearer to `near`. */
export function localToUtc(wall: number, zone: string, near: number): number {
  const day = 86_400_000;
  const candidates = [wall - offsetAt(wall - day, zone), wall - offsetAt(wall + day, zone)];
  return candidates.reduce((best, next) => (Math.abs(next - near) < Math.abs(best - near) ? next : best));
}

const formats = new Map<string, Intl.DateTimeFormat>();

function offsetAt(instant: number, zone: string): number {
  let format = formats.get(zone);
  if (format === undefined) {
    // Zones come from the checked site file only: one, perhaps two.
    format = new Intl.DateTimeFormat('en-GB-u-hc-h23', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(zone, format);
  }
  const fields = new Map(format.formatToParts(instant).map((part) => [part.type, Number(part.value)]));
  const field = (name: Intl.DateTimeFormatPartTypes) => fields.get(name) ?? 0;
  const wall = Date.UTC(
    field('year'),
    field('month') - 1,
    field('day'),
    field('hour'),
    field('minute'),
    field('second'),
  );
  return wall - Math.floor(instant / 1000) * 1000;
}
