import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '#edge/runtime/clock.ts';
import { isSameSecret } from '#edge/runtime/secret.ts';
import { CookieSessions, loadAdminToken } from '#edge/web/token.ts';

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

test('a cookie session ends by itself, and the hundred-and-first ends the oldest', () => {
  const clock = new ManualClock(1_800_000_000_000);
  const sessions = new CookieSessions(clock, 1_000);
  const first = `campus_session=${sessions.create()}`;
  expect(sessions.isOpen(`theme=dark; ${first}`)).toBe(true);
  expect(sessions.isOpen(`x${first}`)).toBe(false);
  expect(sessions.isOpen(undefined)).toBe(false);
  clock.advance(999);
  expect(sessions.isOpen(first)).toBe(true);
  clock.advance(1);
  expect(sessions.isOpen(first)).toBe(false);
  const many = Array.from({ length: 101 }, () => `campus_session=${sessions.create()}`);
  expect(sessions.isOpen(many[0])).toBe(false);
  expect(sessions.isOpen(many[1])).toBe(true);
  expect(sessions.isOpen(many[100])).toBe(true);
});
