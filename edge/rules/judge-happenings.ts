import type { CampusEvent } from '#edge/domain/event.ts';
import type { EdgesLeaf, EventLeaf, EventsLeaf, UnacknowledgedLeaf } from './compiled-rule.ts';
import { remember, setVerdict } from './judge-points.ts';
import type { AlarmTimer, EventTrace, InstanceMemory, LeafMemory } from './rule-memory.ts';
import { type Findings, no, type Scene, type Verdict, wakeBy } from './scene.ts';

/* Conditions over what happened: events, how often something happened, alarms that nobody answers. */

export function judgeEvent(
  leaf: EventLeaf,
  own: LeafMemory,
  memory: InstanceMemory,
  scene: Scene,
  findings: Findings,
): Verdict {
  let isNew = false;
  for (const event of scene.events) {
    if (!concerns(leaf, event, scene)) continue;
    isNew = true;
    own.untilAt = scene.monotonic + leaf.for;
    setVerdict(own, true, memory);
    traceEvent(own, event, memory, findings);
  }
  if (own.verdict && !isNew) {
    // Restored: what an event started has its whole time again, so that the restart itself ends nothing.
    own.untilAt ??= scene.monotonic + leaf.for;
    if (scene.monotonic >= own.untilAt) setVerdict(own, false, memory);
  }
  if (own.verdict && own.untilAt !== null) wakeBy(findings, own.untilAt);
  // An event is over when it is heard: it never stands in the way of a reset.
  return { trip: own.verdict, stand: own.verdict, now: false, fresh: isNew };
}

export function judgeEvents(
  leaf: EventsLeaf,
  own: LeafMemory,
  memory: InstanceMemory,
  scene: Scene,
  findings: Findings,
): Verdict {
  for (const event of scene.events) {
    if (!concerns(leaf, event, scene)) continue;
    remember(own.times, scene.monotonic, leaf.atLeast);
    traceEvent(own, event, memory, findings);
  }
  return judgeTimes(leaf, own, memory, scene, findings);
}

/** Of events and of beginnings: both are over when they are seen, so they never stand in the way of a reset. */
export function judgeTimes(
  leaf: EventsLeaf | EdgesLeaf,
  own: LeafMemory,
  memory: InstanceMemory,
  { monotonic }: Scene,
  findings: Findings,
): Verdict {
  const { times } = own;
  let gone = 0;
  for (const time of times) {
    if (time + leaf.within > monotonic) break;
    gone++;
  }
  if (gone > 0) times.splice(0, gone);
  const deciding = times[times.length - leaf.atLeast];
  if (deciding !== undefined) {
    own.untilAt = null;
    setVerdict(own, true, memory);
    wakeBy(findings, deciding + leaf.within);
    return { trip: true, stand: true, now: false, fresh: true };
  }
  // From before the start: its times are forgotten, so it stands for one more window.
  const isKept = own.verdict && memory.isRestored && own.untilAt === null && !memory.isPrimed;
  if (isKept) own.untilAt = (memory.startedAt ?? monotonic) + leaf.within;
  if (own.verdict && own.untilAt !== null && monotonic < own.untilAt) {
    wakeBy(findings, own.untilAt);
    return { trip: false, stand: true, now: false, fresh: false };
  }
  own.untilAt = null;
  setVerdict(own, false, memory);
  return no;
}

export function concerns(
  leaf: Pick<EventLeaf, 'type' | 'device' | 'zones' | 'place'>,
  event: CampusEvent,
  { index }: Scene,
): boolean {
  if (event.type !== leaf.type || event.active === false || !leaf.device.test(event.device ?? '')) return false;
  const zone = event.zone ?? index.zoneOf(event.device);
  if (leaf.zones !== null && (zone === undefined || !leaf.zones.includes(zone))) return false;
  return leaf.place === null || index.isAt(leaf.place, event.device, event.zone);
}

function traceEvent(own: LeafMemory, event: CampusEvent, memory: InstanceMemory, findings: Findings): void {
  const trace: EventTrace = {
    id: event.id,
    ...(event.device === undefined ? {} : { device: event.device }),
    ...(event.zone === undefined ? {} : { zone: event.zone }),
  };
  own.event = trace;
  memory.isDirty = true;
  findings.heard.push(event);
}

/** Each instance of the other rule has a time of its own: 20 s of one room and 20 s of another are not 30 s. */
export function judgeUnacknowledged(
  leaf: UnacknowledgedLeaf,
  own: LeafMemory,
  memory: InstanceMemory,
  scene: Scene,
  findings: Findings,
): Verdict {
  const known = new Set<string>();
  const verdict = { trip: false, stand: false, now: false, fresh: false };
  for (const { instance, source, live } of scene.watched(leaf.rule)) {
    known.add(instance);
    const alarm = scene.openAlarms.get(source);
    const stands = alarm?.state === 'unacknowledged' && alarm.active;
    const timer = own.alarms.get(instance) ?? { since: null, verdict: false };
    moveAlarmTimer(timer, stands, stands && live, leaf.for, memory, scene, findings);
    if (timer.since === null && !timer.verdict) own.alarms.delete(instance);
    else own.alarms.set(instance, timer);
    if (!timer.verdict) continue;
    verdict.stand = true;
    verdict.now = true;
    if (!live) continue;
    verdict.trip = true;
    verdict.fresh = true;
  }
  for (const instance of own.alarms.keys()) if (!known.has(instance)) own.alarms.delete(instance);
  setVerdict(own, verdict.stand, memory);
  return verdict;
}

function moveAlarmTimer(
  timer: AlarmTimer,
  stands: boolean,
  trips: boolean,
  needed: number,
  memory: InstanceMemory,
  { monotonic }: Scene,
  findings: Findings,
): void {
  if (!stands) {
    if (timer.verdict) memory.isDirty = true;
    timer.verdict = false;
    timer.since = null;
    return;
  }
  if (timer.verdict || !trips) return;
  timer.since ??= monotonic;
  if (monotonic - timer.since < needed) {
    wakeBy(findings, timer.since + needed);
    return;
  }
  timer.verdict = true;
  memory.isDirty = true;
}
