import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { z } from 'zod';
import type * as shapes from '../../../rule-schemas.ts';
import { api, query } from '../../api.ts';

export type RulesView = z.infer<typeof shapes.rulesSchema>;
export type RuleSummary = z.infer<typeof shapes.ruleSummarySchema>;
export type RuleView = z.infer<typeof shapes.ruleSchema>;
export type RuleVersionView = z.infer<typeof shapes.ruleVersionSchema>;
export type InstanceView = z.infer<typeof shapes.ruleInstanceSchema>;
export type WhyView = z.infer<typeof shapes.ruleWhySchema>;
export type JournalEntry = z.infer<typeof shapes.journalEntrySchema>;
export type SeenView = z.infer<typeof shapes.seenSchema>;
export type CheckView = z.infer<typeof shapes.ruleCheckSchema>;
export type TemplateView = z.infer<typeof shapes.ruleTemplateSchema>;
export type FilledTemplate = z.infer<typeof shapes.fromTemplateAnswer>;
export type RehearsalView = z.infer<typeof shapes.rehearsalSchema>;
export type RehearsalSide = z.infer<typeof shapes.rehearsalSideSchema>;
export type { ConditionView } from '../../../rule-schemas.ts';
export type Act = z.infer<typeof shapes.ruleActAnswer>;

/** What rules do now changes by itself: asked again so often, ms. */
export const fresh = 5_000;
/** The server plays the tests of a rule before it answers, ms. */
export const longPatience = 60_000;

export function useRules() {
  return useQuery({
    queryKey: ['rules'],
    queryFn: ({ signal }) => api.get<RulesView>('rules', signal),
    refetchInterval: fresh,
  });
}

/** `often`: how often it is asked again, ms; false: what is known is enough. */
export function useRule(id: string, often: number | false = fresh) {
  return useQuery({
    queryKey: ['rules', id],
    queryFn: ({ signal }) => api.get<RuleView>(`rules/${id}`, signal),
    refetchInterval: often,
  });
}

export function useWhy(id: string, instance: string | null) {
  return useQuery({
    queryKey: ['rules', id, 'why', instance],
    queryFn: ({ signal }) => api.get<WhyView>(`rules/${id}/why${query({ instance })}`, signal),
    enabled: instance !== null,
    refetchInterval: 2_000,
    retry: false,
  });
}

/** Everything about rules is asked anew: after whatever somebody did to one. */
export function useRefreshRules(): () => Promise<void> {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: ['rules'] });
}

export function check(body: object, signal?: AbortSignal): Promise<CheckView> {
  return api.post<CheckView>('rules/check', { body }, { patience: longPatience, signal });
}

/** The version that counts: what runs, else what watches, else the newest. */
export function shownVersion(rule: RuleView): RuleVersionView | undefined {
  const wanted = rule.active ?? rule.shadow ?? rule.latest;
  return rule.versions.find(({ version }) => version === wanted) ?? rule.versions[0];
}
