import { describe, expect, test } from 'vitest';
import { parseCapJson } from '#edge/warnings/cap-json.ts';
import { capText, parseCap } from '#edge/warnings/cap-xml.ts';
import { createWarningDesk, type WarningEnvelope, type WarningPolicy } from '#edge/warnings/warning-desk.ts';
import { type Storm, storm } from './messages.ts';

const centre = '51041141600000';
const policy: WarningPolicy = {
  senders: [
    { sender: centre, mustSign: false },
    { sender: 'seismic', mustSign: true },
  ],
  place: { point: { latitude: 26.5, longitude: 101.7 }, codes: ['510411'] },
  soundFrom: 'Severe',
  language: 'zh',
};
const minute = 60_000;
const now = Date.parse('2026-11-23T08:01:00+08:00');
const at = (text: string) => `${centre},${text},2026-11-23T08:00:00+08:00`;
const first = '51041141600000_20261123080000_1';
const keyOf = (identifier: string) => `${centre} ${identifier}`;
const message = (change: Storm = {}) => parseCap(capText(new TextEncoder().encode(storm(change))));
const judge = (
  change: Storm,
  time = now,
  signature: WarningEnvelope['signature'] = 'unchecked',
  desk = createWarningDesk(policy),
) => desk.judge(message(change), { signature }, time);

test('what must be signed sounds when it is, and a signature that does not fit silences even whoever need not sign', () => {
  expect(judge({ sender: 'seismic' }, now, 'good').act).toBe('sound');
  expect(judge({}, now, 'bad')).toMatchObject({ act: 'none', reason: 'not-signed' });
});

test('an actual warning for this place, by somebody who is trusted, sounds until it expires', () => {
  expect(judge({})).toMatchObject({
    act: 'sound',
    reason: 'new',
    until: Date.parse('2026-11-23T12:00:00+08:00'),
    info: { headline: '暴雨红色预警' },
  });
});

describe('never sounds', () => {
  const area = (inner: string) => `<areaDesc>x</areaDesc>${inner}`;
  const division = (code: string) =>
    area(`<geocode><valueName>行政区划代码</valueName><value>${code}</value></geocode>`);
  test.each([
    ['an exercise', { status: 'Exercise' }, 'not-actual'],
    ['a test', { status: 'Test' }, 'not-actual'],
    ['a draft', { status: 'Draft' }, 'not-actual'],
    ['what the system says to itself', { status: 'System' }, 'not-actual'],
    ['a stranger', { sender: 'evil' }, 'foreign-sender'],
    ['the seismic network without its signature', { sender: 'seismic' }, 'not-signed'],
    ['what has expired', { expires: '2026-11-23T08:00:59+08:00' }, 'expired'],
    ['what was sent the day before', {}, 'too-old', now + 24 * 60 * minute],
    ['what was sent tomorrow', { sent: '2026-11-24T08:00:00+08:00' }, 'from-the-future'],
    ['an acknowledgement', { type: 'Ack' }, 'not-a-warning'],
    ['an error', { type: 'Error' }, 'not-a-warning'],
    ['a message that says nothing', { info: false }, 'without-information'],
    ['the next city', { area: division('510100000000') }, 'elsewhere'],
    ['the next district', { area: division('510412000000') }, 'elsewhere'],
    ['a circle elsewhere', { area: area('<circle>30.6,104.1 50</circle>') }, 'elsewhere'],
    ['a polygon elsewhere', { area: area('<polygon>30,104 31,104 31,105 30,105 30,104</polygon>') }, 'elsewhere'],
    ['a yellow warning: it is shown', { severity: 'Moderate' }, 'below-threshold'],
  ] satisfies readonly (readonly [string, Storm, string, number?])[])('%s', (_, change, reason, time?: number) => {
    const verdict = judge(change, time);
    expect(verdict.reason).toBe(reason);
    expect(verdict.act).toBe(reason === 'below-threshold' ? 'show' : 'none');
    expect(verdict.ends).toEqual([]);
  });

  test('the same message twice, whatever way it came', () => {
    const desk = createWarningDesk(policy);
    expect(desk.judge(message(), { signature: 'unchecked' }, now).act).toBe('sound');
    expect(desk.judge(message(), { signature: 'good' }, now + minute)).toMatchObject({
      act: 'none',
      reason: 'duplicate',
    });
    const again = createWarningDesk(policy, desk.snapshot());
    expect(again.judge(message(), { signature: 'unchecked' }, now + 2 * minute)).toMatchObject({
      act: 'none',
      reason: 'duplicate',
    });
  });

  test.each([
    ['this district', division('510411000000')],
    ['its city', division('510400000000')],
    ['its province', division('510000')],
    ['a town in this district', division('510411100000')],
    ['a circle around it', area('<circle>26.6,101.8 30</circle>')],
    ['a polygon around it', area('<polygon>26,101 27,101 27,102 26,102 26,101</polygon>')],
    ['a place in words only', area('')],
    [
      'codes of a system that is not known here',
      area('<geocode><valueName>SAME</valueName><value>006109</value></geocode>'),
    ],
  ])('but it does for %s', (_, where) => {
    expect(judge({ area: where }).act).toBe('sound');
  });
});

