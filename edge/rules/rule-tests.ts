import type { Alarm, AlarmClass } from '#edge/domain/alarm.ts';
import type { Calendar } from '#edge/domain/calendar.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import { type HappeningId, type PointRef, pointRef, splitPointRef } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { Rule, RuleTest, RuleTestExpectation, RuleTestStep } from '#edge/domain/rule.ts';
import { ruleOfInstance } from '#edge/domain/rule.ts';
import { acknowledgeAlarm, applyAlarmDecisions, type OpenAlarms } from './alarm-machine.ts';
import { createEngine } from './create-engine.ts';
import { type Decision, isAlarmDecision } from './decision.ts';
import type { Engine, EngineOptions, RuleCampus } from './engine.ts';

/*
 * The tests that a rule carries, played on the very engine that runs it: in virtual time, on the points of a campus, without
 * anything else being there. What a test does not set was never heard.
 */

export interface RuleTestResult {
  readonly name: Name;
  readonly passed: boolean;
  /** What was expected, what was so instead, and what had happened until then, a line each; '' when it passed. */
  readonly detail: string;
}

export interface RuleTestRun {
  readonly rule: Rule;
  readonly campus: RuleCampus;
  readonly calendar: Calendar;
  /** Default: the one that core runs. */
  readonly createEngine?: (options: EngineOptions) => Engine;
  /** Other rules of the campus: those whose alarms this one waits for play too. */
  readonly others?: readonly Rule[];
}

/** Pure: the same run gives the same answer. Never throws for what a test says. */
export function runRuleTests(run: RuleTestRun): readonly RuleTestResult[] {
  return run.rule.tests.map((test) => {
    const mistakes = playTest(test, run);
    return { name: test.name, passed: mistakes.length === 0, detail: mistakes.join('\n') };
  });
}

/** A play that never comes to rest is a fault of the engine, and must not hang whoever asks. */
const mostSteps = 20_000;
/** Steps at one moment: an alarm that was raised may be what another rule waits for. */
const mostAtOnce = 8;
const mostLines = 12;

function playTest(test: RuleTest, run: RuleTestRun): string[] {
  const play = new Play(test, run);
  const times = [...new Set([0, ...test.given.map(({ at }) => at), ...test.expect.map(({ at }) => at)])];
  for (const time of times.sort((a, b) => a - b)) {
    const wrong = play.passTo(
      time,
      test.given.filter(({ at }) => at === time),
    );
    const missed = test.expect.filter(({ at }) => at === time).flatMap((expected) => play.compare(expected));
    if (wrong.length + missed.length === 0) continue;
    const said = [...wrong, ...missed].map((words) => `after ${span(time)}: ${words}`);
    return [...said, ...play.story()];
  }
  return [];
}

class Play {
  readonly #run: RuleTestRun;
  readonly #engine: Engine;
  readonly #start: number;
  readonly #latest = new Map<PointRef, Reading>();
  readonly #modes = new Set<string>();
  readonly #lines: string[] = [];
  readonly #held = new Map<string, { readonly ref: PointRef; readonly value: Value }>();
  #alarms: OpenAlarms = new Map();
  #notified = 0;
  #happenings = 0;
  #steps = 0;
  /** ms after the start: what was played last, and when the engine wants to be asked again. */
  #time = 0;
  #wake: number | null = null;

  constructor(test: RuleTest, run: RuleTestRun) {
    const { rule, campus, calendar, others = [] } = run;
    this.#run = run;
    this.#start = startOf(test.start, calendar);
    this.#engine = (run.createEngine ?? createEngine)({ campus, calendar, monotonic: 0 });
    for (const other of [rule, ...others.filter(({ id }) => id !== rule.id)])
      this.#engine.put({ rule: other, version: 0 });
  }

