import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { adoptedFile, readAdopted, sealAdopted, writeAdopted } from '#edge/runtime/adopted.ts';
import { loadSealer, sealKeyFile } from '#edge/runtime/seal.ts';
import { siteDeviceSchema } from '#edge/runtime/site.ts';

const password = 'lan-tian-88';
const camera = (id: string, address: object = { host: '192.0.2.20', username: 'campus', password }) =>
  siteDeviceSchema.parse({
    ...{ id, name: { zh: id, en: id }, profile: 'camera/onvif-generic', zone: 'gate' },
    address,
  });
const folder = () => mkdtempSync(join(tmpdir(), 'secrets-'));
const everything = (data: string) =>
  readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');

test('a password that was given at adoption lies in no file of the data folder, and drivers get it all the same', () => {
  const data = folder();
  const v3 = {
    host: '192.0.2.2',
    v3: { user: 'campus', authPassword: 'eight-or-more', privacyPassword: 'more-or-eight' },
  };
  writeAdopted(data, [camera('gate-cam'), camera('switch', v3), camera('plain', { tcp: { host: '192.0.2.1' } })]);
  for (const secret of [password, 'eight-or-more', 'more-or-eight']) expect(everything(data)).not.toContain(secret);
  expect(readFileSync(adoptedFile(data), 'utf8')).toContain('campus');
  const { devices, problems, isWhole } = readAdopted(data);
  expect(devices.map(({ address }) => address)).toEqual([
    { host: '192.0.2.20', username: 'campus', password },
    v3,
    { tcp: { host: '192.0.2.1' } },
  ]);
  expect({ problems, isWhole }).toEqual({ problems: [], isWhole: true });
  expect(statSync(sealKeyFile(data)).mode & 0o777).toBe(0o600);
});

test('what an older version left open is sealed once, and only where there is something to seal', () => {
  const data = folder();
  expect(sealAdopted(data)).toBe(false);
  const old = {
    version: 1,
    devices: [camera('gate-cam'), camera('door-cam', { host: 'a', passwordFile: '/run/secrets/a' })],
  };
  writeFileSync(adoptedFile(data), JSON.stringify(old));
  expect(readAdopted(data).devices).toEqual(old.devices);
  expect(sealAdopted(data)).toBe(true);
  expect(everything(data)).not.toContain(password);
  expect(readFileSync(adoptedFile(data), 'utf8')).toContain('/run/secrets/a');
  expect(readAdopted(data).devices).toEqual(old.devices);
  const once = readFileSync(adoptedFile(data), 'utf8');
  expect(sealAdopted(data)).toBe(false);
  expect(readFileSync(adoptedFile(data), 'utf8')).toBe(once);
});

test('without its key a password is named, kept sealed when the list is written again, and opens when the key is back', () => {
  const data = folder();
  writeAdopted(data, [camera('gate-cam')]);
  const key = readFileSync(sealKeyFile(data), 'utf8');
  rmSync(sealKeyFile(data));
  const lost = readAdopted(data);
  expect(lost.isWhole).toBe(true);
  expect(lost.problems).toEqual([expect.stringMatching(/"gate-cam": password cannot be opened .* adopt it again/)]);
  writeAdopted(data, [...lost.devices, camera('second', { tcp: { host: '192.0.2.1' } })]);
  mkdirSync(join(data, 'keys'), { recursive: true });
  writeFileSync(sealKeyFile(data), key);
  expect(readAdopted(data).devices[0]?.address).toMatchObject({ password });
});

test('a sealed password does not open for another device or under another name', () => {
  const data = folder();
  writeAdopted(data, [camera('gate-cam')]);
  const text = readFileSync(adoptedFile(data), 'utf8');
  writeFileSync(adoptedFile(data), text.replaceAll('"gate-cam"', '"other-cam"'));
  expect(readAdopted(data).problems).toEqual([expect.stringContaining('"other-cam": password cannot be opened')]);
});

test('the key is made once and leaves nothing beside it', () => {
  const data = folder();
  const first = loadSealer(data);
  expect(loadSealer(data).open('a', first.seal('a', 'b'))).toBe('b');
  expect(readdirSync(join(data, 'keys'))).toEqual(['seal.key']);
});
