import type { Alarm } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { Comparison } from '#edge/domain/interlock.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { CompiledInterlocks, EventNode, GroupNode, Node, PointsNode, UnacknowledgedNode } from './compile.ts';
import {
  type ConditionMemory,
  type InterlockMemory,
  newConditionMemory,
  ownerOf,
  type PointMemory,
} from './interlock-state.ts';

/** What one evaluation sees. */
export interface Scene {
  readonly monotonic: number;
  readonly startedAt: number;
  readonly compiled: CompiledInterlocks;
  readonly latest: ReadonlyMap<PointRef, Reading>;
  readonly events: readonly CampusEvent[];
  readonly openAlarms: ReadonlyMap<string, Alarm>;
  /** Whether another interlock's trip was confirmed by usable values since the start. */
  readonly isLive: (interlock: string) => boolean;
}

/** What judging one interlock brings to light. */
export interface Findings {
  /** Points that `hold` needs and cannot use, each with its quality. */
  readonly blind: string[];
  /** What makes true leaves true. */
  readonly evidence: string[];
  /** The events heard now. */
  readonly heard: CampusEvent[];
  /** When time alone may change a verdict, monotonic ms. */
  wakeAt: number | null;
}

export interface Verdict {
  /** Is it a reason to trip? Never on what is only remembered from before the start. */
  readonly trip: boolean;
  /** Is it a reason to stay tripped? Remembered verdicts count. */
  readonly stand: boolean;
  /** Would it stand if everything remembered were forgotten? */
  readonly now: boolean;
  /** Has it been confirmed since the start by values, events or alarms? */
  readonly fresh: boolean;
}

const maxEvidence = 8;

/** Judges a condition, moving its memory on. `memory` and `findings` are written to; nothing else is. */
export function judge(node: Node, memory: InterlockMemory, scene: Scene, findings: Findings): Verdict {
  if (node.kind === 'any' || node.kind === 'all') return judgeGroup(node, memory, scene, findings);
  const own = memory.conditions[node.key] ?? newConditionMemory();
  memory.conditions[node.key] = own;
  switch (node.kind) {
    case 'points':
      return judgePoints(node, own, scene, findings);
    case 'event':
      return judgeEvent(node, own, scene, findings);
    case 'unacknowledged':
      return judgeUnacknowledged(node, own, scene, findings);
  }
}

function judgeGroup(node: GroupNode, memory: InterlockMemory, scene: Scene, findings: Findings): Verdict {
  // Every part is judged, also behind a decided one: their memories and timers go on.
  const parts = node.nodes.map((inner) => judge(inner, memory, scene, findings));
  if (node.kind === 'any') {
    return {
      trip: parts.some((part) => part.trip),
      stand: parts.some((part) => part.stand),
      now: parts.some((part) => part.now),
      fresh: parts.some((part) => part.fresh),
    };
  }
  const stand = parts.every((part) => part.stand);
  return {
    trip: parts.every((part) => part.trip),
    stand,
    now: parts.every((part) => part.now),
    fresh: stand && parts.some((part) => part.fresh),
  };
}

interface Tally {
  trip: number;
  stand: number;
  /** Seen now: usable values, and bad ones that count as tripped. */
  now: number;
  /** Usable values only. */
  fresh: number;
}

function judgePoints(node: PointsNode, own: ConditionMemory, scene: Scene, findings: Findings): Verdict {
  const seen: string[] = [];
  const tally: Tally = { trip: 0, stand: 0, now: 0, fresh: 0 };
  for (const ref of node.refs) seen.push(...tallyPoint(node, ref, own, tally, scene, findings));
  if (node.refs.length < node.n) {
    findings.blind.push(`${node.spelled} (${node.refs.length} points, ${node.n} needed)`);
  }
  const raw = { trip: tally.trip >= node.n, stand: tally.stand >= node.n, counting: tally.now > 0 };
  moveTimer(own, raw, node.for, scene, findings);
  if (own.verdict) findings.evidence.push(...capped(seen, node.for));
  return {
    trip: own.verdict && raw.trip,
    stand: own.verdict,
    now: own.verdict && tally.now >= node.n,
    fresh: own.verdict && tally.fresh > 0,
  };
}

/** Counts one point in; what there is to say of it when it counts as true. */
function tallyPoint(
  node: PointsNode,
  ref: PointRef,
  own: ConditionMemory,
  tally: Tally,
  scene: Scene,
  findings: Findings,
): string[] {
  const reading = scene.latest.get(ref);
  const point = own.points[ref] ?? { verdict: false, heard: false };
  own.points[ref] = point;
  const verdict = reading === undefined ? null : compare(node.test, reading, point.verdict);
  if (verdict === null) return tallyUnusable(node, ref, point, tally, scene, findings);
  point.verdict = verdict;
  point.heard = true;
  if (!verdict) return [];
  tally.trip++;
  tally.stand++;
  tally.now++;
  tally.fresh++;
  return [describe(ref, reading)];
}

function tallyUnusable(
  node: PointsNode,
  ref: PointRef,
  point: PointMemory,
  tally: Tally,
  scene: Scene,
  findings: Findings,
): string[] {
  const text = describe(ref, scene.latest.get(ref));
  switch (node.onBad) {
    case 'hold':
      findings.blind.push(text);
      if (!point.verdict) return [];
      tally.stand++;
      if (point.heard) tally.trip++;
      return [`${text}, was tripped when last good`];
    case 'ignore':
      // Bad counts as false, but silence since the start says nothing yet: it must not clear what stood before.
      if (point.heard || !point.verdict) return [];
      tally.stand++;
      return [`${text}, not heard since the start`];
    case 'trip': {
      const graceEnd = scene.startedAt + scene.compiled.startGrace;
      if (!point.heard && scene.monotonic < graceEnd) {
        wakeBy(findings, graceEnd);
        if (point.verdict) tally.stand++;
        return [];
      }
      tally.trip++;
      tally.stand++;
      tally.now++;
      return [`${text}, which counts as tripped`];
    }
  }
}

