import type { Reading } from '#edge/domain/reading.ts';
import { closeWindow, pushValue, slideWindow } from './change-window.ts';
import { compare, isUsable } from './compare.ts';
import type { EdgesLeaf, PointsLeaf, RateLeaf, SensingLeaf } from './compiled-rule.ts';
import { type InstanceMemory, type LeafMemory, type PointMemory, says, type Tally } from './rule-memory.ts';
import { type Findings, type Scene, type Verdict, wakeBy } from './scene.ts';

/*
 * Conditions over points. A point is looked at when it was heard of (or when time may have changed what it says), and its part in the
 * tally is exchanged; the condition itself then costs the same for two points and for two thousand.
 */

const trueNow = says.trip | says.stand | says.now | says.fresh;

/** Looks at one point anew. Looking again at what was seen before changes nothing. */
export function lookAt(leaf: SensingLeaf, own: LeafMemory, i: number, memory: InstanceMemory, scene: Scene): void {
  const ref = leaf.refs[i];
  const point = own.points[i];
  if (ref === undefined || point === undefined) return;
  const reading = scene.latest.get(ref);
  point.reading = reading;
  const before = point.says;
  const verdict = verdictOf(leaf, own, point, reading, memory, scene);
  if (verdict === null) {
    point.says = saysUnusable(leaf, i, point, memory, scene);
  } else {
    if (point.verdict !== verdict && leaf.kind !== 'edges') memory.isDirty = true;
    point.verdict = verdict;
    point.heard = true;
    point.says = leaf.kind === 'edges' || !verdict ? 0 : isKept(point, scene) ? says.stand : trueNow;
  }
  if (point.says === before) return;
  count(own.tally, before, -1);
  count(own.tally, point.says, 1);
  if ((before & says.blind) !== (point.says & says.blind)) own.blindness++;
}

function isKept(point: PointMemory, scene: Scene): boolean {
  return point.keptUntil !== null && scene.monotonic < point.keptUntil;
}

function count(tally: Tally, bits: number, by: 1 | -1): void {
  if (bits & says.trip) tally.trip += by;
  if (bits & says.stand) tally.stand += by;
  if (bits & says.now) tally.now += by;
  if (bits & says.fresh) tally.fresh += by;
  if (bits & says.blind) tally.blind += by;
  if (bits & says.waiting) tally.waiting += by;
}

function verdictOf(
  leaf: SensingLeaf,
  own: LeafMemory,
  point: PointMemory,
  reading: Reading | undefined,
  memory: InstanceMemory,
  scene: Scene,
): boolean | null {
  switch (leaf.kind) {
    case 'point':
      return compare(leaf.test, reading, point.verdict);
    case 'edges':
      return beganOf(leaf, own, point, reading, scene);
    case 'rate':
      return changeOf(leaf, own, point, reading, memory, scene);
  }
}

/** A beginning must be seen: from a usable value that does not meet the test to one that does, both heard since the start. */
function beganOf(
  leaf: EdgesLeaf,
  own: LeafMemory,
  point: PointMemory,
  reading: Reading | undefined,
  scene: Scene,
): boolean | null {
  const verdict = compare(leaf.test, reading, point.verdict);
  if (verdict === true && point.heard && !point.verdict) remember(own.times, scene.monotonic, leaf.atLeast);
  return verdict;
}

/** Keeps the newest times: as many as are needed, and some more to be able to say how many there were. */
export function remember(times: number[], time: number, atLeast: number): void {
  times.push(time);
  if (times.length > Math.max(atLeast, 100)) times.shift();
}

function changeOf(
  leaf: RateLeaf,
  own: LeafMemory,
  point: PointMemory,
  reading: Reading | undefined,
  memory: InstanceMemory,
  scene: Scene,
): boolean | null {
  const { monotonic } = scene;
  const value = isUsable(reading) ? reading.value : null;
  if (typeof value !== 'number' || Number.isNaN(value)) {
    closeWindow(point.spans, monotonic);
    return null;
  }
  // A verdict from before the start stands for one window: what it was made of is forgotten.
  if (!point.heard && point.verdict) point.keptUntil = (memory.startedAt ?? monotonic) + leaf.within;
  pushValue(point.spans, value * leaf.sign, monotonic);
  slideWindow(point.spans, monotonic, leaf.within);
  const lowest = point.spans[0];
  if (lowest !== undefined && value * leaf.sign - lowest.value >= leaf.amount) {
    point.keptUntil = null;
    expireBy(own, lowest.until + leaf.within);
    return true;
  }
  if (!isKept(point, scene)) return false;
  expireBy(own, point.keptUntil ?? monotonic);
  return true;
}

