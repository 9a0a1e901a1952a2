import { describe, expect, it } from 'vitest';
import { type Facts, type LearnedFacts, Teachings } from '#edge/drivers/modbus/learned.ts';
import type { SimUnit } from '#edge/simulators/modbus-server.ts';
import { makeRig, registers, shape } from './modbus-rig.ts';

/* Devices that refuse everything, never end, or say what no device can mean. */

const spread = (count: number) =>
  shape(Object.fromEntries(Array.from({ length: count }, (_, i) => [`v${i}`, { at: 2 * i }])));

describe('a device that refuses every read of more than one register', () => {
  it('is not asked without end, however many values it has', async () => {
    const profile = spread(1_100);
    const learned = notebook();
    await using rig = await makeRig(profile, registers([], 1), { learned, address: { timeout: '5s' } });
    expect(Object.values(await rig.values()).filter(([, quality]) => quality === 'good')).toHaveLength(1_100);
    expect(rig.asked.length).toBeLessThan(2_400);
    expect(JSON.stringify(learned.facts).length).toBeLessThan(30_000);
    rig.asked.length = 0;
    await rig.values();
    expect(rig.asked.length).toBeLessThan(2_400);
  });
});

describe('a SunSpec device', () => {
  it('whose models have no end is asked for them ever more rarely', async () => {
    const unit: SimUnit = {
      read: (_table, at, count) => {
        const bytes = Buffer.alloc(2 * count);
        for (let i = 0; i < count; i++)
          bytes.writeUInt16BE(at + i === 40_000 ? 0x5375 : at + i === 40_001 ? 0x6e53 : 1, 2 * i);
        return bytes;
      },
      write: () => 1,
    };
    const profile = shape({ power: { at: 2, model: [103] } }, { bus: { sunspec: [40_000] } });
    await using rig = await makeRig(profile, unit);
    for (let i = 0; i < 5; i++) expect((await rig.values()).power?.slice(0, 2)).toEqual([null, 'bad']);
    expect(rig.asked.length).toBeLessThan(150);
    expect(rig.states.at(-1)).toContain('SunSpec');
  });
});

describe('a number', () => {
  const answering = (bytes: Buffer): SimUnit => ({
    read: (_table, at, count) => bytes.subarray(2 * at, 2 * (at + count)),
    write: () => 0,
  });

  it('that is none, or too large for one once it is scaled, is bad', async () => {
    const bytes = Buffer.alloc(40);
    bytes.writeDoubleBE(1e308, 0);
    bytes.writeDoubleBE(Number.NaN, 8);
    bytes.writeDoubleBE(Number.NEGATIVE_INFINITY, 16);
    bytes.writeFloatBE(Number.NaN, 24);
    bytes.writeUInt16BE(7, 28);
    const profile = shape({
      large: { at: 0, as: 'f64', scale: 1_000 },
      nan: { at: 4, as: 'f64' },
      infinite: { at: 8, as: 'f64' },
      short: { at: 12, as: 'f32' },
      fine: { at: 14 },
    });
    await using rig = await makeRig(profile, answering(bytes));
    const bad = [null, 'bad', 'device-failure'];
    expect(await rig.values()).toEqual({
      large: bad,
      nan: bad,
      infinite: bad,
      short: bad,
      fine: [7, 'good', undefined],
    });
  });

  it.each([0x8000, 0x7fff, 11, -11 & 0xffff])(
    'scaled by 10 to the power of what no device means (%i) is bad',
    async (exponent) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt16BE(230, 0);
      bytes.writeUInt16BE(exponent, 2);
      const profile = shape({ volts: { at: 0, scale_from: 'volts_sf' }, volts_sf: { at: 1, as: 'sunssf' } });
      await using rig = await makeRig(profile, answering(bytes));
      expect((await rig.values(['volts'])).volts).toEqual([null, 'bad', 'device-failure']);
    },
  );
});

describe('facts that nobody learned', () => {
  const poisons: Readonly<Record<string, Facts>> = {
    'one register at most': { barriers: [], max: 1, since: Date.now(), refused: [] },
    'barriers inside of values': {
      barriers: ['holding:1', 'holding:3', 'input:x', ''],
      since: Date.now(),
      refused: [],
    },
    'everything refused for ever': {
      barriers: [],
      since: Date.now(),
      refused: [{ place: 'holding:0+2', until: 1e300, pause: 1e300, message: 'x' }],
    },
  };

  it.each(Object.entries(poisons))('%s: what the device has is read all the same', async (_, facts) => {
    const learned = notebook(facts);
    await using rig = await makeRig(shape({ a: { at: 0, as: 'u32' }, b: { at: 2, as: 'u32' } }), registers([]), {
      learned,
    });
    expect(await rig.values()).toEqual({ a: [1, 'good', undefined], b: [0x2_0003, 'good', undefined] });
    expect(rig.asked.length).toBeLessThan(4);
  });

  it('are forgotten when they are of a time that has not come', () => {
    const facts: Facts = { barriers: ['holding:5'], max: 1, since: 1e15, refused: [] };
    expect(new Teachings(facts, Date.now()).facts()).toBeNull();
  });
});

function notebook(facts: Facts | null = null): LearnedFacts & { facts: Facts | null } {
  const book = {
    facts,
    recall: () => book.facts,
    keep: (_device: string, _fingerprint: string, learned: Facts | null) => {
      book.facts = learned;
    },
  };
  return book;
}
