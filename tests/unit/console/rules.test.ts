import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseRule } from '../../../edge/runtime/rule-parse.ts';
import { changedFields } from '../../../edge/web/console/pages/rules/changed-fields.ts';
import { mistakesAt } from '../../../edge/web/console/pages/rules/mistakes.tsx';
import { type Body, duration, readBody } from '../../../edge/web/console/pages/rules/read-body.ts';
import { inChinese } from '../../../edge/web/console/pages/rules/reason-text.ts';
import {
  conditionAt,
  conditionText,
  endingTexts,
  onBadTexts,
  ruleSentence,
} from '../../../edge/web/console/pages/rules/sentence.ts';
import { createVocabulary } from '../../../edge/web/console/pages/rules/vocabulary.ts';
import { durationBody, writeBody } from '../../../edge/web/console/pages/rules/write-body.ts';
import { yamlText } from '../../../edge/web/console/pages/rules/yaml-text.ts';

/* Rules in the browser: bodies are read and written without loss, and read as sentences in both languages. */

const folder = join(import.meta.dirname, '../../../edge/simulators/rules');
const demo = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => ({ name, body: parse(readFileSync(join(folder, name), 'utf8')) as Body }));
const bodyOf = (id: string) => demo.find(({ name }) => name === `${id}.yaml`)?.body ?? {};

/** A rule that says everything that the language has. */
const everything: Body = {
  rule: 1,
  id: 'everything',
  name: { zh: '全部', en: 'Everything' },
  about: { zh: '说明', en: 'about' },
  kind: 'comfort',
  each: { place: 'space', of: { of: '*/co2', zones: ['teaching'] } },
  when: {
    kind: 'all',
    conditions: [
      {
        kind: 'any',
        conditions: [
          {
            kind: 'point',
            points: { of: '*/co2', here: true },
            needs: 2,
            test: { below: 3, hysteresis: 1 },
            for: '90s',
          },
          {
            kind: 'rate',
            points: '*/temperature',
            needs: 'all',
            change: { falls: 4 },
            within: '5min',
            onBad: 'ignore',
          },
        ],
      },
      { kind: 'event', type: 'person', device: 'camera-*', zones: ['gate'], for: '1500ms' },
      { kind: 'count', of: { event: 'button', device: '*' }, atLeast: 3, within: '10s' },
      { kind: 'count', of: { points: 'door-*/contact', becomes: { isNot: true } }, atLeast: 20, within: '1h' },
      { kind: 'unacknowledged', rule: 'smoke', for: '30s' },
    ],
  },
  while: [
    { kind: 'calendar', is: 'closed' },
    { kind: 'time', from: '22:00', to: '06:00', days: [1, 5] },
    { kind: 'mode', mode: 'exam', is: false },
  ],
  // The tags of devices are known to the server alone.
  then: [
    { kind: 'hold', outputs: { of: '*/fan', tags: ['classroom'], here: true }, value: true, for: '2h' },
    { kind: 'shed', order: ['relay-1/relay_8', 'relay-1/relay_2'], value: false, every: '45s' },
    { kind: 'broadcast', clip: 'bell', zones: ['gate', 'teaching'], for: '30s' },
    { kind: 'snapshot', camera: 'camera-gate' },
    { kind: 'notify', to: ['duty', 'principal@sms'], message: { zh: '请看', en: 'Look' } },
    {
      kind: 'alarm',
      class: 'low',
      message: { zh: '{place}闷', en: '{place} is stuffy' },
      next: { zh: '开窗', en: 'Open' },
      camera: 'camera-gate',
    },
  ],
  clearAfter: '2min',
  coolDown: '1d',
};

