import type { Rule } from '#edge/domain/rule.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import { describeMistake } from '#edge/runtime/rule-mistakes.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';
import { describeBodies } from './rule-diff.ts';
import {
  type Act,
  activated,
  addVersion,
  approvedBy,
  forgetVersion,
  type KnownVersion,
  type RuleEntry,
  turnedOff,
  type VersionSource,
} from './rule-entry.ts';
import {
  type Actor,
  changedMeanwhile,
  type RuleTestOutcome,
  requireBody,
  requirePassed,
  requirePerson,
  requireProposal,
  type SeenProposal,
} from './rule-guards.ts';
import { mostShadows, RuleKeeper, type RuleKeeperOptions, type RuleRunner, type RunningRules } from './rule-keeper.ts';
import type { RuleVersions } from './rule-versions.ts';

export interface RuleBookOptions extends RuleKeeperOptions {
  /** Runs the rule's own tests, away from core's loop. */
  readonly play: (rule: Rule, others: readonly Rule[]) => Promise<readonly RuleTestOutcome[]>;
  /** Why a body cannot be kept as a file; away from core's loop. */
  readonly whyNotFile: (body: RuleBody, rule: Rule) => Promise<string | null>;
  /** Why a rule is too large to run beside the others; null: it fits. */
  readonly refuses: (rule: Rule) => string | null;
}

export interface Acted {
  readonly outcome: 'done' | 'proposed';
  readonly message: string;
}

/**
 * The life of rules: written, tried, proposed, approved, running, turned off. What people change is on disk (with its line in the
 * audit) before it runs, and runs before it is answered; one change at a time. A safety rule needs two people: who approves sees
 * the version that he approves by number and digest, and is another than who proposed it.
 */
export class RuleBook {
  readonly #options: RuleBookOptions;
  readonly #keeper: RuleKeeper;
  readonly #versions: RuleVersions;

  constructor(options: RuleBookOptions) {
    this.#options = options;
    this.#keeper = new RuleKeeper(options);
    this.#versions = this.#keeper.versions;
  }

  /** What is to run from the start on. */
  load(): Promise<RunningRules> {
    return this.#keeper.load();
  }

  /** From now on changes reach the rules that run. */
  begin(runner: RuleRunner): void {
    this.#keeper.begin(runner);
  }

  /** Tries again what the disk has not taken yet. Call it now and then. */
  tick(): void {
    this.#keeper.tick();
  }

  get entries(): ReadonlyMap<string, RuleEntry> {
    return this.#keeper.entries;
  }

  /** Files that cannot be used. */
  get broken(): readonly { readonly file: string; readonly message: string }[] {
    return this.#keeper.broken;
  }

