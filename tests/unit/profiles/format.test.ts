import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkProfile, runVectors } from '#edge/profiles/check.ts';
import { judgePlate, modelsOf, platesOf } from '#edge/profiles/checks.ts';
import { decodeFactor, decodeRegisters } from '#edge/profiles/decode.ts';
import { encodeRegisters } from '#edge/profiles/encode.ts';
import { expandValues, pointsOf } from '#edge/profiles/expand.ts';
import { checkProfileShape, loadProfile, loadProfiles } from '#edge/profiles/load.ts';
import { inVariant, parseModbusAddress, type RegisterFormat } from '#edge/profiles/modbus-address.ts';
import type { ModbusProfile } from '#edge/profiles/profile.ts';

const shelf = new URL('../../../device-profiles', import.meta.url).pathname;
const polls = { fast: 2_000, normal: 15_000, slow: 300_000 };
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const format = (as: RegisterFormat['as'], more: Partial<RegisterFormat> = {}): RegisterFormat => ({
  as,
  order: 'ABCD',
  scale: 1,
  offset: 0,
  invalid: [],
  ...more,
});

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'profiles-'));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  return folder;
}

const head = { name: { zh: '表', en: 'Meter' }, kind: 'meter', protocol: 'modbus' };
function modbus(more: Record<string, unknown>): ModbusProfile {
  const profile = checkProfileShape({ profile: 'test', ...head, test: [{ value: 'a', hex: '0001', is: 1 }], ...more });
  if (profile.protocol !== 'modbus') throw new Error('is not Modbus');
  return profile;
}
const addressOf = (profile: ModbusProfile, name: string) =>
  parseModbusAddress(expandValues(profile).find((value) => value.name === name)?.address);

const { profiles } = await loadProfiles(shelf);
const registerProfiles = [...profiles].filter(([, profile]) => 'test' in profile);

describe('every shipped profile of a register protocol', () => {
  it('is there for each device whose registers are known', () => {
    expect(registerProfiles.length).toBeGreaterThanOrEqual(36);
  });

  it.each(registerProfiles)('%s decodes its vectors, and has one for every value', (_path, profile) => {
    expect(runVectors(profile).failures).toEqual([]);
    if (!('test' in profile)) throw new Error('has no vectors');
    const tested = new Set(profile.test.map(({ value }) => value));
    // Of three phases one is enough: they share what is tested.
    const stem = (name: string) => name.replace(/_(l?\d+)$/, '');
    const stems = new Set([...tested].map(stem));
    const untested = expandValues(profile).filter(({ name }) => !tested.has(name) && !stems.has(stem(name)));
    expect(untested.map(({ name }) => name)).toEqual([]);
  });

  it.each(registerProfiles)('%s says of each value how many sources agree, and where they are', (_path, profile) => {
    const unmarked = Object.entries(profile.values).filter(([, value]) => !('verified' in value));
    expect(unmarked.map(([name]) => name)).toEqual([]);
    expect(profile.source.length).toBeGreaterThan(0);
  });

  it.each(registerProfiles)('%s names each value in both languages', (_path, profile) => {
    const unnamed = expandValues(profile).filter(({ label }) => !/[\u4e00-\u9fff]/.test(label.zh) || label.en === '');
    expect(unnamed.map(({ name }) => name)).toEqual([]);
  });

  it.each(registerProfiles)('%s says of each counter how fast it can rise', (_path, profile) => {
    const counters = pointsOf(profile, polls).filter(({ counter }) => counter !== undefined);
    for (const { name, counter } of counters) expect([name, (counter?.maxRate ?? 0) > 0]).toEqual([name, true]);
  });

  it.each(registerProfiles)('%s tests what is no value, or no number, where it can', (_path, profile) => {
    if (!('test' in profile) || profile.kind === 'relay') return;
    const qualities = new Set(profile.test.map(({ quality }) => quality));
    const isAllGood = qualities.size === 1 && qualities.has('good');
    // Boolean and settings-only devices cannot say it.
    expect([profile.profile, isAllGood && profile.test.length > 12]).toEqual([profile.profile, false]);
  });
});

