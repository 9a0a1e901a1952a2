/*
 * What cameras call things, as data. Sources: the ONVIF core and analytics specifications, the catalogue and the real
 * dumps that openvideolibs/onvif-parsers keeps for Home Assistant, the fixtures of Kane610/axis, and the issues of
 * home-assistant/core named in the rows. Long because it is a table: one row per topic, grouped by what it means.
 *
 * `topic` is written without namespace prefixes (`tns1:`, `tnsaxis:` ...); `*` stands for one segment or a part of it.
 * `active` names the data items that hold the state, best first; a row without it takes the first item that looks like
 * a truth value. Items are chosen by name and never by place: messages with several items exist.
 */
export interface TopicRow {
  readonly topic: string;
  /** The event's type; what is `info`, `health`, `counter` or `ignore` is counted, not forwarded. */
  readonly type: string;
  /** A state with a begin and an end, or a pulse that never ends (and then never says false). */
  readonly kind: 'property' | 'stateless';
  readonly active?: readonly string[];
  /** The item's name decides the type. */
  readonly typeByItem?: Readonly<Record<string, string>>;
  /** The words in this item decide the types: "Human Vehicle" is two states. */
  readonly classItem?: string;
  /** The last segment of the topic decides the type. */
  readonly typeBySegment?: boolean;
}

const property = 'property';
const stateless = 'stateless';

/** Words cameras use for what they recognised. */
export const classTypes: Readonly<Record<string, string>> = {
  human: 'person',
  person: 'person',
  people: 'person',
  pedestrian: 'person',
  face: 'face',
  vehicle: 'vehicle',
  car: 'vehicle',
  truck: 'vehicle',
  bus: 'vehicle',
  motorcycle: 'vehicle',
  bicycle: 'vehicle',
  bike: 'vehicle',
  animal: 'animal',
  dog: 'animal',
  cat: 'animal',
  dogcat: 'animal',
  pet: 'animal',
  package: 'package',
};

const smartItems = {
  IsPeople: 'person',
  IsVehicle: 'vehicle',
  IsPet: 'animal',
  IsLineCross: 'line_cross',
  IsTamper: 'tamper',
  IsIntrusion: 'intrusion',
  IsPackage: 'package',
};

