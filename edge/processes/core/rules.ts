import type { Rule, RuleVersion } from '#edge/domain/rule.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import { describeMistake } from '#edge/runtime/rule-mistakes.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { DocumentChange } from '#edge/store/documents.ts';
import type { Reader } from '#edge/store/reader.ts';
import { describeBodies } from './rule-diff.ts';
import {
  type Act,
  activated,
  addVersion,
  approvedBy,
  type Deed,
  forgetVersion,
  type KnownVersion,
  putRule,
  type RuleEntry,
  type RuleStored,
  turnedOff,
  type VersionSource,
} from './rule-entry.ts';
import type { RuleFiles } from './rule-files.ts';
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
import { RuleLookout, type RuleLookoutOptions } from './rule-lookout.ts';
import { type Reconciliation, type RuleFolderNow, reconcileRules } from './rule-reconcile.ts';
import { RuleVersions } from './rule-versions.ts';

/** Where rules are at work. */
export interface RuleRunner {
  put(version: RuleVersion): void;
  remove(rule: string): void;
  /** Runs it where it acts on nothing. */
  watch(version: RuleVersion): void;
  unwatch(rule: string): void;
}

export interface RuleBookOptions extends RuleLookoutOptions {
  readonly reader: Pick<Reader, 'document' | 'documents'>;
  readonly files: RuleFiles;
  /** Writes at once, or fails: what people change is never owed to the disk. */
  readonly append: (batch: Batch) => Promise<void>;
  /** Runs the rule's own tests, away from core's loop. */
  readonly play: (rule: Rule, others: readonly Rule[]) => Promise<readonly RuleTestOutcome[]>;
  /** Why a body cannot be kept as a file; away from core's loop. */
  readonly whyNotFile: (body: RuleBody, rule: Rule) => Promise<string | null>;
  /** Why a rule is too large to run beside the others; null: it fits. */
  readonly refuses: (rule: Rule) => string | null;
  /** There was a first start already. */
  readonly hasBegun: boolean;
  readonly clock: Clock;
}

/** Versions that are to run from the start on. */
export interface RunningRules {
  readonly active: readonly RuleVersion[];
  readonly shadow: readonly RuleVersion[];
}

export interface Acted {
  readonly outcome: 'done' | 'proposed';
  readonly message: string;
}

/** Versions that only watch, at once. */
export const mostShadows = 20;
/** Name of the state that says that there was a first start. */
export const begunState = 'rules';

/**
 * The life of rules: written, tried, proposed, approved, running, turned off. What people change is on disk (with its line in the
 * audit) before it runs, and runs before it is answered; one change at a time. A safety rule needs two people: who approves sees
 * the version that he approves by number and digest, and is another than who proposed it.
 */