const name = (zh: string, en: string) => ({ zh, en });
const point = (
  id: string,
  label: { zh: string; en: string },
  unit: string,
  type: 'number' | 'boolean',
  zone: string,
) => {
  const [device = '', own = ''] = id.split('/');
  return {
    ...{ id, device, point: own, deviceName: name(device, device), label, zone, type, value: null, unit },
    ...{ quality: 'good' as const, sourceTime: 0, receivedTime: 0 },
  };
};
const device = (id: string, zh: string, en: string, space: string | null) => ({
  ...{ id, name: name(zh, en), zone: 'teaching', space, protocol: 'mqtt', kind: 'sensor', profile: 'x' },
  ...{ profileName: name('x', 'x'), adopted: false, tags: space === null ? [] : ['classroom', id.slice(0, 3)] },
});
const smoke = name('烟雾', 'Smoke');
const points = [
  point('smoke-101/smoke', smoke, '', 'boolean', 'teaching'),
  point('smoke-102/smoke', smoke, '', 'boolean', 'teaching'),
  point('fire-panel/alarm', name('火警', 'Fire alarm'), '', 'boolean', 'gate'),
  point('relay-1/relay_5', name('继电器 5', 'Relay 5'), '', 'boolean', 'teaching'),
  point('air-201/co2', name('二氧化碳', 'CO₂'), '[ppm]', 'number', 'teaching'),
];
const campus = {
  ...{ id: '1', name: name('学校', 'School'), timeZone: 'Asia/Shanghai', allZones: true, clips: ['evacuation'] },
  buildings: [],
  zones: [{ id: 'teaching', name: name('教学楼', 'Teaching building'), spaces: ['r101'] }],
  devices: [
    device('smoke-101', '101 教室烟感', 'Smoke detector 101', 'r101'),
    device('smoke-102', '102 教室烟感', 'Smoke detector 102', null),
    device('fire-panel', '消防主机', 'Fire panel', null),
    device('relay-1', '配电继电器', 'Power relays', null),
  ],
  ...{ interlocks: [], flowsEditor: false },
};
const rules = [{ id: 'smoke', name: name('烟感报警', 'Smoke detector') }];
const modes = [
  { ...{ id: 'exam', name: name('考试', 'Exam'), on: false }, since: null, until: null, by: null, why: null },
];
const zh = createVocabulary('zh', { campus, points, rules, modes });
const en = createVocabulary('en', { campus, points, rules, modes });

const meaning = (body: unknown) => {
  const parsed = parseRule(body);
  return parsed.ok ? parsed.rule : parsed.mistakes;
};

describe('points that a selection fits', () => {
  const refs = (selection: Parameters<typeof zh.fitting>[0]) => zh.fitting(selection).map(({ id }) => id);

  test('are those of devices with one of its tags, and the tags of the campus can be chosen', () => {
    expect(zh.tags).toEqual(['classroom', 'smo']);
    expect(refs({ of: '*/*', tags: ['classroom', 'gym'] })).toEqual(['smoke-101/smoke']);
    expect(refs({ of: 'smoke-*/smoke' })).toEqual(['smoke-101/smoke', 'smoke-102/smoke']);
    expect(refs({ of: '*/*', tags: ['gym'] })).toEqual([]);
  });
});

describe('the body of a rule', () => {
  test.each([...demo, { name: 'everything', body: everything }])(
    '$name means the same after it was read and written here',
    ({ body }) => {
      const before = meaning(body);
      expect(before).not.toBeInstanceOf(Array);
      expect(meaning(writeBody(readBody(body)))).toEqual(before);
    },
  );

  test.each([...demo, { name: 'everything', body: everything }])(
    '$name, shown as YAML, is the same to a reader of YAML',
    ({ body }) => {
      expect(parse(yamlText(body))).toEqual(body);
    },
  );

  test('texts that YAML would take for something else are quoted', () => {
    const body = { a: 'true', b: '12:30', c: '# no', d: 'no', e: ['null', '', 'a: b'], f: {}, g: [], '*/x y': -1.5 };
    expect(parse(yamlText(body))).toEqual(body);
  });

  test('whatever somebody sends is read: nothing in it throws', () => {
    for (const odd of [
      {},
      { when: null },
      { when: { kind: 'any' }, then: 'x', while: {} },
      { then: [{ kind: 'hold' }] },
    ]) {
      expect(ruleSentence(readBody(odd), zh)).toContain('当');
    }
  });

  test('durations keep every millisecond', () => {
    for (const text of ['0s', '1500ms', '90s', '45min', '36h', '7d'])
      expect(duration(durationBody(duration(text)))).toBe(duration(text));
    expect(durationBody(90_000)).toBe('90s');
    expect(durationBody(7_200_000)).toBe('2h');
  });
});

