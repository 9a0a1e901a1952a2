import type { SchoolPower } from '#edge/domain/school.ts';
import { decidePower, type PowerDecision, type PowerMemory, type PowerScene } from './power.ts';
import type { PowerNeed } from './power-needs.ts';
import { leadOf } from './power-prepare.ts';

/** More changes than that in the time asked for are not told. */
const mostChanges = 200;
const minute = 60_000;

/** A change that will come if what is assumed holds. */
export interface PowerChange {
  readonly at: number;
  readonly decision: PowerDecision;
}

/**
 * What it will do from now to `until`, as far as can be said today: rooms are taken to be occupied while they are needed, and as warm as
 * they are now. Each change that rests on that says so among its reasons.
 */
export function powerAhead(
  power: SchoolPower,
  needs: readonly PowerNeed[],
  scene: PowerScene,
  memory: PowerMemory,
  until: number,
): readonly PowerChange[] {
  return onwards(power, needs, scene, decidePower(power, needs, scene, memory), until);
}

/** The same with how it is at the beginning as its first change, where nothing is known of who is there. */
export function powerThrough(
  power: SchoolPower,
  needs: readonly PowerNeed[],
  scene: PowerScene,
  memory: PowerMemory,
  until: number,
): readonly PowerChange[] {
  const begun = decidePower(power, needs, assumed(power, needs, scene, scene.now), memory);
  const first = {
    at: scene.now,
    decision: { ...begun.decision, why: [...begun.decision.why, ...told(power, begun.decision)] },
  };
  return [first, ...onwards(power, needs, scene, begun, until)];
}

function onwards(
  power: SchoolPower,
  needs: readonly PowerNeed[],
  scene: PowerScene,
  begun: ReturnType<typeof decidePower>,
  until: number,
): readonly PowerChange[] {
  const changes: PowerChange[] = [];
  let state = begun.memory;
  let last = scene.now;
  let at = nextLook(power, needs, scene, begun.decision, state);
  while (at < until && changes.length < mostChanges) {
    const then = assumed(power, needs, scene, at);
    const { decision, memory: after } = decidePower(power, needs, then, stillThere(state, needs, last, at));
    if (decision.on !== state.on)
      changes.push({ at, decision: { ...decision, why: [...decision.why, ...told(power, decision)] } });
    state = after;
    last = at;
    at = Math.max(at + 1_000, nextLook(power, needs, then, decision, state));
  }
  return changes;
}

/** Who was there at the last look was there until this one. */
function stillThere(memory: PowerMemory, needs: readonly PowerNeed[], last: number, at: number): PowerMemory {
  return isNeeded(needs, last) && memory.lastOccupied === last ? { ...memory, lastOccupied: at } : memory;
}

function isNeeded(needs: readonly PowerNeed[], time: number): boolean {
  return needs.some(({ from, to }) => time >= from && time < to);
}

function assumed(
  { occupancy }: SchoolPower,
  needs: readonly PowerNeed[],
  { read }: PowerScene,
  now: number,
): PowerScene {
  return { now, read: (ref) => (ref === occupancy?.ref ? isNeeded(needs, now) : read(ref)) };
}

/** When something can change: as it says itself, or as the next need begins or must be prepared for. */
function nextLook(
  power: SchoolPower,
  needs: readonly PowerNeed[],
  scene: PowerScene,
  { until }: PowerDecision,
  { runs, lastOccupied }: PowerMemory,
): number {
  const { now } = scene;
  const edges = needs.flatMap((need) => {
    const value = power.prepare === null ? null : scene.read(power.prepare.temperature);
    const lead = power.prepare === null ? 0 : leadOf(power.prepare, typeof value === 'number' ? value : null, runs);
    return [need.from, need.due - lead, need.due, need.to];
  });
  if (power.occupancy !== null && lastOccupied !== null) edges.push(lastOccupied + power.occupancy.offAfter * minute);
  return Math.min(
    ...[until ?? Number.POSITIVE_INFINITY, ...edges].filter((time) => time > now),
    Number.POSITIVE_INFINITY,
  );
}

/** Who is there, and how warm it is, decides when it goes off as well as when it comes on. */
function told(power: SchoolPower, { why }: PowerDecision) {
  const isPreparing = why.some(({ code }) => code === 'preparing');
  if (isPreparing) return [{ code: 'assumed-temperature' as const }];
  return power.occupancy === null ? [] : [{ code: 'assumed-occupied' as const }];
}
