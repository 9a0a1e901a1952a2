import type { Alarm } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import { type DeviceId, type PointRef, splitPointRef } from '#edge/domain/ids.ts';
import type { Quality, Reading, Reason, Value } from '#edge/domain/reading.ts';
import type { Rule, RuleDecision } from '#edge/domain/rule.ts';
import { acknowledgeAlarm, applyAlarmDecisions, type OpenAlarms } from '#edge/rules/alarm-machine.ts';
import { createEngine } from '#edge/rules/create-engine.ts';
import { type Decision, isAlarmDecision } from '#edge/rules/decision.ts';
import type { Engine, InstanceView, StepOutcome, WhyView } from '#edge/rules/engine.ts';
import { calendar, campus, monday, ref, smokePoints, testId } from './small-campus.ts';

/** Drives the rules as core does: readings and events in, alarms applied, time passing in steps of what was asked for. */
export class Rules {
  engine: Engine;
  readonly latest = new Map<PointRef, Reading>();
  readonly stored = new Map<string, unknown>();
  readonly modes = new Set<string>();
  alarms: OpenAlarms = new Map();
  /** Everything decided since the last `take`. */
  decisions: Decision[] = [];
  readonly journal: RuleDecision[] = [];
  readonly ended: Alarm[] = [];
  last: StepOutcome | null = null;
  now: number;
  monotonic = 1_000;
  rules: readonly Rule[];

  constructor(rules: readonly Rule[], now = monday) {
    this.now = now;
    this.rules = rules;
    this.engine = this.start();
  }

  start(): Engine {
    const engine = createEngine({ campus, calendar, monotonic: this.monotonic });
    const stored = JSON.parse(JSON.stringify(Object.fromEntries(this.stored)));
    for (const rule of this.rules) engine.put({ rule, version: 1 }, stored);
    return engine;
  }

  turn(changed: readonly PointRef[] = [], events: readonly CampusEvent[] = []): StepOutcome {
    const outcome = this.engine.step({ ...this.seen, changed, events });
    this.decisions.push(...outcome.decisions);
    this.journal.push(...outcome.journal);
    for (const [key, state] of Object.entries(outcome.durable)) {
      if (state === null) this.stored.delete(key);
      else this.stored.set(key, JSON.parse(JSON.stringify(state)));
    }
    const context = { now: this.now, newId: testId, causesOf: () => [] };
    const { open, changed: moved } = applyAlarmDecisions(
      this.alarms,
      outcome.decisions.filter(isAlarmDecision),
      context,
    );
    this.alarms = open;
    this.ended.push(...moved.filter((alarm) => alarm.state === 'normal'));
    this.last = outcome;
    return outcome;
  }

  private get seen() {
    const { now, monotonic, latest, alarms, modes } = this;
    return { now, monotonic, latest, openAlarms: alarms, modes };
  }

  set(name: string, value: Value | null, quality: Quality = 'good', reason?: Reason): void {
    const parts = splitPointRef(name);
    if (parts === null) throw new Error(`not a reference: ${name}`);
    this.latest.set(ref(name), {
      ref: ref(name),
      ...parts,
      value,
      unit: parts.point.startsWith('current') ? 'A' : parts.point === 'temperature' ? 'Cel' : '',
      quality,
      ...(reason === undefined ? {} : { reason }),
      sourceTime: this.now,
      receivedTime: this.now,
    });
  }

  hear(name: string, value: Value | null, quality: Quality = 'good', reason?: Reason): StepOutcome {
    this.set(name, value, quality, reason);
    return this.turn([ref(name)]);
  }

  /** Everything is heard, well and quiet. */
  calm(): this {
    for (const name of smokePoints) this.hear(name, false);
    this.hear('fire-panel/alarm', false);
    for (const n of [1, 2, 3]) this.hear(`meter-main/current_l${n}`, 40);
    this.take();
    return this;
  }

  see(type: string, device: string, active?: boolean): CampusEvent {
    const event: CampusEvent = {
      id: testId(),
      type,
      device: device as DeviceId,
      time: this.now,
      data: {},
      ...(active === undefined ? {} : { active }),
    };
    this.turn([], [event]);
    return event;
  }

  mode(mode: string, on: boolean): StepOutcome {
    if (on) this.modes.add(mode);
    else this.modes.delete(mode);
    return this.turn();
  }

  /** Lets time pass, stepping exactly when the rules asked to be woken. */
  pass(ms: number): void {
    let left = ms;
    while (left > 0) {
      const step = Math.max(1, Math.min(left, this.last?.wakeIn ?? left));
      this.now += step;
      this.monotonic += step;
      left -= step;
      if (this.last?.wakeIn !== null || left === 0) this.turn();
    }
  }

  acknowledge(source: string): void {
    const seen = acknowledgeAlarm(this.alarm(source), { time: this.now, by: 'person:guard', note: '' });
    const next = new Map(this.alarms);
    if (seen.state === 'normal') next.delete(source);
    else next.set(source, seen);
    this.alarms = next;
    this.turn();
  }

  reset(id: string): { readonly reset: boolean; readonly message: string } {
    const outcome = this.engine.reset(id, 'reset by person:guard');
    this.turn();
    return outcome;
  }

  put(rule: Rule, version = 2): StepOutcome {
    this.rules = [...this.rules.filter(({ id }) => id !== rule.id), rule];
    this.engine.put({ rule, version });
    return this.turn();
  }

  remove(id: string): StepOutcome {
    this.rules = this.rules.filter((rule) => rule.id !== id);
    this.engine.remove(id);
    return this.turn();
  }

  /** A new process: the state through JSON, every reading stale, another monotonic clock. */
  restart(awayMs = 5_000, rules = this.rules): void {
    this.now += awayMs;
    this.monotonic = 500;
    this.rules = rules;
    this.engine = this.start();
    for (const [key, reading] of this.latest) {
      this.latest.set(key, { ...reading, quality: 'uncertain', reason: 'last-usable-value' });
    }
    this.turn();
  }

  /** What was decided since the last call, as short words. */
  take(): string[] {
    const words = this.decisions.map(wordsOf);
    this.decisions = [];
    return words;
  }

  alarm(source: string): Alarm {
    const alarm = this.alarms.get(source);
    if (alarm === undefined) throw new Error(`no open alarm ${source}; open: ${[...this.alarms.keys()].join(', ')}`);
    return alarm;
  }

  view(instance: string): InstanceView {
    const view = this.engine.instances().find((one) => one.instance === instance);
    if (view === undefined) throw new Error(`no instance ${instance}`);
    return view;
  }

  isFired(instance: string): boolean {
    return this.view(instance).fired;
  }

  why(instance: string): WhyView {
    const why = this.engine.why(instance, this.seen);
    if (why === null) throw new Error(`no instance ${instance}`);
    return why;
  }
}

function wordsOf(one: Decision): string {
  switch (one.kind) {
    case 'hold':
    case 'forbid':
      return `${one.kind} ${one.ref}=${one.value}`;
    case 'relinquish':
    case 'permit':
      return `${one.kind} ${one.ref}`;
    case 'raise':
    case 'return':
      return `${one.kind} ${one.source}`;
    case 'snapshot':
      return `snapshot ${one.camera}`;
    case 'notify':
      return `notify ${one.to.join()}: ${one.message.en}`;
  }
}
