import { XMLValidator } from 'fast-xml-parser';
import { type Picture, refusePicture, requireSize } from './picture.ts';
import { countDrawn, type Pointers } from './svg-cost.ts';
import { checkStyle, pointersIn } from './svg-style.ts';
import { decodeText, readAttributes, type Tag, tokens } from './svg-tokens.ts';
import {
  freeText,
  inertAttribute,
  inertNamespaces,
  pointingElements,
  svgAttributes,
  svgElements,
  svgNamespace,
  textElements,
} from './svg-words.ts';

/*
 * An SVG is a program for somebody else's browser, so it is taken only when every character of it is understood here and
 * on the list of what draws. Nothing is cleaned: what was judged is what is served, byte for byte.
 */

const deepest = 40;
const mostElements = 50_000;
/** Characters of a width or a height. */
const longestSize = 50;
const inertElement = /^(inkscape|sodipodi|rdf|cc|dc|serif):[A-Za-z][\w.-]*$/;

interface Open {
  readonly name: string;
  readonly id: string | null;
}

/** Throws BAD_PICTURE naming the element and the line. */
export function checkSvg(bytes: Buffer): Picture {
  const text = readText(bytes);
  const reading: Reading = { open: [], pointers: [], size: null, count: 0, sheet: '' };
  for (const token of tokens(text)) {
    if (token.kind === 'text') takeText(reading, token.text, token.line);
    else if (token.kind === 'close') takeEnd(reading, token.name, token.line);
    else takeTag(reading, token);
  }
  const { open, size } = reading;
  if (size === null) throw refusePicture('there is no <svg> in it');
  if (open.length > 0) throw refusePicture(`<${open.at(-1)?.name}> is never closed`);
  countDrawn(reading.pointers);
  // A second reader must see the same: well-formed XML.
  const wellFormed = XMLValidator.validate(text);
  if (wellFormed !== true) throw refusePicture(`line ${wellFormed.err.line}: ${wellFormed.err.msg}`);
  return size;
}

interface Reading {
  readonly open: Open[];
  readonly pointers: Pointers;
  size: Picture | null;
  count: number;
  /** All text of a <style>, as a browser joins it: two harmless halves may make a whole. */
  sheet: string;
}

function takeText(reading: Reading, text: string, line: number): void {
  const inside = reading.open.at(-1)?.name;
  if (text.trim() === '') return;
  const decoded = decodeText(text, line);
  if (inside === 'style') reading.sheet += decoded;
  else if (inside === undefined || !(textElements.has(inside) || inertElement.test(inside))) {
    throw refusePicture(`line ${line}: text where a drawing has none`);
  }
}

function takeEnd(reading: Reading, name: string, line: number): void {
  if (reading.open.pop()?.name !== name) throw refusePicture(`line ${line}: </${name}> closes nothing`);
  if (name !== 'style') return;
  checkStyle(reading.sheet, `line ${line}: <style>`, 'sheet');
  for (const found of pointersOf(reading.sheet, [])) reading.pointers.push(found);
  reading.sheet = '';
}

function takeTag(reading: Reading, tag: Tag): void {
  const { open, pointers } = reading;
  const { name, line } = tag;
  if (open.length === 0 && reading.size !== null) throw refusePicture(`line ${line}: a second drawing begins`);
  if (++reading.count > mostElements) throw refusePicture(`line ${line}: more than ${mostElements} elements`);
  if (open.length >= deepest) throw refusePicture(`line ${line}: more than ${deepest} elements within each other`);
  const attributes = checkTag(tag, open.at(-1)?.name ?? null);
  reading.size ??= readSize(tag, attributes);
  const own: Open = { name, id: attributes.get('id') ?? null };
  const chain = [...open, own];
  pointers.push({ from: idsOf(chain), to: null });
  // One by one: half a million of them are too many arguments for a call.
  for (const [key, value] of attributes) {
    for (const found of pointersOf(value, chain, key.endsWith('href'))) pointers.push(found);
  }
  if (!tag.isEmpty) open.push(own);
}

function readText(bytes: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const strange = /[^\t\n\r\x20-\uFFFD\u{10000}-\u{10FFFF}]|\x7f/u.exec(text);
    if (strange === null) return text;
    throw refusePicture(`line ${text.slice(0, strange.index).split('\n').length}: a character that no text has`);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw refusePicture('it is not UTF-8 text: save it as UTF-8');
  }
}

