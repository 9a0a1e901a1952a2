import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isSameSecret } from '#edge/runtime/secret.ts';
import { loadAdminToken } from '#edge/web/token.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'token-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the first start makes a token that only its owner can read, and later starts keep it', () => {
  const token = loadAdminToken(folder);
  expect(token).toMatch(/^[\w-]{32}$/);
  expect(statSync(join(folder, 'admin-token')).mode & 0o777).toBe(0o600);
  expect(loadAdminToken(folder)).toBe(token);
  expect(readFileSync(join(folder, 'admin-token'), 'utf8').trim()).toBe(token);
});

test('a token file that others can read is closed to them', () => {
  loadAdminToken(folder);
  chmodSync(join(folder, 'admin-token'), 0o644);
  loadAdminToken(folder);
  expect(statSync(join(folder, 'admin-token')).mode & 0o777).toBe(0o600);
});

test('a token that could be guessed is refused, naming the file', () => {
  writeFileSync(join(folder, 'admin-token'), 'secret\n');
  expect(() => loadAdminToken(folder)).toThrow(/admin-token holds fewer than 32 characters/);
});

test('secrets are the same or not, whatever their lengths', () => {
  expect(isSameSecret('abc', 'abc')).toBe(true);
  for (const other of ['', 'ab', 'abcd', 'abd', 'ABC', 'abc\0']) expect(isSameSecret(other, 'abc')).toBe(false);
});
