/** The campus's own time of day. */
export interface LocalTime {
  /** Local time minus UTC at an instant, ms. */
  offsetAt(time: number): number;
  /** The local midnight that begins the day of an instant, ms epoch. */
  dayStart(time: number): number;
  /** `2026-11-22T08:20:30.123+08:00` */
  iso(time: number): string;
  /** ISO date, and 1 = Monday .. 7. */
  date(time: number): { readonly date: string; readonly day: number };
}

/** Zones change their offset at whole quarters of an hour. */
const quarter = 900_000;
const dayMs = 86_400_000;

/** `timeZone`: IANA. The formatter is made once: building one takes about a thousand times longer than using it. */
export function createLocalTime(timeZone: string): LocalTime {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  let known = { slot: Number.NaN, offset: 0 };
  const offsetAt = (time: number): number => {
    const slot = Math.floor(time / quarter);
    if (slot !== known.slot) known = { slot, offset: readOffset(format, time) };
    return known.offset;
  };
  const local = (time: number) => new Date(time + offsetAt(time));
  return {
    offsetAt,
    dayStart: (time) => {
      const offset = offsetAt(time);
      const guess = Math.floor((time + offset) / dayMs) * dayMs - offset;
      // On the day on which the offset changes, midnight still had the one before.
      return guess + offset - offsetAt(guess);
    },
    iso: (time) => `${local(time).toISOString().slice(0, -1)}${inWords(offsetAt(time))}`,
    date: (time) => {
      const date = local(time);
      return { date: date.toISOString().slice(0, 10), day: ((date.getUTCDay() + 6) % 7) + 1 };
    },
  };
}

function readOffset(format: Intl.DateTimeFormat, time: number): number {
  const name = format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours = '0', minutes = '0'] = /^GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(name) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

function inWords(offset: number): string {
  const minutes = Math.abs(offset) / 60_000;
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}
