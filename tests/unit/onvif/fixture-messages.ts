/*
 * One notification for each row of what cameras call things, in the shape its maker sends: its prefixes, its items, its tail of
 * slashes. Made up, after the dumps that onvif-parsers and axis keep; the names in them are the makers' own words.
 */

export interface Fixture {
  readonly maker: string;
  /** The element `NotificationMessage` as it stands in an answer. */
  readonly xml: string;
  /** Type and state of each meaning that is not at rest; `info`, `health`, `counter`, `ignore` or `unknown` for the others. */
  readonly means: string | readonly (readonly [type: string, state: boolean | 'pulse'])[];
  readonly operation: 'Initialized' | 'Changed' | 'Deleted' | 'none';
  /** Source and key items. */
  readonly source: Readonly<Record<string, string>>;
}

type Items = Readonly<Record<string, string>>;

function simpleItems(prefix: string, items: Items): string {
  return Object.entries(items)
    .map(([name, value]) => `<${prefix}SimpleItem Name="${name}" Value="${value}"/>`)
    .join('');
}

interface Shape {
  readonly topic: string;
  readonly source?: Items;
  readonly key?: Items;
  readonly data?: Items;
  readonly operation?: Fixture['operation'];
  readonly time?: string;
}

/** gSOAP, as Hikvision, Dahua, Uniview and most others: producer and subscription in it, everything prefixed. */
function gsoap({
  topic,
  source = {},
  key,
  data = {},
  operation = 'Changed',
  time = '2026-11-22T04:05:06Z',
}: Shape): string {
  const named = operation === 'none' ? '' : ` PropertyOperation="${operation}"`;
  const keys = key === undefined ? '' : `<tt:Key>${simpleItems('tt:', key)}</tt:Key>`;
  return (
    '<wsnt:NotificationMessage><wsnt:SubscriptionReference><wsa5:Address>http://192.0.2.64/onvif/Events/PullSubManager</wsa5:Address>' +
    '</wsnt:SubscriptionReference><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">' +
    `${topic}</wsnt:Topic><wsnt:ProducerReference><wsa5:Address>http://192.0.2.64/onvif/event</wsa5:Address></wsnt:ProducerReference>` +
    `<wsnt:Message><tt:Message UtcTime="${time}"${named}><tt:Source>${simpleItems('tt:', source)}</tt:Source>${keys}` +
    `<tt:Data>${simpleItems('tt:', data)}</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`
  );
}

/** Axis: namespaces on the topic itself, an empty Source and Key, times with a fraction. */
function axis({ topic, source = {}, data = {}, operation = 'Changed' }: Shape): string {
  return (
    '<wsnt:NotificationMessage xmlns:tns1="http://www.onvif.org/ver10/topics" ' +
    'xmlns:tnsaxis="http://www.axis.com/2009/event/topics"><wsnt:Topic ' +
    `Dialect="http://docs.oasis-open.org/wsn/t-1/TopicExpression/Simple">${topic}</wsnt:Topic><wsnt:ProducerReference>` +
    '<wsa5:Address>uri://0a1b2c3d-0000-4000-8000-acccf0000000/ProducerReference</wsa5:Address></wsnt:ProducerReference>' +
    `<wsnt:Message><tt:Message UtcTime="2026-11-22T04:05:06.123456Z" PropertyOperation="${operation}">` +
    `<tt:Source>${simpleItems('tt:', source)}</tt:Source><tt:Key></tt:Key><tt:Data>${simpleItems('tt:', data)}</tt:Data>` +
    '</tt:Message></wsnt:Message></wsnt:NotificationMessage>'
  );
}

