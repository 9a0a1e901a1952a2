import type { Rule, RuleVersion } from '#edge/domain/rule.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { DocumentChange } from '#edge/store/documents.ts';
import type { Reader } from '#edge/store/reader.ts';
import { type Act, type Deed, type KnownVersion, putRule, type RuleEntry, type RuleStored } from './rule-entry.ts';
import type { RuleFiles } from './rule-files.ts';
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

export interface RuleKeeperOptions extends RuleLookoutOptions {
  readonly reader: Pick<Reader, 'document' | 'documents'>;
  readonly files: RuleFiles;
  /** Writes at once, or fails: what people change is never owed to the disk. */
  readonly append: (batch: Batch) => Promise<void>;
  /** There was a first start already. */
  readonly hasBegun: boolean;
  readonly clock: Clock;
}

/** Versions that are to run from the start on. */
export interface RunningRules {
  readonly active: readonly RuleVersion[];
  readonly shadow: readonly RuleVersion[];
}

/** Name of the state that says that there was a first start. */
export const begunState = 'rules';

/** Versions that only watch, at once. */
export const mostShadows = 20;

/**
 * Keeps what is stored of rules, what runs and what lies in the folder the same: whatever a kill, a slow disk or an editor did to
 * one of them. One change at a time.
 */
