import { describe, expect, test } from 'vitest';
import { clockOf, secondOfClock } from '#edge/school/dates.ts';
import { occurrencesOf } from '#edge/school/occurrences.ts';
import { dayOf } from '#edge/school/resolve-day.ts';
import { itemsFromRows, occurrenceRows, timetableFromRows, timetableRows } from '#edge/school/school-table.ts';
import { daysRows, paintedFromRows } from '#edge/school/table-days.ts';
import { layOut, movePiece, pinPiece, resizePiece } from '#edge/school/timetable.ts';
import { usualNumbers, usualTimetable } from '#edge/school/usual-timetable.ts';
import { both, days, hour, override, plan, timetable } from './school-plan.ts';

const name = both('Usual');
const told = (of: Parameters<typeof layOut>[0]) =>
  layOut(of).slots.map(({ id, from, to }) => `${clockOf(from).slice(0, 5)}-${clockOf(to).slice(0, 5)} ${id}`);
const times = (rows: readonly (readonly string[])[]) => rows.map((cells, n) => ({ line: n + 1, cells }));

describe('a usual timetable', () => {
  test('of a junior school follows from its numbers', () => {
    expect(told(usualTimetable(name, usualNumbers.junior))).toEqual([
      ...['07:40-08:00 reading', '08:00-08:45 lesson-1', '08:45-09:00 break-1', '09:00-09:45 lesson-2'],
      ...[
        '09:45-10:15 break-2',
        '10:15-11:00 lesson-3',
        '11:00-11:10 break-3',
        '11:10-11:15 eye-1',
        '11:15-12:00 lesson-4',
      ],
      ...[
        '12:00-12:50 lunch',
        '14:00-14:45 lesson-5',
        '14:45-14:55 break-5',
        '14:55-15:00 eye-2',
        '15:00-15:45 lesson-6',
      ],
      ...['15:45-16:00 break-6', '16:00-16:45 lesson-7', '16:45-17:45 activity', '17:45-17:45 dismissal'],
    ]);
  });

  test.each(['primary', 'junior', 'senior'] as const)(
    'of a %s school fits its day, and begins no lesson before it may',
    (stage) => {
      const usual = usualTimetable(name, usualNumbers[stage]);
      const { slots, mistakes } = layOut(usual);
      expect(mistakes).toEqual([]);
      expect(new Set(slots.map(({ id }) => id)).size).toBe(slots.length);
      const first = slots.find(({ kind }) => kind === 'lesson')?.from ?? 0;
      expect(first).toBeGreaterThanOrEqual(stage === 'primary' ? 8 * hour + 1_200 : 8 * hour);
      expect(slots.filter(({ kind }) => kind === 'eye-exercise')).toHaveLength(2);
    },
  );

  test('that does not fit says so', () => {
    const { mistakes } = layOut(usualTimetable(name, { ...usualNumbers.junior, lessonsAm: 7 }));
    expect(mistakes.map(({ code }) => code)).toEqual(['slots-overlap']);
  });
});

