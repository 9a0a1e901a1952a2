import type { Rule } from '#edge/domain/rule.ts';
import { type CampusIndex, createCampusIndex, type Place } from './campus-index.ts';
import { checkActions, makesSound } from './check-actions.ts';
import { checkConditions, checkSelection, tripsOnBad } from './check-conditions.ts';
import { compileRule, isTooLarge, tooLarge, watchedBy } from './compile-rule.ts';
import type { RuleCampus } from './engine.ts';

/** What a rule may name besides points and places. */
export interface RuleSurroundings {
  readonly clips: readonly string[];
  readonly modes: readonly string[];
  /** Recipients, groups and channels. */
  readonly recipients: readonly string[];
  readonly cameras: readonly string[];
  /** Every other rule that is to run; this one may be among them. */
  readonly rules: readonly Rule[];
  /** Of the calendar; absent: `open` and `closed`. */
  readonly labels?: readonly string[];
}

/** What the checks of one rule share. */
export interface Check {
  readonly rule: Rule;
  readonly index: CampusIndex;
  readonly around: RuleSurroundings;
  /** One per instance; `[null]` without `each`. */
  readonly places: readonly (Place | null)[];
}

/**
 * What is wrong with a rule on this campus, one sentence each, beginning with the path in the rule. The schema of rule files has already
 * seen everything that needs no campus. A rule with problems still runs: a point that does not exist counts as never read, so the
 * rule says that it is blind.
 */
export function problemsOf(rule: Rule, campus: RuleCampus, around: RuleSurroundings): string[] {
  const index = createCampusIndex(campus);
  // What is so large is not looked at any further: that would take as long as running it.
  if (compileRule({ rule, version: 0 }, index).some(isTooLarge)) return [`when: the rule ${tooLarge}`];
  const places = rule.each === null ? [null] : index.placesOf(rule.each);
  const check: Check = { rule, index, around, places };
  return [
    ...checkHead(check),
    ...checkConditions(rule.when, 'when', check),
    ...rule.while.flatMap((condition, i) => checkConditions(condition, `while[${i}]`, check)),
    ...checkActions(check),
    ...checkWatching(check),
    ...checkSound(check),
  ];
}

function checkHead(check: Check): string[] {
  const { rule, places } = check;
  const isSafety = rule.kind === 'safety';
  const wrong: string[] = [];
  if (rule.each !== null) {
    wrong.push(...checkSelection(rule.each.of, 'each.of', check, [null]));
    if (places.length === 0)
      wrong.push(`each: "${rule.each.of.of}" finds no ${rule.each.place}, so the rule runs nowhere`);
  }
  if (isSafety && rule.priority === 12) wrong.push('priority: 12 is for automation; a safety rule has 1 or 5');
  if (!isSafety && rule.priority !== 12) wrong.push(`priority: ${rule.priority} is for safety rules; this one has 12`);
  if (isSafety && rule.coolDown > 0) wrong.push('coolDown: a safety rule never waits before it fires again');
  return wrong;
}

/** The alarms it waits for: of rules that are there, that raise one, and that do not wait for this one. */
function checkWatching({ rule, around }: Check): string[] {
  const known = new Map(around.rules.map((other) => [other.id, other]));
  known.set(rule.id, rule);
  const wrong = watchedBy(rule).flatMap((id) => {
    const other = known.get(id);
    if (other === undefined) return [`when: waits for the alarm of an unknown rule "${id}"`];
    const isQuiet = !other.then.some(({ kind }) => kind === 'alarm');
    return isQuiet ? [`when: waits for the alarm of rule "${id}", which raises none`] : [];
  });
  return isReached(rule, known) ? [...wrong, 'when: the rule waits for its own alarm in a circle'] : wrong;
}

function isReached(start: Rule, known: ReadonlyMap<string, Rule>): boolean {
  const seen = new Set<string>();
  const queue = [...watchedBy(start)];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (id === start.id) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    const next = known.get(id);
    if (next !== undefined) queue.push(...watchedBy(next));
  }
  return false;
}

/** A broken wire must not send a school to the assembly point. */
function checkSound({ rule, index, places, around }: Check): string[] {
  if (!makesSound(rule, index, places)) return [];
  const own = tripsOnBad(rule.when, 'when').map((path) => `${path}.onBad: "trip" is not allowed where sound is made`);
  const watched = watchedBy(rule).flatMap((id) => {
    const other = around.rules.find((one) => one.id === id);
    if (other === undefined || other.id === rule.id || tripsOnBad(other.when, 'when').length === 0) return [];
    return [`when: rule "${id}" trips on bad values, which is not allowed where sound is made`];
  });
  return [...own, ...watched];
}
