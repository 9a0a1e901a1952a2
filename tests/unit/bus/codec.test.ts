import { describe, expect, test } from 'vitest';
import * as codec from '#edge/bus/codec.ts';
import type { HappeningId, PointName, PointRef } from '#edge/domain/ids.ts';
import type { Sample } from '#edge/domain/reading.ts';

const id = '0199f5a0-1c2d-7e3f-8a4b-5c6d7e8f9a0b' as HappeningId;
const now = 1_795_000_000_000;

function bytes(value: unknown): Buffer {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}
function messageOf(decoded: codec.Decoded<unknown>): string {
  return decoded.ok ? 'ok' : decoded.message;
}

describe('samples', () => {
  test('go through encode and decode unchanged', () => {
    const point = (name: string) => name as PointName;
    const samples: Sample[] = [
      { point: point('power'), value: 1.5, quality: 'good' },
      { point: point('on'), value: true, quality: 'good', sourceTime: now - 5 },
      { point: point('mode'), value: 'heat', quality: 'uncertain', reason: 'clock' },
      { point: point('energy'), value: null, quality: 'bad', reason: 'no-communication', sourceTime: now },
      { point: point('level'), value: 3, quality: 'uncertain' },
    ];
    expect(codec.decodeSamples(bytes(codec.encodeSamples(samples)))).toEqual({ ok: true, value: samples });
  });

  test('take the time of the message when they have none of their own', () => {
    const decoded = codec.decodeSamples(
      bytes({
        t: now,
        s: [
          ['a', 1],
          ['b', 2, null, null, now - 9],
        ],
      }),
    );
    expect(decoded).toMatchObject({ ok: true, value: [{ sourceTime: now }, { sourceTime: now - 9, quality: 'good' }] });
  });

  test('a number that JSON cannot carry is sent as bad, not as a good null', () => {
    const sample: Sample = { point: 'a' as PointName, value: Number.NaN, quality: 'good' };
    const decoded = codec.decodeSamples(bytes(codec.encodeSamples([sample])));
    expect(decoded).toMatchObject({
      ok: true,
      value: [{ value: null, quality: 'bad', reason: 'communication-error' }],
    });
  });

  test.each([
    [
      {
        s: [
          ['a', 1],
          ['b', 2],
          ['c', 3],
          ['d', {}],
        ],
      },
      's[3][1]: must be a number, boolean or text of at most 256 characters',
    ],
    [{ s: [['a', 'x'.repeat(257)]] }, 's[0][1]: must be a number, boolean or text of at most 256 characters'],
    ['{"s":[["a",1e999]]}', 's[0][1]: must be a number, boolean or text of at most 256 characters'],
    [{ s: [['A b', 1]] }, 's[0][0]: must be a slug: a-z, 0-9, _ or -, at most 63 characters'],
    [{ s: [['a', 1, 'fine']] }, 's[0][2]: must be good, uncertain or bad'],
    [{ s: [['a', null]] }, 's[0][1]: must not be null while the quality is good'],
    [{ s: [['a', 1, 'good', null, 1.5]] }, 's[0][4]: must be a time in whole ms since 1970'],
    [{ s: [['a']] }, 's[0]: must be [point, value, quality?, reason?, sourceTime?]'],
    [{ s: [['a', 1, 'good', null, 1, 2]] }, 's[0]: must be [point, value, quality?, reason?, sourceTime?]'],
    [{ s: [] }, 's: must not be empty'],
    [{ s: Array(513).fill(['a', 1]) }, 's: must have at most 512 samples'],
    [{ s: [['a', 1]], u: 1 }, '(payload): Unrecognized key: "u"'],
    ['[1,2', "(payload): must be JSON: Expected ',' or ']' after array element"],
    ['[', '(payload): must be JSON: Unexpected end of JSON input'],
    ['null', '(payload): Invalid input: expected object, received null'],
    [`${'['.repeat(100_000)}`, '(payload): must be JSON'],
  ])('%j is refused with its path', (payload, message) => {
    expect(messageOf(codec.decodeSamples(bytes(payload)))).toContain(message);
  });

  test('bytes that are not UTF-8 are refused', () => {
    expect(messageOf(codec.decodeSamples(Buffer.from([0x7b, 0xc3, 0x28])))).toBe('(payload): must be UTF-8');
  });
});