describe('variants of a product', () => {
  it('have their values where they say, and elsewhere as the profile says', async () => {
    const em24 = await loadProfile(shelf, 'meter/gavazzi-em24');
    if (em24.protocol !== 'modbus') throw new Error('is not Modbus');
    const energy = addressOf(em24, 'energy_import');
    expect(energy.at).toBe(0x34);
    expect(inVariant(energy, 'rs485')).toMatchObject({ at: 0x42, length: 2, format: { order: 'CDAB', scale: 0.1 } });
    expect(inVariant(addressOf(em24, 'energy_export'), 'rs485')).toBeNull();
    const voltage = addressOf(em24, 'voltage_l2');
    expect(voltage.variants).toBeUndefined();
    expect(inVariant(voltage, 'rs485')).toBe(voltage);
    // Nobody misses what a variant does not have.
    expect(pointsOf(em24, polls).find(({ name }) => name === 'energy_export')?.optional).toBe(true);
  });

  it('are told apart by what a register says', async () => {
    const em24 = await loadProfile(shelf, 'meter/gavazzi-em24');
    if (em24.protocol !== 'modbus') throw new Error('is not Modbus');
    const [ethernet, rs485] = em24.variants ?? [];
    const [type] = platesOf(em24, ethernet?.check ?? []);
    const [frequency] = platesOf(em24, rs485?.check ?? []);
    if (type === undefined || frequency === undefined) throw new Error('there are no plates');
    expect(type.address).toMatchObject({ table: 'input', at: 11, length: 1 });
    expect(judgePlate(type, { value: 1648, quality: 'good' })).toBeNull();
    expect(judgePlate(type, { value: 71, quality: 'good' })).toMatch(/^input 11 says 71, not 1648 or 1649/);
    expect(judgePlate(frequency, { value: 50, quality: 'good' })).toBeNull();
    expect(judgePlate(frequency, { value: 6553.5, quality: 'good' })).toContain('not between 45 and 65');
    expect(judgePlate(frequency, { value: null, quality: 'bad' })).toContain('says nothing');
  });

  it('of SunSpec are found by their models, with scale factors or without', async () => {
    const inverter = await loadProfile(shelf, 'inverter/sunspec-inverter');
    if (inverter.protocol !== 'modbus') throw new Error('is not Modbus');
    expect(modelsOf(inverter.check)).toEqual([[1]]);
    expect(inverter.variants?.map(({ check }) => modelsOf(check))).toEqual([[[101, 102, 103]], [[111, 112, 113]]]);
    const power = addressOf(inverter, 'power');
    expect(power).toMatchObject({ models: [101, 102, 103], at: 14, scaleFrom: [{ at: 15, models: [101, 102, 103] }] });
    expect(inVariant(power, 'floats')).toMatchObject({ models: [111, 112, 113], at: 22, format: { as: 'f32' } });
    expect(inVariant(power, 'floats')).not.toHaveProperty('scaleFrom');
    expect(expandValues(inverter).find(({ name }) => name === 'serial')).toMatchObject({ type: 'text' });
  });
});

describe('values scaled by a register', () => {
  const inverter = format('sunssf');

  it('take a power of ten from a SunSpec scale factor, and nothing from one that is not there', () => {
    expect(decodeFactor(inverter, hex('ff fe'))).toBe(0.01);
    expect(decodeFactor(inverter, hex('00 02'))).toBe(100);
    expect(decodeFactor(inverter, hex('80 00'))).toBeNull();
    expect(decodeFactor(inverter, hex('00 0b'))).toBeNull();
    expect(decodeFactor(format('u16'), hex('00 50'))).toBe(80);
    expect(decodeRegisters(format('s16'), hex('ff 38'), undefined, 0.01).value).toBe(-2);
  });

  it('name factors or values that there are', async () => {
    const meter = await loadProfile(shelf, 'meter/acrel-adl400-secondary');
    if (meter.protocol !== 'modbus') throw new Error('is not Modbus');
    expect(addressOf(meter, 'power').scaleFrom?.map(({ at }) => at)).toEqual([0x8d, 0x8e]);
    expect(() => modbus({ values: { a: { at: 0, scale_from: 'ct' } } })).toThrow(
      'values.a.scale_from: there is no factor or value "ct"',
    );
  });

  it('are tested with a factor, and others without', () => {
    const ct = { factors: { ct: { at: 9 } }, values: { a: { at: 0, scale_from: 'ct' } } };
    expect(runVectors(modbus(ct)).failures).toEqual(['test[0] a: needs `factor`: it is scaled by a register']);
    const test = [{ value: 'a', hex: '0001', is: 80, factor: 80 }];
    expect(runVectors(modbus({ ...ct, test })).failures).toEqual([]);
    expect(runVectors(modbus({ values: { a: { at: 0 } }, test })).failures[0]).toContain('is not scaled by any');
  });
});

