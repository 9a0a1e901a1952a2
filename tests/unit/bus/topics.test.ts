import { describe, expect, test } from 'vitest';
import * as topics from '#edge/bus/topics.ts';
import type { DeviceId, HappeningId, PointRef } from '#edge/domain/ids.ts';

const device = 'meter-1' as DeviceId;
const ref = 'meter-1/power' as PointRef;
const id = '0199f5a0-1c2d-7e3f-8a4b-5c6d7e8f9a0b' as HappeningId;

describe('topics', () => {
  test.each([
    [topics.samplesTopic(device), 'v1/in/meter-1/samples', { kind: 'samples', device }],
    [topics.eventTopic(device), 'v1/in/meter-1/event', { kind: 'event', device }],
    [topics.requestTopic('flows'), 'v1/request/flows', { kind: 'request', client: 'flows' }],
    [topics.answerTopic('flows'), 'v1/answer/flows', { kind: 'answer', client: 'flows' }],
    [topics.commandTopic('fieldbus'), 'v1/command/fieldbus', { kind: 'command', process: 'fieldbus' }],
    [topics.resultTopic('fieldbus'), 'v1/result/fieldbus', { kind: 'result', process: 'fieldbus' }],
    [topics.readingTopic(ref), 'v1/out/reading/meter-1/power', { kind: 'reading', ref }],
    [topics.campusEventTopic('motion'), 'v1/out/event/motion', { kind: 'campus-event', type: 'motion' }],
    [topics.alarmTopic(id), `v1/out/alarm/${id}`, { kind: 'alarm', id }],
    [topics.incidentTopic(id), `v1/out/incident/${id}`, { kind: 'incident', id }],
    [topics.outputTopic(ref), 'v1/out/output/meter-1/power', { kind: 'output', ref }],
    [topics.healthTopic('core'), 'v1/out/health/core', { kind: 'health', process: 'core' }],
  ])('%s is spelled and read back', (built, spelled, parsed) => {
    expect(built).toBe(spelled);
    expect(topics.parseTopic(spelled)).toEqual(parsed);
    expect(topics.checkTopic(built)).toBeNull();
  });

  test.each([
    'v1',
    'v1/in',
    'v1/in/meter-1',
    'v1/in/meter-1/other',
    'v1/in/meter-1/samples/more',
    'v1/in/Meter 1/samples',
    'v1/out/reading/meter-1',
    'v1/out/reading/meter-1/power/x',
    'v1/out/alarm/42',
    'v1/out/incident/gate',
    'v1/command/fieldbus/x',
    'v2/in/meter-1/samples',
    'zigbee2mqtt/lamp',
    '',
  ])('"%s" is none of ours', (topic) => {
    expect(topics.parseTopic(topic)).toBeNull();
  });
});

describe('filters', () => {
  test.each([
    ['a/b', 'a/b', true],
    ['a/+', 'a/b', true],
    ['a/+', 'a/b/c', false],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'ab', false],
    ['+/b/#', 'a/b', true],
    ['#', 'a/b', true],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['$SYS/x', '$SYS/x', true],
    ['a/b', 'a/b/c', false],
  ])('%s and the topic %s: %s', (filter, topic, expected) => {
    expect(topics.matchesFilter(filter, topic)).toBe(expected);
  });

  test.each([
    ['a/#', 'a/b/#', true],
    ['a/#', 'a', true],
    ['a/#', '#', false],
    ['a/+', 'a/b', true],
    ['a/+', 'a/#', false],
    ['a/b', 'a/+', false],
    ['+/b', 'a/b', true],
    ['a/+/c', 'a/+/c', true],
    ['a/+', 'a/b/c', false],
    ['#', 'a/+', true],
  ])('%s covers %s: %s', (outer, inner, expected) => {
    expect(topics.coversFilter(outer, inner)).toBe(expected);
  });

  test.each([
    ['$share/group/a', 'shared subscriptions ($share) are not supported'],
    ['$SYS/#', 'topics that start with $ are not served'],
    ['a/#/b', '# is only allowed alone in the last level'],
    ['a/b#', '# is only allowed alone in the last level'],
    ['ab/+e', '+ is only allowed alone in a level'],
    ['a\0b', 'must be UTF-8 without control characters'],
    ['a\ufffd', 'must be UTF-8 without control characters'],
    ['', 'must not be empty'],
    ['电'.repeat(86), 'must be at most 256 bytes'],
    ['a/'.repeat(16), 'must have at most 16 levels'],
  ])('%j is refused: %s', (filter, reason) => {
    expect(topics.checkFilter(filter)).toBe(reason);
  });

  test('good filters and names pass, wildcards in names do not', () => {
    for (const filter of ['#', '+', 'a/+/b/#', '/a', '教学楼/+']) expect(topics.checkFilter(filter)).toBeNull();
    expect(topics.checkTopic('tele/教室/SENSOR')).toBeNull();
    expect(topics.checkTopic('a/+')).toBe('must not contain the wildcards + and #');
  });

  test('a foreign filter can never reach ours or $SYS', () => {
    for (const filter of ['#', '+/x', 'v1', 'v1/#', '$SYS/#']) expect(topics.isForeignFilter(filter)).toBe(false);
    for (const filter of ['zigbee2mqtt/#', 'v10/#', '/x']) expect(topics.isForeignFilter(filter)).toBe(true);
  });
});
