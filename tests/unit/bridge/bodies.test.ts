import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody, extentOf, toWire } from '#bridge/contract/bodies.ts';
import { lanes } from '#bridge/contract/lanes.ts';
import { WireError } from '#bridge/contract/wire-error.ts';
import { bodies } from '../../fixtures/bridge/samples.ts';

/** What must never be seen on the wire, planted wherever a body has room. */
const secrets = ['Zhang Example', '张某某', '13800001234', '440101199001011234', '0012345678', 'gate/2026-11-22/a.jpg'];
const id = '0199b3a0-7c00-7000-8000-00000000e009';

function wireText(lane: 'alarm' | 'event' | 'agg1m' | 'health', body: unknown): string {
  return encodeBody(toWire(lane, body)).bytes.toString('utf8');
}

function expectClean(text: string): void {
  for (const secret of secrets) expect(text).not.toContain(secret);
}

describe('the allow-list', () => {
  it('lets no planted personal data of an event through', () => {
    const text = wireText('event', {
      id,
      type: 'card_read',
      device: 'door-1',
      zone: 'gate',
      time: 1_000,
      snapshot: 'gate/2026-11-22/a.jpg',
      sourceTime: 990,
      person: 'Zhang Example',
      data: {
        card: '0012345678',
        cardNumber: 12_345_678,
        name: '张某某',
        plate: 'Zhang Example',
        phone: '13800001234',
        // On the list, but not in this kind, range or vocabulary.
        count: 12_345_678,
        channel: '0012345678',
        object: 'Zhang Example',
        direction: '张某某',
        reason: '440101199001011234',
        state: '13800001234',
        confidence: 88,
        nested: { name: '张某某' },
      },
    });
    expectClean(text);
    expect(text).not.toContain('12345678');
    expect(JSON.parse(text)).toEqual({
      id,
      type: 'card_read',
      device: 'door-1',
      zone: 'gate',
      time: 1_000,
      data: { confidence: 88 },
    });
  });

  it('tells when an alarm was acknowledged, not by whom nor with which words', () => {
    const text = wireText('alarm', {
      ...(bodies.alarm as object),
      acknowledged: { time: 5, by: 'Zhang Example', note: '张某某 13800001234' },
      next: { zh: '找张某某', en: 'Call Zhang Example' },
      event: id,
      by: 'Zhang Example',
    });
    expectClean(text);
    expect(JSON.parse(text)).toMatchObject({ acknowledged: { time: 5 }, count: 1 });
    expect(JSON.parse(text)).not.toHaveProperty('next');
  });

  it('blackens telephone, card and identity numbers in alarm texts', () => {
    const text = wireText('alarm', {
      ...(bodies.alarm as object),
      message: {
        zh: '请致电 138-0000-1234，证 440101199001011234',
        en: 'Card 0012345678, room 301, 400 V, 13800001234',
      },
    });
    expectClean(text);
    expect(text).toContain('room 301, 400 V');
    expect(text).not.toContain('138-0000');
  });

  it('keeps sentences, addresses and unknown counters of device health at home', () => {
    const text = wireText('health', {
      time: 1,
      process: 'camera',
      state: 'ready',
      instance: 'Zhang Example',
      devices: [
        {
          device: 'camera-gate',
          state: 'degraded',
          message: 'HTTP 401 for user Zhang Example at 10.0.3.7',
          since: 1,
          counters: { ok: 3, 'Zhang Example': 1, 张某某: 2, text: '13800001234' },
        },
      ],
    });
    expectClean(text);
    expect(text).not.toContain('10.0.3.7');
    expect(JSON.parse(text).devices[0].counters).toEqual({ ok: 3 });
  });

  it('takes nothing but numbers into summaries', () => {
    const text = wireText('agg1m', {
      t: 0,
      step: 60_000,
      points: [
        {
          ref: 'door-1/last_card',
          unit: '1',
          min: null,
          max: null,
          mean: null,
          last: null,
          count: 1,
          goodSeconds: 60,
          delta: null,
          lastText: '0012345678',
        },
      ],
    });
    expectClean(text);
  });

  it.each([
    ['agg1m', { t: 0, step: 60_000, points: [{ ref: 'no slash' }] }, 'points[0].ref: must be <device>/<point>'],
    ['agg1m', { t: 0, step: 60_000, points: [] }, 'points:'],
    ['event', { id: '0012345678', type: 'x', time: 1, data: {} }, 'id: must be a UUID'],
    ['event', { id, type: 'Zhang Example', time: 1, data: {} }, 'type: must be a slug'],
    ['alarm', { ...(bodies.alarm as object), source: '张某某' }, 'source: must be <kind>:<id>'],
    ['health', {}, 'time:'],
  ] as const)('refuses a broken %s body naming the field and not its value', (lane, body, part) => {
    let said = '';
    try {
      toWire(lane, body);
    } catch (error) {
      expect(error).toBeInstanceOf(WireError);
      said = String(error);
    }
    expect(said).toContain(part);
    expectClean(said);
  });

  it('is applied by the city as well', () => {
    const planted = Buffer.from(
      JSON.stringify({ ...(bodies.event as object), data: { name: 'Zhang Example', count: 2 } }),
    );
    expect(decodeBody('event', 'json', planted).content).toMatchObject({ data: { count: 2 } });
    expectClean(JSON.stringify(decodeBody('event', 'json', planted)));
  });

  it('says that it does not know a body type or lane of the future', () => {
    for (const [lane, type] of [
      ['agg1m', 'cols1+zstd'],
      ['agg15', 'json'],
    ] as const) {
      expect(() => decodeBody(lane, type, Buffer.from('{}'))).toThrow(/is not known here/);
    }
  });

  it('packs a large minute into a frame and refuses one that would unpack to too much', () => {
    const [first] = (bodies.agg1m as { points: object[] }).points;
    const points = Array.from({ length: 5_000 }, (_, i) => ({ ...first, ref: `meter-${i}/power` }));
    const wire = toWire('agg1m', { ...(bodies.agg1m as object), points });
    const { ct, bytes } = encodeBody(wire);
    expect(ct).toBe('json+zstd');
    expect(bytes.length).toBeLessThan(100_000);
    expect(decodeBody('agg1m', ct, bytes)).toEqual(wire);
    const bomb = zstdCompressSync(Buffer.alloc(64 * 1_024 * 1_024));
    expect(() => decodeBody('agg1m', 'json+zstd', bomb)).toThrow(/no zstd, or more than/);
  });

  it.each(lanes)('gives lane %s an extent in time', (lane) => {
    const { t0, t1, n } = extentOf(toWire(lane, bodies[lane]));
    expect(t0).toBeGreaterThan(1_795_000_000_000);
    expect(t1).toBeGreaterThanOrEqual(t0);
    expect(n).toBeGreaterThan(0);
  });
});
