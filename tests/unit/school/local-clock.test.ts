import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addDays, dateOfNumber, numberOf } from '#edge/school/dates.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';

const day = 86_400_000;
const hour = 3_600;

/** What the system's own calendar says, asked anew each time. */
function shown(timeZone: string, time: number): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(time);
}

describe('the local clock', () => {
  test.each([
    ...['Asia/Shanghai', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/St_Johns', 'Asia/Kathmandu'],
    ...['Africa/Casablanca', 'Pacific/Apia', 'America/Santiago', 'Asia/Beirut', 'UTC'],
  ])('in %s shows what the system shows, at any time', (timeZone) => {
    const clock = createSchoolClock(timeZone);
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(2008, 0, 1), max: Date.UTC(2030, 0, 1) }), (time) => {
        const second = clock.secondOf(time);
        const told = `${clock.dateOf(time)} ${new Date(second * 1_000).toISOString().slice(11, 19)}`;
        expect(told).toBe(shown(timeZone, time));
        const { at, odd } = clock.timeOf(clock.dateOf(time), second);
        const whole = Math.floor(time / 1_000) * 1_000;
        // A time that is shown twice is given as the first.
        expect(odd === 'twice' ? at <= whole : at === whole).toBe(true);
      }),
      { seed: 7_010, numRuns: 150 },
    );
  });

  test('skips an hour in spring and shows one twice in autumn', () => {
    const clock = createSchoolClock('Europe/Berlin');
    expect(clock.timeOf('2026-03-29', 2.5 * hour)).toEqual({ at: Date.UTC(2026, 2, 29, 1), odd: 'gap' });
    expect(clock.timeOf('2026-03-29', 3 * hour)).toEqual({ at: Date.UTC(2026, 2, 29, 1), odd: null });
    expect(clock.timeOf('2026-10-25', 2.5 * hour)).toEqual({ at: Date.UTC(2026, 9, 25, 0, 30), odd: 'twice' });
    expect(clock.timeOf('2026-10-25', 3 * hour)).toEqual({ at: Date.UTC(2026, 9, 25, 2), odd: null });
    const long = clock.dayOf('2026-10-25');
    expect([long.to - long.from, clock.dayOf('2026-03-29').to - clock.dayOf('2026-03-29').from]).toEqual([
      25 * 3_600_000,
      23 * 3_600_000,
    ]);
  });

  test('begins a day after the gap where midnight is skipped', () => {
    const clock = createSchoolClock('America/Santiago');
    expect(clock.timeOf('2026-09-06', 0)).toEqual({ at: Date.UTC(2026, 8, 6, 4), odd: 'gap' });
    expect(clock.dayOf('2026-09-06').from).toBe(clock.dayOf('2026-09-05').to);
  });

  test('knows of a day that a zone left out', () => {
    const { from, to } = createSchoolClock('Pacific/Apia').dayOf('2011-12-30');
    expect(from).toBe(to);
  });

  test('days follow each other without a gap or an overlap', () => {
    const clock = createSchoolClock('Europe/Berlin');
    for (let number = numberOf('2026-01-01'); number < numberOf('2027-01-01'); number += 1) {
      const date = dateOfNumber(number);
      expect(clock.dayOf(date).to).toBe(clock.dayOf(addDays(date, 1)).from);
    }
  });

  test('answers faster than the system does: it asks it once a day', () => {
    const clock = createSchoolClock('Asia/Shanghai');
    const once = (times: number) => {
      const began = performance.now();
      for (let n = 0; n < times; n += 1) clock.timeOf('2026-11-09', n % 86_400);
      return performance.now() - began;
    };
    once(10);
    const format = new Intl.DateTimeFormat('en-US', { timeZone: 'Asia/Shanghai', timeStyle: 'medium' });
    const began = performance.now();
    for (let n = 0; n < 20_000; n += 1) format.formatToParts(n * day);
    expect(once(20_000)).toBeLessThan(performance.now() - began);
  });

  test('refuses a zone that does not exist', () => {
    expect(() => createSchoolClock('Asia/Chongqin')).toThrow(RangeError);
  });
});
