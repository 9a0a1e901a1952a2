import { expect, test } from 'vitest';
import { documentKinds, unauditedKinds } from '#edge/store/documents.ts';
import { deedOf, deedWords } from '#edge/web/console/pages/audit/deeds.ts';
import { outcomeText } from '#edge/web/console/pages/audit/outcomes.ts';
import { suggestPassword } from '#edge/web/console/pages/people/suggest-password.ts';
import { lastingOf } from '#edge/web/console/pages/system/lasting.ts';
import { rulesMet } from '#edge/web/console/password-rules.ts';

const day = 86_400_000;

test('every change of a document that is audited has a word', () => {
  const audited = documentKinds.filter((kind) => !unauditedKinds.includes(kind));
  // A token is made and removed; that it is used is not a change. Who ignores an inbox entry never edits that.
  const verbs = audited.flatMap((kind) => [`${kind}.create`, `${kind}.remove`]);
  expect(verbs.filter((verb) => !Object.hasOwn(deedWords.zh, verb))).toEqual([]);
});

test('a line of the audit is split into what was done and to what', () => {
  expect(deedOf('person.change li', 'zh')).toEqual({ deed: '修改账号', about: 'li' });
  // Verbs of two words.
  expect(deedOf('put back relay-1/relay_1=true', 'zh')).toEqual({
    deed: '设备被改动，恢复原设定',
    about: 'relay-1/relay_1=true',
  });
  expect(deedOf('look live camera-gate', 'zh')).toEqual({ deed: '观看实时画面', about: 'camera-gate' });
  expect(deedOf('look footage camera-gate', 'zh')).toEqual({ deed: '查看录像', about: 'camera-gate' });
  for (const verb of [
    'camera.turn',
    'incident.claim',
    'case.fetch',
    'emergency.reset',
    'patrol.check-in',
    'forbid',
    'permit',
    'turn',
    'clock.step',
    'flows.change',
    'alarm.escalate',
    'repair.switch',
  ]) {
    expect(deedOf(`${verb} x`, 'zh').deed, verb).toMatch(/[\u4e00-\u9fff]/);
  }
  expect(deedOf('plan.remove grounds: takes smoke-101 off', 'zh')).toEqual({
    deed: '删除平面图',
    about: 'grounds: takes smoke-101 off',
  });
  expect(deedOf('GET /api/v1/people', 'en')).toEqual({ deed: 'Access refused', about: 'GET /api/v1/people' });
  expect(deedOf('something.new x', 'zh')).toEqual({ deed: 'something.new', about: 'x' });
  expect(deedOf('constructor', 'en').deed).toBe('constructor');
});

test('reasons and results are said in Chinese where they are known, and stay as written where not', () => {
  const said: readonly (readonly [string, string])[] = [
    ['refused: wrong password (4 times)', '被拒：密码错误（4 次）'],
    ['the session from 127.0.0.1 ended', '来自 127.0.0.1 的登录已结束'],
    ['sent to fieldbus', '已发往“现场总线”'],
    ['role "viewer" -> "security"; password changed', '角色 "viewer" → "security"；密码 已修改'],
    ['a sentence of tomorrow', 'a sentence of tomorrow'],
    ['', ''],
  ];
  for (const [text, words] of said) expect(outcomeText(text, 'zh')).toBe(words);
  expect(outcomeText('signed in', 'en')).toBe('signed in');
});

test('how long the box lasts is told from how it grew, once there is a day to tell it from', () => {
  const now = 100 * day;
  const grown = { bytes: 1_000, limit: 11_000, created: now - 10 * day };
  expect(lastingOf(grown, 1e9, now)).toEqual({ kind: 'days', days: 100 });
  expect(lastingOf(grown, 500, now)).toEqual({ kind: 'disk', days: 5 });
  expect(lastingOf(grown, -500, now)).toEqual({ kind: 'disk', days: 0 });
  expect(lastingOf({ ...grown, bytes: 10_900 }, 1e9, now)).toEqual({ kind: 'full' });
  expect(lastingOf({ ...grown, created: now - day / 2 }, 1e9, now)).toEqual({ kind: 'unknown' });
  expect(lastingOf({ ...grown, created: 0 }, 1e9, now)).toEqual({ kind: 'unknown' });
});

test('a password that is made up meets the rules, is another each time, and has nothing that looks alike', () => {
  const made = Array.from({ length: 200 }, () => suggestPassword(['bato', '巴托']));
  expect(new Set(made).size).toBe(200);
  for (const password of made) {
    expect(Object.values(rulesMet(password, ['bato', '巴托']))).toEqual([true, true, true, true]);
    expect(password).toMatch(/^[A-Z][a-z]{5}-[2-9]{4}-[a-z]{6}$/);
    expect(password).not.toMatch(/[lIO01]/);
  }
});
