import { describe, expect, test } from 'vitest';
import { soundClasses } from '../../../edge/domain/broadcast.ts';
import type { CampusView, OutputView, PointView } from '../../../edge/web/console/api.ts';
import { barsOf, verdictOf } from '../../../edge/web/console/pages/alarms/report-bars.ts';
import { deedOf } from '../../../edge/web/console/pages/audit/deeds.ts';
import { saidText } from '../../../edge/web/console/pages/devices/repair-said.ts';
import { authorText, budgetWhy, changesText, problemWords } from '../../../edge/web/console/pages/flows/flow-words.ts';
import {
  type Channel,
  detailText,
  healthOf,
  stepText,
  targetText,
} from '../../../edge/web/console/pages/notices/notice-words.ts';
import {
  filterIn,
  filterParts,
  holderKind,
  isOdd,
  noFilter,
  otherwiseOf,
  passes,
  rowsOf,
  rungsOf,
} from '../../../edge/web/console/pages/outputs/rows.ts';
import { ownerText } from '../../../edge/web/console/sentences.ts';

/* What the pages about automation make of what they are told. */

const point = (id: string, zone: string): PointView => {
  const [device = '', name = ''] = id.split('/');
  const label = { zh: name, en: name };
  return {
    id,
    device,
    point: name,
    deviceName: label,
    label,
    zone,
    type: 'boolean',
    write: {},
    value: false,
    unit: '1',
    quality: 'good',
    sourceTime: 1,
    receivedTime: 1,
  };
};

const hold = (owner: string, priority: 1 | 5 | 8 | 12 | 15, value: boolean) => ({
  ref: 'relay-1/relay_1',
  priority,
  owner,
  value,
  reason: 'because',
  since: 1,
  until: null,
});

const output = (stack: OutputView['stack'], more: Partial<OutputView> = {}): OutputView => ({
  ref: 'relay-1/relay_1',
  value: stack[0]?.value ?? null,
  holder: stack[0]?.owner ?? null,
  priority: stack[0]?.priority ?? null,
  reason: '',
  since: 1,
  until: null,
  stack,
  confirmed: null,
  next: null,
  waiting: null,
  forbidden: [],
  local: null,
  ...more,
});

const name = (zh: string) => ({ zh, en: `${zh.length} letters` });
const campus: Pick<CampusView, 'zones'> & CampusView = {
  id: '1',
  name: name('校'),
  timeZone: 'Asia/Shanghai',
  allZones: true,
  buildings: [],
  zones: [
    { id: 'gate', name: name('校门'), spaces: [] },
    { id: 'yard', name: name('操场'), spaces: [] },
  ],
  devices: [],
  interlocks: [],
  clips: [],
  flowsEditor: true,
};

