import { describe, expect, test } from 'vitest';
import { readNotification, trimTopic } from '#edge/drivers/onvif/notification.ts';
import { parseIsoTime } from '#edge/drivers/onvif/pull-point.ts';
import { interpret } from '#edge/drivers/onvif/topics.ts';
import { topicRows, typeRules } from '#edge/drivers/onvif/topics-table.ts';

function meaning(topic: string, data: Record<string, string>) {
  const verdict = interpret({ topic, operation: 'Changed', source: new Map(), data: new Map(Object.entries(data)) });
  if (verdict.kind !== 'happening') return verdict.kind;
  const active = verdict.meanings.filter((one) => one.active !== false || verdict.meanings.length === 1);
  return active.map((one) => [one.type, one.kind === 'stateless' ? 'pulse' : one.active]);
}

describe('topics', () => {
  test.each([
    ['tns1:VideoSource/MotionAlarm', { State: 'true' }, [['motion', true]]],
    ['tns1:RuleEngine/CellMotionDetector/Motion', { IsMotion: '1' }, [['motion', true]]],
    ['tns1:RuleEngine/CellMotionDetector/Motion', { State: 'false' }, [['motion', false]]],
    ['tnsaxis:CameraApplicationPlatform/VMD/Camera1ProfileANY', { active: '1' }, [['motion', true]]],
    ['tns1:RuleEngine/tnsaxis:VMD3/vmd3_video_1', { active: '0' }, [['motion', false]]],
    ['tns1:RuleEngine/LineDetector/Crossed', { ObjectId: '15' }, [['line_cross', 'pulse']]],
    ['tns1:RuleEngine/FieldDetector/ObjectsInside', { IsInside: 'true' }, [['intrusion', true]]],
    ['tns1:RuleEngine/CellMotionDetector/People', { IsNotPerson: 'true', IsPeople: 'false' }, [['person', false]]],
    ['tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent', { IsVehicle: 'true' }, [['vehicle', true]]],
    ['tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent', { IsPet: 'true' }, [['animal', true]]],
    ['tns1:RuleEngine/MyRuleDetector/Visitor', { State: 'true' }, [['doorbell', true]]],
    ['tns1:UserAlarm/IVA/HumanShapeDetect', { Anything: 'true' }, [['person', true]]],
    [
      'tns1:RuleEngine/ObjectDetection/Object',
      { ClassTypes: 'Human Vehicle' },
      [
        ['person', true],
        ['vehicle', true],
      ],
    ],
    ['tns1:RuleEngine/ObjectDetection/Object', { ClassTypes: '' }, []],
    ['tns1:RuleEngine/ObjectDetector/Vehicle', { IsVehicle: 'true' }, [['vehicle', true]]],
    ['tns1:VideoSource/GlobalSceneChange/ImagingService', { State: 'true' }, [['tamper', true]]],
    ['tns1:Device/Trigger/tnshik:AlarmIn', { State: 'true' }, [['digital_input', true]]],
    ['tns1:Device/Trigger/Relay', { LogicalState: 'inactive' }, [['relay', false]]],
    ['tns1:Device/Trigger/Relay', { LogicalState: 'active' }, [['relay', true]]],
    ['tns1:Device/HardwareFailure/StorageFailure', { Failed: 'true' }, [['device_fault', true]]],
    // Never by place: the first item is no truth value, the second one is.
    ['tns1:RuleEngine/LoiteringDetector/Loitering', { Level: '57', Active: 'true' }, [['loitering', true]]],
    ['tns1:VideoSource/MotionAlarm', { Level: '57' }, [['motion', undefined]]],
    ['tns1:RecordingConfig/JobState', { State: 'Active' }, 'health'],
    ['tns1:Device/tnsavg:Logs', { line: 'x' }, 'ignore'],
    ['tns1:RuleEngine/Acme/Thing', { State: 'true' }, 'unknown'],
  ])('%s with %o means %o', (topic, data, expected) => {
    expect(meaning(topic, data)).toEqual(expected);
  });

  test('every type of the table has a rule', () => {
    const silent = new Set(['info', 'health', 'counter', 'ignore']);
    const types = topicRows.flatMap((row) => [row.type, ...Object.values(row.typeByItem ?? {})]);
    expect(types.filter((type) => !silent.has(type) && !(type in typeRules))).toEqual([]);
  });

  test('lose the tail that some cameras leave', () => {
    expect(['a/b//.', 'a/b/.', 'a//b/', ' a/b '].map(trimTopic)).toEqual(['a/b', 'a/b', 'a/b', 'a/b']);
  });

  test('and messages without them, or without sense in their time, are read for what they hold', () => {
    const message = {
      '@UtcTime': '0000-00-00T00:00:00Z',
      '@PropertyOperation': 'Odd',
      Data: { SimpleItem: [{ '@Name': 'x' }] },
    };
    const read = readNotification({ Topic: { '#text': 'tns1:A/B' }, Message: { Message: message } });
    expect(read).toEqual({ topic: 'tns1:A/B', operation: 'none', source: new Map(), data: new Map([['x', '']]) });
    expect(readNotification({ Message: { Message: message } })).toBeNull();
    expect(readNotification('')).toBeNull();
  });

  test.each([
    ['2026-11-22T04:05:06Z', 1795320306000],
    ['2026-11-22T12:05:06+08:00', 1795320306000],
    ['2026-11-22T04:05:06.123456Z', 1795320306123],
    ['2026-11-22T04:05:06', 1795320306000],
    ['tomorrow', Number.NaN],
  ])('the time %s is read as %d', (text, expected) => {
    expect(parseIsoTime(text)).toBe(expected);
  });
});
