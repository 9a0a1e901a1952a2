import { describe, expect, test } from 'vitest';
import { reasons } from '../../../edge/domain/reading.ts';
import { addressOf, hashOf } from '../../../edge/web/console/address.ts';
import type { CampusView, HistoryView } from '../../../edge/web/console/api.ts';
import { fromField, toField } from '../../../edge/web/console/field-time.ts';
import { barsOf, curveOf, summaryOf } from '../../../edge/web/console/pages/devices/curve.ts';
import { eveningOf, secondsOf } from '../../../edge/web/console/pages/devices/durations.ts';
import {
  barDetail,
  curveDetail,
  isCounterUnit,
  movedParts,
  ownParts,
  windowOf,
  zoomedParts,
} from '../../../edge/web/console/pages/devices/range.ts';
import { linesOf, matches, pruned, treeOf } from '../../../edge/web/console/pages/devices/tree.ts';
import { gravity, isSame, rollUp, troublesOf } from '../../../edge/web/console/pages/devices/troubles.ts';
import { complaintsOf, explain, worstFirst } from '../../../edge/web/console/pages/devices/why.ts';
import { whyWords } from '../../../edge/web/console/pages/devices/why-words.ts';

const named = (zh: string, en = zh) => ({ zh, en });
const device = (id: string, zone: string, space: string | null, kind = 'sensor'): CampusView['devices'][number] => ({
  id,
  name: named(id),
  zone,
  space,
  tags: [],
  protocol: 'mqtt',
  kind,
  profile: `${kind}/plain`,
  profileName: named(`型号 ${kind}`),
  adopted: false,
});
const campus: CampusView = {
  id: '1',
  name: named('校园'),
  timeZone: 'Asia/Shanghai',
  allZones: true,
  buildings: [
    {
      id: 'b1',
      name: named('教学楼'),
      floors: [
        {
          id: 'f1',
          name: named('一层'),
          spaces: [
            { id: 'r1', name: named('101') },
            { id: 'r2', name: named('102') },
          ],
        },
        { id: 'f2', name: named('二层'), spaces: [{ id: 'r3', name: named('201') }] },
      ],
    },
  ],
  zones: [
    { id: 'z1', name: named('教学区'), spaces: ['r1', 'r2', 'r3'] },
    { id: 'z2', name: named('操场'), spaces: [] },
  ],
  devices: [
    device('smoke', 'z1', 'r1'),
    device('air', 'z1', 'r1'),
    device('meter', 'z1', null, 'meter'),
    device('cam', 'z2', null, 'camera'),
  ],
  interlocks: [],
  clips: [],
  flowsEditor: false,
};
const keysOf = (lines: readonly { readonly key: string }[]) => lines.map(({ key }) => key);
const never = () => false;

describe('the tree of devices', () => {
  test('holds every device once in each grouping, and no empty rooms', () => {
    for (const grouping of ['place', 'type', 'zone'] as const) {
      const found = linesOf(treeOf(campus, grouping), never).flatMap(({ device: one }) => one?.id ?? []);
      expect(found.toSorted(), grouping).toEqual(['air', 'cam', 'meter', 'smoke']);
    }
    expect(keysOf(linesOf(treeOf(campus, 'place'), never))).not.toContain('space:r2');
  });

  test('puts what is in no room below its zone, at the end', () => {
    expect(keysOf(linesOf(treeOf(campus, 'place'), never)).slice(-5)).toEqual([
      'nowhere',
      'nowhere:z1',
      'meter',
      'nowhere:z2',
      'cam',
    ]);
  });

  test('says of each line how deep it is, its place among its siblings and its parent', () => {
    const lines = linesOf(treeOf(campus, 'place'), never);
    expect(lines.find(({ key }) => key === 'air')).toMatchObject({
      level: 4,
      position: 2,
      siblings: 2,
      parent: 'space:r1',
    });
  });

  test('hides what is below a closed branch', () => {
    expect(keysOf(linesOf(treeOf(campus, 'place'), (key) => key === 'building:b1'))).not.toContain('floor:f1');
  });

  test('is searched by name, model and place together', () => {
    const found = pruned(treeOf(campus, 'place'), (one, places) => matches(one, '教学楼 air', places));
    expect(linesOf(found, never).flatMap(({ device: one }) => one?.id ?? [])).toEqual(['air']);
  });
});