describe('an update', () => {
  test('takes the place of what it refers to, and may end it here', () => {
    const desk = createWarningDesk(policy);
    judge({}, now, 'unchecked', desk);
    const next = { identifier: 'next', type: 'Update', references: at(first), sent: '2026-11-23T08:02:00+08:00' };
    expect(judge({ ...next, severity: 'Extreme' }, now + 2 * minute, 'unchecked', desk)).toMatchObject({
      act: 'sound',
      reason: 'update',
      ends: [keyOf(first)],
    });
    const lower = {
      ...next,
      identifier: 'lower',
      references: at('next').replace('08:00:00', '08:02:00'),
      severity: 'Minor',
    };
    expect(judge(lower, now + 3 * minute, 'unchecked', desk)).toMatchObject({ act: 'show', ends: [keyOf('next')] });
    const gone = {
      ...next,
      identifier: 'gone',
      references: at('lower'),
      area: '<areaDesc>x</areaDesc><circle>0,0 1</circle>',
    };
    expect(judge(gone, now + 4 * minute, 'unchecked', desk)).toMatchObject({
      act: 'end',
      reason: 'elsewhere',
      ends: [keyOf('lower')],
    });
  });

  test('of something that never came is a warning of its own', () => {
    expect(judge({ identifier: 'next', type: 'Update', references: at('never') })).toMatchObject({
      act: 'sound',
      ends: [],
    });
  });
});

describe('a cancel', () => {
  const cancel = (references: string): Storm => ({ identifier: 'c', type: 'Cancel', references, info: false });

  test('ends what it names, once', () => {
    const desk = createWarningDesk(policy);
    judge({}, now, 'unchecked', desk);
    expect(judge(cancel(at(first)), now + minute, 'unchecked', desk)).toMatchObject({
      act: 'end',
      reason: 'cancel',
      ends: [keyOf(first)],
    });
    expect(judge(cancel(at(first)), now + minute, 'unchecked', desk)).toMatchObject({
      act: 'none',
      reason: 'duplicate',
    });
  });

  test('that overtook its warning keeps it silent', () => {
    const desk = createWarningDesk(policy);
    expect(judge(cancel(at(first)), now, 'unchecked', desk)).toMatchObject({
      act: 'none',
      reason: 'unknown-reference',
    });
    expect(judge({}, now, 'unchecked', desk)).toMatchObject({ act: 'none', reason: 'duplicate' });
  });

  test('of somebody else changes nothing', () => {
    const two: WarningPolicy = {
      ...policy,
      senders: [...policy.senders, { sender: 'school-office', mustSign: false }],
    };
    const desk = createWarningDesk(two);
    judge({}, now, 'unchecked', desk);
    expect(judge({ ...cancel(at(first)), sender: 'school-office' }, now, 'unchecked', desk)).toMatchObject({
      act: 'none',
      reason: 'not-theirs',
    });
    expect(judge({ ...cancel(at(first)), sender: 'evil', identifier: 'd' }, now, 'unchecked', desk).reason).toBe(
      'foreign-sender',
    );
    expect(desk.snapshot().find(({ key }) => key === keyOf(first))?.until).toBeGreaterThan(now);
  });
});

test('a warning that says no end ends by itself, and one that says a month does not sound for a month', () => {
  const hour = 60 * minute;
  const endless = message();
  const desk = createWarningDesk(policy);
  const without = { ...endless, infos: endless.infos.map((info) => ({ ...info, expires: null })) };
  expect(desk.judge(without, { signature: 'unchecked' }, now).until).toBe(endless.sent + 6 * hour);
  expect(judge({ identifier: 'month', expires: '2026-12-23T08:00:00+08:00' }).until).toBe(now + 48 * hour);
});

test('it is said in the language of the campus, as bad as it is in any', () => {
  const both = message();
  const [zh] = both.infos;
  if (zh === undefined) throw new Error('the message has no part');
  const desk = createWarningDesk(policy);
  const infos = [
    { ...zh, language: 'en-US', severity: 'Extreme' as const },
    { ...zh, severity: 'Minor' as const },
  ];
  expect(desk.judge({ ...both, infos }, { signature: 'unchecked' }, now)).toMatchObject({
    act: 'sound',
    info: { language: 'zh-CN', severity: 'Extreme' },
  });
});

test('however many messages come, what is remembered is bounded', () => {
  const desk = createWarningDesk(policy);
  const one = message();
  for (let i = 0; i < 6_000; i++) desk.judge({ ...one, identifier: `m${i}` }, { signature: 'unchecked' }, now);
  expect(desk.snapshot()).toHaveLength(5_000);
  expect(desk.snapshot().at(-1)?.key).toBe(keyOf('m5999'));
});

test('as JSON it is the same warning, and a mistake says where', () => {
  const json = {
    ...{
      identifier: first,
      sender: centre,
      sent: '2026-11-23T08:00:00+08:00',
      status: 'Actual',
      msgType: 'Alert',
      scope: 'Public',
    },
    info: [
      {
        ...{ category: ['Met'], event: '暴雨', urgency: 'Immediate', severity: 'Severe', certainty: 'Likely' },
        ...{
          expires: '2026-11-23T12:00:00+08:00',
          headline: '暴雨红色预警',
          description: '未来三小时降雨量将达一百毫米以上。',
        },
        ...{ instruction: '停止户外活动。' },
        area: [{ areaDesc: '全区', geocode: [{ valueName: '行政区划代码', value: '510411000000' }] }],
      },
    ],
  };
  expect(parseCapJson(json)).toEqual(message());
  expect(() => parseCapJson({ ...json, status: 'actual' })).toThrow(/status/);
  expect(() => parseCapJson({ ...json, sender: 'a b' })).toThrow(/sender/);
  expect(() => parseCapJson({ ...json, siren: true })).toThrow(/siren/);
});