describe('special encodings', () => {
  it('unfold a power factor over four quadrants', () => {
    const pf = format('f32', { pf4q: true });
    expect(decodeRegisters(pf, hex('3f 86 66 66'), [-1, 1])).toEqual({ value: 0.95, quality: 'good' });
    expect(decodeRegisters(pf, hex('bf 99 99 9a'), [-1, 1])).toEqual({ value: -0.8, quality: 'good' });
    expect(decodeRegisters(pf, hex('3f 73 33 33')).value).toBe(0.95);
    expect(decodeRegisters(pf, hex('42 48 00 00'))).toMatchObject({ value: 50, quality: 'uncertain' });
  });

  it('keep every digit of a number that is a name', () => {
    const name = (as: RegisterFormat['as'], bytes: string) => decodeRegisters(format(as, { text: true }), hex(bytes));
    expect(name('u64', 'ff ff ff ff ff ff ff ff').value).toBe('18446744073709551615');
    expect(name('bcd32', '00 01 23 45').value).toBe('00012345');
    expect(name('bcd', '1a 23')).toMatchObject({ value: null, quality: 'bad' });
    expect(name('s16', 'ff ff').value).toBe('-1');
    expect(encodeRegisters(format('u32', { text: true }), 2, '305419896').toString('hex')).toBe('12345678');
  });

  it('read single bits of 32', () => {
    expect(decodeRegisters(format('bool', { bit: 31 }), hex('80 00 00 00')).value).toBe(true);
    expect(decodeRegisters(format('bool', { bit: 0 }), hex('80 00 00 00')).value).toBe(false);
    expect(decodeRegisters(format('bool', { bit: 16, order: 'CDAB' }), hex('00 00 00 01')).value).toBe(true);
  });

  it('never write what a profile forbids', () => {
    const profile = modbus({
      values: { a: { at: 0, write: { forbidden: [7], verify: { read: 'b' }, boot: 'off' } }, b: { at: 9 } },
    });
    const address = addressOf(profile, 'a');
    expect(() => encodeRegisters(address.format, 1, 7)).toThrow('7 must never be written here');
    expect(encodeRegisters(address.format, 1, 8).toString('hex')).toBe('0008');
    expect(address.write).toMatchObject({ fc: 6, boot: 'off', readBack: { at: 9, table: 'holding' } });
  });
});

const parent = `profile: parent
name: { zh: 表, en: Meter }
kind: meter
protocol: modbus
bus: { order: CDAB, max: 40 }
values:
  voltage: { at: 0, phases: 3, as: f32, unit: V, range: [0, 300] }
  energy: { at: 6, as: u32, unit: kWh }
test:
  - { value: voltage_l1, hex: "33 33 43 66", is: 230.2 }
  - { value: energy, hex: "00 01 00 00", is: 1 }
source: [manual]
`;
const child = (more: string) => `profile: child
extends: meter/parent
name: { zh: 表, en: Child }
${more}`;

describe('a profile that extends another one', () => {
  it('says only what differs, and inherits the vectors of what does not', async () => {
    const folder = await folderWith({
      'meter/parent.yaml': parent,
      'meter/child.yaml': child(
        'bus: { max: 10 }\nvalues:\n  energy: { scale: 0.1 }\n  power: { at: 20 }\ntest: [{ value: power, hex: "0001", is: 1 }]\n',
      ),
    });
    const { profile, passed, failures } = await checkProfile(folder, 'meter/child');
    expect(failures).toEqual([]);
    // The parent's vector of `energy` is not true of it any more.
    expect(passed).toBe(2);
    expect(profile).toMatchObject({ profile: 'child', name: { en: 'Child' }, bus: { order: 'CDAB', max: 10 } });
    expect(pointsOf(profile, polls).map(({ name }) => name)).toEqual([
      'voltage_l1',
      'voltage_l2',
      'voltage_l3',
      'energy',
      'power',
    ]);
    expect(profile.source).toEqual(['manual']);
  });

  it('leaves out values and keys by null', async () => {
    const folder = await folderWith({
      'meter/parent.yaml': parent,
      'meter/child.yaml': child(
        'values: { energy: null, voltage: { phases: null, range: null } }\ntest: [{ value: voltage, hex: "33 33 43 66", is: 230.2 }]\n',
      ),
    });
    const points = pointsOf(await loadProfile(folder, 'meter/child'), polls);
    expect(points).toMatchObject([{ name: 'voltage' }]);
    expect(points[0]).not.toHaveProperty('range');
  });

  it('is refused with the place in its own file', async () => {
    const folder = await folderWith({
      'meter/parent.yaml': parent,
      'meter/child.yaml': child('values:\n  energy: { unit: bananas }\n'),
      'meter/lost.yaml': child('').replace('child', 'lost').replace('meter/parent', 'meter/nobody'),
      'meter/self.yaml': child('').replace('child', 'self').replace('meter/parent', 'meter/self'),
    });
    await expect(loadProfile(folder, 'meter/child')).rejects.toThrow(
      'values.energy.unit: unknown unit "bananas" (line 5, column 13)',
    );
    await expect(loadProfile(folder, 'meter/lost')).rejects.toThrow('extends: cannot read meter/nobody.yaml');
    await expect(loadProfile(folder, 'meter/self')).rejects.toThrow('more than 3 profiles extend each other');
  });
});

