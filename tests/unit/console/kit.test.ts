import { describe, expect, test, vi } from 'vitest';
import { groupAlarms } from '../../../edge/web/console/alarm-groups.ts';
import type { AlarmView } from '../../../edge/web/console/api.ts';
import { LatestStore } from '../../../edge/web/console/coalesce.ts';
import { ageText, bytesText, createFormats, durationText, startOfDay } from '../../../edge/web/console/kit/formats.ts';
import { doubtfulSpans, zoneOffset } from '../../../edge/web/console/kit/series.ts';
import { friendlyUnit } from '../../../edge/web/console/kit/units.ts';
import { isTripped, valueText } from '../../../edge/web/console/kit/values.ts';
import { rulesMet } from '../../../edge/web/console/password-rules.ts';

describe('units and values', () => {
  test.each([
    ['kW.h', 'kWh', 'kWh'],
    ['V.A{reactive}', 'var', 'var'],
    ['kV.A.h{reactive}', 'kvarh', 'kvarh'],
    ['Cel', '°C', '°C'],
    ['[ppm]', 'ppm', 'ppm'],
    ['%{RH}', '%', '%'],
    ['1', '', ''],
    ['V', 'V', 'V'],
    ['m3{gas}', 'm3', 'm3'],
    ['min', '分钟', 'min'],
  ])('the unit %s is read as "%s" and "%s"', (code, zh, en) => {
    expect(friendlyUnit(code, 'zh')).toBe(zh);
    expect(friendlyUnit(code, 'en')).toBe(en);
  });

  test.each([
    [230.16, 'V', 'voltage_l1', '230.2 V'],
    [18_252.4, 'W', 'power', '18,252 W'],
    [0.256, 'A', 'current', '0.26 A'],
    [48_123.456, 'kW.h', 'energy', '48,123.5 kWh'],
    [true, '', 'smoke', 'ALARM'],
    [false, '', 'relay_1', 'off'],
    ['', '', 'clip', 'silence'],
    ['bell', '', 'clip', 'class bell'],
    [null, 'V', 'voltage', '—'],
  ])('%s %s of %s is shown as "%s"', (value, unit, point, shown) => {
    expect(valueText(value, unit, point, 'en')).toBe(shown);
  });

  test('a true of a detector means trouble, a true of a relay does not', () => {
    expect([isTripped(true, 'water_leak'), isTripped(true, 'relay_1'), isTripped(false, 'smoke')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('times', () => {
  const evening = Date.UTC(2026, 10, 22, 16, 30, 5);

  test('are those of the campus, wherever the browser is', () => {
    const shanghai = createFormats('zh', 'Asia/Shanghai');
    expect(shanghai.clock(evening)).toBe('00:30:05');
    expect(shanghai.fullDate(evening)).toBe('2026年11月23日星期一');
    expect(createFormats('en', 'Europe/London').clock(evening)).toBe('16:30:05');
  });

  test('a day begins at midnight of the campus', () => {
    expect(startOfDay(evening, 'Asia/Shanghai')).toBe(Date.UTC(2026, 10, 22, 16));
    expect(startOfDay(evening, 'America/New_York')).toBe(Date.UTC(2026, 10, 22, 5));
  });

  test.each(['Asia/Shanghai', 'UTC', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Kiritimati'])(
    'what %s is ahead of UTC is told by its midnight',
    (zone) => {
      const shifted = new Date(evening + zoneOffset(startOfDay(evening, zone)));
      expect(shifted.toISOString().slice(11, 19)).toBe(createFormats('en', zone).clock(evening));
    },
  );

  test.each([
    [1_200, '刚刚', 'just now'],
    [12_900, '12 秒前', '12 seconds ago'],
    [60_000, '1 分钟前', '1 minute ago'],
    [7_300_000, '2 小时前', '2 hours ago'],
    [200_000_000, '2 天前', '2 days ago'],
  ])('%s ms ago is said "%s" and "%s"', (ms, zh, en) => {
    expect(ageText(ms, 'zh')).toBe(zh);
    expect(ageText(ms, 'en')).toBe(en);
  });

  test('a clock that runs ahead makes no negative age, sizes are short', () => {
    expect(ageText(-90_000, 'en')).toBe('just now');
    expect(durationText(-5, 'zh')).toBe('0 秒');
    expect([0, 999, 1_234, 56_000_000, 1.5e12].map(bytesText)).toEqual(['0 B', '999 B', '1.2 kB', '56 MB', '1.5 TB']);
  });
});

describe('the store of latest readings', () => {
  function rig(limit?: number) {
    const frames: (() => void)[] = [];
    const store = new LatestStore<number>((flush) => frames.push(flush), limit);
    const next = () => {
      for (const flush of frames.splice(0)) flush();
    };
    return { store, frames, next };
  }

  test('tells a listener once a frame, of its own point alone, with the latest value', () => {
    const { store, frames, next } = rig();
    const [mine, other, all] = [vi.fn(), vi.fn(), vi.fn()];
    store.subscribe('meter/power', mine);
    store.subscribe('meter/voltage', other);
    store.subscribeAll(all);
    for (let value = 0; value < 2_000; value++) store.set('meter/power', value);
    expect(frames).toHaveLength(1);
    expect(mine).not.toHaveBeenCalled();
    next();
    expect([mine, other, all].map((listener) => listener.mock.calls.length)).toEqual([1, 0, 1]);
    expect(store.get('meter/power')).toBe(1_999);
  });

  test('costs of 2,000 points what the listeners cost, not what the points do', () => {
    const { store, next } = rig();
    const listener = vi.fn();
    for (let point = 0; point < 40; point++) store.subscribe(`device/p${point}`, listener);
    for (let second = 0; second < 10; second++) {
      for (let point = 0; point < 2_000; point++) store.set(`device/p${point}`, second);
      next();
    }
    expect(listener).toHaveBeenCalledTimes(400);
  });

  test('forgets listeners that left, and points that are gone when all are replaced', () => {
    const { store, next } = rig();
    const listener = vi.fn();
    const leave = store.subscribe('a', listener);
    store.replace([
      ['a', 1],
      ['b', 2],
    ]);
    next();
    store.replace([['b', 3]]);
    next();
    expect([store.get('a'), store.get('b'), store.size]).toEqual([undefined, 3, 1]);
    expect(listener).toHaveBeenCalledTimes(2);
    leave();
    store.set('a', 4);
    next();
    expect(listener).toHaveBeenCalledTimes(2);
  });

  test('keeps no more than its bound, and counts what it left out', () => {
    const { store } = rig(2);
    for (const key of ['a', 'b', 'c', 'a']) store.set(key, 1);
    expect([store.size, store.dropped]).toEqual([2, 1]);
  });
});

describe('a curve', () => {
  test('marks where its values are not good, to the end if need be', () => {
    const qualities = ['good', 'bad', 'uncertain', 'good', 'bad'] as const;
    const points = qualities.map((quality, index) => ({ t: index * 10, value: 1, quality }));
    expect(doubtfulSpans(points, 99)).toEqual([
      { from: 10, to: 30 },
      { from: 40, to: 99 },
    ]);
  });
});

describe('alarms', () => {
  const alarm = (id: string, more: Partial<AlarmView>): AlarmView => ({
    id,
    source: `interlock:${id}`,
    class: 'high',
    state: 'unacknowledged',
    active: true,
    message: { zh: id, en: id },
    next: { zh: id, en: id },
    raised: 1,
    count: 1,
    ...more,
  });

  test('of one device are one line, those that a cause suppresses lie under it, interlocks stand alone', () => {
    const groups = groupAlarms([
      alarm('bus', { source: 'process:fieldbus' }),
      alarm('m1', { source: 'device:m1', device: 'm1', suppressedBy: 'process:fieldbus' }),
      alarm('m2', { source: 'device:m2', device: 'm2', suppressedBy: 'process:fieldbus' }),
      alarm('cam', { source: 'device:cam', device: 'cam', class: 'low' }),
      alarm('blind', { source: 'output:cam/x', device: 'cam', class: 'medium' }),
      alarm('gate', { device: 'cam', class: 'critical' }),
    ]);
    expect(groups.map(({ head, others }) => [head.id, others.map(({ id }) => id)])).toEqual([
      ['gate', []],
      ['bus', ['m1', 'm2']],
      ['blind', ['cam']],
    ]);
  });

  test('that were seen come after those that were not; shelved and ended ones do not wait for anybody', () => {
    const groups = groupAlarms([
      alarm('seen', { state: 'acknowledged', class: 'critical' }),
      alarm('new', { class: 'low' }),
      alarm('later', { shelved: { until: 9, by: 'person:li', reason: 'x' } }),
      alarm('over', { state: 'normal' }),
    ]);
    expect(groups.map(({ head }) => head.id)).toEqual(['new', 'seen']);
  });
});

describe('rules of a new password', () => {
  test.each([
    ['Zhong-Ying-4817', { length: true, kinds: true, name: true, common: true }],
    ['short1A', { length: false, kinds: true, name: true, common: true }],
    ['onlysmallletters', { length: true, kinds: true, name: true, common: true }],
    ['onlysmall12', { length: true, kinds: false, name: true, common: true }],
    ['Wang-Min-2026!', { length: true, kinds: true, name: false, common: true }],
    ['Password-2026', { length: true, kinds: true, name: true, common: false }],
    ['1234567890', { length: true, kinds: false, name: true, common: false }],
  ])('"%s" meets %o', (password, met) => {
    expect(rulesMet(password, ['wang', 'Li'])).toEqual(met);
  });
});
