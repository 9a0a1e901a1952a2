import { Worker } from 'node:worker_threads';
import type { Rule } from '#edge/domain/rule.ts';
import type { RuleSurroundings } from '#edge/rules/check-rule.ts';
import type { RuleCampus } from '#edge/rules/engine.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { RuleTestOutcome } from './rule-guards.ts';
import type { RuleWork, RuleWorkDone } from './rule-thread.ts';

/** A test that plays a month takes a second or two; one that never ends is ended, ms. */
const patience = 15_000;
const heapMb = 256;
/** Threads at once, and calls that wait for one. */
const mostThreads = 2;
const mostWaiting = 16;

export interface RuleWorkshopOptions {
  readonly campus: RuleCampus;
  readonly site: Pick<Site, 'openingHours' | 'campus'>;
  /** What a rule may name, without the other rules. */
  readonly around: Omit<RuleSurroundings, 'rules'>;
}

/** Where rules are looked at and their tests are played: in a thread of its own each time, with a limit on memory and time. */
export class RuleWorkshop {
  readonly #options: RuleWorkshopOptions;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: RuleWorkshopOptions) {
    this.#options = options;
  }

  /** The rule's own tests. `others`: rules that are to run beside it. Throws RULE_TESTS_SLOW, RPC_BUSY. */
  async play(rule: Rule, others: readonly Rule[]): Promise<readonly RuleTestOutcome[]> {
    if (rule.tests.length === 0) return [];
    const done = await this.#onCampus('tests', [rule], others);
    return done.what === 'tests' ? done.tests : [];
  }

  /** What each of them cannot do on this campus, in their order. */
  async check(rules: readonly Rule[], others: readonly Rule[]): Promise<readonly (readonly string[])[]> {
    if (rules.length === 0) return [];
    const done = await this.#onCampus('problems', rules, others);
    return done.what === 'problems' ? done.problems : [];
  }

  /** Why it cannot be kept as a file; null: it can. */
  async whyNotFile(body: RuleBody, rule: Rule): Promise<string | null> {
    const done = await this.#inThread({ what: 'file', body, rule });
    return done.what === 'file' ? done.problem : null;
  }

  #onCampus(what: 'tests' | 'problems', rules: readonly Rule[], others: readonly Rule[]): Promise<RuleWorkDone> {
    const { campus, site, around } = this.#options;
    const { openingHours } = site;
    const given = { what, rules, campus, openingHours, timeZone: site.campus.timeZone };
    return this.#inThread({ ...given, around: { ...around, rules: others } });
  }

  async #inThread(work: RuleWork): Promise<RuleWorkDone> {
    if (this.#running >= mostThreads) {
      if (this.#waiting.length >= mostWaiting)
        throw new CodedError('RPC_BUSY', 'too many rules are being tried: ask again');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      return await runThread(work);
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}

function runThread(work: RuleWork): Promise<RuleWorkDone> {
  const worker = new Worker(new URL('./rule-thread.ts', import.meta.url), {
    name: 'rules',
    workerData: work,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  return new Promise<RuleWorkDone>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new CodedError('RULE_TESTS_SLOW', `trying the rule took longer than ${patience / 1_000} s: shorten its tests`),
      );
      void worker.terminate();
    }, patience);
    const fail = (why: string) => reject(new CodedError('RULE_TESTS_FAILED', `the rule could not be tried: ${why}`));
    worker.once('message', resolve);
    worker.once('error', (error) => fail(messageOf(error)));
    worker.once('exit', (code) => {
      clearTimeout(timer);
      fail(`its thread ended with code ${code}`);
    });
  });
}
