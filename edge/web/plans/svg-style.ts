import { refusePicture } from './picture.ts';
import { styleFunctions } from './svg-words.ts';

/*
 * What stands in a style sheet, a style or a presentation attribute. CSS can load (url, image-set, @import, @font-face)
 * and, in old browsers, run (expression, behavior, -moz-binding); its escapes can spell any of that. So: no escapes, no
 * at-rules, and only the functions of the list. CSS Syntax Level 3, section 4.
 */

const selectors = new Set(['not', 'is', 'where', 'nth-child', 'nth-of-type']);
const longestName = 64;
const pointer = /^url\(\s*(["']?)#([\p{L}_][\p{L}\p{N}_.:-]{0,200})\1\s*\)/iu;

/**
 * Throws BAD_PICTURE that begins with `where`. Judges what is written, comments too: where a comment ends depends on who
 * reads, and what it hides from one reader another one runs.
 */
export function checkStyle(text: string, where: string, kind: 'sheet' | 'style' | 'value'): void {
  if (text.includes('\\')) throw refusePicture(`${where} has an escape (\\)`);
  if (kind === 'value' && /^\s*(javascript|data|vbscript|https?|ftp|file|blob)\s*:|^\s*\/\//i.test(text)) {
    throw refusePicture(`${where} holds an address`);
  }
  if (kind !== 'value') {
    if (text.includes('@')) throw refusePicture(`${where} has a rule that begins with @`);
    if (text.includes('<')) throw refusePicture(`${where} has a "<"`);
    if (/(behavior|-moz-binding)\s*:/i.test(text)) throw refusePicture(`${where} may not bind anything`);
  }
  for (let at = text.indexOf('('); at >= 0; at = text.indexOf('(', at + 1)) {
    const name = nameBefore(text, at);
    if (name === '') continue;
    const begin = at - name.length;
    const lower = name.toLowerCase();
    if (lower === 'url' ? pointer.test(text.slice(begin, begin + 300)) : styleFunctions.has(lower)) continue;
    if (kind === 'sheet' && selectors.has(lower) && text[begin - 1] === ':') continue;
    throw refusePicture(`${where} may not use ${lower}(...)${lower === 'url' ? ' except as url(#name)' : ''}`);
  }
}

/** What is called at a bracket, its last 64 characters at most: a search for names would be quadratic in a long one. */
function nameBefore(text: string, at: number): string {
  if (!/[\p{L}\p{N}_-]/u.test(text.slice(Math.max(0, at - 2), at))) return '';
  return /[\p{L}\p{N}_-]*$/u.exec(text.slice(Math.max(0, at - longestName), at))?.[0] ?? '';
}

/** Names that a value points at by url(#name). */
export function pointersIn(text: string): string[] {
  return [...text.matchAll(/url\(\s*["']?#([^"')\s]+)/gi)].map(([, name = '']) => name);
}
