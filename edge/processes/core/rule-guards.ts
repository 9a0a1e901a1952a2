import type { Rule } from '#edge/domain/rule.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import { describeMistake } from '#edge/runtime/rule-mistakes.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';
import { longestRule } from '#edge/store/documents.ts';
import type { KnownVersion, RuleEntry, RuleStored } from './rule-entry.ts';

/* What must be so before a rule is changed: each answers with what it is about, or throws why not. */

/** Whose act it is, and from which address. */
export interface Actor {
  readonly who: string;
  readonly from: string;
}

/** A proposal as somebody has seen it. */
export interface SeenProposal {
  readonly version: number | null;
  readonly digest: string | null;
}

export interface RuleTestOutcome {
  readonly name: Rule['name'];
  readonly passed: boolean;
  readonly detail: string;
}

/** Paths of the API that are no rules. */
const reserved = ['templates', 'check', 'from-template'];

/** Throws RULE_INVALID with a line per mistake. */
export function requireBody(id: string, given: unknown): { readonly body: RuleBody; readonly rule: Rule } {
  const parsed = parseRule(given);
  if (!parsed.ok) throw invalid(parsed.mistakes.map(describeMistake));
  const { rule } = parsed;
  const body = given as RuleBody;
  if (rule.id !== id) throw invalid([`id: is "${rule.id}", and the rule is "${id}"`]);
  if (reserved.includes(id)) throw invalid([`id: "${id}" is taken by the program`]);
  if (JSON.stringify(body).length > longestRule) throw invalid([`(file): is longer than ${longestRule} characters`]);
  return { body, rule };
}

function invalid(mistakes: readonly string[]): CodedError {
  return new CodedError('RULE_INVALID', mistakes.join('\n'));
}

export function changedMeanwhile(id: string, how: string): CodedError {
  return new CodedError('RULE_CHANGED', `"${id}" was changed meanwhile: ${how}`);
}

/** A token belongs to a program, and nobody knows who stands behind it. Throws RULE_NEEDS_PERSON. */
export function requirePerson({ who }: Actor, what: string): string {
  if (who.startsWith('person:')) return who;
  throw new CodedError('RULE_NEEDS_PERSON', `a safety rule is for people to ${what}: sign in as yourself`);
}

/** Throws RULE_NOT_PROPOSED, and RULE_CHANGED when it is another than what was seen. */
export function requireProposal({ id, state }: RuleEntry, seen: SeenProposal): NonNullable<RuleStored['proposal']> {
  const { proposal } = state;
  if (proposal === null) throw new CodedError('RULE_NOT_PROPOSED', `nothing is proposed for "${id}"`);
  if (proposal.version !== seen.version || proposal.digest !== seen.digest) {
    const what = proposal.version === null ? 'that it is turned off' : `v${proposal.version}`;
    throw changedMeanwhile(id, `${what} is proposed by now`);
  }
  return proposal;
}

/** Throws RULE_TESTS_FAILED, naming the first. */
export function requirePassed({ rule, version }: KnownVersion, played: readonly RuleTestOutcome[]): void {
  const failed = played.filter(({ passed }) => !passed);
  const [first] = failed;
  if (first === undefined) return;
  const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : '';
  throw new CodedError(
    'RULE_TESTS_FAILED',
    `v${version} of "${rule.id}" fails its own test "${first.name.en}": ${first.detail}${more}`,
  );
}