export class RuleKeeper {
  readonly #options: RuleKeeperOptions;
  readonly #entries = new Map<string, RuleEntry>();
  readonly versions: RuleVersions;
  readonly lookout: RuleLookout;
  #broken: RuleFolderNow['broken'] = [];
  #runner: RuleRunner | null = null;
  /** What the start has changed and is not yet on disk. */
  #unsettled: Reconciliation | null = null;
  /** A change of these was given up on, and may happen yet. */
  readonly #doubtful = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RuleKeeperOptions) {
    this.#options = options;
    this.versions = new RuleVersions(options.reader, options.log);
    this.lookout = new RuleLookout(options);
  }

  /** Reads what is stored and what lies in the folder, and says what is to run. Writes nothing yet: see `settle`. */
  async load(): Promise<RunningRules> {
    const folder = await this.#options.files.read();
    const stored = this.versions.entries();
    const found = reconcileRules({
      entries: stored ?? [],
      version: (rule, version) => this.versions.get(rule, version),
      folder,
      isFirst: stored === null || (stored.length === 0 && !this.#options.hasBegun),
      now: this.#options.clock.now(),
    });
    this.#broken = folder.broken;
    for (const entry of found.entries) this.#entries.set(entry.id, entry);
    this.#unsettled = found;
    this.versions.expect(found.documents);
    const troubles = new Map(found.troubles);
    const inFolder = new Map(folder.files.map((file) => [file.id, file]));
    const active = found.entries.flatMap((entry) => {
      const running = this.#running(entry, inFolder.get(entry.id) ?? null);
      if (running === null) troubles.set(entry.id, `v${entry.state.active} cannot be read, and does not run`);
      return running ?? [];
    });
    this.lookout.begin(
      active.map(({ rule }) => rule),
      troubles,
    );
    const shadow = found.entries.flatMap(({ id, state }) => {
      const known = state.shadow === null ? null : this.versions.get(id, state.shadow);
      return known === null ? [] : [runnable(known)];
    });
    return { active, shadow: shadow.slice(0, mostShadows) };
  }

  /** From now on changes reach the rules that run. */
  begin(runner: RuleRunner): void {
    this.#runner = runner;
    this.lookout.tell();
    void this.inTurn(async () => {}).catch((error: unknown) =>
      this.#options.log.error({ error }, 'what the start found in the rules folder is not on disk yet'),
    );
  }

  /** Tries again what the start could not write, and looks whether what was given up on has happened after all. Call it now and then. */
  tick(): void {
    if (this.#unsettled === null && this.#doubtful.size === 0) return;
    const look = async () => {
      for (const id of this.#doubtful) this.#readAgain(id);
    };
    void this.inTurn(look).catch(() => {}); // its reason stands in the log already
  }

  get entries(): ReadonlyMap<string, RuleEntry> {
    return this.#entries;
  }

  /** Files that cannot be used. */
  get broken(): readonly { readonly file: string; readonly message: string }[] {
    return this.#broken.map(({ file, message }) => ({ file, message }));
  }

  start(next: KnownVersion): void {
    this.#runner?.put(runnable(next));
    this.lookout.runs(next.rule);
  }

  stop(id: string): void {
    this.#runner?.remove(id);
    this.lookout.stands(id);
  }

  watch(next: KnownVersion): void {
    this.#runner?.watch(runnable(next));
  }

  unwatch(id: string): void {
    this.#runner?.unwatch(id);
  }

  /** Writes the file of what runs. A disk that refuses it does not keep the rule from running: that is said. */
  async writeFile(entry: RuleEntry | null, done: string): Promise<string> {
    if (entry === null) return done;
    const { id, state } = entry;
    const body = state.active === null ? null : (this.versions.get(id, state.active)?.body ?? null);
    const fault =
      state.active !== null && body === null ? 'its version cannot be read' : await this.#options.files.write(id, body);
    this.#broken = this.#broken.filter((one) => one.id !== id);
    if (fault !== null) {
      this.lookout.trouble(id, `${id}.yaml could not be written (${fault}): it is tried again at the next start`);
      return `${done}; its file could not be written: ${fault}`;
    }
    this.lookout.trouble(id, null);
    const why = 'the file is written';
    const act = { who: 'process:core', from: 'core', why, time: this.#options.clock.now() };
    // Not worth failing for: at the next start the file is found to be what it should be.
    await this.put(entry, { ...state, writing: null }, act, { verb: 'rule.written' }).catch(() => {});
    return done;
  }

  /** Stores one change of a rule with what belongs to it. */
  async put(
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
    if (next === null) this.lookout.trouble(entry.id, null);
    return next;
  }

  /** The store knows better: what it has is what runs. */
  #readAgain(id: string): void {
    try {
      const was = this.#entries.get(id);
      const before = was?.state.active ?? null;
      const stored = this.versions.entry(id);
      if (stored === null) this.#entries.delete(id);
      else this.#entries.set(id, stored);
      this.#watchAgain(id, was?.state.shadow ?? null, stored?.state.shadow ?? null);
      const now = stored?.state.active ?? null;
      if (before === now) return;
      const known = now === null ? null : this.versions.get(id, now);
      if (known === null) this.stop(id);
      else this.start(known);
    } catch (error) {
      this.#options.log.error({ error, rule: id }, 'a rule could not be read again');
    }
  }

  #watchAgain(id: string, before: number | null, now: number | null): void {
    if (before === now) return;
    const known = now === null ? null : this.versions.get(id, now);
    if (known === null) this.unwatch(id);
    else this.watch(known);
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
    this.versions.expect([]);
    for (const { id } of found.unwritten) {
      const entry = this.#entries.get(id);
      if (entry !== undefined) await this.writeFile(entry, '');
    }
  }

  /** One after the other, and none before what the start found is on disk. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = async () => {
      await this.#settle();
      return work();
    };
    const done = this.#last.then(run, run);
    this.#last = done.catch(() => {});
    return done;
  }

  /** null: it should run, and cannot be read. */
  #running({ id, state }: RuleEntry, file: { rule: Rule; digest: string } | null): RuleVersion[] | null {
    if (state.active === null) return [];
    const known = this.versions.get(id, state.active);
    if (known !== null) return [runnable(known)];
    // Stored in a way that nobody can read, and the file says the same.
    return file !== null && file.digest === state.file ? [{ rule: file.rule, version: state.active }] : null;
  }
}

function runnable({ rule, version }: KnownVersion): RuleVersion {
  return { rule, version };
}
