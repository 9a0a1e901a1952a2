import { parentPort, workerData } from 'node:worker_threads';
import type { Rule } from '#edge/domain/rule.ts';
import { problemsOf, type RuleSurroundings } from '#edge/rules/check-rule.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { createEngine } from '#edge/rules/create-engine.ts';
import type { RuleCampus } from '#edge/rules/engine.ts';
import { type RuleTestResult, runRuleTests } from '#edge/rules/rule-tests.ts';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import { whyNotFile } from '#edge/runtime/rule-file.ts';
import type { Site } from '#edge/runtime/site.ts';

/** What the thread is given. */
export type RuleWork = CampusWork | FileWork;

interface FileWork {
  readonly what: 'file';
  readonly body: RuleBody;
  readonly rule: Rule;
}

interface CampusWork {
  readonly what: 'tests' | 'problems';
  /** Of `tests` only the first is played. */
  readonly rules: readonly Rule[];
  readonly campus: RuleCampus;
  readonly openingHours: Site['openingHours'];
  readonly timeZone: string;
  readonly around: RuleSurroundings;
}

/** By rule, in the order in which they were given. */
export type RuleWorkDone =
  | { readonly what: 'tests'; readonly tests: readonly RuleTestResult[] }
  | { readonly what: 'problems'; readonly problems: readonly (readonly string[])[] }
  | { readonly what: 'file'; readonly problem: string | null };

/* A thread of its own: what people write into the tests of a rule may take its time, and core's loop has none to give. */

function work(given: RuleWork): RuleWorkDone {
  if (given.what === 'file') return { what: 'file', problem: whyNotFile(given.body, given.rule) };
  const { what, rules, campus, openingHours, timeZone, around } = given;
  if (what === 'problems') return { what, problems: rules.map((rule) => problemsOf(rule, campus, around)) };
  const calendar = createCalendar(openingHours, timeZone);
  const tests = rules
    .slice(0, 1)
    .flatMap((rule) => runRuleTests({ rule, campus, calendar, createEngine, others: around.rules }));
  return { what, tests };
}

parentPort?.postMessage(work(workerData as RuleWork));
