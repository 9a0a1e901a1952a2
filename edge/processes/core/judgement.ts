import type { Alarm } from '#edge/domain/alarm.ts';
import type { AuditLine } from '#edge/domain/audit.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import { priorities } from '#edge/domain/output.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { type RuleDecision, type RuleVersion, ruleOfInstance, ruleOwner } from '#edge/domain/rule.ts';
import { createCauses, type Ways } from '#edge/rules/alarm-causes.ts';
import { asSourcesSee, createChatterGuard } from '#edge/rules/alarm-chatter.ts';
import {
  type AlarmContext,
  acknowledgeAlarm,
  applyAlarmDecisions,
  endOrphans,
  type OpenAlarms,
  passAlarmTime,
  shelveAlarm,
  unshelveAlarm,
  whyNotShelved,
} from '#edge/rules/alarm-machine.ts';
import {
  type AlarmDecision,
  type HoldChange,
  isAlarmDecision,
  isHoldChange,
  isOnce,
  type OnceDecision,
} from '#edge/rules/decision.ts';
import type { Engine, EngineInput, InstanceView, WhyView } from '#edge/rules/engine.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { Batch } from '#edge/store/batch.ts';
import { JournalGate } from './journal-gate.ts';
import type { ShadowRules } from './shadow-rules.ts';

/** What a turn of judgement wants stored together with what caused it. */
export type Verdict = Pick<Batch, 'alarms' | 'state' | 'audit' | 'journal'>;

export interface JudgementOptions extends Ways {
  /** The active rules, with what they remember. */
  readonly engine: Engine;
  /** Versions that only watch. */
  readonly shadow: ShadowRules;
  /** The versions that `engine` runs at the start. */
  readonly active: readonly RuleVersion[];
  /** Names of what is remembered of rules that are gone: forgotten with the first look. */
  readonly stale: readonly string[];
  /** Modes that are on. */
  readonly modes: () => ReadonlySet<string>;
  readonly storedAlarms: readonly Alarm[];
  readonly latest: () => ReadonlyMap<PointRef, Reading>;
  /** Whether an alarm's source still exists; the others end at the start. */
  readonly sourceExists: (source: string) => boolean;
  /** Acts at once. */
  readonly act: (changes: readonly HoldChange[]) => void;
  /** A picture, or words for people outside the console: said once. */
  readonly once: (decision: OnceDecision) => void;
  /** Stores and tells what time alone brought about. */
  readonly commit: (verdict: Verdict) => void;
  readonly clock: Clock;
}

/** An alarm raised by one turn may be what another interlock waits for; deeper chains than this wait for the next turn. */
const maxRounds = 4;

/**
 * The one place where news become action: readings and events in, holds acted on in the same turn, alarms and state
 * out, to be stored by the caller with the news themselves.
 */
export class Judgement implements Disposable {
  readonly #options: JudgementOptions;
  readonly #causesOf: (alarm: Alarm) => readonly string[];
  readonly #chatter = createChatterGuard();
  readonly #gate = new JournalGate();
  readonly #active = new Map<string, RuleVersion>();
  #open: OpenAlarms;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer is due, monotonic ms; null: there is none. */
  #due: number | null = null;
  /** What rules remember anew in this turn: it goes to disk with the holds that it explains. */
  #fresh: Record<string, unknown> = {};
  /** What is judged as if it still were so. */
  #passed: Reading | null = null;

  constructor(options: JudgementOptions) {
    this.#options = options;
    this.#causesOf = createCauses(options);
    for (const version of options.active) this.#active.set(version.rule.id, version);
    this.#open = new Map(options.storedAlarms.map((alarm) => [alarm.source, alarm]));
  }

