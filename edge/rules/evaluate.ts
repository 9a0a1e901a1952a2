import type { Alarm } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { stepHolds } from './actions.ts';
import type { CompiledInterlock, CompiledInterlocks } from './compile.ts';
import type { AlarmDecision, Decision, RaiseDecision } from './decision.ts';
import { type InterlockMemory, type InterlockState, newInterlockMemory, ownerOf } from './interlock-state.ts';
import { type Findings, judge, type Scene, type Verdict } from './judge.ts';

export interface EvaluateInput {
  /** ms on the monotonic clock: every `for` and `every` runs on it. Wall time comes with events and alarms. */
  readonly monotonic: number;
  readonly compiled: CompiledInterlocks;
  readonly state: InterlockState;
  /** What was heard since the last turn. The first evaluation after a start looks at everything. */
  readonly changed: Iterable<PointRef>;
  readonly latest: ReadonlyMap<PointRef, Reading>;
  /** New since the last turn. */
  readonly events: readonly CampusEvent[];
  /** By source, with the decisions of the last evaluation applied. */
  readonly openAlarms: ReadonlyMap<string, Alarm>;
}

export interface Evaluation {
  readonly state: InterlockState;
  /** Strongest priority first; the holds of an interlock before its alarms. */
  readonly decisions: readonly Decision[];
  /** Time alone may change something in this many ms; evaluate again then. null: only news can. */
  readonly wakeIn: number | null;
  /** Something changed that must survive a restart: store the state. Timers alone do not. */
  readonly durable: boolean;
}

/** One turn of the interlocks. Pure: the same input gives the same output, and the input is not written to. */
export function evaluateInterlocks(input: EvaluateInput): Evaluation {
  const { compiled, state, monotonic } = input;
  const due = dueInterlocks(input);
  if (due.length === 0) return idle(input);
  const interlocks: Record<string, InterlockMemory> = { ...state.interlocks };
  const scene: Scene = { ...input, startedAt: state.startedAt, isLive: (id) => interlocks[id]?.live === true };
  const decided: { readonly priority: number; readonly decisions: readonly Decision[] }[] = [];
  let durable = false;
  for (const one of due) {
    const id = one.interlock.id;
    const before = interlocks[id] ?? newInterlockMemory();
    const memory = structuredClone(before);
    const decisions = turn(one, memory, scene);
    interlocks[id] = memory;
    durable ||= lasting(before) !== lasting(memory);
    if (decisions.length > 0) decided.push({ priority: one.interlock.priority, decisions });
  }
  const decisions = decided.sort((a, b) => a.priority - b.priority).flatMap((each) => each.decisions);
  const wakeAt = nextWake(interlocks, compiled, decisions, monotonic);
  const next: InterlockState = { ...state, primed: true, interlocks, wakeAt };
  return { state: next, decisions, durable, wakeIn: untilWake(wakeAt, monotonic) };
}

/** Nothing concerns anybody. A wake-up that was for nothing (`afterAlarm`) must not ask for itself again. */
function idle({ state, compiled, monotonic }: EvaluateInput): Evaluation {
  const isPast = state.wakeAt !== null && state.wakeAt <= monotonic;
  const now = isPast ? { ...state, wakeAt: nextWake(state.interlocks, compiled, [], monotonic) } : state;
  return { state: now, decisions: [], durable: false, wakeIn: untilWake(now.wakeAt, monotonic) };
}

/** Those that news or time concern, in the order of compilation. Most readings concern none: that must cost nothing. */
function dueInterlocks(input: EvaluateInput): readonly CompiledInterlock[] {
  const { compiled, state, events, openAlarms, monotonic } = input;
  if (!state.primed) return compiled.order;
  const named = new Set<string>();
  for (const ref of input.changed) for (const id of compiled.byRef.get(ref) ?? []) named.add(id);
  if (events.length > 0) for (const id of compiled.hearers) named.add(id);
  for (const { id, watches } of compiled.watchers) {
    if (state.interlocks[id]?.seen !== lookAt(watches, openAlarms)) named.add(id);
  }
  const isTime = state.wakeAt !== null && state.wakeAt <= monotonic;
  if (named.size === 0 && !isTime) return [];
  return compiled.order.filter(({ interlock: { id } }) => {
    const wakeAt = state.interlocks[id]?.wakeAt ?? null;
    return named.has(id) || (wakeAt !== null && wakeAt <= monotonic);
  });
}

function lookAt(watches: readonly string[], openAlarms: ReadonlyMap<string, Alarm>): string {
  return watches
    .map((id) => openAlarms.get(ownerOf(id)))
    .map((alarm) => (alarm === undefined ? '-' : `${alarm.id} ${alarm.state} ${alarm.active}`))
    .join();
}

function turn(one: CompiledInterlock, memory: InterlockMemory, scene: Scene): Decision[] {
  const findings: Findings = { blind: [], evidence: [], heard: [], wakeAt: null };
  const verdict = judge(one.root, memory, scene, findings);
  moveTrip(one, memory, verdict, findings);
  memory.seen = lookAt(one.watches, scene.openAlarms);
  const why = memory.reason || 'not tripped';
  const holds = stepHolds(one, memory, verdict.stand, why, scene.monotonic, findings);
  const alarms = [...alarmOfTrip(one, memory, scene, findings, why), ...alarmOfBlindness(one, memory, scene, findings)];
  memory.wakeAt = findings.wakeAt;
  return [...holds, ...alarms];
}

