import { ApiError } from '../../api.ts';
import { useWords } from '../../kit/language.tsx';
import { words } from './words.ts';

/** Errors of footage in people's words; null for those that every page knows. */
export function useProblemText(): (error: unknown) => string | null {
  const say = useWords(words);
  return (error) => {
    if (!(error instanceof ApiError)) return null;
    const key = `problem:${error.code}`;
    if (!Object.hasOwn(say, key)) return null;
    const text = say[key as keyof typeof say];
    return typeof text === 'string' ? text : null;
  };
}