describe('the list of outputs', () => {
  test('goes by zone as the site file has them, leaves out what cannot be written, and keeps what core has not told of yet', () => {
    const { write: _, ...seen } = point('meter/power', 'gate');
    const rows = rowsOf(campus, [point('lamp/state', 'yard'), seen, point('relay-1/relay_1', 'gate')], [output([])]);
    expect(rows.map((row) => [row.point.id, row.output?.holder])).toEqual([
      ['relay-1/relay_1', null],
      ['lamp/state', undefined],
    ]);
  });

  test('is filtered by place, holder, priority, words, and by what is odd', () => {
    const row = { point: point('relay-1/relay_1', 'gate'), output: output([hold('interlock:fire', 1, false)]) };
    const by = (filter: object) => passes(row, { ...noFilter, ...filter }, 'Gate lamp');
    expect([by({}), by({ zone: 'gate' }), by({ zone: 'yard' })]).toEqual([true, true, false]);
    expect([by({ holder: 'safety' }), by({ holder: 'person' })]).toEqual([true, false]);
    expect([by({ level: 1 }), by({ level: 8 })]).toEqual([true, false]);
    expect([by({ text: 'LAMP ' }), by({ text: 'door' }), by({ odd: true })]).toEqual([true, false, false]);
    const waiting = { ...row, output: output([], { waiting: { for: 'rate', until: null } }) };
    expect(isOdd(waiting)).toBe(true);
    expect(isOdd({ ...row, output: output([], { local: { value: true, since: 1 } }) })).toBe(true);
  });

  test('keeps its filter in the address', () => {
    const filter = { text: 'x', zone: 'gate', holder: 'rule', level: 12, odd: true } as const;
    expect(filterIn(new URLSearchParams(filterParts(filter)))).toEqual(filter);
    expect(filterIn(new URLSearchParams('holder=ghost&level=3'))).toEqual(noFilter);
  });

  test('tells who holds by the kind of owner', () => {
    const owners = [
      null,
      'interlock:fire',
      'rule:lights@r101',
      'request:web',
      'request:flows',
      'local',
      'repair:camera',
      'sound:bell',
      'amplifier:hall',
    ];
    const kinds = ['nobody', 'safety', 'rule', 'person', 'flow', 'other', 'other', 'sound', 'sound'];
    expect(owners.map(holderKind)).toEqual(kinds);
  });

  test('shows five levels with what stands and is forbidden on each, and what would be otherwise', () => {
    const two = output([hold('interlock:fire', 1, false), hold('request:web', 8, true)], {
      forbidden: [{ ...hold('interlock:door', 5, true) }],
    });
    expect(
      rungsOf(two).map(({ level, holds, isInForce, forbids }) => [level, holds.length, isInForce, forbids.length]),
    ).toEqual([
      [1, 1, true, 0],
      [5, 0, false, 1],
      [8, 1, false, 0],
      [12, 0, false, 0],
      [15, 0, false, 0],
    ]);
    // What is forbidden would be passed over then, too.
    expect(otherwiseOf(two)).toBeNull();
    expect(otherwiseOf({ ...two, forbidden: [] })?.owner).toBe('request:web');
    expect(otherwiseOf(output([hold('local', 8, true)]))).toBeNull();
  });

  test('shows as in force what is, though something stronger is forbidden', () => {
    const stack = [hold('request:web', 8, true), hold('rule:lights', 12, false), hold('request:flows', 12, true)];
    const passed = output(stack, {
      holder: 'rule:lights',
      priority: 12,
      value: false,
      forbidden: [{ ...hold('interlock:gas', 1, true) }],
    });
    expect(rungsOf(passed).filter(({ isInForce }) => isInForce)).toMatchObject([{ level: 12 }]);
    expect(otherwiseOf(passed)).toBeNull();
  });

  test('names rules with the place they stand for, devices that are mended, and hands on switches', () => {
    const names = {
      language: 'zh' as const,
      deviceName: (id: string) => `设备${id}`,
      pointName: (ref: string) => ref,
      interlockName: (id: string) => (id === 'lights' ? '人走灯灭' : id),
      placeName: (id: string) => (id === 'r101' ? '一班' : id),
    };
    expect(ownerText('rule:lights@r101', names)).toBe('规则“人走灯灭 · 一班”');
    expect(ownerText('interlock:lights', names)).toBe('联锁“人走灯灭”');
    expect(ownerText('repair:cam', names)).toBe('设备修复“设备cam”');
    expect(ownerText('local', names)).toBe('现场手动');
    expect(ownerText('sound:fire', names)).toBe('广播“火灾”');
    expect(soundClasses.map((one) => ownerText(`sound:${one}`, names)).filter((said) => /[a-z]/.test(said))).toEqual(
      [],
    );
  });
});

describe('the audit', () => {
  test.each(['broadcast.play fire siren', 'crisis.clear x', 'crisis.warning x', 'listen recording x'])(
    'says `%s` in both languages',
    (what) => {
      expect(deedOf(what, 'zh').deed).toMatch(/^[\u4e00-\u9fff]+$/);
      expect(deedOf(what, 'en').deed).toMatch(/^[A-Z]/);
    },
  );
});

