import type { Alarm } from '#edge/domain/alarm.ts';
import { ruleOfInstance } from '#edge/domain/rule.ts';
import type { RuleIndex, Running } from './rule-index.ts';
import type { Watched } from './scene.ts';

interface Waiting {
  readonly instances: readonly Running[];
  /** Rules whose alarms it waits for. */
  readonly watches: readonly string[];
}

/** Who waits for whose alarm: who is judged first, and whom another alarm concerns. */
export class WaitingRules {
  readonly #entries: ReadonlyMap<string, Waiting>;
  readonly #index: RuleIndex;
  /** Made when somebody asks: a start puts a thousand rules, one after the other. */
  #levels: ReadonlyMap<string, number> | null = null;
  /** Alarms that somebody waits for, as they were at the last look. */
  #watched: Map<string, { readonly rule: string; seen: Alarm | undefined }> = new Map();
  /** Those of them that were open. */
  #seen = new Set<string>();
  #isStale = false;
  readonly #strangers = new Map<string, string>();

  constructor(entries: ReadonlyMap<string, Waiting>, index: RuleIndex) {
    this.#entries = entries;
    this.#index = index;
  }

  /** A rule came or went. */
  rearrange(): void {
    this.#levels = null;
    this.#isStale = true;
  }

  /** 0: it waits for no alarm; else more than what it waits for, which is judged before it. */
  levelOf(rule: string): number {
    this.#levels ??= levelsOf(this.#entries);
    return this.#levels.get(rule) ?? 0;
  }

  isWatched(source: string): boolean {
    return this.#sources().has(source);
  }

  /** Those that wait for an alarm which is another now. Costs by the alarms that are open, or were. */
  changed(open: ReadonlyMap<string, Alarm>, isShadow: boolean): readonly Running[] {
    if (this.#index.byWatched.size === 0) return [];
    const sources = this.#sources();
    const called: Running[] = [];
    const look = (source: string) => {
      const watched = sources.get(source);
      if (watched === undefined) return;
      const alarm = open.get(source);
      if (isAlike(alarm, watched.seen)) return;
      watched.seen = alarm;
      if (alarm === undefined) this.#seen.delete(source);
      else this.#seen.add(source);
      called.push(...(this.#index.byWatched.get(watched.rule) ?? []));
    };
    if (open.size + this.#seen.size < sources.size) {
      for (const source of [...this.#seen]) look(source);
      for (const source of open.keys()) look(source);
    } else for (const source of sources.keys()) look(source);
    if (isShadow) called.push(...this.#strangersChanged(open));
    return called;
  }

  #sources(): ReadonlyMap<string, { readonly rule: string; seen: Alarm | undefined }> {
    if (!this.#isStale) return this.#watched;
    this.#isStale = false;
    const before = this.#watched;
    this.#watched = new Map();
    this.#seen = new Set();
    for (const rule of this.#index.byWatched.keys()) {
      for (const { compiled } of this.#entries.get(rule)?.instances ?? []) {
        const seen = before.get(compiled.owner)?.seen;
        this.#watched.set(compiled.owner, { rule, seen });
        if (seen !== undefined) this.#seen.add(compiled.owner);
      }
    }
    return this.#watched;
  }

  /** A rule in shadow may wait for one that runs in the other engine: its alarms are all that is known of it. */
  #strangersChanged(open: ReadonlyMap<string, Alarm>): readonly Running[] {
    const called: Running[] = [];
    for (const [rule, running] of this.#index.byWatched) {
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

/**
 * Rules that wait for nobody come first, then, in rounds, those that wait only for rules that have their place. What is left waits in
 * a circle, or for one that does (a mistake that `problemsOf` names), and comes last. Each rule that is waited for is looked at once.
 */
function levelsOf(entries: ReadonlyMap<string, Waiting>): ReadonlyMap<string, number> {
  const levels = new Map<string, number>();
  const open = new Map<string, number>();
  const waiters = new Map<string, string[]>();
  let round: string[] = [];
  for (const [id, { watches }] of entries) {
    const known = new Set(watches.filter((watched) => entries.has(watched)));
    open.set(id, known.size);
    for (const watched of known) {
      const list = waiters.get(watched);
      if (list === undefined) waiters.set(watched, [id]);
      else list.push(id);
    }
    if (known.size === 0) round.push(id);
  }
  let level = 0;
  for (; round.length > 0; level++) {
    const next: string[] = [];
    for (const id of round) {
      levels.set(id, level);
      for (const waiter of waiters.get(id) ?? []) {
        const left = (open.get(waiter) ?? 0) - 1;
        open.set(waiter, left);
        if (left === 0) next.push(waiter);
      }
    }
    round = next;
  }
  for (const id of entries.keys()) if (!levels.has(id)) levels.set(id, level);
  return levels;
}

/** For who waits for it: other words of the same alarm change nothing. */
function isAlike(a: Alarm | undefined, b: Alarm | undefined): boolean {
  return a === b || (a?.id === b?.id && a?.state === b?.state && a?.active === b?.active);
}
