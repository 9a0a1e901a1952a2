import { describe, expect, test } from 'vitest';
import { editWords } from '#edge/web/console/pages/power/edit-words.ts';
import { emptyPower, learnedRate, missing, newId, ready } from '#edge/web/console/pages/power/form.ts';
import { barsOf, hoursOf, placeOn } from '#edge/web/console/pages/power/grid.ts';
import { decisionAt, endOfSchool, nextClock, presetsOf } from '#edge/web/console/pages/power/hold.ts';
import { changed, merged, mergeOf } from '#edge/web/console/pages/power/merge.ts';
import { inOneLine, linesOf } from '#edge/web/console/pages/power/reasons.ts';
import { fits, soughtOf } from '#edge/web/console/pages/power/rows.ts';
import type { PowerBody, Slot } from '#edge/web/console/pages/power/shapes.ts';
import {
  added,
  copied,
  flatten,
  grouped,
  moved,
  onDay,
  replaced,
  type Stretch,
  secondAt,
  secondOf,
  stretched,
  timeText,
} from '#edge/web/console/pages/power/stretches.ts';
import { words } from '#edge/web/console/pages/power/words.ts';

/* The power page's sums: bars on days, stretches that are drawn, until when something is held, what two people changed. */

const hour = 3_600_000;
const midnight = Date.UTC(2026, 10, 23) - 8 * hour;
const day = { from: midnight, to: midnight + 24 * hour };
const need = (from: number, to: number, due = from) => ({
  ...{ from: midnight + from * hour, to: midnight + to * hour, due: midnight + due * hour, why: [] },
});
const power: PowerBody = { ...emptyPower, name: { zh: '照明', en: 'Light' }, outputs: ['relay-1/relay_1'] };
const prepare: NonNullable<(typeof power)['prepare']> = {
  ...{ temperature: 'climate/temperature', mode: 'heat', setpoint: 20, tolerance: 1, rate: 4, earliest: 90 },
};

describe('a day of the grid', () => {
  test('shows when a circuit is needed, cut at midnight', () => {
    const bars = barsOf(power, [need(-2, 1), need(8, 12), need(22, 26)], day);
    expect(bars.map(({ look, from, to }) => [look, from * 24, to * 24])).toEqual([
      ['on', 0, 1],
      ['on', 8, 12],
      ['on', 22, 24],
    ]);
  });

  test('shows before it when it may be made ready, from when it must be ready on', () => {
    const bars = barsOf({ ...power, prepare }, [need(8, 12, 8.5)], day);
    expect(bars.map(({ look, from, to }) => [look, from * 24, to * 24])).toEqual([
      ['prepare', 7, 8],
      ['on', 8, 12],
    ]);
  });

  test('marks what depends on who is there as an assumption', () => {
    const occupancy = { ref: 'pir/occupancy', offAfter: 10, toStart: 'needed' } as const;
    expect(barsOf({ ...power, occupancy }, [need(8, 12)], day)[0]?.look).toBe('assumed');
  });

  test('adds up hours within the days that are shown, and knows where now is', () => {
    const other = { from: day.to, to: day.to + 24 * hour };
    expect(hoursOf([need(8, 12), need(22, 26), need(60, 61)], [day, other])).toEqual({ on: 8, all: 48 });
    expect([placeOn(midnight + 6 * hour, day), placeOn(day.to, day)]).toEqual([0.25, null]);
  });
});

describe('stretches of a week', () => {
  const weekly = [
    { days: [1, 2, 3], from: 28_800, to: 43_200 },
    { days: [1], from: 50_400, to: 61_200 },
  ] as PowerBody['weekly'];

  test('are one a day while they are drawn, and grouped again when they are kept', () => {
    expect(flatten(weekly).map((one) => one.day)).toEqual([1, 1, 2, 3]);
    expect(grouped(flatten(weekly))).toEqual(weekly);
  });

  test('that touch become one, and leave other days alone', () => {
    const all = added(flatten(weekly), { day: 1, from: 43_200, to: 50_400 });
    expect(all.filter((one) => one.day === 1)).toEqual([{ day: 1, from: 28_800, to: 61_200 }]);
    expect(all).toHaveLength(3);
    expect(added(all, { day: 5, from: 3_600, to: 3_600 })).toEqual(all);
  });

  test('move and stretch within their day only', () => {
    const one: Stretch = { day: 7, from: 80_000, to: 86_000 };
    expect(moved(one, 3_600)).toEqual({ day: 7, from: 80_400, to: 86_400 });
    expect(moved(one, -90_000).from).toBe(0);
    expect(stretched(one, 'to', 3_600).to).toBe(86_400);
    expect(stretched(one, 'from', 90_000).from).toBe(85_100);
    expect([onDay(one, 1).day, onDay(one, -1).day]).toEqual([7, 6]);
    expect(replaced([one], one, { ...one, day: 6 })).toEqual([{ ...one, day: 6 }]);
    expect(copied([one], one, [1, 2]).map((each) => each.day)).toEqual([1, 2, 7]);
  });

  test('are read and written as a clock shows them; the end of the day is 24:00', () => {
    expect([timeText(23_400), timeText(86_400)]).toEqual(['06:30', '24:00']);
    expect(['6:30', '24:00', '0:00', '25:00', '7:60', 'noon'].map((text) => secondOf(text, 'to'))).toEqual([
      ...[23_400, 86_400, 86_400, null, null, null],
    ]);
    expect(secondOf('0:00', 'from')).toBe(0);
    expect([secondAt(0.5), secondAt(0.3337), secondAt(2)]).toEqual([43_200, 28_800, 86_400]);
  });
});

