import type { Name } from '#edge/domain/place.ts';
import type { Rule, RuleVersion } from '#edge/domain/rule.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { type RuleBody, ruleHash } from '#edge/runtime/rule-body.ts';
import { describeMistake } from '#edge/runtime/rule-mistakes.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';
import type { Batch } from '#edge/store/batch.ts';
import { type DocumentChange, longestRule, ruleVersionId } from '#edge/store/documents.ts';
import type { Reader } from '#edge/store/reader.ts';
import { describeBodies } from './rule-diff.ts';
import {
  type Act,
  activated,
  addVersion,
  type Deed,
  entryOf,
  forgetVersion,
  type KnownVersion,
  putRule,
  type RuleEntry,
  type RuleStored,
  turnedOff,
  type VersionSource,
} from './rule-entry.ts';
import type { RuleFiles } from './rule-files.ts';
import { type Reconciliation, type RuleFolderNow, reconcileRules } from './rule-reconcile.ts';

/** Where rules are at work. */
export interface RuleRunner {
  put(version: RuleVersion): void;
  remove(rule: string): void;
  /** Runs it where it acts on nothing. */
  watch(version: RuleVersion): void;
  unwatch(rule: string): void;
}

export interface RuleTestOutcome {
  readonly name: Name;
  readonly passed: boolean;
  readonly detail: string;
}

export interface RuleBookOptions {
  readonly reader: Pick<Reader, 'document' | 'documents'>;
  readonly files: RuleFiles;
  /** Writes at once, or fails: what people change is never owed to the disk. */
  readonly append: (batch: Batch) => Promise<void>;
  /** What rules that can be read cannot do here (an unknown point ...), a sentence each, beside `others`; away from core's loop. */
  readonly check: (rules: readonly Rule[], others: readonly Rule[]) => Promise<readonly (readonly string[])[]>;
  /** Runs the rule's own tests, away from core's loop. */
  readonly play: (rule: Rule, others: readonly Rule[]) => Promise<readonly RuleTestOutcome[]>;
  /** What a person must see to, whenever it changes: files that differ or cannot be read, an active rule that cannot. */
  readonly onTroubles: (troubles: readonly string[]) => void;
  /** What safety rules that run cannot do here, whenever it changes. */
  readonly onFaulty: (problems: readonly string[]) => void;
  /** There was a first start already. */
  readonly hasBegun: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Versions that are to run from the start on. */
export interface RunningRules {
  readonly active: readonly RuleVersion[];
  readonly shadow: readonly RuleVersion[];
}

/** Whose act it is, and from which address. */
export interface Actor {
  readonly who: string;
  readonly from: string;
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
  readonly #troubles = new Map<string, string>();
  /** Of the versions that run: what they cannot do here. */
  readonly #problems = new Map<string, readonly string[]>();
  readonly #active = new Map<string, Rule>();
  #faulty = '[]';
  #broken: RuleFolderNow['broken'] = [];
  #runner: RuleRunner | null = null;
  /** What the start has changed and is not yet on disk. */
  #unsettled: Reconciliation | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RuleBookOptions) {
    this.#options = options;
  }