describe('a piece', () => {
  const usual = usualTimetable(name, usualNumbers.junior);

  test('that is moved takes those after it along, up to the next pinned one', () => {
    const moved = movePiece(usual, 'lesson-3', 10.5 * hour);
    const lines = moved === null ? [] : told(moved);
    expect(lines.slice(4, 7)).toEqual(['09:45-10:30 break-2', '10:30-11:15 lesson-3', '11:15-11:25 break-3']);
    expect(lines).toContain('12:15-13:05 lunch');
    expect(lines).toContain('14:00-14:45 lesson-5');
  });

  test('first in the day moves the start, and a pinned one its pin', () => {
    expect(movePiece(usual, 'reading', 7 * hour)?.start).toBe(7 * hour);
    const pinned = movePiece(usual, 'lesson-5', 14.5 * hour);
    expect(pinned === null ? [] : told(pinned)).toContain('16:30-17:15 lesson-7');
  });

  test('cannot begin before the one before it began', () => {
    expect(movePiece(usual, 'lesson-3', 9 * hour)).toBe(null);
    expect(movePiece(usual, 'nothing', 9 * hour)).toBe(null);
  });

  test('that lasts longer moves what follows; pinned, it stays until it is let go', () => {
    const longer = resizePiece(usual, 'break-1', 25);
    expect(longer === null ? [] : told(longer)).toContain('09:10-09:55 lesson-2');
    expect(resizePiece(usual, 'break-1', -1)).toBe(null);
    const pinned = pinPiece(usual, 'lesson-2', 9.25 * hour);
    expect(pinned === null ? [] : told(pinned)).toContain('09:15-10:00 lesson-2');
    const free = pinned === null ? null : pinPiece(pinned, 'lesson-2', null);
    expect(free).toEqual(usual);
  });

  test('that reaches past midnight or overlaps is a mistake that is named', () => {
    const late = { start: 23 * hour, pieces: [{ id: 'a', kind: 'lesson' as const, name, minutes: 90 }] };
    expect(layOut(late).mistakes).toEqual([
      { path: 'pieces[0]', code: 'past-midnight', params: { piece: 'a', to: 24.5 * hour } },
    ]);
  });
});

