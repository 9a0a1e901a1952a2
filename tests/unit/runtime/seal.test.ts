import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadSealer, sealKeyFile } from '#edge/runtime/seal.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seal-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('what is sealed opens for the same purpose, also after a restart, and is never the same twice', () => {
  const sealed = loadSealer(folder).seal('totp wang', 'JBSWY3DPEHPK3PXP');
  expect(sealed).not.toContain('JBSWY3');
  expect(loadSealer(folder).open('totp wang', sealed)).toBe('JBSWY3DPEHPK3PXP');
  expect(loadSealer(folder).seal('totp wang', 'JBSWY3DPEHPK3PXP')).not.toBe(sealed);
  expect(statSync(sealKeyFile(folder)).mode & 0o777).toBe(0o600);
});

test('it does not open for another purpose, when it was touched, or with another key', () => {
  const sealer = loadSealer(folder);
  const sealed = sealer.seal('totp wang', 'secret');
  expect(() => sealer.open('totp lin', sealed)).toThrow(/does not fit/);
  for (const part of [0, 1, 2, 3]) {
    const parts = sealed.split('.');
    const first = parts[part]?.startsWith('A') ? 'B' : 'A';
    parts[part] = first + (parts[part] ?? '').slice(1);
    expect(() => sealer.open('totp wang', parts.join('.')), String(part)).toThrow(/does not fit/);
  }
  for (const wrong of ['', 's1', 's1...', 'scrypt$1', `${sealed}.x`.slice(0, 10)]) {
    expect(() => sealer.open('totp wang', wrong), wrong).toThrow(/does not fit/);
  }
  rmSync(sealKeyFile(folder));
  expect(() => loadSealer(folder).open('totp wang', sealed)).toThrow(/does not fit/);
});

test('digests are the same for the same purpose only, and need the key', () => {
  const sealer = loadSealer(folder);
  expect(sealer.digest('recovery wang', 'ABCDE')).toBe(loadSealer(folder).digest('recovery wang', 'ABCDE'));
  expect(sealer.digest('recovery lin', 'ABCDE')).not.toBe(sealer.digest('recovery wang', 'ABCDE'));
  expect(readFileSync(sealKeyFile(folder), 'utf8').trim()).toHaveLength(43);
});

test('a key file that holds no key is named', () => {
  loadSealer(folder);
  writeFileSync(sealKeyFile(folder), 'short\n');
  expect(() => loadSealer(folder)).toThrow(/seal\.key does not hold a key of 32 bytes/);
});