describe('a rule as a sentence', () => {
  test('says what is watched, what is done and how it ends, in Chinese', () => {
    const fire = readBody(bodyOf('fire'));
    expect(ruleSentence(fire, zh)).toBe(
      '当消防主机 · 火警为“报警”，或者至少 2 个烟雾（2 处）为“报警”，或者“烟感报警”的报警 30 秒无人确认时，' +
        '在全校播放“疏散广播”；将配电继电器 · 继电器 5保持为“关”；将sign-gate/text保持为“火警！请按疏散路线撤离”；发出“紧急”级报警“火灾，疏散广播已开始”。',
    );
    expect(endingTexts(fire, zh)).toEqual(['触发后一直保持，直到有人复位。']);
    expect(onBadTexts(fire, zh)).toEqual(['测点失灵时：保持最后一次可信的判断，并报告规则失明']);
  });

  test('and in English', () => {
    expect(ruleSentence(readBody(bodyOf('fire')), en)).toBe(
      'When Fire panel · Fire alarm is “ALARM” or at least 2 of Smoke (2 points) is “ALARM” or nobody has acknowledged the alarm of ' +
        '“Smoke detector” for 30 s: play “evacuation” in the whole school; hold Power relays · Relay 5 at “off”; ' +
        'hold sign-gate/text at “火警！请按疏散路线撤离”; raise the Critical alarm “Fire: the evacuation broadcast is playing”.',
    );
  });

  test('names the place it speaks of, hours over midnight, and modes', () => {
    const text = ruleSentence(readBody(everything), zh);
    for (const part of ['在每个房间：', '本房间', '周一、周五 22:00 至 06:00', '不在“考试”模式', '处于非开放时段']) {
      expect(text).toContain(part);
    }
    expect(endingTexts(readBody(everything), zh)).toEqual(['原因消失 2 分钟后解除。', '解除后 1 天内不再触发。']);
  });

  test('a condition is found by the path that the server gives it', () => {
    const draft = readBody(everything);
    const at = (path: string) => conditionAt(draft, path)?.kind;
    expect(['when', 'when.conditions[0]', 'when.conditions[0].conditions[1]', 'while[2]'].map(at)).toEqual([
      ...['all', 'any', 'rate', 'mode'],
    ]);
    expect(at('when.conditions[9]')).toBeUndefined();
    const found = conditionAt(draft, 'when.conditions[4]');
    expect(found === undefined ? '' : conditionText(found, zh)).toBe('“烟感报警”的报警 30 秒无人确认');
  });
});

describe('what is said of a rule', () => {
  test('the difference of two versions names every field that changed, and no other', () => {
    const before = bodyOf('overload');
    const after = { ...before, latch: true, then: [] };
    const paths = changedFields(before, after).map(({ path }) => path);
    expect(paths).toContain('latch');
    expect(paths).toContain('then[0].order[2]');
    expect(paths.filter((path) => !/^(latch$|then\[)/.test(path))).toEqual([]);
    expect(changedFields(before, structuredClone(before))).toEqual([]);
  });

  test('a mistake is shown at the part it is about', () => {
    const mistakes = ['when.conditions[1].onBad: is missing', 'when.conditions[10]: x', 'then: is empty'];
    expect(mistakesAt(mistakes, ['when.conditions[1]'])).toEqual([mistakes[0]]);
    expect(mistakesAt(mistakes, ['when'])).toHaveLength(2);
    expect(mistakesAt(mistakes, ['when'], true)).toEqual([]);
  });

  test('why the engine decided is told in Chinese', () => {
    const told = [
      'the cause is gone',
      'mode exam is off',
      'the calendar says closed',
      'event person came 3 times within 60 s',
    ];
    for (const why of told) expect(inChinese(why, zh)).not.toMatch(/[a-z]{3}/);
  });
});
