import { describe, expect, test } from 'vitest';
import type { SchoolDays, SchoolItem } from '#edge/domain/school.ts';
import { merged, mergeOf } from '#edge/web/console/pages/school-plan/merge.ts';
import { idMaker, nextMonth, paintOver, weeksOf, without } from '#edge/web/console/pages/school-plan/month-days.ts';

const trip: SchoolDays = {
  ...{
    part: 'days',
    name: { zh: '军训', en: 'Training' },
    layer: 'campus',
    from: '2026-09-07',
    to: '2026-09-11',
    kind: 'event',
  },
};

describe('the months of the calendar', () => {
  test('have weeks from Monday to Sunday, each day once', () => {
    const weeks = weeksOf('2026-02');
    expect(weeks[0]).toEqual([null, null, null, null, null, null, '2026-02-01']);
    expect(weeks.flat().filter((day) => day !== null)).toHaveLength(28);
    expect(
      weeksOf('2024-02')
        .flat()
        .filter((day) => day !== null),
    ).toHaveLength(29);
    expect(weeksOf('2026-11').at(-1)?.[0]).toBe('2026-11-30');
  });

  test('follow each other over the year', () => {
    expect(nextMonth('2026-12')).toBe('2027-01');
    expect(nextMonth('2026-01', -1)).toBe('2025-12');
  });
});

describe('painting over', () => {
  test('leaves what stands before and after', () => {
    expect(without(trip, '2026-09-09', '2026-09-09').map(({ from, to }) => [from, to])).toEqual([
      ['2026-09-07', '2026-09-08'],
      ['2026-09-10', '2026-09-11'],
    ]);
    expect(without(trip, '2026-09-01', '2026-09-30')).toEqual([]);
    expect(without(trip, '2026-09-12', '2026-09-30')).toEqual([trip]);
  });

  test('changes only the stretches of that layer that are touched', () => {
    const painted = [
      { id: 'days-1', rev: 3, body: trip },
      { id: 'days-2', rev: 1, body: { ...trip, layer: 'grade-1' } },
      { id: 'days-3', rev: 1, body: { ...trip, from: '2026-10-01', to: '2026-10-07' } },
    ];
    const ids = idMaker('days', ['days-1', 'days-2', 'days-3']);
    const one: SchoolDays = { ...trip, from: '2026-09-09', to: '2026-09-09', kind: 'school' };
    expect(paintOver(painted, 'campus', '2026-09-09', '2026-09-09', one, ids)).toEqual([
      { id: 'days-1', rev: 3, body: { ...trip, to: '2026-09-08' } },
      { id: 'days-4', rev: 0, body: { ...trip, from: '2026-09-10' } },
      { id: 'days-5', rev: 0, body: one },
    ]);
    expect(paintOver(painted, 'campus', '2026-09-07', '2026-09-11', null, ids)).toEqual([
      { id: 'days-1', rev: 3, body: null },
    ]);
  });
});

describe('what two people changed', () => {
  const bell: SchoolItem = {
    ...{
      part: 'item',
      name: { zh: '铃', en: 'Bell' },
      class: 'bell',
      layer: 'campus',
      when: { at: 30_000 },
      enabled: true,
    },
    ...{ days: { kinds: [], weekdays: [] }, do: { kind: 'sound', clip: 'bell', zones: [], seconds: 5 } },
  };
  const mine: SchoolItem = { ...bell, when: { at: 30_600 }, days: { kinds: [], weekdays: [1] } };
  const theirs: SchoolItem = { ...bell, when: { at: 31_000 }, enabled: false };

  test('is put together where they did not touch the same', () => {
    expect(mergeOf(bell, mine, theirs)).toEqual({ conflicts: ['when'], theirs: ['enabled'], mine: ['days'] });
    expect(merged(bell, mine, theirs, new Set())).toEqual({ ...mine, enabled: false });
    expect(merged(bell, mine, theirs, new Set(['when']))).toEqual({ ...mine, when: theirs.when, enabled: false });
  });

  test('is no conflict where both said the same, and a field that is gone stays gone', () => {
    const loud: SchoolDays = { ...trip, useWeekday: 3 };
    expect(mergeOf(bell, mine, mine).conflicts).toEqual([]);
    expect(merged(loud, trip, loud, new Set())).toEqual(trip);
  });
});
