import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redact } from '#edge/notify/secrets.ts';
import { cutBytes, cutUnits, digestOf, wordsOf } from '#edge/notify/words.ts';
import { noticeOf, sender } from './peers.ts';

const created = Date.parse('2026-11-23T02:05:09Z');

describe('the words of a notice', () => {
  test('say how grave it is, what happened, where and when on the campus', () => {
    const words = wordsOf(noticeOf({ class: 'critical', created }), 'zh', {
      ...sender,
      console: 'https://campus.example',
    });
    expect(words.text).toBe('【紧急】三号楼水浸\n关闭总阀，通知物业\n青禾小学 11-23 10:05\nhttps://campus.example');
    expect(words).toMatchObject({ title: '【紧急】三号楼水浸', time: '2026-11-23T10:05:09+08:00', campus: '青禾小学' });
    const english = wordsOf(noticeOf({ class: 'low', created }), 'en', { ...sender, timeZone: 'UTC' });
    expect(english.text).toBe('【Low】Leak in building 3\nClose the main valve\nQinghe 11-23 02:05');
    expect(english.time).toBe('2026-11-23T02:05:09+00:00');
  });

  test('say of a test that it is one', () => {
    expect(wordsOf(noticeOf({ about: 'test' }), 'zh', sender).title).toContain('【测试】');
  });

  test('have no line breaks in the title and no control characters anywhere', () => {
    const nasty = noticeOf({
      title: { zh: '一\r\nBcc: x\u0000二', en: 'x' },
      text: { zh: 'a\u001b[31mb\nc', en: 'x' },
    });
    const words = wordsOf(nasty, 'zh', sender);
    expect(words.title).toBe('【高】一 Bcc: x 二');
    expect(words.text).toContain('a [31mb\nc');
  });

  test('of many are the gravest class and a line for each, and count what they leave out', () => {
    const many = Array.from({ length: 23 }, (_, i) =>
      noticeOf({ class: i === 11 ? 'high' : 'low', created: created + i, title: { zh: `第${i}条`, en: `no ${i}` } }),
    );
    const words = digestOf(many, 'zh', sender);
    const lines = words.text.split('\n');
    expect(lines[0]).toBe('【高】23 条通知');
    expect(lines[1]).toBe('11-23 10:05 【高】第11条');
    expect(lines.at(-2)).toBe('另有 3 条');
    expect(lines).toHaveLength(1 + 20 + 2);
  });
});

describe('what is cut', () => {
  test('is never longer than allowed, never half a character, and says so', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.integer({ min: 10, max: 300 }), (text, most) => {
        const cut = cutBytes(text, most);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(most);
        expect(Buffer.from(cut).toString()).toBe(cut);
        if (cut !== text) expect(cut.endsWith('…') && text.startsWith(cut.slice(0, -1))).toBe(true);
        expect(cutUnits(text, most).length).toBeLessThanOrEqual(most);
      }),
    );
    expect(cutBytes('汉字汉字', 12)).toBe('汉字汉字');
    expect(cutBytes('汉字汉字', 11)).toBe('汉字…');
    expect(cutUnits('👍👍👍', 4)).toBe('👍…');
  });
});

describe('what a far end said', () => {
  test('is shown without secrets, addresses and phone numbers', () => {
    const said = redact('550 <guard@school.example> +8613800001111 unknown; key=s3cret-key\r\nX', ['s3cret-key']);
    expect(said).toBe('550 <…> … unknown; key=… X');
    expect(redact('x'.repeat(1_000), []).length).toBe(300);
  });
});
