import fc from 'fast-check';
import type { CampusEvent } from '#edge/domain/event.ts';
import { type PointRef, splitPointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { Rule } from '#edge/domain/rule.ts';
import { acknowledgeAlarm, applyAlarmDecisions, type OpenAlarms } from '#edge/rules/alarm-machine.ts';
import { createEngine } from '#edge/rules/create-engine.ts';
import { type Decision, isAlarmDecision } from '#edge/rules/decision.ts';
import type { Engine, StepOutcome } from '#edge/rules/engine.ts';
import { type Happening, type History, histories, type Step } from './random-histories.ts';
import { quickCalendar, tinyCampus } from './random-rules.ts';
import { type Answer, Reference } from './reference.ts';

/** The engine and the reference through the same history, step by step. */
export class SideBySide {
  #engine: Engine;
  #reference: Reference;
  #rules = new Map<string, Rule>();
  #version = 1;
  #now = 10_000_000;
  #monotonic = 1_000;
  #latest = new Map<PointRef, Reading>();
  #stored = new Map<string, unknown>();
  #modes = new Set<string>();
  #alarms: OpenAlarms = new Map();
  #wakeIn: number | null = null;
  #ids = 0;
  /** What both said at each step. */
  readonly said: string[] = [];

  constructor(rules: readonly Rule[]) {
    this.#engine = createEngine({ campus: tinyCampus, calendar: quickCalendar, monotonic: this.#monotonic });
    this.#reference = new Reference(tinyCampus, quickCalendar, this.#monotonic);
    for (const rule of rules) this.#put(rule);
  }

  /** Null, or how they differ. */
  step({ after, happenings }: Step): { readonly engine: unknown; readonly reference: unknown } | null {
    const ms = typeof after === 'number' ? after : Math.max(0, (this.#wakeIn ?? 1_000) + after.wake);
    this.#now += ms;
    this.#monotonic += ms;
    const changed: PointRef[] = [];
    const events: CampusEvent[] = [];
    const differ: string[] = [];
    for (const one of happenings) this.#happen(one, changed, events, differ);
    const [now, monotonic, openAlarms, modes] = [this.#now, this.#monotonic, this.#alarms, this.#modes];
    const outcome = this.#engine.step({ now, monotonic, changed, latest: this.#latest, events, openAlarms, modes });
    const answer = this.#reference.step({
      now,
      monotonic,
      readings: new Map<string, Reading>(this.#latest),
      events,
      alarms: openAlarms,
      modes: new Set(modes),
    });
    this.#keep(outcome);
    const engine = { ...answerOf(outcome, this.#engine), differ: [] as string[] };
    const reference = { ...answer, differ };
    const text = JSON.stringify(engine);
    this.said.push(text);
    return text === JSON.stringify(reference) ? null : { engine, reference };
  }

  #keep(outcome: StepOutcome): void {
    this.#wakeIn = outcome.wakeIn;
    for (const [key, state] of Object.entries(outcome.durable)) {
      if (state === null) this.#stored.delete(key);
      else this.#stored.set(key, JSON.parse(JSON.stringify(state)));
    }
    const context = { now: this.#now, newId: () => this.#id(), causesOf: () => [] };
    this.#alarms = applyAlarmDecisions(this.#alarms, outcome.decisions.filter(isAlarmDecision), context).open;
  }

  #id(): CampusEvent['id'] {
    return `id-${++this.#ids}` as CampusEvent['id'];
  }

  #put(rule: Rule, stored?: Readonly<Record<string, unknown>>): void {
    this.#rules.set(rule.id, rule);
    this.#engine.put({ rule, version: this.#version }, stored);
    this.#reference.put(rule, this.#version, stored !== undefined);
  }

  #happen(one: Happening, changed: PointRef[], events: CampusEvent[], differ: string[]): void {
    switch (one.kind) {
      case 'set':
      case 'spoil':
        changed.push(this.#hear(one));
        return;
      case 'event': {
        const { type, device, active } = one;
        const base = { id: this.#id(), type, device: device as NonNullable<CampusEvent['device']>, time: this.#now };
        events.push({ ...base, data: {}, ...(active === undefined ? {} : { active }) });
        return;
      }
      case 'mode':
        if (!this.#modes.delete(one.mode)) this.#modes.add(one.mode);
        return;
      case 'clock':
        this.#now += one.by;
        return;
      case 'acknowledge':
        this.#acknowledge(one.nth);
        return;
      case 'put':
        this.#version++;
        this.#put(one.rule);
        return;
      case 'tweak': {
        const rule = this.#rules.get(`r${one.index}`);
        this.#version++;
        if (rule !== undefined) this.#put(tweaked(rule, one.how));
        return;
      }
      case 'remove':
        this.#rules.delete(`r${one.index}`);
        this.#engine.remove(`r${one.index}`);
        this.#reference.remove(`r${one.index}`);
        return;
      case 'reset': {
        const all = this.#engine.instances();
        const view = all[one.nth % Math.max(1, all.length)];
        if (view === undefined) return;
        const { reset } = this.#engine.reset(view.instance, 'by hand');
        if (reset !== this.#reference.reset(view.instance)) differ.push(`reset of ${view.instance}: engine ${reset}`);
        return;
      }
      case 'restart':
        this.#restart(one.away);
    }
  }

  #hear(one: Extract<Happening, { kind: 'set' | 'spoil' }>): PointRef {
    const ref = one.ref as PointRef;
    const parts = splitPointRef(ref);
    if (parts === null) throw new Error(`not a reference: ${ref}`);
    const kept = this.#latest.get(ref)?.value ?? 6;
    const base = { ref, ...parts, unit: '', sourceTime: this.#now, receivedTime: this.#now, quality: 'good' } as const;
    if (one.kind === 'set') this.#latest.set(ref, { ...base, value: one.value });
    else {
      const how = {
        bad: { value: kept, quality: 'bad', reason: 'no-communication' },
        stale: { value: kept, quality: 'uncertain', reason: 'last-usable-value' },
        doubtful: { value: kept, quality: 'uncertain', reason: 'clock' },
        never: { value: null, quality: 'bad', reason: 'never-read' },
        null: { value: null },
      } as const;
      this.#latest.set(ref, { ...base, ...how[one.how] });
    }
    return ref;
  }

  #acknowledge(nth: number): void {
    const all = [...this.#alarms.values()];
    const alarm = all[nth % Math.max(1, all.length)];
    if (alarm === undefined) return;
    const seen = acknowledgeAlarm(alarm, { time: this.#now, by: 'person:guard', note: '' });
    const next = new Map(this.#alarms);
    if (seen.state === 'normal') next.delete(seen.source);
    else next.set(seen.source, seen);
    this.#alarms = next;
  }

  /** A new process a while later: only what was stored is known, and what was heard is stale. */
  #restart(away: number): void {
    this.#now += away;
    this.#monotonic = 777;
    const remembered = this.#reference.rememberedAtStep();
    const stored = JSON.parse(JSON.stringify(Object.fromEntries(this.#stored)));
    this.#engine = createEngine({ campus: tinyCampus, calendar: quickCalendar, monotonic: this.#monotonic });
    this.#reference = new Reference(tinyCampus, quickCalendar, this.#monotonic, remembered);
    for (const [ref, reading] of this.#latest) {
      this.#latest.set(ref, { ...reading, quality: 'uncertain', reason: 'last-usable-value' });
    }
    for (const rule of this.#rules.values()) this.#put(rule, stored);
    // What was taken out right before is forgotten at the start, as core does.
    const known = new Set(this.#engine.instances().map(({ instance }) => `rule:${instance}`));
    for (const name of this.#stored.keys()) if (!known.has(name)) this.#stored.delete(name);
  }
}

function tweaked(rule: Rule, how: Extract<Happening, { kind: 'tweak' }>['how']): Rule {
  switch (how) {
    case 'latch':
      return { ...rule, latch: !rule.latch };
    case 'then':
      return { ...rule, then: rule.then.slice(1) };
    case 'while':
      return { ...rule, while: rule.while.length > 0 ? [] : [{ kind: 'mode', mode: 'm1', is: false }] };
    case 'priority':
      return rule.kind === 'safety' ? { ...rule, priority: rule.priority === 1 ? 5 : 1 } : rule;
    case 'kind':
      return rule.kind === 'safety'
        ? { ...rule, kind: 'notice', priority: 12 }
        : { ...rule, kind: 'safety', priority: 5, coolDown: 0 };
  }
}

function answerOf({ decisions, journal }: StepOutcome, engine: Engine): Answer {
  return {
    decisions: decisions.map(wordsOf),
    journal: journal.map(({ what, instance, version }) => `${what} ${instance} v${version}`),
    views: engine
      .instances()
      .map(
        (view) =>
          `${view.instance} fired=${view.fired} since=${view.since} blind=${view.blind} cools=${view.coolsUntil}`,
      ),
  };
}

function wordsOf(one: Decision): string {
  switch (one.kind) {
    case 'hold':
      return `hold ${one.owner} ${one.ref}=${one.value} at ${one.priority} for ${one.lasts}`;
    case 'forbid':
      return `forbid ${one.owner} ${one.ref}=${one.value} at ${one.priority}`;
    case 'relinquish':
    case 'permit':
      return `${one.kind} ${one.owner} ${one.ref}`;
    case 'raise':
      return `raise ${one.source} ${one.class} event ${one.event ?? null}`;
    case 'return':
      return `return ${one.source}`;
    case 'snapshot':
      return `snapshot ${one.camera}`;
    case 'notify':
      return `notify ${one.about} ${one.to.join()}`;
  }
}

/** The first step at which they differ; null: they never do. `said` hears what both said at each step. */
export function firstDifference(history: History, said: (text: string) => void): string | null {
  const both = new SideBySide(history.rules);
  for (const [i, step] of history.steps.entries()) {
    const differ = both.step(step);
    if (differ !== null) return `step ${i}: ${JSON.stringify(differ, null, 1)}`;
    said(both.said.at(-1) ?? '');
  }
  return null;
}

const everything = [
  ...['hold', 'relinquish', 'forbid', 'permit', 'raise', 'return', 'snapshot', 'notify'],
  ...['fired', 'cleared', 'ended', 'reset', 'blind', 'sighted', 'stepped'],
];

/**
 * Random histories through both, with a fixed seed. A case is one step of one history, at which every decision, every line of the
 * journal and the state of every instance is compared. Answers how many there were, and what was never decided in any of them.
 */
export function compareMany(
  often: number,
  runs: number,
  seed: number,
): { readonly cases: number; readonly never: string[] } {
  let cases = 0;
  const missing = new Set(everything);
  const property = fc.property(histories(often), (history) => {
    const differ = firstDifference(history, (text) => {
      cases++;
      for (const what of missing) if (text.includes(`"${what} `)) missing.delete(what);
    });
    if (differ !== null) throw new Error(differ);
  });
  fc.assert(property, { numRuns: runs, seed });
  return { cases, never: [...missing] };
}
