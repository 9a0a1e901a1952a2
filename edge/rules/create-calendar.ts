import type { Calendar, OpeningHours } from '#edge/domain/calendar.ts';

type Span = OpeningHours['weekly'][number];

/** Minutes of a local day, the end not included. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** A stretch of a day in which the local clock runs evenly. */
interface Segment {
  /** ms since epoch. */
  readonly from: number;
  readonly to: number;
  /** Local midnight as this segment's clock would have it, ms since epoch. */
  readonly midnight: number;
}

/** One local day, worked out once: after that a question costs a comparison or two. */
interface Day {
  /** ms since epoch. */
  readonly from: number;
  readonly to: number;
  readonly date: string;
  readonly weekday: number;
  readonly segments: readonly Segment[];
  readonly open: readonly Stretch[];
  /** Times at which it opens or closes or the clock is put, ascending; the end of the day is the last. */
  readonly changes: readonly number[];
}

const minute = 60_000;
const hour = 60 * minute;
const keptDays = 16;
/** What the calendar of the language can say, ms since epoch. */
const farthest = 8.64e15 - 48 * hour;

/**
 * Opening hours as a calendar: `open` and `closed`. A span whose end is not after its start runs past midnight. A day closed by
 * exception has no hours at all; a day opened by exception has those of every weekly span whatever its days (a make-up Saturday is a
 * school day with school hours), or is open all day when there are none. Asking the time zone takes about a thousand times longer
 * than a comparison, so it is asked when a day is met for the first time.
 */
export function createCalendar(hours: OpeningHours, timeZone: string): Calendar {
  const zone = createZone(timeZone);
  const exceptions = new Map(hours.exceptions.map(({ date, open }) => [date, open]));
  const spansOf = (date: string, weekday: number): readonly Span[] => {
    const exception = exceptions.get(date);
    if (exception === false) return [];
    if (exception !== true) return hours.weekly.filter((span) => span.days.includes(weekday));
    return hours.weekly.length > 0 ? hours.weekly : [{ days: [weekday], from: 0, to: 1_440 }];
  };
  const days: Day[] = [];
  const dayAt = (asked: number): Day => {
    const time = Number.isFinite(asked) ? Math.min(farthest, Math.max(-farthest, asked)) : 0;
    for (const day of days) if (time >= day.from && time < day.to) return day;
    const day = makeDay(time, zone, spansOf);
    days.unshift(day);
    if (days.length > keptDays) days.pop();
    return day;
  };
  const isOpen = (time: number): boolean => {
    const day = dayAt(time);
    const at = minuteOf(day, time);
    return day.open.some(({ from, to }) => at >= from && at < to);
  };
  return {
    labels: ['open', 'closed'],
    is: (label, time) => (label === 'open' ? isOpen(time) : label === 'closed' && !isOpen(time)),
    nextChange: (time) => {
      const day = dayAt(time);
      return day.changes.find((change) => change > time) ?? day.to;
    },
    local: (time) => {
      const day = dayAt(time);
      return { minute: minuteOf(day, time), weekday: day.weekday, date: day.date };
    },
    nextMinute: (wanted, time) => {
      let day = dayAt(time);
      // A day may lack the minute, and the one after it; no zone has ever put its clock on three days in a row.
      for (let tries = 0; tries < 4; tries++) {
        const found = minuteIn(day, wanted, time);
        if (found !== null) return found;
        day = dayAt(day.to);
      }
      return day.from;
    },
  };
}

function minuteOf({ segments }: Day, time: number): number {
  const segment = segments.find(({ to }) => time < to) ?? segments.at(-1);
  if (segment === undefined) return 0;
  return Math.min(1_439, Math.max(0, Math.floor((time - segment.midnight) / minute)));
}

/** When this day's clock shows the minute, after `time`; right after the gap where summer time skips it. */
function minuteIn({ segments }: Day, wanted: number, time: number): number | null {
  let shown = 0;
  for (const { from, to, midnight } of segments) {
    const first = Math.floor((from - midnight) / minute);
    const at = midnight + wanted * minute;
    if (wanted >= shown && wanted < first) {
      if (from > time) return from;
    } else if (at >= from && at < to && at > time) return at;
    shown = Math.ceil((to - midnight) / minute);
  }
  return null;
}

function makeDay(time: number, zone: Zone, spansOf: (date: string, weekday: number) => readonly Span[]): Day {
  const { date, midnightUtc } = zone.local(time);
  const isToday = (at: number) => zone.local(at).date === date;
  const from = firstTime(time - 26 * hour, time, isToday);
  const to = firstTime(time, time + 26 * hour, (at) => !isToday(at));
  const segments: Segment[] = [];
  for (let start = from; start < to; ) {
    const offset = zone.offset(start);
    const end = zone.offset(to - 1) === offset ? to : firstTime(start, to, (at) => zone.offset(at) !== offset);
    segments.push({ from: start, to: end, midnight: midnightUtc - offset });
    start = end;
  }
  const weekday = weekdayOf(midnightUtc);
  const yesterday = zone.local(from - 1);
  const open = [
    ...spansOf(date, weekday).map((span) => ({ from: span.from, to: span.to <= span.from ? 1_440 : span.to })),
    ...spansOf(yesterday.date, weekdayOf(yesterday.midnightUtc)).flatMap((span) =>
      span.to <= span.from && span.to > 0 ? [{ from: 0, to: span.to }] : [],
    ),
  ];
  const day = { from, to, date, weekday, segments, open };
  return { ...day, changes: changesOf(day) };
}

function changesOf({ from, to, segments, open }: Omit<Day, 'changes'>): readonly number[] {
  const changes = new Set<number>([to]);
  for (const segment of segments) {
    if (segment.from > from) changes.add(segment.from);
    for (const stretch of open) {
      for (const at of [stretch.from, stretch.to]) {
        const time = segment.midnight + at * minute;
        if (time > segment.from && time < segment.to) changes.add(time);
      }
    }
  }
  return [...changes].sort((a, b) => a - b);
}

/** 1 = Monday. The first day of the epoch was a Thursday. */
function weekdayOf(midnightUtc: number): number {
  return ((((midnightUtc / (24 * hour) + 3) % 7) + 7) % 7) + 1;
}

/** The first whole minute after `low` at which it is so; it is not so at `low` and is so at `high`. */
function firstTime(low: number, high: number, isSo: (time: number) => boolean): number {
  let before = Math.floor(low / minute);
  let after = Math.ceil(high / minute);
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (isSo(middle * minute)) after = middle;
    else before = middle;
  }
  return after * minute;
}

interface Zone {
  /** `midnightUtc`: the date's midnight as if the campus were in Greenwich, ms since epoch. */
  local(time: number): { readonly date: string; readonly midnightUtc: number };
  /** What is added to UTC for local time, ms. */
  offset(time: number): number;
}

function createZone(timeZone: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  const partsAt = (time: number) => {
    const part: Record<string, string> = {};
    for (const { type, value } of format.formatToParts(time)) part[type] = value;
    const { year = '1970', month = '01', day = '01' } = part;
    const midnightUtc = Date.UTC(Number(year), Number(month) - 1, Number(day));
    const seconds = Number(part.hour) * 3_600 + Number(part.minute) * 60 + Number(part.second);
    return { date: `${year}-${month}-${day}`, midnightUtc, localUtc: midnightUtc + seconds * 1_000 };
  };
  return {
    local: partsAt,
    offset: (time) => {
      const whole = Math.floor(time / 1_000) * 1_000;
      return partsAt(whole).localUtc - whole;
    },
  };
}