export const topicRows: readonly TopicRow[] = [
  // Motion
  { topic: 'VideoSource/MotionAlarm', type: 'motion', kind: property, active: ['State'] },
  { topic: 'RuleEngine/CellMotionDetector/Motion', type: 'motion', kind: property, active: ['IsMotion', 'State'] },
  { topic: 'RuleEngine/MotionRegionDetector/Motion', type: 'motion', kind: property, active: ['State', 'IsMotion'] },
  { topic: 'RuleEngine/MotionDetector/Motion', type: 'motion', kind: property, active: ['IsMotion', 'State'] },
  { topic: 'Device/Trigger/MotionDetector', type: 'motion', kind: property, active: ['State'] }, // Foscam, HA #132521
  { topic: 'CameraApplicationPlatform/VMD/*', type: 'motion', kind: property, active: ['active'] }, // Axis VMD4
  { topic: 'RuleEngine/VMD3/*', type: 'motion', kind: property, active: ['active'] }, // Axis VMD3
  { topic: 'CameraApplicationPlatform/MotionGuard/*', type: 'motion', kind: property, active: ['active'] },
  { topic: 'RuleEngine/MotionDetector/Detection', type: 'motion', kind: property, active: ['Detected'] }, // Ajax
  { topic: 'CameraApplicationPlatform/LoiteringGuard/*', type: 'loitering', kind: property, active: ['active'] },
  { topic: 'RuleEngine/LoiteringDetector/*', type: 'loitering', kind: property },
  { topic: 'CameraApplicationPlatform/ObjectAnalytics/*', type: 'object', kind: property, active: ['active'] },

  // Lines and fields
  // Hikvision, Dahua, Uniview: it never sends false (home-assistant/core PR #66357)
  { topic: 'RuleEngine/LineDetector/Crossed', type: 'line_cross', kind: stateless },
  { topic: 'RuleEngine/LineDetector/Crossing', type: 'line_cross', kind: stateless }, // Ajax
  // Tapo, HA #127991 and #142708
  { topic: 'RuleEngine/CellMotionDetector/LineCross', type: 'line_cross', kind: property, active: ['IsLineCross'] },
  { topic: 'RuleEngine/LineCrossDetector/LineCross', type: 'line_cross', kind: property, active: ['IsLineCross'] },
  { topic: 'CameraApplicationPlatform/FenceGuard/*', type: 'line_cross', kind: property, active: ['active'] },
  { topic: 'RuleEngine/FieldDetector/ObjectsInside', type: 'intrusion', kind: property, active: ['IsInside', 'State'] },
  // Tapo, HA #109198
  { topic: 'RuleEngine/CellMotionDetector/Intrusion', type: 'intrusion', kind: property, active: ['IsIntrusion'] },
  { topic: 'RuleEngine/IntrusionDetector/Intrusion', type: 'intrusion', kind: property, active: ['IsIntrusion'] },

  // What was recognised. Tapo also sends IsNotPerson: it is not in the list and so never decides.
  { topic: 'RuleEngine/CellMotionDetector/People', type: 'person', kind: property, active: ['IsPeople'] },
  { topic: 'RuleEngine/PeopleDetector/People', type: 'person', kind: property, active: ['IsPeople'] },
  { topic: 'RuleEngine/CellMotionDetector/TpSmartEvent', type: 'object', kind: property, typeByItem: smartItems },
  { topic: 'RuleEngine/TPSmartEventDetector/TPSmartEvent', type: 'object', kind: property, typeByItem: smartItems },
  { topic: 'RuleEngine/MyRuleDetector/PeopleDetect', type: 'person', kind: property, active: ['State'] }, // Reolink
  { topic: 'RuleEngine/MyRuleDetector/VehicleDetect', type: 'vehicle', kind: property, active: ['State'] },
  { topic: 'RuleEngine/MyRuleDetector/DogCatDetect', type: 'animal', kind: property, active: ['State'] },
  { topic: 'RuleEngine/MyRuleDetector/FaceDetect', type: 'face', kind: property, active: ['State'] },
  { topic: 'RuleEngine/MyRuleDetector/Visitor', type: 'doorbell', kind: property, active: ['State'] },
  { topic: 'RuleEngine/MyRuleDetector/Package', type: 'package', kind: property, active: ['State'] },
  { topic: 'UserAlarm/IVA/HumanShapeDetect', type: 'person', kind: property },
  // Profile M style: the classes now in the picture, '' when there is nobody
  { topic: 'RuleEngine/ObjectDetection/Object', type: 'object', kind: property, classItem: 'ClassTypes' },
  { topic: 'RuleEngine/ObjectDetector/*', type: 'object', kind: property, typeBySegment: true },
  { topic: 'RuleEngine/FaceDetector/*', type: 'face', kind: property },

  // The camera itself
  { topic: 'RuleEngine/CellMotionDetector/Tamper', type: 'tamper', kind: property, active: ['IsTamper', 'State'] },
  { topic: 'RuleEngine/TamperDetector/Tamper', type: 'tamper', kind: property, active: ['IsTamper', 'State'] },
  { topic: 'VideoSource/GlobalSceneChange/*', type: 'tamper', kind: property, active: ['State'] },
  { topic: 'VideoSource/Tampering', type: 'tamper', kind: property }, // Axis
  { topic: 'VideoSource/SignalLoss', type: 'device_fault', kind: property, active: ['State', 'Lost'] },
  { topic: 'VideoSource/ImageTooBlurry/*', type: 'image_quality', kind: property, active: ['State'] },
  { topic: 'VideoSource/ImageTooDark/*', type: 'image_quality', kind: property, active: ['State'] },
  { topic: 'VideoSource/ImageTooBright/*', type: 'image_quality', kind: property, active: ['State'] },
  { topic: 'Device/HardwareFailure/StorageFailure', type: 'device_fault', kind: property, active: ['Failed'] },
  { topic: 'Device/HardwareFailure/*', type: 'device_fault', kind: property, active: ['Failed'] },
  { topic: 'Storage/Alert', type: 'device_fault', kind: property, active: ['alert'] }, // Axis

  // Sound, contacts, bells
  { topic: 'AudioAnalytics/Audio/DetectedSound', type: 'sound', kind: property, active: ['State', 'IsSoundDetected'] },
  { topic: 'AudioSource/TriggerLevel', type: 'sound', kind: property, active: ['triggered'] }, // Axis
  { topic: 'Device/Trigger/DigitalInput', type: 'digital_input', kind: property, active: ['LogicalState', 'State'] },
  { topic: 'Device/Trigger/AlarmIn', type: 'digital_input', kind: property, active: ['State'] }, // Hikvision
  { topic: 'Device/IO/Port', type: 'digital_input', kind: property, active: ['state'] }, // Axis
  { topic: 'Device/IO/VirtualInput', type: 'digital_input', kind: property, active: ['active'] }, // Axis
  { topic: 'Device/Sensor/PIR', type: 'pir', kind: property, active: ['state'] }, // Axis
  { topic: 'Device/Trigger/Relay', type: 'relay', kind: property, active: ['LogicalState', 'State'] },
  { topic: 'VideoSource/Alarm', type: 'doorbell', kind: stateless }, // Mobotix

  // Facts that are not happenings
  { topic: 'VideoSource/DayNightVision', type: 'info', kind: property },
  { topic: 'Monitoring/ProcessorUsage', type: 'health', kind: property },
  { topic: 'Monitoring/OperatingTime/*', type: 'health', kind: property },
  { topic: 'Monitoring/Backup/*', type: 'health', kind: property },
  { topic: 'RecordingConfig/*', type: 'health', kind: property },
  { topic: 'RuleEngine/CountAggregation/Counter', type: 'counter', kind: property },
  { topic: 'Media/ProfileChanged', type: 'info', kind: stateless },
  { topic: 'Media/ConfigurationChanged', type: 'info', kind: stateless },
  { topic: 'Configuration/*', type: 'info', kind: stateless },
  // Several a second for nothing
  { topic: 'MediaControl/VideoEncoderConfiguration', type: 'ignore', kind: property },
  { topic: 'Device/Logs', type: 'ignore', kind: stateless }, // Avigilon
];

/** What the driver does with an event of a type. */
export interface TypeRule {
  /** A picture is worth taking when it begins. */
  readonly picture: boolean;
  /** Ended by itself when the camera forgets to: true for what a scene does, false for what a contact holds. */
  readonly expires: boolean;
}

const scene: TypeRule = { picture: true, expires: true };
const fault: TypeRule = { picture: false, expires: false };
const contact: TypeRule = { picture: true, expires: false };

export const typeRules: Readonly<Record<string, TypeRule>> = {
  motion: scene,
  person: scene,
  vehicle: scene,
  animal: scene,
  face: scene,
  object: scene,
  package: scene,
  doorbell: scene,
  intrusion: scene,
  line_cross: scene,
  loitering: scene,
  pir: scene,
  tamper: contact,
  digital_input: contact,
  sound: { picture: true, expires: true },
  relay: fault,
  image_quality: fault,
  device_fault: fault,
  unknown: fault,
};
