import type { RuleDecision } from '#edge/domain/rule.ts';
import { type CompiledInstance, isSensing } from './compiled-rule.ts';
import type { Decision } from './decision.ts';
import { evidenceOf, isBlind, seenBy } from './evidence.ts';
import { judge } from './judge-condition.ts';
import { lookAt } from './judge-points.ts';
import { alarmOfBlindness, alarmOfRule, blindAlarm, onceOf } from './rule-alarms.ts';
import type { InstanceMemory } from './rule-memory.ts';
import { type Findings, type Scene, type Verdict, wakeBy } from './scene.ts';
import { stepHolds } from './wanted-holds.ts';
import { clip } from './words.ts';

export const maxDid = 32;
const maxWhy = 1_000;

export interface Outcome {
  readonly decisions: readonly Decision[];
  readonly journal: readonly RuleDecision[];
  readonly wakeAt: number | null;
  readonly wakeTime: number | null;
}

/** One turn of one instance. `memory` is moved on; nothing else is written to. `touched`: pairs of leaf and point that were heard. */
export function evaluateInstance(
  one: CompiledInstance,
  memory: InstanceMemory,
  touched: readonly number[],
  scene: Scene,
): Outcome {
  const findings: Findings = { heard: [], wakeAt: null, wakeTime: null };
  if (memory.isPrimed) lookAtTouched(one, memory, touched, scene);
  else prime(one, memory, scene);
  const verdict = judge(one.when, one, memory, scene, findings);
  let mayFire = true;
  let mayStay = true;
  for (const tree of one.whiles) {
    const { trip, stand } = judge(tree, one, memory, scene, findings);
    mayFire &&= trip;
    mayStay &&= stand;
  }
  const wasReset = memory.wasReset;
  const change = moveFired(one, memory, verdict, mayFire, mayStay, scene, findings);
  const why = memory.reason || (one.rule.kind === 'safety' ? 'not tripped' : 'not fired');
  const holds = stepHolds(one, memory, verdict.stand && mayStay, why, scene, findings);
  const alarms = alarmOfRule(one, memory, scene, findings, why);
  const wasBlind = scene.isShadow ? memory.saidBlind : scene.openAlarms.get(one.blindSource)?.active === true;
  const blind = alarmOfBlindness(one, memory, scene, findings, mayFire);
  const once = change === 'fired' ? onceOf(one, memory, scene, findings, why) : [];

  const journal: RuleDecision[] = [];
  const isSaidAgain = memory.isRestored && !memory.isPrimed;
  const held = holds.changes.length === 0 || isSaidAgain ? null : holds.hasEnded ? 'ended' : 'stepped';
  if (wasReset) journal.push(line(one, memory, scene, 'reset', why, change === null ? holds.changes : [], findings));
  const what = change ?? (wasReset ? null : held);
  if (what !== null)
    journal.push(line(one, memory, scene, what, why, [...holds.changes, ...alarms, ...once], findings));
  for (const alarm of blind) {
    const isNew = alarm.kind === 'return' || !wasBlind;
    const said = alarm.kind === 'return' ? 'sighted' : 'blind';
    if (isNew) journal.push(line(one, memory, scene, said, alarm.reason, [alarm], findings));
  }
  memory.failure = null;
  memory.wasReset = false;
  memory.isPrimed = true;
  const decisions = [...holds.changes, ...alarms, ...blind, ...once];
  return { decisions, journal, wakeAt: findings.wakeAt, wakeTime: findings.wakeTime };
}

function lookAtTouched(one: CompiledInstance, memory: InstanceMemory, touched: readonly number[], scene: Scene): void {
  for (let i = 0; i + 1 < touched.length; i += 2) {
    const at = touched[i] ?? 0;
    const leaf = one.leaves[at];
    const own = memory.leaves[at];
    if (leaf !== undefined && own !== undefined && isSensing(leaf)) {
      lookAt(leaf, own, touched[i + 1] ?? 0, memory, scene);
    }
  }
}

/** The first look: at everything. Times of day from before the start become times of this run. */
function prime(one: CompiledInstance, memory: InstanceMemory, scene: Scene): void {
  const { now, monotonic } = scene;
  if (memory.startedAt === null) {
    memory.startedAt = scene.bornAt;
    // A clock that was put back meanwhile gives a hold its whole time again, never more.
    if (memory.since !== null) memory.firedAt = monotonic - Math.max(0, now - memory.since);
    if (memory.coolsUntilTime !== null) {
      memory.coolsUntil = monotonic + Math.min(one.rule.coolDown, Math.max(0, memory.coolsUntilTime - now));
    }
  }
  one.leaves.forEach((leaf, at) => {
    const own = memory.leaves[at];
    if (own !== undefined && isSensing(leaf)) for (const i of leaf.refs.keys()) lookAt(leaf, own, i, memory, scene);
  });
}

