import { describe, expect, test } from 'vitest';
import { addDays } from '#edge/school/dates.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { temporaryFolder } from '../../fixtures/store/site.ts';
import { type DayFigures, type DayScript, liveDay } from './truth-day.ts';
import { openTruth } from './truth-room.ts';
import { entriesOf } from './truth-school.ts';

/*
 * What the simulator says of a day is what the running system then does: days of a term of 40 classes, each begun the evening before on a
 * real store. The whole term without a pause: tests/bench/school-truth.ts.
 */

const clock = createSchoolClock('Asia/Shanghai');
const grid = { day: 120_000, night: 600_000 };
const hour = 3_600;
const minutes = (text: string) => Number(text.slice(0, 2)) * hour + Number(text.slice(3)) * 60;

async function live(date: string, script: Partial<DayScript> = {}, n = 0): Promise<DayFigures> {
  await using folder = await temporaryFolder();
  const { from } = clock.dayOf(date);
  await using room = await openTruth(folder.path, from - 2 * hour * 1_000);
  await room.look();
  await room.put(entriesOf(n));
  await room.sign(addDays(date, -1), 4);
  const figures = await liveDay(room, date, { people: 'assumed', ...script }, grid);
  expect(figures.problems).toEqual([]);
  return figures;
}

const whole = (midnight: number) => ({ layer: 'campus', from: midnight, until: midnight + 86_400_000, why: 'test' });

describe('what is said of a day is what happens on it', () => {
  test('a Monday of summer time, with flag, bells, lights and modes', async () => {
    const figures = await live('2026-09-07');
    expect(figures).toMatchObject({ late: 0, otherwise: 0 });
    expect(figures.occurrences).toBeGreaterThan(25);
    expect(figures.switches).toBeGreaterThan(100);
  });

  test.each([
    ['2026-09-20', 'a make-up Sunday with Friday’s lessons'],
    ['2026-10-05', 'a holiday'],
    ['2026-10-10', 'a make-up day of which nobody said whose lessons it has'],
    ['2026-10-29', 'a sports day'],
    ['2027-01-15', 'the last day of the term, of a year that is not confirmed'],
  ])('%s: %s', async (date) => {
    expect(await live(date, {}, 3)).toMatchObject({ late: 0, otherwise: 0 });
  });

  test('an examination: its commands, its silence, and what goes on elsewhere', async () => {
    const figures = await live('2026-11-11');
    expect(figures).toMatchObject({ late: 0, otherwise: 0 });
    expect(figures.silenced).toBeGreaterThan(0);
  });

  test('rain, quiet rooms, a bell left out and a day that runs late, said the evening before', async () => {
    const figures = await live('2026-11-30', {
      before: (midnight) => [
        { ...whole(midnight), what: { kind: 'rainy' }, until: midnight + 12 * hour * 1_000 },
        { ...whole(midnight), what: { kind: 'quiet', classes: [], zones: ['room-1' as never] }, layer: 'senior' },
        { ...whole(midnight), what: { kind: 'skip', key: 'begin.lesson-4@2026-11-30T11:00:00' } },
        {
          ...whole(midnight),
          what: { kind: 'shift', date: '2026-11-30', after: minutes('14:00'), seconds: 900 },
          layer: 'junior',
        },
      ],
    });
    expect(figures).toMatchObject({ late: 0, otherwise: 0 });
    expect(figures.silenced).toBeGreaterThan(1);
  });

  test('an assembly that runs over: said at nine, and the simulator asked anew', async () => {
    const figures = await live('2026-12-01', {
      during: {
        second: minutes('09:00') + 7,
        what: (midnight) => [
          { ...whole(midnight), what: { kind: 'shift', date: '2026-12-01', after: minutes('09:10'), seconds: 600 } },
        ],
      },
    });
    expect(figures).toMatchObject({ late: 0, otherwise: 0 });
  });

  test('a day on which core starts again thrice, once in the middle of a bell', async () => {
    const restarts = [
      { second: minutes('07:00') + 11, gap: 4_000 },
      { second: minutes('08:10') + 3, gap: 2_500 },
      { second: minutes('13:01'), gap: 20_000 },
    ];
    const figures = await live('2026-12-02', { restarts });
    expect(figures.otherwise).toBe(0);
    expect(figures.late).toBeLessThanOrEqual(2);
  });

  test('people who come and go as they like, and rooms with thermometers: what comes otherwise was said to be assumed', async () => {
    const figures = await live('2026-12-03', {
      people: (zone, second) => (zone.length * 7 + Math.floor(second / 1_500)) % 3 === 0,
      temperature: (second) => 15 + (Math.floor(second / 600) % 8),
    });
    expect(figures.late).toBe(0);
    expect(figures.otherwise).toBeGreaterThan(10);
  });
});