const idsOf = (chain: readonly Open[]): string[] => chain.flatMap(({ id }) => (id === null ? [] : [id]));

function pointersOf(value: string, chain: readonly Open[], isHref = false): Pointers {
  const to = isHref ? [value.slice(1)] : pointersIn(value);
  const from = idsOf(chain);
  return to.map((name) => ({ from, to: name }));
}

function checkTag(tag: Tag, inside: string | null): Map<string, string> {
  const { name, line } = tag;
  if (inside === null && name !== 'svg') throw refusePicture(`line ${line}: <${name}> is not an SVG drawing`);
  const isInert = inertElement.test(name);
  if (!isInert && !svgElements.has(name)) {
    throw refusePicture(`line ${line}: <${name}> is not allowed in a plan. Save it as plain SVG, or as PNG.`);
  }
  if (inside !== null && (inside === 'style' || (inertElement.test(inside) && !isInert))) {
    throw refusePicture(`line ${line}: <${name}> within <${inside}>`);
  }
  const attributes = readAttributes(tag);
  if (inside === null && attributes.get('xmlns') !== svgNamespace) {
    throw refusePicture(`line ${line}: <svg> must say xmlns="${svgNamespace}"`);
  }
  for (const [attribute, value] of attributes) checkAttribute(tag, attribute, value, isInert);
  return attributes;
}

function checkAttribute({ name, line }: Tag, attribute: string, value: string, isInert: boolean): void {
  const where = `line ${line}: <${name} ${attribute}>`;
  if (attribute === 'xmlns') {
    if (value !== svgNamespace) throw refusePicture(`${where} may only be ${svgNamespace}`);
    return;
  }
  if (attribute.startsWith('xmlns:')) {
    const prefix = attribute.slice(6);
    const known = Object.hasOwn(inertNamespaces, prefix) ? inertNamespaces[prefix] : undefined;
    if (known?.includes(value) !== true) throw refusePicture(`${where} is not allowed`);
    return;
  }
  if (attribute === 'href' || attribute === 'xlink:href') {
    if (pointingElements.has(name) && /^#[\p{L}_][\p{L}\p{N}_.:-]{0,200}$/u.test(value)) return;
    throw refusePicture(`${where} may only point at something in the same drawing (#name)`);
  }
  if (isInert && /^(xml:lang|[a-z]+:[\w.-]+|[A-Za-z][\w.-]*)$/.test(attribute) && !/^(on|xml:base)/i.test(attribute))
    return;
  if (!svgAttributes.has(attribute) && !inertAttribute.test(attribute)) throw refusePicture(`${where} is not allowed`);
  if (!freeText.test(attribute)) checkStyle(value, where, attribute === 'style' ? 'style' : 'value');
}

/** The viewBox, or else width and height, whatever unit they have: only their ratio and order matter. */
function readSize({ line }: Tag, attributes: ReadonlyMap<string, string>): Picture {
  const box = attributes
    .get('viewBox')
    ?.trim()
    .split(/[\s,]+/)
    .map(Number);
  if (box !== undefined) {
    const [, , width = Number.NaN, height = Number.NaN] = box;
    if (box.length !== 4 || box.some(Number.isNaN)) throw refusePicture(`line ${line}: viewBox must be four numbers`);
    return { format: 'svg', ...scaled(width, height, line) };
  }
  const side = (name: string) => {
    const text = attributes.get(name) ?? '';
    // Looked at before it is searched: a number of 80,000 digits would take a minute.
    if (text.length > longestSize) return Number.NaN;
    return Number(/^\s*(\d*\.?\d+(?:[eE][+-]?\d+)?)(px|pt|pc|mm|cm|in|q)?\s*$/i.exec(text)?.[1]);
  };
  return { format: 'svg', ...scaled(side('width'), side('height'), line) };
}

/** Drawings in millimetres of a whole campus have large numbers and need no more pixels for it. */
function scaled(width: number, height: number, line: number): { width: number; height: number } {
  const longest = Math.max(width, height);
  if (!(width > 0 && height > 0 && longest <= 1e9 && longest / Math.min(width, height) <= 1_000)) {
    throw refusePicture(`line ${line}: <svg> needs a viewBox, or a width and a height, that make sense`);
  }
  const scale = longest > 10_000 ? 10_000 / longest : 1;
  return requireSize(width * scale, height * scale, 'units');
}
