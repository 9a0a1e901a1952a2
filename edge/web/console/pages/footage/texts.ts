import { domainText } from '../../domain-words.ts';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import type { Mark } from './marks.ts';
import { words } from './words.ts';

/** Most kinds that one mark names. */
const mostNamed = 3;

/** What marks, stretches and errors are called. */
export function useFootageTexts() {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const typeText = (type: string) => {
    if (type === 'emergency') return say.emergency;
    if (type === 'climbing') return say.climbing;
    return domainText('event', type, language);
  };
  return {
    markText: ({ types }: Pick<Mark, 'types'>) => types.slice(0, mostNamed).map(typeText).join(' · '),
    lengthText: (ms: number) => {
      const seconds = Math.max(0, Math.round(ms / 1000));
      const pad = (value: number) => String(value).padStart(2, '0');
      if (seconds < 60) return say.seconds(String(seconds));
      if (seconds < 3_600) return say.minutes(String(Math.floor(seconds / 60)), pad(seconds % 60));
      return say.hours(String(Math.floor(seconds / 3_600)), pad(Math.floor(seconds / 60) % 60));
    },
    tickText: (time: number, step: number) => {
      if (time === formats.startOfDay(time)) return formats.shortDate(time);
      return step < 60_000 ? formats.clock(time) : formats.shortTime(time);
    },
  };
}
