import type { IoDialect } from './camera-io.ts';

/** How makers name the same happenings; topics and items as real dumps show them. */
export type CameraDialect = 'hikvision' | 'tapo' | 'reolink' | 'axis';

interface Saying {
  readonly topic: string;
  readonly source: Readonly<Record<string, string>>;
  readonly item: string;
  readonly on: string;
  readonly off: string;
}

export interface Dialect {
  readonly manufacturer: string;
  readonly motion: Saying;
  readonly person: Saying;
  readonly tamper: Saying;
  /** A pulse without an end. */
  readonly line: { readonly topic: string; readonly source: Readonly<Record<string, string>>; readonly item: string };
  readonly io: IoDialect;
  /** Pull points share one address and are told apart by a reference parameter. */
  readonly referenceParameters: boolean;
}

const rule = (name: string) => ({
  VideoSourceConfigurationToken: 'VideoSourceToken',
  VideoAnalyticsConfigurationToken: 'VideoAnalyticsToken',
  Rule: name,
});
const truth = { on: 'true', off: 'false' };
const line = {
  topic: 'tns1:RuleEngine/LineDetector/Crossed',
  source: rule('MyLineDetector1'),
  item: 'ObjectId',
};
const digitalInput: IoDialect = {
  inputTopic: 'tns1:Device/Trigger/DigitalInput',
  inputItem: 'InputToken',
  inputData: 'LogicalState',
  inputToken: (index) => `DigitInput_${index}`,
  inputEventToken: (index) => `DigitInput_${index}`,
  truth,
  service: 'deviceIo',
};
const cellMotion = { topic: 'tns1:RuleEngine/CellMotionDetector/Motion', item: 'IsMotion', ...truth };
const scene = 'tns1:VideoSource/GlobalSceneChange/ImagingService';

export const dialects: Readonly<Record<CameraDialect, Dialect>> = {
  hikvision: {
    manufacturer: 'HIKVISION',
    motion: { ...cellMotion, source: rule('MyMotionDetectorRule') },
    person: { topic: 'tns1:UserAlarm/IVA/HumanShapeDetect', source: rule('HumanShape'), item: 'State', ...truth },
    tamper: { topic: scene, source: { Source: 'VideoSource_1' }, item: 'State', ...truth },
    line,
    io: {
      ...digitalInput,
      inputTopic: 'tns1:Device/Trigger/tnshik:AlarmIn',
      inputItem: 'AlarmInToken',
      inputData: 'State',
      inputToken: (index) => `AlarmIn_${index}`,
      inputEventToken: (index) => `AlarmIn_${index}`,
    },
    referenceParameters: false,
  },
  tapo: {
    manufacturer: 'tp-link',
    motion: {
      ...cellMotion,
      source: { vsconf: 'vsconf', VideoAnalyticsToken: 'VideoAnalyticsToken', Rule: 'MyMotion' },
    },
    person: {
      topic: 'tns1:RuleEngine/PeopleDetector/People',
      source: { vsconf: 'vsconf', VideoAnalyticsToken: 'VideoAnalyticsToken', Rule: 'MyPeopleDetectorRule' },
      item: 'IsPeople',
      ...truth,
    },
    tamper: {
      topic: 'tns1:RuleEngine/TamperDetector/Tamper',
      source: { vsconf: 'vsconf', Rule: 'MyTamperDetectorRule' },
      item: 'IsTamper',
      ...truth,
    },
    line,
    io: { ...digitalInput, service: 'device' },
    referenceParameters: false,
  },
  reolink: {
    manufacturer: 'Reolink',
    motion: { topic: 'tns1:VideoSource/MotionAlarm', source: { Source: '000' }, item: 'State', ...truth },
    person: {
      topic: 'tns1:RuleEngine/MyRuleDetector/PeopleDetect',
      source: { Source: '000' },
      item: 'State',
      ...truth,
    },
    tamper: { topic: scene, source: { Source: '000' }, item: 'State', ...truth },
    line,
    io: digitalInput,
    referenceParameters: false,
  },
  axis: {
    manufacturer: 'AXIS',
    motion: {
      topic: 'tnsaxis:CameraApplicationPlatform/VMD/Camera1Profile1',
      source: {},
      item: 'active',
      on: '1',
      off: '0',
    },
    person: {
      topic: 'tns1:RuleEngine/ObjectDetection/Object',
      source: { VideoSourceToken: '0', Rule: 'Scenario 1' },
      item: 'ClassTypes',
      on: 'Human',
      off: '',
    },
    tamper: {
      topic: 'tns1:VideoSource/tnsaxis:Tampering',
      source: { channel: '1' },
      item: 'tampering',
      on: '1',
      off: '0',
    },
    line,
    io: {
      ...digitalInput,
      inputTopic: 'tns1:Device/tnsaxis:IO/Port',
      inputItem: 'port',
      inputData: 'state',
      inputToken: (index) => `${index - 1}`,
      inputEventToken: (index) => `${index - 1}`,
      truth: { on: '1', off: '0' },
    },
    referenceParameters: true,
  },
};