function judgeEvent(node: EventNode, own: ConditionMemory, scene: Scene, findings: Findings): Verdict {
  for (const event of scene.events) {
    if (!concerns(node, event, scene)) continue;
    own.verdict = true;
    own.untilAt = scene.monotonic + node.for;
    own.event = {
      id: event.id,
      ...(event.device === undefined ? {} : { device: event.device }),
      ...(event.zone === undefined ? {} : { zone: event.zone }),
    };
    findings.heard.push(event);
    findings.evidence.push(`event ${event.type}${event.device === undefined ? '' : ` from ${event.device}`}`);
  }
  const isNew = findings.heard.some((event) => event.id === own.event?.id);
  if (own.verdict && !isNew) {
    // Restored: what an event started has its whole time again, so that the restart itself ends nothing.
    own.untilAt ??= scene.monotonic + node.for;
    if (scene.monotonic >= own.untilAt) own.verdict = false;
  }
  if (own.verdict && own.untilAt !== null) wakeBy(findings, own.untilAt);
  // An event is over when it is heard: it never stands in the way of a reset.
  return { trip: own.verdict, stand: own.verdict, now: false, fresh: isNew };
}

function concerns(node: EventNode, event: CampusEvent, scene: Scene): boolean {
  if (event.type !== node.type || event.active === false || !node.device.test(event.device ?? '')) return false;
  return node.during === 'always' || scene.compiled.isOpen(event.time) === (node.during === 'open');
}

function judgeUnacknowledged(
  node: UnacknowledgedNode,
  own: ConditionMemory,
  scene: Scene,
  findings: Findings,
): Verdict {
  const alarm = scene.openAlarms.get(ownerOf(node.interlock));
  const stand = alarm?.state === 'unacknowledged' && alarm.active;
  const trip = stand && scene.isLive(node.interlock);
  moveTimer(own, { trip, stand, counting: true }, node.for, scene, findings);
  if (own.verdict) {
    findings.evidence.push(`the alarm of ${node.interlock} stood unacknowledged for ${seconds(node.for)}`);
  }
  return { trip: own.verdict && trip, stand: own.verdict, now: own.verdict && stand, fresh: own.verdict && trip };
}

/** `counting`: what makes it true is seen now; otherwise the time stands still instead of starting again. */
function moveTimer(
  own: ConditionMemory,
  raw: { readonly trip: boolean; readonly stand: boolean; readonly counting: boolean },
  needed: number,
  scene: Scene,
  findings: Findings,
): void {
  if (!raw.stand) {
    own.verdict = false;
    own.runningSince = null;
    own.credit = 0;
    return;
  }
  if (own.verdict || !raw.trip) return;
  if (own.runningSince === null && (raw.counting || needed === 0)) own.runningSince = scene.monotonic;
  const stood = own.credit + (own.runningSince === null ? 0 : scene.monotonic - own.runningSince);
  if (!raw.counting && needed > 0) {
    own.credit = stood;
    own.runningSince = null;
    return;
  }
  if (stood >= needed) own.verdict = true;
  else wakeBy(findings, scene.monotonic + needed - stood);
}

/**
 * Whether the value passes; null when it cannot be used. A stale value is what was true once, so it counts as bad;
 * the other uncertain qualities were heard just now and do count. `before` is the last verdict, for hysteresis.
 */
export function compare(test: Comparison, reading: Reading, before: boolean): boolean | null {
  const { value, quality, reason } = reading;
  if (value === null || quality === 'bad' || reason === 'last-usable-value') return null;
  if ('is' in test) return value === test.is;
  if (typeof value !== 'number' || Number.isNaN(value)) return null;
  const slack = before ? (test.hysteresis ?? 0) : 0;
  if ('above' in test) return before ? value > test.above - slack : value > test.above;
  return before ? value < test.below + slack : value < test.below;
}

/** `meter-main/current_l1 is 112.5 A (good)`, `smoke-101/smoke is unknown (never-read)`. */
export function describe(ref: PointRef, reading: Reading | undefined): string {
  if (reading === undefined) return `${ref} is unknown (bad, never-read)`;
  const quality = reading.reason === undefined ? reading.quality : `${reading.quality}, ${reading.reason}`;
  return `${ref} is ${describeValue(reading.value, reading.unit)} (${quality})`;
}

function describeValue(value: Value | null, unit: string): string {
  if (value === null) return 'unknown';
  if (typeof value !== 'number') return String(value);
  const short = String(Math.round(value * 1000) / 1000);
  return unit === '' || unit === '1' ? short : `${short} ${unit}`;
}

function capped(seen: readonly string[], held: number): string[] {
  const more = seen.length > maxEvidence ? [`and ${seen.length - maxEvidence} more`] : [];
  const words = [...seen.slice(0, maxEvidence), ...more];
  return held === 0 ? words : words.map((word) => `${word} for ${seconds(held)}`);
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

function wakeBy(findings: Findings, at: number): void {
  if (findings.wakeAt === null || at < findings.wakeAt) findings.wakeAt = at;
}
