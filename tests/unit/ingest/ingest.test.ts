import { describe, expect, test } from 'vitest';
import { encodeSamples } from '#edge/bus/codec.ts';
import { samplesTopic } from '#edge/bus/topics.ts';
import type { Point } from '#edge/domain/device.ts';
import type { DeviceId, PointName, PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { bench, brief, devices, driverDevice, start } from './harness.ts';

const meter = (...points: readonly Partial<Point>[]) => bench([driverDevice('meter-1', points)]);
const named = (name: string, rest: Partial<Point> = {}): Partial<Point> => ({ name: name as PointName, ...rest });
const topic = samplesTopic('meter-1' as DeviceId);
const samples = (value: unknown, t?: number) => ({ ...(t === undefined ? {} : { t }), s: [['value', value]] });

describe('what is new is told', () => {
  test('every point is bad/never-read until it is heard', () => {
    const { ingest, latest } = meter(named('value'), named('other'));
    expect(brief([...ingest.latest().values()])).toEqual([
      'meter-1/value  bad never-read',
      'meter-1/other  bad never-read',
    ]);
    ingest.acceptSamples('meter-1' as DeviceId, [{ point: 'value' as PointName, value: 5, quality: 'good' }]);
    expect(latest('meter-1/value')).toMatchObject({
      value: 5,
      quality: 'good',
      sourceTime: start,
      receivedTime: start,
    });
  });

  test('a message of the codec gives one reading per sample with both times', () => {
    const { send, clock } = meter(named('power', { unit: 'W' }), named('state', { type: 'boolean', unit: '' }));
    clock.advance(1_000);
    const point = (name: string) => name as PointName;
    const message = encodeSamples(
      [
        { point: point('power'), value: 12.5, quality: 'good' },
        { point: point('state'), value: true, quality: 'uncertain', reason: 'not-accurate' },
      ],
      start,
    );
    const { readings } = send(topic, message);
    expect(readings).toEqual([
      expect.objectContaining({
        ref: 'meter-1/power',
        value: 12.5,
        unit: 'W',
        quality: 'good',
        sourceTime: start,
        receivedTime: start + 1_000,
      }),
      expect.objectContaining({ ref: 'meter-1/state', value: true, quality: 'uncertain', reason: 'not-accurate' }),
    ]);
  });

  test('a change below the deadband is not, measured from what was told last', () => {
    const { send, clock, ingest } = meter(named('value', { deadband: 0.5, staleAfter: 600_000 }));
    const told: unknown[] = [];
    for (const value of [20, 20.2, 20.4, 20.5, 20.9, 21]) {
      clock.advance(1_000);
      told.push(...send(topic, samples(value)).readings.map((reading) => reading.value));
    }
    expect(told).toEqual([20, 20.5, 21]);
    expect(ingest.counts().unchanged).toBe(3);
  });

  test('an unchanged value is told again every minute, or twice within its staleness', () => {
    for (const [staleAfter, every] of [
      [600_000, 60_000],
      [30_000, 15_000],
      [0, 60_000],
    ] as const) {
      const { send, clock } = meter(named('value', { staleAfter }));
      const told: number[] = [];
      for (let t = 0; t <= 120_000; t += 5_000) {
        if (send(topic, samples(7)).readings.length > 0) told.push(t);
        clock.advance(5_000);
      }
      expect(told).toEqual(Array.from({ length: 120_000 / every + 1 }, (_, i) => i * every));
    }
  });

  test('true and false are told on every change, and a change of quality is one', () => {
    const { send, clock } = meter(named('value', { type: 'boolean', unit: '' }));
    const told = [true, true, false, 'ON', null].flatMap((value) => {
      clock.advance(1_000);
      const s = value === null ? [['value', null, 'bad', 'communication-error']] : [['value', value]];
      return brief(send(topic, { s }).readings);
    });
    expect(told).toEqual([
      'meter-1/value true good',
      'meter-1/value false good',
      'meter-1/value true good',
      'meter-1/value true bad communication-error',
    ]);
  });

  test('a value outside its range is uncertain but told', () => {
    const { send } = meter(named('value', { range: [0, 300] }));
    expect(brief(send(topic, samples(230)).readings)).toEqual(['meter-1/value 230 good']);
    expect(brief(send(topic, samples(6553.5)).readings)).toEqual(['meter-1/value 6553.5 uncertain out-of-range']);
  });

  test('text for a number is a device failure that keeps the last usable value and its time', () => {
    const { send, clock } = meter(named('value'));
    send(topic, samples(5));
    clock.advance(1_000);
    const [reading] = send(topic, samples('nan')).readings;
    expect(reading).toMatchObject({
      value: 5,
      quality: 'bad',
      reason: 'device-failure',
      sourceTime: start,
      receivedTime: start + 1_000,
    });
    clock.advance(1_000);
    expect(send(topic, samples('nan')).readings).toEqual([]);
  });
});

describe('silence is known', () => {
  test('a value turns uncertain, then bad, keeps its source time, and each is told once', () => {
    const { send, wait } = meter(named('value', { staleAfter: 30_000 }), named('event-like', { staleAfter: 0 }));
    send(topic, {
      s: [
        ['value', 5],
        ['event-like', 1],
      ],
    });
    expect(wait(30_000)).toEqual([]);
    const [stale] = wait(1_000);
    expect(stale).toMatchObject({
      value: 5,
      quality: 'uncertain',
      reason: 'last-usable-value',
      sourceTime: start,
      receivedTime: start + 31_000,
    });
    expect(wait(60_000)).toEqual([]);
    expect(brief(wait(30_000))).toEqual(['meter-1/value 5 bad no-communication']);
    expect(wait(600_000)).toEqual([]);
    expect(brief(send(topic, samples(5)).readings)).toEqual(['meter-1/value 5 good']);
  });

  test('an unchanged value that is heard is not stale', () => {
    const { send, wait } = meter(named('value', { staleAfter: 30_000 }));
    for (let i = 0; i < 20; i++) {
      send(topic, samples(5));
      expect(wait(20_000)).toEqual([]);
    }
  });

  test('setting the clock makes nothing stale and nothing late', () => {
    const { send, clock, wait, latest } = meter(named('value', { staleAfter: 30_000 }));
    send(topic, samples(5));
    clock.step(3_600_000);
    expect(wait(1_000)).toEqual([]);
    clock.step(-7_200_000);
    expect(wait(1_000)).toEqual([]);
    expect(brief(send(topic, samples(6)).readings)).toEqual(['meter-1/value 6 good']);
    expect(latest('meter-1/value')?.sourceTime).toBe(clock.now());
  });

  test('old news is as old as it says', () => {
    const { send, wait } = meter(named('value', { staleAfter: 30_000 }));
    expect(brief(send(topic, samples(5, start - 3_600_000)).readings)).toEqual(['meter-1/value 5 good']);
    expect(brief(wait(1))).toEqual(['meter-1/value 5 bad no-communication']);
  });

  test('when a driver process dies all its points are bad, and the next value heals', () => {
    const { send, ingest, latest } = meter(named('value'), named('other'));
    send(topic, samples(5));
    const marked = ingest.markDevices(['meter-1' as DeviceId, 'nobody' as DeviceId], 'no-communication');
    expect(brief(marked)).toEqual(['meter-1/value 5 bad no-communication', 'meter-1/other  bad no-communication']);
    expect(ingest.markDevices(['meter-1' as DeviceId], 'no-communication')).toEqual([]);
    send(topic, samples(5));
    expect(latest('meter-1/value')).toMatchObject({ value: 5, quality: 'good' });
  });
});

describe('a restart', () => {
  const before: Reading = {
    ref: 'meter-1/value' as PointRef,
    device: 'meter-1' as DeviceId,
    point: 'value' as PointName,
    value: 41,
    unit: 'kW.h',
    quality: 'good',
    sourceTime: start - 5_000,
    receivedTime: start - 5_000,
  };
  const point = named('value', { unit: 'kW.h', staleAfter: 30_000, counter: { wrap: 1e6, maxRate: 120 } });

  test('everything is a last usable value until it is heard again', () => {
    const { ingest, wait } = meter(point, named('other'));
    expect(brief(ingest.restore([before]))).toEqual([
      'meter-1/value 41 uncertain last-usable-value',
      'meter-1/other  bad never-read',
    ]);
    expect(wait(89_000)).toEqual([]);
    expect(brief(wait(2_000))).toEqual(['meter-1/value 41 bad no-communication']);
  });

  test('a resent value heals, and counters go on from where they were', () => {
    const { ingest, send, clock } = meter(point);
    ingest.restore([before]);
    clock.advance(1_000);
    expect(brief(send(topic, samples(41, before.sourceTime)).readings)).toEqual(['meter-1/value 41 good']);
    clock.advance(1_000);
    expect(brief(send(topic, samples(3)).readings)).toEqual(['meter-1/value 41 uncertain counter-step']);
  });

  test('readings of points that are gone, of another type or unit are left out', () => {
    const { ingest } = meter(point);
    const gone = { ...before, ref: 'meter-1/gone' as PointRef };
    const restored = ingest.restore([gone, { ...before, value: true }, { ...before, unit: 'W' }]);
    expect(brief(restored)).toEqual(['meter-1/value  bad never-read']);
  });
});

describe('resent, late and mistimed', () => {
  test('a QoS 1 resend is dropped', () => {
    const { send, clock, ingest } = meter(named('value'));
    for (const [value, t] of [
      [5, start],
      [6, start + 1_000],
      [5, start],
      [6, start + 1_000],
    ] as const) {
      clock.advance(1_500);
      send(topic, samples(value, t));
    }
    expect(ingest.counts()).toMatchObject({ readings: 2, duplicates: 2 });
  });

  test('late samples are history and do not replace a newer latest', () => {
    const { send, clock, latest } = meter(named('value', { range: [0, 10] }));
    clock.advance(3_600_000);
    send(topic, samples(5, clock.now()));
    const late = send(topic, {
      s: [
        ['value', 1, 'good', null, start],
        ['value', 99, 'good', null, start + 60_000],
      ],
    });
    expect(late.readings).toEqual([]);
    expect(brief(late.late)).toEqual(['meter-1/value 1 good', 'meter-1/value 99 uncertain out-of-range']);
    expect(late.late.map((reading) => reading.sourceTime)).toEqual([start, start + 60_000]);
    expect(latest('meter-1/value')).toMatchObject({ value: 5 });
    expect(send(topic, samples(1, start)).late).toEqual([]);
  });

  test('a device clock that is set back by a few seconds keeps nobody waiting for the next alarm', () => {
    const { send, clock } = bench([driverDevice('meter-1', [named('value', { type: 'boolean', unit: '' })])]);
    send(topic, samples(false, clock.now()));
    clock.advance(1_000);
    expect(brief(send(topic, samples(true, clock.now() - 8_000)).readings)).toEqual(['meter-1/value true good']);
  });

  test('a ring that is replayed in order after an outage keeps its times', () => {
    const { send, clock, ingest } = meter(named('value'));
    send(topic, samples(0, start));
    clock.advance(600_000);
    const times = [1, 2, 3].flatMap((i) =>
      send(topic, samples(i, start + i * 60_000)).readings.map((r) => r.sourceTime - start),
    );
    expect(times).toEqual([60_000, 120_000, 180_000]);
    expect(ingest.counts().late).toBe(0);
  });

  test('a device whose clock fell back is live again after seconds, marked uncertain/clock', () => {
    const { send, clock } = meter(named('value'));
    send(topic, samples(0, clock.now()));
    const told: string[] = [];
    for (let i = 1; i <= 5; i++) {
      clock.advance(3_000);
      const { readings, late } = send(topic, samples(i, clock.now() - 300_000));
      told.push(...brief(readings), ...late.map(() => 'late'));
    }
    expect(told).toEqual([
      'late',
      'late',
      'meter-1/value 3 uncertain clock',
      'meter-1/value 4 uncertain clock',
      'meter-1/value 5 uncertain clock',
    ]);
  });

  test.each([
    ['two days ahead', start + 2 * 86_400_000],
    ['in 1970 (seconds sent as ms)', Math.round(start / 1000)],
    ['eight days ago', start - 8 * 86_400_000],
  ])('a source time %s is replaced by the received time', (_, t) => {
    const { send } = meter(named('value'));
    const [reading] = send(topic, samples(5, t)).readings;
    expect(reading).toMatchObject({ value: 5, quality: 'uncertain', reason: 'clock', sourceTime: start });
  });
});

describe('counters', () => {
  const point = named('value', { unit: 'kW.h', counter: { wrap: 1_000_000, maxRate: 120 } });

  test('a swapped meter is one event, stays uncertain, and a person can accept it', () => {
    const { send, clock, ingest, latest } = meter(point);
    send(topic, samples(53_700));
    const events = [12, 12.1, 12.2, 12.3].flatMap((value) => {
      clock.advance(15_000);
      return send(topic, samples(value)).events;
    });
    expect(events).toEqual([
      expect.objectContaining({
        type: 'meter_swap_suspected',
        device: 'meter-1',
        zone: 'school',
        data: { point: 'value', believed: 53_700, reads: 12.2 },
      }),
    ]);
    expect(latest('meter-1/value')).toMatchObject({ value: 53_700, quality: 'uncertain', reason: 'counter-step' });
    expect(ingest.counters.held()).toEqual([
      expect.objectContaining({ kind: 'swap', state: 'open', from: 53_700, to: 12, last: 12.3, agreed: 4 }),
    ]);
    expect(ingest.counters.accept('meter-1/value' as PointRef)).toMatchObject({ value: 12.3, quality: 'good' });
    clock.advance(15_000);
    expect(brief(send(topic, samples(12.4)).readings)).toEqual(['meter-1/value 12.4 good']);
    expect(ingest.counters.accept('meter-1/value' as PointRef)).toBeNull();
  });

  test('a value out of range never moves a counter', () => {
    const { send, clock } = meter({ ...point, range: [0, 1_000_000] });
    send(topic, samples(100));
    clock.advance(15_000);
    expect(brief(send(topic, samples(4e9)).readings)).toEqual(['meter-1/value 4000000000 uncertain out-of-range']);
    clock.advance(15_000);
    expect(brief(send(topic, samples(100.1)).readings)).toEqual(['meter-1/value 100.1 good']);
  });
});

describe('strangers go to the inbox', () => {
  test('an unknown device, point or topic is one line with what came', () => {
    const { send } = meter(named('value'));
    expect(send('v1/in/meter-9/samples', samples(5), 'fieldbus').inbox).toEqual([
      expect.objectContaining({
        kind: 'unknown-device',
        key: 'meter-9',
        client: 'fieldbus',
        excerpt: '{"s":[["value",5]]}',
        time: start,
      }),
    ]);
    const mixed = send(topic, {
      s: [
        ['value', 5],
        ['volts', 230],
      ],
    });
    expect(brief(mixed.readings)).toEqual(['meter-1/value 5 good']);
    expect(mixed.inbox).toEqual([expect.objectContaining({ kind: 'unknown-point', key: 'meter-1/volts' })]);
    expect(send('lights/hall', 'on').inbox).toEqual([
      expect.objectContaining({ kind: 'unknown-topic', key: 'lights/hall' }),
    ]);
  });

  test('a malformed payload names the place', () => {
    const { send, clock } = meter(named('value'));
    const messages = [{ s: [['value', { deep: 1 }]] }, '{"s":', { s: [['value', 1]], extra: 1 }, { s: [] }].map(
      (payload) => {
        clock.advance(61_000);
        return send(topic, payload).inbox[0];
      },
    );
    expect(messages.map((entry) => entry?.kind)).toEqual(Array(4).fill('malformed'));
    expect(messages[0]?.message).toMatch(/s\[0\]\[1\]/);
    expect(messages[1]?.message).toMatch(/JSON/);
  });

  test('one line a minute per key, and the next says how many were left out', () => {
    const { send, clock, ingest } = meter(named('value'));
    const lines = Array.from({ length: 100 }, () => {
      clock.advance(1_000);
      return send('v1/in/meter-9/samples', samples(5)).inbox;
    }).flat();
    expect(lines).toHaveLength(2);
    expect(lines[1]?.message).toContain('(59 more like it since the last line)');
    expect(ingest.counts().inboxSuppressed).toBe(98);
  });

  test('more strangers than anybody can look at are counted, not kept', () => {
    const { send, ingest, clock } = meter(named('value'));
    let lines = 0;
    for (let i = 0; i < 3_000; i++) lines += send(`noise/${i}`, 'x').inbox.length;
    expect(lines).toBe(1_000);
    expect(ingest.counts().inboxSuppressed).toBe(2_000);
    clock.advance(61_000);
    expect(send('noise/new', 'x').inbox).toHaveLength(1);
  });

  test('a device with an address that cannot be used is named, and its points say so', () => {
    const list = devices(
      { id: 'a', profile: 'sensor/zigbee-contact', address: { zigbee: 'typo' } },
      { id: 'b', profile: 'sensor/zigbee-contact', address: { zigbee2mqtt: 'door' } },
      { id: 'c', profile: 'sensor/zigbee-contact', address: { zigbee2mqtt: 'door' } },
      { id: 'd', profile: 'sensor/zigbee-contact', address: { zigbee2mqtt: 'x', colour: 1 } },
    );
    const { ingest, latest } = bench(list);
    expect(ingest.broken.map(({ device, message }) => [device, message])).toEqual([
      ['a', expect.stringContaining('exactly one of zigbee2mqtt, tasmota, homeassistant, json')],
      ['c', expect.stringContaining('belongs to b already')],
      ['d', expect.stringContaining('colour')],
    ]);
    expect(latest('a/contact')).toMatchObject({ quality: 'bad', reason: 'configuration-error' });
    expect(latest('b/contact')).toMatchObject({ quality: 'bad', reason: 'never-read' });
  });
});

describe('events', () => {
  const event = 'v1/in/meter-1/event';

  test('a driver event keeps its id, time and picture, and gets its zone', () => {
    const { send } = meter(named('value'));
    const id = '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001';
    const sent = {
      id,
      t: start - 50,
      type: 'motion',
      active: true,
      data: { rule: 'r1' },
      snapshot: '2026-11-20/x.jpg',
    };
    expect(send(event, sent).events).toEqual([
      {
        id,
        time: start - 50,
        type: 'motion',
        active: true,
        data: { rule: 'r1' },
        snapshot: '2026-11-20/x.jpg',
        device: 'meter-1',
        zone: 'school',
      },
    ]);
  });

  test('a resend of an event with a source time is the same event; without one each press counts', () => {
    const { send, clock } = bench(devices({ id: 'panel', profile: 'sensor/json-fire-panel', address: { json: true } }));
    const once = (payload: object) => send('v1/in/panel/event', payload).events[0];
    const first = once({ t: start - 100, type: 'button' });
    clock.advance(5_000);
    expect(once({ t: start - 100, type: 'button' })?.id).toBe(first?.id);
    expect(first).toMatchObject({ time: start, sourceTime: start - 100 });
    expect(once({ type: 'button' })?.id).not.toBe(once({ type: 'button' })?.id);
  });

  test('an id that a device gives to every event does not swallow all but the first', () => {
    const { send } = bench(devices({ id: 'panel', profile: 'sensor/json-fire-panel', address: { json: true } }));
    const id = '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001';
    const first = send('v1/in/panel/event', { id, type: 'fault' });
    const resent = send('v1/in/panel/event', { id, type: 'fault' });
    const other = send('v1/in/panel/event', { id, type: 'alarm_test' });
    expect([first, resent].map(({ events }) => events[0]?.id)).toEqual([id, id]);
    expect(other.events[0]?.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(other.events[0]?.id).not.toBe(id);
    expect(other.inbox).toMatchObject([{ key: 'panel/event-id' }]);
  });

  test('a plain device cannot point at pictures', () => {
    const { send } = bench(devices({ id: 'panel', profile: 'sensor/json-fire-panel', address: { json: true } }));
    expect(send('v1/in/panel/event', { type: 'x', snapshot: '2026-11-20/secret.jpg' }).events[0]).not.toHaveProperty(
      'snapshot',
    );
  });
});

describe('hostile payloads', () => {
  const list = [
    ...devices(
      { id: 'smoke', profile: 'sensor/zigbee-smoke', address: { zigbee2mqtt: 'smoke' } },
      { id: 'plug', profile: 'sensor/tasmota-plug', address: { tasmota: 'plug' } },
      { id: 'air', profile: 'sensor/json-air', address: { json: true } },
      { id: 'esp', profile: 'sensor/discovered', address: { homeassistant: 'esp' } },
    ),
    driverDevice('meter-1', [named('value')]),
  ];
  const topics = [
    topic,
    'v1/in/meter-1/event',
    'v1/in/air/samples',
    'v1/in/air/event',
    'zigbee2mqtt/smoke',
    'zigbee2mqtt/smoke/availability',
    'zigbee2mqtt/bridge/state',
    'tele/plug/SENSOR',
    'tele/plug/LWT',
    'stat/plug/POWER',
    'homeassistant/sensor/esp/co2/config',
    'homeassistant/device/esp/config',
    'homeassistant//config',
  ];
  const payloads: readonly (readonly [string, Buffer])[] = [
    ['deep nesting', Buffer.from('['.repeat(30_000) + ']'.repeat(30_000))],
    ['deep objects', Buffer.from(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`)],
    ['a huge string', Buffer.from(JSON.stringify({ smoke: 'x'.repeat(60_000), s: [['value', 'x'.repeat(60_000)]] }))],
    ['too many bytes', Buffer.alloc(300_000, 0x20)],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    [
      'prototype keys',
      Buffer.from('{"__proto__":{"smoke":true},"constructor":{"prototype":{"smoke":true}},"s":[["__proto__",1]]}'),
    ],
    ['arrays for objects', Buffer.from('[1,2,3]')],
    [
      'objects for values',
      Buffer.from('{"smoke":{"toString":1},"ENERGY":[],"POWER":{},"action":{"x":1},"co2":[1],"t":{}}'),
    ],
    ['null', Buffer.from('null')],
    ['nothing', Buffer.alloc(0)],
    ['unclosed strings and brackets', Buffer.from('{"a":"'.repeat(10_000))],
    ['NUL bytes', Buffer.alloc(100)],
    [
      'huge numbers',
      Buffer.from('{"t":1e308,"smoke":1e308,"ENERGY":{"Power":1e400,"Total":-1e308},"s":[["value",1e308]]}'),
    ],
  ];

  test.each(payloads)('%s harms nobody', (_, payload) => {
    const { send, ingest, latest } = bench(list);
    for (const name of topics) {
      const accepted = send(name, payload);
      for (const entry of accepted.inbox) expect(Buffer.byteLength(entry.excerpt)).toBeLessThanOrEqual(1_024);
      for (const { value } of accepted.readings) {
        expect(['number', 'boolean', 'string', 'object']).toContain(typeof value);
        if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
      }
    }
    expect(ingest.counts().failures).toBe(0);
    expect(({} as Record<string, unknown>).smoke).toBeUndefined();
    send('zigbee2mqtt/smoke', { smoke: true });
    expect(latest('smoke/smoke')).toMatchObject({ value: true, quality: 'good' });
  });
});

test('throughput of one core is printed', () => {
  const points = Array.from({ length: 20 }, (_, i) => named(`p${i}`, { deadband: 0.1 }));
  const { ingest, clock } = bench([
    driverDevice('meter-1', points),
    ...devices({ id: 'smoke', profile: 'sensor/zigbee-smoke', address: { zigbee2mqtt: 'smoke' } }),
  ]);
  const rate = (topicName: string, payload: (i: number) => object, n: number) => {
    const messages = Array.from({ length: n }, (_, i) => Buffer.from(JSON.stringify(payload(i))));
    const begin = performance.now();
    for (const bytes of messages) {
      clock.advance(10);
      ingest.accept({ client: 'x', topic: topicName, payload: bytes, qos: 1, retain: false });
    }
    return Math.round((n / (performance.now() - begin)) * 1000);
  };
  const zigbee = rate(
    'zigbee2mqtt/smoke',
    (i) => ({ smoke: i % 2 === 0, battery: 97, linkquality: i % 200, tamper: false }),
    20_000,
  );
  const driver = rate(topic, (i) => ({ t: start + i, s: points.map((p, k) => [p.name, i + k]) }), 5_000);
  console.info(
    `ingest: ${zigbee} Zigbee2MQTT states/s, ${driver} driver messages/s of 20 samples (${driver * 20} samples/s)`,
  );
  expect(ingest.counts().messages).toBe(25_000);
});
