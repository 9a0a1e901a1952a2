import type { Alarm } from '#edge/domain/alarm.ts';
import { type Rule, type RuleVersion, ruleOfInstance } from '#edge/domain/rule.ts';
import type { CampusIndex } from './campus-index.ts';
import { compileRule, isTooLarge, nowhere, sizeOf, tooLarge, watchedBy } from './compile-rule.ts';
import type { CompiledInstance } from './compiled-rule.ts';
import type { Departed } from './departure.ts';
import { RuleIndex, type Running } from './rule-index.ts';
import { type InstanceMemory, inheritMemory, sayAgain } from './rule-memory.ts';
import type { Watched } from './scene.ts';
import { restoreMemory, stateName } from './stored-memory.ts';
import { WaitingRules } from './waiting-rules.ts';
import { newSleeper } from './wake-list.ts';

interface Entry {
  readonly instances: readonly Running[];
  /** Rules whose alarms it waits for. */
  readonly watches: readonly string[];
  readonly size: number;
}

/** What all rules together may look at and act on: some 150 MB of what the engine remembers. Safety rules are never turned away by it. */
export const mostInAll = 200_000;

/** Every rule at work, with what it remembers: rules come, change and go one at a time. */
export class RuleRoster {
  readonly index = new RuleIndex();
  readonly #campus: CampusIndex;
  readonly #entries = new Map<string, Entry>();
  #departed: Departed[] = [];
  #new = new Set<Running>();
  readonly #waiting: WaitingRules;
  /** Of all rules together, as `sizeOf` counts. */
  #size = 0;
  #ordered: readonly Running[] | null = null;

  constructor(campus: CampusIndex) {
    this.#campus = campus;
    this.#waiting = new WaitingRules(this.#entries, this.index);
  }