describe('holding for a while', () => {
  const slot = (id: string, kind: Slot['kind'], from: number, to: number): Slot => ({
    ...{ id, kind, name: { zh: id, en: id }, from: from * 3_600, to: to * 3_600 },
  });
  const slots = [
    slot('lesson-1', 'lesson', 8, 9),
    slot('lesson-2', 'lesson', 9, 10),
    slot('study', 'evening-study', 19, 20),
  ];

  test('may end with the lesson, after an hour, with the school day', () => {
    const at = midnight + 8.5 * hour;
    expect(presetsOf(slots, at, midnight).map(({ name, until }) => [name, (until - midnight) / hour])).toEqual([
      ...[
        ['lesson', 9],
        ['hour', 9.5],
        ['school', 10],
      ],
    ]);
    expect(presetsOf(slots, midnight + 12 * hour, midnight).map(({ name }) => name)).toEqual(['hour']);
    expect(presetsOf([], at, midnight).map(({ name }) => name)).toEqual(['hour']);
    expect(endOfSchool([...slots, slot('home', 'dismissal', 16, 17)])).toBe(16 * 3_600);
  });

  test('until a time of the clock is today, or tomorrow when it is past', () => {
    expect(nextClock('20:00', midnight + 10 * hour, midnight)).toBe(midnight + 20 * hour);
    expect(nextClock('08:00', midnight + 10 * hour, midnight)).toBe(midnight + 32 * hour);
    expect([nextClock('24:00', midnight, midnight), nextClock('soon', midnight, midnight)]).toEqual([null, null]);
  });

  test('is followed by what the schedule will want then', () => {
    const decision = { value: true, on: true, why: [], since: 0, until: null };
    const off = { ...decision, value: false, on: false };
    const circuit = { decision, next: [{ at: 100, decision: off }] };
    expect([decisionAt(circuit, 99).on, decisionAt(circuit, 100).on]).toEqual([true, false]);
  });
});

describe('two people at one entry', () => {
  const mine: PowerBody = { ...power, minimumOn: 5, months: [11] };
  const theirs: PowerBody = { ...power, minimumOn: 10, layer: 'kindergarten' };

  test('each keeps what he alone changed, and somebody chooses where both did', () => {
    expect(mergeOf(power, mine, theirs)).toEqual({ conflicts: ['minimumOn'], theirs: ['layer'], mine: ['months'] });
    expect(merged(power, mine, theirs, {})).toEqual({ ...power, minimumOn: 5, months: [11], layer: 'kindergarten' });
    expect(merged(power, mine, theirs, { minimumOn: 'theirs' }).minimumOn).toBe(10);
  });

  test('who changed the same to the same are of one mind', () => {
    expect(mergeOf(power, { ...power, minimumOff: 3 }, { ...power, minimumOff: 3 }).conflicts).toEqual([]);
    expect(changed(power, { ...power, days: { weekdays: [], kinds: [] } })).toEqual([]);
  });
});

describe('what people type', () => {
  const text = '203 教室照明 light, room 203 教学楼 二层 照明 灯 电灯 light lamp';

  test('is looked for as they mean it: by room and thing, in a question too', () => {
    for (const question of ['203 灯', '203的灯为什么开着？', '教室灯', 'why is the light in room 203 on?', 'Light 203'])
      expect(fits(text, soughtOf(question)), question).toBe(true);
    for (const other of ['204 灯', '203 空调', 'projector']) expect(fits(text, soughtOf(other)), other).toBe(false);
  });
});

describe('why', () => {
  const formats = { moment: () => '08:30:00', shortTime: () => '08:30' };
  const speech = { say: words.zh, language: 'zh', formats, now: 0 } as const;
  const slot = (zh: string) => ({ code: 'slot', params: { zh, en: zh, id: 'x' } });

  test('names the first slots of a stretch, and then what the sensors say', () => {
    const why = [slot('早读'), slot('第一节'), slot('课间'), slot('第二节'), { code: 'occupied' }];
    expect(inOneLine(why, speech)).toBe('正在用电时段：早读、第一节、课间等 4 段连在一起，传感器：有人');
    expect(linesOf([{ code: 'time', params: { from: 28_800, to: 86_400 } }], speech)[0]?.text).toBe(
      '每周定时：08:00 到 24:00',
    );
    expect(inOneLine([{ code: 'minimum-on', params: { until: 5 } }], speech)).toContain('08:30');
    expect(inOneLine([{ code: 'something-new' }], speech)).toContain('something-new');
  });
});

describe('the form', () => {
  test('says what is missing, and takes one name for both languages', () => {
    expect(missing(emptyPower, editWords.zh)).toEqual([editWords.zh.needName, editWords.zh.needOutputs]);
    expect(missing(power, editWords.zh)).toEqual([]);
    expect(missing({ ...power, off: true, prepare: { ...prepare, temperature: '' } }, editWords.zh)).toHaveLength(2);
    expect(ready({ ...power, name: { zh: ' 灯 ', en: '' } }).name).toEqual({ zh: '灯', en: '灯' });
  });

  test('gives a new entry an id that no other has', () => {
    expect(newId('Light, Room 203', new Set())).toBe('power-light-room-203');
    expect(newId('照明', new Set(['power', 'power-2']))).toBe('power-3');
  });

  test('tells the pace that the next start reckons with: the slowest', () => {
    expect([learnedRate(undefined), learnedRate([]), learnedRate([{ pace: 10 }, { pace: 20 }])]).toEqual([
      null,
      null,
      3,
    ]);
  });
});