describe('troubles of devices', () => {
  const points = ['smoke/a', 'smoke/b', 'air/c'].map((id) => ({ id, device: id.split('/')[0] ?? '' }));
  const readings = new Map([
    ['smoke/a', { quality: 'uncertain' as const, reason: 'clock' }],
    ['smoke/b', { quality: 'bad' as const, reason: 'no-communication' }],
    ['air/c', { quality: 'good' as const, reason: null }],
  ]);

  test('count bad and doubtful values, keep the worst reason, and leave out who is well', () => {
    const troubles = troublesOf(points, (ref) => readings.get(ref), [
      { device: 'meter', state: 'offline' },
      { device: 'cam', state: 'online' },
    ]);
    expect([...troubles]).toEqual([
      ['smoke', { bad: 1, uncertain: 1, state: null, reason: 'no-communication' }],
      ['meter', { bad: 0, uncertain: 0, state: 'offline', reason: null }],
    ]);
    expect(rollUp(troubles, ['smoke', 'meter', 'air'])).toEqual({ devices: 2, bad: 1, uncertain: 1 });
    expect(gravity({ bad: 0, uncertain: 0, state: 'offline', reason: null })).toBeGreaterThan(
      gravity({ bad: 99, uncertain: 0, state: null, reason: null }),
    );
  });

  test('are the same while nothing but values changes', () => {
    const once = troublesOf(points, (ref) => readings.get(ref), []);
    expect(
      isSame(
        once,
        troublesOf(points, (ref) => readings.get(ref), []),
      ),
    ).toBe(true);
    expect(isSame(once, new Map())).toBe(false);
  });
});

describe('why a value is not good', () => {
  test('is told in both languages, with what to do, for every reason of the domain', () => {
    for (const language of ['zh', 'en'] as const) {
      const unknown = explain('no such reason', 'modbus', whyWords[language]);
      for (const reason of reasons) {
        for (const protocol of ['modbus', 'mqtt']) {
          const { why, what } = explain(reason, protocol, whyWords[language]);
          expect(why, reason).not.toBe('');
          expect(what, reason).not.toBe('');
          expect(why, reason).not.toBe(unknown.why);
        }
      }
    }
  });

  test('differs between who is asked and who reports by itself', () => {
    const why = (protocol: string) => explain('no-communication', protocol, whyWords.zh).why;
    expect(why('mqtt')).not.toBe(why('modbus'));
  });

  test('is said once for all values that share it, bad before doubtful', () => {
    const value = (ref: string, quality: 'good' | 'uncertain' | 'bad', reason: string | null) => ({
      ref,
      quality,
      reason,
    });
    const values = [
      value('d/a', 'uncertain', 'clock'),
      value('d/b', 'bad', 'held'),
      value('d/c', 'good', null),
      value('d/e', 'bad', 'held'),
    ];
    expect(complaintsOf(values)).toEqual([
      { quality: 'bad', reason: 'held', refs: ['d/b', 'd/e'] },
      { quality: 'uncertain', reason: 'clock', refs: ['d/a'] },
    ]);
    expect(worstFirst(values).map(({ ref }) => ref)).toEqual(['d/b', 'd/e', 'd/a', 'd/c']);
  });
});

describe('a range of time', () => {
  const now = Date.parse('2026-11-22T09:00:00Z');
  const hour = 3_600_000;
  const read = (text: string) => windowOf(new URLSearchParams(text), now);

  test('is read from the address, and what makes no sense is the last day', () => {
    expect(read('range=6h')).toEqual({ from: now - 6 * hour, to: now, range: '6h', isLive: true });
    expect(read('range=banana&to=x')).toMatchObject({ range: '24h', isLive: true });
    expect(read(`from=${now - hour}&to=${now - 2 * hour}`)).toMatchObject({ range: '24h' });
    expect(read(`range=1h&to=${now - hour}`)).toEqual({
      from: now - 2 * hour,
      to: now - hour,
      range: '1h',
      isLive: false,
    });
    expect(read(`from=${now - hour}&to=${now}`)).toMatchObject({ range: null, isLive: false });
  });

  test('moves back and forth, and is live again at the end', () => {
    const earlier = movedParts(read('range=1h'), -1, now);
    expect(earlier).toEqual({ range: '1h', from: '', to: String(now - hour) });
    expect(movedParts(read(`range=1h&to=${now - hour}`), 1, now)).toEqual({ range: '1h', from: '', to: '' });
  });

  test('zooms around its middle, never into the future, never below a minute', () => {
    expect(zoomedParts(read('range=6h'), 2, now)).toMatchObject({ to: String(now) });
    const tiny = ownParts(now - 10, now);
    expect(Number(tiny.to) - Number(tiny.from)).toBeGreaterThanOrEqual(60_000);
  });

  test('asks for samples when it is short and for as few buckets as can be told apart when it is long', () => {
    expect(curveDetail(read('range=1h'), false).step).toBe('raw');
    expect(curveDetail(read('range=24h'), false).step).toBe('auto');
    expect(curveDetail(read('range=24h'), true).step).toBe('raw');
    expect(['1h', '24h', '7d', '30d', '1y'].map((range) => barDetail(read(`range=${range}`)).step)).toEqual([
      '1min',
      '15min',
      '1d',
      '1d',
      '1d',
    ]);
  });

  test('has fields in the time of the campus wherever the browser is', () => {
    const shift = 8 * hour;
    expect(toField(now, shift)).toBe('2026-11-22T17:00');
    expect(fromField('2026-11-22T17:00', shift)).toBe(now);
    expect(fromField('', shift)).toBeNull();
  });

  test.each([
    ['kW.h', true],
    ['kV.A.h{reactive}', true],
    ['m3', true],
    ['m3/h', false],
    ['kW', false],
    ['', false],
  ])('of "%s" is drawn as what a counter rose by: %s', (unit, is) => {
    expect(isCounterUnit(unit)).toBe(is);
  });
});