  get size(): number {
    let size = 0;
    for (const { instances } of this.#entries.values()) size += instances.length;
    return size;
  }

  /** Answers the instances that are no longer called. */
  put(version: RuleVersion, stored: Readonly<Record<string, unknown>>): readonly Running[] {
    const { id } = version.rule;
    const before = this.#take(id);
    const old = new Map(before.map((running) => [running.compiled.id, running]));
    const instances = this.#compile(version).map((compiled): Running => {
      const same = old.get(compiled.id);
      old.delete(compiled.id);
      const own =
        same === undefined ? restoreMemory(compiled, stored[stateName(compiled.id)]) : this.#inherit(compiled, same);
      const memory = this.#departed.length === 0 ? own : this.#reclaim(compiled, own);
      return { compiled, memory, byMonotonic: newSleeper(), byTime: newSleeper(), touched: [], calledIn: 0 };
    });
    for (const { compiled, memory } of old.values()) this.#departed.push({ compiled, memory });
    const size = sizeOf(instances.map(({ compiled }) => compiled));
    this.#size += size;
    this.#entries.set(id, { instances, watches: watchesOf(version), size });
    for (const running of instances) {
      this.index.add(running);
      this.#new.add(running);
    }
    this.#arrange(id);
    return before;
  }

  remove(rule: string): readonly Running[] {
    const before = this.#take(rule);
    for (const { compiled, memory } of before) this.#departed.push({ compiled, memory });
    this.#arrange(rule);
    return before;
  }

  #take(rule: string): readonly Running[] {
    const { instances, size } = this.#entries.get(rule) ?? { instances: [], size: 0 };
    this.#entries.delete(rule);
    this.#size -= size;
    this.index.remove(instances);
    for (const running of instances) this.#new.delete(running);
    return instances;
  }

  /** A rule that cannot even be compiled is one that sees nothing. */
  #compile(version: RuleVersion): readonly CompiledInstance[] {
    try {
      const compiled = compileRule(version, this.#campus);
      if (version.rule.kind === 'safety' || this.#size + sizeOf(compiled) <= mostInAll) return compiled;
      return [nowhere(version, 'a rule for which the others leave no room')];
    } catch (error) {
      return [
        nowhere(version, `a rule that cannot be read (${error instanceof Error ? error.message : String(error)})`),
      ];
    }
  }

  /** Why it would see nothing here; null: it fits. */
  refuses(rule: Rule): string | null {
    const compiled = compileRule({ rule, version: 0 }, this.#campus);
    if (compiled.some(isTooLarge)) return tooLarge;
    const rest = this.#size - (this.#entries.get(rule.id)?.size ?? 0);
    if (rule.kind === 'safety' || rest + sizeOf(compiled) <= mostInAll) return null;
    return `would let all rules together look at and act on more than ${mostInAll} points: turn one off first`;
  }

  /** Of another kind it has another owner and another alarm: the old ones are given back. */
  #inherit(compiled: CompiledInstance, before: Running): InstanceMemory {
    const memory = inheritMemory(compiled, before);
    if (compiled.owner === before.compiled.owner) return memory;
    this.#departed.push({ compiled: before.compiled, memory: before.memory, goesOn: 'elsewhere' });
    return { ...memory, held: new Map(), forbidden: new Map(), saidAlarm: false };
  }

  /**
   * Gone and come again, under the same owner, before anybody looked: what the one before holds is given back by this one, which
   * knows what of it is still wanted. Saying both in one step could end with the weaker word.
   */
  #reclaim(compiled: CompiledInstance, memory: InstanceMemory): InstanceMemory {
    let after = memory;
    this.#departed = this.#departed.map((before) => {
      if (before.compiled.id !== compiled.id || before.goesOn === 'here') return before;
      if (before.goesOn === undefined) {
        const isStored = after.isStored || before.memory.isStored;
        after = { ...after, isStored, isDirty: true, saidBlind: before.memory.saidBlind };
      }
      if (before.compiled.owner !== compiled.owner) return { ...before, goesOn: 'elsewhere' };
      const { held, forbidden } = sayAgain(before.memory);
      after = { ...after, held, forbidden, saidAlarm: before.memory.saidAlarm };
      const nothing = { held: new Map(), forbidden: new Map() };
      return { compiled: before.compiled, memory: { ...before.memory, ...nothing }, goesOn: 'here' };
    });
    return after;
  }

  takeDeparted(): readonly Departed[] {
    if (this.#departed.length === 0) return [];
    const departed = this.#departed;
    this.#departed = [];
    return departed;
  }

  takeNew(): readonly Running[] {
    if (this.#new.size === 0) return [];
    const called = [...this.#new];
    this.#new = new Set();
    return called;
  }

  callAgain(running: Running): void {
    this.#new.add(running);
  }

  /** An instance by its id, or every instance of a rule. */
  find(id: string): readonly Running[] {
    const instances = this.#entries.get(ruleOfInstance(id))?.instances ?? [];
    const exact = instances.filter(({ compiled }) => compiled.id === id);
    return exact.length > 0 || id.includes('@') ? exact : instances;
  }

  /** By rule and place. */
  all(): readonly Running[] {
    this.#ordered ??= [...this.#entries]
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .flatMap(([, { instances }]) => instances);
    return this.#ordered;
  }

  /** Who is waited for first, then by priority, rule and place: a total order. */
  readonly inOrder = (a: Running, b: Running): number => {
    const [one, other] = [a.compiled, b.compiled];
    const level = this.#waiting.levelOf(one.rule.id) - this.#waiting.levelOf(other.rule.id);
    if (level !== 0) return level;
    if (one.rule.priority !== other.rule.priority) return one.rule.priority - other.rule.priority;
    return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
  };

  isWatched(source: string): boolean {
    return this.#waiting.isWatched(source);
  }

  /** Those that wait for the alarm of an instance. */
  watchersOf(running: Running): readonly Running[] {
    return this.index.byWatched.get(running.compiled.rule.id) ?? [];
  }

  /** After a rule came or went: whoever waits for its alarm looks again. */
  #arrange(changed: string): void {
    this.#ordered = null;
    for (const running of this.index.byWatched.get(changed) ?? []) this.#new.add(running);
    this.#waiting.rearrange();
  }

  /** Those that wait for an alarm which is another now. */
  alarmsChanged(open: ReadonlyMap<string, Alarm>, isShadow: boolean): readonly Running[] {
    return this.#waiting.changed(open, isShadow);
  }

  /** Instances of a rule that is waited for. */
  watched(rule: string, open: ReadonlyMap<string, Alarm>, isShadow: boolean): readonly Watched[] {
    return this.#waiting.watched(rule, open, isShadow);
  }
}

function watchesOf(version: RuleVersion): readonly string[] {
  try {
    return watchedBy(version.rule);
  } catch {
    // It could not be compiled either, and says so.
    return [];
  }
}
