import { type Sign, SignIcon } from './icons.tsx';
import { useLanguage, useWords } from './language.tsx';
import { stateWords } from './state-words.ts';
import type { Language } from './words.ts';

/* Icon, word and colour together: colour is never the only sign. */

export type Quality = 'good' | 'uncertain' | 'bad';
export type AlarmClass = 'critical' | 'high' | 'medium' | 'low';
export type Tone = 'good' | 'wait' | 'bad' | 'plain';

type Known = keyof typeof stateWords.zh;

function word(language: Language, key: string, otherwise: string): string {
  const words = stateWords[language];
  return key in words ? words[key as Known] : otherwise;
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

const qualitySigns: Readonly<Record<Quality, Sign>> = { good: 'dot', uncertain: 'doubt', bad: 'cross' };

/** May this value be used? Says nothing about a good one unless `showGood`. */
export function QualityBadge({
  quality,
  reason,
  showGood = false,
}: {
  readonly quality: Quality;
  readonly reason?: string | null | undefined;
  readonly showGood?: boolean;
}) {
  const language = useLanguage();
  if (quality === 'good' && !showGood) return null;
  const words = stateWords[language];
  const said = quality === 'good' ? words.good : qualityText(quality, reason, language);
  return (
    <span className={`kit-badge kit-quality-${quality}`} title={words[quality]} data-quality={quality}>
      <SignIcon sign={qualitySigns[quality]} size={12} />
      {said}
    </span>
  );
}

const classSigns: Readonly<Record<AlarmClass, Sign>> = {
  critical: 'octagon',
  high: 'triangle',
  medium: 'hollow',
  low: 'square',
};

export function AlarmClassBadge({ alarmClass }: { readonly alarmClass: AlarmClass }) {
  const words = useWords(stateWords);
  return (
    <span className={`kit-badge kit-class-${alarmClass}`}>
      <SignIcon sign={classSigns[alarmClass]} />
      {words[`class:${alarmClass}`]}
    </span>
  );
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
const toneSigns: Readonly<Record<Tone, Sign>> = { good: 'dot', wait: 'half', bad: 'cross', plain: 'square' };

export function toneOfState(state: string): Tone {
  return tones[state] ?? 'bad';
}

/** State of a process or device: `运行中`, `离线`. */
export function StateBadge({ state }: { readonly state: string }) {
  const language = useLanguage();
  return <ToneBadge tone={toneOfState(state)}>{stateText(state, language)}</ToneBadge>;
}

/** Any short fact with one of four tones. */
export function ToneBadge({
  tone,
  children,
  title,
}: {
  readonly tone: Tone;
  readonly children: string;
  readonly title?: string;
}) {
  return (
    <span className={`kit-badge kit-tone-${tone}`} title={title}>
      <SignIcon sign={toneSigns[tone]} size={12} />
      {children}
    </span>
  );
}