describe('a curve', () => {
  const minute = 60_000;
  const bucket = (t: number, mean: number | null, more = {}) => ({
    t,
    min: mean,
    max: mean,
    mean,
    last: mean,
    count: 1,
    goodSeconds: mean === null ? 0 : 60,
    delta: null,
    ...more,
  });
  const history = (buckets: ReturnType<typeof bucket>[]): HistoryView => ({
    id: 'd/p',
    unit: 'W',
    step: '1min',
    staleAfter: 0,
    buckets,
    truncated: false,
  });

  test('breaks where buckets are missing, and is in doubt where less than half of one was good', () => {
    const points = curveOf(
      history([bucket(0, 1), bucket(2 * minute, 3, { goodSeconds: 10 }), bucket(3 * minute, null)]),
      10 * minute,
    );
    expect(points.map(({ t, value, quality }) => [t / minute, value, quality])).toEqual([
      [0, 1, 'good'],
      [1, null, undefined],
      [2, 3, 'uncertain'],
      [3, null, 'bad'],
    ]);
  });

  test('of samples holds the last value up to the end, and shows none while it was bad', () => {
    const samples = [
      { t: 0, value: true, quality: 'good' },
      { t: minute, value: true, quality: 'bad', reason: 'no-communication' },
      { t: 2 * minute, value: false, quality: 'good' },
    ];
    const raw: HistoryView = { id: 'd/p', unit: '', step: 'raw', staleAfter: 0, samples, truncated: false };
    expect(curveOf(raw, 4 * minute).map(({ t, value }) => [t / minute, value])).toEqual([
      [0, 1],
      [1, null],
      [2, 0],
      [4, 0],
    ]);
    expect(summaryOf(raw, 4 * minute).mean).toBeCloseTo(1 / 3);
  });

  test('of samples breaks where none came for longer than one stands, and does not reach the end then', () => {
    const samples = [0, 1, 5].map((at) => ({ t: at * minute, value: at, quality: 'good' }));
    const raw: HistoryView = { id: 'd/p', unit: 'W', step: 'raw', staleAfter: 2 * minute, samples, truncated: false };
    expect(curveOf(raw, 9 * minute).map(({ t, value }) => [t / minute, value])).toEqual([
      [0, 0],
      [1, 1],
      [3, 1],
      [3 + 1 / minute, null],
      [5, 5],
      [7, 5],
      [7 + 1 / minute, null],
    ]);
  });

  test('of a counter is in doubt from a pause to the bar that holds what was used meanwhile', () => {
    const counter = history([
      bucket(0, 5, { delta: 1 }),
      bucket(3 * minute, 9, { delta: 4 }),
      bucket(4 * minute, 10, { delta: 1 }),
    ]);
    expect(barsOf(counter).map(({ t, value, quality }) => [t / minute, value, quality])).toEqual([
      [0, 1, 'good'],
      [1, null, 'bad'],
      [3, 4, 'uncertain'],
      [4, 1, 'good'],
    ]);
  });

  test('of a counter is what it rose by, with its total', () => {
    const counter = history([
      bucket(0, 5, { delta: 1.5 }),
      bucket(minute, 7, { delta: 2 }),
      bucket(2 * minute, null, { delta: null }),
    ]);
    expect(barsOf(counter).map(({ value }) => value)).toEqual([1.5, 2, null]);
    expect(summaryOf(counter, 3 * minute).total).toBe(3.5);
  });

  test('has a mean over time, not over buckets', () => {
    expect(
      summaryOf(history([bucket(0, 10, { goodSeconds: 60 }), bucket(minute, 20, { goodSeconds: 20 })]), 5 * minute),
    ).toMatchObject({ min: 10, max: 20, mean: 12.5 });
  });
});

describe('how long an output is held', () => {
  const midnight = 0;
  const at = (hours: number) => hours * 3_600_000;

  test('is until 18:00 only while that is still to come', () => {
    expect(eveningOf(at(9), midnight)).toBe(at(18));
    expect(eveningOf(at(17.9), midnight)).toBeNull();
    expect(secondsOf('evening', null, at(9), midnight)).toBe(9 * 3_600);
  });

  test('is a day at most, and nothing when it makes no sense', () => {
    expect(secondsOf('custom', 90, 0, 0)).toBe(5_400);
    for (const minutes of [0, 1_441, null, Number.NaN]) expect(secondsOf('custom', minutes, 0, 0)).toBeNull();
  });
});

test('an address carries the view and can be read again', () => {
  const hash = hashOf('/points/a/b', { range: '24h', with: 'c/d,e/f', to: '' });
  expect(hash).toBe('#/points/a/b?range=24h&with=c/d,e/f');
  const { path, query } = addressOf(hash.slice(1));
  expect([path, query.get('with')]).toEqual(['/points/a/b', 'c/d,e/f']);
});
