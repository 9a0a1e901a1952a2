import { stateWords } from './state-words.ts';
import type { Language } from './words.ts';

/* What qualities, reasons and states are called, without drawing them. */

export type Quality = 'good' | 'uncertain' | 'bad';
export type AlarmClass = 'critical' | 'high' | 'medium' | 'low';
export type Tone = 'good' | 'wait' | 'bad' | 'plain';

type Known = keyof typeof stateWords.zh;

function word(language: Language, key: string, otherwise: string): string {
  const words = stateWords[language];
  return Object.hasOwn(words, key) ? words[key as Known] : otherwise;
}

/** `最后可用值`; of a reason that is not known here its own word. */
export function reasonText(reason: string, language: Language): string {
  return word(language, `reason:${reason}`, reason);
}

/** What is wrong with a value in a few words; '' when it is good. */
export function qualityText(quality: Quality, reason: string | null | undefined, language: Language): string {
  if (quality === 'good') return '';
  return reason === null || reason === undefined ? stateWords[language][quality] : reasonText(reason, language);
}

export function stateText(state: string, language: Language): string {
  return word(language, `state:${state}`, state);
}

export function alarmStateText(state: string, language: Language): string {
  return word(language, `alarm:${state}`, state);
}

const tones: Readonly<Record<string, Tone>> = {
  ready: 'good',
  online: 'good',
  starting: 'wait',
  stopping: 'wait',
  'backing-off': 'wait',
  degraded: 'wait',
  held: 'wait',
};

/** Of a process or device; what is not known here is bad. */
export function toneOfState(state: string): Tone {
  return tones[state] ?? 'bad';
}
