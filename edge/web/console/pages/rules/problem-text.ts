import { ApiError, errorDetail, errorText } from '../../api.ts';
import type { Language } from '../../kit/words.ts';
import { words } from './words.ts';

/** What went wrong with a rule, in our words; with the server's sentence where that names what and where. */
export function ruleProblem(error: unknown, language: Language): string {
  const known = words[language];
  const key = error instanceof ApiError ? `problem:${error.code}` : '';
  if (!Object.hasOwn(known, key)) return errorText(error, language);
  const text = String(known[key as 'problem:rule-same']);
  return /invalid|failed|shadow-limit/.test(key) ? `${text} (${errorDetail(error)})` : text;
}

/** `person:lin` -> `lin`; programs and files say what they are. */
export function whoText(who: string, language: Language): string {
  const say = words[language];
  if (who === 'file') return say.byFile;
  if (who === 'token:local') return say.byOwner;
  if (who.startsWith('token:')) return say.byToken(who.slice(6));
  return who.replace(/^person:/, '');
}

/** Why a version was made, as its author wrote it; what core writes of files in the words of the page. */
export function whyText(why: string, language: Language): string {
  const say = words[language];
  if (why === 'found in the rules folder') return say.whyFound;
  return why === 'the file was changed' ? say.whyChanged : why;
}