function expireBy(own: LeafMemory, at: number): void {
  if (Number.isFinite(at) && (own.expiresAt === null || at < own.expiresAt)) own.expiresAt = at;
}

function saysUnusable(leaf: SensingLeaf, i: number, point: PointMemory, memory: InstanceMemory, scene: Scene): number {
  // Not every device of the model has this point: until it is heard for the first time nobody misses it.
  const reason = point.reading?.reason;
  const isNever = point.reading === undefined || reason === 'never-read';
  if (leaf.lenient[i] === true && isNever && !point.heard && !point.verdict) return 0;
  switch (leaf.onBad) {
    case 'hold':
      if (!point.verdict || leaf.kind === 'edges') return says.blind;
      return says.blind | says.stand | (isRemembered(point) ? 0 : says.trip);
    case 'ignore':
      // Bad counts as false, but silence since the start says nothing yet: it must not clear what stood before.
      return point.verdict && isRemembered(point) ? says.stand : 0;
    case 'trip':
      if (!point.heard && scene.monotonic < graceEnd(memory, scene)) {
        return says.waiting | (point.verdict ? says.stand : 0);
      }
      return says.trip | says.stand | says.now;
  }
}

/** Its verdict is from before the start. */
function isRemembered(point: PointMemory): boolean {
  return !point.heard || point.keptUntil !== null;
}

function graceEnd(memory: InstanceMemory, scene: Scene): number {
  return (memory.startedAt ?? scene.monotonic) + scene.startGrace;
}

/** What time alone has changed: the grace after the start is over, or a window has slid past what made a point true. */
function lookByTime(
  leaf: SensingLeaf,
  own: LeafMemory,
  memory: InstanceMemory,
  scene: Scene,
  findings: Findings,
): void {
  if (own.tally.waiting > 0) {
    const end = graceEnd(memory, scene);
    if (scene.monotonic >= end) for (const i of leaf.refs.keys()) lookAt(leaf, own, i, memory, scene);
    else wakeBy(findings, end);
  }
  if (own.expiresAt === null) return;
  if (scene.monotonic >= own.expiresAt) {
    own.expiresAt = null;
    own.points.forEach((point, i) => {
      if (point.verdict) lookAt(leaf, own, i, memory, scene);
    });
  }
  if (own.expiresAt !== null) wakeBy(findings, own.expiresAt);
}

export function judgePoints(
  leaf: PointsLeaf | RateLeaf,
  own: LeafMemory,
  memory: InstanceMemory,
  scene: Scene,
  findings: Findings,
): Verdict {
  lookByTime(leaf, own, memory, scene, findings);
  const { tally } = own;
  const raw = { trip: tally.trip >= leaf.needed, stand: tally.stand >= leaf.needed, counting: tally.now > 0 };
  moveTimer(own, raw, leaf.kind === 'rate' ? 0 : leaf.for, memory, scene, findings);
  return {
    trip: own.verdict && raw.trip,
    stand: own.verdict,
    now: own.verdict && tally.now >= leaf.needed,
    fresh: own.verdict && tally.fresh > 0,
  };
}

/** `counting`: what makes it true is seen now; otherwise the time stands still instead of starting again. */
function moveTimer(
  own: LeafMemory,
  raw: { readonly trip: boolean; readonly stand: boolean; readonly counting: boolean },
  needed: number,
  memory: InstanceMemory,
  { monotonic }: Scene,
  findings: Findings,
): void {
  if (!raw.stand) {
    setVerdict(own, false, memory);
    own.runningSince = null;
    own.credit = 0;
    return;
  }
  if (own.verdict || !raw.trip) return;
  if (own.runningSince === null && (raw.counting || needed === 0)) own.runningSince = monotonic;
  const stood = own.credit + (own.runningSince === null ? 0 : monotonic - own.runningSince);
  if (!raw.counting && needed > 0) {
    own.credit = stood;
    own.runningSince = null;
    return;
  }
  if (stood >= needed) setVerdict(own, true, memory);
  else wakeBy(findings, monotonic + needed - stood);
}

export function setVerdict(own: LeafMemory, verdict: boolean, memory: InstanceMemory): void {
  if (own.verdict === verdict) return;
  own.verdict = verdict;
  memory.isDirty = true;
}
