import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import { checkProfile } from '#edge/profiles/check.ts';
import { devicesOf, pointsOf } from '#edge/profiles/expand.ts';
import { checkProfileShape, loadProfile, loadProfiles } from '#edge/profiles/load.ts';
import { schemaText } from '#edge/profiles/schema.ts';
import { ratePerHour, toUcum } from '#edge/profiles/units.ts';

const shelf = new URL('../../../device-profiles', import.meta.url).pathname;
const polls = { fast: 2_000, normal: 15_000, slow: 300_000 };
const name = { zh: '表', en: 'Meter' };

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'profiles-'));
  await mkdir(join(folder, 'meter'));
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  return folder;
}

const meter = (values: string, more = '') => `profile: test
name: {zh: 表, en: Meter}
kind: meter
protocol: modbus
values: ${values}
test: [{value: a, hex: "0001", is: 1}]
${more}`;

describe('the shipped profiles', async () => {
  const { profiles, broken } = await loadProfiles(shelf);

  it('are all valid', () => {
    expect([...broken]).toEqual([]);
    expect([...profiles.keys()]).toEqual(
      expect.arrayContaining(['meter/chint-dtsu666', 'meter/eastron-sdm630', 'relay/waveshare-relay-8']),
    );
  });

  it.each([...profiles].filter(([, profile]) => profile.protocol === 'modbus').map(([path]) => path))(
    '%s decodes its own raw-byte vectors',
    async (path) => {
      const { passed, failures } = await checkProfile(shelf, path);
      expect(failures).toEqual([]);
      expect(passed).toBeGreaterThanOrEqual(3);
    },
  );

  it('have the schema.json that this code generates (npm run schemas)', async () => {
    expect(await readFile(join(shelf, 'schema.json'), 'utf8')).toBe(schemaText());
  });

  it('expand phases, counts and units into points', async () => {
    const sdm = pointsOf(await loadProfile(shelf, 'meter/eastron-sdm630'), polls);
    const voltage = sdm.find((point) => point.name === 'voltage_l2');
    expect(voltage).toMatchObject({ unit: 'V', poll: 'normal', staleAfter: 37_500, label: { zh: '电压 L2' } });
    expect(sdm.find((point) => point.name === 'power_l3')).toMatchObject({ poll: 'fast', staleAfter: 10_000 });
    expect(sdm.find((point) => point.name === 'energy_import')).toMatchObject({
      unit: 'kW.h',
      counter: { wrap: 1_000_000, maxRate: 120 },
    });
    const relay = pointsOf(await loadProfile(shelf, 'relay/waveshare-relay-8'), polls);
    expect(relay.map((point) => point.name)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => `relay_${n}`));
    expect(relay[7]).toMatchObject({
      type: 'boolean',
      unit: '',
      write: { verifyAfter: 300, verifyWithin: 2_000, minGap: 1_000, failSafe: 'keep' },
      address: { table: 'coil', at: 7, block: { at: 0, length: 8 }, write: { fc: 5, retry: 1 } },
    });
  });
});

describe('a broken profile', () => {
  it('is named with the path of every mistake', async () => {
    const folder = await folderWith({ 'meter/test.yaml': meter('{a: {at: 70000, scael: 2, unit: kW/h}}') });
    await expect(loadProfile(folder, 'meter/test')).rejects.toMatchObject({ code: 'PROFILE_INVALID' });
    await expect(loadProfile(folder, 'meter/test')).rejects.toThrow(/meter\/test\.yaml[\s\S]*values\.a\.at/);
    await expect(loadProfile(folder, 'meter/test')).rejects.toThrow(
      /values\.a\.scael: is not a key here \(line 5, column 25\)/,
    );
    await expect(loadProfile(folder, 'meter/test')).rejects.toThrow(/values\.a\.unit: unknown unit "kW\/h"/);
  });

  it('disables the devices that name it and no other', async () => {
    const folder = await folderWith({
      'meter/test.yaml': meter('{a: {at: 0}}'),
      'meter/bad.yaml': 'profile: bad\nprotocol: morse\n',
      'meter/worse.yaml': 'a: [unclosed',
    });
    const loaded = await loadProfiles(folder);
    expect([...loaded.broken.keys()]).toEqual(['meter/bad', 'meter/worse']);
    const entry = (id: string, profile: string) => ({
      id: id as DeviceId,
      name,
      profile,
      zone: 'z' as ZoneId,
      address: {},
    });
    const site = {
      poll: polls,
      devices: [entry('m1', 'meter/bad'), entry('m2', 'meter/test'), entry('m3', 'meter/no')],
    };
    const { devices, broken } = devicesOf(site, loaded);
    expect(devices.map((device) => device.id)).toEqual(['m2']);
    expect(broken.map(({ device }) => device)).toEqual(['m1', 'm3']);
    expect(broken[0]?.message).toMatch(/meter\/bad.*protocol/s);
    expect(broken[1]?.message).toContain('there is no such profile');
  });

  it.each([
    ['{a: {at: 0, as: bits}}', 'values.a.bits'],
    ['{a: {at: 0, fc: coil, as: u16}}', 'values.a.as'],
    ['{a: {at: 0, fc: input, write: {}}}', 'values.a.write'],
    ['{a: {at: 65535, as: f32, count: 4}}', 'values.a.at'],
    ['{a: {at: 0, as: u16}, b: {at: 1, as: bits, bits: {0: a}}}', 'two values are named "a"'],
    ['{a: {at: 0, unit: kWh, counter: {max_rate: 3 bananas}}}', 'values.a.counter: "3 bananas" is not a rate'],
    ['{b: {at: 0}}', 'test[0].value: there is no value "a"'],
  ])('%s is refused: %s', (values, message) => {
    const shape = {
      profile: 'test',
      name,
      kind: 'meter',
      protocol: 'modbus',
      test: [{ value: 'a', hex: '0001', is: 1 }],
    };
    const parsed: unknown = JSON.parse(
      values
        .replaceAll(/([{ ])([a-z_]+|0):/g, '$1"$2":')
        .replaceAll(/: ?([a-z][a-z0-9A-Z ]*|3 bananas)(?=[,}])/g, ':"$1"'),
    );
    expect(() => checkProfileShape({ ...shape, values: parsed })).toThrow(message);
  });

  it('fails its vectors with what came instead', async () => {
    const folder = await folderWith({ 'meter/test.yaml': meter('{a: {at: 0, scale: 0.1}}') });
    expect((await checkProfile(folder, 'meter/test')).failures).toEqual(['test[0] a: 0001 is 0.1, not 1']);
  });
});

describe('units', () => {
  it('take friendly words and UCUM codes, and nothing else', () => {
    expect(['kWh', '°C', 'ppm', '%', 'lx', 'var', ''].map(toUcum)).toEqual([
      'kW.h',
      'Cel',
      '[ppm]',
      '%',
      'lx',
      'V.A{reactive}',
      '1',
    ]);
    expect(toUcum('kW.h')).toBe('kW.h');
    expect(() => toUcum('furlong')).toThrow('unknown unit "furlong"');
  });

  it('turn a power into the fastest believable rise of a counter', () => {
    expect(ratePerHour('120kW', 'kW.h')).toBe(120);
    expect(ratePerHour('1.5MW', 'kW.h')).toBe(1500);
    expect(ratePerHour('500W', 'kW.h')).toBe(0.5);
  });
});
