import { SignIcon } from '../../kit/icons.tsx';
import { useLanguage } from '../../kit/language.tsx';
import { mistakeSentence } from './mistake-text.ts';

/** Those that lie at or below one of the paths; `isExact`: at it alone. */
export function mistakesAt(mistakes: readonly string[], paths: readonly string[], isExact = false): readonly string[] {
  return mistakes.filter((mistake) => {
    const path = mistake.slice(0, mistake.indexOf(': '));
    return paths.some(
      (one) => path === one || (!isExact && (path.startsWith(`${one}.`) || path.startsWith(`${one}[`))),
    );
  });
}

/** What the server says is wrong, where it is wrong. */
export function Mistakes({
  of,
  mistakes,
  isExact = false,
}: {
  readonly of: readonly string[];
  readonly mistakes: readonly string[];
  readonly isExact?: boolean;
}) {
  const language = useLanguage();
  const found = mistakesAt(mistakes, of, isExact);
  if (found.length === 0) return null;
  return (
    <ul className="rules-mistakes" role="alert">
      {found.map((mistake) => (
        <li key={mistake} title={mistake}>
          <SignIcon sign="cross" size={12} /> {mistakeSentence(mistake, language)}
        </li>
      ))}
    </ul>
  );
}
