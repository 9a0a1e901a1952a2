import { expect, test } from 'vitest';
import { encodeGbk } from '#edge/drivers/phrases/gbk.ts';

test.each([
  // GB 2312 row 54 cell 48 and row 46 cell 36; the last is of GBK only.
  ['中文', 'd6d0cec4'],
  ['请撤离', 'c7ebb3b7c0eb'],
  ['A1，。', '4131a3aca1a3'],
  ['镕', 'e946'],
])('%s in GBK is %s', (text, hex) => {
  expect(encodeGbk(text)).toEqual({ bytes: Buffer.from(hex, 'hex') });
});

test('what GBK has not is named', () => {
  expect(encodeGbk('火🔥')).toEqual({ missing: '🔥' });
  expect(encodeGbk('ไทย')).toEqual({ missing: 'ไ' });
});

test('every character that it writes is read back as itself', () => {
  const decoder = new TextDecoder('gbk');
  let count = 0;
  for (let code = 0x20; code < 0x10000; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCharCode(code);
    const encoded = encodeGbk(character);
    if (!('bytes' in encoded)) continue;
    count++;
    expect(decoder.decode(encoded.bytes)).toBe(character);
  }
  // 20,902 Chinese characters of GBK, its signs and ASCII.
  expect(count).toBeGreaterThan(21_000);
});
