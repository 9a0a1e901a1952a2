import { expect, test } from 'vitest';
import type { Language } from '../../../edge/web/console/kit/words.ts';
import { type Names, ownerText, reasonAlone, sentence } from '../../../edge/web/console/sentences.ts';

/* What drivers, rules and the supervisor say, as the console puts it. */

const known: Readonly<Record<string, { readonly zh: string; readonly en: string }>> = {
  'camera-gate': { zh: '校门摄像机', en: 'Gate camera' },
  smoke: { zh: '烟感报警', en: 'Smoke detector' },
  'meter-main/current_l1': { zh: '总电表 · 电流 L1', en: 'Main meter · Current L1' },
  'smoke-101/smoke': { zh: '101 烟感 · 烟雾', en: 'Smoke 101 · Smoke' },
};

function names(language: Language): Names {
  const name = (id: string) => known[id]?.[language] ?? id;
  return { language, deviceName: name, pointName: name, interlockName: name };
}

test.each([
  [
    'meter-main/current_l1 is 112.5 A (good) for 30 s',
    '总电表 · 电流 L1 为“112.5 A”，已持续 30 秒',
    'Main meter · Current L1 is 112.5 A for 30 s',
  ],
  ['smoke-101/smoke is true (good)', '101 烟感 · 烟雾 为“报警”', 'Smoke 101 · Smoke is ALARM'],
  [
    'smoke-101/smoke is unknown (bad, never-read)',
    '101 烟感 · 烟雾 为“—” (尚未读到)',
    'Smoke 101 · Smoke is — (never read)',
  ],
  ['event person from camera-gate', '校门摄像机：有人', 'Gate camera: person'],
  [
    'interlock:smoke forbids true below priority 1: smoke-101/smoke is true (good)',
    '联锁“烟感报警”不允许设为“开”：101 烟感 · 烟雾 为“报警”',
    'interlock “Smoke detector” forbids “on”: Smoke 101 · Smoke is ALARM',
  ],
])('evidence "%s" names what people know', (text, zh, en) => {
  expect(sentence(text, names('zh'))).toBe(zh);
  expect(sentence(text, names('en'))).toBe(en);
});

test('why an output is held is said with its owner by name, or without him where he is named already', () => {
  const text = 'interlock:smoke at 1: smoke-101/smoke is true (good)';
  expect(sentence(text, names('zh'))).toBe('联锁“烟感报警”：101 烟感 · 烟雾 为“报警”');
  expect(sentence('request:web at 8: 灯具检修', names('zh'))).toBe('人工（控制台）：灯具检修');
  expect(sentence('request:web at 8: lamps', names('en'))).toBe('a person (console): lamps');
  expect(reasonAlone('request:web at 8: 灯具检修')).toBe('灯具检修');
  const both = 'request:flows at 12: 空教室无人 / the room is empty';
  expect(sentence(both, names('zh'))).toBe('自动化流程：空教室无人');
  expect(sentence(reasonAlone(both), names('en'))).toBe('the room is empty');
  expect(sentence('检修 the third lamp of the hall', names('zh'))).toBe('检修 the third lamp of the hall');
  expect(sentence('nobody holds it: its fail-safe value is false', names('zh'))).toBe('没有人控制，回到安全值');
});

test.each([
  ['the alarm of smoke stood unacknowledged for 30 s', '“烟感报警”报警 30 秒无人确认'],
  [
    'camera 10.0.3.7:80 did not answer PullMessages within 25 s; next try in 4 s',
    '摄像机 10.0.3.7:80 在 25 秒内没有应答（PullMessages）；4 秒后重试',
  ],
  ['camera 10.0.3.7:80 refuses the connection; next try in 2 min', '摄像机 10.0.3.7:80 拒绝连接；2 分钟后重试'],
  [
    'camera 10.0.3.7:80 refuses the user name or password; held, next try in 30 min',
    '摄像机 10.0.3.7:80 拒绝用户名或密码；已暂停，30 分钟后再试',
  ],
  ['camera 10.0.3.7:80 answers HTTP 503; next try in 12 s', '摄像机 10.0.3.7:80 返回 HTTP 503；12 秒后重试'],
  ['unit 3 did not answer within 500 ms (read 0x0000)', '3 号从站在 500 毫秒内没有应答'],
  [
    'nobody listens at 10.0.4.2:5004; what is played is sent all the same',
    '10.0.4.2:5004 没有设备收听；播放内容照常发送',
  ],
  ['the process fieldbus is not running', '进程“现场总线”没有运行'],
  ['silent for 8 s', '8 秒没有响应，被强制重启'],
  ['exit 1', '退出码 1'],
  ['it is not on the broker', '没有连接消息总线'],
])('"%s" is said in Chinese', (text, zh) => {
  expect(sentence(text, names('zh'))).toBe(zh);
  expect(sentence(text, names('en')).toLowerCase()).toContain(text.slice(-10).toLowerCase());
});

test('a sentence that nobody has put into Chinese says that it is technical', () => {
  expect(sentence('the frobnicator is out of cheese', names('zh'))).toBe('技术信息：the frobnicator is out of cheese');
});

test('holders are named', () => {
  const owners = ['interlock:smoke', 'request:web', 'request:flows', 'request:wall'];
  expect(owners.map((owner) => ownerText(owner, names('zh')))).toEqual([
    '联锁“烟感报警”',
    '人工（控制台）',
    '自动化流程',
    '客户端“wall”',
  ]);
});
