import type { Language } from '../../kit/words.ts';
import { words } from './words.ts';

/* What the flows process says of itself, in words of people. Pure. */

/** Why no flow runs: `safe-mode`, `missing-types: ["a","b"]`, or a sentence of Node-RED. */
export function problemWords(problem: string, language: Language): string {
  const say = words[language];
  if (problem === 'safe-mode') return say.safeMode;
  const missing = /^missing-types: (.*)$/.exec(problem)?.[1];
  return missing === undefined ? problem : say.missingTypes(missing.replace(/[[\]"]/g, '').replaceAll(',', ', '));
}

/** Why a tab is over its budget (flows-host/budget.ts says it in English). */
export function budgetWhy(why: string, language: Language): string {
  const say = words[language];
  const halted = /; stopped for (\d+) min.*$/.exec(why);
  const said = halted === null ? why : why.slice(0, halted.index);
  const parts = [causeOf(said, say), halted?.[1] === undefined ? '' : say['why:halted'](halted[1])];
  return parts.filter((part) => part !== '').join(language === 'zh' ? '；' : '; ');
}

function causeOf(said: string, say: (typeof words)['zh']): string {
  const [, share, free] = /^takes (\S+) of a core \((\S+) are free\)$/.exec(said) ?? [];
  if (share !== undefined && free !== undefined) return say['why:cpu'](share, free);
  const [, rate, most] = /^moves (\d+) messages a second \((\d+) are free\)$/.exec(said) ?? [];
  if (rate !== undefined && most !== undefined) return say['why:messages'](rate, most);
  const [, count, seconds] = /^asks without end: (\d+) requests refused within (\d+) s$/.exec(said) ?? [];
  return count !== undefined && seconds !== undefined ? say['why:refused'](count, seconds) : said;
}

export interface Changes {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly moved: number;
}

/** `新增 2 · 修改 1` */
export function changesText({ added, removed, changed, moved }: Changes, language: Language): string {
  const say = words[language];
  const parts = [
    added > 0 ? say.added(added) : '',
    removed > 0 ? say.removedCount(removed) : '',
    changed > 0 ? say.changed(changed) : '',
    moved > 0 ? say.moved(moved) : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? say.noChanges : parts.join(' · ');
}

/** Who deployed it: a person's id, `token:<id>`, or `file`. */
export function authorText(by: string, language: Language): string {
  const say = words[language];
  if (by === 'file') return say.byFile;
  return by.startsWith('token:') ? say.byToken(by.slice('token:'.length)) : by;
}
