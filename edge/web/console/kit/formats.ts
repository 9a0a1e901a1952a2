import type { Language } from './words.ts';

/* Times, dates, numbers. Times are ms since epoch and shown in the campus's zone. */

export interface Formats {
  readonly timeZone: string | undefined;
  /** 09:05:07 */
  clock(time: number): string;
  /** 09:05 */
  shortTime(time: number): string;
  /** 2026/11/22 or 22/11/2026 */
  date(time: number): string;
  /** 11/22 or 22 Nov */
  shortDate(time: number): string;
  /** 2026年11月22日星期日 */
  fullDate(time: number): string;
  /** Date and time to the second. */
  dateTime(time: number): string;
  /** Time of day; with the date when it is not the day of `now`. */
  moment(time: number, now: number): string;
  number(value: number, fractionDigits?: number): string;
  percent(fraction: number): string;
  /** 1.2 GB */
  bytes(bytes: number): string;
  /** 3 分钟, 2.5 小时 */
  duration(ms: number): string;
  /** ms since epoch of midnight in the campus's zone. */
  startOfDay(time: number): number;
}

const hour24 = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const second24 = { ...hour24, second: '2-digit' } as const;
const digits = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;

export function createFormats(language: Language, timeZone: string | undefined): Formats {
  const locale = language === 'zh' ? 'zh-CN' : 'en-GB';
  const make = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(locale, { ...options, ...(timeZone === undefined ? {} : { timeZone }) });
    return (time: number) => format.format(time);
  };
  const clock = make(second24);
  const shortTime = make(hour24);
  const date = make(digits);
  const shortDate = make(language === 'zh' ? { month: '2-digit', day: '2-digit' } : { month: 'short', day: 'numeric' });
  const day = make({ ...digits, ...second24 });
  return {
    timeZone,
    clock,
    shortTime,
    date,
    shortDate,
    fullDate: make({ dateStyle: 'full' }),
    dateTime: day,
    moment: (time, now) => (date(time) === date(now) ? clock(time) : `${shortDate(time)} ${shortTime(time)}`),
    number: (value, fractionDigits) => value.toLocaleString('en-US', { maximumFractionDigits: fractionDigits ?? 2 }),
    percent: (fraction) => `${(fraction * 100).toLocaleString('en-US', { maximumFractionDigits: 1 })}%`,
    bytes: bytesText,
    duration: (ms) => durationText(ms, language),
    startOfDay: (time) => startOfDay(time, timeZone),
  };
}

const sizes = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

export function bytesText(bytes: number): string {
  let [size, power] = [bytes, 0];
  while (Math.abs(size) >= 999.5 && power < sizes.length - 1) {
    size /= 1000;
    power++;
  }
  return `${size.toLocaleString('en-US', { maximumFractionDigits: size < 10 && power > 0 ? 1 : 0 })} ${sizes[power]}`;
}

const steps = [
  { ms: 86_400_000, zh: '天', en: ['day', 'days'] },
  { ms: 3_600_000, zh: '小时', en: ['hour', 'hours'] },
  { ms: 60_000, zh: '分钟', en: ['minute', 'minutes'] },
  { ms: 1_000, zh: '秒', en: ['second', 'seconds'] },
] as const;

/** The largest unit that fits, whole: `3 分钟`, `2 hours`. */
export function durationText(ms: number, language: Language): string {
  const step = steps.find((candidate) => ms >= candidate.ms) ?? steps[3];
  const count = Math.max(0, Math.floor(ms / step.ms));
  return language === 'zh' ? `${count} ${step.zh}` : `${count} ${count === 1 ? step.en[0] : step.en[1]}`;
}

/** How long ago, ticking in the largest unit that fits. Less than 5 s is now: nobody reads flickering seconds. */
export function ageText(ms: number, language: Language): string {
  if (ms < 5_000) return language === 'zh' ? '刚刚' : 'just now';
  return language === 'zh' ? `${durationText(ms, language)}前` : `${durationText(ms, language)} ago`;
}

/** Midnight of that day in a zone; a zone's day may begin with a jump, which no campus of this project has at midnight. */
export function startOfDay(time: number, timeZone: string | undefined): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    ...second24,
    ...(timeZone === undefined ? {} : { timeZone }),
  }).formatToParts(time);
  const part = (type: string) => Number(parts.find((found) => found.type === type)?.value ?? 0);
  const inDay = ((part('hour') * 60 + part('minute')) * 60 + part('second')) * 1000;
  return Math.floor(time / 1000) * 1000 - inDay;
}