describe('a mistake in a profile', () => {
  it.each([
    ['values:\n  a: { at: 1, as: f33 }', 'values.a.as: must be one of u16', 'line 6, column 15'],
    [
      'values:\n  a:\n    at: 1\n    counter: { max_rate: 3 bananas }\n    unit: kWh',
      'values.a.counter',
      'line 8, column 5',
    ],
    ['values: { a: { at: 1 } }\ncheck:\n  - { value: b, in: [1, 2] }', 'check[0].value', 'line 7, column 7'],
    ['values: { a: { at: 1 }\n', 'must', 'line'],
    ['values: { a: { at: 1 }, a: { at: 2 } }', 'has the key "a" twice', 'line 5, column 25'],
  ])('%j is found at its line and column', async (yaml, message, place) => {
    const text = `profile: test\nname: { zh: 表, en: Meter }\nkind: meter\nprotocol: modbus\n${yaml}\ntest: [{ value: a, hex: "0001", is: 1 }]\n`;
    const folder = await folderWith({ 'meter/test.yaml': text });
    await expect(loadProfile(folder, 'meter/test')).rejects.toThrow(message);
    await expect(loadProfile(folder, 'meter/test')).rejects.toThrow(`(${place}`);
  });

  it.each([
    [{ values: { a: { at: 0, as: 'f32', encode: 'pf4q', write: {} } } }, 'values.a.write: cannot be written'],
    [{ values: { a: { at: 0, model: [1] } } }, 'values.a.model: needs bus.sunspec'],
    [{ values: { a: { at: 0, as: 'bits', bits: { 20: 'b' } } } }, 'needs "as: bits32"'],
    [{ values: { a: { at: 0, as: 'f32', text: true } } }, 'values.a.text: is for whole numbers'],
    [{ values: { a: { at: 0, as: 'f32', count: 2, stride: 1 } } }, 'values.a.stride: is less than the length 2'],
    [{ values: { a: { at: 0 } }, test: [] }, 'test: is empty'],
    [{ values: { a: { at: 0 } }, test: undefined }, 'test: is missing'],
    [{ values: { a: { at: 0, write: { verify: { read: 'b' } } } } }, 'there is no value "b"'],
    [
      {
        values: { a: { at: 0 } },
        variants: ['x', 'x'].map((variant) => ({
          variant,
          name: head.name,
          check: [{ model: [1] }],
          values: { c: null },
        })),
      },
      'variants[1].variant: is there twice',
    ],
  ])('%j: %s', (more, message) => {
    expect(() => modbus(more)).toThrow(message);
  });

  it('of DL/T 645 and CJ/T 188 is found as well', () => {
    const dlt = (value: object) => () =>
      checkProfileShape({
        profile: 't',
        ...head,
        protocol: 'dlt645',
        values: { a: value },
        test: [{ value: 'a', hex: '00', is: 0 }],
      });
    expect(dlt({ at: 10_000 })).toThrow('values.a.at: must be hex digits in quotes');
    expect(dlt({ at: '00010000', byte: 1 })).toThrow('values.a.byte: needs `data`');
    expect(dlt({ at: '00010000', as: 'time', length: 2 })).toThrow('values.a.length: of a time is 3 to 7');
    expect(dlt({ at: '00010000', write: { command: 'relay' } })).toThrow('values.a.write: is for one bit');
    expect(dlt({ at: '0001FF00', phases: 3 })).toThrow('values.a.at: runs over DI1 FF');
    const cjt =
      (value: object, type = 0x10) =>
      () =>
        checkProfileShape({
          profile: 't',
          ...head,
          protocol: 'cjt188',
          bus: { type },
          values: { a: value },
          test: [{ value: 'a', hex: '00', is: 0 }],
        });
    expect(cjt({ at: 'total', unit: 'kWh' })).not.toThrow();
    expect(cjt({ at: 'total', unit: 'V' })).toThrow('values.a.unit: must be one that the unit byte can be');
    expect(cjt({ at: 'energy', unit: 'kWh' })).toThrow('a meter of type 0x10 has no "energy"');
    expect(cjt({ at: 'energy', unit: 'kWh' }, 0x20)).not.toThrow();
    expect(cjt({ at: 'status' })).toThrow('values.a.bit: which bit');
  });
});
