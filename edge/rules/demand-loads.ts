import type { DemandLoad, DemandPlan, DemandTier } from '#edge/domain/energy.ts';
import type { PointRef, SpaceId, ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Value } from '#edge/domain/reading.ts';

/* The loads of a demand plan: which may be touched, how long each is off or on, and what it must consume at least. */

/** An output as it is now. */
export interface DemandOutput {
  /** What it was last heard to be; null: not known, or what is known cannot be used. */
  readonly value: Value | null;
  readonly zone: ZoneId;
  readonly space?: SpaceId;
  /** Somebody stronger has it at another value, or forbids this one: as long as that stands, shedding it changes nothing. */
  readonly overruled?: boolean;
}

/** What is remembered of a load that was shed at least once. Plain JSON. */
export interface LoadMemory {
  readonly shed: boolean;
  /**
   * How long it has been so, ms: at least and at most. They differ by the time in which nobody watched (a restart): minimum times
   * count what is certain, the longest time off counts what is possible.
   */
  readonly atLeast: number;
  readonly atMost: number;
  /** Since when, ms since epoch: for people. */
  readonly since: number;
  readonly why: Name;
  /** kW that this changed, as far as was known. */
  readonly saves: number;
}

export interface Load {
  readonly plan: DemandLoad;
  readonly tier: DemandTier;
  /** Place in the order of shedding. */
  readonly order: number;
  readonly memory: LoadMemory | undefined;
  /** Off by us, off anyhow or held on by somebody stronger (nothing to save), on, or not known. */
  readonly now: 'shed' | 'idle' | 'on' | 'unknown';
  /** Shed, but heard to run all the same: somebody stronger holds it, or it does not obey. */
  readonly defies: boolean;
}

/** How long an output takes to obey and to be seen to, ms. */
export const settleTime = 15_000;
const obeyTime = 60_000;
const hourMs = 3_600_000;

/** Whether a load is never to be touched, whatever a tier names. */
export function isProtected({ protected: safe }: DemandPlan, ref: PointRef, output: DemandOutput | undefined): boolean {
  if (safe.outputs.includes(ref) || output === undefined) return true;
  return safe.zones.includes(output.zone) || (output.space !== undefined && safe.spaces.includes(output.space));
}

/** Every load that may be touched, in the order of shedding. An output that nobody knows is not touched. */
export function loadsOf(
  plan: DemandPlan,
  memories: Readonly<Record<string, LoadMemory>>,
  outputs: ReadonlyMap<PointRef, DemandOutput>,
): readonly Load[] {
  const loads: Load[] = [];
  const seen = new Set<PointRef>();
  for (const tier of plan.tiers) {
    for (const load of tier.loads) {
      const output = outputs.get(load.output);
      if (seen.has(load.output) || isProtected(plan, load.output, output)) continue;
      seen.add(load.output);
      const memory = Object.hasOwn(memories, load.output) ? memories[load.output] : undefined;
      loads.push(look(load, tier, loads.length, memory, output));
    }
  }
  return loads;
}

function look(
  plan: DemandLoad,
  tier: DemandTier,
  order: number,
  memory: LoadMemory | undefined,
  output: DemandOutput | undefined,
): Load {
  const about = { plan, tier, order, memory, defies: false };
  const value = output?.value ?? null;
  const overruled = output?.overruled === true;
  if (memory?.shed === true) {
    const isDeaf = memory.atLeast >= obeyTime && value !== null && value !== plan.value;
    return { ...about, now: 'shed', defies: overruled || isDeaf };
  }
  if (overruled) return { ...about, now: 'idle' };
  // Just given back: it is on its way, whatever was heard of it last.
  if (memory !== undefined && memory.atLeast < settleTime) return { ...about, now: 'on' };
  return { ...about, now: value === null ? 'unknown' : value === plan.value ? 'idle' : 'on' };
}

/** It may be shed now: it runs (or may do so), and has run long enough since it was last given back. */
export function mayShed(load: Load): boolean {
  if (load.now !== 'on' && load.now !== 'unknown') return false;
  return load.memory === undefined || load.memory.atLeast >= load.plan.minOn;
}

export function mayReturn({ now, memory, plan }: Load): boolean {
  return now === 'shed' && memory !== undefined && memory.atLeast >= plan.minOff;
}

/** ms until it must be given back. */
export function timeLeft({ memory, plan }: Load): number {
  return plan.maxOff - (memory?.atMost ?? 0);
}

/**
 * ms until each that is shed comes back by itself, should nobody watch any more: within its `maxOff`, and where its `minOff` allows, one
 * after the other.
 */
export function untilsOf(loads: readonly Load[], stagger: number): ReadonlyMap<string, number> {
  const untils = new Map<string, number>();
  let next = Number.POSITIVE_INFINITY;
  const off = loads.filter(({ now }) => now === 'shed');
  // Against the order in which they are given back.
  for (const load of off.sort((a, b) => timeLeft(b) - timeLeft(a) || b.order - a.order)) {
    const { memory, plan } = load;
    const earliest = Math.max(0, plan.minOff - (memory?.atLeast ?? 0));
    const until = Math.max(earliest, Math.min(timeLeft(load), next - stagger));
    untils.set(plan.output, until);
    next = until;
  }
  return untils;
}

/** kW that it draws now and that shedding would save. */
export function drawOf({ now, plan }: Load): number {
  return now === 'on' ? plan.power : 0;
}

/**
 * kW.h that it cannot be kept from consuming within the next `time` ms, when it is shed as soon and as long as its times allow.
 * `early`: so long before its time is over it may have to return, because all come back one after the other.
 */
export function leastOf({ now, memory, plan, defies }: Load, time: number, early: number): number {
  if (now === 'idle' || now === 'unknown' || defies) return 0;
  const off = Math.max(plan.minOff, plan.maxOff - early);
  let isOff = now === 'shed';
  let left = isOff
    ? Math.max(0, plan.maxOff - early - (memory?.atMost ?? 0))
    : Math.max(0, plan.minOn - (memory?.atLeast ?? plan.minOn));
  let on = 0;
  for (let rest = time, i = 0; rest > 0 && i < 50; i++) {
    const step = Math.min(rest, left);
    if (!isOff) on += step;
    rest -= step;
    isOff = !isOff;
    left = isOff ? off : plan.minOn;
    if (off + plan.minOn <= 0) break;
  }
  return (plan.power * on) / hourMs;
}
