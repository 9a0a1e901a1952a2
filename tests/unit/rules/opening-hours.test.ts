import { describe, expect, it } from 'vitest';
import type { OpeningHours } from '#edge/domain/calendar.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';

const shanghai = (text: string) => Date.parse(`${text}:00+08:00`);
const weekdays = { days: [1, 2, 3, 4, 5], from: 7 * 60, to: 18 * 60 + 30 };

/** Whether the campus is open, as its calendar says. */
function createIsOpen(hours: OpeningHours, timeZone: string): (time: number) => boolean {
  const calendar = createCalendar(hours, timeZone);
  return (time) => calendar.is('open', time);
}

describe('opening hours', () => {
  it('are those of the campus, whatever the machine thinks the time is', () => {
    const isOpen = createIsOpen({ weekly: [weekdays], exceptions: [] }, 'Asia/Shanghai');
    const tries = { '2026-11-23T06:59': false, '2026-11-23T07:00': true, '2026-11-23T18:29': true };
    for (const [at, open] of Object.entries(tries)) expect(isOpen(shanghai(at)), at).toBe(open);
    expect(isOpen(shanghai('2026-11-23T18:30'))).toBe(false);
    expect(isOpen(shanghai('2026-11-22T10:00')), 'Sunday').toBe(false);
  });

  it('know holidays and make-up Saturdays', () => {
    const exceptions = [
      { date: '2026-10-01', open: false },
      { date: '2026-10-10', open: true },
    ];
    const isOpen = createIsOpen({ weekly: [weekdays], exceptions }, 'Asia/Shanghai');
    expect(isOpen(shanghai('2026-10-01T10:00')), 'National Day, a Thursday').toBe(false);
    expect(isOpen(shanghai('2026-10-10T10:00')), 'a working Saturday').toBe(true);
    expect(isOpen(shanghai('2026-10-10T20:00')), 'its evening').toBe(false);
    const always = createIsOpen({ weekly: [], exceptions }, 'Asia/Shanghai');
    expect(always(shanghai('2026-10-10T23:59'))).toBe(true);
    expect(always(shanghai('2026-10-11T00:00'))).toBe(false);
  });

  it('may run past midnight, and to midnight', () => {
    const night = { days: [5], from: 20 * 60, to: 2 * 60 };
    const late = { days: [1], from: 20 * 60, to: 24 * 60 };
    const isOpen = createIsOpen({ weekly: [night, late], exceptions: [] }, 'Asia/Shanghai');
    expect(isOpen(shanghai('2026-11-27T23:00')), 'Friday night').toBe(true);
    expect(isOpen(shanghai('2026-11-28T01:59')), 'still Friday night').toBe(true);
    expect(isOpen(shanghai('2026-11-28T02:00'))).toBe(false);
    expect(isOpen(shanghai('2026-11-27T01:00')), 'Thursday night').toBe(false);
    expect(isOpen(shanghai('2026-11-23T23:59'))).toBe(true);
    expect(isOpen(shanghai('2026-11-24T00:00'))).toBe(false);
  });

  it('follow daylight saving', () => {
    const isOpen = createIsOpen({ weekly: [{ days: [7], from: 120, to: 240 }], exceptions: [] }, 'Europe/Berlin');
    // 2026-03-29: 02:00 local does not exist; 01:00 UTC is 03:00 local.
    expect(isOpen(Date.UTC(2026, 2, 29, 0, 59))).toBe(false);
    expect(isOpen(Date.UTC(2026, 2, 29, 1, 0))).toBe(true);
    expect(isOpen(Date.UTC(2026, 2, 29, 2, 0))).toBe(false);
  });
});
