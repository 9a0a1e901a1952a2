import { parseOrder } from '#edge/domain/broadcast.ts';
import { friendlyUnit, numberText } from './units.ts';
import { valueWords } from './value-words.ts';
import type { Language } from './words.ts';

/* How values are put into words. */

type BooleanWord = keyof typeof valueWords.zh;

/** What true and false mean for points whose name says it. */
const meanings: readonly (readonly [RegExp, BooleanWord, BooleanWord])[] = [
  [/^(smoke|water_leak|alarm|gas|carbon_monoxide|fault|tamper|intrusion)$/, 'tripped', 'normal'],
  [/^contact$/, 'closed', 'opened'],
  [/^(occupancy|presence)$/, 'someone', 'noone'],
  [/^(motion|person|vehicle)$/, 'detected', 'nothing'],
  [/^online$/, 'reachable', 'unreachable'],
  [/^battery_low$/, 'lowBattery', 'normal'],
  [/^(relay|switch|state|light)/, 'on', 'off'],
];

/** Clips and points that profiles do not name: what is discovered at run time has only its id. */
const named: Readonly<Record<string, BooleanWord>> = {
  co2: 'co2',
  temperature: 'temperature',
  humidity: 'humidity',
  pm2_5: 'pm2_5',
  pm10: 'pm10',
  illuminance: 'illuminance',
  battery: 'battery',
  voltage: 'voltage',
  power: 'power',
  energy: 'energy',
};
const clips: Readonly<Record<string, BooleanWord>> = {
  evacuation: 'clipEvacuation',
  bell: 'clipBell',
  lockdown: 'clipLockdown',
  exercise: 'clipExercise',
  eyes: 'clipEyes',
  drill: 'clipDrill',
  'all-clear': 'clipAllClear',
  earthquake: 'clipEarthquake',
  storm: 'clipStorm',
  attention: 'clipAttention',
};

export type Value = number | boolean | string;

function say(language: Language, word: BooleanWord): string {
  return valueWords[language][word];
}

/** An order to a loudspeaker is read as what is heard. */
function orderWords(value: string, language: Language): string {
  const order = parseOrder(value);
  if (order === null) return value;
  if (order.source.kind === 'live') return say(language, 'liveVoice');
  const names = order.source.clips.map((name) => {
    const word = clips[name];
    return word === undefined ? name : say(language, word);
  });
  return names.join(' + ');
}

export function booleanText(value: boolean, point: string, language: Language): string {
  const [, yes, no] = meanings.find(([pattern]) => pattern.test(point)) ?? [null, 'yes' as const, 'no' as const];
  return say(language, value ? yes : no);
}

/** A true that means trouble. */
export function isTripped(value: Value | null, point: string): boolean {
  return value === true && meanings.some(([pattern, yes]) => yes === 'tripped' && pattern.test(point));
}

/** A value with its unit; `point` is the point's name, which tells what true means. `—` where there is none. */
export function valueText(value: Value | null | undefined, unit: string, point: string, language: Language): string {
  if (value === null || value === undefined) return '—';
  if (typeof value === 'boolean') return booleanText(value, point, language);
  if (typeof value === 'string') {
    if (value === '') return point === 'clip' ? say(language, 'silence') : '—';
    return point === 'clip' ? orderWords(value, language) : value;
  }
  return `${numberText(value, unit)} ${friendlyUnit(unit, language)}`.trim();
}

/** The label of a point; what was discovered is labelled by its id, which we may know a word for. */
export function pointLabel(
  point: string,
  label: { readonly zh: string; readonly en: string },
  language: Language,
): string {
  const known = named[point];
  return label.zh === point && known !== undefined ? say(language, known) : label[language] || label.zh;
}
