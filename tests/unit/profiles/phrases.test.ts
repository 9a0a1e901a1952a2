import { expect, test } from 'vitest';
import { checkProfileShape } from '#edge/profiles/load.ts';

const base = { profile: 'p', kind: 'display', protocol: 'phrases', name: { zh: '屏', en: 'Screen' } };
const power = { say: { true: 'on', false: 'off' } };
const text = { type: 'text', say: '{value}', text: { most: 20 } };

function mistake(body: object): string {
  try {
    checkProfileShape({ ...base, ...body });
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}

test('a phrase book that means something is taken', () => {
  expect(mistake({ way: 'tcp', values: { power, text } })).toBe('');
  expect(mistake({ way: 'mqtt', topic: 'cmnd/{at}/IRsend', values: { power } })).toBe('');
  expect(mistake({ way: 'http', path: '/x', values: { text } })).toBe('');
  expect(mistake({ way: 'tcp', values: { level: { type: 'number', say: ['vol ', '{value}', { hex: '0d' }] } } })).toBe(
    '',
  );
});

test.each([
  [{ way: 'mqtt', values: { power } }, /values\.power\.topic: is needed/],
  [{ way: 'mqtt', topic: 'v1/command/fieldbus', values: { power } }, /not v1 or \$/],
  [{ way: 'mqtt', topic: '{at}/set', values: { power } }, /fixed level/],
  [{ way: 'mqtt', topic: 'a/+/b', values: { power } }, /fixed level/],
  [{ way: 'mqtt', topic: 'a/b', values: { power: { ...power, expect: 'OK' } } }, /nothing answers over mqtt/],
  [{ way: 'http', values: { power } }, /values\.power\.path: is needed/],
  [{ way: 'http', path: '/x?{value}', values: { power } }, /\{phrase\} and \{password\}/],
  [{ way: 'http', method: 'GET', path: '/x', values: { power } }, /GET has no body/],
  [{ way: 'tcp', values: { power: { say: 'on' } } }, /"true" and for "false"/],
  [{ way: 'tcp', values: { power: { say: { on: 'x' } } } }, /values\.power\.say\.on: is no boolean/],
  [{ way: 'tcp', values: { level: { type: 'number', say: { loud: 'x' } } } }, /is no number/],
  [{ way: 'tcp', values: { text: { ...text, say: 'x' } } }, /must have \{value\}/],
  [{ way: 'tcp', values: { text: { ...text, say: '{valeu}{value}' } } }, /\{valeu\} is not known/],
  [{ way: 'tcp', values: { text: { type: 'text', say: '{value}' } } }, /how many characters/],
  [{ way: 'tcp', values: { power: { ...power, poll: 'fast' } } }, /without `ask`/],
  [{ way: 'tcp', values: { power: { ...power, text: { most: 5 } } } }, /for a value of type text/],
  [
    { way: 'http', path: '/x', values: { power: { ...power, ask: { say: '?', is: { true: 'on' } } } } },
    /over tcp only/,
  ],
  [{ way: 'tcp', values: { power: { ...power, ask: { say: '?', is: { yes: 'on' } } } } }, /is no boolean/],
  [{ way: 'tcp', values: { power: { say: { true: { hex: 'a' } } } } }, /hex/],
  [{ way: 'tcp', values: { power: { ...power, at: 'power' } } }, /at: is not a key here/],
])('%j is told where it is wrong', (body, why) => {
  expect(mistake(body)).toMatch(why);
});
