import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mergeAdopted, readAdopted, writeAdopted } from '#edge/runtime/adopted.ts';
import { loadSite, siteDeviceSchema } from '#edge/runtime/site.ts';

const site = await loadSite(join(import.meta.dirname, '../../../edge/simulators/demo-site.yaml'));
const zone = site.zones[0]?.id ?? '';
const device = (id: string, more: object = {}) =>
  siteDeviceSchema.parse({
    id,
    name: { zh: id, en: id },
    profile: 'meter/eastron-sdm630',
    zone,
    address: { tcp: { host: '192.0.2.1' } },
    ...more,
  });
const folder = () => mkdtempSync(join(tmpdir(), 'adopted-'));

test('a campus that adopted nothing is the site file, unchanged', () => {
  const adopted = readAdopted(folder());
  expect(adopted).toEqual({ devices: [], problems: [], isWhole: true });
  expect(mergeAdopted(site, adopted)).toBe(site);
});

test('what was adopted joins the devices of the site file and is named', () => {
  const data = folder();
  writeAdopted(data, [device('meter-9'), device('meter-10')]);
  const merged = mergeAdopted(site, readAdopted(data));
  expect(merged.adopted).toEqual(['meter-9', 'meter-10']);
  expect(merged.devices.map(({ id }) => id)).toEqual([...site.devices.map(({ id }) => id), 'meter-9', 'meter-10']);
  expect(merged.adoptionProblems).toEqual([]);
  expect(statSync(join(data, 'devices.json')).mode & 0o077).toBe(0);
  expect(readdirSync(data)).toEqual(['devices.json']);
});

test('the site file wins over an adopted device of the same id, and what has no place any more is named', () => {
  const data = folder();
  const taken = site.devices[0]?.id ?? '';
  writeAdopted(data, [
    device(taken),
    device('meter-9', { zone: 'gone' }),
    device('m-10', { space: 'gone' }),
    device('m-11'),
  ]);
  const merged = mergeAdopted(site, readAdopted(data));
  expect(merged.adopted).toEqual(['m-11']);
  expect(merged.adoptionProblems).toEqual([
    `adopted device "${taken}" is left out: the campus has a device "${taken}" already`,
    'adopted device "meter-9" is left out: there is no zone "gone"',
    'adopted device "m-10" is left out: there is no space "gone"',
  ]);
  expect(merged.devices.filter(({ id }) => id === taken)).toEqual(site.devices.filter(({ id }) => id === taken));
});

test('a device of our plain JSON may sign in under its own id and publish as nobody else', () => {
  const data = folder();
  writeAdopted(data, [device('air-7', { profile: 'sensor/plain', address: { json: true } })]);
  const { clients } = mergeAdopted(site, readAdopted(data));
  expect(clients.slice(0, -1)).toEqual(site.clients);
  expect(clients.at(-1)).toEqual({ id: 'air-7', publish: [], subscribe: [], devices: ['air-7'], requests: [] });
});

test('a damaged entry takes no other with it, and a damaged file is a problem and not a crash', () => {
  const data = folder();
  const file = join(data, 'devices.json');
  writeFileSync(file, JSON.stringify({ version: 1, devices: [{ id: 'X' }, device('meter-9')] }));
  const half = readAdopted(data);
  expect(half.devices.map(({ id }) => id)).toEqual(['meter-9']);
  expect(half.problems).toHaveLength(1);
  expect(half.isWhole).toBe(false);
  for (const text of ['', '{"version":2,"devices":[]}', '[]', readFileSync(file, 'utf8').slice(0, -9)]) {
    writeFileSync(file, text);
    expect(readAdopted(data)).toMatchObject({ devices: [], isWhole: false, problems: [expect.stringContaining(file)] });
  }
});