function moveTrip(one: CompiledInterlock, memory: InterlockMemory, verdict: Verdict, findings: Findings): void {
  const evidence = findings.evidence.join(', ');
  if (!memory.tripped && verdict.trip) {
    memory.tripped = true;
    memory.reason = evidence;
  } else if (memory.tripped && !verdict.stand && !one.interlock.latch) {
    memory.tripped = false;
    memory.reason = 'the cause is gone';
  }
  memory.live = memory.tripped && (memory.live || verdict.fresh);
  memory.standing = !memory.tripped || !verdict.stand ? 'no' : verdict.now ? 'now' : 'remembered';
  memory.standsOn = memory.standing === 'now' ? evidence : '';
}

/** Level-triggered: what the alarm should be against what it is, so that a lost turn heals in the next. */
function alarmOfTrip(
  { interlock, alarm }: CompiledInterlock,
  memory: InterlockMemory,
  scene: Scene,
  findings: Findings,
  why: string,
): AlarmDecision[] {
  const source = ownerOf(interlock.id);
  const open = scene.openAlarms.get(source);
  // The site file had one for it before.
  if (alarm === null) return open?.active === true ? [{ kind: 'return', source, reason: 'it gives no alarm' }] : [];
  if (!memory.tripped) return open?.active === true ? [{ kind: 'return', source, reason: why }] : [];
  if (open?.active === true && findings.heard.length === 0) return [];
  const { message, next } = alarm;
  const raise: RaiseDecision = { kind: 'raise', source, class: alarm.class, message, next, reason: why };
  return [{ ...raise, ...whereabouts(memory, scene, findings) }];
}

/** The event that did it, or the first point that says so: where a person must look. */
function whereabouts(
  memory: InterlockMemory,
  scene: Scene,
  findings: Findings,
): Pick<RaiseDecision, 'device' | 'ref' | 'zone' | 'event'> {
  const event = findings.heard.at(-1);
  const conditions = Object.values(memory.conditions).filter((condition) => condition.verdict);
  const remembered = conditions.find((condition) => condition.event !== null)?.event ?? null;
  if (event !== undefined || remembered !== null) {
    const { id, device, zone = device && scene.compiled.zoneOf(device) } = event ?? remembered ?? {};
    return { ...(id && { event: id }), ...(device && { device }), ...(zone && { zone }) };
  }
  const ref = conditions
    .flatMap((condition) => Object.entries(condition.points))
    .find(([, point]) => point.verdict)?.[0] as PointRef | undefined;
  return ref === undefined ? {} : { ref, ...placeOf(splitPointRef(ref)?.device, scene.compiled) };
}

function placeOf(device: DeviceId | undefined, compiled: CompiledInterlocks): Pick<RaiseDecision, 'device' | 'zone'> {
  if (device === undefined) return {};
  const zone = compiled.zoneOf(device);
  return { device, ...(zone && { zone }) };
}

/** An interlock that holds on because it cannot see is an alarm of its own. */
function alarmOfBlindness(
  { interlock }: CompiledInterlock,
  memory: InterlockMemory,
  scene: Scene,
  findings: Findings,
): AlarmDecision[] {
  const source = `blind:${interlock.id}`;
  const open = scene.openAlarms.get(source);
  if (findings.blind.length === 0) {
    memory.blindSince = null;
    memory.blindRefs = '';
    return open?.active === true ? [{ kind: 'return', source, reason: 'every value can be used again' }] : [];
  }
  memory.blindSince ??= scene.monotonic;
  const due = memory.blindSince + scene.compiled.blindAfter;
  if (scene.monotonic < due && open?.active !== true) {
    if (findings.wakeAt === null || due < findings.wakeAt) findings.wakeAt = due;
    return [];
  }
  const reason = findings.blind.slice(0, 8).join(', ');
  const refs = findings.blind.map((text) => text.split(' ')[0] ?? '');
  const before = memory.blindRefs;
  memory.blindRefs = refs.join();
  if (open?.active === true && before === memory.blindRefs) return [];
  const devices = new Set(refs.map((ref) => splitPointRef(ref)?.device));
  const [device] = devices;
  return [
    {
      kind: 'raise',
      source,
      class: 'high',
      message: {
        zh: `联锁“${interlock.name.zh}”失去依据：${reason}`,
        en: `Interlock "${interlock.name.en}" is blind: ${reason}`,
      },
      next: {
        zh: '检查设备的供电与通信；恢复之前请派人看守现场。',
        en: 'Check power and communication of the device; watch the place yourself until it is back.',
      },
      reason,
      ...(devices.size === 1 ? placeOf(device, scene.compiled) : {}),
    },
  ];
}

/** What of a memory must survive a restart, as one comparable text. */
function lasting(memory: InterlockMemory): string {
  const conditions = Object.entries(memory.conditions).map(([key, condition]) => [
    key,
    condition.verdict,
    condition.event?.id,
    Object.entries(condition.points).map(([ref, point]) => [ref, point.verdict]),
  ]);
  return JSON.stringify([
    memory.tripped,
    memory.reason,
    conditions,
    memory.sheds.map(({ count, phase }) => [count, phase]),
  ]);
}

/** An alarm raised or returned now may start what watches it: look again at once, ms. */
const afterAlarm = 10;

/** The earliest monotonic time at which something may change by itself. */
function nextWake(
  interlocks: Readonly<Record<string, InterlockMemory>>,
  compiled: CompiledInterlocks,
  decisions: readonly Decision[],
  monotonic: number,
): number | null {
  const times = Object.values(interlocks).flatMap(({ wakeAt }) => (wakeAt === null ? [] : [wakeAt]));
  const isWatched = decisions.some(
    (one) => (one.kind === 'raise' || one.kind === 'return') && compiled.watched.has(one.source),
  );
  if (isWatched) times.push(monotonic + afterAlarm);
  return times.length === 0 ? null : Math.min(...times);
}

function untilWake(wakeAt: number | null, monotonic: number): number | null {
  return wakeAt === null ? null : Math.max(0, wakeAt - monotonic);
}
