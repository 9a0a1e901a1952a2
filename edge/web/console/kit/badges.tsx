import { type Sign, SignIcon } from './icons.tsx';
import { useLanguage, useWords } from './language.tsx';
import {
  type AlarmClass,
  alarmStateText,
  type Quality,
  qualityText,
  reasonText,
  stateText,
  type Tone,
  toneOfState,
} from './state-text.ts';
import { stateWords } from './state-words.ts';

/* Icon, word and colour together: colour is never the only sign. */

export type { AlarmClass, Quality, Tone };
export { alarmStateText, qualityText, reasonText, stateText, toneOfState };

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

const toneSigns: Readonly<Record<Tone, Sign>> = { good: 'dot', wait: 'half', bad: 'cross', plain: 'square' };

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
