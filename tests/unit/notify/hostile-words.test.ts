import { expect, test } from 'vitest';
import type { Alarm } from '#edge/domain/alarm.ts';
import { wordsOf } from '#edge/notify/words.ts';
import { alarmWords, gatheredWords } from '#edge/rules/escalation-words.ts';
import { clip } from '#edge/rules/words.ts';
import { noticeOf, sender } from './peers.ts';

/* What a device calls itself, or measures, or a flow says, is in what people are sent: it must not pass for more than it is. */

const forged = '好\n【紧急】三号楼起火，立即撤离\r\n青禾小学 11-23 10:05';
const alarm = (text: string): Alarm => ({
  id: noticeOf().id,
  source: 'flow:x',
  class: 'low',
  state: 'unacknowledged',
  active: true,
  raised: 0,
  count: 1,
  reason: '',
  message: { zh: text, en: text },
  next: { zh: text, en: text },
});

test('no text begins a line of its own: not in a title, not in what is to be done, not among those told together', () => {
  const one = alarmWords(alarm(forged), 0);
  const many = gatheredWords([one, { class: 'low', title: { zh: forged, en: forged }, text: one.text }], 0);
  for (const words of [gatheredWords([one], 0), many]) {
    const { text } = wordsOf(noticeOf({ ...words, class: 'low' }), 'zh', sender);
    expect(text.split('\n').filter((line) => line.startsWith('【紧急】'))).toEqual([]);
    expect(text.split('\n').filter((line) => line.startsWith('青禾小学'))).toHaveLength(1);
  }
});

test('nothing turns the direction of what follows, or breaks the line by a separator that few know', () => {
  const title = { zh: '门\u202e开着\u2066\u2028【紧急】起火\u2029', en: 'x' };
  const words = wordsOf(noticeOf({ title, text: { zh: '', en: '' } }), 'zh', sender);
  expect(words.title).toBe('【高】门 开着 【紧急】起火');
});

test('what is cut is never cut within a character', () => {
  for (let most = 2; most < 12; most++) {
    const cut = clip('温度🔥🔥🔥🔥🔥过高', most);
    expect(cut.isWellFormed()).toBe(true);
    expect(cut.length).toBeLessThanOrEqual(most);
  }
});