describe('events and requests', () => {
  test('an event goes through encode and decode unchanged', () => {
    const event: codec.EventMessage = {
      id,
      time: now,
      type: 'motion',
      active: true,
      data: { rule: 'line-1' },
      snapshot: `2026-11-22/${id}.jpg`,
    };
    expect(codec.decodeEvent(bytes(codec.encodeEvent(event)))).toEqual({ ok: true, value: event });
    expect(codec.decodeEvent(bytes({ type: 'button' }))).toEqual({ ok: true, value: { type: 'button', data: {} } });
  });

  test.each([
    [
      { type: 'motion', data: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, i])) },
      'data: must have at most 16 keys',
    ],
    [{ type: 'motion', data: { a: {} } }, 'data.a: must be a number'],
    [{ type: 'motion', snapshot: '../../etc/passwd' }, 'snapshot: must be a relative path without ..'],
    [{ type: 'motion', snapshot: '/etc/passwd' }, 'snapshot: must be a relative path without ..'],
    [{ type: 'motion', id: 'x' }, 'id: must be a UUID'],
    [{}, 'type: must be a slug'],
  ])('the event %j is refused', (payload, message) => {
    expect(messageOf(codec.decodeEvent(bytes(payload)))).toContain(message);
  });

  test('a request says what, how strongly, how long and why', () => {
    const request: codec.RequestMessage = {
      point: 'lamp-1/on' as PointRef,
      value: true,
      priority: 12,
      seconds: 600,
      reason: 'empty room',
    };
    expect(codec.decodeRequest(bytes(codec.encodeRequest(request)))).toEqual({ ok: true, value: request });
    expect(messageOf(codec.decodeRequest(bytes({ ...request, client: 'web' })))).toBe(
      '(payload): Unrecognized key: "client"',
    );
    expect(messageOf(codec.decodeRequest(bytes({ ...request, priority: 2 })))).toBe(
      'priority: must be one of 1, 5, 8, 12, 15',
    );
    expect(messageOf(codec.decodeRequest(bytes({ ...request, seconds: 90_000 })))).toBe(
      'seconds: must be at most 86400',
    );
    expect(messageOf(codec.decodeRequest(bytes({ ...request, reason: '' })))).toBe('reason: must say why');
    expect(messageOf(codec.decodeRequest(bytes({ ...request, point: 'lamp' })))).toBe(
      'point: must be <device>/<point>',
    );
  });
});

describe('what core says', () => {
  const ref = 'lamp-1/on';
  const hold = { ref, priority: 8, owner: 'request:web', value: true, reason: 'r', since: now, until: null };
  const output = {
    ref,
    value: true,
    holder: 'request:web',
    priority: 8,
    reason: 'r',
    since: now,
    until: null,
    stack: [hold],
    confirmed: { value: true, outcome: 'done', time: now },
    next: { value: false, holder: null, at: now },
    waiting: { for: 'minimum-off', until: now },
    forbidden: [
      { ref: 'relay-1/relay_1', priority: 5, owner: 'interlock:dry', value: true, reason: 'no water', since: now },
    ],
    local: { value: true, since: now },
  };
  const reading = {
    ref,
    device: 'lamp-1',
    point: 'on',
    value: true,
    unit: '',
    quality: 'good',
    sourceTime: now,
    receivedTime: now,
  };
  const alarm = {
    id,
    source: 'interlock:smoke',
    class: 'critical',
    state: 'unacknowledged',
    active: true,
    message: { zh: '烟', en: 'smoke' },
    next: { zh: '看', en: 'look' },
    raised: now,
    count: 1,
  };
  const somebody = { who: 'person:lin', name: 'Lin', time: now };
  const incident = {
    ...{ id, state: 'claimed', class: 'high', zone: 'gate', types: ['person'], devices: ['camera-gate'] },
    ...{ from: now, to: now + 1, isClosed: false, count: 2, picture: '2026-11-22/a.jpg', claimedBy: somebody },
    ...{ seenBy: somebody, escalatesAt: null, outcome: null, emergency: null, rev: 3 },
  };
  const command = {
    id,
    device: 'lamp-1',
    point: 'on',
    value: true,
    priority: 1,
    issued: now,
    expires: now + 5_000,
    until: null,
  };
  const result = { id, device: 'lamp-1', point: 'on', outcome: 'done', value: true, time: now };
  const health = {
    process: 'fieldbus',
    state: 'ready',
    time: now,
    instance: id,
    devices: [{ device: 'lamp-1', state: 'online', message: '', since: now, counters: { ok: 3 } }],
  };
  const event = { id, type: 'motion', device: 'gate', time: now, data: {} };
  const answer = { id, accepted: true, outcome: 'holding', message: 'holds until 12:00' };
  const refusal = { error: 'topic-not-granted', message: 'no', topic: 'x' };

  test.each<[string, (payload: Uint8Array) => codec.Decoded<unknown>, object]>([
    ['reading', codec.decodeReading, reading],
    ['event', codec.decodeCampusEvent, event],
    ['alarm', codec.decodeAlarm, alarm],
    ['incident', codec.decodeIncident, incident],
    ['output', codec.decodeOutputState, output],
    ['health', codec.decodeProcessHealth, health],
    ['command', codec.decodeCommand, command],
    ['result', codec.decodeCommandResult, result],
    ['answer', codec.decodeAnswer, answer],
    ['refusal', codec.decodeAnswer, refusal],
  ])('a %s is read as it was sent, and an unknown key is refused', (_name, decode, value) => {
    expect(decode(bytes(value))).toEqual({ ok: true, value });
    expect(decode(bytes({ ...value, surprise: 1 })).ok).toBe(false);
    expect(decode(bytes('')).ok).toBe(false);
  });

  test('a command of an unknown priority is named', () => {
    expect(messageOf(codec.decodeCommand(bytes({ ...command, priority: 3 })))).toContain('priority: must be one of');
  });
});
