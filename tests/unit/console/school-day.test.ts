import { describe, expect, test } from 'vitest';
import type { OccurrenceView } from '../../../edge/web/console/pages/school-day/data.ts';
import { addDays, datesFrom, weekdayOf } from '../../../edge/web/console/pages/school-day/dates.ts';
import { holdsWithout } from '../../../edge/web/console/pages/school-day/holds.ts';
import { ledgerMessageText } from '../../../edge/web/console/pages/school-day/ledger-message.ts';
import {
  conflictText,
  keyText,
  ledgerReasonText,
  type Naming,
  reasonText,
  spanText,
} from '../../../edge/web/console/pages/school-day/reason-words.ts';
import { fateOf, slotAt, stretchesOf, tallyOf } from '../../../edge/web/console/pages/school-day/timeline.ts';

/* The sums and words of the page of the school day. */

const naming = (language: 'zh' | 'en'): Naming => {
  const same = (id: string) => id;
  return {
    ...{ language, entry: (id) => ({ bell: '上课铃', exam: '期中' })[id] ?? id, layer: same, zone: same, point: same },
    ...{ device: same, clip: same, mode: same, owner: same, who: (who) => who.replace('person:', '') },
    value: (_, value) => String(value),
    time: (time) => `t${time}`,
  };
};
const zh = naming('zh');

function occurrence(second: number, more: Partial<OccurrenceView> = {}): OccurrenceView {
  return {
    ...{ key: `bell@2026-11-23T${second}`, entry: 'bell', name: { zh: '铃', en: 'Bell' }, class: 'bell' },
    ...{ layer: 'campus', at: second * 1_000, date: '2026-11-23', second, do: { kind: 'sound' }, zones: [] },
    ...{ why: [], silenced: null },
    ...more,
  };
}

const slot = (id: string, from: number, to: number) => ({ id, kind: 'lesson', name: { zh: id, en: id }, from, to });

describe('the course of a day', () => {
  test('what happens just when a lesson ends belongs to what begins then', () => {
    const [a, b] = stretchesOf([slot('one', 100, 200), slot('two', 200, 300)], [occurrence(100), occurrence(200)]);
    expect(a?.occurrences.map(({ second }) => second)).toEqual([100]);
    expect(b?.occurrences.map(({ second }) => second)).toEqual([200]);
  });

  test('nothing is lost: before the first slot, between two, at a moment without length, after the last', () => {
    const slots = [slot('one', 100, 200), slot('home', 300, 300)];
    const all = [50, 150, 250, 300, 330, 500].map((second) => occurrence(second));
    const found = stretchesOf(slots, all);
    expect(found.flatMap(({ occurrences }) => occurrences.map(({ second }) => second))).toEqual([
      ...[50, 150, 250, 300, 330, 500],
    ]);
    expect(found.map((one) => one.slot?.id ?? null)).toEqual([null, 'one', null, 'home', null]);
  });

  test('slots that overlap show nothing twice', () => {
    const found = stretchesOf([slot('one', 100, 200), slot('two', 150, 250)], [occurrence(160), occurrence(210)]);
    expect(found.flatMap(({ occurrences }) => occurrences)).toHaveLength(2);
  });

  test('between two slots it is none', () => {
    expect(slotAt([slot('one', 100, 200)], 199)?.id).toBe('one');
    expect(slotAt([slot('one', 100, 200)], 200)).toBeNull();
  });

  test('what is over and has no line says so, and what is silenced says so before its time', () => {
    expect(fateOf(occurrence(100), new Map(), 200_000).kind).toBe('nothing');
    expect(fateOf(occurrence(300), new Map(), 200_000).kind).toBe('coming');
    expect(fateOf(occurrence(300, { silenced: { code: 'rainy' } }), new Map(), 200_000).kind).toBe('silenced');
  });

  test('counts by outcome, and what is under way as done', () => {
    const line = (outcome: 'begun' | 'done' | 'late' | 'skipped' | 'failed') => ({
      ...{ key: outcome, entry: 'bell', class: 'bell' as const, planned: 0, time: 0, outcome },
      ...{ reason: '', message: '', release: '' },
    });
    const all = (['begun', 'done', 'late', 'skipped', 'failed'] as const).map(line);
    expect(tallyOf(all)).toEqual({ done: 2, late: 1, skipped: 1, failed: 1 });
  });
});

