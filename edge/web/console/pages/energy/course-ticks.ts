import type { Formats } from '../../kit/formats.ts';

/* What is written below the bars of a course. Pure. */

interface Tick {
  readonly index: number;
  readonly text: string;
}

type Span = { readonly from: number; readonly to: number };

/** A bar of a day, which is named below its middle; else one of hours, which begins at its name. */
export const isDay = ({ from, to }: Span): boolean => to - from > 12 * 3_600_000;

/** A label wants so much room, px. */
const room = { day: 58, week: 66, month: 54 } as const;

/** Whole hours of a day, midnights of a week, days of a month; as many as have room. */
export function ticksOf(
  course: readonly { readonly from: number }[],
  kind: 'day' | 'week' | 'month',
  step: number,
  formats: Pick<Formats, 'shortTime' | 'shortDate' | 'startOfDay'>,
): Tick[] {
  const own = course.flatMap(({ from }, index): Tick[] => {
    if (kind === 'month') return [{ index, text: formats.shortDate(from) }];
    if (kind === 'week') return formats.startOfDay(from) === from ? [{ index, text: formats.shortDate(from) }] : [];
    const text = formats.shortTime(from);
    return text.endsWith(':00') ? [{ index, text }] : [];
  });
  const [first, second] = own;
  if (first === undefined || second === undefined) return own;
  const every = Math.max(1, Math.ceil(room[kind] / ((second.index - first.index) * step)));
  // Hours that people think in: every second, third, fourth, sixth.
  const nice = kind === 'day' ? ([1, 2, 3, 4, 6, 12].find((one) => one >= every) ?? 12) : every;
  return own.filter((_, index) => index % nice === 0);
}
