import type { Device, Point, ValueType } from '#edge/domain/device.ts';
import type { DeviceId, HappeningId, PointName, PointRef, SpaceId, ZoneId } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Condition, Rule, RuleVersion } from '#edge/domain/rule.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import type { RuleCampus } from '#edge/rules/engine.ts';

/* The campus of the demo as profiles describe it, two classrooms more, and its rules. */

export const ref = (text: string) => text as PointRef;
export const name = (text: string) => ({ zh: text, en: text });

const smoke = ['smoke-101', 'smoke-102', 'smoke-201'];
const speakers = { 'speaker-teaching': 'teaching', 'speaker-playground': 'playground', 'speaker-gate': 'gate' };
export const smokePoints = smoke.map((id) => `${id}/smoke`);

function point(id: string, type: ValueType, failSafe?: Value | 'keep'): Point {
  return {
    name: id as PointName,
    label: name(id),
    type,
    unit: id.startsWith('current') ? 'A' : id === 'temperature' ? 'Cel' : '',
    poll: 'watch',
    deadband: 0,
    staleAfter: 0,
    address: {},
    ...(failSafe === undefined ? {} : { write: { verifyAfter: 50, verifyWithin: 1_000, minGap: 0, failSafe } }),
  };
}

interface Where {
  readonly zone: string;
  readonly space?: string;
  readonly tags?: readonly string[];
}

function device(id: string, { zone, space, tags }: Where, protocol: string, points: readonly Point[]): Device {
  return {
    id: id as DeviceId,
    name: name(id),
    profile: `test/${protocol}`,
    protocol,
    zone: zone as ZoneId,
    ...(space === undefined ? {} : { space: space as SpaceId }),
    ...(tags === undefined ? {} : { tags }),
    points,
    address: {},
  };
}

const rooms = ['101', '102'].map((room) =>
  device(`room-${room}`, { zone: 'teaching', space: `classroom-${room}`, tags: ['classroom'] }, 'mqtt', [
    { ...point('temperature', 'number'), range: [-40, 85] },
    point('co2', 'number'),
    point('window', 'boolean'),
    { ...point('battery', 'number'), optional: true },
    point('fan', 'boolean', false),
    {
      ...point('setpoint', 'number', 'keep'),
      write: { verifyAfter: 50, verifyWithin: 1_000, minGap: 0, min: 16, max: 28, failSafe: 'keep' },
    },
  ]),
);

export const devices: readonly Device[] = [
  ...smoke.map((id) => device(id, { zone: 'teaching' }, 'mqtt', [point('smoke', 'boolean')])),
  device('fire-panel', { zone: 'gate' }, 'mqtt', [point('alarm', 'boolean')]),
  device('camera-gate', { zone: 'gate' }, 'onvif', []),
  device('camera-playground', { zone: 'playground' }, 'onvif', []),
  device(
    'meter-main',
    { zone: 'teaching' },
    'modbus',
    ['current_l1', 'current_l2', 'current_l3'].map((id) => point(id, 'number')),
  ),
  device(
    'relay-1',
    { zone: 'teaching' },
    'modbus',
    [1, 2, 5, 8].map((n) => point(`relay_${n}`, 'boolean', 'keep')),
  ),
  ...Object.entries(speakers).map(([id, zone]) => device(id, { zone }, 'broadcast', [point('clip', 'text', '')])),
  ...rooms,
];

export const campus: RuleCampus = {
  devices,
  zones: [
    {
      id: 'teaching' as ZoneId,
      name: { zh: '教学楼', en: 'Teaching wing' },
      spaces: ['classroom-101', 'classroom-102'] as SpaceId[],
    },
    { id: 'playground' as ZoneId, name: { zh: '操场', en: 'Playground' }, spaces: [] },
    { id: 'gate' as ZoneId, name: { zh: '校门', en: 'Gate' }, spaces: [] },
  ],
  spaces: ['101', '102'].map((room) => ({
    id: `classroom-${room}` as SpaceId,
    name: { zh: `${room} 教室`, en: `Classroom ${room}` },
  })),
};

