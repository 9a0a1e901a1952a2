import { z } from 'zod';
import { codeOf } from '#edge/runtime/errors.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import type { FiredRule } from '#edge/store/reader.ts';
import { conditionViewSchema, ruleInstanceSchema, type ruleSummarySchema } from './rule-schemas.ts';
import type { RuleShelf, StoredRule } from './rule-shelf.ts';
import type { Scope } from './scope.ts';

export type RuleSummary = z.infer<typeof ruleSummarySchema>;

/** What core says of rules that run. */
const liveSchema = z.object({
  rules: z.array(
    z.object({
      id: z.string(),
      instances: z.int(),
      fired: z.int(),
      blind: z.int(),
      problems: z.array(z.string()),
    }),
  ),
  broken: z.array(z.object({ file: z.string(), message: z.string() })),
});
export type LiveRules = z.infer<typeof liveSchema>;
export const ruleNowSchema = z.object({ instances: z.array(ruleInstanceSchema), problems: z.array(z.string()) });
/** What core says of one instance. */
export const whyNowSchema = z.object({
  instance: ruleInstanceSchema,
  when: conditionViewSchema,
  while: z.array(conditionViewSchema),
  holds: z.array(z.object({ ref: z.string(), value: z.union([z.number(), z.boolean(), z.string()]) })),
});
type WhyNow = z.infer<typeof whyNowSchema>;
type ConditionNow = WhyNow['when'];

/** Core is away: rules are shown all the same, and that what they do now is not known. */
export const unknownNow = 'core does not answer: what the rule does now is not known';

export async function liveRules(rpc: RpcClient): Promise<LiveRules | null> {
  return liveSchema.nullable().parse(await orAway(rpc.call('rule.list', {})));
}

/** null while core is away. */
export async function orAway(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (codeOf(error) === 'RPC_AWAY' || codeOf(error) === 'TIMEOUT') return null;
    throw error;
  }
}

export interface SummaryParts {
  readonly live: LiveRules | null;
  readonly fired: ReadonlyMap<string, FiredRule>;
  readonly scope: Scope;
}

export function summaryOf(stored: StoredRule, shelf: RuleShelf, { live, fired, scope }: SummaryParts): RuleSummary {
  const { id, body } = stored;
  const rule = shelf.shown(stored);
  const now = live?.rules.find((one) => one.id === id);
  const problems = live === null && body.active !== null ? [unknownNow] : (now?.problems ?? []);
  return {
    id,
    name: rule?.name ?? { zh: id, en: id },
    about: rule?.about ?? null,
    kind: rule?.kind ?? body.kind,
    priority: rule?.priority ?? 12,
    state: stateOf(body),
    active: body.active,
    shadow: body.shadow,
    latest: body.latest,
    hasDraft: body.latest !== body.active && body.latest !== body.shadow,
    proposal: body.proposal,
    instances: now?.instances ?? 0,
    fired: now?.fired ?? 0,
    blind: now?.blind ?? 0,
    lastFired: fired.get(id)?.last ?? null,
    firedToday: fired.get(id)?.since ?? 0,
    problems: problems.map(scope.words),
  };
}

function stateOf({ active, shadow, ran }: StoredRule['body']): RuleSummary['state'] {
  if (active !== null) return 'active';
  if (shadow !== null) return 'shadow';
  return ran ? 'off' : 'draft';
}

/** What an instance sees, without the points that somebody may not see. */
export function whyWithin(now: WhyNow, scope: Scope): WhyNow {
  if (scope.isWhole) return now;
  const within = (condition: ConditionNow): ConditionNow => ({
    ...condition,
    points: condition.points.filter(({ ref }) => scope.seesRef(ref)),
    parts: condition.parts.map(within),
  });
  return {
    ...now,
    when: within(now.when),
    while: now.while.map(within),
    holds: now.holds.filter(({ ref }) => scope.seesRef(ref)),
  };
}