  /** A new version, not yet running. Throws RULE_INVALID, RULE_CHANGED, what the store throws. */
  save(
    id: string,
    given: { readonly body: unknown; readonly base: number; readonly why: string; readonly origin: VersionSource },
    actor: Actor,
  ): Promise<{ version: number; problems: readonly string[] }> {
    return this.#keeper.inTurn(async () => {
      const { body, rule } = requireBody(id, given.body);
      const entry = this.#keeper.entries.get(id) ?? null;
      const latest = entry?.state.latest ?? 0;
      if (latest !== given.base)
        throw changedMeanwhile(id, `version ${given.base} was seen, and ${latest} is the newest`);
      const noFile = await this.#options.whyNotFile(body, rule);
      if (noFile !== null) throw new CodedError('RULE_INVALID', `(file): ${noFile}`);
      const act = this.#act(actor, given.why);
      const before = entry === null ? null : (this.#versions.get(id, latest)?.body ?? null);
      const made = addVersion(id, entry?.state ?? null, { body, rule, source: given.origin, before }, act, 'rule.save');
      const deed = { verb: entry === null ? 'rule.create' : 'rule.save' };
      await this.#keeper.put(entry ?? { id, rev: 0 }, made.state, act, deed, made.changes);
      const [problems = []] = await this.#options.check([rule], this.#keeper.lookout.others(id));
      return { version: made.version, problems };
    });
  }

  /** What is wrong with a body, saving nothing. `rule` null: it cannot be used. */
  async check(body: unknown): Promise<{
    rule: Rule | null;
    mistakes: readonly string[];
    problems: readonly string[];
    tests: readonly RuleTestOutcome[];
  }> {
    const parsed = parseRule(body);
    if (!parsed.ok) return { rule: null, mistakes: parsed.mistakes.map(describeMistake), problems: [], tests: [] };
    const { rule } = parsed;
    const others = this.#keeper.lookout.others(rule.id);
    const [[problems = []], tests, noFile] = await Promise.all([
      this.#options.check([rule], others),
      this.#options.play(rule, others),
      this.#options.whyNotFile(body as RuleBody, rule),
    ]);
    return { rule, mistakes: noFile === null ? [] : [`(file): ${noFile}`], problems, tests };
  }

  /**
   * Makes a version run (null: turns the rule off); of a safety rule that is a proposal. Throws RULE_NOT_FOUND, RULE_SAME,
   * RULE_TESTS_FAILED, RULE_TOO_LARGE, and RULE_NEEDS_PERSON for a token at a safety rule.
   */
  activate(id: string, version: number | null, why: string, actor: Actor): Promise<Acted> {
    return this.#keeper.inTurn(async () => {
      const entry = this.#find(id);
      const { state } = entry;
      if (state.active === version) {
        throw new CodedError(
          'RULE_SAME',
          version === null ? `"${id}" does not run` : `v${version} of "${id}" runs already`,
        );
      }
      const next = version === null ? null : this.#require(id, version);
      if (next !== null) await this.#mustPass(next);
      if (!this.#isSafety(entry, next)) return this.#run(entry, next, this.#act(actor, why), 'rule.activate');
      const by = requirePerson(actor, 'propose');
      const act = this.#act(actor, why);
      const proposal = { version, digest: next?.digest ?? null, by, time: act.time, why };
      const about = version === null ? ': to be turned off' : ` v${version}`;
      await this.#keeper.put(entry, { ...state, proposal }, act, {
        verb: 'rule.propose',
        about,
        result: this.#whatChanges(entry, next),
      });
      return { outcome: 'proposed', message: 'another person must approve it' };
    });
  }

  /**
   * The second person. `version` and `digest` are those that he saw. Throws RULE_NOT_PROPOSED, RULE_CHANGED (something else is
   * proposed by now), RULE_SAME_PERSON, RULE_NEEDS_PERSON, RULE_TESTS_FAILED.
   */
  approve(id: string, seen: SeenProposal, why: string, actor: Actor): Promise<Acted> {
    return this.#keeper.inTurn(async () => {
      const entry = this.#find(id);
      const { version, by } = requireProposal(entry, seen);
      const approver = requirePerson(actor, 'approve');
      if (approver === by) {
        throw new CodedError('RULE_SAME_PERSON', 'whoever proposed it cannot approve it: another person must');
      }
      const next = version === null ? null : this.#require(id, version);
      if (next !== null && next.digest !== seen.digest) {
        throw changedMeanwhile(id, 'the version is not what was proposed');
      }
      if (next !== null) await this.#mustPass(next);
      const act = this.#act(actor, why);
      const approved = version === null ? entry : { ...entry, state: approvedBy(entry.state, version, act) };
      return this.#run(approved, next, act, 'rule.approve', ` (proposed by ${by})`);
    });
  }

  /** Turns a proposal down, or takes it back. The file that it was made of becomes again what runs. */
  reject(id: string, seen: SeenProposal, why: string, actor: Actor): Promise<Acted> {
    return this.#keeper.inTurn(async () => {
      const entry = this.#find(id);
      const { version, by } = requireProposal(entry, seen);
      requirePerson(actor, 'turn down');
      const about = version === null ? ': to be turned off' : ` v${version}`;
      const deed = { verb: 'rule.reject', about, result: `proposed by ${by}` };
      const state = { ...entry.state, proposal: null };
      const ofFile = by === 'file';
      const next = ofFile ? { ...state, writing: { before: entry.state.proposal?.digest ?? null } } : state;
      const put = await this.#keeper.put(entry, next, this.#act(actor, why), deed);
      if (!ofFile) return { outcome: 'done', message: 'it is turned down' };
      return { outcome: 'done', message: await this.#keeper.writeFile(put, 'it is turned down') };
    });
  }

  /** A version that watches beside the active one and acts on nothing; null: no longer. Throws RULE_SHADOW_LIMIT, RULE_TOO_LARGE. */
  shadow(id: string, version: number | null, why: string, actor: Actor): Promise<Acted> {
    return this.#keeper.inTurn(async () => {
      const entry = this.#find(id);
      const { state } = entry;
      if (state.shadow === version || (version !== null && state.active === version)) {
        const what = version === null ? 'nothing of it is in shadow' : `v${version} runs already`;
        throw new CodedError('RULE_SAME', `"${id}": ${what}`);
      }
      const others = [...this.#keeper.entries.values()].filter(
        (one) => one.id !== id && one.state.shadow !== null,
      ).length;
      if (version !== null && others >= mostShadows) {
        throw new CodedError('RULE_SHADOW_LIMIT', `${mostShadows} rules are in shadow already: take one out first`);
      }
      const next = version === null ? null : this.#require(id, version);
      if (next !== null) this.#mustFit(next);
      const about = version === null ? ': no longer' : ` v${version}`;
      await this.#keeper.put(entry, { ...state, shadow: version }, this.#act(actor, why), {
        verb: 'rule.shadow',
        about,
      });
      if (next === null) this.#keeper.unwatch(id);
      else this.#keeper.watch(next);
      return { outcome: 'done', message: next === null ? 'it watches no longer' : 'it watches and acts on nothing' };
    });
  }

  /** Only what does not run: its versions go with it. Throws RULE_RUNS. */
  remove(id: string, why: string, actor: Actor): Promise<Acted> {
    return this.#keeper.inTurn(async () => {
      const entry = this.#find(id);
      const { state } = entry;
      if (state.active !== null || state.shadow !== null) {
        throw new CodedError('RULE_RUNS', `"${id}" runs: turn it off first`);
      }
      const act = this.#act(actor, why);
      const versions = state.versions.map((version) => forgetVersion(id, version, act));
      await this.#keeper.put(entry, null, act, { verb: 'rule.remove' }, versions);
      return {
        outcome: 'done',
        message: `"${id}" is gone, with ${versions.length} version${versions.length === 1 ? '' : 's'}`,
      };
    });
  }

  /** What the active version cannot do here. */
  problemsOf(id: string): readonly string[] {
    return this.#keeper.lookout.problemsOf(id);
  }

  // --- what all of them do ------------------------------------------------------------------------------------------

  /** On disk, running, in its file; in this order, so that a kill leaves what was or what is to be. */
  async #run(entry: RuleEntry, next: KnownVersion | null, act: Act, verb: string, more = ''): Promise<Acted> {
    const { id, state } = entry;
    const isOff = next === null;
    const deed = isOff
      ? {
          verb: verb === 'rule.activate' ? 'rule.off' : verb,
          about: `${verb === 'rule.activate' ? '' : ': turned off'}${more}`,
        }
      : { verb, about: ` v${next.version}${more}` };
    const result = this.#whatChanges(entry, next);
    const after = isOff ? turnedOff(state) : activated(state, next);
    const put = await this.#keeper.put(entry, after, act, { ...deed, result });
    if (state.shadow !== null && after.shadow === null) this.#keeper.unwatch(id);
    if (isOff) this.#keeper.stop(id);
    else this.#keeper.start(next);
    return {
      outcome: 'done',
      message: await this.#keeper.writeFile(put, isOff ? 'it is off' : `v${next.version} runs`),
    };
  }

  #whatChanges({ id, state }: RuleEntry, next: KnownVersion | null): string {
    const from = state.active === null ? 'off' : `v${state.active}`;
    const before = state.active === null ? null : (this.#versions.get(id, state.active)?.body ?? null);
    const words = before === null || next === null ? '' : `: ${describeBodies(before, next.body)}`;
    return `${from} -> ${next === null ? 'off' : `v${next.version}`}${words}`;
  }

  #act({ who, from }: Actor, why: string): Act {
    return { who, from, why, time: this.#options.clock.now() };
  }

  #find(id: string): RuleEntry {
    const entry = this.#keeper.entries.get(id);
    if (entry === undefined) throw new CodedError('RULE_NOT_FOUND', `there is no rule "${id}"`);
    return entry;
  }

  #require(id: string, version: number): KnownVersion {
    const known = this.#versions.get(id, version);
    if (known === null)
      throw new CodedError('RULE_NOT_FOUND', `there is no version ${version} of "${id}" that can be read`);
    return known;
  }

  /** What is, or becomes, a safety rule. */
  #isSafety({ id, state }: RuleEntry, next: KnownVersion | null): boolean {
    if (next?.rule.kind === 'safety') return true;
    if (state.active === null) return false;
    const active = this.#versions.get(id, state.active);
    if (active !== null) return active.rule.kind === 'safety';
    // Nobody can read what runs, and the newest version may say what one person wished: so does any that was one for safety.
    return state.kind === 'safety' || state.versions.some((one) => this.#versions.get(id, one)?.rule.kind === 'safety');
  }

  async #mustPass(next: KnownVersion): Promise<void> {
    this.#mustFit(next);
    requirePassed(next, await this.#options.play(next.rule, this.#keeper.lookout.others(next.rule.id)));
  }

  #mustFit({ rule, version }: KnownVersion): void {
    const why = this.#options.refuses(rule);
    if (why !== null) throw new CodedError('RULE_TOO_LARGE', `v${version} of "${rule.id}" cannot run: it ${why}`);
  }
}