export const openingHours = { weekly: [{ days: [1, 2, 3, 4, 5], from: 7 * 60, to: 18 * 60 + 30 }], exceptions: [] };
export const calendar = createCalendar(openingHours, 'Asia/Shanghai');

/** Sunday 2026-11-22 10:00 in Shanghai: closed. */
export const sunday = Date.UTC(2026, 10, 22, 2, 0);
/** Monday 2026-11-23 10:00 in Shanghai: open. */
export const monday = sunday + 86_400_000;

let ids = 0;
export function testId(): HappeningId {
  return `00000000-0000-7000-8000-${String(++ids).padStart(12, '0')}` as HappeningId;
}

const words = name('trial');
export const off = { kind: 'hold', outputs: { of: 'relay-1/relay_1' }, value: false, for: null } as const;
export const alarm = { kind: 'alarm', class: 'high', message: words, next: words } as const;

/** A safety rule of priority 5 that holds relay_1 off and raises an alarm, unless told otherwise. */
export function rule(id: string, when: Condition, more: Partial<Rule> = {}): Rule {
  return {
    id,
    name: words,
    about: null,
    kind: 'safety',
    priority: 5,
    each: null,
    when,
    while: [],
    then: [off, alarm],
    latch: false,
    clearAfter: 0,
    coolDown: 0,
    tests: [],
    ...more,
  };
}

/** A comfort rule. */
export function comfort(id: string, when: Condition, more: Partial<Rule> = {}): Rule {
  const fan = { kind: 'hold', outputs: { of: 'room-101/fan' }, value: true, for: 3_600_000 } as const;
  return rule(id, when, { kind: 'comfort', priority: 12, then: [fan], ...more });
}

export const versions = (rules: readonly Rule[]): RuleVersion[] => rules.map((one) => ({ rule: one, version: 1 }));

type PointCondition = Extract<Condition, { kind: 'point' }>;
export function over(of: string, test: PointCondition['test'], more: Partial<PointCondition> = {}): PointCondition {
  return { kind: 'point', points: { of }, needs: 'any', test, for: 0, onBad: 'hold', ...more };
}

export const smokeIs = (onBad: 'trip' | 'hold' | 'ignore', forMs = 0) =>
  over('smoke-101/smoke', { is: true }, { onBad, for: forMs });

const critical = { ...alarm, class: 'critical' } as const;
const afterHours = (id: string, camera: string): Rule =>
  rule(
    id,
    { kind: 'event', type: 'person', device: camera, for: 60_000 },
    { while: [{ kind: 'calendar', is: 'closed' }], then: [alarm] },
  );

/** The safety rules of the demo, in the order of their file names. */
export const demoRules: readonly Rule[] = [
  rule('smoke', over('smoke-*/smoke', { is: true }), { priority: 1, then: [critical] }),
  rule(
    'fire',
    {
      kind: 'any',
      conditions: [
        over('fire-panel/alarm', { is: true }),
        over('smoke-*/smoke', { is: true }, { needs: 2 }),
        { kind: 'unacknowledged', rule: 'smoke', for: 30_000 },
      ],
    },
    {
      priority: 1,
      latch: true,
      then: [
        { kind: 'broadcast', clip: 'evacuation', zones: 'all', for: null },
        { kind: 'hold', outputs: { of: 'relay-1/relay_5' }, value: false, for: null },
        critical,
      ],
    },
  ),
  afterHours('after-hours-gate', 'camera-gate'),
  afterHours('after-hours-playground', 'camera-playground'),
  rule(
    'overload',
    {
      kind: 'any',
      conditions: [1, 2, 3].map((n) =>
        over(`meter-main/current_l${n}`, { above: 100, hysteresis: 5 }, { for: 30_000 }),
      ),
    },
    {
      then: [
        {
          kind: 'shed',
          order: [ref('relay-1/relay_8'), ref('relay-1/relay_2'), ref('relay-1/relay_1')],
          value: false,
          every: 60_000,
        },
        alarm,
      ],
    },
  ),
];
