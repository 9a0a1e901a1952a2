import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import { ruleOfInstance } from '#edge/domain/rule.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { JournalFilter } from '#edge/store/reader.ts';
import { principalOf } from './access.ts';
import { journalLines, shown } from './journal.ts';
import { createLocalTime } from './local-time.ts';
import { reachesInto } from './rule-reach-scope.ts';
import { journalEntrySchema, ruleSchema, rulesSchema, ruleWhySchema } from './rule-schemas.ts';
import { RuleShelf, type StoredRule } from './rule-shelf.ts';
import { liveRules, orAway, ruleNowSchema, summaryOf, unknownNow, whyNowSchema, whyWithin } from './rule-views.ts';
import { problems } from './schemas.ts';
import { createScopes, type Scope } from './scope.ts';
import type { App, CampusView } from './server.ts';

export const ruleParams = z.object({ id: z.string().regex(slugPattern, 'must be the id of a rule') });
/** `<rule>`, or `<rule>@<place>`. */
export const instancePattern = /^[a-z0-9][a-z0-9_-]{0,62}(@[a-z0-9][a-z0-9_-]{0,62})?$/;
const instance = z.string().regex(instancePattern, 'must be <rule> or <rule>@<place>');

const time = z.coerce.number().int().min(0);
const journalQuery = z.strictObject({
  from: time.optional(),
  to: time.optional(),
  /** `seq` of the last line of the page before. */
  before: z.coerce.number().int().min(1).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  shadow: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
  instance: instance.optional(),
});

/** Rules as everybody may read them: what they say, how far they are, what they do now and why, and what they have decided. */
export function addRuleRoutes(app: App, { site, reader, rpc }: CampusView, clock: Clock): void {
  const shelf = new RuleShelf(reader, site.devices);
  const scopeOf = createScopes(site.devices);
  const local = createLocalTime(site.campus.timeZone);
  const find = (id: string): StoredRule => {
    const stored = shelf.find(id);
    if (stored === null) throw new CodedError('RULE_NOT_FOUND', `there is no rule "${id}"`);
    return stored;
  };
  const firedOf = () => new Map(reader.firedRules(local.dayStart(clock.now())).map((one) => [one.rule, one] as const));

  app.get(
    '/api/v1/rules',
    {
      config: { access: 'see' },
      schema: {
        tags: ['rules'],
        summary: 'Every rule: what it is for, how far it is, how often it fired, and what is wrong with it',
        response: { ...problems(503), 200: rulesSchema },
      },
    },
    async (request) => {
      const scope = scopeOf(principalOf(request));
      const stored = shelf.all();
      const live = await liveRules(rpc);
      const parts = { live, fired: firedOf(), scope };
      return { rules: stored.map((one) => summaryOf(one, shelf, parts)), broken: live?.broken ?? [] };
    },
  );

  app.get(
    '/api/v1/rules/:id',
    {
      config: { access: 'see' },
      schema: {
        tags: ['rules'],
        summary: 'One rule with its versions, newest first, and its instances as they are now',
        description: 'Instances: those in your zones, fired and blind ones first, at most 2,000.',
        params: ruleParams,
        response: { ...problems(400, 404, 503), 200: ruleSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const scope = scopeOf(principalOf(request));
      const stored = find(id);
      const answer = ruleNowSchema.nullable().parse(await orAway(rpc.call('rule.now', { id })));
      const views = answer?.instances ?? [];
      const counts = {
        id,
        instances: views.length,
        fired: views.filter(({ fired }) => fired).length,
        blind: views.filter(({ blind }) => blind).length,
        problems: answer?.problems ?? (stored.body.active === null ? [] : [unknownNow]),
      };
      const summary = summaryOf(stored, shelf, { live: { rules: [counts], broken: [] }, fired: firedOf(), scope });
      const reach = scope.isWhole ? null : shelf.reach();
      return {
        ...summary,
        versions: [...stored.body.versions].reverse().flatMap((number) => {
          const found = shelf.version(id, number);
          if (found === null) return [];
          const approval = stored.body.approvals.find(({ version }) => version === number);
          return { ...found, approved: approval === undefined ? null : { by: approval.by, time: approval.time } };
        }),
        now: views.filter((view) => reach === null || reachesInto(reach(view.instance), scope)),
      };
    },
  );

  app.get(
    '/api/v1/rules/:id/why',
    {
      config: { access: 'see' },
      schema: {
        tags: ['rules'],
        summary:
          'Why an instance of the active version is fired, and above all why not: every condition with what it sees',
        params: ruleParams,
        querystring: z.strictObject({ instance: instance.optional() }),
        response: { ...problems(400, 404, 503), 200: ruleWhySchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const scope = scopeOf(principalOf(request));
      find(id);
      const asked = request.query.instance ?? id;
      const missing = new CodedError('INSTANCE_NOT_FOUND', `there is no instance "${asked}" of the rule "${id}"`);
      if (ruleOfInstance(asked) !== id || (!scope.isWhole && !reachesInto(shelf.reach()(asked), scope))) throw missing;
      const now = whyWithin(whyNowSchema.parse(await rpc.call('rule.why', { instance: asked })), scope);
      const [last] = reader.journal({ instance: asked, shadow: false, limit: 1 });
      return { ...now, last: last === undefined ? null : shown(last, scope) };
    },
  );

  const journal = (scope: Scope, filter: { readonly [K in keyof JournalFilter]: JournalFilter[K] | undefined }) => {
    const { limit = 100, ...rest } = filter;
    const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    return journalLines(reader, scope, scope.isWhole ? () => undefined : shelf.reach(), { ...given, limit });
  };

  app.get(
    '/api/v1/rules/:id/journal',
    {
      config: { access: 'see' },
      schema: {
        tags: ['rules'],
        summary: 'What a rule has decided, newest first, with what it saw; `before` (a `seq`) gives the next page',
        params: ruleParams,
        querystring: journalQuery,
        response: { ...problems(400, 503), 200: z.array(journalEntrySchema) },
      },
    },
    (request) => journal(scopeOf(principalOf(request)), { ...request.query, rule: request.params.id }),
  );

  app.get(
    '/api/v1/journal',
    {
      config: { access: 'see' },
      schema: {
        tags: ['rules'],
        summary: 'What all rules have decided, newest first',
        querystring: journalQuery,
        response: { ...problems(400, 503), 200: z.array(journalEntrySchema) },
      },
    },
    (request) => journal(scopeOf(principalOf(request)), request.query),
  );
}
