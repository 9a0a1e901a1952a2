import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import { type Rule, ruleOfInstance } from '#edge/domain/rule.ts';
import type { InstanceView } from '#edge/rules/engine.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import type { Judgement } from './judgement.ts';
import type { Modes } from './modes.ts';
import { asked, checked } from './rpc-params.ts';
import type { RuleBook } from './rule-book.ts';

/* What our own processes may ask of rules and modes; each answers when its effect is on disk. */

const id = z.string().regex(slugPattern, 'must be the id of a rule');
const instance = z.string().min(1).max(130);
const version = z.int().min(1);
const why = z.string().min(1).max(300);
const digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .nullable();

const saveParams = z.strictObject({
  id,
  body: z.unknown(),
  base: z.int().min(0),
  why,
  origin: z.enum(['person', 'template', 'rollback']),
  ...asked,
});
const checkParams = z.strictObject({ body: z.unknown() });
const actParams = z.strictObject({ id, version: version.nullable(), why, ...asked });
const decideParams = z.strictObject({ id, version: version.nullable(), digest, why, ...asked });
const removeParams = z.strictObject({ id, why, ...asked });
const nowParams = z.strictObject({ id });
const whyParams = z.strictObject({ instance });
const modeParams = z.strictObject({ id, on: z.boolean(), until: z.int().min(0).nullable(), why, ...asked });

/** Instances of a rule that are told of at once; fired and blind ones first. */
const mostInstances = 2_000;

export interface RuleMethodsOptions {
  readonly book: RuleBook;
  readonly modes: Modes;
  readonly judgement: Pick<Judgement, 'instances' | 'why'>;
  /** The instances that a rule would have here. */
  readonly placesOf: (rule: Rule) => readonly string[];
}

export function createRuleMethods(options: RuleMethodsOptions): Readonly<Record<string, RpcMethod>> {
  const { book, modes, judgement } = options;
  return {
    'rule.save': checked(saveParams, ({ id, who, from, ...given }) => book.save(id, given, { who, from })),
    'rule.check': checked(checkParams, async ({ body }) => {
      const { rule, ...found } = await book.check(body);
      return { ...found, instances: rule === null ? [] : options.placesOf(rule).slice(0, mostInstances) };
    }),
    'rule.activate': checked(actParams, ({ id, version, why, who, from }) =>
      book.activate(id, version, why, { who, from }),
    ),
    'rule.approve': checked(decideParams, ({ id, version, digest, why, who, from }) =>
      book.approve(id, { version, digest }, why, { who, from }),
    ),
    'rule.reject': checked(decideParams, ({ id, version, digest, why, who, from }) =>
      book.reject(id, { version, digest }, why, { who, from }),
    ),
    'rule.shadow': checked(actParams, ({ id, version, why, who, from }) =>
      book.shadow(id, version, why, { who, from }),
    ),
    'rule.remove': checked(removeParams, ({ id, why, who, from }) => book.remove(id, why, { who, from })),
    'rule.list': checked(z.strictObject({}), async () => ({
      rules: summaries(book, judgement.instances()),
      broken: book.broken,
    })),
    'rule.now': checked(nowParams, async ({ id }) => {
      const own = judgement.instances().filter(({ rule }) => rule === id);
      return {
        instances: own.sort((a, b) => rank(a) - rank(b)).slice(0, mostInstances),
        problems: book.problemsOf(id),
      };
    }),
    'rule.why': checked(whyParams, async ({ instance }) => {
      const view = judgement.why(instance);
      if (view === null) throw new CodedError('INSTANCE_NOT_FOUND', `no active rule has the instance "${instance}"`);
      return view;
    }),
    'mode.set': checked(modeParams, ({ id, who, from, ...wish }) => modes.set(id, wish, { who, from })),
  };
}

function rank({ fired, blind }: InstanceView): number {
  return fired ? 0 : blind ? 1 : 2;
}

function summaries(book: RuleBook, views: readonly InstanceView[]) {
  const counts = new Map<string, { instances: number; fired: number; blind: number }>();
  for (const { instance, fired, blind } of views) {
    const rule = ruleOfInstance(instance);
    const count = counts.get(rule) ?? { instances: 0, fired: 0, blind: 0 };
    counts.set(rule, count);
    count.instances += 1;
    if (fired) count.fired += 1;
    if (blind) count.blind += 1;
  }
  return [...book.entries.keys()].map((id) => ({
    id,
    ...(counts.get(id) ?? { instances: 0, fired: 0, blind: 0 }),
    problems: book.problemsOf(id),
  }));
}
