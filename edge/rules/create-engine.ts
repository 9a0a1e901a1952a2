import type { Rule, RuleVersion } from '#edge/domain/rule.ts';
import { type CampusIndex, createCampusIndex } from './campus-index.ts';
import type { Departed } from './departure.ts';
import { depart } from './departure.ts';
import type { Engine, EngineInput, EngineOptions, InstanceView, StepOutcome, WhyView } from './engine.ts';
import { evaluateInstance, type Outcome, outcomeOfFailure } from './evaluate-instance.ts';
import { explain } from './explain.ts';
import { resetMemory } from './reset.ts';
import type { Running } from './rule-index.ts';
import { sayAgain } from './rule-memory.ts';
import { RuleRoster } from './rule-roster.ts';
import type { Scene, Watched } from './scene.ts';
import { stateName, storedForm } from './stored-memory.ts';
import { WakeList } from './wake-list.ts';

/** An alarm raised or returned now may start what waits for it: look again at once, ms. */
const afterAlarm = 10;
/** What could not be evaluated is tried again with the next news, and after this long in any case, ms. */
const afterFailure = 60_000;

export function createEngine(options: EngineOptions): Engine {
  return new RuleEngine(options);
}

interface Said {
  readonly running: Running | Departed;
  readonly outcome: Outcome;
}

class RuleEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #index: CampusIndex;
  readonly #roster: RuleRoster;
  readonly #wakes = new WakeList<Running, 'byMonotonic'>('byMonotonic');
  readonly #times = new WakeList<Running, 'byTime'>('byTime');
  readonly #counters = { steps: 0, evaluations: 0, decisions: 0, failures: 0 };
  #step = 0;
  #now = Number.NEGATIVE_INFINITY;
  #monotonic: number;
  #isEcho = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#monotonic = options.monotonic;
    this.#index = createCampusIndex(options.campus);
    this.#roster = new RuleRoster(this.#index);
  }

  get counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, instances: this.#roster.size };
  }

  put(version: RuleVersion, stored: Readonly<Record<string, unknown>> = {}): void {
    const gone = this.#roster.put(version, stored);
    this.#forget(gone);
  }

  refuses(rule: Rule): string | null {
    return this.#roster.refuses(rule);
  }

  remove(rule: string): void {
    this.#forget(this.#roster.remove(rule));
  }

  #forget(gone: readonly Running[]): void {
    for (const running of gone) {
      this.#wakes.set(running, null);
      this.#times.set(running, null);
    }
  }

  step(input: EngineInput): StepOutcome {
    this.#counters.steps++;
    const due = this.#gather(input);
    const departed = this.#roster.takeDeparted();
    this.#isEcho = false;
    if (due.length === 0 && departed.length === 0) {
      this.#advance(input);
      return { decisions: [], journal: [], wakeIn: this.#wakeIn(input), durable: {} };
    }
    const scene = this.#scene(input);
    const said: Said[] = departed.map((one) => ({ running: one, outcome: depart(one, scene) }));
    for (const running of this.#inTurn(due)) said.push({ running, outcome: this.#evaluate(running, scene) });
    this.#advance(input);
    if (said.length > 1) said.sort((a, b) => byStrength(a.running, b.running));
    const decisions = said.flatMap(({ outcome }) => outcome.decisions);
    this.#counters.decisions += decisions.length;
    this.#isEcho = decisions.some((one) => 'source' in one && this.#roster.isWatched(one.source));
    return {
      decisions,
      journal: said.flatMap(({ outcome }) => outcome.journal),
      wakeIn: this.#wakeIn(input),
      durable: this.#durable(departed, due),
    };
  }

  #advance({ now, monotonic }: EngineInput): void {
    this.#now = now;
    this.#monotonic = monotonic;
  }

  /** Whom this step concerns. Most readings concern nobody: that must cost nothing. */
  #gather(input: EngineInput): Running[] {
    this.#step++;
    const due: Running[] = [];
    const call = (running: Running) => {
      if (running.calledIn === this.#step) return;
      running.calledIn = this.#step;
      due.push(running);
    };
    const { index } = this.#roster;
    for (const ref of input.changed) {
      const touches = index.byRef.get(ref);
      if (touches === undefined) continue;
      for (const { running, leaf, point } of touches) {
        running.touched.push(leaf, point);
        call(running);
      }
    }
    for (const event of input.events) index.byEvent.get(event.type)?.forEach(call);
    for (const [mode, known] of index.byMode) {
      const isOn = input.modes.has(mode);
      if (known.isOn === isOn) continue;
      known.isOn = isOn;
      known.running.forEach(call);
    }
    this.#roster.alarmsChanged(input.openAlarms, this.#options.shadow === true).forEach(call);
    // The clock was put back: what was true by the calendar may be so no more. Forward, the list of times knows.
    if (input.now < this.#now) index.byClock.forEach(call);
    this.#wakes.due(input.monotonic).forEach(call);
    this.#times.due(input.now).forEach(call);
    this.#roster.takeNew().forEach(call);
    return due;
  }

  #scene(input: EngineInput | Omit<EngineInput, 'changed' | 'events'>): Scene {
    const { now, monotonic, latest, openAlarms, modes } = input;
    const { calendar, blindAfter = 30_000, startGrace = 30_000, shadow = false } = this.#options;
    const isFirst = this.#now === Number.NEGATIVE_INFINITY;
    return {
      now,
      monotonic,
      latest,
      openAlarms,
      modes,
      events: 'events' in input ? input.events : [],
      calendar,
      index: this.#index,
      blindAfter,
      startGrace,
      isShadow: shadow,
      bornAt: isFirst ? this.#options.monotonic : monotonic,
      watched: (rule): readonly Watched[] => this.#roster.watched(rule, openAlarms, shadow),
    };
  }

  /** Who is waited for before who waits. What is confirmed in this step may be what another rule waits for in the same. */
  *#inTurn(due: Running[]): Generator<Running> {
    if (due.length > 1) due.sort(this.#roster.inOrder);
    for (let i = 0; i < due.length; i++) {
      const running = due[i];
      if (running === undefined) continue;
      const wasLive = running.memory.live;
      yield running;
      if (running.memory.live === wasLive) continue;
      const called = this.#roster.watchersOf(running).filter(({ calledIn }) => calledIn !== this.#step);
      if (called.length === 0) continue;
      for (const one of called) one.calledIn = this.#step;
      due.push(...called);
      due.push(...due.splice(i + 1).sort(this.#roster.inOrder));
    }
  }

  /** The bulkhead: a rule that fails inside stops no other, and says so. */
  #evaluate(running: Running, scene: Scene): Outcome {
    this.#counters.evaluations++;
    const { compiled, memory, touched } = running;
    let outcome: Outcome;
    try {
      outcome = evaluateInstance(compiled, memory, touched, scene);
    } catch (error) {
      this.#counters.failures++;
      // What was decided before the failure was never said: all of it is said with the next evaluation.
      memory.isPrimed = false;
      running.memory = { ...memory, ...sayAgain(memory) };
      const why = error instanceof Error ? error.message : String(error);
      outcome = { ...outcomeOfFailure(compiled, running.memory, scene, why), wakeAt: scene.monotonic + afterFailure };
    }
    touched.length = 0;
    this.#wakes.set(running, outcome.wakeAt);
    this.#times.set(running, outcome.wakeTime);
    return outcome;
  }

  #wakeIn({ now, monotonic }: EngineInput): number | null {
    let wakeIn = this.#isEcho ? afterAlarm : Number.POSITIVE_INFINITY;
    const { next: at } = this.#wakes;
    const { next: time } = this.#times;
    if (at !== null) wakeIn = Math.min(wakeIn, at - monotonic);
    if (time !== null) wakeIn = Math.min(wakeIn, time - now);
    return wakeIn === Number.POSITIVE_INFINITY ? null : Math.max(0, wakeIn);
  }

  #durable(departed: readonly Departed[], due: readonly Running[]) {
    const durable: Record<string, unknown> = {};
    for (const { compiled, memory, goesOn } of departed) {
      if (memory.isStored && goesOn === undefined) durable[stateName(compiled.id)] = null;
    }
    for (const { compiled, memory } of due) {
      if (!memory.isDirty) continue;
      memory.isDirty = false;
      const stored = storedForm(compiled, memory);
      if (stored !== null || memory.isStored) durable[stateName(compiled.id)] = stored;
      memory.isStored = stored !== null;
    }
    return durable;
  }

  reset(instance: string, why: string): { readonly reset: boolean; readonly message: string } {
    const targets = this.#roster.find(instance);
    const outcomes = targets.map((running) => resetMemory(running, why));
    targets.forEach((running, i) => {
      if (outcomes[i]?.reset === true) this.#roster.callAgain(running);
    });
    const [first] = outcomes;
    if (first === undefined) return { reset: false, message: `there is no interlock or rule "${instance}"` };
    if (outcomes.length === 1) return first;
    const done = outcomes.filter(({ reset }) => reset);
    const refused = outcomes.filter(({ reset, isFired }) => !reset && isFired);
    const said = refused.length > 0 ? refused : done.length > 0 ? done : outcomes;
    return {
      reset: done.length > 0,
      message: said
        .slice(0, 8)
        .map(({ message }) => message)
        .join('; '),
    };
  }

  instances(): readonly InstanceView[] {
    return this.#roster.all().map((running) => this.#view(running));
  }

  #view({ compiled, memory }: Running): InstanceView {
    const { coolsUntil } = memory;
    return {
      instance: compiled.id,
      rule: compiled.rule.id,
      version: compiled.version,
      place: compiled.place?.id ?? null,
      fired: memory.fired,
      since: memory.since,
      blind: memory.blindSince !== null || memory.failure !== null,
      coolsUntil: coolsUntil === null ? null : Math.round(this.#now + coolsUntil - this.#monotonic),
    };
  }

  why(instance: string, input: Omit<EngineInput, 'changed' | 'events'>): WhyView | null {
    const [running] = this.#roster.find(instance);
    if (running === undefined) return null;
    return explain(running, this.#view(running), this.#scene(input));
  }

  standing(): ReturnType<Engine['standing']> {
    return this.#roster
      .all()
      .flatMap(({ compiled: { owner }, memory }) =>
        [...new Set([...memory.held.keys(), ...memory.forbidden.keys()])].map((ref) => ({ owner, ref })),
      );
  }
}

function byStrength(a: Running | Departed, b: Running | Departed): number {
  const one = a.compiled;
  const other = b.compiled;
  if (one.rule.priority !== other.rule.priority) return one.rule.priority - other.rule.priority;
  if (one.rule.id !== other.rule.id) return one.rule.id < other.rule.id ? -1 : 1;
  const [left, right] = [one.place?.id ?? '', other.place?.id ?? ''];
  return left < right ? -1 : left > right ? 1 : 0;
}