describe('a table', () => {
  test('of a timetable comes back as it was', () => {
    for (const stage of ['primary', 'junior', 'senior'] as const) {
      const usual = usualTimetable(name, usualNumbers[stage]);
      expect(timetableFromRows(times(timetableRows(usual)), name).value).toEqual(usual);
    }
  });

  test('of a timetable may have its columns in any order and a gap, which pins what follows', () => {
    const rows = [
      ['To', 'Kind', 'From', 'zh'],
      ['8:40', 'lesson', '8:00', '第一节'],
      ['', '', '', ''],
      ['9:30', 'lesson', '8:50', ''],
    ];
    expect(timetableFromRows(times(rows), name).value).toEqual({
      ...{ part: 'timetable', name, start: 8 * hour },
      pieces: [
        { id: 'lesson-1', kind: 'lesson', name: both('第一节'), minutes: 40 },
        { id: 'lesson-2', kind: 'lesson', name: both('lesson-2'), minutes: 40, at: 8 * hour + 3_000 },
      ],
    });
  });

  test('of a timetable with mistakes names row and column', () => {
    const rows = [
      ['kind', 'from', 'to'],
      ['lesson', '8:00', '7:00'],
      ['lessons', '9', '10:00'],
      ['lesson', '7:30', '8:30'],
    ];
    expect(
      timetableFromRows(times(rows), name).mistakes?.map(({ line, column, code }) => `${line} ${column} ${code}`),
    ).toEqual([...['2 to ends-before', '3 kind unknown-word', '3 from not-a-time']]);
    expect(timetableFromRows(times([['kind']]), name).mistakes?.map(({ column }) => column)).toEqual(['from', 'to']);
  });

  test('of a day comes back as items of that date, without what was not done', () => {
    const skip = override({ kind: 'skip', key: 'bell.lesson-1@2026-11-09T08:00:00' }, '2026-11-09');
    const rows = occurrenceRows(occurrencesOf(plan(), '2026-11-09', [skip]));
    expect(rows[1]?.[11]).toBe('skipped');
    const moved = rows.map((cells) => cells.map((cell) => (cell === '2026-11-09' ? '2026-11-20' : cell)));
    const drafts = itemsFromRows(times(moved), { weekdays: [] }, 'campus').value ?? [];
    expect(
      drafts.map(({ line, item }) => [line, item.when, item.do.kind === 'sound' ? item.do.zones.length : 0]),
    ).toEqual([[3, { at: 8 * hour + 3_000 }, 4]]);
    const entries = Object.fromEntries(drafts.map(({ item }, n) => [`row-${n}`, item]));
    const school = plan({ ...entries, other: timetable(10 * hour) });
    expect(occurrencesOf(school, '2026-11-20', []).map(({ entry }) => entry)).toContain('row-0');
    expect(occurrencesOf(school, '2026-11-19', []).map(({ entry }) => entry)).not.toContain('row-0');
    const bad = [
      ['time', 'zh', 'class', 'clip', 'seconds'],
      ['25:00', '', 'ring', 'x', '-1'],
    ];
    expect(itemsFromRows(times(bad), { weekdays: [] }, 'campus').mistakes?.map(({ column }) => column)).toEqual([
      'time',
      'class',
      'seconds',
      'zh',
    ]);
  });

  test('of a school office are read as it writes them: heads, kinds and weekdays in Chinese', () => {
    const rows = [
      ['时间', '名称', '类别', '曲目', '时长', '音量', '星期', '单双周'],
      ['7:50', '预备铃', '打铃', 'bell', '10', '0.6', '周一至周五', ''],
      ['10:00', '眼保健操', '操', 'eyes', '300', '', '一三五', '单'],
    ];
    const items = itemsFromRows(times(rows), { weekdays: [] }, 'campus').value ?? [];
    expect(items.map(({ item }) => [item.class, item.days, item.do])).toEqual([
      [
        'bell',
        { kinds: [], weekdays: [1, 2, 3, 4, 5] },
        { kind: 'sound', clip: 'bell', zones: [], seconds: 10, volume: 0.6 },
      ],
      [
        'exercise',
        { kinds: [], weekdays: [1, 3, 5], parity: 'odd' },
        { kind: 'sound', clip: 'eyes', zones: [], seconds: 300 },
      ],
    ]);
    const usual = usualTimetable(name, usualNumbers.junior);
    expect(timetableRows(usual, 'zh')[0]).toEqual(['编号', '类型', '名称', '英文名称', '开始', '结束', '固定']);
    expect(timetableFromRows(times(timetableRows(usual, 'zh')), name).value).toEqual(usual);
    expect(
      itemsFromRows(
        times([...rows, ['8:00', 'x', '打铃', 'bell', '1', '2', '周八', '三']]),
        { weekdays: [] },
        'campus',
      ),
    ).toEqual({
      mistakes: [
        { line: 4, column: 'volume', code: 'not-a-number', cell: '2' },
        { line: 4, column: 'weekdays', code: 'unknown-word', cell: '周八' },
        { line: 4, column: 'parity', code: 'unknown-word', cell: '三' },
      ],
    });
  });

  test('of the calendar are painted days, with whose lessons a make-up day has', () => {
    const rows = [
      ['日期', '结束', '类型', '名称', '按周几课表'],
      ['2026-12-05', '', '调休上课', '补课', '周三'],
      ['2026-12-07', '2026-12-09', '考试', '月考', ''],
    ];
    expect(paintedFromRows(times(rows), 'campus').value?.map(({ days }) => days)).toEqual([
      {
        ...{ part: 'days', name: both('补课'), layer: 'campus', from: '2026-12-05', to: '2026-12-05' },
        ...{ kind: 'make-up', useWeekday: 3 },
      },
      { part: 'days', name: both('月考'), layer: 'campus', from: '2026-12-07', to: '2026-12-09', kind: 'exam' },
    ]);
    const wrong = [rows[0] ?? [], ['2026-12-32', '', '放羊', '', '一二']];
    expect(paintedFromRows(times(wrong), 'campus').mistakes?.map(({ column, code }) => `${column} ${code}`)).toEqual([
      ...['date not-a-date', 'kind unknown-word', 'weekday unknown-word', 'zh empty'],
    ]);
    const told = daysRows([dayOf(plan({ fair: days('2026-11-09') }), '2026-11-09', 'campus')], 'zh');
    expect(told[1]).toEqual([
      ...['2026-11-09', '周一', '活动', 'Day 2026-11-09', 'Day 2026-11-09', '', '11', '单周', '', ''],
    ]);
  });

  test('times are read as people write them', () => {
    expect([secondOfClock('8:05'), secondOfClock(' 23:59:59 '), secondOfClock('24:00'), secondOfClock('8.05')]).toEqual(
      [...[8 * hour + 300, 86_399, null, null]],
    );
  });
});