/** Tapo: other prefixes, and line breaks and blanks between everything. */
function tapo({ topic, source = {}, data = {}, operation = 'Changed' }: Shape): string {
  const items = (of: Items) => simpleItems('tt:', of).replace(/></g, '>\n        <');
  return `
    <wsnt:NotificationMessage>
      <wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">
        ${topic}
      </wsnt:Topic>
      <wsnt:Message>
        <tt:Message UtcTime="2026-11-22T04:05:06Z" PropertyOperation="${operation}">
          <tt:Source>
        ${items(source)}
          </tt:Source>
          <tt:Data>
        ${items(data)}
          </tt:Data>
        </tt:Message>
      </wsnt:Message>
    </wsnt:NotificationMessage>`;
}

/** Reolink: default namespaces instead of prefixes. */
function reolink({ topic, source = {}, data = {}, operation = 'Changed' }: Shape): string {
  return (
    '<NotificationMessage xmlns="http://docs.oasis-open.org/wsn/b-2"><Topic ' +
    `Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">${topic}</Topic><Message>` +
    `<Message xmlns="http://www.onvif.org/ver10/schema" UtcTime="2026-11-22T04:05:06Z" PropertyOperation="${operation}">` +
    `<Source>${simpleItems('', source)}</Source><Data>${simpleItems('', data)}</Data></Message></Message></NotificationMessage>`
  );
}

/** `ns0:` and the like: libraries of Python number their prefixes. */
function numbered(shape: Shape): string {
  return gsoap(shape).replace(/wsnt:/g, 'ns0:').replace(/tt:/g, 'ns3:').replace(/wsa5:/g, 'ns1:');
}

const analytics = (rule: string) => ({
  VideoSourceConfigurationToken: 'VideoSourceToken',
  VideoAnalyticsConfigurationToken: 'VideoAnalyticsToken',
  Rule: rule,
});
const vsconf = (rule: string) => ({
  VideoSourceConfigurationToken: 'vsconf',
  VideoAnalyticsConfigurationToken: 'VideoAnalyticsToken',
  Rule: rule,
});
const cell = 'tns1:RuleEngine/CellMotionDetector';

function fixture(maker: string, write: (shape: Shape) => string, shape: Shape, means: Fixture['means']): Fixture {
  const { source = {}, key = {}, operation = 'Changed' } = shape;
  return { maker, xml: write(shape), means, operation, source: { ...source, ...key } };
}

