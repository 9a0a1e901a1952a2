import { domainText } from '../../domain-words.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { useOwnerText } from '../../names.ts';
import { words } from './words.ts';

/** Who did something, as the audit writes it (`person:li`, `token:duty`, `process:core`, `interlock:fire`), in words. */
export function useWhoText(): (who: string) => string {
  const say = useWords(words);
  const language = useLanguage();
  const ownerText = useOwnerText();
  return (who) => {
    const cut = who.indexOf(':');
    const [kind, id] = [who.slice(0, cut), who.slice(cut + 1)];
    if (who === 'nobody') return say.whoNobody;
    if (who === 'token:local') return say.whoBox;
    if (kind === 'person') return id;
    if (kind === 'token') return say.whoToken(id);
    if (who === 'client:flows') return domainText('process', id, language);
    if (kind === 'client') return say.whoClient(id);
    if (kind === 'process') return domainText('process', id, language);
    return cut < 0 ? who : ownerText(who);
  };
}
