import type { Anchor } from '#edge/domain/school.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { secondText, slotKindText, spanText } from '../school-day/reason-words.ts';
import { words } from './words.ts';

/** `08:30`, or `上课开始前 2 分钟`. */
export function useAnchorText(): (anchor: Anchor) => string {
  const say = useWords(words);
  const language = useLanguage();
  return (anchor) => {
    if ('at' in anchor) return secondText(anchor.at);
    const { slot, edge, offset } = anchor;
    const length = spanText(Math.abs(offset), language);
    const away = offset === 0 ? '' : offset < 0 ? say.before(length) : say.after(length);
    return say.anchorText(
      typeof slot === 'string' ? slot : slotKindText(slot.kind, language),
      say[`edge:${edge}`],
      away,
    );
  };
}
