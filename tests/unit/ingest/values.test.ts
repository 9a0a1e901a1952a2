import { describe, expect, test } from 'vitest';
import { coerce } from '#edge/ingest/coerce.ts';
import { parseTemplate } from '#edge/ingest/conventions/ha-config.ts';
import { repairJson } from '#edge/ingest/lenient-json.ts';
import { excerptOf, valueAt } from '#edge/ingest/payload.ts';
import { judgeSourceTime, localToUtc, parseDeviceTime } from '#edge/ingest/source-time.ts';
import { converter, ucumOf } from '#edge/ingest/stated-unit.ts';
import { start } from './harness.ts';

describe('values become the declared type, or are refused', () => {
  test.each([
    [21.5, 'number', 21.5],
    ['21.5', 'number', 21.5],
    [' -3e2 ', 'number', -300],
    ['ON', 'boolean', true],
    ['off', 'boolean', false],
    [1, 'boolean', true],
    [0, 'boolean', false],
    [true, 'boolean', true],
    ['heat', 'text', 'heat'],
    [7, 'text', '7'],
  ] as const)('%j as %s is %j', (raw, type, value) => {
    expect(coerce(raw, type)).toEqual({ ok: true, value });
  });

  test.each([
    ['nan', 'number'],
    ['unavailable', 'number'],
    ['', 'number'],
    ['0x10', 'number'],
    ['12,5', 'number'],
    [true, 'number'],
    [null, 'number'],
    [[21], 'number'],
    [Number.NaN, 'number'],
    ['1e999', 'number'],
    [2, 'boolean'],
    ['maybe', 'boolean'],
    [{}, 'boolean'],
    ['x'.repeat(257), 'text'],
  ] as const)('%j as %s is refused', (raw, type) => {
    expect(coerce(raw, type).ok).toBe(false);
  });

  test('the map of a profile goes first', () => {
    const map = new Map([
      ['online', true],
      ['offline', false],
    ]);
    expect(coerce('offline', 'boolean', map)).toEqual({ ok: true, value: false });
    expect(coerce('1', 'boolean', map)).toEqual({ ok: true, value: true });
  });
});

describe('paths', () => {
  test('only own properties are found', () => {
    const root: unknown = JSON.parse('{"__proto__": {"polluted": 1}, "a": {"b": [5, 6]}, "x.y": 7}');
    expect(valueAt(root, 'a.b.1')).toBe(6);
    expect(valueAt(root, 'x.y')).toBe(7);
    expect(valueAt(root, 'polluted')).toBeUndefined();
    for (const inherited of [
      'constructor',
      'constructor.name',
      'toString',
      'a.hasOwnProperty',
      '__proto__.constructor',
    ]) {
      expect(valueAt(root, inherited)).toBeUndefined();
    }
    expect(valueAt(root, 'a.b.length.x')).toBeUndefined();
    expect(valueAt('text', 'length')).toBeUndefined();
  });

  test('templates are plain paths or nothing', () => {
    expect(parseTemplate('{{ value_json.ENERGY.Power }}')).toEqual(['ENERGY', 'Power']);
    expect(parseTemplate('{{value_json[\'a b\'].c["d"][0]}}')).toEqual(['a b', 'c', 'd', '0']);
    expect(parseTemplate('{{ value }}')).toBeNull();
    expect(parseTemplate(undefined)).toBeNull();
    for (const program of [
      '{{ value_json.a | float }}',
      '{{ value_json.a * 2 }}',
      '{% if value_json.a %}1{% endif %}',
      "{{ ''.__class__.__mro__ }}",
      '{{ value_json.a }}{{ value_json.b }}',
      42,
    ]) {
      expect(parseTemplate(program)).toBeUndefined();
    }
  });

  test('an excerpt is text of at most 1,024 bytes whatever came', () => {
    for (const payload of [Buffer.alloc(5000, 0xff), Buffer.from('é'.repeat(3000)), Buffer.from('a\u0000b')]) {
      expect(Buffer.byteLength(excerptOf(payload))).toBeLessThanOrEqual(1024);
    }
    expect(excerptOf(Buffer.from('a\u0000b\n'))).toBe('a\u{fffd}b\n');
  });
});

