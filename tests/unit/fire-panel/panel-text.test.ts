import { expect, test } from 'vitest';
import { type PanelRecord, PanelText } from '#edge/drivers/fire-panel/panel-text.ts';
import { eventOf, type PanelEvent, type PanelWords } from '#edge/drivers/fire-panel/panel-words.ts';
import { fireRecord, nextFireRecord, resetRecord } from './panel-bytes.ts';

function listen(words: PanelWords = {}, encoding: 'gbk' | 'utf-8' = 'gbk') {
  const events: PanelEvent[] = [];
  const records: PanelRecord[] = [];
  let garbage = 0;
  const text = new PanelText({
    encoding,
    words,
    onEvent: (event) => events.push(event),
    onRecord: (record) => records.push(record),
    onGarbage: () => garbage++,
  });
  return { text, events, records, garbage: () => garbage };
}

test('a fire, the next one and the reset are read from what the panel prints', () => {
  const { text, events, records } = listen();
  for (const bytes of [fireRecord, nextFireRecord, resetRecord]) text.push(bytes);
  expect(events).toEqual(['fire', 'fire', 'reset']);
  expect(records).toEqual([
    { event: 'fire', printed: '08/12/02  17:24', part: '004-004', text: '首次火警 裙楼一层上空 感烟探测器' },
    { event: 'fire', printed: '08/12/02  17:21', part: '006-007', text: '火警后续 中烟六层计划部 感烟探测器' },
    { event: 'reset', printed: '08/12/02  17:25', part: '', text: '系统复位' },
  ]);
});

test('however the bytes are cut, the same is read, and fire is told with the end of its line', () => {
  const all = Buffer.concat([fireRecord, resetRecord]);
  const whole = listen();
  whole.text.push(all);
  for (let size = 1; size <= 17; size++) {
    const cut = listen();
    for (let at = 0; at < all.length; at += size) cut.text.push(all.subarray(at, at + size));
    expect(cut.records).toEqual(whole.records);
    expect(cut.events).toEqual(whole.events);
  }
  const { text, events, records } = listen();
  const line = fireRecord.indexOf(Buffer.from([0xf0, 0xbe, 0xaf])) + 3;
  text.push(fireRecord.subarray(0, line));
  expect(events).toEqual([]);
  text.push(fireRecord.subarray(line, line + 1));
  expect(events).toEqual(['fire']);
  expect(records).toEqual([]);
  text.rest();
  expect(records).toEqual([{ event: 'fire', printed: '08/12/02  17:24', part: '004-004', text: '首次火警' }]);
});

test.each<[string, PanelEvent | null]>([
  ['首次火警', 'fire'],
  ['火警', 'fire'],
  ['手动按钮火警', 'fire'],
  ['FIRE ALARM ZONE 3', 'fire'],
  ['火警撤消', 'cleared'],
  ['火警恢复', 'cleared'],
  ['故障恢复', 'cleared'],
  ['解除屏蔽', 'cleared'],
  ['模拟火警', 'other'],
  ['火警测试', 'other'],
  ['预警', 'other'],
  ['系统复位', 'reset'],
  ['主电故障', 'fault'],
  ['屏蔽', 'disabled'],
  ['监管报警', 'supervisory'],
  ['消防泵启动', 'started'],
  ['裙楼一层上空', null],
  ['感烟探测器', null],
])('%s is %s', (line, event) => {
  expect(eventOf(line, {})).toBe(event);
});

test('a panel with words of its own is understood by them', () => {
  const { text, events } = listen({ fire: ['总报警'], reset: ['总清'] }, 'utf-8');
  text.push(Buffer.from('总报警\r\n二层走道\r\n\r\n总清\r\n\r\n'));
  expect(events).toEqual(['fire', 'reset']);
});

test('noise is counted, bounded and forgotten: the next record is read', () => {
  const { text, events, records, garbage } = listen();
  const noise = Buffer.from(
    Array.from({ length: 20_000 }, (_, i) => ((i * 37) % 200) + 40).filter((byte) => byte !== 0x1b),
  );
  text.push(noise);
  text.push(Buffer.from('\n\n'));
  expect(garbage()).toBeGreaterThan(0);
  const before = records.length;
  text.push(fireRecord);
  expect(events.at(-1)).toBe('fire');
  expect(records).toHaveLength(before + 1);
});

test('a record without end is cut, not kept', () => {
  const { text, records } = listen();
  text.push(Buffer.from('abc\n'.repeat(100)));
  expect(records.length).toBeGreaterThanOrEqual(8);
});
