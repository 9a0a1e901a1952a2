import { describe, expect, it } from 'vitest';
import type { SimUnit } from '#edge/simulators/modbus-server.ts';
import { makeRig, shape } from './modbus-rig.ts';

/* Which of the products that its profile describes a device is, and where its values are then. */

/** Registers by address; what is not there is refused with exception 2. */
function memory(words: Readonly<Record<number, number>>): SimUnit {
  return {
    read: (_table, at, count) => {
      const bytes = Buffer.alloc(2 * count);
      for (let i = 0; i < count; i++) {
        const word = words[at + i];
        if (word === undefined) return 2;
        bytes.writeUInt16BE(word & 0xffff, 2 * i);
      }
      return bytes;
    },
    write: () => 0,
  };
}

const twoMaps = (bus: object = {}) =>
  shape(
    { hz: { at: 0, scale: 0.1, unit: 'Hz' }, energy: { at: 10, as: 'u32', unit: 'kWh' } },
    {
      bus: { gap: 0, ...bus },
      variants: [
        {
          variant: 'old',
          name: { zh: '旧', en: 'Old' },
          check: [{ read: { at: 90 }, is: [1] }],
          values: { energy: { at: 10 } },
        },
        {
          variant: 'new',
          name: { zh: '新', en: 'New' },
          check: [{ read: { at: 90 }, is: [2] }],
          values: { energy: { at: 20 } },
        },
      ],
      test: [
        { value: 'hz', hex: '01f4', is: 50 },
        { value: 'energy', hex: '00000007', is: 7, variant: 'old' },
        { value: 'energy', hex: '00000007', is: 7, variant: 'new' },
      ],
    },
  );

describe('a product with two maps', () => {
  const words = { 0: 500, 10: 0, 11: 111, 20: 0, 21: 222 };

  it.each([
    [1, 111],
    [2, 222],
  ])('is read by the one whose name plate says %i', async (plate, energy) => {
    await using rig = await makeRig(twoMaps(), memory({ ...words, 90: plate }));
    expect(await rig.values()).toEqual({ hz: [50, 'good', undefined], energy: [energy, 'good', undefined] });
    expect(rig.states).toEqual(['online: answers']);
  });

  it('that is neither gives nothing of what differs, and doubts the rest', async () => {
    await using rig = await makeRig(twoMaps(), memory({ ...words, 90: 3 }));
    expect(await rig.values()).toEqual({
      hz: [50, 'uncertain', 'not-accurate'],
      energy: [null, 'bad', 'configuration-error'],
    });
    expect(rig.states[0]).toMatch(/^degraded: the device does not look like its profile: not old: holding 90 says 3/);
  });

  it('is what the site file says, with the complaint of its name plate', async () => {
    await using rig = await makeRig(twoMaps(), memory({ ...words, 90: 1 }), { address: { variant: 'new' } });
    expect((await rig.values()).energy).toEqual([222, 'uncertain', 'not-accurate']);
    expect(rig.states[0]).toContain('it is said to be new');
  });

  it('is not guessed at while the device is silent', async () => {
    await using rig = await makeRig(twoMaps(), memory({ ...words, 90: 2 }));
    rig.fault = () => ({ kind: 'dropped' });
    expect((await rig.values()).energy).toEqual([null, 'bad', 'no-communication']);
    rig.fault = null;
    expect((await rig.values()).energy).toEqual([222, 'good', undefined]);
  });
});

describe('a value that other registers scale', () => {
  const profile = shape(
    { current: { at: 0, scale: 0.001, unit: 'A', scale_from: 'ct' }, plain: { at: 1 } },
    {
      bus: { gap: 0 },
      factors: { ct: { at: 50 } },
      test: [{ value: 'current', hex: '03e8', is: 40, factor: 40 }],
    },
  );

  it('is multiplied by what they say now', async () => {
    const words: Record<number, number> = { 0: 1_500, 1: 7, 50: 40 };
    await using rig = await makeRig(profile, memory(words));
    expect(await rig.values()).toEqual({ current: [60, 'good', undefined], plain: [7, 'good', undefined] });
    words[50] = 80;
    expect((await rig.values()).current).toEqual([120, 'good', undefined]);
  });

  it('is bad when they cannot be read, and nothing else is', async () => {
    await using rig = await makeRig(profile, memory({ 0: 1_500, 1: 7 }));
    expect(await rig.values()).toEqual({
      current: [null, 'bad', 'configuration-error'],
      plain: [7, 'good', undefined],
    });
  });
});

describe('a SunSpec device', () => {
  const profile = shape(
    {
      power: { at: 14, as: 's16', model: [101, 103], unit: 'W', scale_from: 'power_sf' },
      battery: { at: 2, model: [802], unit: '%' },
    },
    {
      bus: { sunspec: [40_000, 50_000] },
      factors: { power_sf: { at: 15, as: 'sunssf', model: [101, 103] } },
      check: [{ model: [101, 103] }],
      test: [{ value: 'power', hex: '04d2', is: 123.4, factor: 0.1 }],
    },
  );
  /** Marker, model 1 with 4 registers, then `id` with 50, then the end. */
  const chain = (start: number, id: number): Record<number, number> => {
    const words: Record<number, number> = { [start]: 0x5375, [start + 1]: 0x6e53, [start + 2]: 1, [start + 3]: 4 };
    const model = start + 8;
    for (let i = 0; i < 52; i++) words[model + i] = 0;
    return {
      ...words,
      [model]: id,
      [model + 1]: 50,
      [model + 14]: 1_234,
      [model + 15]: 0xffff,
      [model + 52]: 0xffff,
      [model + 53]: 0,
    };
  };

  it.each([
    [40_000, 103],
    [50_000, 101],
  ])('is found by walking its models from %i', async (start, id) => {
    await using rig = await makeRig(profile, memory(chain(start, id)));
    expect(await rig.values()).toEqual({
      power: [123.4, 'good', undefined],
      battery: [null, 'bad', 'configuration-error'],
    });
    // Once: the walk is not repeated.
    rig.asked.length = 0;
    await rig.values();
    expect(rig.asked).toEqual([`3:${start + 8 + 14}+2`]);
  });

  it('without the model is doubted and says so', async () => {
    await using rig = await makeRig(profile, memory(chain(40_000, 160)));
    expect((await rig.values()).power).toEqual([null, 'bad', 'configuration-error']);
    expect(rig.states[0]).toContain('it has no SunSpec model 101 or 103');
  });

  it('whose row of models has no end is bad, not endless', async () => {
    const endless: SimUnit = {
      read: (_table, at, count) => {
        const bytes = Buffer.alloc(2 * count);
        if (at === 40_000) bytes.write('SunS', 'latin1');
        else bytes.writeUInt16BE(7, 0);
        return bytes;
      },
      write: () => 0,
    };
    await using rig = await makeRig(profile, endless);
    expect((await rig.values()).power?.[1]).toBe('bad');
    expect(rig.asked.length).toBeLessThan(100);
  });
});
