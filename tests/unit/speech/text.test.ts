import { expect, test } from 'vitest';
import { spokenText } from '#edge/speech/text.ts';

test.each([
  ['请到101室集合', '请到幺零幺室集合'],
  ['请到１０２教室', '请到幺零二教室'],
  ['8:00开始，14:05结束，14:30放学', '8点整开始,14点零5分结束,14点30分放学'],
  ['2026年9月1日', '二零二六年9月1日'],
  ['温度26.5度，湿度50%', '温度26点五度,湿度百分之50'],
  ['今夜-5度', '今夜-5度'],
  ['气温 -5 度', '气温 负5 度'],
  ['电话13912345678', '电话幺三九幺二三四五六七八'],
  ['比分 2:1', '比分 2:1'],
  ['地址10.0.0.1', '地址10.0.0.1'],
  ['老师&同学', '老师和同学'],
])('what a voice is given of "%s" is "%s"', (text, spoken) => {
  expect(spokenText(text)).toBe(spoken);
});

test('leaves English as it is written', () => {
  expect(spokenText('Assembly at 8:00 in room 101, 50% of class 3.5')).toBe(
    'Assembly at 8:00 in room 101, 50% of class 3.5',
  );
  expect(spokenText('-5 degrees')).toBe('minus 5 degrees');
});

test.each([
  '<speak>你好</speak>',
  '[[hello]] 同学们',
  '-v en 同学们',
  '--version 同学们',
  '\u202e同学们\u0000\u001b[31m',
  '同学们\n\n\r\n-w /etc/passwd',
  '```$(HOME)``` {同学}',
])('leaves nothing in %j that an engine could take for markup, phonemes or an option', (text) => {
  const spoken = spokenText(text);
  expect(spoken).not.toMatch(/[[\]<>{}|\\`\p{C}]/u);
  expect(spoken).toMatch(/^[\p{L}\p{N}]/u);
});

test.each(['', '   ', '。。。', '<>[[]]', '😀🎉', '\u200b'])(
  'refuses %j: there is nothing in it to be read',
  (text) => {
    expect(() => spokenText(text)).toThrow('nothing in it that could be read');
  },
);

test('refuses more than a thousand characters, and says how many there are', () => {
  expect(spokenText('字'.repeat(1_000))).toHaveLength(1_000);
  expect(() => spokenText('字'.repeat(1_001))).toThrow('at most 1000 characters are spoken at once, not 1001');
});
