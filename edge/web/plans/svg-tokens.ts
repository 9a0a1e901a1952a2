import { refusePicture } from './picture.ts';

/*
 * Cuts an SVG into tags and text, strictly: whatever is not plainly one of them ends it. Two readers of the same file may
 * never see two things, so what parsers are known to disagree on (DOCTYPE, entities, processing instructions, encodings)
 * is refused instead of handled. XML 1.0 (Fifth Edition), sections 2.1 to 3.1.
 */

export interface Tag {
  readonly kind: 'open';
  readonly line: number;
  readonly name: string;
  /** As written, between the name and the end of the tag. */
  readonly attributes: string;
  readonly isEmpty: boolean;
}

export type Token =
  | Tag
  | { readonly kind: 'close'; readonly line: number; readonly name: string }
  | { readonly kind: 'text'; readonly line: number; readonly text: string };

const tagName = '[A-Za-z][A-Za-z0-9]*(?:[:-][A-Za-z][\\w.-]*)?';
const mostAttributes = 200;
const declaration =
  /^\uFEFF?<\?xml\s+version=(["'])1\.[01]\1(?:\s+encoding=(["'])utf-8\2)?(?:\s+standalone=(["'])(?:yes|no)\3)?\s*\?>/i;
const closing = new RegExp(`</(${tagName})\\s*>`, 'y');
const opening = new RegExp(`<(${tagName})((?:\\s+[^\\s=<>"'/]+\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*)\\s*(/?)>`, 'y');
const plain = /[^<]+/y;

export function* tokens(source: string): Generator<Token> {
  let at = declaration.exec(source)?.[0].length ?? (source.startsWith('\uFEFF') ? 1 : 0);
  let line = 1 + linesIn(source.slice(0, at));
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  let isStyle = false;
  while (at < source.length) {
    const special: string | null = commentAt(source, at, line) ?? (isStyle ? cdataAt(source, at) : null);
    const found: RegExpExecArray | null = special === null ? (match(plain) ?? match(closing) ?? match(opening)) : null;
    const text = special ?? found?.[0];
    if (text === undefined) throw refusePicture(`line ${line}: ${describe(source.slice(at, at + 30))}`);
    if (text.startsWith('<![')) yield { kind: 'text', line, text: text.slice(9, -3).replaceAll('&', '&amp;') };
    else if (!text.startsWith('<')) yield { kind: 'text', line, text };
    else if (text.startsWith('</')) yield { kind: 'close', line, name: found?.[1] ?? '' };
    else if (found !== null) {
      const tag: Tag = {
        kind: 'open',
        line,
        name: found[1] ?? '',
        attributes: found[2] ?? '',
        isEmpty: found[3] === '/',
      };
      isStyle = tag.name === 'style' && !tag.isEmpty;
      yield tag;
    }
    if (text.startsWith('</')) isStyle = false;
    at += text.length;
    line += linesIn(text);
  }
}

/** `--` within a comment is no XML; old readers end the comment there. */
function commentAt(source: string, at: number, line: number): string | null {
  if (!source.startsWith('<!--', at)) return null;
  const end = source.indexOf('--', at + 4);
  if (end < 0 || source[end + 2] !== '>')
    throw refusePicture(`line ${line}: a comment with -- in it, or without an end`);
  return source.slice(at, end + 3);
}

function cdataAt(source: string, at: number): string | null {
  const end = source.startsWith('<![CDATA[', at) ? source.indexOf(']]>', at) : -1;
  return end < 0 ? null : source.slice(at, end + 3);
}

function linesIn(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

function describe(start: string): string {
  if (/^<!doctype/i.test(start)) return 'a DOCTYPE is not allowed: delete that line';
  if (/^<!entity/i.test(start)) return 'an ENTITY is not allowed';
  if (start.startsWith('<?')) return 'a processing instruction is not allowed';
  if (start.startsWith('<![CDATA[')) return 'CDATA is only allowed in <style>';
  return `this is not understood: ${JSON.stringify(start)}`;
}

/** By name, decoded. A name that comes twice is refused: readers would differ. */
export function readAttributes(tag: Tag): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, key = '', , double, single] of tag.attributes.matchAll(
    /\s([^\s=<>"'/]+)\s*=\s*("([^"<]*)"|'([^'<]*)')/g,
  )) {
    if (found.size === mostAttributes) throw refusePicture(`line ${tag.line}: <${tag.name}> has too many attributes`);
    if (found.has(key)) throw refusePicture(`line ${tag.line}: <${tag.name} ${key}> is there twice`);
    found.set(key, decodeText(double ?? single ?? '', tag.line));
  }
  return found;
}

const predefined: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Character references become what they stand for, before anything is judged. */
export function decodeText(text: string, line: number): string {
  return text.replaceAll(/&([^;\s&]{0,12});?/g, (whole, inner: string) => {
    const known = Object.hasOwn(predefined, inner) ? predefined[inner] : undefined;
    if (whole.endsWith(';') && known !== undefined) return known;
    const [, hex, decimal] = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(inner) ?? [];
    const code = hex === undefined ? Number(decimal ?? Number.NaN) : Number.parseInt(hex, 16);
    const isText = code === 9 || code === 10 || code === 13 || (code >= 0x20 && code <= 0x10_ff_ff);
    if (whole.endsWith(';') && isText && !(code >= 0xd8_00 && code <= 0xdf_ff)) return String.fromCodePoint(code);
    throw refusePicture(`line ${line}: ${JSON.stringify(whole)} stands for nothing here`);
  });
}