describe('taking a signature back', () => {
  const signed = (id: string, from: string, to: string, time: number, undone: unknown = null) => ({
    ...{ id, from, to, time, undone },
  });

  test('tells what holds then, day by day: the one before, and nothing where there is none', () => {
    const old = signed('old', '2026-11-20', '2026-11-25', 1);
    const gone = signed('gone', '2026-11-23', '2026-11-27', 2);
    expect(holdsWithout(gone, [gone, old], '2026-11-24')).toEqual([
      { from: '2026-11-24', to: '2026-11-25', release: old },
      { from: '2026-11-26', to: '2026-11-27', release: null },
    ]);
  });

  test('what was taken back before does not come back', () => {
    const old = signed('old', '2026-11-20', '2026-11-30', 1, { by: 'person:li' });
    const gone = signed('gone', '2026-11-24', '2026-11-24', 2);
    expect(holdsWithout(gone, [gone, old], '2026-11-23')).toEqual([
      { from: '2026-11-24', to: '2026-11-24', release: null },
    ]);
  });
});

describe('the words', () => {
  test('a bell says by which slot it rings, and how long before', () => {
    const params = { zh: '第一节', en: 'Lesson 1', edge: 'start', offset: -120 };
    expect(reasonText({ code: 'slot', params }, zh)).toBe('“第一节”开始前 2 分钟');
    expect(reasonText({ code: 'slot', params }, naming('en'))).toBe('2 min before “Lesson 1” begins');
  });

  test('an unconfirmed year and a make-up day without a weekday are said', () => {
    expect(reasonText({ code: 'unconfirmed-year', params: { year: 2027 } }, zh)).toContain('2027 年放假通知还没有导入');
    expect(reasonText({ code: 'make-up-no-weekday' }, zh)).toContain('没有说明上周几的课');
  });

  test('an override says who and why', () => {
    const params = { by: 'person:li', why: '暴雨', seconds: 600 };
    expect(reasonText({ code: 'shift', params }, zh)).toBe('当天整体推迟 10 分钟：暴雨（li）');
  });

  test('a code of a newer box is shown as it is, not swallowed', () => {
    expect(reasonText({ code: 'moon' }, zh)).toContain('moon');
    expect(conflictText({ code: 'moon', date: '', of: ['bell@2026-11-23T08:00:00'] }, zh)).toContain('moon');
    expect(ledgerReasonText('toString', 'zh')).toContain('toString');
  });

  test('conflicts name what meets by its time, in whatever layer and slot', () => {
    expect(keyText('bell.lesson-3~grade-1@2026-11-23T08:05:00', zh)).toBe('上课铃 08:05');
    const of = ['bell@2026-11-23T08:05:00', 'exam'];
    expect(conflictText({ code: 'sound-in-exam', date: '', of, params: { zone: '教学楼' } }, zh)).toBe(
      '“上课铃 08:05”会在考试“期中”静音期间传到教学楼',
    );
  });

  test('what the box wrote in English is told in the language of the screen, and what is unknown is left', () => {
    expect(ledgerMessageText('0 of 2 outputs confirmed it', zh)).toBe('2 个输出中有 0 个确认');
    expect(ledgerMessageText('person:li left it out: 试卷未到', zh)).toBe('li 决定不下达：试卷未到');
    expect(ledgerMessageText('something new', zh)).toBe('something new');
  });

  test('lengths of either sign are minutes and seconds', () => {
    expect([-90, 0, 45, 600].map((seconds) => spanText(seconds, 'en'))).toEqual([
      '1 min 30 s',
      '0 s',
      '45 s',
      '10 min',
    ]);
  });
});

test('days are counted over the end of a year and a leap day', () => {
  expect(addDays('2027-12-31', 1)).toBe('2028-01-01');
  expect(datesFrom('2028-02-28', '2028-03-01')).toEqual(['2028-02-28', '2028-02-29', '2028-03-01']);
  expect([weekdayOf('2026-11-22'), weekdayOf('2026-11-23')]).toEqual([7, 1]);
});
