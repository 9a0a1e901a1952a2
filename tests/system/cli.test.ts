import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

/* The `campus` command as a technician types it: what it prints, what it leaves on disk, and how it ends. */

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function campus(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'edge/cli/main.ts'), ...args], { timeout: 25_000 }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, out, err });
    });
  });
}

describe('clients', () => {
  const data = join(folder, 'data');

  test('a new client gets a random password, shown once and kept only as a hash that others cannot read', async () => {
    const { code, out } = await campus('client', 'add', '--data', data, 'zigbee2mqtt');
    expect(code).toBe(0);
    const password = /^zigbee2mqtt: password (\S{20,})\n$/.exec(out)?.[1] ?? '';
    expect(password).not.toBe('');
    const file = join(data, 'credentials.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain(password);
  });

  test('a given password is not printed', async () => {
    const { code, out } = await campus('client', 'add', '--data', data, 'air-201', '--password', 'chosen-by-hand');
    expect({ code, out }).toEqual({ code: 0, out: 'air-201: password set\n' });
  });

  test('clients are listed and removed by name', async () => {
    expect((await campus('client', 'list', '--data', data)).out.split('\n').sort()).toEqual([
      '',
      'air-201',
      'zigbee2mqtt',
    ]);
    expect(await campus('client', 'remove', '--data', data, 'air-201')).toMatchObject({
      code: 0,
      out: 'air-201: removed\n',
    });
    expect((await campus('client', 'list', '--data', data)).out).toBe('zigbee2mqtt\n');
    const again = await campus('client', 'remove', '--data', data, 'air-201');
    expect(again).toMatchObject({ code: 1, out: '', err: 'there is no client "air-201"\n' });
  });

  test.each([
    ['without a folder', ['client', 'list'], '--data FOLDER is needed'],
    ['without a name', ['client', 'add', '--data', data], 'exactly one NAME is needed'],
    ['with two names', ['client', 'add', '--data', data, 'a', 'b'], 'exactly one NAME is needed'],
    ['with a name that is none', ['client', 'add', '--data', data, 'Bad Name'], '"Bad Name" is not a client name'],
    ['that does not exist', ['client', 'rename', '--data', data], 'there is no command "client rename"'],
    ['with an unknown option', ['client', 'list', '--date', data], '--date'],
    ['that is empty', [], 'campus client add'],
  ])('a command %s ends with 2, what is wrong, and what there is', async (_, args, words) => {
    const { code, out, err } = await campus(...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(words);
    expect(err).toContain('campus site check FILE');
  });
});

describe('profiles', () => {
  test('the shipped ones decode their test vectors, named or by path', async () => {
    const { code, out } = await campus(
      'profile',
      'check',
      'meter/eastron-sdm630',
      'device-profiles/relay/waveshare-relay-8.yaml',
    );
    expect(code).toBe(0);
    expect(out).toMatch(
      /^meter\/eastron-sdm630: \d+ test vectors decode as they should\nrelay\/waveshare-relay-8: \d+/,
    );
  });

  test('one that does not exist is named', async () => {
    const { code, out, err } = await campus('profile', 'check', 'meter/nobody');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('meter/nobody');
  });

  test('all of them are looked at when none is named', async () => {
    const { code, out, err } = await campus('profile', 'check');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^ac\/haier-ycj-a002: \d+ test vectors decode as they should\n/);
    expect(out.trimEnd().split('\n').length).toBeGreaterThan(40);
  });
});

describe('site files', () => {
  const demo = readFileSync(join(root, 'edge/simulators/demo-site.yaml'), 'utf8');
  const check = (text: string) => {
    const file = join(folder, 'site.yaml');
    writeFileSync(file, text);
    return campus('site', 'check', file);
  };

  test('the demo campus is well formed', async () => {
    expect(await check(demo)).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/^\d+ devices, \d+ points, \d+ rules: well formed\n$/),
    });
  });

  test.each([
    [
      'an unknown key',
      demo.replace('timeZone: Asia/Shanghai', 'timeZone: Asia/Shanghai\n  colour: red'),
      /campus: .*colour/,
    ],
    ['a school code of nine digits', demo.replace('"2151009901"', '"215100990"'), /campus\.id: must be the 10-digit/],
    ['a time zone that is none', demo.replace('Asia/Shanghai', 'Asia/Nowhere'), /campus\.timeZone: must be an IANA/],
    [
      'a zone that nobody declared',
      demo.replace('zone: canteen\n', 'zone: cantine\n'),
      /devices\[\d+\]\.zone: unknown zone "cantine"/,
    ],
    ['interlocks, which are rules now', `${demo}\ninterlocks: []\n`, /^interlocks: are rules now: one file each/m],
    ['text that is not YAML', 'site: [1', /is not a valid site file/],
    ['nothing in it', '', /is not a valid site file/],
  ])('one with %s says what and where, and ends with 1', async (_, text, words) => {
    const { code, out, err } = await check(text);
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(words);
    expect(err).not.toContain('    at ');
  });

  test('a profile that does not exist names the device that wants it', async () => {
    const { code, err } = await check(demo.replace('profile: meter/chint-dtsu666', 'profile: meter/chint-dtsu999'));
    expect(code).toBe(1);
    expect(err).toMatch(/device meter-dorm: .*meter\/chint-dtsu999/);
  });

  test('a file that is not there is named', async () => {
    const file = join(folder, 'nowhere.yaml');
    expect(existsSync(file)).toBe(false);
    expect(await campus('site', 'check', file)).toMatchObject({ code: 1, err: expect.stringContaining(file) });
  });
});
