import { domainText } from './domain-words.ts';
import { useLanguage } from './kit/language.tsx';

/** How strong a hold or a rule is: the word for people, and small the number of BACnet's priority array, everywhere the same. */
export function LevelText({ level }: { readonly level: number }) {
  const language = useLanguage();
  return (
    <span className="level-text" data-level={level}>
      {domainText('priority', level, language)} <small>{level}</small>
    </span>
  );
}