export class RuleBook {
  readonly #options: RuleBookOptions;
  readonly #entries = new Map<string, RuleEntry>();
  readonly #versions: RuleVersions;
  readonly #lookout: RuleLookout;
  #broken: RuleFolderNow['broken'] = [];
  #runner: RuleRunner | null = null;
  /** What the start has changed and is not yet on disk. */
  #unsettled: Reconciliation | null = null;
  /** A change of these was given up on, and may happen yet. */
  readonly #doubtful = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RuleBookOptions) {
    this.#options = options;
    this.#versions = new RuleVersions(options.reader, options.log);
    this.#lookout = new RuleLookout(options);
  }

  /** Reads what is stored and what lies in the folder, and says what is to run. Writes nothing yet: see `settle`. */
  async load(): Promise<RunningRules> {
    const folder = await this.#options.files.read();
    const stored = this.#versions.entries();
    const found = reconcileRules({
      entries: stored ?? [],
      version: (rule, version) => this.#versions.get(rule, version),
      folder,
      isFirst: stored === null || (stored.length === 0 && !this.#options.hasBegun),
      now: this.#options.clock.now(),
    });
    this.#broken = folder.broken;
    for (const entry of found.entries) this.#entries.set(entry.id, entry);
    this.#unsettled = found;
    this.#versions.expect(found.documents);
    const troubles = new Map(found.troubles);
    const inFolder = new Map(folder.files.map((file) => [file.id, file]));
    const active = found.entries.flatMap((entry) => {
      const running = this.#running(entry, inFolder.get(entry.id) ?? null);
      if (running === null) troubles.set(entry.id, `v${entry.state.active} cannot be read, and does not run`);
      return running ?? [];
    });
    this.#lookout.begin(
      active.map(({ rule }) => rule),
      troubles,
    );
    const shadow = found.entries.flatMap(({ id, state }) => {
      const known = state.shadow === null ? null : this.#versions.get(id, state.shadow);
      return known === null ? [] : [runnable(known)];
    });
    return { active, shadow: shadow.slice(0, mostShadows) };
  }

  /** From now on changes reach the rules that run. */
  begin(runner: RuleRunner): void {
    this.#runner = runner;
    this.#lookout.tell();
    void this.#inTurn(async () => {}).catch((error: unknown) =>
      this.#options.log.error({ error }, 'what the start found in the rules folder is not on disk yet'),
    );
  }

  /** Tries again what the start could not write, and looks whether what was given up on has happened after all. Call it now and then. */
  tick(): void {
    if (this.#unsettled === null && this.#doubtful.size === 0) return;
    const look = async () => {
      for (const id of this.#doubtful) this.#readAgain(id);
    };
    void this.#inTurn(look).catch(() => {}); // its reason stands in the log already
  }

  get entries(): ReadonlyMap<string, RuleEntry> {
    return this.#entries;
  }

  /** Files that cannot be used. */
  get broken(): readonly { readonly file: string; readonly message: string }[] {
    return this.#broken.map(({ file, message }) => ({ file, message }));
  }

  /** A new version, not yet running. Throws RULE_INVALID, RULE_CHANGED, what the store throws. */
  save(
    id: string,
    given: { readonly body: unknown; readonly base: number; readonly why: string; readonly origin: VersionSource },
    actor: Actor,
  ): Promise<{ version: number; problems: readonly string[] }> {
    return this.#inTurn(async () => {
      const { body, rule } = requireBody(id, given.body);
      const entry = this.#entries.get(id) ?? null;
      const latest = entry?.state.latest ?? 0;
      if (latest !== given.base)
        throw changedMeanwhile(id, `version ${given.base} was seen, and ${latest} is the newest`);
      const noFile = await this.#options.whyNotFile(body, rule);
      if (noFile !== null) throw new CodedError('RULE_INVALID', `(file): ${noFile}`);
      const act = this.#act(actor, given.why);
      const before = entry === null ? null : (this.#versions.get(id, latest)?.body ?? null);
      const made = addVersion(id, entry?.state ?? null, { body, rule, source: given.origin, before }, act, 'rule.save');
      const deed = { verb: entry === null ? 'rule.create' : 'rule.save' };
      await this.#put(entry ?? { id, rev: 0 }, made.state, act, deed, made.changes);
      const [problems = []] = await this.#options.check([rule], this.#lookout.others(id));
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
    const others = this.#lookout.others(rule.id);
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
    return this.#inTurn(async () => {
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
      await this.#put(entry, { ...state, proposal }, act, {
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
    return this.#inTurn(async () => {
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
    return this.#inTurn(async () => {
      const entry = this.#find(id);
      const { version, by } = requireProposal(entry, seen);
      requirePerson(actor, 'turn down');
      const about = version === null ? ': to be turned off' : ` v${version}`;
      const deed = { verb: 'rule.reject', about, result: `proposed by ${by}` };
      const state = { ...entry.state, proposal: null };
      const ofFile = by === 'file';
      const next = ofFile ? { ...state, writing: { before: entry.state.proposal?.digest ?? null } } : state;
      const put = await this.#put(entry, next, this.#act(actor, why), deed);
      if (!ofFile) return { outcome: 'done', message: 'it is turned down' };
      return { outcome: 'done', message: await this.#writeFile(put, 'it is turned down') };
    });
  }

  /** A version that watches beside the active one and acts on nothing; null: no longer. Throws RULE_SHADOW_LIMIT, RULE_TOO_LARGE. */
  shadow(id: string, version: number | null, why: string, actor: Actor): Promise<Acted> {
    return this.#inTurn(async () => {
      const entry = this.#find(id);
      const { state } = entry;
      if (state.shadow === version || (version !== null && state.active === version)) {
        const what = version === null ? 'nothing of it is in shadow' : `v${version} runs already`;
        throw new CodedError('RULE_SAME', `"${id}": ${what}`);
      }
      const others = [...this.#entries.values()].filter((one) => one.id !== id && one.state.shadow !== null).length;
      if (version !== null && others >= mostShadows) {
        throw new CodedError('RULE_SHADOW_LIMIT', `${mostShadows} rules are in shadow already: take one out first`);
      }
      const next = version === null ? null : this.#require(id, version);
      if (next !== null) this.#mustFit(next);
      const about = version === null ? ': no longer' : ` v${version}`;
      await this.#put(entry, { ...state, shadow: version }, this.#act(actor, why), { verb: 'rule.shadow', about });
      if (next === null) this.#runner?.unwatch(id);
      else this.#runner?.watch(runnable(next));
      return { outcome: 'done', message: next === null ? 'it watches no longer' : 'it watches and acts on nothing' };
    });
  }

  /** Only what does not run: its versions go with it. Throws RULE_RUNS. */
  remove(id: string, why: string, actor: Actor): Promise<Acted> {
    return this.#inTurn(async () => {
      const entry = this.#find(id);
      const { state } = entry;
      if (state.active !== null || state.shadow !== null) {
        throw new CodedError('RULE_RUNS', `"${id}" runs: turn it off first`);
      }
      const act = this.#act(actor, why);
      const versions = state.versions.map((version) => forgetVersion(id, version, act));
      await this.#put(entry, null, act, { verb: 'rule.remove' }, versions);
      return {
        outcome: 'done',
        message: `"${id}" is gone, with ${versions.length} version${versions.length === 1 ? '' : 's'}`,
      };
    });
  }

  /** What the active version cannot do here. */
  problemsOf(id: string): readonly string[] {
    return this.#lookout.problemsOf(id);
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
    const put = await this.#put(entry, after, act, { ...deed, result });
    if (state.shadow !== null && after.shadow === null) this.#runner?.unwatch(id);
    if (isOff) this.#stop(id);
    else this.#start(next);
    return { outcome: 'done', message: await this.#writeFile(put, isOff ? 'it is off' : `v${next.version} runs`) };
  }

  #start(next: KnownVersion): void {
    this.#runner?.put(runnable(next));
    this.#lookout.runs(next.rule);
  }

  #stop(id: string): void {
    this.#runner?.remove(id);
    this.#lookout.stands(id);
  }

  #whatChanges({ id, state }: RuleEntry, next: KnownVersion | null): string {
    const from = state.active === null ? 'off' : `v${state.active}`;
    const before = state.active === null ? null : (this.#versions.get(id, state.active)?.body ?? null);
    const words = before === null || next === null ? '' : `: ${describeBodies(before, next.body)}`;
    return `${from} -> ${next === null ? 'off' : `v${next.version}`}${words}`;
  }

  /** Writes the file of what runs. A disk that refuses it does not keep the rule from running: that is said. */
  async #writeFile(entry: RuleEntry | null, done: string): Promise<string> {
    if (entry === null) return done;
    const { id, state } = entry;
    const body = state.active === null ? null : (this.#versions.get(id, state.active)?.body ?? null);
    const fault =
      state.active !== null && body === null ? 'its version cannot be read' : await this.#options.files.write(id, body);
    this.#broken = this.#broken.filter((one) => one.id !== id);
    if (fault !== null) {
      this.#lookout.trouble(id, `${id}.yaml could not be written (${fault}): it is tried again at the next start`);
      return `${done}; its file could not be written: ${fault}`;
    }
    this.#lookout.trouble(id, null);
    const why = 'the file is written';
    const act = { who: 'process:core', from: 'core', why, time: this.#options.clock.now() };
    // Not worth failing for: at the next start the file is found to be what it should be.
    await this.#put(entry, { ...state, writing: null }, act, { verb: 'rule.written' }).catch(() => {});
    return done;
  }

  /** Stores one change of a rule with what belongs to it. */
  async #put(
    entry: Pick<RuleEntry, 'id' | 'rev'>,
    state: RuleStored | null,
    act: Act,
    deed: Deed,
    more: readonly DocumentChange[] = [],
  ): Promise<RuleEntry | null> {
    const { change, entry: next } = putRule(entry, state, act, deed);
    try {
      await this.#options.append({ documents: [...more, change] });
    } catch (error) {
      // What was given up on may have happened after all.
      if (codeOf(error) === 'STORE_TIMEOUT') this.#doubtful.add(entry.id);
      if (codeOf(error) === 'STORE_TIMEOUT' || codeOf(error) === 'DOCUMENT_CHANGED') this.#readAgain(entry.id);
      throw error;
    }
    // The store works in order: what was given up on before is done, or never will be.
    this.#doubtful.delete(entry.id);
    if (next === null) this.#entries.delete(entry.id);
    else this.#entries.set(entry.id, next);
    if (next === null) this.#lookout.trouble(entry.id, null);
    return next;
  }

  /** The store knows better: what it has is what runs. */
  #readAgain(id: string): void {
    try {
      const was = this.#entries.get(id);
      const before = was?.state.active ?? null;
      const stored = this.#versions.entry(id);
      if (stored === null) this.#entries.delete(id);
      else this.#entries.set(id, stored);
      this.#watchAgain(id, was?.state.shadow ?? null, stored?.state.shadow ?? null);
      const now = stored?.state.active ?? null;
      if (before === now) return;
      const known = now === null ? null : this.#versions.get(id, now);
      if (known === null) this.#stop(id);
      else this.#start(known);
    } catch (error) {
      this.#options.log.error({ error, rule: id }, 'a rule could not be read again');
    }
  }

  #watchAgain(id: string, before: number | null, now: number | null): void {
    if (before === now) return;
    const known = now === null ? null : this.#versions.get(id, now);
    if (known === null) this.#runner?.unwatch(id);
    else this.#runner?.watch(runnable(known));
  }

  async #settle(): Promise<void> {
    const found = this.#unsettled;
    if (found === null) return;
    const begun = this.#options.hasBegun ? {} : { state: { [begunState]: { begun: this.#options.clock.now() } } };
    if (found.documents.length > 0 || !this.#options.hasBegun) {
      await this.#options.append({ documents: found.documents, ...begun }).catch((error: unknown) => {
        // An earlier attempt was given up on, and happened after all.
        if (codeOf(error) !== 'DOCUMENT_CHANGED') throw error;
        for (const id of this.#entries.keys()) this.#readAgain(id);
      });
    }
    this.#unsettled = null;
    this.#versions.expect([]);
    for (const { id } of found.unwritten) {
      const entry = this.#entries.get(id);
      if (entry !== undefined) await this.#writeFile(entry, '');
    }
  }

  /** One after the other, and none before what the start found is on disk. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = async () => {
      await this.#settle();
      return work();
    };
    const done = this.#last.then(run, run);
    this.#last = done.catch(() => {});
    return done;
  }

  #act({ who, from }: Actor, why: string): Act {
    return { who, from, why, time: this.#options.clock.now() };
  }

  #find(id: string): RuleEntry {
    const entry = this.#entries.get(id);
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
    requirePassed(next, await this.#options.play(next.rule, this.#lookout.others(next.rule.id)));
  }

  #mustFit({ rule, version }: KnownVersion): void {
    const why = this.#options.refuses(rule);
    if (why !== null) throw new CodedError('RULE_TOO_LARGE', `v${version} of "${rule.id}" cannot run: it ${why}`);
  }

  /** null: it should run, and cannot be read. */
  #running({ id, state }: RuleEntry, file: { rule: Rule; digest: string } | null): RuleVersion[] | null {
    if (state.active === null) return [];
    const known = this.#versions.get(id, state.active);
    if (known !== null) return [runnable(known)];
    // Stored in a way that nobody can read, and the file says the same.
    return file !== null && file.digest === state.file ? [{ rule: file.rule, version: state.active }] : null;
  }
}

function runnable({ rule, version }: KnownVersion): RuleVersion {
  return { rule, version };
}
