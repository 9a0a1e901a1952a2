import { Document, isCollection, isMap, isScalar, isSeq } from 'yaml';
import type { Rule } from '#edge/domain/rule.ts';
import { type RuleBody, ruleHash } from './rule-body.ts';
import type { RuleMistake } from './rule-mistakes.ts';
import { parseRule } from './rule-parse.ts';
import { readRuleYaml } from './rule-yaml.ts';

/* One rule as a YAML file: read with the line of each mistake, and written so that a person likes to read it. */

export type ReadRule =
  | { readonly ok: true; readonly body: RuleBody; readonly rule: Rule }
  | { readonly ok: false; readonly mistakes: readonly RuleMistake[] };

/** Never throws, whatever the text is. Mistakes say line and column, from 1. */
export function readRuleFile(text: string): ReadRule {
  const read = readRuleYaml(text);
  if (!read.ok) return read;
  const parsed = parseRule(read.body);
  if (!parsed.ok) return { ok: false, mistakes: parsed.mistakes.map(read.locate) };
  return { ok: true, body: read.body as RuleBody, rule: parsed.rule };
}

/** In the order of a sentence; other keys come behind these, as they are. */
const outer =
  'rule template id name about kind priority parameters campus each when while then latch clearAfter coolDown tests'.split(
    ' ',
  );
const inner = [
  'at id kind name zh en place rule points type event device of needs test becomes change is isNot above below hysteresis',
  'rises falls outputs order value every clip zones spaces tags here class message next camera to mode atLeast within',
  'from days for onBad conditions start given expect set bad acknowledge fired holds alarm notified',
]
  .join(' ')
  .split(' ');

/**
 * The same body always gives the same text, and reading the text gives the same body. Comments are no part of a body: those that a
 * person wrote into a file are gone once the console has saved the rule.
 */
export function formatRuleFile(body: RuleBody): string {
  const document = new Document(body, { aliasDuplicateObjects: false });
  layOut(document.contents, 0);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, minContentWidth: 0 });
}

/**
 * Why a body cannot be kept as a file: read again it would be another rule, or none. null: it can. What it would be is the same to
 * the last sign or it is no rule: else the next start would take the file for somebody's edit. Takes up to 200 ms.
 */
export function whyNotFile(body: RuleBody, rule: Rule): string | null {
  const read = readRuleFile(formatRuleFile(body));
  if (!read.ok) return `as a file it could not be read again: it ${read.mistakes[0]?.message ?? ''}`;
  return ruleHash(read.rule) === ruleHash(rule) ? null : 'as a file it would say something else';
}

const widest = 120;

/** What fits on a line stands on it, but for the whole and for lists of things. `used`: columns before it. */
function layOut(node: unknown, used: number): void {
  if (isMap(node)) {
    const order = used === 0 ? outer : inner;
    const rank = (key: unknown) => {
      const at = order.indexOf(String(isScalar(key) ? key.value : ''));
      return at < 0 ? order.length : at;
    };
    node.items.sort((a, b) => rank(a.key) - rank(b.key));
    for (const { key, value } of node.items) layOut(value, used + 2 + widthOf(key));
    node.flow = used > 0 && used + widthOf(node) <= widest && !holdsList(node);
  }
  if (isSeq(node)) {
    for (const item of node.items) layOut(item, used + 2);
    node.flow = used + widthOf(node) <= widest && !holdsList(node);
  }
}

/** A list of maps or lists, anywhere in it. */
function holdsList(node: unknown): boolean {
  if (isSeq(node)) return node.items.some(isCollection);
  return isMap(node) && node.items.some(({ value }) => holdsList(value));
}

/** Columns on one line, about: Chinese characters take two. */
function widthOf(node: unknown): number {
  if (isScalar(node)) {
    const text = String(node.value);
    return text.length + (/^[\w./*-]*$/.test(text) ? 0 : 2) + (text.match(/[\u2e80-\uffef]/g)?.length ?? 0);
  }
  if (isMap(node)) return node.items.reduce((sum, { key, value }) => sum + widthOf(key) + widthOf(value) + 4, 2);
  if (isSeq(node)) return node.items.reduce<number>((sum, item) => sum + widthOf(item) + 2, 2);
  return 0;
}