function moveFired(
  one: CompiledInstance,
  memory: InstanceMemory,
  verdict: Verdict,
  mayFire: boolean,
  mayStay: boolean,
  scene: Scene,
  findings: Findings,
): 'fired' | 'cleared' | null {
  const { monotonic } = scene;
  let change: 'fired' | 'cleared' | null = null;
  if (memory.wasReset) startCooling(one, memory, scene);
  if (memory.coolsUntil !== null && monotonic >= memory.coolsUntil) {
    memory.coolsUntil = null;
    memory.coolsUntilTime = null;
    memory.isDirty = true;
  }
  if (!memory.fired) {
    if (verdict.trip && mayFire && memory.coolsUntil === null) {
      fire(one, memory, scene);
      change = 'fired';
    }
  } else if (!one.rule.latch) {
    const why = !mayStay
      ? 'its hours are over'
      : isGone(one, memory, verdict, scene, findings)
        ? 'the cause is gone'
        : '';
    if (why !== '') {
      clear(one, memory, why, scene);
      change = 'cleared';
    }
  }
  if (memory.coolsUntil !== null) wakeBy(findings, memory.coolsUntil);
  const isFresh = verdict.fresh || (one.isCircumstantial && verdict.trip);
  memory.live = memory.fired && (memory.live || isFresh);
  const stands = memory.fired && verdict.stand && mayStay;
  memory.standing = !stands ? 'no' : verdict.now ? 'now' : 'remembered';
  return change;
}

function fire(one: CompiledInstance, memory: InstanceMemory, { now, monotonic }: Scene): void {
  memory.fired = true;
  memory.since = now;
  memory.firedAt = monotonic;
  memory.reason = clip(evidenceOf(one, memory), maxWhy);
  memory.goneSince = null;
  memory.goneCredit = 0;
  memory.isDirty = true;
}

function clear(one: CompiledInstance, memory: InstanceMemory, why: string, scene: Scene): void {
  memory.fired = false;
  memory.since = null;
  memory.reason = why;
  memory.goneSince = null;
  memory.goneCredit = 0;
  memory.isDirty = true;
  startCooling(one, memory, scene);
}

function startCooling(one: CompiledInstance, memory: InstanceMemory, { now, monotonic }: Scene): void {
  if (one.rule.coolDown <= 0) return;
  memory.coolsUntil = monotonic + one.rule.coolDown;
  memory.coolsUntilTime = now + one.rule.coolDown;
}

/** The cause is gone for long enough. Time in which the rule is blind does not count: nothing clears on what cannot be seen. */
function isGone(
  one: CompiledInstance,
  memory: InstanceMemory,
  verdict: Verdict,
  { monotonic }: Scene,
  findings: Findings,
): boolean {
  const { clearAfter } = one.rule;
  if (verdict.stand) {
    memory.goneSince = null;
    memory.goneCredit = 0;
    return false;
  }
  if (clearAfter <= 0) return true;
  const gone = memory.goneCredit + (memory.goneSince === null ? 0 : monotonic - memory.goneSince);
  if (isBlind(one, memory)) {
    memory.goneCredit = gone;
    memory.goneSince = null;
    return false;
  }
  memory.goneSince ??= monotonic;
  if (gone >= clearAfter) return true;
  wakeBy(findings, monotonic + clearAfter - gone);
  return false;
}

function line(
  one: CompiledInstance,
  memory: InstanceMemory,
  scene: Scene,
  what: RuleDecision['what'],
  why: string,
  decisions: readonly Decision[],
  findings: Findings,
): RuleDecision {
  const event = what === 'fired' ? findings.heard.at(-1) : undefined;
  return {
    time: scene.now,
    rule: one.rule.id,
    instance: one.id,
    version: one.version,
    shadow: scene.isShadow,
    what,
    why: clip(why, maxWhy),
    saw: seenBy(one, memory),
    ...(event === undefined ? {} : { event: event.id }),
    did: decisions.flatMap(didOf).slice(0, maxDid),
  };
}

export function didOf(decision: Decision): string[] {
  switch (decision.kind) {
    case 'hold':
    case 'forbid':
      return [`${decision.kind} ${decision.ref}=${decision.value} at ${decision.priority}`];
    case 'relinquish':
    case 'permit':
      return [`${decision.kind} ${decision.ref}`];
    case 'raise':
      return [`alarm ${decision.class}`];
    case 'return':
      return ['return alarm'];
    case 'snapshot':
      return [`snapshot ${decision.camera}`];
    case 'notify':
      return decision.to.map((to) => `notify ${to}`);
  }
}

/** What is said of an instance that could not be evaluated: one line, and an alarm that it sees nothing. */
export function outcomeOfFailure(one: CompiledInstance, memory: InstanceMemory, scene: Scene, why: string): Outcome {
  const reason = clip(`the rule cannot be evaluated: ${why}`, maxWhy);
  const isOpen = scene.isShadow ? memory.saidBlind : scene.openAlarms.get(one.blindSource)?.active === true;
  if (isOpen && memory.failure === reason) return { decisions: [], journal: [], wakeAt: null, wakeTime: null };
  memory.failure = reason;
  memory.saidBlind = true;
  const decisions = [blindAlarm(one, scene, reason)];
  const said: RuleDecision = {
    time: scene.now,
    rule: one.rule.id,
    instance: one.id,
    version: one.version,
    shadow: scene.isShadow,
    what: 'blind',
    why: reason,
    saw: [],
    did: decisions.flatMap(didOf),
  };
  return { decisions, journal: [said], wakeAt: null, wakeTime: null };
}