  /** Lets time pass, then does what is given. Answers what cannot be done. */
  passTo(time: number, given: readonly RuleTestStep[]): string[] {
    while (this.#wake !== null && this.#wake < time) {
      this.#time = this.#wake;
      this.#settle([], []);
    }
    this.#time = time;
    const wrong: string[] = [];
    const changed: PointRef[] = [];
    const events: CampusEvent[] = [];
    for (const step of given) {
      for (const [ref, value] of Object.entries(step.set ?? {})) this.#read(ref, value, changed, wrong);
      for (const ref of step.bad ?? []) this.#read(ref, null, changed, wrong);
      if (step.event !== undefined) events.push(this.#eventOf(step.event));
      for (const [mode, isOn] of Object.entries(step.mode ?? {})) this.#modes[isOn ? 'add' : 'delete'](mode);
      for (const rule of step.acknowledge ?? []) this.#acknowledge(rule, wrong);
    }
    this.#settle(changed, events);
    return this.#steps < mostSteps ? wrong : [...wrong, `the rules did not come to rest within ${mostSteps} steps`];
  }

  /** What differs from what was expected. */
  compare({ fired, holds, alarm, notified }: RuleTestExpectation): string[] {
    const found: string[] = [];
    const differs = (what: string, expected: string, is: string) => {
      if (expected !== is) found.push(`expected ${what} ${expected}, but it is ${is}`);
    };
    const own = this.#engine.instances().filter(({ rule, fired: isFired }) => rule === this.#run.rule.id && isFired);
    if (fired !== undefined) differs('fired to be', listed(fired), listed(own.map(({ instance }) => instance)));
    if (holds !== undefined) {
      const spelled = (all: readonly (readonly [string, Value])[]) =>
        listed(all.map(([ref, value]) => `${ref}=${String(value)}`));
      const held = [...this.#held.values()].map(({ ref, value }) => [ref, value] as const);
      differs('the holds to be', spelled(Object.entries(holds)), spelled(held));
    }
    if (alarm !== undefined) differs('the alarm to be', alarm ?? 'none', this.#gravest() ?? 'none');
    if (notified !== undefined) differs('the notices so far to be', String(notified), String(this.#notified));
    return found;
  }

  /** What the rule has decided until now, the newest lines. */
  story(): string[] {
    if (this.#lines.length === 0) return ['until then the rule decided nothing'];
    return ['until then:', ...this.#lines.slice(-mostLines)];
  }

  #settle(changed: readonly PointRef[], events: readonly CampusEvent[]): void {
    let news = { changed, events };
    for (let round = 0; round < mostAtOnce && this.#steps < mostSteps; round++) {
      this.#steps += 1;
      const outcome = this.#engine.step({
        now: this.#start + this.#time,
        monotonic: this.#time,
        ...news,
        latest: this.#latest,
        openAlarms: this.#alarms,
        modes: this.#modes,
      });
      this.#wake = outcome.wakeIn === null ? null : this.#time + Math.max(1, outcome.wakeIn);
      for (const { instance, rule, what, why } of outcome.journal) {
        if (rule === this.#run.rule.id) this.#lines.push(`  after ${span(this.#time)}: ${instance} ${what}: ${why}`);
      }
      this.#act(outcome.decisions);
      const isQuiet = outcome.decisions.every((decision) => !isAlarmDecision(decision));
      if (isQuiet && outcome.wakeIn !== 0) return;
      news = { changed: [], events: [] };
    }
    if (this.#steps >= mostSteps) this.#wake = null;
  }

  #act(decisions: readonly Decision[]): void {
    for (const decision of decisions) {
      if (decision.kind === 'notify') this.#notified += this.#isOwn(decision.about) ? 1 : 0;
      if ((decision.kind !== 'hold' && decision.kind !== 'relinquish') || !this.#isOwn(decision.owner)) continue;
      const key = `${decision.owner} ${decision.ref}`;
      if (decision.kind === 'hold') this.#held.set(key, { ref: decision.ref, value: decision.value });
      else this.#held.delete(key);
    }
    const context = { now: this.#start + this.#time, newId: () => this.#newId(), causesOf: () => [] };
    this.#alarms = applyAlarmDecisions(this.#alarms, decisions.filter(isAlarmDecision), context).open;
  }

  #isOwn(owner: string): boolean {
    return isOf(owner, this.#run.rule.id);
  }

  #read(ref: string, value: Value | null, changed: PointRef[], wrong: string[]): void {
    const { device, point } = splitPointRef(ref) ?? { device: '', point: '' };
    const found = this.#run.campus.devices.find(({ id }) => id === device);
    const known = found?.points.find(({ name }) => name === point);
    if (found === undefined || known === undefined) return void wrong.push(`there is no point ${ref} here`);
    const type = typeof value === 'string' ? 'text' : typeof value;
    if (value !== null && type !== known.type)
      return void wrong.push(`${ref} is a ${known.type}, and ${String(value)} is not`);
    const id = pointRef(found.id, known.name);
    const now = this.#start + this.#time;
    const before = this.#latest.get(id);
    const judged =
      value === null ? ({ quality: 'bad', reason: 'no-communication' } as const) : ({ quality: 'good' } as const);
    this.#latest.set(id, {
      ref: id,
      device: found.id,
      point: known.name,
      value: value ?? before?.value ?? null,
      unit: known.unit,
      ...judged,
      sourceTime: value === null ? (before?.sourceTime ?? now) : now,
      receivedTime: now,
    });
    changed.push(id);
  }

  #eventOf({ type, device }: { readonly type: string; readonly device: string }): CampusEvent {
    const from = this.#run.campus.devices.find(({ id }) => id === device);
    const where = from === undefined ? {} : { device: from.id, zone: from.zone };
    return { id: this.#newId(), type, ...where, time: this.#start + this.#time, data: {} };
  }

  #acknowledge(rule: string, wrong: string[]): void {
    const meant = [...this.#alarms.values()].filter(({ source }) => isOf(source, rule));
    if (meant.length === 0) wrong.push(`${rule} has no alarm to acknowledge`);
    const next = new Map(this.#alarms);
    for (const alarm of meant) {
      const seen = acknowledgeAlarm(alarm, { time: this.#start + this.#time, by: 'test', note: '' });
      if (seen.state === 'normal') next.delete(alarm.source);
      else next.set(alarm.source, seen);
    }
    this.#alarms = next;
  }

  #gravest(): AlarmClass | null {
    const standing = [...this.#alarms.values()].filter(({ source, active }) => active && this.#isOwn(source));
    return (
      (['critical', 'high', 'medium', 'low'] as const).find((one) =>
        standing.some((alarm: Alarm) => alarm.class === one),
      ) ?? null
    );
  }

  /** In the shape of a UUIDv7, and the same in every run. */
  #newId(): HappeningId {
    this.#happenings += 1;
    return `00000000-0000-7000-8000-${String(this.#happenings).padStart(12, '0')}` as HappeningId;
  }
}

/** Owners of holds and sources of alarms: `interlock:<instance>`, `rule:<instance>`; not `blind:<instance>`. */
function isOf(owner: string, rule: string): boolean {
  const [kind, instance = ''] = owner.split(':', 2);
  return (kind === 'interlock' || kind === 'rule') && ruleOfInstance(instance) === rule;
}

/** ms since epoch of a local time; in an hour that summer time skips, the same minute an hour later. */
function startOf(start: string, calendar: Calendar): number {
  const wanted = Date.parse(`${start}:00Z`);
  let time = wanted;
  // The offset at the guess is that at the answer after two looks, whatever the zone.
  for (let look = 0; look < 3; look++) {
    const { date, minute } = calendar.local(time);
    const shown = Date.parse(`${date}T00:00:00Z`) + minute * 60_000;
    if (shown === wanted) return time;
    time += wanted - shown;
  }
  return time;
}

function listed(words: readonly string[]): string {
  return words.length === 0 ? 'nothing' : [...words].sort().join(', ');
}

function span(ms: number): string {
  if (ms % 60_000 === 0 && ms > 0) return `${ms / 60_000} min`;
  return ms % 1_000 === 0 ? `${ms / 1_000} s` : `${ms} ms`;
}