/** Row by row. */
export const fixtures: readonly Fixture[] = [
  // Motion
  fixture(
    'Hikvision',
    gsoap,
    { topic: 'tns1:VideoSource/MotionAlarm', source: { Source: 'VideoSource_1' }, data: { State: 'true' } },
    [['motion', true]],
  ),
  fixture(
    'Dahua',
    gsoap,
    {
      topic: 'tns1:VideoSource/MotionAlarm',
      source: { VideoSourceToken: '00000' },
      data: { State: 'false' },
      operation: 'Initialized',
    },
    [['motion', false]],
  ),
  fixture(
    'Reolink',
    reolink,
    { topic: 'tns1:VideoSource/MotionAlarm', source: { Source: '000' }, data: { State: 'true' } },
    [['motion', true]],
  ),
  fixture(
    'a Python server',
    numbered,
    { topic: 'tns1:VideoSource/MotionAlarm', source: { Source: '1' }, data: { State: '1' } },
    [['motion', true]],
  ),
  fixture(
    'Hikvision',
    gsoap,
    { topic: `${cell}/Motion`, source: analytics('MyMotionDetectorRule'), data: { IsMotion: 'true' } },
    [['motion', true]],
  ),
  fixture('Uniview', gsoap, { topic: `${cell}/Motion//.`, source: analytics('000'), data: { State: '1' } }, [
    ['motion', true],
  ]),
  fixture(
    'Tapo',
    tapo,
    { topic: `${cell}/Motion`, source: vsconf('MyMotionDetectorRule'), data: { IsMotion: 'false' } },
    [['motion', false]],
  ),
  fixture(
    'Axis',
    axis,
    {
      topic: 'tns1:RuleEngine/MotionRegionDetector/Motion',
      source: { VideoSource: '0', RuleName: 'MotionRegionDetector' },
      data: { State: '1' },
    },
    [['motion', true]],
  ),
  fixture(
    'Avigilon',
    gsoap,
    {
      topic: 'tns1:RuleEngine/MotionRegionDetector/Motion/.',
      source: { VideoSourceConfigurationToken: '1' },
      data: { State: 'true' },
    },
    [['motion', true]],
  ),
  fixture('Foscam', gsoap, { topic: 'tns1:Device/Trigger/MotionDetector', data: { State: 'true' } }, [
    ['motion', true],
  ]),
  fixture(
    'Axis VMD 4',
    axis,
    { topic: 'tnsaxis:CameraApplicationPlatform/VMD/Camera1Profile1', data: { active: '1' } },
    [['motion', true]],
  ),
  fixture(
    'Axis VMD 4',
    axis,
    {
      topic: 'tnsaxis:CameraApplicationPlatform/VMD/Camera1ProfileANY',
      data: { active: '0' },
      operation: 'Initialized',
    },
    [['motion', false]],
  ),
  fixture(
    'Axis VMD 3',
    axis,
    { topic: 'tns1:RuleEngine/tnsaxis:VMD3/vmd3_video_1', source: { areaid: '0' }, data: { active: '1' } },
    [['motion', true]],
  ),
  fixture(
    'Axis Object Analytics',
    axis,
    { topic: 'tnsaxis:CameraApplicationPlatform/ObjectAnalytics/Device1Scenario1', data: { active: '1' } },
    [['object', true]],
  ),
  fixture(
    'Axis Fence Guard',
    axis,
    { topic: 'tnsaxis:CameraApplicationPlatform/FenceGuard/Camera1Profile1', data: { active: '1' } },
    [['line_cross', true]],
  ),
  fixture(
    'Axis Loitering Guard',
    axis,
    { topic: 'tnsaxis:CameraApplicationPlatform/LoiteringGuard/Camera1Profile1', data: { active: '1' } },
    [['loitering', true]],
  ),
  fixture(
    'Axis Motion Guard',
    axis,
    { topic: 'tnsaxis:CameraApplicationPlatform/MotionGuard/Camera1ProfileANY', data: { active: '1' } },
    [['motion', true]],
  ),

  // Lines and fields
  fixture(
    'Hikvision',
    gsoap,
    {
      topic: 'tns1:RuleEngine/LineDetector/Crossed',
      source: analytics('MyLineDetector1'),
      data: { ObjectId: '15' },
      operation: 'none',
    },
    [['line_cross', 'pulse']],
  ),
  fixture(
    'Dahua IVS',
    gsoap,
    {
      topic: 'tns1:RuleEngine/LineDetector/Crossed',
      source: analytics('0'),
      data: { ObjectId: '1042', ClassTypes: 'Human' },
    },
    [['line_cross', 'pulse']],
  ),
  fixture(
    'Hikvision',
    gsoap,
    {
      topic: 'tns1:RuleEngine/FieldDetector/ObjectsInside',
      source: analytics('MyFieldDetector1'),
      key: { ObjectId: '7' },
      data: { IsInside: 'true' },
    },
    [['intrusion', true]],
  ),
  fixture(
    'Uniview',
    gsoap,
    { topic: 'tns1:RuleEngine/FieldDetector/ObjectsInside/.', source: analytics('0'), data: { IsInside: 'false' } },
    [['intrusion', false]],
  ),
  fixture(
    'Tapo',
    tapo,
    { topic: `${cell}/LineCross`, source: vsconf('MyLineCrossDetectorRule'), data: { IsLineCross: 'true' } },
    [['line_cross', true]],
  ),
  fixture(
    'Tapo',
    tapo,
    {
      topic: 'tns1:RuleEngine/LineCrossDetector/LineCross',
      source: vsconf('MyLineCrossDetectorRule'),
      data: { IsLineCross: 'true' },
      operation: 'Initialized',
    },
    [['line_cross', true]],
  ),
  fixture(
    'Tapo',
    tapo,
    { topic: `${cell}/Intrusion`, source: vsconf('MyIntrusionDetectorRule'), data: { IsIntrusion: 'true' } },
    [['intrusion', true]],
  ),
  fixture(
    'Tapo',
    tapo,
    { topic: `${cell}/Tamper`, source: vsconf('MyTamperDetectorRule'), data: { IsTamper: 'true' } },
    [['tamper', true]],
  ),
  fixture(
    'Tapo',
    tapo,
    {
      topic: 'tns1:RuleEngine/TamperDetector/Tamper',
      source: vsconf('MyTamperDetectorRule'),
      data: { IsTamper: 'true' },
    },
    [['tamper', true]],
  ),
  fixture(
    'a generic one',
    gsoap,
    {
      topic: 'tns1:RuleEngine/TamperDetector/Tamper',
      source: { VideoSourceConfigurationToken: '1' },
      data: { State: 'true' },
    },
    [['tamper', true]],
  ),

  // What was recognised
  fixture(
    'Tapo',
    tapo,
    { topic: `${cell}/People`, source: vsconf('MyPeopleDetectorRule'), data: { IsPeople: 'true' } },
    [['person', true]],
  ),
  fixture(
    'Tapo',
    tapo,
    {
      topic: 'tns1:RuleEngine/PeopleDetector/People',
      source: vsconf('MyPeopleDetectorRule'),
      data: { IsNotPerson: 'true', IsPeople: 'false' },
    },
    [['person', false]],
  ),
  fixture(
    'Tapo',
    tapo,
    { topic: `${cell}/TpSmartEvent`, source: vsconf('MyTPSmartEventDetectorRule'), data: { IsVehicle: 'true' } },
    [['vehicle', true]],
  ),
  fixture(
    'Tapo',
    tapo,
    {
      topic: 'tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent',
      source: vsconf('MyTPSmartEventDetectorRule'),
      data: { IsPet: 'true' },
    },
    [['animal', true]],
  ),
  fixture(
    'Tapo',
    tapo,
    {
      topic: 'tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent',
      source: vsconf('MyTPSmartEventDetectorRule'),
      data: { IsPeople: 'true', IsLineCross: 'true', IsTamper: 'false', IsIntrusion: 'true' },
    },
    [
      ['person', true],
      ['line_cross', true],
      ['intrusion', true],
    ],
  ),
  ...(
    [
      ['PeopleDetect', 'person'],
      ['VehicleDetect', 'vehicle'],
      ['DogCatDetect', 'animal'],
      ['FaceDetect', 'face'],
      ['Visitor', 'doorbell'],
      ['Package', 'package'],
    ] as const
  ).map(([rule, type]) =>
    fixture(
      'Reolink',
      reolink,
      { topic: `tns1:RuleEngine/MyRuleDetector/${rule}`, source: { Source: '000' }, data: { State: 'true' } },
      [[type, true]],
    ),
  ),
  fixture(
    'TVT',
    gsoap,
    {
      topic: 'tns1:UserAlarm/IVA/HumanShapeDetect',
      source: { VideoSourceConfigurationToken: 'VideoSourceToken' },
      data: { Human: 'true' },
    },
    [['person', true]],
  ),
  fixture(
    'Ajax',
    gsoap,
    {
      topic: 'tns1:RuleEngine/ObjectDetection/Object',
      source: { VideoSourceToken: 'VS', Rule: 'Objects' },
      data: { ClassTypes: 'Human Vehicle' },
    },
    [
      ['person', true],
      ['vehicle', true],
    ],
  ),
  fixture(
    'Ajax',
    gsoap,
    {
      topic: 'tns1:RuleEngine/ObjectDetection/Object',
      source: { VideoSourceToken: 'VS', Rule: 'Objects' },
      data: { ClassTypes: '' },
    },
    [],
  ),
  fixture(
    'Ajax',
    gsoap,
    {
      topic: 'tns1:RuleEngine/tnsajax:MotionDetector/Detection',
      source: { VideoSourceToken: 'VS', Rule: 'Motion' },
      data: { Detected: 'true' },
    },
    [['motion', true]],
  ),
  fixture(
    'Ajax',
    gsoap,
    {
      topic: 'tns1:RuleEngine/tnsajax:LineDetector/Crossing',
      source: { VideoSourceToken: 'VS', Rule: 'Line' },
      data: { LineCrossing: 'true' },
      operation: 'none',
    },
    [['line_cross', 'pulse']],
  ),
  fixture(
    'one that scrypted knows',
    gsoap,
    { topic: 'tns1:RuleEngine/ObjectDetector/Vehicle', source: analytics('1'), data: { IsVehicle: 'true' } },
    [['vehicle', true]],
  ),

  // The camera itself
  ...['AnalyticsService', 'ImagingService', 'RecordingService'].map((service) =>
    fixture(
      'Hikvision, Dahua, Axis',
      gsoap,
      {
        topic: `tns1:VideoSource/GlobalSceneChange/${service}`,
        source: { Source: 'VideoSource_1' },
        data: { State: 'true' },
      },
      [['tamper', true]],
    ),
  ),
  ...['Blurry', 'Dark', 'Bright'].flatMap((how) =>
    ['Analytics', 'Imaging', 'Recording'].map((service) =>
      fixture(
        'many',
        gsoap,
        {
          topic: `tns1:VideoSource/ImageToo${how}/${service}Service`,
          source: { Source: 'VideoSource_1' },
          data: { State: 'true' },
        },
        [['image_quality', true]],
      ),
    ),
  ),
  fixture(
    'Axis',
    axis,
    {
      topic: 'tns1:VideoSource/tnsaxis:DayNightVision',
      source: { VideoSourceConfigurationToken: '1' },
      data: { day: '1' },
    },
    'info',
  ),
  fixture(
    'a generic one',
    gsoap,
    {
      topic: 'tns1:AudioAnalytics/Audio/DetectedSound',
      source: { AudioSourceConfigurationToken: 'A', AudioAnalyticsConfigurationToken: 'B', Rule: 'MyAudio' },
      data: { IsSoundDetected: 'true' },
    },
    [['sound', true]],
  ),
  fixture(
    'Axis',
    axis,
    { topic: 'tns1:AudioSource/tnsaxis:TriggerLevel', source: { channel: '1' }, data: { triggered: '1' } },
    [['sound', true]],
  ),
  fixture(
    'Dahua',
    gsoap,
    { topic: 'tns1:Device/Trigger/DigitalInput', source: { InputToken: '00000' }, data: { LogicalState: 'true' } },
    [['digital_input', true]],
  ),
  fixture(
    'Hikvision',
    gsoap,
    { topic: 'tns1:Device/Trigger/DigitalInput', source: { InputToken: 'AlarmIn_1' }, data: { State: 'false' } },
    [['digital_input', false]],
  ),
  fixture(
    'Hikvision',
    gsoap,
    { topic: 'tns1:Device/Trigger/tnshik:AlarmIn', source: { AlarmInToken: 'AlarmIn_1' }, data: { State: 'true' } },
    [['digital_input', true]],
  ),
  fixture('Axis', axis, { topic: 'tns1:Device/tnsaxis:IO/Port', source: { port: '0' }, data: { state: '1' } }, [
    ['digital_input', true],
  ]),
  fixture('Axis', axis, { topic: 'tns1:Device/tnsaxis:Sensor/PIR', source: { sensor: '0' }, data: { state: '1' } }, [
    ['pir', true],
  ]),
  fixture(
    'a generic one',
    gsoap,
    { topic: 'tns1:Device/Trigger/Relay', source: { RelayToken: 'RelayOutput_1' }, data: { LogicalState: 'active' } },
    [['relay', true]],
  ),
  fixture(
    'a generic one',
    gsoap,
    { topic: 'tns1:Device/Trigger/Relay', source: { RelayToken: 'RelayOutput_1' }, data: { LogicalState: 'inactive' } },
    [['relay', false]],
  ),
  fixture(
    'a generic one',
    gsoap,
    { topic: 'tns1:Device/HardwareFailure/StorageFailure', source: { Token: '1' }, data: { Failed: 'true' } },
    [['device_fault', true]],
  ),
  fixture(
    'one with another word',
    gsoap,
    { topic: 'tns1:Device/HardwareFailure/StorageFailure', source: { Token: '1' }, data: { Fault: '1' } },
    [['device_fault', true]],
  ),
  fixture(
    'Axis',
    axis,
    {
      topic: 'tnsaxis:Storage/Alert',
      source: { disk_id: 'SD_DISK' },
      data: { temperature: '40', alert: '1', wear: '-1' },
    },
    [['device_fault', true]],
  ),

  // Facts and noise
  fixture(
    'many',
    gsoap,
    { topic: 'tns1:Monitoring/ProcessorUsage', source: { Token: 'CPU' }, data: { Value: '37' } },
    'health',
  ),
  ...['LastReboot', 'LastReset', 'LastClockSynchronization'].map((what) =>
    fixture(
      'many',
      gsoap,
      {
        topic: `tns1:Monitoring/OperatingTime/${what}`,
        data: { Status: '0000-00-00T00:00:00Z' },
        time: '0000-00-00T00:00:00Z',
      },
      'health',
    ),
  ),
  fixture('many', gsoap, { topic: 'tns1:Monitoring/Backup/Last', data: { Status: '2026-01-01T00:00:00Z' } }, 'health'),
  fixture(
    'many',
    gsoap,
    { topic: 'tns1:RecordingConfig/JobState', source: { RecordingJobToken: 'J1' }, data: { State: 'Active' } },
    'health',
  ),
  fixture(
    'Hikvision',
    gsoap,
    {
      topic: 'tns1:RuleEngine/CountAggregation/Counter',
      source: analytics('Counter'),
      key: { ObjectId: '3' },
      data: { Count: '12' },
    },
    'counter',
  ),
  fixture(
    'Mobotix',
    gsoap,
    {
      topic: 'tns1:VideoSource/Alarm',
      source: { Source: 'CameraBellButton' },
      data: { State: 'Ring' },
      operation: 'none',
    },
    [['doorbell', 'pulse']],
  ),
  fixture(
    'Hikvision',
    gsoap,
    { topic: 'tns1:MediaControl/VideoEncoderConfiguration', data: { Token: 'V1' } },
    'ignore',
  ),
  fixture('Avigilon', gsoap, { topic: 'tns1:Device/tnsavg:Logs', data: { Line: 'x' } }, 'ignore'),
  fixture(
    'nobody',
    gsoap,
    { topic: 'tns1:RuleEngine/tnsacme:Gait/Limping', source: analytics('1'), data: { State: 'true' } },
    'unknown',
  ),
];

/** The answer of PullMessages around them. */
export function pullAnswer(messages: readonly string[]): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" ' +
    'xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" ' +
    'xmlns:ns0="http://docs.oasis-open.org/wsn/b-2" xmlns:ns1="http://www.w3.org/2005/08/addressing" ' +
    'xmlns:ns3="http://www.onvif.org/ver10/schema" xmlns:wsa5="http://www.w3.org/2005/08/addressing" ' +
    'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tns1="http://www.onvif.org/ver10/topics"><env:Body>' +
    '<tev:PullMessagesResponse><tev:CurrentTime>2026-11-22T04:05:06Z</tev:CurrentTime>' +
    `<tev:TerminationTime>2026-11-22T04:15:06Z</tev:TerminationTime>${messages.join('')}</tev:PullMessagesResponse>` +
    '</env:Body></env:Envelope>'
  );
}
