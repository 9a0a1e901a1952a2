import type { OpeningHours } from '#edge/domain/interlock.ts';

type Span = OpeningHours['weekly'][number];

interface LocalTime {
  /** ISO date. */
  readonly date: string;
  /** 1 = Monday .. 7. */
  readonly day: number;
  /** Since local midnight. */
  readonly minute: number;
}

const dayNames = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const minute = 60_000;

/**
 * Whether the campus is open at a time (ms epoch). A span whose end is not after its start runs past midnight. A day
 * closed by exception has no hours at all; a day opened by exception has those of every weekly span whatever its
 * days (a make-up Saturday is a school day with school hours), or is open all day when there are none.
 * The formatter is made once: building one takes about a thousand times longer than using it.
 */
export function createOpeningHours(hours: OpeningHours, timeZone: string): (time: number) => boolean {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const exceptions = new Map(hours.exceptions.map(({ date, open }) => [date, open]));

  const local = (time: number): LocalTime => {
    const part: Record<string, string> = {};
    for (const { type, value } of format.formatToParts(time)) part[type] = value;
    return {
      date: `${part.year}-${part.month}-${part.day}`,
      day: dayNames.indexOf(part.weekday ?? '') + 1,
      minute: Number(part.hour) * 60 + Number(part.minute),
    };
  };
  const spansOf = ({ date, day }: LocalTime): readonly Span[] => {
    const exception = exceptions.get(date);
    if (exception === false) return [];
    if (exception === true) return hours.weekly.length > 0 ? hours.weekly : [{ days: [day], from: 0, to: 1440 }];
    return hours.weekly.filter((span) => span.days.includes(day));
  };

  return (time) => {
    const here = local(time);
    if (spansOf(here).some((span) => startsToday(span, here.minute))) return true;
    // Noon of the day before, give or take an hour of daylight saving.
    const yesterday = local(time - (here.minute + 720) * minute);
    return spansOf(yesterday).some((span) => span.to <= span.from && here.minute < span.to);
  };
}

function startsToday(span: Span, at: number): boolean {
  return at >= span.from && (span.to <= span.from || at < span.to);
}