describe('broken JSON from microcontrollers', () => {
  test.each([
    [
      '{"DHT11":{"Temperature":nan,"Humidity":nan},"TempUnit":"C"}',
      { DHT11: { Temperature: null, Humidity: null }, TempUnit: 'C' },
    ],
    ['{"MPR":{"Button0":0,"Button12":0,},"TempUnit":"C"}', { MPR: { Button0: 0, Button12: 0 }, TempUnit: 'C' }],
    ['{"StatusSNS":{"DHT":{"Temperature":"69.8"}}', { StatusSNS: { DHT: { Temperature: '69.8' } } }],
    ['{"SML":{"in":720.2593,"curr":-821  ,"feed":0.00  }', { SML: { in: 720.2593, curr: -821, feed: 0 } }],
    ['{"ENERGY":{"Total":1.956,"Power":12', { ENERGY: { Total: 1.956 } }],
    ['{"ENERGY":{"Total":1.956,"Pow', { ENERGY: { Total: 1.956 } }],
    ['{"a":"inf, nan","b":-inf}', { a: 'inf, nan', b: null }],
  ])('%s', (text, value) => {
    expect(JSON.parse(repairJson(text))).toEqual(value);
  });

  test('what cannot be repaired stays broken', () => {
    for (const text of ['{"a":]}', '["VoltageHigh":"0"}', '{"MqttHost","m1"}', '{{{{']) {
      expect(() => JSON.parse(repairJson(text))).toThrow();
    }
  });
});

describe('units that devices state', () => {
  test('Fahrenheit becomes Celsius, watts kilowatts, and quantities do not mix', () => {
    expect(converter('[degF]', 'Cel')?.(68)).toBe(20);
    expect(converter('W', 'kW')?.(1500)).toBe(1.5);
    expect(converter('hPa', 'Cel')).toBeNull();
    expect(ucumOf('℉')).toBe('[degF]');
    expect(ucumOf('µg/m³')).toBe('ug/m3');
    expect(ucumOf('parsec')).toBeNull();
    expect(ucumOf('constructor')).toBeNull();
  });
});

describe('source times', () => {
  test('a sane one is believed, an insane one is not, and one slightly ahead is now', () => {
    expect(judgeSourceTime(undefined, start)).toEqual({ time: start, trusted: true, own: false });
    expect(judgeSourceTime(start - 3_600_000, start)).toEqual({ time: start - 3_600_000, trusted: true, own: true });
    expect(judgeSourceTime(start + 60_000, start)).toEqual({ time: start, trusted: true, own: true });
    for (const wrong of [start + 121_000, start - 8 * 86_400_000, 0, 1_790_000_000, Number.NaN]) {
      expect(judgeSourceTime(wrong, start)).toEqual({ time: start, trusted: false, own: false });
    }
  });

  test('local times are read in the zone of the campus, with or without summer time', () => {
    expect(parseDeviceTime('2026-11-20T08:00:00', 'Asia/Shanghai', start)).toBe(start);
    expect(parseDeviceTime('2026-11-20T00:00:00Z', 'Asia/Shanghai', start)).toBe(start);
    expect(parseDeviceTime('2026-11-20T08:06:00', 'Asia/Shanghai', start)).toBeNaN();
    expect(parseDeviceTime('1970-01-01T00:00:10', 'Asia/Shanghai', start)).toBeNaN();
    expect(parseDeviceTime('not a time', 'Asia/Shanghai', start)).toBeNaN();
    const summer = Date.UTC(2026, 6, 1, 12);
    expect(parseDeviceTime('2026-07-01T14:00:00', 'Europe/Berlin', summer)).toBe(summer);
  });

  test('an hour that happens twice in autumn is the one nearer to now', () => {
    const wall = Date.UTC(2026, 9, 25, 2, 30);
    const first = Date.UTC(2026, 9, 25, 0, 30);
    expect(localToUtc(wall, 'Europe/Berlin', first)).toBe(first);
    expect(localToUtc(wall, 'Europe/Berlin', first + 3_600_000)).toBe(first + 3_600_000);
  });
});
