import { refusePicture } from './picture.ts';
import { styleFunctions } from './svg-words.ts';

/*
 * What stands in a style sheet, a style or a presentation attribute. CSS can load (url, image-set, @import, @font-face)
 * and, in old browsers, run (expression, behavior, -moz-binding); its escapes can spell any of that. So: no escapes, no
 * at-rules, and only the functions of the list. CSS Syntax Level 3, section 4.
 */

const selectors = new Set(['not', 'is', 'where', 'nth-child', 'nth-of-type']);
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
  for (const found of text.matchAll(/([\p{L}\p{N}_-]+)\(/gu)) {
    const name = (found[1] ?? '').toLowerCase();
    if (name === 'url' ? pointer.test(text.slice(found.index, found.index + 300)) : styleFunctions.has(name)) continue;
    if (kind === 'sheet' && selectors.has(name) && text[found.index - 1] === ':') continue;
    throw refusePicture(`${where} may not use ${name}(...)${name === 'url' ? ' except as url(#name)' : ''}`);
  }
}

/** Names that a value points at by url(#name). */
export function pointersIn(text: string): string[] {
  return [...text.matchAll(/url\(\s*["']?#([^"')\s]+)/gi)].map(([, name = '']) => name);
}
