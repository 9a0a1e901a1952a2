import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadSite } from '#edge/runtime/site.ts';

const good = `site: 1
campus: {id: "2151009901", name: {zh: 青禾, en: Qinghe}, timeZone: Asia/Shanghai}
zones: [{id: z, name: {zh: 东, en: East}}]
`;
const device = '{id: a, name: {zh: 表, en: Meter}, profile: meter/x, zone: z, address: {}}';
const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]', ...'bcdefg'].reduce(
  (text, name) =>
    `${text}\n${name}: &${name} [${Array.from({ length: 9 }, () => `*${String.fromCharCode(name.charCodeAt(0) - 1)}`)}]`,
);

async function complaint(text: string): Promise<string> {
  const file = join(mkdtempSync(join(tmpdir(), 'site-')), 'site.yaml');
  writeFileSync(file, text);
  const error: unknown = await loadSite(file).then(
    () => null,
    (reason: unknown) => reason,
  );
  const message = error instanceof Error ? error.message : 'it was taken';
  expect(message).toContain(file);
  return message;
}

describe('a site file', () => {
  test.each([
    ['a key twice', `${good}site: 1`, 'Map keys must be unique at line 4'],
    ['a name of the prototype as key', `${good}__proto__: {x: 1}`, '(file): Unrecognized key: "__proto__"'],
    ['another one', `${good}constructor: {x: 1}`, '(file): Unrecognized key: "constructor"'],
    [
      'interlocks',
      `${good}interlocks: [{id: fire}]`,
      'interlocks: are rules now: one file each in the folder "rules" beside this file',
    ],
    [
      'a mode twice',
      `${good}modes: [{id: m, name: {zh: 一, en: M}}, {id: m, name: {zh: 一, en: M}}]`,
      'modes[1].id: "m" is used twice',
    ],
    ['aliases that multiply', bomb, 'Excessive alias count'],
    [
      'an address within itself',
      `${good}devices: [${device.replace('address: {}', 'address: &a {b: *a}')}]`,
      'devices[0].address: must not contain itself',
    ],
    ['20,000 brackets', `${good}x: ${'['.repeat(20_000)}`, 'Maximum call stack size exceeded at line 4'],
    ['nothing', '', '(file): Invalid input: expected object'],
    ['bytes that are no text', '\0\u0001\u0002', '(file): Invalid input: expected object'],
    ['a device twice', `${good}devices: [${device}, ${device}]`, 'devices[1].id: "a" is used twice'],
    ['a client twice', `${good}clients: [{id: c}, {id: c}]`, 'clients[1].id: "c" is used twice'],
    ['a poll without a pause', `${good}poll: {fast: 0s}`, 'poll.fast: must be at least 100ms'],
    ['a number beyond all bounds', `${good}mqtt: {port: 1e999}`, 'mqtt.port: Invalid input'],
    ['10 MB', `${good}${`# ${'x'.repeat(98)}\n`.repeat(100_000)}`, 'and at most 5000000 are read'],
  ])('with %s is refused by a sentence that names file and place', async (_what, text, said) => {
    expect(await complaint(text)).toContain(said);
  });

  test('with 5,000 mistakes names the first 50 and counts the rest', async () => {
    const message = await complaint(`${good}clients: [${'{id: "A B"},'.repeat(5_000)}]`);
    expect(message.split('\n')).toHaveLength(52);
    expect(message).toContain('clients[49].id: must be a slug');
    expect(message.split('\n').at(-1)).toBe('and 4950 more');
  });
});
