import type { Alarm } from '#edge/domain/alarm.ts';
import { type RuleVersion, ruleOfInstance } from '#edge/domain/rule.ts';
import type { CampusIndex } from './campus-index.ts';
import { compileRule, nowhere, watchedBy } from './compile-rule.ts';
import type { CompiledInstance } from './compiled-rule.ts';
import type { Departed } from './departure.ts';
import { RuleIndex, type Running } from './rule-index.ts';
import { type InstanceMemory, inheritMemory, sayAgain } from './rule-memory.ts';
import type { Watched } from './scene.ts';
import { restoreMemory, stateName } from './stored-memory.ts';
import { newSleeper } from './wake-list.ts';

interface Entry {
  readonly instances: readonly Running[];
  readonly watches: readonly string[];
  /** 0: it waits for no alarm; else one more than what it waits for, which is judged before it. */
  level: number;
}

/** Every rule at work, with what it remembers: rules come, change and go one at a time. */
export class RuleBook {
  readonly index = new RuleIndex();
  readonly #campus: CampusIndex;
  readonly #entries = new Map<string, Entry>();
  #departed: Departed[] = [];
  #new = new Set<Running>();
  /** Alarms that somebody waits for, as they were at the last look. */
  #watched = new Map<string, { readonly rule: string; seen: Alarm | undefined }>();
  #strangers = new Map<string, string>();
  #ordered: readonly Running[] | null = null;

  constructor(campus: CampusIndex) {
    this.#campus = campus;
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
    this.#entries.set(id, { instances, watches: watchesOf(version), level: 0 });
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
    const instances = this.#entries.get(rule)?.instances ?? [];
    this.#entries.delete(rule);
    for (const running of instances) {
      this.index.remove(running);
      this.#new.delete(running);
    }
    return instances;
  }

  /** A rule that cannot even be compiled is one that sees nothing. */
  #compile(version: RuleVersion): readonly CompiledInstance[] {
    try {
      return compileRule(version, this.#campus);
    } catch (error) {
      return [
        nowhere(version, `a rule that cannot be read (${error instanceof Error ? error.message : String(error)})`),
      ];
    }
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
    const level = this.#levelOf(one.rule.id) - this.#levelOf(other.rule.id);
    if (level !== 0) return level;
    if (one.rule.priority !== other.rule.priority) return one.rule.priority - other.rule.priority;
    return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
  };

  #levelOf(rule: string): number {
    return this.#entries.get(rule)?.level ?? 0;
  }

  isWatched(source: string): boolean {
    return this.#watched.has(source);
  }

  /** Those that wait for the alarm of an instance. */
  watchersOf(running: Running): readonly Running[] {
    return this.index.byWatched.get(running.compiled.rule.id) ?? [];
  }

  /** After a rule came or went: who must be judged before whom, and which alarms are waited for. Costs by those who wait only. */
  #arrange(changed: string): void {
    this.#ordered = null;
    for (const running of this.index.byWatched.get(changed) ?? []) this.#new.add(running);
    const waiting = [...this.#entries].filter(([, { watches }]) => watches.length > 0);
    for (const [id, entry] of waiting) entry.level = this.#depth(id, new Set());
    const before = this.#watched;
    this.#watched = new Map();
    for (const rule of this.index.byWatched.keys()) {
      for (const { compiled } of this.#entries.get(rule)?.instances ?? []) {
        const seen = before.get(compiled.owner)?.seen;
        this.#watched.set(compiled.owner, { rule, seen });
      }
    }
  }

  /** A circle (a mistake that `problemsOf` names) is cut where it is entered. */
  #depth(rule: string, entered: ReadonlySet<string>): number {
    const watches = this.#entries.get(rule)?.watches ?? [];
    if (watches.length === 0 || entered.has(rule)) return 0;
    const inside = new Set([...entered, rule]);
    return 1 + Math.max(...watches.map((id) => this.#depth(id, inside)));
  }

  /** Those that wait for an alarm which is another now. */
  alarmsChanged(open: ReadonlyMap<string, Alarm>, isShadow: boolean): readonly Running[] {
    if (this.index.byWatched.size === 0) return [];
    const called: Running[] = [];
    for (const [source, watched] of this.#watched) {
      const alarm = open.get(source);
      if (isAlike(alarm, watched.seen)) continue;
      watched.seen = alarm;
      called.push(...(this.index.byWatched.get(watched.rule) ?? []));
    }
    if (isShadow) called.push(...this.#strangersChanged(open));
    return called;
  }

  /** A rule in shadow may wait for one that runs in the other engine: its alarms are all that is known of it. */
  #strangersChanged(open: ReadonlyMap<string, Alarm>): readonly Running[] {
    const called: Running[] = [];
    for (const [rule, running] of this.index.byWatched) {
      if (this.#entries.has(rule)) continue;
      const look = this.watched(rule, open, true)
        .map(({ source }) => open.get(source))
        .map((alarm) => `${alarm?.id} ${alarm?.state} ${alarm?.active}`)
        .join();
      if (look === this.#strangers.get(rule)) continue;
      this.#strangers.set(rule, look);
      called.push(...running);
    }
    return called;
  }

  /** Instances of a rule that is waited for. */
  watched(rule: string, open: ReadonlyMap<string, Alarm>, isShadow: boolean): readonly Watched[] {
    const entry = this.#entries.get(rule);
    if (entry !== undefined) {
      return entry.instances.map(({ compiled, memory }) => ({
        instance: compiled.id,
        source: compiled.owner,
        live: memory.live,
      }));
    }
    if (!isShadow) return [];
    return [...open.keys()].flatMap((source) => {
      const instance = /^(?:interlock|rule):(.*)$/.exec(source)?.[1];
      return instance !== undefined && ruleOfInstance(instance) === rule ? [{ instance, source, live: true }] : [];
    });
  }
}

/** For who waits for it: other words of the same alarm change nothing. */
function isAlike(a: Alarm | undefined, b: Alarm | undefined): boolean {
  return a === b || (a?.id === b?.id && a?.state === b?.state && a?.active === b?.active);
}

function watchesOf(version: RuleVersion): readonly string[] {
  try {
    return watchedBy(version.rule);
  } catch {
    // It could not be compiled either, and says so.
    return [];
  }
}
