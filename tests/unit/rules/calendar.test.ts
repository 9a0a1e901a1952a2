import { describe, expect, it } from 'vitest';
import type { Calendar } from '#edge/domain/calendar.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { below, seeded } from './random.ts';

const minute = 60_000;
const day = 86_400_000;
const weekdays = { days: [1, 2, 3, 4, 5], from: 7 * 60, to: 18 * 60 + 30 };
const none = { weekly: [], exceptions: [] };
const iso = (time: number) => new Date(time).toISOString();
const shanghai = (text: string) => Date.parse(`${text}:00+08:00`);

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const options = { timeZone, hourCycle: 'h23', weekday: 'short', year: 'numeric', month: '2-digit' } as const;
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-US', { ...options, day: '2-digit', hour: '2-digit', minute: '2-digit' });
  formats.set(timeZone, format);
  return format;
}

/** Local time as the language says it, asked each time. */
function plainLocal(time: number, timeZone: string): { minute: number; weekday: number; date: string } {
  const words: Record<string, string> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(time)) words[type] = value;
  return {
    minute: Number(words.hour) * 60 + Number(words.minute),
    weekday: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].indexOf(words.weekday ?? '') + 1,
    date: `${words.year}-${words.month}-${words.day}`,
  };
}

const zones = [
  'Asia/Shanghai',
  'Europe/Berlin',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'America/Santiago',
  'Africa/Cairo',
];

describe('a calendar', () => {
  it.each(zones)('in %s says the local time that the language says, at any time of thirty years', (zone) => {
    const calendar = createCalendar(none, zone);
    const random = seeded(7);
    for (let i = 0; i < 400; i++) {
      const time = Date.UTC(2010, 0, 1) + Math.floor(random() * 30 * 365 * day);
      expect(calendar.local(time), iso(time)).toEqual(plainLocal(time, zone));
    }
  });

  it.each(zones)('in %s says it through every minute around each change of the clock in a year', (zone) => {
    const calendar = createCalendar(none, zone);
    const offset = (time: number) => {
      const { minute: at, date } = plainLocal(time, zone);
      return Date.parse(`${date}T00:00Z`) + at * minute - Math.floor(time / minute) * minute;
    };
    for (let time = Date.UTC(2026, 0, 1); time < Date.UTC(2027, 0, 1); time += day / 4) {
      if (offset(time) === offset(time + day / 4)) continue;
      for (let at = time - 30 * minute; at < time + day / 4 + 30 * minute; at += 7 * minute) {
        expect(calendar.local(at), iso(at)).toEqual(plainLocal(at, zone));
      }
    }
  });

  it.each(zones)('in %s finds the next time that the clock shows a minute, and no earlier one', (zone) => {
    const calendar = createCalendar(none, zone);
    const random = seeded(11);
    for (let i = 0; i < 40; i++) {
      const time = Date.UTC(2026, 0, 1) + Math.floor(random() * 365 * day);
      const wanted = below(random, 1_440);
      const next = calendar.nextMinute(wanted, time);
      expect(next, iso(time)).toBeGreaterThan(time);
      expect(next - time).toBeLessThanOrEqual(day + 3 * 60 * minute);
      const shown = calendar.local(next).minute;
      const isSkipped = calendar.local(next - 1).minute < wanted && shown > wanted;
      expect(shown === wanted || isSkipped, `${iso(next)} shows ${shown}, not ${wanted}`).toBe(true);
      for (let at = Math.floor(time / minute + 1) * minute; at < next; at += minute) {
        if (calendar.local(at).minute === wanted) throw new Error(`${iso(at)} is earlier than ${iso(next)}`);
      }
    }
  });

  it('gives a skipped minute its time right after the gap, and a repeated one both of its times', () => {
    const calendar = createCalendar(none, 'Europe/Berlin');
    const spring = Date.UTC(2026, 2, 29, 0, 30);
    expect(iso(calendar.nextMinute(150, spring))).toBe('2026-03-29T01:00:00.000Z');
    const autumn = Date.UTC(2026, 9, 24, 23, 0);
    const first = calendar.nextMinute(150, autumn);
    expect(iso(first)).toBe('2026-10-25T00:30:00.000Z');
    expect(iso(calendar.nextMinute(150, first))).toBe('2026-10-25T01:30:00.000Z');
  });

  it('never misses a change of its answer: between two changes it is the same', () => {
    const hours = {
      weekly: [weekdays, { days: [5], from: 22 * 60, to: 2 * 60 }, { days: [7], from: 150, to: 200 }],
      exceptions: [
        { date: '2026-03-30', open: false },
        { date: '2026-04-04', open: true },
        { date: '2026-10-25', open: true },
      ],
    };
    for (const zone of zones) {
      const calendar = createCalendar(hours, zone);
      for (const from of [Date.UTC(2026, 2, 26), Date.UTC(2026, 9, 22)]) {
        expect(stretches(calendar, from, from + 9 * day), zone).toEqual(plainStretches(calendar, from, from + 9 * day));
      }
    }
  });

  it('wakes who asks when the school opens, closes and at midnight, and knows no other label', () => {
    const calendar = createCalendar({ weekly: [weekdays], exceptions: [] }, 'Asia/Shanghai');
    const monday = shanghai('2026-11-23T00:00');
    const changes = [monday];
    while (changes.length < 5) changes.push(calendar.nextChange(changes.at(-1) ?? 0));
    expect(changes.slice(1).map((time) => (time - monday) / minute)).toEqual([420, 1_110, 1_440, 1_860]);
    expect(calendar.labels).toEqual(['open', 'closed']);
    expect(calendar.is('closed', monday)).toBe(true);
    expect(calendar.is('holiday', monday)).toBe(false);
  });

  it('asks the time zone once a day, however often it is asked itself', () => {
    const calendar = createCalendar({ weekly: [weekdays], exceptions: [] }, 'Asia/Shanghai');
    const noon = shanghai('2026-11-23T12:00');
    const began = performance.now();
    for (let i = 0; i < 200_000; i++) calendar.is('open', noon + i);
    // With the time zone asked each time it is about 2 s on a quiet machine.
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it('does not fail on a clock that is out of its mind', () => {
    const calendar = createCalendar({ weekly: [weekdays], exceptions: [] }, 'Asia/Shanghai');
    for (const time of [Number.NaN, Number.POSITIVE_INFINITY, -1e18, 8.64e15, 0, -1]) {
      expect(calendar.is('open', time) || calendar.is('closed', time)).toBe(true);
      expect(Number.isFinite(calendar.nextChange(time))).toBe(true);
      expect(Number.isFinite(calendar.nextMinute(5, time))).toBe(true);
    }
  });
});

/** When it opens and closes, by asking when it may. */
function stretches(calendar: Calendar, from: number, to: number): string[] {
  const found: string[] = [];
  let before = calendar.is('open', from);
  for (let time = calendar.nextChange(from); time < to; time = calendar.nextChange(time)) {
    const now = calendar.is('open', time);
    if (now !== before) found.push(`${iso(time)} ${now}`);
    before = now;
  }
  return found;
}

/** The same by asking each minute. */
function plainStretches(calendar: Calendar, from: number, to: number): string[] {
  const found: string[] = [];
  let before = calendar.is('open', from);
  for (let time = from; time < to; time += minute) {
    const now = calendar.is('open', time);
    if (now !== before) found.push(`${iso(time)} ${now}`);
    before = now;
  }
  return found;
}