  /** Reads what is stored and what lies in the folder, and says what is to run. Writes nothing yet: see `settle`. */
  async load(): Promise<RunningRules> {
    const folder = await this.#options.files.read();
    const stored = this.#readStored();
    const found = reconcileRules({
      entries: stored ?? [],
      version: (rule, version) => this.#version(rule, version),
      folder,
      isFirst: stored === null || (stored.length === 0 && !this.#options.hasBegun),
      now: this.#options.clock.now(),
    });
    this.#broken = folder.broken;
    for (const [id, trouble] of found.troubles) this.#troubles.set(id, trouble);
    for (const entry of found.entries) this.#entries.set(entry.id, entry);
    this.#unsettled = found;
    const inFolder = new Map(folder.files.map((file) => [file.id, file]));
    const active = found.entries.flatMap((entry) => this.#running(entry, inFolder.get(entry.id) ?? null));
    for (const { rule } of active) this.#active.set(rule.id, rule);
    const shadow = found.entries.flatMap(({ id, state }) => {
      const known = state.shadow === null ? null : this.#version(id, state.shadow);
      return known === null ? [] : [runnable(known)];
    });
    return { active, shadow: shadow.slice(0, mostShadows) };
  }

  /** From now on changes reach the rules that run. */
  begin(runner: RuleRunner): void {
    this.#runner = runner;
    this.#tellTroubles();
    void this.#inTurn(() => this.#settle()).catch((error: unknown) =>
      this.#options.log.error({ error }, 'what the start found in the rules folder is not on disk yet'),
    );
    this.#lookAt([...this.#active.values()]);
  }

  /** Tries again what the start could not write. Call it now and then. */
  tick(): void {
    if (this.#unsettled !== null) void this.#inTurn(async () => {}).catch(() => {}); // its reason stands in the log already
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
      const { body, rule } = readBody(given.body);
      if (rule.id !== id) throw invalid([`id: is "${rule.id}", and the rule is "${id}"`]);
      const entry = this.#entries.get(id) ?? null;
      const latest = entry?.state.latest ?? 0;
      if (latest !== given.base) throw changed(id, `version ${given.base} was seen, and ${latest} is the newest`);
      const act = this.#act(actor, given.why);
      const before = entry === null ? null : (this.#version(id, latest)?.body ?? null);
      const made = addVersion(id, entry?.state ?? null, { body, rule, source: given.origin, before }, act, 'rule.save');
      const deed = { verb: entry === null ? 'rule.create' : 'rule.save' };
      await this.#put(entry ?? { id, rev: 0 }, made.state, act, deed, made.changes);
      const [problems = []] = await this.#options.check([rule], this.#others(rule.id));
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
    const others = this.#others(rule.id);
    const [[problems = []], tests] = await Promise.all([
      this.#options.check([rule], others),
      this.#options.play(rule, others),
    ]);
    return { rule, mistakes: [], problems, tests };
  }

  /**
   * Makes a version run (null: turns the rule off); of a safety rule that is a proposal. Throws RULE_NOT_FOUND, RULE_SAME,
   * RULE_TESTS_FAILED, and RULE_NEEDS_PERSON for a token at a safety rule.
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
      const { version, by } = this.#proposal(entry, seen);
      const approver = requirePerson(actor, 'approve');
      if (approver === by) {
        throw new CodedError('RULE_SAME_PERSON', 'whoever proposed it cannot approve it: another person must');
      }
      const next = version === null ? null : this.#require(id, version);
      if (next !== null && ruleHash(next.rule) !== seen.digest)
        throw changed(id, 'the version is not what was proposed');
      if (next !== null) await this.#mustPass(next);
      return this.#run(entry, next, this.#act(actor, why), 'rule.approve', ` (proposed by ${by})`);
    });
  }

  /** Turns a proposal down, or takes it back. The file that it was made of becomes again what runs. */
  reject(id: string, seen: SeenProposal, why: string, actor: Actor): Promise<Acted> {
    return this.#inTurn(async () => {
      const entry = this.#find(id);
      const { version, by } = this.#proposal(entry, seen);
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

  /** A version that watches beside the active one and acts on nothing; null: no longer. Throws RULE_SHADOW_LIMIT. */
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
    const trouble = this.#troubles.get(id);
    return [...(trouble === undefined ? [] : [trouble]), ...(this.#problems.get(id) ?? [])];
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
    this.#active.set(next.rule.id, next.rule);
    this.#runner?.put(runnable(next));
    this.#lookAt([next.rule]);
  }

  #stop(id: string): void {
    this.#active.delete(id);
    this.#problems.delete(id);
    this.#runner?.remove(id);
    this.#tellFaulty();
  }

  /** Looks at rules that run; nobody waits for it. */
  #lookAt(rules: readonly Rule[]): void {
    const others = [...this.#active.values()];
    this.#options.check(rules, others).then(
      (found) => {
        rules.forEach((rule, i) => {
          if (this.#active.get(rule.id) === rule) this.#problems.set(rule.id, found[i] ?? []);
        });
        this.#tellFaulty();
      },
      (error: unknown) => this.#options.log.error({ error }, 'rules could not be looked at'),
    );
  }

  #tellFaulty(): void {
    const safety = [...this.#active.values()].filter(({ kind }) => kind === 'safety');
    const faulty = safety.flatMap(({ id }) => (this.#problems.get(id) ?? []).map((problem) => `${id}: ${problem}`));
    const text = JSON.stringify(faulty);
    if (text === this.#faulty) return;
    this.#faulty = text;
    this.#options.onFaulty(faulty);
  }

  #whatChanges({ id, state }: RuleEntry, next: KnownVersion | null): string {
    const from = state.active === null ? 'off' : `v${state.active}`;
    const before = state.active === null ? null : (this.#version(id, state.active)?.body ?? null);
    const words = before === null || next === null ? '' : `: ${describeBodies(before, next.body)}`;
    return `${from} -> ${next === null ? 'off' : `v${next.version}`}${words}`;
  }

  /** Writes the file of what runs. A disk that refuses it does not keep the rule from running: that is said. */
  async #writeFile(entry: RuleEntry | null, done: string): Promise<string> {
    if (entry === null) return done;
    const { id, state } = entry;
    const body = state.active === null ? null : (this.#version(id, state.active)?.body ?? null);
    const fault =
      state.active !== null && body === null ? 'its version cannot be read' : await this.#options.files.write(id, body);
    this.#broken = this.#broken.filter((one) => one.id !== id);
    if (fault !== null) {
      this.#troubles.set(id, `${id}.yaml could not be written (${fault}): it is tried again at the next start`);
      this.#tellTroubles();
      return `${done}; its file could not be written: ${fault}`;
    }
    this.#troubles.delete(id);
    this.#tellTroubles();
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
      if (codeOf(error) === 'STORE_TIMEOUT' || codeOf(error) === 'DOCUMENT_CHANGED') this.#readAgain(entry.id);
      throw error;
    }
    if (next === null) this.#entries.delete(entry.id);
    else this.#entries.set(entry.id, next);
    if (next === null && this.#troubles.delete(entry.id)) this.#tellTroubles();
    return next;
  }

  /** The store knows better: what it has is what runs. */
  #readAgain(id: string): void {
    try {
      const stored = this.#options.reader.document('rule', id);
      const before = this.#entries.get(id)?.state;
      if (stored === null) this.#entries.delete(id);
      else this.#entries.set(id, entryOf(stored));
      const now = stored?.body;
      if ((before?.active ?? null) !== (now?.active ?? null)) {
        const known = now?.active == null ? null : this.#version(id, now.active);
        if (known === null) this.#stop(id);
        else this.#start(known);
      }
    } catch (error) {
      this.#options.log.error({ error, rule: id }, 'a rule could not be read again');
    }
  }

  async #settle(): Promise<void> {
    const found = this.#unsettled;
    if (found === null) return;
    const begun = this.#options.hasBegun ? {} : { state: { [begunState]: { begun: this.#options.clock.now() } } };
    if (found.documents.length > 0 || !this.#options.hasBegun) {
      await this.#options.append({ documents: found.documents, ...begun });
    }
    this.#unsettled = null;
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

  #others(id: string): readonly Rule[] {
    return [...this.#active.values()].filter((rule) => rule.id !== id);
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
    const known = this.#version(id, version);
    if (known === null)
      throw new CodedError('RULE_NOT_FOUND', `there is no version ${version} of "${id}" that can be read`);
    return known;
  }

  #proposal({ id, state }: RuleEntry, seen: SeenProposal): NonNullable<RuleStored['proposal']> {
    const { proposal } = state;
    if (proposal === null) throw new CodedError('RULE_NOT_PROPOSED', `nothing is proposed for "${id}"`);
    if (proposal.version !== seen.version || proposal.digest !== seen.digest) {
      const what = proposal.version === null ? 'that it is turned off' : `v${proposal.version}`;
      throw changed(id, `${what} is proposed by now`);
    }
    return proposal;
  }

  /** What is, or becomes, a safety rule. */
  #isSafety({ id, state }: RuleEntry, next: KnownVersion | null): boolean {
    if (next?.rule.kind === 'safety') return true;
    if (state.active === null) return false;
    return (this.#version(id, state.active)?.rule.kind ?? state.kind) === 'safety';
  }

  async #mustPass({ rule, version }: KnownVersion): Promise<void> {
    const played = await this.#options.play(rule, this.#others(rule.id));
    const failed = played.filter(({ passed }) => !passed);
    if (failed.length === 0) return;
    const [first] = failed;
    const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : '';
    throw new CodedError(
      'RULE_TESTS_FAILED',
      `v${version} of "${rule.id}" fails its own test "${first?.name.en}": ${first?.detail}${more}`,
    );
  }

  #running(entry: RuleEntry, file: { rule: Rule; digest: string } | null): RuleVersion[] {
    const { id, state } = entry;
    if (state.active === null) return [];
    const known = this.#version(id, state.active);
    if (known !== null) return [runnable(known)];
    // New, and not on disk yet; or stored in a way that nobody can read, and the file says the same.
    if (file !== null && file.digest === state.file) return [{ rule: file.rule, version: state.active }];
    this.#troubles.set(id, `v${state.active} of "${id}" cannot be read, and does not run`);
    return [];
  }

  /** Of the store, or of what the start has found and is still to be stored. */
  #version(rule: string, version: number): KnownVersion | null {
    const id = ruleVersionId(rule, version);
    const waiting = this.#unsettled?.documents.find((one) => one.kind === 'ruleVersion' && one.id === id);
    const body = waiting === undefined ? this.#readVersion(id) : (waiting.body as { body: RuleBody }).body;
    const parsed = body === null ? null : parseRule(body);
    if (body === null || parsed === null || !parsed.ok) return null;
    return { version, body, rule: parsed.rule, digest: ruleHash(parsed.rule) };
  }

  #readVersion(id: string): RuleBody | null {
    try {
      return this.#options.reader.document('ruleVersion', id)?.body.body ?? null;
    } catch (error) {
      this.#options.log.error({ error, version: id }, 'a version of a rule cannot be read');
      return null;
    }
  }

  /** null: there is no store to ask. */
  #readStored(): readonly RuleEntry[] | null {
    try {
      return this.#options.reader.documents('rule').map(entryOf);
    } catch (error) {
      this.#options.log.error(
        { problem: messageOf(error) },
        'rules start from their files: nothing stored can be read',
      );
      return null;
    }
  }

  #tellTroubles(): void {
    this.#options.onTroubles([...this.#troubles.values()]);
  }
}

export interface SeenProposal {
  readonly version: number | null;
  readonly digest: string | null;
}

function runnable({ rule, version }: KnownVersion): RuleVersion {
  return { rule, version };
}

function readBody(given: unknown): { readonly body: RuleBody; readonly rule: Rule } {
  const parsed = parseRule(given);
  if (!parsed.ok) throw invalid(parsed.mistakes.map(describeMistake));
  const body = given as RuleBody;
  if (JSON.stringify(body).length > longestRule) throw invalid([`(file): is longer than ${longestRule} characters`]);
  return { body, rule: parsed.rule };
}

function invalid(mistakes: readonly string[]): CodedError {
  return new CodedError('RULE_INVALID', mistakes.join('\n'));
}

function changed(id: string, how: string): CodedError {
  return new CodedError('RULE_CHANGED', `"${id}" was changed meanwhile: ${how}`);
}

/** A token belongs to a program, and nobody knows who stands behind it. */
function requirePerson({ who }: Actor, what: string): string {
  if (who.startsWith('person:')) return who;
  throw new CodedError('RULE_NEEDS_PERSON', `a safety rule is for people to ${what}: sign in as yourself`);
}