  /** First look after a start: ends alarms whose source is gone, evaluates everything. */
  begin(): Verdict {
    const { open, changed } = endOrphans(this.#open, this.#options.sourceExists, this.#options.clock.now());
    const audit = this.#replace(open, changed);
    const verdict = joined({ alarms: changed, audit }, this.take([], []));
    const forgotten = Object.fromEntries(this.#options.stale.map((name) => [name, null]));
    return { ...verdict, state: { ...forgotten, ...verdict.state } };
  }

  /** What rules came to remember in the turn that is under way; goes into the transaction of its holds. */
  get fresh(): Readonly<Record<string, unknown>> {
    return this.#fresh;
  }

  get rules(): ReadonlyMap<string, RuleVersion> {
    return this.#active;
  }

  instances(): readonly InstanceView[] {
    return this.#options.engine.instances();
  }

  /** What an instance sees now; null when there is none. */
  why(instance: string): WhyView | null {
    const { changed: _c, events: _e, ...input } = this.#input([], []);
    return this.#options.engine.why(instance, input);
  }

  /** Runs a version from now on, in the place of the one before. */
  put(version: RuleVersion): Verdict {
    this.#active.set(version.rule.id, version);
    this.#options.engine.put(version);
    return this.take([], []);
  }

  /** The same where it acts on nothing. */
  watch(version: RuleVersion): Verdict {
    this.#options.shadow.put(version);
    return this.take([], []);
  }

  unwatch(rule: string): Verdict {
    this.#options.shadow.remove(rule);
    return this.take([], []);
  }

  /** Nothing is fired that only this process may know of. */
  isCalm(): boolean {
    return this.instances().every(({ fired }) => !fired);
  }

  /** A rule that protects lives and is fired; null: none. */
  urgent(): string | null {
    const isUrgent = ({ fired, rule }: InstanceView) =>
      fired && this.#active.get(rule)?.rule.priority === priorities.lifeSafety;
    return this.instances().find(isUrgent)?.instance ?? null;
  }

  /** What it held is let go of, and its alarms return. */
  remove(rule: string): Verdict {
    this.#active.delete(rule);
    this.#options.engine.remove(rule);
    return this.take([], []);
  }

  get openAlarms(): OpenAlarms {
    return this.#open;
  }

  /** Judges news. Holds are acted on before this returns. */
  take(changed: Iterable<PointRef>, events: readonly CampusEvent[], more: readonly AlarmDecision[] = []): Verdict {
    const { engine, shadow, act, once, clock } = this.#options;
    const refs = [...changed];
    const turn: Turn = { alarms: new Map(), audit: [], journal: [], state: {} };
    let decided: readonly AlarmDecision[] = more;
    let wakeIn: number | null = null;
    for (let round = 0; round < maxRounds; round++) {
      const outcome = engine.step(round === 0 ? this.#input(refs, events) : this.#input([], []));
      wakeIn = outcome.wakeIn;
      Object.assign(turn.state, outcome.durable);
      turn.journal.push(...outcome.journal);
      this.#fresh = turn.state;
      const holds = outcome.decisions.filter(isHoldChange);
      if (holds.length > 0) act(holds);
      for (const decision of outcome.decisions.filter(isOnce)) once(decision);
      decided = [...decided, ...outcome.decisions.filter(isAlarmDecision)];
      const before = turn.alarms.size;
      if (decided.length > 0) for (const alarm of this.#apply(decided, turn.audit)) turn.alarms.set(alarm.id, alarm);
      if (turn.alarms.size === before) break;
      decided = [];
    }
    this.#fresh = {};
    const watched = shadow.step(this.#input(refs, events));
    Object.assign(turn.state, watched.durable);
    turn.journal.push(...watched.journal);
    this.#wake(sooner(wakeIn, watched.wakeIn));
    return verdictOf(turn, this.#gate.admit(turn.journal, clock.monotonic()));
  }

  /** Judges what a point was for a moment: within the same message it has become something else. */
  takePassed(reading: Reading): Verdict {
    this.#passed = reading;
    try {
      return this.take([reading.ref], []);
    } finally {
      this.#passed = null;
    }
  }

  #input(changed: readonly PointRef[], events: readonly CampusEvent[]): EngineInput {
    const { clock, modes } = this.#options;
    const passed = this.#passed;
    const latest = () => (passed === null ? this.#options.latest() : whenItWas(this.#options.latest(), passed));
    const times = { now: clock.now(), monotonic: clock.monotonic() };
    return { ...times, changed, latest: latest(), events, openAlarms: asSourcesSee(this.#open), modes: modes() };
  }

  /** Throws ALARM_NOT_FOUND for one that is not open. Acknowledging twice changes nothing. */
  acknowledge(id: string, by: string, note: string): { readonly alarm: Alarm; readonly verdict: Verdict } {
    const alarm = this.#find(id);
    const seen = acknowledgeAlarm(alarm, { time: this.#options.clock.now(), by, note });
    const open = new Map(this.#open);
    if (seen.state === 'normal') open.delete(seen.source);
    else open.set(seen.source, seen);
    const audit = this.#replace(open, [seen]);
    return { alarm: seen, verdict: joined({ alarms: [seen], audit }, this.take([], [])) };
  }

  /** Throws ALARM_NOT_FOUND, and ALARM_NOT_SHELVABLE with the reason. Shelving again replaces what was said before. */
  shelve(
    id: string,
    minutes: number,
    by: string,
    reason: string,
  ): { readonly alarm: Alarm; readonly verdict: Verdict } {
    const alarm = this.#find(id);
    const refused = whyNotShelved(alarm, minutes, (source) => this.#protectsLives(source), {
      by,
      open: this.#open,
    });
    if (refused !== null) throw new CodedError('ALARM_NOT_SHELVABLE', refused);
    const until = this.#options.clock.now() + minutes * 60_000;
    const shelved = shelveAlarm(alarm, { until, by, reason });
    this.#open = new Map([...this.#open, [shelved.source, shelved]]);
    return { alarm: shelved, verdict: { alarms: [shelved] } };
  }

  /** Throws ALARM_NOT_FOUND. What is not shelved stays as it is. */
  unshelve(id: string): { readonly alarm: Alarm; readonly verdict: Verdict } {
    const alarm = this.#find(id);
    const shown = unshelveAlarm(alarm, this.#options.clock.now());
    if (shown === alarm) return { alarm, verdict: {} };
    this.#open = new Map([...this.#open, [shown.source, shown]]);
    return { alarm: shown, verdict: { alarms: [shown] } };
  }

  /**
   * What time alone does to alarms: shelving ends, what was held up and is calm returns, what a cause hid is shown. null: nothing.
   * Call it about once a second.
   */
  passTime(): Verdict | null {
    const journal = this.#gate.settle(this.#options.clock.monotonic());
    const { open, changed } = passAlarmTime(this.#open, this.#alarmContext());
    if (changed.length === 0) return journal.length === 0 ? null : { journal };
    const verdict = joined({ alarms: changed, audit: this.#replace(open, changed) }, this.take([], []));
    return journal.length === 0 ? verdict : { ...verdict, journal: [...journal, ...(verdict.journal ?? [])] };
  }

  /** How far the ladders of these alarms have gone; those that are over meanwhile are left out. Store what comes back. */
  escalate(told: readonly Pick<Alarm, 'id' | 'source' | 'escalation'>[]): readonly Alarm[] {
    const changed = told.flatMap(({ id, source, escalation }) => {
      const alarm = this.#open.get(source);
      return alarm?.id === id && escalation !== undefined ? [{ ...alarm, escalation }] : [];
    });
    if (changed.length > 0) this.#open = new Map([...this.#open, ...changed.map((one) => [one.source, one] as const)]);
    return changed;
  }

  /** Refused, with the reason, while the cause still stands. */
  reset(id: string, why: string): { readonly outcome: ReturnType<Engine['reset']>; readonly verdict: Verdict } {
    const outcome = this.#options.engine.reset(id, why);
    return { outcome, verdict: outcome.reset ? this.take([], []) : {} };
  }

  #apply(decisions: readonly AlarmDecision[], audit: AuditLine[]): readonly Alarm[] {
    const { open, changed } = applyAlarmDecisions(this.#open, decisions, this.#alarmContext());
    audit.push(...this.#replace(open, changed));
    return changed;
  }

  #alarmContext(): AlarmContext {
    const { clock } = this.#options;
    return {
      now: clock.now(),
      newId: () => newHappeningId(clock),
      causesOf: this.#causesOf,
      isLifeSafety: (source) => this.#protectsLives(source),
      chatter: this.#chatter,
    };
  }

  /** Takes the new alarms as they are; says of each whose shelving ended with the change why it did. */
  #replace(open: OpenAlarms, changed: readonly Alarm[]): readonly AuditLine[] {
    const before = this.#open;
    this.#open = open;
    const time = this.#options.clock.now();
    return changed.flatMap((alarm): AuditLine[] => {
      const was = before.get(alarm.source);
      if (was?.id !== alarm.id || was.shelved === undefined || alarm.shelved !== undefined) return [];
      const why = alarm.state === 'normal' ? 'the alarm ended' : whyShown(was, alarm);
      const what = `alarm.unshelve ${alarm.id} (${alarm.source})`;
      return [{ time, who: 'process:core', from: 'core', what, why, result: `shelved by ${was.shelved.by}` }];
    });
  }

  #find(id: string): Alarm {
    const alarm = [...this.#open.values()].find((open) => open.id === id);
    if (alarm === undefined) throw new CodedError('ALARM_NOT_FOUND', `there is no open alarm ${id}`);
    return alarm;
  }

  #protectsLives(source: string): boolean {
    const instance = source.slice(source.indexOf(':') + 1);
    const rule = this.#active.get(ruleOfInstance(instance))?.rule;
    return rule?.priority === priorities.lifeSafety && ruleOwner(rule.kind, instance) === source;
  }

  #wake(inMs: number | null): void {
    const due = inMs === null ? null : this.#options.clock.monotonic() + Math.max(1, inMs);
    // Most turns change nothing about it, and a timer costs more than the turn.
    if (due === this.#due || (due !== null && this.#due !== null && Math.abs(due - this.#due) < 1)) return;
    clearTimeout(this.#timer);
    this.#due = due;
    if (inMs === null) return;
    const wake = () => {
      this.#due = null;
      this.#options.commit(this.take([], []));
    };
    this.#timer = setTimeout(wake, Math.min(Math.max(1, inMs), 2 ** 31 - 1));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** What one turn has brought so far. */
interface Turn {
  readonly alarms: Map<HappeningId, Alarm>;
  readonly audit: AuditLine[];
  readonly journal: RuleDecision[];
  readonly state: Record<string, unknown>;
}

function verdictOf({ alarms, audit, state }: Turn, journal: readonly RuleDecision[]): Verdict {
  return {
    ...(alarms.size > 0 ? { alarms: [...alarms.values()] } : {}),
    ...(Object.keys(state).length > 0 ? { state } : {}),
    ...(audit.length > 0 ? { audit } : {}),
    ...(journal.length > 0 ? { journal } : {}),
  };
}

function sooner(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function whyShown(was: Alarm, now: Alarm): string {
  return was.class === now.class ? 'its time is over' : `it is ${now.class} now, no longer ${was.class}`;
}

function joined(first: Required<Pick<Verdict, 'alarms' | 'audit'>>, then: Verdict): Verdict {
  const alarms = [...first.alarms, ...(then.alarms ?? [])];
  const audit = [...first.audit, ...(then.audit ?? [])];
  return { ...then, alarms, ...(audit.length > 0 ? { audit } : {}) };
}

/** Everything as it is, but for one point. */
function whenItWas(latest: ReadonlyMap<PointRef, Reading>, reading: Reading): ReadonlyMap<PointRef, Reading> {
  return {
    size: latest.size,
    get: (ref) => (ref === reading.ref ? reading : latest.get(ref)),
    has: (ref) => latest.has(ref),
    forEach: (visit) => latest.forEach(visit),
    entries: () => latest.entries(),
    keys: () => latest.keys(),
    values: () => latest.values(),
    [Symbol.iterator]: () => latest[Symbol.iterator](),
  };
}