describe('the report of alarms', () => {
  test('keeps a flood of ten minutes to be seen among a month', () => {
    const counts = Array.from({ length: 4_320 }, (_, index) => ({ t: index, count: index === 1_000 ? 40 : 0 }));
    const bars = barsOf(counts, 1, 160);
    expect(bars.heights.length).toBeLessThanOrEqual(160);
    expect(bars).toMatchObject({ worst: 40, top: 40, target: 1 / 40 });
    expect(bars.heights.filter((height) => height === 1)).toHaveLength(1);
  });

  test('is calm when there was nothing, and judges by the target', () => {
    expect(barsOf([], 1, 10)).toEqual({ heights: [], target: 0.5, top: 2, worst: 0 });
    expect([0, 1, 1.5, 2, 2.1].map((mean) => verdictOf(mean, 1))).toEqual(['good', 'good', 'many', 'many', 'over']);
  });
});

const channel = (id: string, more: Partial<Channel> = {}): Channel => ({
  id,
  kind: 'sms',
  name: { zh: '短信', en: 'SMS' },
  recipients: [{ id: 'lead', name: { zh: '值班组长', en: 'Duty lead' }, groups: ['duty'] }],
  queued: 0,
  delivered: 0,
  failed: 0,
  lastDelivered: null,
  problem: null,
  ...more,
});

describe('notices', () => {
  test('read a ladder as sentences', () => {
    const minutes = (ms: number) => `${ms / 60_000} 分钟`;
    const step = { after: 180_000, during: 'always', to: ['lead@text'] };
    const channels = [channel('text')];
    expect(stepText(step, channels, 'zh', minutes)).toBe('3 分钟无人确认 → 值班组长，短信');
    expect(stepText({ after: 0, during: 'closed', to: ['duty', 'text'] }, channels, 'zh', minutes)).toBe(
      '立即（仅非开放时段） → duty 组（值班组长）、短信',
    );
    expect(targetText('ghost', channels, 'en')).toBe('group ghost');
  });

  test('say how a channel fares, and why it fails in words where there are some', () => {
    expect(healthOf(channel('a'))).toBe('silent');
    expect(healthOf(channel('a', { delivered: 1 }))).toBe('works');
    expect(healthOf(channel('a', { delivered: 1, problem: 'HTTP 500' }))).toBe('broken');
    expect(detailText('connect ECONNREFUSED 127.0.0.1:9', 'zh')).toBe('对方拒绝连接');
    expect(detailText('HTTP 500: later', 'zh')).toBe('HTTP 500: later');
  });
});

describe('flows', () => {
  test('say in words why they do not run, what takes too much, and what changed', () => {
    expect(problemWords('missing-types: ["a","b"]', 'zh')).toBe('缺少节点类型：a, b');
    expect(problemWords('safe-mode', 'en')).toBe('Safe mode: no flow runs');
    const halted = 'takes 72% of a core (25% are free); stopped for 5 min, or until it is deployed';
    expect(budgetWhy(halted, 'zh')).toBe('占用一个核心的 72%（允许 25%）；暂停 5 分钟，或到重新部署为止');
    expect(budgetWhy('asks without end: 900 requests refused within 10 s', 'zh')).toContain('900');
    expect(budgetWhy('something new', 'zh')).toBe('something new');
    expect(changesText({ added: 2, removed: 0, changed: 1, moved: 0 }, 'zh')).toBe('新增 2 · 修改 1');
    expect(changesText({ added: 0, removed: 0, changed: 0, moved: 0 }, 'en')).toBe('no changes');
    expect([authorText('wang', 'zh'), authorText('token:ci', 'zh'), authorText('file', 'en')]).toEqual([
      'wang',
      '接口令牌 ci',
      'shipped or written by hand',
    ]);
  });
});

describe('mending', () => {
  test('puts the outcomes of its steps into words', () => {
    const raw = (text: string) => `? ${text}`;
    const said = (text: string) => saidText(text, 'zh', raw);
    expect(said('its host does not answer')).toBe('设备所在主机没有应答');
    expect(said('it did not help within 90 s')).toBe('90 秒内没有效果');
    expect(said('it works again after 3 min')).toBe('3 分钟后恢复正常');
    expect(said('waits: 2 other devices are being power-cycled')).toBe('等待：其他设备正在断电重启');
    expect(said('request:web holds switch-gate/poe_3')).toBe('它的电源正被其他控制者占用');
    expect(said('something new')).toBe('? something new');
  });
});
